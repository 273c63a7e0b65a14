//! Redis (RESP 2 and 3, and commands in plain lines): one event a command, with its reply.
//!
//! Comes in: a TCP stream. Goes out: one [`record`] when a command is answered, when the flow ends before that, or when
//! more than [`parser::MAX_OPEN`] wait. Of a command or reply the first [`resp::MAX_PARTS`] parts are kept, each within
//! [`resp::MAX_PART_BYTES`]. Passwords are noticed, never kept. What a server sends without being asked (messages of
//! subscriptions) is passed over; a connection that becomes one for replication is followed no further.

mod command;
mod parser;
pub mod record;
mod resp;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "redis",
    transports: &[Transport::TCP],
    ports: &[6379, 26379],
    probe_min_bytes: 4,
    probe,
    parser: |_| Box::new(parser::RedisParser::default()),
    datasets: &[record::RedisCommand::DATASET],
};

/// A list of texts with their lengths; on its port also a command in a plain line, or a server's reply.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let speaker = match resp::begins_command(bytes) {
        Some(true) => Direction::ToServer,
        None => return Probe::More,
        Some(false) if !on_port => return Probe::No,
        Some(false) if resp::begins_reply(bytes) => Direction::ToClient,
        Some(false) => match command::begins_line(bytes) {
            Some(true) => Direction::ToServer,
            Some(false) => return Probe::No,
            None => return Probe::More,
        },
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
