//! IMAP (RFC 9051, RFC 3501): one event a command, one a message, a file for each attachment.
//!
//! Comes in: both directions of a TCP stream. Goes out: a [`record`] for the greeting and when a command was answered;
//! what messages say, fetched or stored, goes out as they end (`email`). After STARTTLS the rest goes to the parser of
//! TLS; with COMPRESS nothing more can be read. Bounds: commands that wait for an answer, what is kept of a line.

mod parser;
pub mod record;

use luytre_events::Transport;

use super::internet_message::record::EmailMessage;
use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "imap",
    transports: &[Transport::TCP],
    ports: &[143, 993],
    probe_min_bytes: 5,
    probe,
    parser: |_| Box::new(parser::ImapParser::default()),
    datasets: &[record::ImapCommand::DATASET, EmailMessage::DATASET],
};

/// Commands that a client begins with.
const FIRST: [&[u8]; 7] = [b"CAPABILITY", b"LOGIN", b"AUTHENTICATE", b"STARTTLS", b"ID", b"NOOP", b"LOGOUT"];

/// A server greets with a star; a client begins with a tag and a command.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let upper = bytes.get(..64.min(bytes.len())).unwrap_or(bytes).to_ascii_uppercase();
    let greets = [&b"* OK"[..], b"* PREAUTH", b"* BYE"].iter().any(|greeting| upper.starts_with(greeting));
    let names = upper.windows(4).any(|window| window == b"IMAP");
    if greets && (on_port || names || upper.starts_with(b"* OK [CAPABILITY") || upper.starts_with(b"* PREAUTH")) {
        return if direction == Direction::ToClient { Probe::Yes } else { Probe::YesReversed };
    }
    let mut words = upper.split(|b| matches!(b, b' ' | b'\r' | b'\n'));
    let (tag, command) = (words.next().unwrap_or(&[]), words.next());
    let tagged = (1..=16).contains(&tag.len())
        && tag.iter().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(b))
        && (tag.iter().any(u8::is_ascii_digit) || on_port);
    match command {
        Some(command) if tagged && words.next().is_some() && FIRST.contains(&command) => {
            if direction == Direction::ToServer { Probe::Yes } else { Probe::YesReversed }
        }
        Some(command) if tagged && FIRST.iter().any(|first| first.starts_with(command)) && bytes.len() < 64 => {
            Probe::More
        }
        None if tagged && bytes.len() <= 16 && on_port => Probe::More,
        _ => Probe::No,
    }
}
