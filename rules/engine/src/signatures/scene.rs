//! What is known of the moment in which rules are asked.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::OnceLock;

use super::language::{Arrow, Comparison, Header};
use super::rule::{FlagsHow, FlowTest, IpOption, PacketTest, Rule, StreamSide};

/// The moment.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'s> {
    /// Time of the packet, nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// Number of the flow.
    pub flow: u64,
    /// Protocol number above IP.
    pub transport: u8,
    /// Who sends.
    pub source: (IpAddr, u16),
    /// Who receives.
    pub destination: (IpAddr, u16),
    /// The client sends.
    pub to_server: bool,
    /// Both sides have spoken and agreed.
    pub established: bool,
    /// What it carries is looked at as a part of a stream.
    pub in_stream: bool,
    /// What is spoken, where it is known.
    pub protocol: Option<&'static str>,
    /// What was looked for has failed: nothing we know is spoken.
    pub unrecognised: bool,
    /// What the flow has carried.
    pub facts: FlowFacts,
    /// The packet, where there is one.
    pub packet: Option<PacketFacts<'s>>,
    /// Only rules that name a direction are asked.
    pub only_directed: bool,
    /// Only rules that look into files are asked.
    pub only_files: bool,
}

/// What a flow has carried; the client's first.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlowFacts {
    /// Packets of each side.
    pub packets: (u64, u64),
    /// Bytes of each side.
    pub bytes: (u64, u64),
    /// Bytes of each side's stream.
    pub stream_bytes: (u64, u64),
    /// Nanoseconds since its first packet.
    pub age_ns: i64,
}

/// A packet.
#[derive(Debug, Clone, Copy)]
pub struct PacketFacts<'s> {
    /// What the transport carries.
    pub payload: &'s [u8],
    /// The header of TCP, where it is TCP.
    pub tcp: Option<TcpFacts>,
    /// Time to live.
    pub hops_left: u8,
    /// The IP header, where it was kept.
    pub network_header: &'s [u8],
    /// The transport's header; of ICMP the whole message.
    pub transport_header: &'s [u8],
    /// All of the payload that was on the wire is here.
    pub whole: bool,
    /// Tags of VLANs, from the outermost on.
    pub vlans: &'s [u16],
    /// What was odd about it.
    pub events: &'s [&'static str],
}

/// Fields of a TCP header.
#[derive(Debug, Clone, Copy)]
pub struct TcpFacts {
    /// CWR, ECE, URG, ACK, PSH, RST, SYN, FIN from the highest bit down.
    pub flags: u8,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// Window as written.
    pub window: u16,
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const SCTP: u8 = 132;

impl Scene<'_> {
    /// Whether header, flow and packet are what a rule asks for.
    pub fn fits(&self, rule: &Rule) -> bool {
        (!self.only_files || rule.lists.iter().any(|list| list.buffer.is_of_file()))
            && self.flow_fits(&rule.flow)
            && self.header_fits(rule)
            && rule.packet.iter().all(|test| self.packet_fits(test))
            && rule.spoken.iter().all(|test| self.spoken_fits(&test.name, test.negated))
    }

    /// What of header, flow and packet is not what a rule asks for, in words; nothing where all of it is.
    pub fn refusal(&self, rule: &Rule) -> Option<String> {
        if !self.flow_fits(&rule.flow) {
            let way = if self.to_server { "to the server" } else { "to the client" };
            let state = if self.established { "established" } else { "not established" };
            return Some(format!("flow: this goes {way} and is {state}"));
        }
        if !self.header_fits(rule) {
            let spoken = self.protocol.unwrap_or("unknown");
            return Some(match rule.protocol.as_deref() {
                Some(wanted) if !self.protocol.is_some_and(|spoken| is_spoken(wanted, spoken)) => {
                    format!("protocol: {spoken} is spoken, not {wanted}")
                }
                _ => "header: other protocol, addresses or ports".to_owned(),
            });
        }
        if let Some(test) = rule.packet.iter().find(|test| !self.packet_fits(test)) {
            return Some(format!("packet: {test:?}"));
        }
        let spoken = rule.spoken.iter().find(|test| !self.spoken_fits(&test.name, test.negated));
        spoken.map(|test| format!("app-layer-protocol: {}", test.name))
    }

    fn flow_fits(&self, test: &FlowTest) -> bool {
        let directed = test.to_server || test.to_client;
        !(self.only_directed && !directed
            || test.to_server && !self.to_server
            || test.to_client && self.to_server
            || test.established && !self.established
            || test.not_established && self.established)
    }

    fn header_fits(&self, rule: &Rule) -> bool {
        let header = &rule.header;
        transport_fits(&header.protocol, self.transport, self.source.0.is_ipv4())
            && rule
                .protocol
                .as_deref()
                .is_none_or(|wanted| self.protocol.is_some_and(|spoken| is_spoken(wanted, spoken)))
            && (self.ends_fit(header, false) || (header.arrow != Arrow::Forward && self.ends_fit(header, true)))
    }

    /// Ports of source and destination, where the transport has any.
    pub fn ports(&self) -> Option<(u16, u16)> {
        matches!(self.transport, TCP | UDP | SCTP).then_some((self.source.1, self.destination.1))
    }

    fn ends_fit(&self, header: &Header, reversed: bool) -> bool {
        let (source, destination) =
            if reversed { (self.destination, self.source) } else { (self.source, self.destination) };
        (self.ports().is_none()
            || (header.source_ports.contains(source.1) && header.destination_ports.contains(destination.1)))
            && header.source.contains(source.0)
            && header.destination.contains(destination.0)
    }

    fn spoken_fits(&self, name: &str, negated: bool) -> bool {
        match (name, self.protocol) {
            ("unknown", spoken) => spoken.is_none() && !self.unrecognised,
            ("failed", _) => self.unrecognised != negated,
            (_, None) => negated && self.unrecognised,
            (name, Some(spoken)) => is_spoken(name, spoken) != negated,
        }
    }

    fn packet_fits(&self, test: &PacketTest) -> bool {
        let packet = self.packet.as_ref();
        let tcp = packet.and_then(|packet| packet.tcp);
        let icmp = |at: usize| {
            let message = packet.filter(|_| matches!(self.transport, ICMP | ICMPV6))?.transport_header;
            message.get(at).copied()
        };
        let icmp_word = |at: usize| Some(u64::from(u16::from_be_bytes([icmp(at)?, icmp(at + 1)?])));
        let network = |at: usize| packet.and_then(|packet| packet.network_header.get(at).copied());
        let (number, test) = match test {
            PacketTest::PayloadSize(test) => {
                // What carries nothing has no other size either.
                let other = matches!(test.0, Comparison::Not(_) | Comparison::Outside(..));
                let size = packet.map(|packet| packet.payload.len() as u64);
                (size.filter(|size| !other || *size > 0), test)
            }
            PacketTest::TcpFlags { how, flags, ignored } => {
                return tcp.is_some_and(|tcp| flags_fit(*how, *flags, tcp.flags & !ignored));
            }
            PacketTest::TcpSequence(test) => (tcp.map(|tcp| u64::from(tcp.sequence)), test),
            PacketTest::TcpAcknowledgement(test) => (tcp.map(|tcp| u64::from(tcp.acknowledgement)), test),
            PacketTest::TcpWindow(test) => (tcp.map(|tcp| u64::from(tcp.window)), test),
            PacketTest::TcpSegmentSize(test) => (packet.and_then(|packet| segment_size(packet.transport_header)), test),
            PacketTest::HopsLeft(test) => (packet.map(|packet| u64::from(packet.hops_left)), test),
            PacketTest::ServiceType(test) => (network(1).filter(|_| self.source.0.is_ipv4()).map(u64::from), test),
            PacketTest::Identification(test) => {
                let word = network(4).zip(network(5)).filter(|_| self.source.0.is_ipv4());
                (word.map(|(high, low)| u64::from(u16::from_be_bytes([high, low]))), test)
            }
            PacketTest::Protocol(test) => (Some(u64::from(self.transport)), test),
            PacketTest::IcmpType(test) => (icmp(0).map(u64::from), test),
            PacketTest::IcmpCode(test) => (icmp(1).map(u64::from), test),
            PacketTest::IcmpIdentifier(test) => (icmp_word(4), test),
            PacketTest::IcmpSequence(test) => (icmp_word(6), test),
            PacketTest::Event(name) => return packet.is_some_and(|packet| packet.events.contains(&name.as_str())),
            PacketTest::IpOption(option) => {
                let header = packet.filter(|_| self.source.0.is_ipv4()).map_or(&[][..], |packet| packet.network_header);
                return has_option(header, *option);
            }
            PacketTest::FragmentFlags { how, flags } => {
                let there = network(6).filter(|_| self.source.0.is_ipv4());
                return there.is_some_and(|there| flags_fit(*how, *flags, there & 0xe0));
            }
            PacketTest::Checksum { of, right } => {
                return packet.and_then(|packet| self.checksum(packet, *of)).is_some_and(|sum| sum == *right);
            }
            PacketTest::FragmentOffset(test) => {
                let word = network(6).zip(network(7)).filter(|_| self.source.0.is_ipv4());
                (word.map(|(high, low)| u64::from(u16::from_be_bytes([high & 0x1f, low]))), test)
            }
            PacketTest::TcpWindowScale(test) => {
                (packet.filter(|_| tcp.is_some()).and_then(|packet| window_scale(packet.transport_header)), test)
            }
            PacketTest::IcmpMtu(test) => {
                let too_big = self.transport == ICMPV6 && icmp(0) == Some(2);
                let word = icmp_word(4).zip(icmp_word(6)).filter(|_| too_big);
                (word.map(|(high, low)| high << 16 | low), test)
            }
            PacketTest::Rpc { program, version, procedure } => {
                let call = packet.and_then(|packet| rpc_call(packet.payload, self.transport == TCP));
                return call.is_some_and(|[is_program, is_version, is_procedure]| {
                    *program == is_program
                        && version.is_none_or(|version| version == is_version)
                        && procedure.is_none_or(|procedure| procedure == is_procedure)
                });
            }
            PacketTest::Vlan(test) => {
                let tags: Vec<u64> =
                    packet.map_or(&[][..], |packet| packet.vlans).iter().map(|tag| (*tag).into()).collect();
                return !tags.is_empty() && test.accepts(&tags);
            }
            PacketTest::VlanLayers(test) => (packet.map(|packet| packet.vlans.len() as u64), test),
            PacketTest::SameAddress => return self.source.0 == self.destination.0,
            PacketTest::StreamSize(side, test) => return of_sides(*side, self.facts.stream_bytes, |n| test.accepts(n)),
            PacketTest::FlowCount(count, test) => {
                let counted = if count.packets { self.facts.packets } else { self.facts.bytes };
                return of_sides(count.side, counted, |n| test.accepts(n));
            }
            PacketTest::FlowAge(test) => (u64::try_from(self.facts.age_ns / 1_000_000_000).ok(), test),
        };
        number.is_some_and(|number| test.accepts(number))
    }
}

impl Scene<'_> {
    /// Whether a checksum is right; nothing where it does not stand in the packet or cannot be told.
    fn checksum(&self, packet: &PacketFacts<'_>, of: u8) -> Option<bool> {
        if of == 4 {
            let header = packet.network_header;
            return (self.source.0.is_ipv4() && header.len() >= 20).then(|| folded(&[header]) == 0xffff);
        }
        if of != self.transport || !packet.whole || packet.transport_header.is_empty() {
            return None;
        }
        // Of ICMP the whole message is the header.
        let body = if matches!(of, TCP | UDP) { packet.payload } else { &[] };
        if of == UDP && packet.transport_header.get(6..8) == Some(&[0, 0]) {
            return Some(true);
        }
        let length = u32::try_from(packet.transport_header.len() + body.len()).ok()?;
        let pseudo = match (self.source.0, self.destination.0) {
            _ if of == ICMP || of == 2 => Vec::new(),
            (IpAddr::V4(a), IpAddr::V4(b)) => [&a.octets()[..], &b.octets(), &length.to_be_bytes(), &[0, of]].concat(),
            (IpAddr::V6(a), IpAddr::V6(b)) => [&a.octets()[..], &b.octets(), &length.to_be_bytes(), &[0, of]].concat(),
            _ => return None,
        };
        Some(folded(&[&pseudo, packet.transport_header, body]) == 0xffff)
    }
}

/// The sum of 16-bit words (RFC 1071); only the last part may have an odd length.
fn folded(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum = words.fold(0u64, |sum, word| {
        let (high, low) = (word.first().copied().unwrap_or(0), word.get(1).copied().unwrap_or(0));
        sum + u64::from(u16::from_be_bytes([high, low]))
    });
    let mut sum = sum;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(0)
}

/// Whether an IPv4 header has an option.
fn has_option(header: &[u8], wanted: IpOption) -> bool {
    let mut options = header.get(20..).unwrap_or(&[]);
    while let [kind, rest @ ..] = options {
        if wanted == IpOption::Any || wanted == IpOption::Number(*kind) {
            return true;
        }
        options = match (kind, rest.first()) {
            (0, _) => return false,
            (1, _) => rest,
            (_, Some(length)) => options.get(usize::from(*length).max(2)..).unwrap_or(&[]),
            (_, None) => return false,
        };
    }
    false
}

fn of_sides(side: StreamSide, (client, server): (u64, u64), accepts: impl Fn(u64) -> bool) -> bool {
    match side {
        StreamSide::Client => accepts(client),
        StreamSide::Server => accepts(server),
        StreamSide::Both => accepts(client) && accepts(server),
        StreamSide::Either => accepts(client) || accepts(server),
    }
}

fn flags_fit(how: FlagsHow, wanted: u8, flags: u8) -> bool {
    match how {
        FlagsHow::Exactly => flags == wanted,
        FlagsHow::AtLeast => flags & wanted == wanted,
        FlagsHow::Any => flags & wanted != 0,
        FlagsHow::None => flags & wanted != wanted,
    }
}

/// Program, version and procedure of a call (RFC 5531 section 9); over TCP a mark with its length comes first.
fn rpc_call(payload: &[u8], marked: bool) -> Option<[u32; 3]> {
    let bytes = payload.get(if marked { 8 } else { 4 }..)?;
    let word = |at: usize| Some(u32::from_be_bytes(*bytes.get(at * 4..)?.first_chunk()?));
    let call = word(0)? == 0 && word(1)? == 2;
    if call { Some([word(2)?, word(3)?, word(4)?]) } else { None }
}

/// The scaling of the window among the options of TCP.
fn window_scale(header: &[u8]) -> Option<u64> {
    let mut options = header.get(20..)?;
    loop {
        options = match options {
            [0, ..] | [] => return None,
            [1, rest @ ..] => rest,
            [3, 3, scale, ..] => return Some(u64::from(*scale)),
            [_, length, ..] => options.get(usize::from(*length).max(2)..)?,
            [_] => return None,
        };
    }
}

/// The maximum segment size among the options of TCP.
fn segment_size(header: &[u8]) -> Option<u64> {
    let mut options = header.get(20..)?;
    loop {
        options = match options {
            [0, ..] | [] => return None,
            [1, rest @ ..] => rest,
            [2, 4, high, low, ..] => return Some(u64::from(u16::from_be_bytes([*high, *low]))),
            [_, length, ..] => options.get(usize::from(*length).max(2)..)?,
            [_] => return None,
        };
    }
}

/// Whether a protocol above or of IP is what the header of a rule names; application protocols name none.
pub fn transport_fits(wanted: &str, transport: u8, ipv4: bool) -> bool {
    match wanted {
        "tcp" | "tcp-pkt" | "tcp-stream" => transport == TCP,
        "udp" => transport == UDP,
        "icmp" => matches!(transport, ICMP | ICMPV6),
        "icmpv4" => transport == ICMP,
        "icmpv6" => transport == ICMPV6,
        "sctp" => transport == SCTP,
        "igmp" => transport == 2,
        "esp" => transport == 50,
        "ipv4" | "ip4" => ipv4,
        "ipv6" | "ip6" => !ipv4,
        _ => true,
    }
}

/// Whether what a rule calls a protocol is what the sensor says is spoken.
pub fn is_spoken(wanted: &str, spoken: &str) -> bool {
    static NAMES: OnceLock<HashSet<(&str, &str)>> = OnceLock::new();
    let names = || include_str!("protocols.txt").lines().filter_map(|line| line.split_once(' ')).collect();
    wanted == spoken || NAMES.get_or_init(names).contains(&(wanted, spoken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_compare_as_their_signs_say() {
        assert!(flags_fit(FlagsHow::Exactly, 0x02, 0x02) && !flags_fit(FlagsHow::Exactly, 0x02, 0x12));
        assert!(flags_fit(FlagsHow::AtLeast, 0x02, 0x12) && !flags_fit(FlagsHow::AtLeast, 0x03, 0x12));
        assert!(flags_fit(FlagsHow::Any, 0x03, 0x12) && flags_fit(FlagsHow::None, 0x01, 0x12));
    }

    #[test]
    fn calls_are_found_behind_their_mark() {
        let call = [[0, 0, 0, 9], [0, 0, 0, 0], [0, 0, 0, 2], [0, 1, 0x86, 0xa0], [0, 0, 0, 2], [0, 0, 0, 3]].concat();
        assert_eq!(rpc_call(&call, false), Some([100_000, 2, 3]));
        assert_eq!(rpc_call(&[&[0x80, 0, 0, 24][..], &call].concat(), true), Some([100_000, 2, 3]));
        assert!(rpc_call(&call, true).is_none() && rpc_call(&call[..20], false).is_none());
    }

    #[test]
    fn the_segment_size_is_found_among_options() {
        let mut header = vec![0; 20];
        header.extend([1, 1, 3, 3, 7, 2, 4, 5, 0xb4, 0]);
        assert_eq!(segment_size(&header), Some(1460));
        header.truncate(24);
        assert_eq!(segment_size(&header), None);
        assert_eq!(segment_size(&[&[0; 20][..], &[9, 0, 2, 4, 1, 1]].concat()), Some(257));
    }
}
