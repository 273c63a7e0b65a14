//! QUIC (RFC 9000, RFC 9001, RFC 9369) and its predecessors: one event a connection, from what its first packets show.
//!
//! Comes in: datagrams of one UDP flow. Goes out: one [`record`] when both hellos were read, or when the flow ends before
//! that. The packets that carry the hellos are protected by keys that anybody can make of the connection id on the wire;
//! they are opened here and the hellos read as TLS does. Everything after them is out of reach, so the parser is done.
//! Google's old QUIC is read where its hello is in the clear. Bounds: packets opened, bytes of a hello, pieces of it that
//! wait for those before them.

mod crypto;
mod google;
mod hello;
mod packet;
mod parser;
pub mod record;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "quic",
    transports: &[Transport::UDP],
    ports: &[443, 80, 784, 853, 8443],
    probe_min_bytes: 21,
    probe,
    parser: |_| Box::new(parser::QuicParser::default()),
    datasets: &[record::QuicConnection::DATASET],
};

/// A client's first datagram is at least this long (RFC 9000 section 14.1).
const MIN_INITIAL_BYTES: usize = 1200;
/// Versions that a server may offer in one packet and still be believed.
const MAX_OFFERED: usize = 64;

/// A long header of a version that is known, or of one that only asks which versions there are; a list of versions.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    if google::version(bytes).is_some() {
        return Probe::Yes;
    }
    let Some((header, rest)) = packet::long_header(bytes) else { return Probe::No };
    let sound = header.version == 0 || bytes.first().is_some_and(|first| first & 0x40 != 0);
    if !sound {
        return Probe::No;
    }
    if header.version == 0 {
        let offered = packet::offered(rest);
        let known = offered.iter().any(|version| packet::is_known(*version) || packet::is_probing(*version));
        let fits = rest.len() % 4 == 0 && offered.len() <= MAX_OFFERED;
        return match direction {
            _ if !known || !fits => Probe::No,
            Direction::ToClient => Probe::Yes,
            Direction::ToServer => Probe::YesReversed,
        };
    }
    let probing = packet::is_probing(header.version) && on_port && bytes.len() >= MIN_INITIAL_BYTES;
    if packet::is_known(header.version) || probing { Probe::Yes } else { Probe::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_a_first_packet_is_recognised() {
        let mut initial = vec![0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x9e];
        initial.resize(1200, 0);
        assert_eq!(probe(Direction::ToServer, &initial, false), Probe::Yes);
        initial[1..5].copy_from_slice(&[0x1a, 0x2a, 0x3a, 0x4a]);
        assert_eq!(probe(Direction::ToServer, &initial, false), Probe::No);
        assert_eq!(probe(Direction::ToServer, &initial, true), Probe::Yes);
        initial[1..5].copy_from_slice(&[0x12, 0x34, 0x56, 0x78]);
        assert_eq!(probe(Direction::ToServer, &initial, true), Probe::No);
        // A query of DNSCrypt whose first byte looks like a long header.
        assert_eq!(probe(Direction::ToServer, &[0xc3; 512], true), Probe::No);
    }
}
