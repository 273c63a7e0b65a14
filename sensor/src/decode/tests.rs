//! Packets in every wrapping, and broken ones.

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;
use crate::capture::LinkType;

/// An IPv4 packet with a UDP datagram.
fn ip(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([192, 0, 2, 1], [198, 51, 100, 2], 64).udp(4000, 53);
    builder.write(&mut packet, payload).unwrap();
    packet
}

fn ipv4_around(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    let builder = PacketBuilder::ipv4([203, 0, 113, 1], [203, 0, 113, 2], 64);
    builder.write(&mut packet, etherparse::IpNumber(protocol), payload).unwrap();
    packet
}

fn udp_around(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ipv4([203, 0, 113, 1], [203, 0, 113, 2], 64).udp(50_000, port).write(&mut packet, payload).unwrap();
    packet
}

fn frame(kind: u16, payload: &[u8]) -> Vec<u8> {
    [[2; 12].as_slice(), &kind.to_be_bytes(), payload].concat()
}

/// Addresses, ports, VLAN, tunnel and payload.
type Seen = (String, (u16, u16), Option<u16>, Option<&'static str>, Vec<u8>);

/// What one packet decodes to, or the reason why not.
fn decode(link: u32, bytes: &[u8]) -> Result<Seen, Stop> {
    let mut decoder = Decoder::default();
    let mut whole = Vec::new();
    let packet = Packet { time_ns: 0, link: LinkType(link), original_length: 0, vlan: None, bytes };
    let decoded = decoder.decode(&packet, &mut whole)?;
    Ok((
        format!("{} {}", decoded.addresses.0, decoded.addresses.1),
        decoded.ports,
        decoded.vlan,
        decoded.tunnel.map(Tunnel::name),
        decoded.payload.to_vec(),
    ))
}

#[test]
fn link_types_lead_to_the_same_packet() {
    let inner = ip(b"hello");
    let cooked = [[0; 14].as_slice(), &[8, 0], &inner].concat();
    let cooked2 = [[8, 0].as_slice(), &[0; 18], &inner].concat();
    let cases = [
        (1, frame(0x0800, &inner)),
        (101, inner.clone()),
        (113, cooked),
        (276, cooked2),
        (0, [[2, 0, 0, 0].as_slice(), &inner].concat()),
        (108, [[0, 0, 0, 2].as_slice(), &inner].concat()),
        (9, [[0xff, 3, 0, 0x21].as_slice(), &inner].concat()),
        (104, [[0x0f, 0, 8, 0].as_slice(), &inner].concat()),
    ];
    for (link, bytes) in cases {
        let (addresses, ports, vlan, tunnel, payload) = decode(link, &bytes).unwrap();
        assert_eq!((addresses.as_str(), ports), ("192.0.2.1 198.51.100.2", (4000, 53)), "link type {link}");
        assert_eq!((vlan, tunnel, payload.as_slice()), (None, None, b"hello".as_slice()));
    }
}

#[test]
fn arp_goes_on_without_a_flow_and_is_counted() {
    let body = [
        &[0, 1, 8, 0, 6, 4, 0, 2][..],
        &[0, 0, 0x5e, 0, 0x53, 1, 192, 0, 2, 1],
        &[0, 0, 0x5e, 0, 0x53, 2, 192, 0, 2, 2],
        // What fills a frame up.
        &[0; 18],
    ]
    .concat();
    let tagged = [&[0x00, 0x2a, 0x08, 0x06][..], &body].concat();
    let expected = arp::ArpPacket {
        operation: 2,
        sender: ([0, 0, 0x5e, 0, 0x53, 1], [192, 0, 2, 1].into()),
        target: ([0, 0, 0x5e, 0, 0x53, 2], [192, 0, 2, 2].into()),
        vlan: Some(42),
    };
    let mut other_network = body.clone();
    other_network[2] = 0x86;
    let cases = [
        (frame(0x8100, &tagged), Stop::Arp(expected)),
        (frame(0x0806, &body[..27]), Stop::Refused(Refusal::BadLink)),
        (frame(0x0806, &other_network), Stop::Refused(Refusal::NotIp)),
    ];
    let mut decoder = Decoder::default();
    for (bytes, outcome) in &cases {
        let packet = Packet { time_ns: 0, link: LinkType(1), original_length: 0, vlan: None, bytes };
        assert_eq!(decoder.decode(&packet, &mut Vec::new()).unwrap_err(), *outcome);
    }
    let counts = decoder.counts();
    assert_eq!((counts.taken, counts.given, counts.refused.iter().sum::<u64>()), (3, 1, 2));
}

#[test]
fn tags_and_labels_are_passed_over() {
    let inner = ip(b"hello");
    let tagged = [[0x00, 0x07, 0x81, 0x00, 0x20, 0x2a, 0x08, 0x00].as_slice(), &inner].concat();
    assert_eq!(decode(1, &frame(0x88a8, &tagged)).unwrap().2, Some(42));
    let labelled = [[0, 1, 0, 64, 0, 2, 1, 64].as_slice(), &inner].concat();
    assert_eq!(decode(1, &frame(0x8847, &labelled)).unwrap().1, (4000, 53));
    let session = [[0x11, 0, 0, 1, 0, 60, 0, 0x21].as_slice(), &inner].concat();
    assert_eq!(decode(1, &frame(0x8864, &session)).unwrap().1, (4000, 53));
    // The first byte of the PPP protocol may be left out.
    let session = [[0x11, 0, 0, 1, 0, 60, 0x21].as_slice(), &inner].concat();
    assert_eq!(decode(1, &frame(0x8864, &session)).unwrap().1, (4000, 53));
}

#[test]
fn tunnels_are_taken_off() {
    let inner = ip(b"hello");
    let inner_frame = frame(0x0800, &inner);
    let cases = [
        ("ipip", ipv4_around(4, &inner)),
        ("gre", ipv4_around(47, &[[0, 0, 8, 0].as_slice(), &inner].concat())),
        ("gre", ipv4_around(47, &[[0x20, 0, 8, 0, 0, 0, 0, 9].as_slice(), &inner].concat())),
        ("gre", ipv4_around(47, &[[0, 0, 0x65, 0x58].as_slice(), &inner_frame].concat())),
        ("erspan", ipv4_around(47, &[[0x10, 0, 0x88, 0xbe].as_slice(), &[0; 4], &[0; 8], &inner_frame].concat())),
        ("vxlan", udp_around(4789, &[[8, 0, 0, 0, 0, 0, 1, 0].as_slice(), &inner_frame].concat())),
        ("geneve", udp_around(6081, &[[0, 0, 0x65, 0x58, 0, 0, 1, 0].as_slice(), &inner_frame].concat())),
    ];
    for (name, bytes) in cases {
        let (addresses, ports, _, tunnel, payload) = decode(101, &bytes).unwrap();
        assert_eq!((addresses.as_str(), ports), ("192.0.2.1 198.51.100.2", (4000, 53)), "{name}");
        assert_eq!((tunnel, payload.as_slice()), (Some(name), b"hello".as_slice()));
    }
}

#[test]
fn something_else_on_a_tunnels_port_is_a_datagram() {
    let (_, ports, _, tunnel, payload) = decode(101, &udp_around(4789, b"plain text here")).unwrap();
    assert_eq!((ports, tunnel, payload.as_slice()), ((50_000, 4789), None, b"plain text here".as_slice()));
}

#[test]
fn nesting_has_an_end() {
    let mut packet = ip(b"deep");
    for _ in 0..NESTING_MAX {
        packet = ipv4_around(4, &packet);
    }
    assert!(decode(101, &packet).is_ok());
    assert_eq!(decode(101, &ipv4_around(4, &packet)), Err(Stop::Refused(Refusal::Nesting)));
}

#[test]
fn fragments_count_as_the_packets_they_came_in() {
    let whole_datagram = ip(&[7; 64]);
    let (header, body) = whole_datagram.split_at(20);
    let fragment = |offset: usize, more: bool, bytes: &[u8]| {
        let mut header = header.to_vec();
        header[2..4].copy_from_slice(&u16::try_from(20 + bytes.len()).unwrap().to_be_bytes());
        let flags = u16::try_from(offset / 8).unwrap() | if more { 0x2000 } else { 0 };
        header[6..8].copy_from_slice(&flags.to_be_bytes());
        [header.as_slice(), bytes].concat()
    };
    let mut decoder = Decoder::default();
    let mut whole = Vec::new();
    let parts = [fragment(40, false, &body[40..]), fragment(0, true, &body[..40])];
    let packet = |bytes| Packet { time_ns: 0, link: LinkType(101), original_length: 0, vlan: None, bytes };
    assert_eq!(decoder.decode(&packet(&parts[0]), &mut whole).unwrap_err(), Stop::Held);
    assert_eq!(decoder.held(), 1);
    let decoded = decoder.decode(&packet(&parts[1]), &mut whole).unwrap();
    assert_eq!((decoded.packets, decoded.payload.len(), decoded.ports), (2, 64, (4000, 53)));
    assert_eq!((decoder.counts().taken, decoder.counts().given, decoder.held()), (2, 2, 0));
}

#[test]
fn refusals_are_named() {
    assert_eq!(decode(1, &frame(0x0806, &[0; 28])), Err(Stop::Refused(Refusal::NotIp)));
    assert_eq!(decode(1, &[0; 5]), Err(Stop::Refused(Refusal::BadLink)));
    assert_eq!(decode(101, &[0x45, 0, 0]), Err(Stop::Refused(Refusal::BadIp)));
    assert_eq!(decode(101, &ipv4_around(6, &[1, 2, 3])), Err(Stop::Refused(Refusal::BadTransport)));
    assert_eq!(decode(31_337, &ip(b"x")), Err(Stop::Refused(Refusal::UnknownLink)));
    assert!(Refusal::ALL.iter().enumerate().all(|(place, reason)| *reason as usize == place));
}

proptest! {
    /// Whatever the bytes, decoding ends, and every packet is given, refused or held.
    #[test]
    fn any_bytes_are_accounted_for(
        packets in prop::collection::vec((0u32..300, prop::collection::vec(any::<u8>(), 0..200)), 0..20),
        flips in prop::collection::vec((0usize..100, any::<u8>()), 0..20),
    ) {
        let mut decoder = Decoder::default();
        let mut whole = Vec::new();
        let mut offer = |link: u32, bytes: &[u8]| {
            let packet = Packet { time_ns: 0, link: LinkType(link), original_length: 0, vlan: None, bytes };
            let _ = decoder.decode(&packet, &mut whole);
            let counts = decoder.counts();
            let refused: u64 = counts.refused.iter().sum();
            assert_eq!(counts.taken, counts.given + refused + decoder.held());
        };
        for (link, bytes) in &packets {
            offer(*link, bytes);
            offer(1, &frame(0x0800, bytes));
        }
        let mut sound = frame(0x0800, &udp_around(4789, &[[8, 0, 0, 0, 0, 0, 1, 0].as_slice(), &frame(0x0800, &ip(b"x"))].concat()));
        for (at, value) in flips {
            if let Some(byte) = sound.get_mut(at) {
                *byte ^= value;
            }
            offer(1, &sound);
        }
    }
}

#[test]
fn mobile_user_packets_are_taken_out_of_their_tunnel() {
    let inner = ip(b"hello");
    let tunnelled = |header: &[u8]| decode(101, &udp_around(2152, &[header, inner.as_slice()].concat())).unwrap();
    let length = |more: usize| ((inner.len() + more) as u16).to_be_bytes();
    let plain = [0x30, 255, length(0)[0], length(0)[1], 0, 0, 0, 9];
    let (addresses, ports, _, tunnel, payload) = tunnelled(&plain);
    assert_eq!((addresses.as_str(), ports, tunnel), ("192.0.2.1 198.51.100.2", (4000, 53), Some("gtp")));
    assert_eq!(payload, b"hello");
    // A sequence number and one extension header (PDU session container).
    let extended = [0x36, 255, length(8)[0], length(8)[1], 0, 0, 0, 9, 0, 1, 0, 0x85, 1, 0, 9, 0];
    assert_eq!(tunnelled(&extended).3, Some("gtp"));
    // A message of the tunnel itself (echo request) stays what it is.
    let echo = [0x32, 1, length(4)[0], length(4)[1], 0, 0, 0, 0, 0, 1, 0, 0];
    assert_eq!(tunnelled(&echo).3, None);
}

#[test]
fn wrong_checksums_are_refused_only_where_that_is_asked_for() {
    let outcome = |checksums, changed: Option<usize>| {
        let mut bytes = ip(b"hello");
        if let Some(at) = changed {
            bytes[at] ^= 0x55;
        }
        let packet = Packet { time_ns: 0, link: LinkType(101), original_length: 0, vlan: None, bytes: &bytes };
        let mut whole = Vec::new();
        Decoder::new(FragmentLimits::default(), checksums).decode(&packet, &mut whole).map(|d| d.ports)
    };
    assert_eq!(outcome(Checksums::Verify, None), Ok((4000, 53)));
    // The hop limit in the header, and the last byte of the payload.
    for at in [8, 32] {
        assert_eq!(outcome(Checksums::Ignore, Some(at)), Ok((4000, 53)));
        assert_eq!(outcome(Checksums::Verify, Some(at)), Err(Stop::Refused(Refusal::BadChecksum)));
    }
}
