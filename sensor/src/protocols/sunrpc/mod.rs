//! Remote procedure calls of Sun's kind (ONC RPC, RFC 5531) over TCP and UDP: one event a call with its answer.
//!
//! Comes in: a TCP stream of records, or datagrams. Goes out: one [`record`] when the answer comes, when the flow ends
//! without one, or when more than [`parser::MAX_OPEN`] wait. Of a message at most [`message::MAX_MESSAGE_BYTES`] are kept.
//! The port mapper (RFC 1833) and mounts (RFC 1813 appendix I) are read; calls of the file system have a folder and a
//! dataset of their own.

pub(super) mod message;
pub(super) mod parser;
mod portmap;
pub mod record;

use luytre_events::Transport;

// Calls of the file system are read there.
use super::{Direction, Probe, Protocol, nfs};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "sunrpc",
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[111],
    probe_min_bytes: 24,
    probe: |direction, bytes, on_port| probe(direction, bytes, on_port, |program| program != nfs::PROGRAM),
    parser: |transport| Box::new(parser::RpcParser::new(transport)),
    datasets: &[record::RpcCall::DATASET],
};

/// A call names the version of the calls, a program that people know, and who asks. An answer says little: it counts only
/// on the port.
pub(super) fn probe(direction: Direction, bytes: &[u8], on_port: bool, wanted: fn(u32) -> bool) -> Probe {
    let speaker = match message::begins(bytes) {
        Some(message::Beginning::Call(program)) if wanted(program) => Direction::ToServer,
        Some(message::Beginning::Answer) if on_port => Direction::ToClient,
        _ => return Probe::No,
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
