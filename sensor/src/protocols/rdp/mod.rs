//! RDP (MS-RDPBCGR): one event a connection up to where it is encrypted.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when the server has answered and TLS begins, when
//! the client has introduced itself in the clear (old servers), or when the flow ends before that. TLS is followed
//! inside. Of each direction at most one message is kept; longer ones are given up with an anomaly.

mod client;
mod names;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "rdp",
    transports: &[Transport::TCP],
    ports: &[3389],
    probe_min_bytes: 11,
    probe,
    parser: |_| Box::new(parser::RdpParser::default()),
    datasets: &[record::RdpConnection::DATASET],
};

/// The first message is a connection request of X.224 in a packet of TPKT, as in other protocols; what follows its fixed
/// part is RDP's own: a cookie, a request to negotiate, or, on its port, nothing. The answer is alike.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let [3, 0, _, _, length, kind, _, _, _, _, _, variable @ ..] = bytes else {
        return if bytes.len() < 11 && b"\x03\0".starts_with(bytes.get(..2).unwrap_or(bytes)) {
            Probe::More
        } else {
            Probe::No
        };
    };
    let speaker = match kind & 0xf0 {
        0xe0 => Direction::ToServer,
        0xd0 => Direction::ToClient,
        _ => return Probe::No,
    };
    let own = match variable {
        [] => *length == 6 && on_port,
        [b'C', b'o', b'o', b'k', b'i', b'e', ..] => true,
        [1, _, 8, 0, ..] => speaker == Direction::ToServer,
        [2 | 3, _, 8, 0, ..] => speaker == Direction::ToClient,
        _ if b"Cookie".starts_with(variable) || variable.len() < 4 => return Probe::More,
        _ => on_port && variable.iter().take(4).all(u8::is_ascii_graphic),
    };
    match (own, speaker == direction) {
        (false, _) => Probe::No,
        (true, true) => Probe::Yes,
        (true, false) => Probe::YesReversed,
    }
}
