//! Modbus over TCP: one event a request with its response.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when the response has come, when too many requests
//! wait, or when the flow ends. Of each direction one unfinished message is kept, at most 260 bytes by the format.

mod function;
mod names;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "modbus",
    transports: &[Transport::TCP],
    ports: &[502],
    probe_min_bytes: 8,
    probe,
    parser: |_| Box::new(parser::ModbusParser::default()),
    datasets: &[record::ModbusTransaction::DATASET],
};

/// The header says little, so the length must be that of the function; away from the port only ordinary requests that
/// come alone will do.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let Some(header) = parser::Header::read(bytes) else { return Probe::No };
    let Some(function) = header.function else { return Probe::No };
    let whole = bytes.len() == header.message_bytes();
    let asks = function::request_bytes(function, bytes.get(parser::HEADER_BYTES..).unwrap_or(&[]));
    let request = asks.is_none_or(|length| length == header.content_bytes);
    match (on_port, direction) {
        (true, Direction::ToServer) if request && names::is_known(function) => Probe::Yes,
        (true, Direction::ToClient) if names::is_known(function & 0x7f) => Probe::Yes,
        (false, Direction::ToServer) if whole && asks.is_some() && request && header.unit != 0 => Probe::Yes,
        _ => Probe::No,
    }
}
