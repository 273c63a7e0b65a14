//! PostgreSQL (frontend and backend protocol 3): one event a log-in and a statement, with its result.
//!
//! Comes in: a TCP stream. Goes out: one [`record`] when a request is answered, when the flow ends before that, or when
//! more than [`parser::MAX_OPEN`] wait. Of a message at most [`message::MAX_MESSAGE_BYTES`] are kept; of a session at
//! most [`prepared::MAX_STATEMENTS`] prepared statements. Passwords and values are noticed, never kept. After the server
//! has agreed to TLS, its parser goes on.

mod message;
mod parser;
mod prepared;
pub mod record;

use luytre_events::Transport;

// What begins after the server's yes is told by its own parser.
use super::{Direction, Probe, Protocol, tls};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "postgresql",
    transports: &[Transport::TCP],
    ports: &[5432],
    probe_min_bytes: 8,
    probe,
    parser: |_| Box::new(parser::PostgresqlParser::default()),
    datasets: &[record::PostgresqlRequest::DATASET],
};

/// A client's first message names a version and a user; a server's first one asks for proof or refuses. A connection that
/// was under way is known on its port by messages that fill a piece.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let speaker = if message::begins_session(bytes) {
        Direction::ToServer
    } else if message::begins_answer(bytes) || message::fills_with_answers(bytes) {
        Direction::ToClient
    } else if on_port && (message::fills_with_requests(bytes) || message::begins_oddly(bytes)) {
        Direction::ToServer
    } else {
        return Probe::No;
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
