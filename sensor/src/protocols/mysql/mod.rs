//! MySQL and MariaDB (client and server protocol): one event a log-in and a command, with its result.
//!
//! Comes in: a TCP stream. Goes out: one [`record`] when a command is answered, when the flow ends before that, or when
//! more than [`parser::MAX_OPEN`] wait. Of a packet at most [`packet::MAX_PACKET_BYTES`] are kept; of a session at most
//! [`parser::MAX_STATEMENTS`] prepared statements. Passwords and values are noticed, never kept. When the client turns to
//! TLS, its parser goes on; packed connections are followed as far as the log-in.

mod login;
mod packet;
mod parser;
pub mod record;

use luytre_events::Transport;

// What begins after the client's wish is told by its own parser.
use super::{Direction, Probe, Protocol, tls};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "mysql",
    transports: &[Transport::TCP],
    ports: &[3306],
    probe_min_bytes: 5,
    probe,
    parser: |_| Box::new(parser::MysqlParser::default()),
    datasets: &[record::MysqlCommand::DATASET],
};

/// A server greets with its version or refuses; a client answers with what it can. A connection that was under way is
/// known on its port by a command that fills a piece.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let speaker = match (login::greets(bytes), login::answers(bytes)) {
        (Some(true), _) => Direction::ToClient,
        (_, Some(true)) => Direction::ToServer,
        (None, _) | (_, None) => return Probe::More,
        _ if on_port && packet::is_command(bytes) => Direction::ToServer,
        _ => return Probe::No,
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
