//! Frames of HTTP/2 (RFC 9113 section 4.1): where they begin and end in the bytes of one direction.
//!
//! The content of DATA frames streams through; frames that are read whole are collected, at most
//! [`MAX_COLLECTED_BYTES`]; all others are passed over.

use crate::protocols::reader::Reader;

/// Bytes before the payload of a frame.
pub const HEAD_BYTES: usize = 9;
/// Payload of a frame that is collected before it is read.
pub const MAX_COLLECTED_BYTES: usize = 64 * 1024;

/// Types of frames that are read (RFC 9113 section 6).
pub const DATA: u8 = 0;
/// Fields of a request or a response.
pub const HEADERS: u8 = 1;
/// Weight of a stream.
pub const PRIORITY_FRAME: u8 = 2;
/// A stream ends early.
pub const RST_STREAM: u8 = 3;
/// Settings; the first frame of each side.
pub const SETTINGS: u8 = 4;
/// Request that a server answers before it is asked.
pub const PUSH_PROMISE: u8 = 5;
/// Asks whether the other end is there.
pub const PING: u8 = 6;
/// The sender begins nothing new.
pub const GOAWAY: u8 = 7;
/// More bytes may be sent.
pub const WINDOW_UPDATE: u8 = 8;
/// More of the fields.
pub const CONTINUATION: u8 = 9;

/// Settings were received.
pub const ACK: u8 = 0x1;
/// Nothing of the stream follows in this direction.
pub const END_STREAM: u8 = 0x1;
/// No CONTINUATION follows.
pub const END_HEADERS: u8 = 0x4;
/// The payload begins with the length of padding at its end.
pub const PADDED: u8 = 0x8;
/// Five bytes of priority stand before the fields.
pub const PRIORITY: u8 = 0x20;

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the payload.
    pub length: usize,
    /// Type.
    pub kind: u8,
    /// Flags, by type.
    pub flags: u8,
    /// Stream; 0 is the connection.
    pub stream: u32,
}

impl Head {
    /// Reads the head of a frame; nothing when bytes are missing.
    pub fn read(bytes: &[u8]) -> Option<Head> {
        let mut r = Reader::new(bytes);
        let length = usize::try_from(r.u24().ok()?).ok()?;
        let (kind, flags) = (r.u8().ok()?, r.u8().ok()?);
        Some(Head { length, kind, flags, stream: r.u32().ok()? & 0x7fff_ffff })
    }
}

/// What a step through the bytes found.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Content of a DATA frame; `end` after the last of its stream.
    Data { stream: u32, bytes: &'a [u8], end: bool },
    /// A whole frame.
    Whole(Head, Vec<u8>),
    /// Nothing yet, or nothing of interest.
    Nothing,
    /// The frames make no sense or are too large.
    Broken,
}

/// Where one direction stands.
#[derive(Debug, Default)]
pub struct Frames {
    /// Beginning of a head.
    head: Vec<u8>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    head: Head,
    left: usize,
    /// Bytes of padding at the end, once they are known.
    padding: Option<usize>,
    payload: Vec<u8>,
}

impl Frames {
    /// Takes one step; gives what it found and the bytes after it.
    pub fn step<'a>(&mut self, bytes: &'a [u8]) -> (Step<'a>, &'a [u8]) {
        let Some(current) = &mut self.current else { return self.begin(bytes) };
        let (step, rest) = current.step(bytes);
        if current.left == 0 {
            self.current = None;
        }
        (step, rest)
    }

    fn begin<'a>(&mut self, bytes: &'a [u8]) -> (Step<'a>, &'a [u8]) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        let (part, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(part);
        let Some(head) = Head::read(&self.head) else { return (Step::Nothing, rest) };
        self.head.clear();
        if head.length > MAX_COLLECTED_BYTES && collected(head.kind) {
            return (Step::Broken, rest);
        }
        let padding = (head.flags & PADDED == 0).then_some(0);
        let mut current = Current { head, left: head.length, padding, payload: Vec::new() };
        if head.length == 0 {
            return (current.done(&[]), rest);
        }
        self.current = Some(current);
        (Step::Nothing, rest)
    }
}

impl Current {
    fn step<'a>(&mut self, bytes: &'a [u8]) -> (Step<'a>, &'a [u8]) {
        if self.head.kind == DATA {
            return self.data(bytes);
        }
        let (part, rest) = bytes.split_at_checked(self.left).unwrap_or((bytes, &[]));
        self.left -= part.len();
        if collected(self.head.kind) {
            self.payload.extend_from_slice(part);
        }
        if self.left > 0 { (Step::Nothing, rest) } else { (self.done(&[]), rest) }
    }

    fn data<'a>(&mut self, bytes: &'a [u8]) -> (Step<'a>, &'a [u8]) {
        let Some(padding) = self.padding else {
            let Some((first, rest)) = bytes.split_first() else { return (Step::Nothing, bytes) };
            self.left -= 1;
            self.padding = Some((*first).into());
            return match usize::from(*first) {
                padding if padding > self.left => (Step::Broken, rest),
                _ if self.left == 0 => (self.done(&[]), rest),
                _ => (Step::Nothing, rest),
            };
        };
        let content = self.left.saturating_sub(padding);
        let wanted = if content > 0 { content } else { self.left };
        let (part, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.left -= part.len();
        let content = if content > 0 { part } else { &[] };
        if self.left == 0 {
            return (self.done(content), rest);
        }
        (Step::Data { stream: self.head.stream, bytes: content, end: false }, rest)
    }

    fn done<'a>(&mut self, content: &'a [u8]) -> Step<'a> {
        let Head { kind, flags, stream, .. } = self.head;
        match kind {
            DATA => Step::Data { stream, bytes: content, end: flags & END_STREAM != 0 },
            _ if collected(kind) => Step::Whole(self.head, std::mem::take(&mut self.payload)),
            _ => Step::Nothing,
        }
    }
}

fn collected(kind: u8) -> bool {
    (HEADERS..=CONTINUATION).contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_however_they_are_cut() {
        let bytes = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\0\x03\x01\x04\0\0\0\x01abc\0\0\x08\0\x09\0\0\0\x01\x03hell\0\0\0\
            \0\0\0\0\x01\0\0\0\x03";
        for size in 1..bytes.len() {
            let mut frames = Frames::default();
            let (mut content, mut ends, mut whole) = (Vec::new(), Vec::new(), Vec::new());
            for piece in bytes.chunks(size) {
                let mut rest = piece;
                while !rest.is_empty() {
                    let (step, after) = frames.step(rest);
                    rest = after;
                    match step {
                        Step::Data { stream, bytes, end } => {
                            content.extend_from_slice(bytes);
                            ends.extend(end.then_some(stream));
                        }
                        Step::Whole(head, payload) => whole.push((head.kind, payload)),
                        Step::Nothing => {}
                        Step::Broken => panic!("in pieces of {size}"),
                    }
                }
            }
            assert_eq!((content.as_slice(), ends.as_slice()), (&b"hell"[..], &[1, 3][..]), "in pieces of {size}");
            assert_eq!(whole, [(SETTINGS, b"\0\x03\0\0\0\x64".to_vec()), (HEADERS, b"abc".to_vec())]);
        }
    }

    #[test]
    fn padding_longer_than_its_frame_and_large_blocks_are_errors() {
        let mut frames = Frames::default();
        let (_, rest) = frames.step(b"\0\0\x02\0\x08\0\0\0\x01\x02x");
        assert_eq!(frames.step(rest).0, Step::Broken);
        assert_eq!(Frames::default().step(b"\x01\0\x01\x01\x04\0\0\0\x01").0, Step::Broken);
    }
}
