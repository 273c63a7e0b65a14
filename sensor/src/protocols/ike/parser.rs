//! Tells each datagram: the header, then the chain of payloads as far as it is in clear.

use std::collections::BTreeSet;

use super::names;
use super::payloads;
use super::record::IkeMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, buffer};

/// Length of the header (RFC 7296 section 3.1).
pub const HEADER_BYTES: usize = 28;
/// Stands before messages on the port of the tunnel itself (RFC 3948 section 2.2).
const MARKER: [u8; 4] = [0; 4];
/// What keeps an address translation alive (RFC 3948 section 2.3).
const KEEPALIVE: [u8; 1] = [0xff];

/// The parser of one flow: nothing is remembered.
pub struct IkeParser;

/// The header of a message.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    initiator_spi: [u8; 8],
    responder_spi: [u8; 8],
    /// Kind of the first payload.
    pub first_payload: u8,
    /// 1 or 2.
    pub major: u8,
    minor: u8,
    exchange: u8,
    flags: u8,
    message_id: u32,
}

impl Header {
    /// A header whose version, exchange and length can be believed.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let mut r = Reader::new(bytes);
        let (initiator_spi, responder_spi) = (r.array().ok()?, r.array().ok()?);
        let (first_payload, version, exchange, flags) = (r.u8().ok()?, r.u8().ok()?, r.u8().ok()?, r.u8().ok()?);
        let (message_id, length) = (r.u32().ok()?, usize::try_from(r.u32().ok()?).ok()?);
        let (major, minor) = (version >> 4, version & 0xf);
        let exchanges = match major {
            1 => matches!(exchange, 1..=6 | 32..=33),
            2 => matches!(exchange, 34..=44),
            _ => false,
        };
        let fits = (HEADER_BYTES..=bytes.len()).contains(&length);
        // Fragments of version 1 (Cisco's and Microsoft's) have a kind of payload of their own.
        let payload = matches!(first_payload, 0..=54 | 128..=132);
        let spi = initiator_spi != [0; 8];
        let header = Header { initiator_spi, responder_spi, first_payload, major, minor, exchange, flags, message_id };
        (exchanges && fits && payload && spi).then_some(header)
    }

    /// Whether it opens an exchange: nobody has answered yet.
    pub fn is_first(&self) -> bool {
        self.responder_spi == [0; 8] && !(self.major == 2 && self.is_response())
    }

    /// Whether it says to come from the side that was called, where the first exchange is concerned.
    pub fn says_responder(&self) -> bool {
        self.major == 2 && self.is_response() && self.flags & 0x08 == 0
    }

    fn is_response(&self) -> bool {
        self.flags & 0x20 != 0
    }

    /// Whether what follows is encrypted (version 1).
    pub fn is_encrypted(&self) -> bool {
        self.major == 1 && self.flags & 1 != 0
    }
}

/// A message and its header, without the zeros before it; a packet of the tunnel begins with something else.
pub fn find(bytes: &[u8]) -> Option<(Header, &[u8])> {
    // The number of a tunnel may begin with zeros itself.
    let candidates = [Some(bytes), bytes.strip_prefix(&MARKER)];
    candidates.into_iter().flatten().find_map(|message| Some((Header::read(message)?, message)))
}

impl Parser for IkeParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        match find(bytes) {
            Some((header, message)) => tell(out, direction, &header, message),
            None if out.ends().0.1 == 4500 || out.ends().1.1 == 4500 || bytes == KEEPALIVE => {}
            None => out.anomaly("ike.malformed"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, _: &mut dyn Output) {}
}

fn tell(out: &mut dyn Output, direction: Direction, header: &Header, message: &[u8]) {
    let mut odd = BTreeSet::new();
    let two = header.major == 2;
    let mut record = IkeMessage {
        version: format!("{}.{}", header.major, header.minor),
        initiator_spi: hex::encode(header.initiator_spi),
        responder_spi: hex::encode(header.responder_spi),
        exchange: names::exchange(header.exchange),
        exchange_number: header.exchange.into(),
        message_id: header.message_id.into(),
        role: two.then_some(if header.flags & 0x08 != 0 { "initiator" } else { "responder" }),
        response: two.then_some(header.is_response()),
        encrypted: header.is_encrypted().then_some(true),
        ..IkeMessage::default()
    };
    let mut r = Reader::new(message);
    let result = r.skip(HEADER_BYTES).and_then(|()| {
        if header.is_encrypted() { Ok(()) } else { payloads::tell(&mut record, &mut odd, (out, direction), header, r) }
    });
    if let Err(Short) = result {
        record.malformed = Some(true);
        out.anomaly("ike.malformed");
    }
    if out.inspects() {
        for (id, spi) in
            [(buffer::IKE_INITIATOR_SPI, header.initiator_spi), (buffer::IKE_RESPONDER_SPI, header.responder_spi)]
        {
            out.inspect(direction, id, hex::encode(spi).as_bytes());
        }
        out.inspect_number(direction, buffer::IKE_EXCHANGE, header.exchange.into());
        out.transaction(direction);
    }
    for name in odd {
        out.notice_alone(direction, name);
    }
    out.event(record.into_body());
}
