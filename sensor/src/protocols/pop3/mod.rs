//! POP3 (RFC 1939) with its extensions: one event a command, one a message, a file for each attachment.
//!
//! Comes in: both directions of a TCP stream. Goes out: a [`record`] for the greeting and when a command was answered;
//! what fetched messages say goes out as they end (`email`). After STLS the rest goes to the parser of TLS. Bounds:
//! commands that wait for an answer, what is kept of a line.

mod parser;
pub mod record;

use luytre_events::Transport;

use super::internet_message::record::EmailMessage;
use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "pop3",
    transports: &[Transport::TCP],
    ports: &[110, 995],
    probe_min_bytes: 3,
    probe,
    parser: |_| Box::new(parser::Pop3Parser::default()),
    datasets: &[record::Pop3Command::DATASET, EmailMessage::DATASET],
};

/// How far the first line is looked into.
const MAX_PROBE_LINE_BYTES: usize = 512;

/// A server greets; on its own port that is enough, elsewhere it must say what it is or give a stamp for APOP.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let speaker = if bytes.starts_with(b"+OK") || bytes.starts_with(b"-ERR") {
        Direction::ToClient
    } else {
        let commands = [&b"CAPA"[..], b"STLS", b"APOP ", b"AUTH", b"USER "];
        let upper = bytes.get(..5.min(bytes.len())).unwrap_or(bytes).to_ascii_uppercase();
        if on_port && commands.iter().any(|command| upper.starts_with(command)) {
            Direction::ToServer
        } else if on_port && (commands.iter().any(|command| command.starts_with(&upper)) || b"-ERR".starts_with(bytes))
        {
            return Probe::More;
        } else {
            return Probe::No;
        }
    };
    let whole = bytes.iter().position(|b| *b == b'\n');
    let line = bytes.get(..whole.unwrap_or(bytes.len()).min(MAX_PROBE_LINE_BYTES)).unwrap_or(bytes);
    let stamp = line
        .iter()
        .position(|b| *b == b'<')
        .and_then(|at| line.get(at..))
        .is_some_and(|rest| rest.contains(&b'@') && rest.contains(&b'>'));
    let says = line.to_ascii_uppercase().windows(3).any(|window| window == b"POP");
    if on_port || stamp || says {
        return if direction == speaker { Probe::Yes } else { Probe::YesReversed };
    }
    if whole.is_none() && bytes.len() < MAX_PROBE_LINE_BYTES { Probe::More } else { Probe::No }
}
