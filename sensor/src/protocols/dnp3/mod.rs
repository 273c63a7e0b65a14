//! DNP3 (IEEE 1815): one event a message of the application layer.
//!
//! Comes in: both directions of a TCP stream, or datagrams. Goes out: one [`record`] a whole message. The link layer's
//! frames are checked by their sums and put together; what does not begin a frame is passed over and counted. Of each
//! direction one unfinished frame and one unfinished message are kept, both bounded.

mod frame;
mod names;
mod objects;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "dnp3",
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[20000],
    probe_min_bytes: 10,
    probe,
    parser: |_| Box::new(parser::Dnp3Parser::default()),
    datasets: &[record::Dnp3Message::DATASET],
};

/// The header of a frame carries a sum of its own. The station that asks is the client, whoever opened the connection.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    if bytes.len() < frame::HEADER_BYTES {
        return if b"\x05\x64".starts_with(bytes.get(..2).unwrap_or(bytes)) { Probe::More } else { Probe::No };
    }
    match (frame::Header::read(bytes), direction) {
        (None, _) => Probe::No,
        (Some(header), Direction::ToServer) if header.from_master => Probe::Yes,
        (Some(header), Direction::ToClient) if !header.from_master => Probe::Yes,
        (Some(_), _) => Probe::YesReversed,
    }
}
