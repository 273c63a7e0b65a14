//! Follows one flow: records, pieces of messages, and what the handshake shows.

use std::collections::BTreeMap;

use super::tls::handshake::{self, Seen};
use super::tls::hello;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress};

/// Messages of a side whose pieces wait for others.
pub const MAX_MESSAGES: usize = 8;
/// Bytes of such pieces.
pub const MAX_PIECES_BYTES: usize = 128 << 10;
/// Messages that a side of a handshake has at most; beyond, repeated ones are read again.
const MAX_NUMBER: u16 = 64;
/// Alerts that are told.
const MAX_ALERTS: usize = 8;

/// The parser of one flow.
#[derive(Default)]
pub struct DtlsParser {
    to_server: Side,
    to_client: Side,
    seen: Seen,
    told: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// Pieces of messages, by the message's number.
    pieces: BTreeMap<u16, Pieces>,
    /// Bytes of all pieces.
    bytes: usize,
    /// Messages that were read, a bit for each number.
    read: u64,
    /// From here on the records are encrypted.
    encrypted: bool,
}

/// Pieces of one message, by where they begin.
#[derive(Default)]
struct Pieces {
    kind: u8,
    length: usize,
    parts: BTreeMap<usize, Vec<u8>>,
}

impl Pieces {
    /// The message, once every byte is there.
    fn whole(&self) -> Option<Vec<u8>> {
        let mut message = Vec::new();
        for (start, part) in &self.parts {
            let new = part.get(message.len().checked_sub(*start)?..);
            message.extend_from_slice(new.unwrap_or(&[]));
        }
        (message.len() >= self.length).then_some(message)
    }
}

impl Parser for DtlsParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        // Calls mix other protocols into the same flow, which the first byte tells apart (RFC 7983 section 7).
        if !bytes.first().is_some_and(|first| (20..=63).contains(first)) {
            return Progress::Continue;
        }
        let mut r = Reader::new(bytes);
        while !r.is_empty() {
            if self.record(out, direction, &mut r).is_err() {
                self.seen.malformed = true;
                break;
            }
        }
        let over = self.to_server.encrypted && self.to_client.encrypted && self.seen.server.is_some();
        if !over && !self.seen.fatal {
            return Progress::Continue;
        }
        self.finish(out);
        Progress::Done
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        let anything = self.seen.client.is_some() || self.seen.server.is_some();
        if std::mem::replace(&mut self.told, true) || !anything {
            return;
        }
        if self.seen.malformed {
            out.anomaly("dtls.malformed");
        }
        let established = self.to_server.encrypted && self.to_client.encrypted && self.seen.server.is_some();
        let time_ns = out.time_ns();
        out.event(handshake::record(std::mem::take(&mut self.seen), established, time_ns, 'd').into_body());
    }
}

impl DtlsParser {
    /// One record of a datagram.
    fn record(&mut self, out: &mut dyn Output, direction: Direction, r: &mut Reader<'_>) -> Result<(), Short> {
        let side = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        let kind = r.u8()?;
        // The short header of encrypted records since version 1.3 says nothing that could be followed.
        if kind & 0xe0 == 0x20 {
            side.encrypted = true;
            return r.skip(r.rest().len());
        }
        let version = r.u16()?;
        let epoch = r.u16()?;
        r.skip(6)?;
        let mut content = r.part16()?;
        if !matches!(version, 0xfefd | 0xfeff | 0x0100) || !(20..=26).contains(&kind) {
            return Err(Short);
        }
        match kind {
            _ if epoch > 0 => side.encrypted = true,
            20 => side.encrypted = true,
            21 => alert(&mut self.seen, content),
            22 => {
                while !content.is_empty() {
                    side.piece(out, &mut self.seen, direction, &mut content)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Side {
    /// A piece of a message of the handshake (RFC 6347 section 4.2.2).
    fn piece(
        &mut self,
        out: &mut dyn Output,
        seen: &mut Seen,
        direction: Direction,
        r: &mut Reader<'_>,
    ) -> Result<(), Short> {
        let kind = r.u8()?;
        let length = usize::try_from(r.u24()?).map_err(|_| Short)?;
        let number = r.u16()?;
        let start = usize::try_from(r.u24()?).map_err(|_| Short)?;
        let part = r.part24()?.rest();
        if start + part.len() > length {
            return Err(Short);
        }
        // What comes before the server has its cookie may share its number with what comes after.
        let bit = if number < MAX_NUMBER && !matches!(kind, 1 | 3) { 1u64 << number } else { 0 };
        if self.read & bit != 0 {
            return Ok(());
        }
        if part.len() == length {
            self.read |= bit;
            self.bytes -= self.pieces.remove(&number).map_or(0, |pieces| bytes_of(&pieces));
            take(out, seen, direction, kind, part);
            return Ok(());
        }
        let known = self.pieces.contains_key(&number);
        if self.bytes + part.len() > MAX_PIECES_BYTES || !known && self.pieces.len() >= MAX_MESSAGES {
            out.anomaly("dtls.pieces_limit");
            return Ok(());
        }
        let pieces = self.pieces.entry(number).or_insert_with(|| Pieces { kind, length, ..Pieces::default() });
        if pieces.kind != kind || pieces.length != length {
            return Err(Short);
        }
        // Of two pieces that begin at the same place the longer one counts.
        let before = pieces.parts.get(&start).map_or(0, Vec::len);
        if part.len() > before {
            pieces.parts.insert(start, part.to_vec());
            self.bytes += part.len() - before;
        }
        if let Some(message) = pieces.whole() {
            self.read |= bit;
            self.bytes -= self.pieces.remove(&number).map_or(0, |pieces| bytes_of(&pieces));
            take(out, seen, direction, kind, &message);
        }
        Ok(())
    }
}

fn bytes_of(pieces: &Pieces) -> usize {
    pieces.parts.values().map(Vec::len).sum()
}

/// Takes in a whole message.
fn take(out: &mut dyn Output, seen: &mut Seen, direction: Direction, kind: u8, body: &[u8]) {
    match kind {
        1 => seen.malformed |= handshake::client_hello(seen, hello::datagram_client(body)),
        // The server wants its cookie back.
        3 => {}
        _ => handshake::message(out, seen, direction, kind, body),
    }
}

fn alert(seen: &mut Seen, mut r: Reader<'_>) {
    if let (Ok(level), Ok(description)) = (r.u8(), r.u8()) {
        if seen.alerts.len() < MAX_ALERTS {
            seen.alerts.push((level, description));
        }
        seen.fatal |= level == 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_may_come_in_any_order_and_overlap() {
        let mut pieces = Pieces { kind: 1, length: 6, ..Pieces::default() };
        pieces.parts.insert(2, b"cde".to_vec());
        assert_eq!(pieces.whole(), None);
        pieces.parts.insert(0, b"abc".to_vec());
        assert_eq!(pieces.whole(), None);
        pieces.parts.insert(4, b"ef".to_vec());
        assert_eq!(pieces.whole(), Some(b"abcdef".to_vec()));
    }
}
