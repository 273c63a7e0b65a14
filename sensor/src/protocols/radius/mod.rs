//! RADIUS (RFC 2865, RFC 2866, RFC 5176): who logs in through which switch, access point or VPN, and whether it worked.
//!
//! Comes in: datagrams. Goes out: one [`record`] for a request and its answer, joined by their number; one for a request
//! that nobody answered, when the flow ends. A request that is sent again is told once. At most [`parser::MAX_OPEN`]
//! requests wait in a flow: beyond, the oldest is told as unanswered and counted. Passwords are hidden by the protocol
//! and only noted.

mod attributes;
mod names;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "radius",
    transports: &[Transport::UDP],
    ports: &[1812, 1813, 1645, 1646, 3799],
    probe_min_bytes: parser::HEADER_BYTES,
    probe,
    parser: |_| Box::new(parser::RadiusParser::default()),
    datasets: &[record::RadiusExchange::DATASET],
};

/// A kind that exists and attributes that fill the length that the message says. Elsewhere than on its ports it must
/// also be a request that says who asks.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let Some(request) = parser::is_message(bytes, on_port) else { return Probe::No };
    match (request, direction) {
        (true, Direction::ToClient) | (false, Direction::ToServer) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}
