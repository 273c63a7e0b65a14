//! Syslog (RFC 3164, RFC 5424): what devices report of themselves.
//!
//! Comes in: datagrams, or a TCP stream with lengths or line ends between messages (RFC 6587). Goes out: one [`record`] a
//! message. Nothing is remembered between messages; of one at most [`message::MAX_MESSAGE_BYTES`] are kept.

mod message;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "syslog",
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[514, 601],
    probe_min_bytes: 5,
    probe,
    parser: |transport| Box::new(parser::SyslogParser::new(transport)),
    datasets: &[record::SyslogMessage::DATASET],
};

/// A priority in angles that exists. Elsewhere than on its ports a date or a version must follow.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let bytes = message::without_length(bytes).unwrap_or(bytes);
    if !message::begins(bytes, on_port) {
        return Probe::No;
    }
    if direction == Direction::ToServer { Probe::Yes } else { Probe::YesReversed }
}
