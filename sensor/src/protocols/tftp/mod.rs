//! TFTP (RFC 1350, RFC 2347): one event a request, one a transfer, and the file.
//!
//! Comes in: datagrams. The request goes to a well-known port; the transfer follows between other ports and is announced
//! when the request is seen. Goes out: a [`record::TftpRequest`] at once, a [`record::TftpTransfer`] when the transfer
//! ends or falls silent. Blocks that come again are passed over; one that is missing for good ends the file there.

mod packet;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "tftp",
    transports: &[Transport::UDP],
    ports: &[69],
    probe_min_bytes: 9,
    probe,
    parser: |_| Box::new(parser::TftpParser::default()),
    datasets: &[record::TftpRequest::DATASET, record::TftpTransfer::DATASET],
};

/// A request has a name and one of three modes in fixed places.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match (packet::request(bytes), direction) {
        (Some(_), Direction::ToServer) => Probe::Yes,
        (Some(_), Direction::ToClient) => Probe::YesReversed,
        (None, _) => Probe::No,
    }
}
