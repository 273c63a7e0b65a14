//! MongoDB (wire protocol): one event a command, with its answer.
//!
//! Comes in: a TCP stream. Goes out: one [`record`] when a command is answered, when the flow ends before that, or when more
//! than [`parser::MAX_OPEN`] wait. Of a message at most [`message::MAX_MESSAGE_BYTES`] are kept. Values are not told, only the
//! names of fields; passwords are noticed, never kept. Packed messages are told as such.

mod bson;
mod message;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "mongodb",
    transports: &[Transport::TCP],
    ports: &[27017, 27018, 27019],
    probe_min_bytes: 21,
    probe,
    parser: |_| Box::new(parser::MongodbParser::default()),
    datasets: &[record::MongodbCommand::DATASET],
};

/// A message's header with a number that is known, and behind it what such a message begins with.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    match message::begins(bytes) {
        Some(speaker) if speaker == direction => Probe::Yes,
        Some(_) => Probe::YesReversed,
        None => Probe::No,
    }
}
