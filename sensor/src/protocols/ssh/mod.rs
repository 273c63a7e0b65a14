//! SSH (RFC 4253): one event a connection, with what can be read before encryption and guessed after it.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when the client is seen to be logged in, when
//! there is nothing more to learn, or when the flow ends. In the clear stand the programs' names, the algorithms that
//! each offers (told whole and as HASSH fingerprints) and the server's key; behind that only sizes speak, see
//! [`shapes`]. Of each direction at most one unfinished packet is kept; larger ones are given up with an anomaly.

mod inspection;
mod kex;
mod parser;
pub mod record;
mod shapes;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "ssh",
    transports: &[Transport::TCP],
    ports: &[22, 2222],
    probe_min_bytes: 1,
    probe,
    parser: |_| Box::new(parser::SshParser::default()),
    datasets: &[record::SshConnection::DATASET],
};

/// Both sides begin with the same words, so nothing tells which of them called.
fn probe(_direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match bytes {
        [b'S', b'S', b'H', b'-', major, ..] => {
            if matches!(major, b'1' | b'2') {
                Probe::Yes
            } else {
                Probe::No
            }
        }
        _ if b"SSH-".starts_with(bytes) => Probe::More,
        _ => Probe::No,
    }
}
