//! Oracle's network layer (TNS): one event a connection.
//!
//! Comes in: a TCP stream. Goes out: one [`record`] when the listener accepts, refuses or redirects, or when the flow ends
//! before that. What follows an accepted connection is a protocol that its maker does not publish: it is not followed. At
//! most [`packet::MAX_PACKET_BYTES`] of a packet are kept.

mod packet;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "tns",
    transports: &[Transport::TCP],
    ports: &[1521, 1526, 2483],
    probe_min_bytes: 8,
    probe,
    parser: |_| Box::new(parser::TnsParser::default()),
    datasets: &[record::TnsConnect::DATASET],
};

/// A client's wish says versions and where in it the description of the target begins; a listener's answer counts on its
/// port.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let speaker = match packet::begins_connect(bytes) {
        Some(true) => Direction::ToServer,
        None => return Probe::More,
        Some(false) if on_port && packet::is_answer(bytes) => Direction::ToClient,
        Some(false) => return Probe::No,
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
