//! Where a body ends (RFC 9112 sections 6 and 7).

/// Bytes of a line between chunks; extensions make it longer than its number.
const MAX_CHUNK_LINE_BYTES: usize = 8192;

/// How a body is framed, and how far it has come.
#[derive(Debug)]
pub enum Framing {
    /// There is none.
    Empty,
    /// This many bytes are still to come.
    Length(u64),
    /// Chunks.
    Chunked(Chunked),
    /// Everything until the connection closes.
    UntilClose,
}

/// State between and inside chunks.
#[derive(Debug, Default)]
pub struct Chunked {
    line: Vec<u8>,
    place: Place,
    /// A chunk was seen.
    begun: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    Size,
    Data(u64),
    DataEnd,
    Trailer,
}

/// What a step through a body found.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Bytes of the body.
    Data(&'a [u8]),
    /// Framing only; go on.
    Nothing,
    /// The body is complete.
    End,
    /// The chunks make no sense from here on.
    Broken,
}

impl Framing {
    /// Takes one step; gives what it found and the bytes after it. Ends may be found without any bytes.
    pub fn step<'a>(&mut self, bytes: &'a [u8]) -> (Step<'a>, &'a [u8]) {
        match self {
            Framing::Empty | Framing::Length(0) => (Step::End, bytes),
            Framing::Length(left) => {
                let (part, rest) = at_most(bytes, *left);
                *left -= part.len() as u64;
                (Step::Data(part), rest)
            }
            Framing::Chunked(chunked) => chunked.step(bytes),
            Framing::UntilClose => (Step::Data(bytes), &[]),
        }
    }

    /// Passes over lost bytes; says whether the end of the body can still be found.
    pub fn gap(&mut self, length: u64) -> bool {
        let left = match self {
            Framing::UntilClose => return true,
            Framing::Length(left) => left,
            Framing::Chunked(Chunked { place: Place::Data(left), .. }) => left,
            _ => return false,
        };
        let Some(after) = left.checked_sub(length) else { return false };
        *left = after;
        true
    }
}

impl Chunked {
    /// What was taken for the size of the first chunk and is none.
    pub fn take_line(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }

    fn step<'a>(&mut self, bytes: &'a [u8]) -> (Step<'a>, &'a [u8]) {
        if let Place::Data(left) = self.place {
            let (part, rest) = at_most(bytes, left);
            let left = left - part.len() as u64;
            self.place = if left == 0 { Place::DataEnd } else { Place::Data(left) };
            return (Step::Data(part), rest);
        }
        if self.place == Place::Size && self.line.is_empty() && !self.begun && !may_be_size(bytes) {
            return (Step::Broken, bytes);
        }
        let end = bytes.iter().position(|&b| b == b'\n');
        let (part, rest) = bytes.split_at_checked(end.map_or(bytes.len(), |e| e + 1)).unwrap_or((bytes, &[]));
        self.line.extend_from_slice(part);
        if end.is_none() {
            let step = if self.line.len() > MAX_CHUNK_LINE_BYTES { Step::Broken } else { Step::Nothing };
            return (step, rest);
        }
        let line = std::mem::take(&mut self.line);
        let step = self.line(trimmed(&line));
        if step == Step::Broken && !self.begun {
            self.line = line;
        }
        (step, rest)
    }

    fn line(&mut self, line: &[u8]) -> Step<'static> {
        match self.place {
            Place::Trailer if line.is_empty() => return Step::End,
            Place::Trailer | Place::Data(_) => {}
            Place::DataEnd if line.is_empty() => self.place = Place::Size,
            // Some senders put blank lines before a size, or none after the data.
            Place::Size if line.is_empty() => {}
            Place::Size | Place::DataEnd => match chunk_size(line) {
                Some(0) => self.place = Place::Trailer,
                Some(size) => {
                    self.begun = true;
                    self.place = Place::Data(size);
                }
                None => return Step::Broken,
            },
        }
        Step::Nothing
    }
}

/// Without the blanks around it, those that few programs know among them.
fn trimmed(line: &[u8]) -> &[u8] {
    let blank = |b: &u8| b.is_ascii_whitespace() || *b == 0x0b;
    let start = line.iter().position(|b| !blank(b)).unwrap_or(line.len());
    let end = line.iter().rposition(|b| !blank(b)).map_or(start, |at| at + 1);
    line.get(start..end).unwrap_or(&[])
}

/// Whether bytes may begin with the size of a chunk.
fn may_be_size(bytes: &[u8]) -> bool {
    let text = trimmed(bytes);
    text.first().is_none_or(u8::is_ascii_hexdigit)
}

/// Hexadecimal digits at the start of the line; what follows (extensions, blanks) does not matter.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(line.len());
    let digits = std::str::from_utf8(line.get(..end)?).ok()?.trim_start_matches('0');
    match (end, digits) {
        (0, _) => None,
        (_, "") => Some(0),
        _ => u64::from_str_radix(digits, 16).ok(),
    }
}

fn at_most(bytes: &[u8], left: u64) -> (&[u8], &[u8]) {
    let end = usize::try_from(left).unwrap_or(usize::MAX);
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut framing: Framing, bytes: &[u8], size: usize) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        for chunk in bytes.chunks(size) {
            let mut rest = chunk;
            while !rest.is_empty() {
                let (step, after) = framing.step(rest);
                rest = after;
                match step {
                    Step::Data(part) => body.extend_from_slice(part),
                    Step::Nothing => {}
                    Step::End => return (body, true),
                    Step::Broken => return (body, false),
                }
            }
        }
        (body, false)
    }

    #[test]
    fn chunks_however_they_are_cut() {
        let bytes = b"4;x=y\r\nWiki\r\n0006\r\npedia \r\nB\nin chunks.!\r\n0\r\nTrailer: 1\r\n\r\n";
        for size in 1..bytes.len() {
            let (body, ended) = read(Framing::Chunked(Chunked::default()), bytes, size);
            assert_eq!((body.as_slice(), ended), (&b"Wikipedia in chunks.!"[..], true));
        }
        assert!(!read(Framing::Chunked(Chunked::default()), b"zz\r\nabc", 9).1);
    }
}
