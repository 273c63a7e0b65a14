//! Messages of a TCP stream that say their own length: cut out of the pieces in which the stream arrives.
//!
//! Comes in: bytes of one direction, and gaps. Goes out: [`Step::Message`] for each message, or, of one longer than the
//! format's limit, its beginning; what follows of it is passed over. At most that limit is kept. After a gap that hides
//! where messages begin, bytes are passed over until a piece begins one.

use std::borrow::Cow;

/// How the messages of a protocol are told apart.
pub struct Format {
    /// The length of the message that begins here.
    pub length: fn(&[u8]) -> Length,
    /// Whether a message surely begins here; asked of the beginnings of pieces after a gap.
    pub begins: fn(&[u8]) -> bool,
    /// The most bytes of a message that are kept.
    pub limit_bytes: usize,
}

/// What the beginning of a message says of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// More bytes are needed to tell.
    Unknown,
    /// Bytes of the whole message, its own header included.
    Bytes(usize),
    /// This is no message.
    Broken,
}

/// A message, or its beginning.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The bytes, at most as many as the format keeps.
    pub bytes: Cow<'a, [u8]>,
    /// Bytes that the message has.
    pub length: usize,
}

impl Message<'_> {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() == self.length
    }
}

/// What was found in the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A message.
    Message(Message<'a>),
    /// The stream can no longer be followed; told once.
    Lost,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub struct Frames {
    kept: Vec<u8>,
    skip_bytes: usize,
    searching: bool,
    lost: bool,
}

impl Frames {
    /// Whether the stream can no longer be followed.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Begins anew: what follows begins a message.
    pub fn reset(&mut self) {
        *self = Frames::default();
    }

    /// What was kept of an unfinished message.
    pub fn take_rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }

    /// The next message in `input`, which is moved forward; nothing when all of it was used up.
    pub fn next<'a>(&mut self, input: &mut &'a [u8], format: &Format) -> Option<Step<'a>> {
        if self.lost {
            *input = &[];
            return None;
        }
        self.skip_bytes -= skip(input, self.skip_bytes);
        if input.is_empty() {
            return None;
        }
        if self.searching && !(format.begins)(input) {
            *input = &[];
            return None;
        }
        self.searching = false;
        if self.kept.is_empty() {
            return self.fresh(input, format);
        }
        loop {
            let wanted = match (format.length)(&self.kept) {
                Length::Bytes(length) if length > 0 => length.min(format.limit_bytes).saturating_sub(self.kept.len()),
                Length::Unknown if self.kept.len() < format.limit_bytes => 1,
                _ => return self.lose(input),
            };
            if wanted == 0 {
                let bytes = std::mem::take(&mut self.kept);
                return Some(self.message(Cow::Owned(bytes), format));
            }
            if input.is_empty() {
                return None;
            }
            let part = input.get(..wanted).unwrap_or(input);
            self.kept.extend_from_slice(part);
            skip(input, part.len());
        }
    }

    /// The usual case: a message begins with the input, and is told without a copy if all of it is there.
    fn fresh<'a>(&mut self, input: &mut &'a [u8], format: &Format) -> Option<Step<'a>> {
        match (format.length)(input) {
            Length::Bytes(length) if length > 0 => {
                let whole: &'a [u8] = input;
                if let Some(bytes) = whole.get(..length.min(format.limit_bytes)) {
                    skip(input, bytes.len());
                    return Some(self.message(Cow::Borrowed(bytes), format));
                }
            }
            Length::Unknown if input.len() < format.limit_bytes => {}
            _ => return self.lose(input),
        }
        self.kept.extend_from_slice(input);
        *input = &[];
        None
    }

    fn message<'a>(&mut self, bytes: Cow<'a, [u8]>, format: &Format) -> Step<'a> {
        let length = match (format.length)(&bytes) {
            Length::Bytes(length) => length,
            _ => bytes.len(),
        };
        self.skip_bytes = length.saturating_sub(bytes.len());
        Step::Message(Message { bytes, length })
    }

    fn lose<'a>(&mut self, input: &mut &[u8]) -> Option<Step<'a>> {
        (self.lost, self.kept) = (true, Vec::new());
        *input = &[];
        Some(Step::Lost)
    }

    /// `length` bytes are missing: a gap inside one message costs that message, a larger one what follows until a
    /// message is found again. Gives what was kept of the message that is damaged.
    pub fn gap(&mut self, length: u64, format: &Format) -> Vec<u8> {
        let damaged = std::mem::take(&mut self.kept);
        let missing = match (format.length)(&damaged) {
            Length::Bytes(whole) if !damaged.is_empty() => whole.saturating_sub(damaged.len()),
            _ => self.skip_bytes,
        };
        match usize::try_from(length).ok().and_then(|length| missing.checked_sub(length)) {
            Some(left) if length > 0 => self.skip_bytes = left,
            _ => (self.searching, self.skip_bytes) = (true, 0),
        }
        damaged
    }
}

/// Moves `input` forward by at most `count` bytes; says by how many.
fn skip(input: &mut &[u8], count: usize) -> usize {
    let count = count.min(input.len());
    *input = input.get(count..).unwrap_or(&[]);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte of length that counts itself; 255 is no length.
    static FORMAT: Format = Format {
        length: |bytes| match bytes.first() {
            None => Length::Unknown,
            Some(255) => Length::Broken,
            Some(length) => Length::Bytes((*length).into()),
        },
        begins: |bytes| bytes.get(1) == Some(&b'!'),
        limit_bytes: 6,
    };

    fn read(frames: &mut Frames, mut input: &[u8]) -> Vec<(Vec<u8>, usize)> {
        let mut found = Vec::new();
        while let Some(Step::Message(message)) = frames.next(&mut input, &FORMAT) {
            found.push((message.bytes.into_owned(), message.length));
        }
        found
    }

    #[test]
    fn messages_come_out_whole_however_they_arrive() {
        let stream = b"\x03!a\x09!bcdefgh\x02!\x05!xyz";
        let whole = read(&mut Frames::default(), stream);
        assert_eq!(whole.len(), 4);
        assert_eq!(whole[1], (b"\x09!bcde".to_vec(), 9));
        for size in 1..stream.len() {
            let mut frames = Frames::default();
            let pieces: Vec<_> = stream.chunks(size).flat_map(|piece| read(&mut frames, piece)).collect();
            assert_eq!(pieces, whole, "in pieces of {size}");
        }
    }

    #[test]
    fn gaps_cost_no_more_than_they_must() {
        let mut frames = Frames::default();
        assert!(read(&mut frames, b"\x05!x").is_empty());
        assert_eq!(frames.gap(1, &FORMAT), b"\x05!x");
        assert_eq!(read(&mut frames, b"z\x02!"), [(b"\x02!".to_vec(), 2)]);
        assert!(frames.gap(7, &FORMAT).is_empty());
        assert!(read(&mut frames, b"zz\x02!").is_empty());
        assert_eq!(read(&mut frames, b"\x02!"), [(b"\x02!".to_vec(), 2)]);
    }

    #[test]
    fn what_is_no_message_ends_the_stream_once() {
        let mut frames = Frames::default();
        let mut input = &b"\xff!"[..];
        assert_eq!(frames.next(&mut input, &FORMAT), Some(Step::Lost));
        assert_eq!((frames.next(&mut &b"\x02!"[..], &FORMAT), frames.is_lost()), (None, true));
    }
}
