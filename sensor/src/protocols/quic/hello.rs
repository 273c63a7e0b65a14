//! A hello on its way: pieces of the handshake that CRYPTO frames carry (RFC 9000 section 19.6), in any order.

use std::collections::BTreeMap;

use super::packet::varint;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a handshake that are kept; with post-quantum keys a hello has some two thousand.
const MAX_BYTES: usize = 64 * 1024;
/// Pieces that wait for those before them.
const MAX_WAITING: usize = 128;
/// Bytes told of why a connection is closed.
const MAX_REASON_BYTES: usize = 256;

/// Types of frames (RFC 9000 section 19).
mod frame {
    pub const PADDING: u64 = 0x00;
    pub const PING: u64 = 0x01;
    pub const ACK: u64 = 0x02;
    pub const ACK_ECN: u64 = 0x03;
    pub const CRYPTO: u64 = 0x06;
    pub const CLOSE: u64 = 0x1c;
}

/// Why the connection was closed in its first packets.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    /// Number of the error (RFC 9000 section 20.1; from 0x100 on an alert of TLS).
    pub code: u64,
    /// In words.
    pub reason: Option<String>,
}

/// The handshake of one side.
#[derive(Default)]
pub struct Hello {
    bytes: Vec<u8>,
    waiting: BTreeMap<usize, Vec<u8>>,
    /// Pieces were let go.
    pub overflown: bool,
    /// What the other end was told when it was over before it began.
    pub closed: Option<Closed>,
}

impl Hello {
    /// Takes in the frames of a packet.
    pub fn frames(&mut self, frames: &[u8]) -> Result<(), Short> {
        let mut r = Reader::new(frames);
        while !r.is_empty() {
            match varint(&mut r)? {
                frame::PADDING | frame::PING => {}
                kind @ (frame::ACK | frame::ACK_ECN) => acknowledgement(&mut r, kind == frame::ACK_ECN)?,
                frame::CRYPTO => {
                    let offset = varint(&mut r)?;
                    let length = usize::try_from(varint(&mut r)?).map_err(|_| Short)?;
                    let piece = r.take(length)?;
                    self.piece(usize::try_from(offset).unwrap_or(usize::MAX), piece);
                }
                frame::CLOSE => {
                    let code = varint(&mut r)?;
                    varint(&mut r)?;
                    let length = usize::try_from(varint(&mut r)?).map_err(|_| Short)?;
                    let reason = r.take(length)?;
                    let reason = (!reason.is_empty()).then(|| text::text(reason, MAX_REASON_BYTES));
                    self.closed = Some(Closed { code, reason });
                }
                _ => return Err(Short),
            }
        }
        Ok(())
    }

    /// A piece that belongs at an offset. The first bytes to come for a place count.
    fn piece(&mut self, offset: usize, piece: &[u8]) {
        let fits = offset.checked_add(piece.len()).is_some_and(|end| end <= MAX_BYTES);
        if !fits || (offset > self.bytes.len() && self.waiting.len() >= MAX_WAITING) {
            self.overflown = true;
            return;
        }
        if offset > self.bytes.len() {
            let longest = self.waiting.entry(offset).or_default();
            if longest.len() < piece.len() {
                *longest = piece.to_vec();
            }
            return;
        }
        self.append(offset, piece);
        while let Some(entry) = self.waiting.first_entry().filter(|entry| *entry.key() <= self.bytes.len()) {
            let (offset, piece) = entry.remove_entry();
            self.append(offset, &piece);
        }
    }

    fn append(&mut self, offset: usize, piece: &[u8]) {
        let known = self.bytes.len().saturating_sub(offset);
        self.bytes.extend_from_slice(piece.get(known..).unwrap_or(&[]));
    }

    /// All bytes from the start that have come without a gap.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body of the first handshake message, when it is whole, and its type (RFC 8446 section 4).
    pub fn message(&self) -> Option<(u8, &[u8])> {
        let mut r = Reader::new(&self.bytes);
        let kind = r.u8().ok()?;
        Some((kind, r.part24().ok()?.rest()))
    }
}

fn acknowledgement(r: &mut Reader<'_>, counts: bool) -> Result<(), Short> {
    varint(r)?;
    varint(r)?;
    let ranges = varint(r)?;
    varint(r)?;
    for _ in 0..ranges {
        varint(r)?;
        varint(r)?;
    }
    for _ in 0..if counts { 3 } else { 0 } {
        varint(r)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_any_order() {
        let mut hello = Hello::default();
        hello.frames(b"\x00\x01\x06\x05\x02fg\x06\x02\x02cd").unwrap();
        assert!(hello.bytes().is_empty());
        hello.frames(b"\x02\x01\x00\x01\x00\x01\x02\x06\x00\x03abc\x06\x03\x02de\x00").unwrap();
        assert_eq!(hello.bytes(), b"abcdefg");
        hello.frames(b"\x1c\x41\x28\x06\x02no").unwrap();
        assert_eq!(hello.closed, Some(Closed { code: 0x128, reason: Some("no".into()) }));
        assert!(hello.frames(b"\x06\x00\x05ab").is_err());
        hello.frames(&[b"\x06\x80\x01\x00\x00\x01".as_slice(), b"x"].concat()).unwrap();
        assert!(hello.overflown);
    }
}
