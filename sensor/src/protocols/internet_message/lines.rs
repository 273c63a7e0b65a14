//! Lines of a protocol in text, however the stream is cut.

/// Bytes kept of a line; what is more is passed over.
pub const MAX_LINE_BYTES: usize = 8192;

/// The lines of one direction.
#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
    /// A line was longer than is kept.
    pub cut: bool,
}

impl Lines {
    /// The next whole line without its end, and what follows it; nothing until its end has come.
    pub fn next<'a>(&mut self, bytes: &'a [u8]) -> Option<(Vec<u8>, &'a [u8])> {
        let end = bytes.iter().position(|b| *b == b'\n');
        let (part, rest) = bytes.split_at_checked(end.map_or(bytes.len(), |at| at + 1)).unwrap_or((bytes, &[]));
        let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
        self.cut |= part.len() > room;
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
        end?;
        let mut line = std::mem::take(&mut self.line);
        let kept = line.len() - line.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        line.truncate(kept);
        Some((line, rest))
    }

    /// Whether a line has begun.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Forgets the beginning of a line.
    pub fn clear(&mut self) {
        self.line.clear();
    }
}

/// A body that ends with a dot on a line of its own, in which other lines that begin with a dot have one more
/// (RFC 5321 section 4.5.2, RFC 1939 section 3).
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Dotted(Place);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    LineStart,
    /// After a dot at the start of a line.
    Dot,
    /// After a dot and a carriage return there.
    DotReturn,
    Middle,
}

impl Dotted {
    /// Appends what belongs to the body; gives what follows its end, once that has come.
    pub fn take<'a>(&mut self, bytes: &'a [u8], body: &mut Vec<u8>) -> Option<&'a [u8]> {
        for (at, byte) in bytes.iter().enumerate() {
            self.0 = match (self.0, byte) {
                (Place::Dot | Place::DotReturn, b'\n') => return bytes.get(at + 1..),
                (Place::LineStart, b'.') => Place::Dot,
                (Place::Dot, b'\r') => Place::DotReturn,
                (place, byte) => {
                    if place == Place::DotReturn {
                        body.push(b'\r');
                    }
                    body.push(*byte);
                    if *byte == b'\n' { Place::LineStart } else { Place::Middle }
                }
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_ends_with_its_dot() {
        for size in 1..20 {
            let (mut dotted, mut body, mut rest) = (Dotted::default(), Vec::new(), None);
            for piece in b"a\r\n..b\r\n.c.\r\n.\r\nQUIT\r\n".chunks(size) {
                if rest.is_none() {
                    rest = dotted.take(piece, &mut body);
                }
            }
            assert_eq!(body, b"a\r\n.b\r\nc.\r\n", "in pieces of {size}");
            assert!(rest.is_some());
        }
        let mut body = Vec::new();
        assert_eq!(Dotted::default().take(b".\r\nQUIT", &mut body), Some(&b"QUIT"[..]));
        assert!(body.is_empty());
    }

    #[test]
    fn lines_are_cut_at_their_limit() {
        let mut lines = Lines::default();
        assert!(lines.next(&[b'a'; 9000]).is_none());
        let (line, rest) = lines.next(b"b\r\nc").unwrap();
        assert_eq!((line.len(), rest, lines.cut), (MAX_LINE_BYTES, &b"c"[..], true));
    }
}
