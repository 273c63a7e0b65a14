//! Kerberos (RFC 4120): one event a request with its reply or error.
//!
//! Comes in: datagrams, or a TCP stream of messages with four bytes of length before each. Goes out: one [`record`] when
//! a reply comes, when the flow ends without one, and for a reply whose request was not seen. Of a message
//! `MESSAGE_BYTES` are kept, of requests `MAX_OUTSTANDING` ([`parser`]); the oldest makes room and is told unanswered.
//! Passwords and keys are never in the clear; names, realms and kinds of encryption are.

pub mod message;
pub mod names;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "kerberos",
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[88],
    probe_min_bytes: 10,
    probe,
    parser: |transport| Box::new(parser::KerberosParser::new(transport)),
    datasets: &[record::KerberosExchange::DATASET],
};

/// A message at the start of a datagram, or after the length of a TCP stream: its tag, a sequence, and version 5 first.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let framed = parser::framed_length(bytes).and_then(|_| bytes.get(4..));
    let Some(kind) = message::kind(bytes).or_else(|| framed.and_then(message::kind)) else { return Probe::No };
    match (direction, kind.is_request()) {
        (Direction::ToServer, false) | (Direction::ToClient, true) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}
