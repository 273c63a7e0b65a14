//! NTP (RFC 5905): who sets its clock by whom; control and private messages (RFC 9327, ntpd's mode 7), which are misused
//! to flood others.
//!
//! Comes in: datagrams. Goes out: one [`record`] for a question and its answer, joined by the time stamp that an answer
//! carries back; one for a question that nobody answered, when the flow ends; one for each other message. At most
//! [`parser::MAX_OPEN`] questions wait in a flow: beyond, the oldest is told as unanswered and counted.

mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "ntp",
    transports: &[Transport::UDP],
    ports: &[123],
    probe_min_bytes: 8,
    probe,
    parser: |_| Box::new(parser::NtpParser::default()),
    datasets: &[record::NtpExchange::DATASET],
};

/// The format has no mark of its own, so the port must be right and the fixed part plausible.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    match (on_port.then(|| parser::mode(bytes)).flatten(), direction) {
        (None, _) => Probe::No,
        (Some(3), Direction::ToClient) | (Some(4), Direction::ToServer) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}
