//! Filters against a plain reading of what was put into each packet, and texts that are no filters.

use std::net::IpAddr;

use etherparse::{EtherType, PacketBuilder};
use proptest::prelude::*;

use super::*;

/// What a packet is made of.
#[derive(Debug, Clone)]
struct Made {
    tags: Vec<u16>,
    source: IpAddr,
    destination: IpAddr,
    udp: bool,
    ports: (u16, u16),
    payload: usize,
    /// It is a later fragment: its ports are elsewhere.
    later: bool,
}

impl Made {
    fn ip(&self) -> Vec<u8> {
        let builder = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                PacketBuilder::ipv4(source.octets(), destination.octets(), 9)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                PacketBuilder::ipv6(source.octets(), destination.octets(), 9)
            }
            _ => unreachable!("one family"),
        };
        let (payload, mut bytes) = (vec![7; self.payload], Vec::new());
        if self.udp {
            builder.udp(self.ports.0, self.ports.1).write(&mut bytes, &payload).unwrap();
        } else {
            builder.tcp(self.ports.0, self.ports.1, 1, 1).syn().write(&mut bytes, &payload).unwrap();
        }
        if self.later && self.source.is_ipv4() {
            bytes[7] = 20;
        } else if self.later {
            let header = [bytes[6], 0, 0, 160, 0, 0, 0, 1];
            bytes[6] = 44;
            bytes.splice(40..40, header);
        }
        bytes
    }

    fn frame(&self) -> Vec<u8> {
        let mut bytes = vec![2; 6];
        bytes.extend([4; 6]);
        for tag in &self.tags {
            bytes.extend(0x8100u16.to_be_bytes());
            bytes.extend((tag | 0xa000).to_be_bytes());
        }
        let kind = if self.source.is_ipv4() { EtherType::IPV4 } else { EtherType::IPV6 };
        bytes.extend(kind.0.to_be_bytes());
        bytes.extend(self.ip());
        bytes
    }
}

/// A question in words, and what a plain reading answers.
#[derive(Debug, Clone)]
enum Ask {
    Host(&'static str, IpAddr),
    Port(&'static str, &'static str, u16),
    Family(bool),
    Udp(bool),
    Vlan(u16),
    AnyVlan,
}

#[derive(Debug, Clone)]
enum Tree {
    Ask(Ask),
    Not(Box<Tree>),
    Both(bool, Box<Tree>, Box<Tree>),
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Tree::Not(inner) => format!("not {}", inner.text()),
            Tree::Both(and, left, right) => {
                format!("({} {} {})", left.text(), if *and { "and" } else { "||" }, right.text())
            }
            Tree::Ask(Ask::Host(ends, address)) => format!("{ends} host {address}"),
            Tree::Ask(Ask::Port(over, ends, port)) => format!("{over} {ends} port {port}"),
            Tree::Ask(Ask::Family(four)) => if *four { "ip" } else { "ip6" }.to_owned(),
            Tree::Ask(Ask::Udp(udp)) => if *udp { "udp" } else { "tcp" }.to_owned(),
            Tree::Ask(Ask::Vlan(id)) => format!("vlan {id}"),
            Tree::Ask(Ask::AnyVlan) => "vlan".to_owned(),
        }
    }

    fn answer(&self, made: &Made) -> bool {
        fn ends<T: PartialEq>(ends: &str, wanted: &T, of: (&T, &T)) -> bool {
            let (source, destination) = (of.0 == wanted, of.1 == wanted);
            match ends {
                "src" => source,
                "dst" => destination,
                "src and dst" => source && destination,
                _ => source || destination,
            }
        }
        match self {
            Tree::Not(inner) => !inner.answer(made),
            Tree::Both(true, left, right) => left.answer(made) && right.answer(made),
            Tree::Both(false, left, right) => left.answer(made) || right.answer(made),
            Tree::Ask(Ask::Host(which, address)) => ends(which, address, (&made.source, &made.destination)),
            Tree::Ask(Ask::Port(over, which, port)) => {
                let over = match *over {
                    "udp" => made.udp,
                    "tcp" => !made.udp,
                    _ => true,
                };
                over && !made.later && ends(which, port, (&made.ports.0, &made.ports.1))
            }
            Tree::Ask(Ask::Family(four)) => made.source.is_ipv4() == *four,
            Tree::Ask(Ask::Udp(udp)) => made.udp == *udp,
            Tree::Ask(Ask::Vlan(id)) => made.tags.iter().take(2).any(|tag| tag == id),
            Tree::Ask(Ask::AnyVlan) => !made.tags.is_empty(),
        }
    }
}

fn address(four: bool, last: u8) -> IpAddr {
    if four { IpAddr::from([192, 0, 2, last]) } else { format!("2001:db8::{last}").parse().unwrap() }
}

fn made() -> impl Strategy<Value = Made> {
    let tags = proptest::collection::vec(1..4u16, 0..3);
    let ports = (50..53u16, 50..53u16);
    (tags, any::<bool>(), (1..4u8, 1..4u8), any::<bool>(), ports, 0..40usize, 0..8).prop_map(
        |(tags, four, (source, destination), udp, ports, payload, later)| {
            let (source, destination) = (address(four, source), address(four, destination));
            Made { tags, source, destination, udp, ports, payload, later: later == 0 }
        },
    )
}

fn tree() -> impl Strategy<Value = Tree> {
    let ends = || prop_oneof![Just(""), Just("src"), Just("dst"), Just("src or dst"), Just("src and dst")];
    let over = prop_oneof![Just(""), Just("tcp"), Just("udp")];
    let ask = prop_oneof![
        3 => (ends(), any::<bool>(), 1..4u8).prop_map(|(ends, four, last)| Ask::Host(ends, address(four, last))),
        3 => (over, ends(), 50..53u16).prop_map(|(over, ends, port)| Ask::Port(over, ends, port)),
        1 => any::<bool>().prop_map(Ask::Family),
        1 => any::<bool>().prop_map(Ask::Udp),
        1 => (1..4u16).prop_map(Ask::Vlan),
        1 => Just(Ask::AnyVlan),
    ];
    ask.prop_map(Tree::Ask).prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
            (any::<bool>(), inner.clone(), inner).prop_map(|(and, l, r)| Tree::Both(and, Box::new(l), Box::new(r))),
        ]
    })
}

fn packet(link: u32, vlan: Option<u16>, bytes: &[u8]) -> Packet<'_> {
    Packet { time_ns: 0, link: LinkType(link), original_length: bytes.len() as u32, vlan, bytes }
}

fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_program_answers_like_a_plain_reading(tree in tree(), made in proptest::collection::vec(made(), 1..12)) {
        let filter = filter(&tree.text());
        for made in &made {
            let frame = made.frame();
            prop_assert_eq!(filter.passes(&packet(1, None, &frame)), tree.answer(made), "{} {:?}", filter.text(), made);
            // The same packet after the card has taken the outer tag out.
            if let Some(outer) = made.tags.first() {
                let bare = [&frame[..12], &frame[16..]].concat();
                let answer = filter.passes(&packet(1, Some(*outer), &bare));
                prop_assert_eq!(answer, tree.answer(made), "{} {:?}", filter.text(), made);
            }
            let bare = Made { tags: Vec::new(), ..made.clone() };
            prop_assert_eq!(filter.passes(&packet(101, None, &bare.ip())), tree.answer(&bare));
            // The headers of Linux's cooked captures and of BSD's loopback, in front of the same.
            let kind: &[u8] = if made.source.is_ipv4() { &[8, 0] } else { &[0x86, 0xdd] };
            let fronts = [(113, [&[0; 14], kind].concat()), (276, [kind, &[0; 18]].concat()), (0, vec![2, 0, 0, 0])];
            for (link, front) in fronts {
                let frame = [front, bare.ip()].concat();
                prop_assert_eq!(filter.passes(&packet(link, None, &frame)), tree.answer(&bare), "{}", link);
            }
        }
    }

    #[test]
    fn no_text_and_no_packet_breaks_anything(text in "[a-z0-9 .:/()\\[\\]&|!<>=-]{0,60}", bytes: Vec<u8>, tree in tree()) {
        let _ = Filter::parse(&text);
        let filter = filter(&tree.text());
        for link in [0, 1, 101, 113, 276, 999] {
            let _ = filter.passes(&packet(link, None, &bytes));
        }
    }
}

#[test]
fn a_cut_packet_answers_no_to_what_it_cannot_tell() {
    let source = address(true, 1);
    let made = Made { tags: vec![], source, destination: source, udp: true, ports: (53, 53), payload: 0, later: false };
    let frame = made.frame();
    for length in 0..frame.len() {
        let cut = packet(1, None, &frame[..length]);
        assert_eq!(filter("not port 53").passes(&cut), length < 14 + 20 + 4, "{length}");
        assert_eq!(filter("not host 192.0.2.1").passes(&cut), length < 14 + 20, "{length}");
    }
}

#[test]
fn the_language_is_that_of_tcpdump() {
    let (source, destination) = (address(true, 1), address(true, 2));
    let made = Made { tags: vec![], source, destination, udp: false, ports: (443, 50_000), payload: 60, later: false };
    let frame = made.frame();
    let mut arp = [[2u8; 6], [4; 6]].concat();
    arp.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 4, 4, 4, 4, 4, 4, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 9]);
    for (text, tcp, request) in [
        ("port 80 or 443", true, false),
        ("port 443 or 80", true, false),
        ("tcp src port 80 or 443", true, false),
        ("host 192.0.2.9 or 192.0.2.1", true, true),
        ("192.0.2.2", true, false),
        ("dst net 192.0.2.0/24 and not arp", true, false),
        ("net 192.0 && ip", true, false),
        ("net 192.0.2.0 mask 255.255.255.0", true, true),
        ("arp host 192.0.2.9", false, true),
        ("ip host 192.0.2.1", true, false),
        ("src 192.0.2.1", true, true),
        ("portrange 440-450", true, false),
        ("udp portrange 440-450", false, false),
        ("tcp[13] & 2 != 0", true, false),
        ("tcp[tcpflags] & (tcp-ack) != 0", false, false),
        ("tcp[0:2] = 443", true, false),
        ("ip[8] < 10", true, false),
        ("ether[12:2] == 0x0806", false, true),
        ("ether proto 0x0800", true, false),
        ("ether src 04:04:04:04:04:04", true, true),
        ("ether dst 04:04:04:04:04:04", false, false),
        ("ip proto 6", true, false),
        ("proto tcp", true, false),
        ("less 42", false, true),
        ("greater 100 or arp", true, true),
        ("len > 42", true, false),
        ("broadcast or multicast", false, false),
        // And and or bind equally, from left to right.
        ("tcp or arp and host 192.0.2.9", false, true),
        ("! (icmp or icmp6) and !vlan", true, true),
    ] {
        let filter = filter(text);
        let answers = [&frame, &arp].map(|bytes| filter.passes(&packet(1, None, bytes)));
        assert_eq!(answers, [tcp, request], "{text}");
    }
}

#[test]
fn what_is_no_filter_is_told_with_its_place() {
    for (text, column, reason) in [
        ("tcp prot 80", 5, "expected `and`, `or`, or the end, not `prot`"),
        ("port http", 6, "expected a port by number, not `http`"),
        ("host web.example", 6, "expected an address"),
        ("port 80 and", 12, "not the end"),
        ("(tcp", 5, "expected `)`, not the end"),
        ("net 192.0.2.1/24", 5, "expected a network such as 192.0.2.0/24"),
        ("ip6 host 192.0.2.1", 10, "the other IP version"),
        ("port 65536", 6, "expected a port by number"),
        ("portrange 9-3", 11, "expected two ports"),
        ("tcp host 192.0.2.1", 10, "expected `port`"),
        ("tcp; drop", 4, "means nothing here"),
        ("tcp[0:3] = 1", 7, "1, 2 or 4 bytes"),
        ("tiếng", 3, "means nothing here"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().contains(reason), "{text}: {error}");
    }
    assert_eq!(Filter::parse("  "), Ok(None));
}

#[test]
fn filters_have_limits() {
    assert!(Filter::parse(&"(".repeat(100)).unwrap_err().reason.contains("nested too deeply"));
    assert!(Filter::parse(&"tcp or ".repeat(600)).unwrap_err().reason.contains("longer than"));
    let many: Vec<String> = (0..300).map(|port| format!("port {port}")).collect();
    assert!(Filter::parse(&many.join(" or ")).unwrap_err().reason.contains("too many questions"));
    let long: Vec<String> = (0..120).map(|n| format!("host 2001:db8::{n:x}")).collect();
    assert!(Filter::parse(&long.join(" or ")).unwrap_err().reason.contains("instructions"));
}
