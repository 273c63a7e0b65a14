//! TLS (RFC 5246, RFC 8446) and its ancestors: one event a handshake.
//!
//! Comes in: both directions of a TCP stream. Goes out: one [`record`] when the handshake is over on both sides, when
//! an alert ends it, or when the flow ends before that. After the handshake nothing more can be read, so the parser is
//! done. Of each direction only the unfinished handshake message is kept, bounded in [`parser`].

mod certificate;
pub(super) mod fingerprint;
pub(super) mod handshake;
pub(super) mod hello;
mod inspection;
pub(super) mod names;
pub(super) mod parser;
pub mod record;

use luytre_events::Transport;

// Handshakes over datagrams are told here under their own name.
use super::{Direction, Probe, Protocol, dtls};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "tls",
    transports: &[Transport::TCP],
    ports: &[443, 465, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 8443, 21, 25, 110, 143, 587, 4190, 5222],
    probe_min_bytes: 6,
    probe,
    parser: |_| Box::new(parser::TlsParser::default()),
    datasets: &[record::TlsHandshake::DATASET],
};

/// The mail, file and chat protocols that begin as text and turn to TLS when the client asks (STARTTLS, STLS, AUTH TLS;
/// RFC 2595, RFC 3207, RFC 4217) are followed here as far as that moment, on their own ports.
fn preface(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    if let Some(hello) = parser::after_preface(None, bytes).and_then(|at| bytes.get(at..)) {
        return probe(direction, hello, false);
    }
    let text = bytes.iter().all(|b| (b' '..0x7f).contains(b) || matches!(b, b'\r' | b'\n' | b'\t'));
    if on_port && text { Probe::More } else { Probe::No }
}

/// A stream begins with a hello: the client's or the server's, in a TLS record or, for the client's, in the form of
/// SSL 2.0 that old programs use to be understood by everybody.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    let speaker = match *bytes {
        [0x16, 0x03, 0..=4, _, _, 0x01, ..] => Direction::ToServer,
        [0x16, 0x03, 0..=4, _, _, 0x02, ..] => Direction::ToClient,
        [0x16] | [0x16, 0x03] | [0x16, 0x03, 0..=4] | [0x16, 0x03, 0..=4, _] | [0x16, 0x03, 0..=4, _, _] => {
            return Probe::More;
        }
        [high, ..] if high & 0x80 != 0 => match hello::sslv2_client(bytes) {
            Some(_) => Direction::ToServer,
            None => return Probe::No,
        },
        _ => return preface(direction, bytes, on_port),
    };
    if speaker == direction { Probe::Yes } else { Probe::YesReversed }
}
