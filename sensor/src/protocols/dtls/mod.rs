//! TLS over datagrams (RFC 6347, RFC 9147): one event a handshake, in the dataset of TLS.
//!
//! Comes in: both directions of a UDP flow. Goes out: one event when the handshake is over on both sides, when an alert ends
//! it, or when the flow ends before that. Pieces of a message are put together in any order: of a side at most
//! [`parser::MAX_MESSAGES`] messages and [`parser::MAX_PIECES_BYTES`] wait; more is counted and passed over.

mod parser;

use luytre_events::Transport;

// Hellos, certificates and fingerprints are those of streams.
use super::{Direction, Probe, Protocol, tls};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "dtls",
    transports: &[Transport::UDP],
    ports: &[4433, 5684, 2055],
    probe_min_bytes: 14,
    probe,
    parser: |_| Box::new(parser::DtlsParser::default()),
    datasets: &[tls::record::TlsHandshake::DATASET],
};

/// A record of the first epoch with a message of a handshake that is no longer than the record.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let [22, 0xfe, 0xff | 0xfd, 0, 0, 0, _, _, _, _, _, high, low, kind, rest @ ..] = bytes else { return Probe::No };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let whole = rest.len() + 1 >= length && length >= 12;
    // Where its piece begins and how long that is must fit the record.
    let fits = match *rest {
        [0, a, b, _, _, 0, d, e, 0, f, g, ..] => {
            let place = u32::from_be_bytes([0, 0, d, e]) + u32::from_be_bytes([0, 0, f, g]);
            place <= u32::from_be_bytes([0, 0, a, b]) && u32::from_be_bytes([0, 0, f, g]) + 12 <= length as u32
        }
        _ => false,
    };
    let speaker = match kind {
        1 => Direction::ToServer,
        2 | 3 => Direction::ToClient,
        _ => return Probe::No,
    };
    match whole && fits {
        true if speaker == direction => Probe::Yes,
        true => Probe::YesReversed,
        false => Probe::No,
    }
}
