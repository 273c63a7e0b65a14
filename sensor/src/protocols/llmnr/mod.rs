//! Link-local multicast name resolution (RFC 4795): what Windows asks everybody on the link when DNS does not know.
//!
//! Comes in: datagrams, or messages over TCP with two bytes of length before each. Goes out: one [`record`] a message; a
//! question goes to a group and its answer comes from whoever knows, which are two flows, so they are not paired. The
//! format is that of `dns::message`, with two flags of other meaning.

mod parser;
pub mod record;

use luytre_events::Transport;

use super::dns::message::{self, Header};
use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "llmnr",
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[5355],
    probe_min_bytes: Header::SIZE_BYTES,
    probe,
    parser: |transport| Box::new(parser::LlmnrParser::new(transport)),
    datasets: &[record::LlmnrMessage::DATASET],
};

/// The format is that of DNS, so the port is part of the definition (RFC 4795 section 2).
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    if !on_port {
        return Probe::No;
    }
    let framed =
        bytes.split_first_chunk().filter(|(length, rest)| usize::from(u16::from_be_bytes(**length)) == rest.len());
    let message = [Some(bytes), framed.map(|(_, rest)| rest)].into_iter().flatten().find_map(sound);
    match (message, direction) {
        (None, _) => Probe::No,
        (Some(header), Direction::ToServer) if header.is_answer() => Probe::YesReversed,
        (Some(header), Direction::ToClient) if !header.is_answer() => Probe::YesReversed,
        _ => Probe::Yes,
    }
}

/// The header of a message whose question and records can be read.
fn sound(bytes: &[u8]) -> Option<Header> {
    let message = message::read(bytes).filter(|message| !message.malformed && message.trailing_bytes == 0)?;
    (message.questions.len() == 1).then_some(message.header)
}
