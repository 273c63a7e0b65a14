//! RTSP (RFC 2326, RFC 7826), by which cameras and players agree on a stream: one event a request, with its response.
//!
//! Comes in: a TCP stream of messages, between which the stream itself may travel. Goes out: one [`record`] when the
//! response comes, when the flow ends without one, or when more than [`parser::MAX_OPEN`] wait; one at the end that counts
//! the stream's bytes. Of a head at most [`pieces::MAX_HEAD_BYTES`] are kept, of a body [`pieces::MAX_BODY_BYTES`]. Passwords
//! are noticed, never kept.

mod message;
mod parser;
mod pieces;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "rtsp",
    transports: &[Transport::TCP],
    ports: &[554, 8554],
    probe_min_bytes: 8,
    probe,
    parser: |_| Box::new(parser::RtspParser::default()),
    datasets: &[record::RtspRequest::DATASET],
};

/// A first line that ends with the protocol's version, or begins with it.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let speaker = match message::begins(bytes) {
        Some(message::First::Request) => Direction::ToServer,
        Some(message::First::Response) => Direction::ToClient,
        None if message::may_begin(bytes) => return Probe::More,
        None => return Probe::No,
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
