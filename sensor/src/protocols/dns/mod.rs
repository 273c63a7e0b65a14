//! DNS (RFC 1035 and its many additions): every query and every answer is an event.
//!
//! Comes in: datagrams, or a TCP stream of messages with two bytes of length before each. Goes out: one [`record`] a
//! message. Nothing is remembered between messages, so nothing can fill up; what a message may cost is bounded in
//! [`message`]. A broken message is told as far as it can be read and counted as `dns.malformed`.
//!
//! This folder is the one that others are modelled on: `mod.rs` says how the protocol is found, `record.rs` what is
//! said of it, `parser.rs` follows the flow, the other files read the format, `testdata/` holds captures with the
//! events they must give. The format is also that of multicast DNS, LLMNR and NetBIOS names, which read it with
//! [`message`], [`names`] and [`rdata`].

pub mod inspection;
pub(super) mod message;
pub(super) mod names;
pub(super) mod parser;
pub(super) mod rdata;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};
use message::Header;

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "dns",
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[53],
    probe_min_bytes: Header::SIZE_BYTES,
    probe,
    parser: |transport| Box::new(parser::DnsParser::new(transport)),
    datasets: &[record::DnsMessage::DATASET],
};

/// Recognises a message at the start of a datagram, or after the length of a TCP stream. The probe is not told the
/// transport, so both are tried; the two cannot be confused, because the counts would be absurd.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    if let Some(header) = plausible(bytes, bytes.len(), on_port) {
        return verdict(direction, header);
    }
    let Some((length, framed)) = bytes.split_first_chunk().map(|(l, rest)| (u16::from_be_bytes(*l), rest)) else {
        return Probe::More;
    };
    let length = usize::from(length);
    if length < Header::SIZE_BYTES {
        return Probe::No;
    }
    if framed.len() < Header::SIZE_BYTES {
        return if on_port { Probe::More } else { Probe::No };
    }
    let message = framed.get(..length).unwrap_or(framed);
    match plausible(message, length, on_port) {
        Some(header) => verdict(direction, header),
        None => Probe::No,
    }
}

/// A message in the wrong direction means that client and server were taken for each other.
fn verdict(direction: Direction, header: Header) -> Probe {
    match (direction, header.is_answer()) {
        (Direction::ToServer, true) | (Direction::ToClient, false) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}

/// The header, if these bytes begin a message of `length` bytes. On port 53 it is enough that the counts fit and that
/// what is there can be read. Elsewhere it must be an ordinary recursive query or its answer: this leaves out
/// multicast DNS (id 0), LLMNR (recursion not asked for) and NetBIOS names, which have the same format.
fn plausible(bytes: &[u8], length: usize, on_port: bool) -> Option<Header> {
    let header = Header::read(bytes)?;
    // The smallest record of any section has more than two bytes.
    if header.records() * 2 > length {
        return None;
    }
    let whole = bytes.len() >= length;
    let message = message::read(bytes)?;
    if on_port {
        let asked = header.questions > 0 && message.questions.len() == usize::from(header.questions);
        let readable = !message.malformed || asked || (!whole && header.questions == 1);
        return readable.then_some(header);
    }
    let ordinary = header.id != 0
        && header.recursion_desired()
        && header.op_code() == 0
        && header.questions == 1
        && !message.malformed
        && message.trailing_bytes == 0;
    let question = message.questions.first()?;
    let netbios = question.name.len() == 32 && question.name.bytes().all(|b| b.is_ascii_lowercase() && b <= b'p');
    (ordinary && !netbios && question.class == 1 && names::known_type(question.kind)).then_some(header)
}
