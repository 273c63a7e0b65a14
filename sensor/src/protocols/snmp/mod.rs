//! SNMP versions 1, 2c and 3 (RFC 1157, RFC 3416, RFC 3412, RFC 3414): who asks what of which device.
//!
//! Comes in: datagrams. Goes out: one [`record`] a message, questions and answers alike, joined by `snmp.request_id`;
//! nothing is remembered between messages. The community, which is a password in clear, is noted and never kept; whether
//! it is one that everybody knows is told. At most [`parser::MAX_VARIABLES`] variables of a message are told.

mod ber;
mod inspection;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "snmp",
    transports: &[Transport::UDP],
    ports: &[161, 162, 10161, 10162],
    probe_min_bytes: 12,
    probe,
    parser: |_| Box::new(parser::SnmpParser),
    datasets: &[record::SnmpMessage::DATASET],
};

/// A sequence that begins with a version that exists and what must follow it.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match (parser::kind(bytes), direction) {
        (None, _) => Probe::No,
        (Some(parser::Kind::Answer), Direction::ToServer) => Probe::YesReversed,
        (Some(parser::Kind::Question), Direction::ToClient) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}
