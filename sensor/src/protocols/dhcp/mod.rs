//! DHCP for IPv4 (RFC 2131, RFC 2132): who asks for an address, under which name, and what it is given.
//!
//! Comes in: datagrams. Goes out: one [`record`] a message. Questions are broadcast from no address and answers often go
//! to the address that is just being given, which are different flows: messages are joined by `dhcp.transaction_id` and
//! `client.mac`, not here. Nothing is remembered between messages; an option's number is one byte, so there are at most 254 of them.

mod options;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "dhcp",
    transports: &[Transport::UDP],
    ports: &[67, 68],
    probe_min_bytes: parser::FIXED_BYTES + parser::COOKIE.len(),
    probe,
    parser: |_| Box::new(parser::DhcpParser),
    datasets: &[record::DhcpMessage::DATASET],
};

/// The cookie behind the fixed part is telling.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let cookie = bytes.get(parser::FIXED_BYTES..).is_some_and(|rest| rest.starts_with(&parser::COOKIE));
    match (bytes.first(), bytes.get(2), direction) {
        (Some(1 | 2), Some(0..=16), _) if !cookie => Probe::No,
        (Some(1), Some(0..=16), Direction::ToServer) | (Some(2), Some(0..=16), Direction::ToClient) => Probe::Yes,
        (Some(1 | 2), Some(0..=16), _) => Probe::YesReversed,
        _ => Probe::No,
    }
}
