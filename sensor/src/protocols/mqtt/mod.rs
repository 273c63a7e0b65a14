//! MQTT 3.1, 3.1.1 and 5 (OASIS): what sensors, cameras and machines publish and who listens.
//!
//! Comes in: a TCP stream. Goes out: one [`record`] for a message and what acknowledges it (a log-in and its answer, a
//! publication and its receipts); a log-in or subscription that nobody answered is told when the flow ends. Of a message
//! at most [`packet::MAX_KEPT_BYTES`] are kept, which is enough for everything but what is published; at most
//! [`parser::MAX_OPEN`] messages wait on each side: beyond, the oldest is told as it is and counted. Passwords are noted
//! and never kept.

mod inspection;
mod packet;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "mqtt",
    transports: &[Transport::TCP],
    ports: &[1883],
    probe_min_bytes: 2,
    probe,
    parser: |_| Box::new(parser::MqttParser::default()),
    datasets: &[record::MqttMessage::DATASET],
};

/// A log-in names the protocol. A connection that was under way is known by the length of its first message on its port.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    match packet::begins_login(bytes) {
        Some(true) if direction == Direction::ToServer => return Probe::Yes,
        Some(true) => return Probe::YesReversed,
        None => return Probe::More,
        Some(false) => {}
    }
    if on_port && packet::fills(bytes) { Probe::Yes } else { Probe::No }
}
