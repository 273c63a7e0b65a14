//! Telnet (RFC 854): one event a connection, with what was negotiated and how the log-in went.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when somebody has logged in, or when the flow ends
//! before that. Who logs in is read from what the client types after the server's prompts; passwords are noted as
//! present and never kept. Bounds: the text of a line, of the greeting and of a suboption; a connection in which nobody
//! logs in is given up after [`parser::MAX_BYTES`].

mod login;
mod options;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "telnet",
    transports: &[Transport::TCP],
    ports: &[23, 2323],
    probe_min_bytes: 1,
    probe,
    parser: |_| Box::new(parser::TelnetParser::default()),
    datasets: &[record::TelnetSession::DATASET],
};

/// Options that are in use (the registry of telnet options goes to 49, and a few beyond).
const LAST_OPTION: u8 = 49;

/// A side begins with negotiation, or, on the port of this protocol, with a prompt.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    match bytes {
        [0xff, 0xfb..=0xfe, option, ..] if *option <= LAST_OPTION || *option == 0xff => match bytes.get(3) {
            // Two in a row are no accident; one alone is enough on the port.
            Some(0xff) => Probe::Yes,
            _ if on_port => Probe::Yes,
            Some(_) => Probe::No,
            None => Probe::More,
        },
        [0xff] | [0xff, 0xfb..=0xfe] => Probe::More,
        [0xff, ..] => Probe::No,
        _ if !on_port || bytes.contains(&0) => Probe::No,
        _ => {
            let prompt = direction == Direction::ToClient && login::asks(&String::from_utf8_lossy(bytes)).is_some();
            if prompt { Probe::Yes } else { Probe::More }
        }
    }
}
