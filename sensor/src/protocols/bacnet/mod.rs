//! BACnet/IP (ASHRAE 135 annex J), the protocol of building automation: one event a request with its answer.
//!
//! Comes in: datagrams. Goes out: one [`record`] for each message that wants no answer, and for each request when it is
//! answered, when too many wait, or when the flow ends. Of a message in several segments the first is told.

mod message;
mod names;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "bacnet",
    transports: &[Transport::UDP],
    ports: &[47808],
    probe_min_bytes: 4,
    probe,
    parser: |_| Box::new(parser::BacnetParser::default()),
    datasets: &[record::BacnetMessage::DATASET],
};

/// The head says how long the datagram is, so that little else is needed.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match (message::envelope(bytes), direction) {
        (None, _) => Probe::No,
        (Some(envelope), Direction::ToServer) if envelope.answers() => Probe::YesReversed,
        (Some(_), _) => Probe::Yes,
    }
}
