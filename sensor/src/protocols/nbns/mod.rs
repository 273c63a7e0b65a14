//! NetBIOS names (RFC 1002 section 4.2): who Windows hosts say they are, and whom they look for.
//!
//! Comes in: datagrams. Goes out: one [`record`] a message; questions are broadcast and answers come from whoever knows,
//! which are two flows, so they are not paired. The format is that of `dns::message` with names written in a code of
//! their own ([`name`]); nothing is remembered between messages.

mod name;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::dns::message::{self, Header};
use super::{Direction, Probe, Protocol};

/// Type of a name's addresses.
const NB: u16 = 32;
/// Type of all names of a host.
const NBSTAT: u16 = 33;

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "nbns",
    transports: &[Transport::UDP],
    ports: &[137],
    probe_min_bytes: Header::SIZE_BYTES + 34,
    probe,
    parser: |_| Box::new(parser::NbnsParser),
    datasets: &[record::NbnsMessage::DATASET],
};

/// The code of the names is telling: sixteen bytes as thirty-two letters from A to P.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let Some(message) = message::read(bytes) else { return Probe::No };
    let asked = message.questions.first().map(|question| (question.name.as_str(), question.kind));
    let told = message.answers.first().map(|answer| (answer.name.as_str(), answer.kind));
    let known = asked
        .or(told)
        .is_some_and(|(text, kind)| matches!(kind, 1..=2 | 10 | NB | NBSTAT) && name::decode(text).is_some());
    match (known, direction, message.header.is_answer()) {
        (false, ..) => Probe::No,
        (true, Direction::ToServer, true) | (true, Direction::ToClient, false) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}
