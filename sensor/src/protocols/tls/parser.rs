//! Follows one flow: takes records apart, and hands over the messages of the handshake.

use super::handshake::{Seen, message, record};
use super::hello;
use super::inspection::{self, Records};
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Largest handshake message that is kept; chains of certificates are some thousands of bytes.
const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// Longest record that is believed: 2^14 plus the 2,048 that encryption may add (RFC 5246 section 6.2.3).
const MAX_RECORD_BYTES: usize = 18_432;
/// Alerts that are told.
const MAX_ALERTS: usize = 8;

/// The parser of one flow.
#[derive(Default)]
pub struct TlsParser {
    to_server: Side,
    to_client: Side,
    seen: Seen,
    told: bool,
}

/// One direction: where in the record layer it stands.
#[derive(Default)]
struct Side {
    /// Beginning of a record's header.
    header: Vec<u8>,
    /// Type of the record that is being read.
    kind: u8,
    /// Bytes of that record that are still to come.
    left: usize,
    /// Unfinished handshake message, with its four bytes of header.
    handshake: Vec<u8>,
    /// Bytes of a handshake message too large to keep that are still to come.
    skip: usize,
    /// Unfinished alert.
    alert: Vec<u8>,
    /// From here on the records are encrypted.
    encrypted: bool,
    /// The record layer cannot be followed any more.
    lost: bool,
    /// A first byte was seen.
    begun: bool,
    /// Records as rules may look into them.
    records: Records,
    /// The connection began as text; the last byte of it, until TLS begins.
    preface: Option<u8>,
}

/// Where TLS begins in a stream that began as text: after a line end, with a handshake record. `last` is the byte before.
pub fn after_preface(last: Option<u8>, bytes: &[u8]) -> Option<usize> {
    let before = last.into_iter().chain(bytes.iter().copied());
    let offset = usize::from(last.is_none());
    let begins = |at: &usize| match bytes.get(*at..) {
        Some([0x16, 0x03, ..]) => true,
        Some([only]) => *only == 0x16,
        _ => false,
    };
    before.zip(offset..).filter(|(byte, _)| *byte == b'\n').map(|(_, at)| at).find(begins)
}

/// Types of records (RFC 8446 appendix B.1).
mod kind {
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const APPLICATION_DATA: u8 = 23;
    pub const HEARTBEAT: u8 = 24;
}

impl Parser for TlsParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        // It may be inside of something else.
        out.dialect(super::PROTOCOL.name);
        let (side, seen) = match direction {
            Direction::ToServer => (&mut self.to_server, &mut self.seen),
            Direction::ToClient => (&mut self.to_client, &mut self.seen),
        };
        side.data(out, seen, direction, bytes);
        self.progress(out)
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let side = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        side.records = Records::default();
        side.records.lost = true;
        side.gap(&mut self.seen, length);
        self.progress(out)
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.tell(out);
    }
}

impl TlsParser {
    /// Tells the handshake once there is nothing more to learn of it.
    fn progress(&mut self, out: &mut dyn Output) -> Progress {
        let over = |side: &Side| side.encrypted || side.lost;
        let answered = self.seen.server.is_some() || self.to_client.lost;
        let done = over(&self.to_server) && over(&self.to_client) && answered;
        if !done && !self.seen.fatal {
            return Progress::Continue;
        }
        self.tell(out);
        // Rules may look into the records that follow.
        if inspection::wants_records(out) { Progress::Continue } else { Progress::Done }
    }

    fn tell(&mut self, out: &mut dyn Output) {
        let seen = &self.seen;
        let anything = seen.client.is_some() || seen.server.is_some() || seen.sslv2.is_some();
        if self.told || !anything {
            return;
        }
        self.told = true;
        if seen.malformed {
            out.anomaly("tls.malformed");
        }
        inspection::done(out, seen.server_chain_length);
        let established = self.to_server.encrypted && self.to_client.encrypted && seen.server.is_some();
        let time_ns = out.time_ns();
        out.event(record(std::mem::take(&mut self.seen), established, time_ns, 't').into_body());
    }
}

impl Side {
    fn data(&mut self, out: &mut dyn Output, seen: &mut Seen, direction: Direction, mut bytes: &[u8]) {
        if !self.begun && !bytes.is_empty() {
            self.begun = true;
            if direction == Direction::ToServer
                && let Some(version) = hello::sslv2_client(bytes)
            {
                seen.sslv2 = Some(version);
                inspection::old_client(out, version);
                let length = usize::from(u16::from_be_bytes(*bytes.first_chunk().unwrap_or(&[0, 0])) & 0x7fff) + 2;
                bytes = bytes.get(length..).unwrap_or(&[]);
            }
            let record = bytes.first().is_none_or(|b| (kind::CHANGE_CIPHER_SPEC..=kind::HEARTBEAT).contains(b));
            self.preface = if record { None } else { Some(b' ') };
        }
        if let Some(last) = self.preface {
            let Some(start) = after_preface(Some(last), bytes) else {
                self.preface = bytes.last().copied().or(self.preface);
                return;
            };
            self.preface = None;
            bytes = bytes.get(start..).unwrap_or(&[]);
        }
        if inspection::wants_records(out) {
            self.records.data(out, direction, bytes);
        }
        while !bytes.is_empty() && !self.lost {
            bytes = if self.left == 0 { self.header(bytes, seen) } else { self.body(out, seen, direction, bytes) };
        }
    }

    /// Reads on in a record's header; gives what follows it.
    fn header<'a>(&mut self, bytes: &'a [u8], seen: &mut Seen) -> &'a [u8] {
        let wanted = 5 - self.header.len();
        let (head, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(head);
        if let [record_kind, major, _, high, low] = *self.header {
            self.header.clear();
            self.kind = record_kind;
            self.left = usize::from(u16::from_be_bytes([high, low]));
            let known = (kind::CHANGE_CIPHER_SPEC..=kind::HEARTBEAT).contains(&record_kind);
            if !known || major != 3 || self.left > MAX_RECORD_BYTES {
                seen.malformed |= !self.encrypted;
                self.lost = true;
            }
            self.encrypted |= record_kind == kind::APPLICATION_DATA;
        }
        rest
    }

    /// Reads on in a record's body; gives what follows it.
    fn body<'a>(&mut self, out: &mut dyn Output, seen: &mut Seen, direction: Direction, bytes: &'a [u8]) -> &'a [u8] {
        let (part, rest) = bytes.split_at_checked(self.left).unwrap_or((bytes, &[]));
        self.left -= part.len();
        match self.kind {
            kind::CHANGE_CIPHER_SPEC => self.encrypted = true,
            // The hello that answers a request for another one comes after a ChangeCipherSpec that means nothing
            // (RFC 8446 appendix D.4).
            kind::HANDSHAKE if self.encrypted && !clear_hello(part, seen, direction) => {}
            kind::HANDSHAKE => {
                self.encrypted = false;
                self.handshake(out, seen, direction, part);
            }
            kind::ALERT if !self.encrypted => self.alert(seen, part),
            _ => {}
        }
        rest
    }

    fn alert(&mut self, seen: &mut Seen, part: &[u8]) {
        self.alert.extend_from_slice(part.get(..2).unwrap_or(part));
        if let [level, description, ..] = *self.alert {
            if seen.alerts.len() < MAX_ALERTS {
                seen.alerts.push((level, description));
            }
            seen.fatal |= level == 2;
            self.alert.clear();
        }
    }

    fn handshake(&mut self, out: &mut dyn Output, seen: &mut Seen, direction: Direction, part: &[u8]) {
        let skipped = self.skip.min(part.len());
        self.skip -= skipped;
        self.handshake.extend_from_slice(part.get(skipped..).unwrap_or(&[]));
        let mut buffer = std::mem::take(&mut self.handshake);
        let mut r = Reader::new(&buffer);
        let mut used = 0;
        while let (Ok(message_kind), Ok(length)) = (r.u8(), r.u24()) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if let Ok(body) = r.take(length) {
                message(out, seen, direction, message_kind, body);
                used = r.position();
                continue;
            }
            if length > MAX_MESSAGE_BYTES {
                out.anomaly("tls.message_too_large");
                seen.malformed = true;
                self.skip = length - r.rest().len();
                used = buffer.len();
            }
            break;
        }
        buffer.drain(..used.min(buffer.len()));
        self.handshake = buffer;
    }

    /// A gap inside one record can be passed over when the record says nothing; else this side is lost.
    fn gap(&mut self, seen: &mut Seen, length: u64) {
        let silent = self.encrypted || self.kind != kind::HANDSHAKE;
        match usize::try_from(length).ok().and_then(|length| self.left.checked_sub(length)) {
            Some(left) if silent && self.begun => self.left = left,
            _ => {
                seen.malformed |= !self.encrypted;
                self.lost = true;
            }
        }
    }
}

/// Whether a handshake record after ChangeCipherSpec is a hello in the clear all the same.
fn clear_hello(part: &[u8], seen: &Seen, direction: Direction) -> bool {
    match direction {
        Direction::ToServer => part.starts_with(&[1, 0]) && seen.server.as_ref().is_none_or(|s| s.retry),
        Direction::ToClient => part.starts_with(&[2, 0]) && seen.server.as_ref().is_none_or(|s| s.retry),
    }
}
