//! DCE RPC ([C706], [MS-RPCE]): one event a bind and one a call, each with its answer.
//!
//! Comes in: a TCP stream, datagrams, or what is written to and read from a named pipe, which another protocol hands
//! over ([`DcerpcParser::pipe`]). Goes out: one [`record`] for each bind, change of context and call, when its answer is
//! complete, when the flow ends without one, or when more than `MAX_OUTSTANDING` wait ([`parser`]). Arguments of calls
//! are not read: only how many bytes they have. Of each fragment `FRAGMENT_BYTES` are kept.

mod inspection;
mod interfaces;
mod parser;
mod pdu;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};
pub use parser::DcerpcParser;

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "dcerpc",
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[135],
    probe_min_bytes: pdu::HEADER_BYTES,
    probe,
    parser: |transport| Box::new(DcerpcParser::new(transport)),
    datasets: &[record::RpcCall::DATASET],
};

/// A fragment begins: of the connection-oriented version, or a whole datagram of the connectionless one.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let from_client = match (pdu::begins(bytes), pdu::datagram(bytes)) {
        (Some(kind), _) => kind.is_request(),
        (None, Some(datagram)) => datagram.is_request(),
        (None, None) => return Probe::No,
    };
    if from_client == (direction == Direction::ToServer) { Probe::Yes } else { Probe::YesReversed }
}

/// Whether these bytes, written to or read from a pipe, begin a fragment.
pub fn is_fragment(bytes: &[u8]) -> bool {
    pdu::begins(bytes).is_some()
}
