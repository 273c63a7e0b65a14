//! LDAP (RFC 4511) over TCP and UDP: one event an operation with its result.
//!
//! Comes in: a TCP stream of messages, or datagrams. Goes out: one [`record`] when the result of an operation comes, when
//! the flow ends without one, or when more than `MAX_OUTSTANDING` wait ([`parser`]); the entries of a search are counted.
//! Of each message `MESSAGE_BYTES` are kept. That a password was sent is told, the password never. Messages that are
//! signed only are read; sealed ones are noticed. After STARTTLS the parser of TLS goes on.

mod filter;
mod inspection;
mod message;
mod parser;
pub mod record;

use luytre_events::Transport;

// What begins after STARTTLS is told by its own parser.
use super::{Direction, Probe, Protocol, tls};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "ldap",
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[389, 3268],
    probe_min_bytes: 7,
    probe,
    parser: |transport| Box::new(parser::LdapParser::new(transport)),
    datasets: &[record::LdapOperation::DATASET],
};

/// A sequence with a number and an operation that there is.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match message::begins(bytes) {
        Some(operation) if operation.is_request() == (direction == Direction::ToServer) => Probe::Yes,
        Some(_) => Probe::YesReversed,
        None => Probe::No,
    }
}
