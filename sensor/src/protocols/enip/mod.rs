//! EtherNet/IP with CIP (ODVA), the protocol of Rockwell's and other controllers: one event a request with its answer.
//!
//! Comes in: both directions of a TCP stream, or datagrams. Goes out: one [`record`] when a request is answered, when too
//! many wait, or when the flow ends. Of each direction one unfinished message is kept, at most 64 KiB by the format.

mod cip;
mod inspection;
mod message;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "enip",
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[44818],
    probe_min_bytes: message::HEADER_BYTES,
    probe,
    parser: |transport| Box::new(parser::EnipParser::new(transport)),
    datasets: &[record::EnipRequest::DATASET],
};

/// The head has a known command, a length that fits, a known status and no options.
fn probe(_direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    match message::Header::read(bytes) {
        Some(header) if header.is_session() || (on_port && header.command != 0) => Probe::Yes,
        _ => Probe::No,
    }
}
