//! IKE versions 1 and 2 (RFC 2408, RFC 2409, RFC 7296): how two sites agree on the keys of an IPsec tunnel.
//!
//! Comes in: datagrams, also those of a tunnel that goes through address translation (RFC 3948), where packets of the
//! tunnel itself are passed over. Goes out: one [`record`] a message, joined by the two SPIs and `ike.message_id`;
//! nothing is remembered between messages. Of a proposal at most [`payloads::MAX_ITEMS`] transforms are told.

mod names;
mod parser;
mod payloads;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "ike",
    transports: &[Transport::UDP],
    ports: &[500, 4500],
    probe_min_bytes: parser::HEADER_BYTES,
    probe,
    parser: |_| Box::new(parser::IkeParser),
    datasets: &[record::IkeMessage::DATASET],
};

/// A header with a version, a kind of exchange and a length that fit.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let Some((header, _)) = parser::find(bytes) else { return Probe::No };
    match (header.is_first(), header.says_responder(), direction) {
        (true, _, Direction::ToClient) | (false, true, Direction::ToServer) => Probe::YesReversed,
        _ => Probe::Yes,
    }
}
