//! Cuts one direction of a stream: heads, the bodies behind them, and pieces of the stream in between, which begin with `$`
//! and their length (RFC 2326 section 10.12).

use super::message;

/// Bytes of a head that are kept; longer ones cannot be followed.
pub const MAX_HEAD_BYTES: usize = 16 << 10;
/// Bytes of a body that are kept.
pub const MAX_BODY_BYTES: usize = 8 << 10;

/// One direction.
#[derive(Debug, Default)]
pub struct Pieces {
    head: Vec<u8>,
    body: Vec<u8>,
    /// Bytes of a body that are still to come.
    body_left: u64,
    /// Bytes of a piece of the stream that are still to come.
    piece_left: usize,
    /// Bytes of the stream so far.
    pub stream_bytes: u64,
    searching: bool,
    lost: bool,
}

/// What was found in the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The head of a message; how many bytes of body follow is told to [`Pieces::expect`].
    Head(Vec<u8>),
    /// The body of the message before, or its beginning.
    Body(Vec<u8>),
    /// The stream can no longer be followed; told once.
    Lost,
}

impl Pieces {
    /// Says how long the body of the message is whose head was given.
    pub fn expect(&mut self, body_bytes: u64) {
        self.body_left = body_bytes;
    }

    /// Whether the stream can no longer be followed.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// The next step in `input`, which is moved forward; nothing when all of it was used up.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Step> {
        while !input.is_empty() && !self.lost {
            if self.searching {
                if input.first() != Some(&b'$') && message::begins(input).is_none() {
                    break;
                }
                self.searching = false;
            }
            if self.piece_left > 0 {
                let passed = self.piece_left.min(input.len());
                self.piece_left -= passed;
                advance(input, passed);
            } else if self.body_left > 0 {
                let left = usize::try_from(self.body_left).unwrap_or(usize::MAX);
                let part = input.get(..left).unwrap_or(input);
                let room = MAX_BODY_BYTES.saturating_sub(self.body.len());
                self.body.extend_from_slice(part.get(..room).unwrap_or(part));
                self.body_left -= part.len() as u64;
                advance(input, part.len());
                if self.body_left == 0 {
                    return Some(Step::Body(std::mem::take(&mut self.body)));
                }
            } else if let Some(step) = self.head(input) {
                return Some(step);
            }
        }
        *input = &[];
        None
    }

    /// Reads on in a head or in what stands before a piece of the stream.
    fn head(&mut self, input: &mut &[u8]) -> Option<Step> {
        let first = self.head.first().or(input.first());
        if first == Some(&b'$') {
            let part = input.get(..4 - self.head.len().min(4)).unwrap_or(input);
            self.head.extend_from_slice(part);
            advance(input, part.len());
            if let [_, _, high, low] = *self.head {
                self.piece_left = usize::from(u16::from_be_bytes([high, low]));
                self.stream_bytes += self.piece_left as u64;
                self.head.clear();
            }
            return None;
        }
        let end = input.iter().position(|byte| *byte == b'\n').map_or(input.len(), |at| at + 1);
        let line = input.get(..end).unwrap_or(input);
        if self.head.len() + line.len() > MAX_HEAD_BYTES {
            *self = Pieces { lost: true, stream_bytes: self.stream_bytes, ..Pieces::default() };
            return Some(Step::Lost);
        }
        self.head.extend_from_slice(line);
        advance(input, end);
        // Empty lines before a message keep connections open.
        if self.head.trim_ascii().is_empty() {
            self.head.clear();
            return None;
        }
        let over = self.head.ends_with(b"\n\r\n") || self.head.ends_with(b"\n\n");
        over.then(|| Step::Head(std::mem::take(&mut self.head)))
    }

    /// `length` bytes are missing.
    pub fn gap(&mut self, length: u64) {
        if length <= self.piece_left as u64 {
            self.piece_left -= usize::try_from(length).unwrap_or(0);
        } else {
            *self = Pieces { searching: true, lost: self.lost, stream_bytes: self.stream_bytes, ..Pieces::default() };
        }
    }
}

fn advance(input: &mut &[u8], count: usize) {
    *input = input.get(count..).unwrap_or(&[]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_the_stream_stand_between_messages() {
        let mut pieces = Pieces::default();
        let mut input = &b"$\0\0\x03abcRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nv=0$\x01\0\x02ab\r\n"[..];
        assert!(matches!(pieces.next(&mut input), Some(Step::Head(head)) if head.starts_with(b"RTSP")));
        pieces.expect(3);
        assert_eq!(pieces.next(&mut input), Some(Step::Body(b"v=0".to_vec())));
        assert_eq!((pieces.next(&mut input), pieces.stream_bytes), (None, 5));
    }
}
