//! SMTP (RFC 5321) with its extensions: one event a mail transaction, one a message, a file for each attachment.
//!
//! Comes in: both directions of a TCP stream. Goes out: a [`record`] when a message was accepted or refused, when a
//! transaction is given up, and for a session without any when it ends; what messages say goes out as they end
//! (`email`). After STARTTLS the rest goes to the parser of TLS. Bounds: commands that wait for a reply, recipients, what
//! is kept of a line.

mod inspection;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::internet_message::record::EmailMessage;
use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "smtp",
    transports: &[Transport::TCP],
    ports: &[25, 587, 465, 2525],
    probe_min_bytes: 4,
    probe,
    parser: |_| Box::new(parser::SmtpParser::default()),
    datasets: &[record::SmtpTransaction::DATASET, EmailMessage::DATASET],
};

/// How far the first line is looked into.
const MAX_PROBE_LINE_BYTES: usize = 512;

/// A server greets with 220 and says what it is (on its own port that is enough); a client says hello.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let whole = bytes.iter().position(|b| *b == b'\n');
    let line = bytes.get(..whole.unwrap_or(bytes.len()).min(MAX_PROBE_LINE_BYTES)).unwrap_or(bytes);
    let upper = line.to_ascii_uppercase();
    for hello in [&b"EHLO "[..], b"HELO ", b"LHLO "] {
        if upper.starts_with(hello) {
            return sided(direction, Direction::ToServer);
        }
        if hello.starts_with(&upper) {
            return Probe::More;
        }
        if on_port && upper.trim_ascii_end() == hello.trim_ascii_end() {
            return sided(direction, Direction::ToServer);
        }
    }
    if !(upper.starts_with(b"220 ") || upper.starts_with(b"220-")) {
        // A server that refuses, or clients that do not greet.
        let refuses = [&b"421 "[..], b"554 ", b"554-"].iter().any(|code| upper.starts_with(code));
        let speaks = upper.starts_with(b"MAIL FROM:") || upper.trim_ascii_end() == b"STARTTLS";
        return match (on_port, refuses, speaks) {
            (true, true, _) => sided(direction, Direction::ToClient),
            (true, _, true) => sided(direction, Direction::ToServer),
            _ => Probe::No,
        };
    }
    let says = [&b"SMTP"[..], b"POSTFIX", b"SENDMAIL", b"EXIM"];
    if on_port || says.iter().any(|name| upper.windows(name.len()).any(|window| window == *name)) {
        return sided(direction, Direction::ToClient);
    }
    if whole.is_none() && bytes.len() < MAX_PROBE_LINE_BYTES { Probe::More } else { Probe::No }
}

fn sided(direction: Direction, speaker: Direction) -> Probe {
    if direction == speaker { Probe::Yes } else { Probe::YesReversed }
}
