//! Tabular Data Stream (MS-TDS), which Microsoft SQL Server speaks: one event a log-in and a request, with its result.
//!
//! Comes in: a TCP stream. Goes out: one [`record`] when a response is over, when the flow ends before that, or when more
//! than [`parser::MAX_OPEN`] requests wait. Of a message at most [`parser::MAX_MESSAGE_BYTES`] are kept. Passwords and
//! values are noticed, never kept. TLS, which begins inside the first messages, is told by its own parser.

mod login;
mod packet;
mod parser;
pub mod record;
mod request;
mod response;

use luytre_events::Transport;

// The handshake inside the first messages is told by its own parser.
use super::{Direction, Probe, Protocol, tls};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "tds",
    transports: &[Transport::TCP],
    ports: &[1433],
    probe_min_bytes: 9,
    probe,
    parser: |_| Box::new(parser::TdsParser::default()),
    datasets: &[record::TdsRequest::DATASET],
};

/// A client says its version or logs in, a server answers that; a connection that was under way is known on its port by
/// packets that fill a piece.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let speaker = match packet::begins_session(bytes) {
        Some(speaker) => speaker,
        None if on_port => match packet::fills(bytes) {
            Some(speaker) => speaker,
            None => return Probe::No,
        },
        None => return Probe::No,
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
