//! Frames of WebSocket (RFC 6455 section 5.2): where they begin and end in the bytes of one direction.

use crate::protocols::reader::Reader;

/// Bytes of a head: two, eight of length, four of mask.
const MAX_HEAD_BYTES: usize = 14;

/// Kinds of frames (RFC 6455 section 11.8).
pub const CONTINUATION: u8 = 0;
/// Text in UTF-8.
pub const TEXT: u8 = 1;
/// Bytes.
pub const BINARY: u8 = 2;
/// The last frame.
pub const CLOSE: u8 = 8;
/// Asks whether the other end is there.
pub const PING: u8 = 9;
/// It is.
pub const PONG: u8 = 10;

/// What stands before the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Last frame of its message.
    pub last: bool,
    /// The three bits that extensions may use; the highest says that the message is compressed.
    pub reserved: u8,
    /// Kind.
    pub opcode: u8,
    /// Key by which the payload is masked.
    pub mask: Option<[u8; 4]>,
    /// Bytes of the payload.
    pub length: u64,
}

impl Head {
    /// Whether extensions have packed the payload.
    pub fn compressed(&self) -> bool {
        self.reserved & 4 != 0
    }

    fn read(bytes: &[u8]) -> Option<(Head, usize)> {
        let mut r = Reader::new(bytes);
        let (first, second) = (r.u8().ok()?, r.u8().ok()?);
        let length = match second & 0x7f {
            126 => r.u16().ok()?.into(),
            127 => u64::from_be_bytes(r.array().ok()?),
            short => short.into(),
        };
        let mask = if second & 0x80 != 0 { Some(r.array().ok()?) } else { None };
        let head = Head { last: first & 0x80 != 0, reserved: first >> 4 & 7, opcode: first & 0xf, mask, length };
        Some((head, r.position()))
    }
}

/// What a step through the bytes found.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A frame begins.
    Begin(Head),
    /// Payload of the frame, unmasked.
    Data(Vec<u8>),
    /// The frame is over.
    End,
    /// Bytes are missing.
    Nothing,
}

/// Where one direction stands.
#[derive(Debug, Default)]
pub struct Frames {
    /// Beginning of a head.
    head: Vec<u8>,
    mask: Option<[u8; 4]>,
    inside: bool,
    /// Bytes of the payload that are still to come.
    pub left: u64,
    /// Bytes of the payload that came.
    at: u64,
}

impl Frames {
    /// Takes one step; gives what it found and the bytes after it.
    pub fn step<'a>(&mut self, bytes: &'a [u8]) -> (Step, &'a [u8]) {
        if self.inside && self.left == 0 {
            self.inside = false;
            return (Step::End, bytes);
        }
        if bytes.is_empty() {
            return (Step::Nothing, bytes);
        }
        if self.inside {
            let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
            let (part, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
            let plain = self.unmasked(part);
            self.left -= part.len() as u64;
            self.at += part.len() as u64;
            return (Step::Data(plain), rest);
        }
        // Byte by byte: the length of a head is known only from its beginning.
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            self.head.push(*first);
            rest = after;
            if let Some((head, _)) = Head::read(&self.head) {
                self.head.clear();
                (self.inside, self.mask, self.left, self.at) = (true, head.mask, head.length, 0);
                return (Step::Begin(head), rest);
            }
            if self.head.len() >= MAX_HEAD_BYTES {
                self.head.clear();
            }
        }
        (Step::Nothing, rest)
    }

    /// Passes over lost bytes; says whether the frames can still be followed.
    pub fn gap(&mut self, length: u64) -> bool {
        if !self.inside || length > self.left {
            return false;
        }
        self.left -= length;
        self.at += length;
        true
    }

    fn unmasked(&self, part: &[u8]) -> Vec<u8> {
        let Some(mask) = self.mask else { return part.to_vec() };
        let shift = usize::try_from(self.at % 4).unwrap_or(0);
        part.iter().zip(mask.iter().cycle().skip(shift)).map(|(byte, key)| byte ^ key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6455 section 5.7.
    #[test]
    fn frames_however_they_are_cut() {
        let bytes = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x01\x03Hel\x80\x02lo\x89\x00\x82\x7e\x00\x03abc";
        for size in 1..bytes.len() {
            let mut frames = Frames::default();
            let (mut heads, mut content, mut ends) = (Vec::new(), Vec::new(), 0);
            for piece in bytes.chunks(size) {
                let mut rest = piece;
                loop {
                    let (step, after) = frames.step(rest);
                    rest = after;
                    match step {
                        Step::Begin(head) => heads.push((head.opcode, head.last, head.length)),
                        Step::Data(data) => content.extend(data),
                        Step::End => ends += 1,
                        Step::Nothing => break,
                    }
                }
            }
            assert_eq!(content, b"HelloHelloabc", "in pieces of {size}");
            assert_eq!(
                heads,
                [(TEXT, true, 5), (TEXT, false, 3), (CONTINUATION, true, 2), (PING, true, 0), (BINARY, true, 3)]
            );
            assert_eq!(ends, 5);
        }
    }
}
