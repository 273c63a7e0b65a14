//! Keywords about headers of packets, and about flows as a whole.

use super::super::buffer;
use super::super::language::{NumberTest, Reason, number};
use super::super::many::ManyTest;
use super::super::rule::{FlagsHow, FlowCount, PacketTest, SpokenTest, StreamSide};
use super::Draft;

impl Draft {
    /// Takes a keyword of this family.
    pub fn headers(&mut self, keyword: &str, value: Option<&str>) -> Option<Result<(), Reason>> {
        let value = value.unwrap_or("").trim();
        let numbered: Option<fn(NumberTest) -> PacketTest> = match keyword {
            "dsize" => Some(PacketTest::PayloadSize),
            "seq" | "tcp.seq" => Some(PacketTest::TcpSequence),
            "ack" | "tcp.ack" => Some(PacketTest::TcpAcknowledgement),
            "window" | "tcp.window" => Some(PacketTest::TcpWindow),
            "tcp.mss" => Some(PacketTest::TcpSegmentSize),
            "ttl" => Some(PacketTest::HopsLeft),
            "tos" => Some(PacketTest::ServiceType),
            "id" => Some(PacketTest::Identification),
            "fragoffset" => Some(PacketTest::FragmentOffset),
            "tcp.wscale" => Some(PacketTest::TcpWindowScale),
            "icmpv6.mtu" => Some(PacketTest::IcmpMtu),
            "vlan.layers" => Some(PacketTest::VlanLayers),
            "itype" => Some(PacketTest::IcmpType),
            "icode" => Some(PacketTest::IcmpCode),
            "icmp_id" => Some(PacketTest::IcmpIdentifier),
            "icmp_seq" => Some(PacketTest::IcmpSequence),
            _ => None,
        };
        if let Some(make) = numbered {
            return Some(NumberTest::parse(value).map(|test| self.packet_test(make(test))));
        }
        Some(match keyword {
            "flags" | "tcp.flags" => flags(value).map(|test| self.packet_test(test)),
            "ip_proto" => protocol_number(value).map(|test| self.rule.packet.push(PacketTest::Protocol(test))),
            "vlan.id" => {
                ManyTest::parse(value, &|word| number(word)).map(|test| self.packet_test(PacketTest::Vlan(test)))
            }
            "rpc" => rpc(value).map(|test| self.packet_test(test)),
            "sameip" => {
                self.rule.packet.push(PacketTest::SameAddress);
                Ok(())
            }
            "flow" => self.flow(value),
            "stream_size" => stream_size(value).map(|test| self.packet_test(test)),
            "flow.age" => NumberTest::parse(value).map(|test| self.flow_test(PacketTest::FlowAge(test))),
            "app-layer-protocol" => self.spoken(value),
            "geneve" => Ok(()),
            _ => match flow_count(keyword, value) {
                Some(test) => test.map(|test| self.flow_test(test)),
                None => return None,
            },
        })
    }

    /// The rule asks for packets.
    pub fn packet_test(&mut self, test: PacketTest) {
        self.rule.packet.push(test);
        self.wants_packet = true;
        self.addresses_only = false;
    }

    fn flow_test(&mut self, test: PacketTest) {
        self.rule.packet.push(test);
        self.addresses_only = false;
    }

    fn flow(&mut self, value: &str) -> Result<(), Reason> {
        self.addresses_only = false;
        let flow = &mut self.rule.flow;
        for word in value.split(',').map(str::trim) {
            match word.to_ascii_lowercase().as_str() {
                "to_server" | "from_client" => flow.to_server = true,
                "to_client" | "from_server" => flow.to_client = true,
                "established" => flow.established = true,
                "not_established" => flow.not_established = true,
                "stateless" => flow.stateless = true,
                "only_stream" => flow.only_stream = true,
                "no_stream" => flow.no_stream = true,
                "only_frag" | "no_frag" => {}
                other => return Err(format!("{other} is unknown")),
            }
        }
        if flow.to_server && flow.to_client {
            return Err("both directions exclude each other".into());
        }
        if flow.established && (flow.not_established || flow.stateless) {
            return Err("established excludes not_established and stateless".into());
        }
        Ok(())
    }

    fn spoken(&mut self, value: &str) -> Result<(), Reason> {
        let value = value.split(',').next().unwrap_or("").trim();
        let (name, negated) = match value.strip_prefix('!') {
            Some(name) => (name.trim(), true),
            None => (value, false),
        };
        if name.is_empty() {
            return Err("it wants a protocol".into());
        }
        self.rule.spoken.push(SpokenTest { name: name.to_ascii_lowercase(), negated });
        Ok(())
    }
}

fn flags(value: &str) -> Result<PacketTest, Reason> {
    let (wanted, ignored) = match value.split_once(',') {
        Some((wanted, ignored)) => (wanted.trim(), bits(ignored.trim())?),
        None => (value, 0),
    };
    let (how, letters) = match wanted.chars().next() {
        Some('+') => (FlagsHow::AtLeast, wanted.get(1..)),
        Some('*') => (FlagsHow::Any, wanted.get(1..)),
        Some('!') => (FlagsHow::None, wanted.get(1..)),
        _ => (FlagsHow::Exactly, Some(wanted)),
    };
    let letters = letters.unwrap_or("");
    // The sign may also stand behind.
    let (how, letters) = match letters.chars().last() {
        Some('+') => (FlagsHow::AtLeast, letters.trim_end_matches('+')),
        Some('*') => (FlagsHow::Any, letters.trim_end_matches('*')),
        _ => (how, letters),
    };
    Ok(PacketTest::TcpFlags { how, flags: bits(letters)?, ignored })
}

fn bits(letters: &str) -> Result<u8, Reason> {
    letters.chars().filter(|c| !c.is_whitespace()).try_fold(0, |bits, letter| {
        Ok(bits
            | match letter.to_ascii_uppercase() {
                'F' => 0x01,
                'S' => 0x02,
                'R' => 0x04,
                'P' => 0x08,
                'A' => 0x10,
                'U' => 0x20,
                'E' | '2' => 0x40,
                'C' | '1' => 0x80,
                '0' => 0,
                other => return Err(format!("{other} is no flag of TCP")),
            })
    })
}

/// `program,version,procedure`; the last two may be `*`, or left out.
fn rpc(value: &str) -> Result<PacketTest, Reason> {
    let mut parts = value.split(',').map(str::trim);
    let read = |text: &str| text.parse::<u32>().map_err(|_| format!("{text} is no number of a program"));
    let program = read(parts.next().unwrap_or(""))?;
    let mut next = || parts.next().filter(|text| *text != "*" && !text.is_empty()).map(read).transpose();
    Ok(PacketTest::Rpc { program, version: next()?, procedure: next()? })
}

fn protocol_number(value: &str) -> Result<NumberTest, Reason> {
    const NAMES: [(&str, u64); 12] = [
        ("icmp", 1),
        ("igmp", 2),
        ("ipip", 4),
        ("tcp", 6),
        ("udp", 17),
        ("ipv6", 41),
        ("gre", 47),
        ("esp", 50),
        ("ah", 51),
        ("ipv6-icmp", 58),
        ("pim", 103),
        ("sctp", 132),
    ];
    NumberTest::parse_with(value, &|word| {
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, number)| *number)
    })
}

fn stream_size(value: &str) -> Result<PacketTest, Reason> {
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    let [side, sign, size] = parts.as_slice() else { return Err("it wants side, comparison and size".into()) };
    let side = match *side {
        "client" => StreamSide::Client,
        "server" => StreamSide::Server,
        "both" => StreamSide::Both,
        "either" => StreamSide::Either,
        other => return Err(format!("{other} is no side")),
    };
    let sign = if *sign == "=" { "" } else { sign };
    Ok(PacketTest::StreamSize(side, NumberTest::parse(&format!("{sign}{size}"))?))
}

/// `flow.pkts`, `flow.bytes` and their spellings for one side.
fn flow_count(keyword: &str, value: &str) -> Option<Result<PacketTest, Reason>> {
    let rest = keyword.strip_prefix("flow.")?;
    let (packets, rest) = match (rest.strip_prefix("pkts"), rest.strip_prefix("bytes")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return None,
    };
    let side_named = |name: &str| {
        Some(match name {
            "toserver" => StreamSide::Client,
            "toclient" => StreamSide::Server,
            "either" => StreamSide::Either,
            "both" => StreamSide::Both,
            _ => return None,
        })
    };
    let (side, number) = match rest.strip_prefix('_') {
        Some(name) => (side_named(name)?, value),
        None => {
            let (name, number) = value.split_once(',').unwrap_or(("", value));
            match side_named(name.trim()) {
                Some(side) => (side, number),
                None => return Some(Err(format!("{name} is no side"))),
            }
        }
    };
    Some(NumberTest::parse(number).map(|test| PacketTest::FlowCount(FlowCount { packets, side }, test)))
}

/// Whether a buffer is a packet's.
pub fn of_packet(id: buffer::BufferId) -> bool {
    id.buffer().when == buffer::When::Packet && id != buffer::PAYLOAD
}
