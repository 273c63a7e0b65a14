//! DHCP for IPv6 (RFC 8415): who asks for an address or a prefix, and what it is given.
//!
//! Comes in: datagrams. Goes out: one [`record`] a message; what a relay has wrapped is told of the innermost message.
//! Questions go to a group and answers to whoever asked, which are different flows: messages are joined by
//! `dhcpv6.transaction_id` and the client's identifier. Nothing is remembered between messages; at most
//! [`parser::MAX_RELAYS`] wrappings are taken off.

mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "dhcpv6",
    transports: &[Transport::UDP],
    ports: &[546, 547],
    probe_min_bytes: 8,
    probe,
    parser: |_| Box::new(parser::Dhcpv6Parser),
    datasets: &[record::Dhcpv6Message::DATASET],
};

/// The format has no mark of its own: the port must be right and the options must fill the datagram exactly.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    match (on_port && parser::is_message(bytes), direction, bytes.first()) {
        (false, ..) => Probe::No,
        // Advertise, reply, reconfigure and what a relay brings back come from servers.
        (true, Direction::ToServer, Some(2 | 7 | 10 | 13)) => Probe::YesReversed,
        (true, Direction::ToClient, Some(1 | 3..=6 | 8..=9 | 11..=12)) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}
