//! RFB, the protocol of VNC (RFC 6143): one event a connection up to where the screen begins.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when the server has described its screen, when
//! the log-in has failed, when a way of logging in is chosen that cannot be followed, or when the flow ends. What a
//! side may say before that is short; longer reasons and names are cut, and the rest of the flow is not looked at.

mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "rfb",
    transports: &[Transport::TCP],
    ports: &[5900, 5901, 5902, 5903, 5904, 5905],
    probe_min_bytes: 1,
    probe,
    parser: |_| Box::new(parser::RfbParser::default()),
    datasets: &[record::RfbSession::DATASET],
};

/// Both sides begin with the version, so nothing tells which of them called.
fn probe(_direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match parser::version(bytes) {
        Some(_) => Probe::Yes,
        None if bytes.len() < parser::VERSION_BYTES
            && (b"RFB 00".starts_with(bytes) || bytes.starts_with(b"RFB 00")) =>
        {
            Probe::More
        }
        None => Probe::No,
    }
}
