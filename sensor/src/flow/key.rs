//! What makes packets one flow, in a form that is the same for both directions.

use std::net::{IpAddr, Ipv6Addr};

use luytre_events::{CommunityId, Transport};

use super::Side;
use crate::decode::Decoded;

/// Addresses, ports, transport and VLAN; the lower end first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlowKey {
    a: u128,
    b: u128,
    ports: (u16, u16),
    vlan: u16,
    transport: u8,
    flags: u8,
}

const IPV6: u8 = 1;
const ONE_WAY: u8 = 2;
/// Stands for "no tag": VLAN ids have twelve bits.
const NO_VLAN: u16 = 0xffff;

impl FlowKey {
    /// The key of a packet's flow, and which end sent the packet.
    pub fn of(packet: &Decoded<'_>) -> (FlowKey, Side) {
        let (ports, one_way) = match packet.transport {
            Transport::ICMP => icmp_ports(packet.ports, icmp4_counterpart(packet.ports.0)),
            Transport::ICMPV6 => icmp_ports(packet.ports, icmp6_counterpart(packet.ports.0)),
            _ => (packet.ports, false),
        };
        let source = (bits(packet.addresses.0), ports.0);
        let destination = (bits(packet.addresses.1), ports.1);
        let in_order = one_way || source <= destination;
        let (low, high) = if in_order { (source, destination) } else { (destination, source) };
        let ipv6 = if packet.addresses.0.is_ipv6() { IPV6 } else { 0 };
        let key = FlowKey {
            a: low.0,
            b: high.0,
            ports: (low.1, high.1),
            vlan: packet.vlan.unwrap_or(NO_VLAN),
            transport: packet.transport.0,
            flags: ipv6 | if one_way { ONE_WAY } else { 0 },
        };
        (key, if in_order { Side::A } else { Side::B })
    }

    /// The transport protocol.
    pub fn transport(&self) -> Transport {
        Transport(self.transport)
    }

    /// Community ID version 1.
    pub fn community_id(&self) -> CommunityId {
        let (a, b) = ((self.address(self.a), self.ports.0), (self.address(self.b), self.ports.1));
        CommunityId::new(a, b, self.transport(), self.flags & ONE_WAY != 0)
    }

    /// A number for spreading flows over shards: the same on every machine for the same seed, and the same for all flows
    /// between two hosts, so that a conversation on two connections (FTP, TFTP) stays together. FNV-1a over words, with
    /// a final mix.
    pub fn spread(&self, seed: u64) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
        for word in [half(self.a >> 64), half(self.a), half(self.b >> 64), half(self.b)] {
            hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3);
            hash ^= hash >> 29;
        }
        (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
    }

    fn address(&self, bits: u128) -> IpAddr {
        if self.flags & IPV6 != 0 {
            return IpAddr::V6(Ipv6Addr::from_bits(bits));
        }
        // Only IPv4 addresses were put in without the flag.
        IpAddr::V4(u32::try_from(bits).unwrap_or(0).into())
    }
}

fn half(bits: u128) -> u64 {
    (bits & u128::from(u64::MAX)) as u64
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Type and counterpart as ports where the type has one (both directions are one flow), else type and code.
fn icmp_ports((kind, code): (u16, u16), counterpart: Option<u16>) -> ((u16, u16), bool) {
    match counterpart {
        Some(counterpart) => ((kind, counterpart), false),
        None => ((kind, code), true),
    }
}

/// The Community ID specification's pairs of ICMP types (RFC 792, RFC 950, RFC 1256).
fn icmp4_counterpart(kind: u16) -> Option<u16> {
    Some(match kind {
        8 => 0,
        0 => 8,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        10 => 9,
        9 => 10,
        17 => 18,
        18 => 17,
        _ => return None,
    })
}

/// The same for ICMPv6 (RFC 4443, RFC 4861, RFC 2710, RFC 4620, RFC 6275).
fn icmp6_counterpart(kind: u16) -> Option<u16> {
    Some(match kind {
        128 => 129,
        129 => 128,
        133 => 134,
        134 => 133,
        135 => 136,
        136 => 135,
        130 => 131,
        131 => 130,
        139 => 140,
        140 => 139,
        144 => 145,
        145 => 144,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(from: &str, to: &str, ports: (u16, u16), transport: Transport) -> Decoded<'static> {
        Decoded {
            addresses: (from.parse().unwrap(), to.parse().unwrap()),
            ports,
            transport,
            vlan: None,
            vlans: Default::default(),
            tunnel: None,
            packets: 1,
            bytes: 60,
            hops_left: 64,
            tcp: None,
            payload: &[],
            headers: (&[], &[]),
        }
    }

    #[test]
    fn both_directions_share_a_key() {
        let (key, side) = FlowKey::of(&packet("192.0.2.9", "192.0.2.1", (4000, 80), Transport::TCP));
        let (back, back_side) = FlowKey::of(&packet("192.0.2.1", "192.0.2.9", (80, 4000), Transport::TCP));
        assert_eq!((key, side), (back, back_side.other()));
    }

    #[test]
    fn flows_between_two_hosts_share_a_shard() {
        let spread = |from, to, ports| FlowKey::of(&packet(from, to, ports, Transport::TCP)).0.spread(7);
        let control = spread("192.0.2.9", "192.0.2.1", (4000, 21));
        assert_eq!(control, spread("192.0.2.1", "192.0.2.9", (20, 40_001)));
        assert_ne!(control, spread("192.0.2.9", "192.0.2.2", (4000, 21)));
    }

    /// The reference implementation's examples (Corelight, community-id-spec, baseline of seed 0).
    #[test]
    fn icmp_follows_the_community_id_specification() {
        let id =
            |from, to, ports, transport| FlowKey::of(&packet(from, to, ports, transport)).0.community_id().to_string();
        let echo = id("192.168.0.89", "192.168.0.1", (8, 0), Transport::ICMP);
        assert_eq!(echo, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
        assert_eq!(id("192.168.0.1", "192.168.0.89", (0, 0), Transport::ICMP), echo);
        let solicitation = id("fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", (135, 0), Transport::ICMPV6);
        assert_eq!(solicitation, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=");
    }
}
