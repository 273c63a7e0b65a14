//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): one event a request to the proxy, and what goes through it.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when the proxy has answered, or when the flow ends
//! before that; behind a granted request the other protocols are looked for. Passwords are noted as present and never
//! kept. All messages are short by their format; nothing else is kept.

mod message;
mod parser;
pub mod record;

use luytre_events::Transport;
pub use parser::SocksParser;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "socks",
    transports: &[Transport::TCP],
    ports: &[1080, 1081, 9050, 9150],
    probe_min_bytes: 2,
    probe,
    parser: |_| Box::new(SocksParser::default()),
    datasets: &[record::SocksRequest::DATASET],
};

/// The greeting of version 5 is three bytes or a few more and says little: away from the usual ports it must be all that
/// was sent, with methods that are in use. The request of version 4 must be whole.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let found = match bytes {
        [5, count, methods @ ..] if *count > 0 => {
            let usual = methods.iter().all(|method| matches!(method, 0..=3 | 5..=9 | 0x80..=0x86));
            match methods.len().cmp(&usize::from(*count)) {
                std::cmp::Ordering::Equal => {
                    usual && (on_port || *count <= 4) && methods.windows(2).all(|pair| pair.first() != pair.last())
                }
                std::cmp::Ordering::Less if on_port && usual => return Probe::More,
                _ => false,
            }
        }
        [4, 1 | 2, ..] => match message::request4(bytes) {
            Ok(request) => message::plausible4(&request, on_port),
            Err(_) if bytes.len() < 300 && bytes.len() < 9 => return Probe::More,
            Err(_) => false,
        },
        _ => false,
    };
    // What a server says is too short to know it by.
    if found && direction == Direction::ToServer { Probe::Yes } else { Probe::No }
}
