//! S7comm, the protocol of Siemens' controllers over ISO-on-TCP (RFC 1006): one event a job with its answer.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when a job is answered, when too many wait, or when
//! the flow ends. Its description is not public; what is told follows what free implementations agree on. Of each
//! direction one unfinished packet is kept, at most 64 KiB by the format.

mod items;
mod names;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::reader::Reader;
use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "s7comm",
    transports: &[Transport::TCP],
    ports: &[102],
    probe_min_bytes: 2,
    probe,
    parser: |_| Box::new(parser::S7Parser::default()),
    datasets: &[record::S7Job::DATASET],
};

/// Other protocols connect in the same way, so the first packet with data decides.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let mut r = Reader::new(bytes);
    loop {
        let rest = r.rest();
        if rest.len() < 7 {
            return if b"\x03\0".starts_with(rest.get(..2).unwrap_or(rest)) { Probe::More } else { Probe::No };
        }
        let Some(packet) = parser::packet(&mut r) else {
            return if rest.starts_with(b"\x03\0") { Probe::More } else { Probe::No };
        };
        match *packet {
            // Parameters of a connection: size, and who calls whom.
            [_, 0xe0 | 0xd0, _, _, _, _, _, 0xc0..=0xc2, ..] => {}
            [2, 0xf0, _, items::MARK, kind @ (1..=3 | 7), ..] => {
                // Jobs come from the client.
                let turned = kind == 1 && direction == Direction::ToClient;
                return if turned { Probe::YesReversed } else { Probe::Yes };
            }
            _ => return Probe::No,
        }
    }
}
