//! IPv4, IPv6 and the transports on them, sliced by etherparse.

use std::net::IpAddr;

use etherparse::{Ipv6ExtensionSlice, Ipv6ExtensionsSlice, LaxIpSlice, TcpSlice, UdpSlice};
use luytre_events::Transport;

use super::checksum;
use super::fragments::{FragmentKey, Joined, Part};
use super::tunnel::Inner;
use super::{Decoded, Outcome, Refusal, Stop, TcpHeader, Tunnel, Walk, refused};

/// What an IP header leads to.
struct IpPayload<'a> {
    addresses: (IpAddr, IpAddr),
    protocol: u8,
    hops_left: u8,
    header: &'a [u8],
    bytes: &'a [u8],
    /// Bytes that were on the wire and not captured.
    missing: u32,
}

impl<'a> Walk<'a, '_> {
    /// IPv4 or IPv6 by the version in the first half-byte.
    pub(super) fn ip(&mut self, bytes: &'a [u8]) -> Outcome<'a> {
        let Ok((ip, _)) = LaxIpSlice::from_slice(bytes) else {
            self.odd.no_ip(bytes);
            return refused(Refusal::BadIp);
        };
        let addresses = (ip.source_addr(), ip.destination_addr());
        if self.odd.is_wanted() {
            self.odd.addresses = Some(addresses);
            match &ip {
                LaxIpSlice::Ipv4(_) => self.odd.ipv4(bytes),
                LaxIpSlice::Ipv6(_) => self.odd.ipv6(bytes),
            }
        }
        let payload = ip.payload();
        if self.verify && !header_is_right(&ip) {
            return refused(Refusal::BadChecksum);
        }
        let header = bytes.get(..header_bytes(&ip)).unwrap_or(&[]);
        if payload.fragmented {
            return self.fragment(&ip, addresses, header);
        }
        let missing = if payload.incomplete { missing(&ip, bytes.len()) } else { 0 };
        let hops_left = hops_left(&ip);
        let protocol = payload.ip_number.0;
        let ip = IpPayload { addresses, protocol, hops_left, header, bytes: payload.payload, missing };
        self.transport(ip)
    }

    fn fragment(&mut self, ip: &LaxIpSlice<'a>, addresses: (IpAddr, IpAddr), header: &'a [u8]) -> Outcome<'a> {
        let payload = ip.payload();
        let Some((identification, offset, more)) = fragment_of(ip) else { return refused(Refusal::BadIp) };
        if payload.incomplete {
            return refused(Refusal::BadFragment);
        }
        let key = FragmentKey { addresses, identification, protocol: payload.ip_number.0, vlan: self.vlan };
        let part = Part { offset, more, bytes: payload.payload, wire_bytes: self.bytes };
        let Some(whole) = self.whole.take() else { return refused(Refusal::Nesting) };
        let joined = self.fragments.add(key, part, self.time_ns, whole);
        if let Some(odd) = self.fragments.odd() {
            self.odd.note(odd.name(addresses.0.is_ipv6()));
        }
        match joined {
            Joined::Waiting => Err(Stop::Held),
            Joined::Refused(reason) => refused(reason),
            Joined::Whole { packets, bytes } => {
                self.packets = packets;
                self.bytes = bytes;
                let whole: &'a [u8] = whole;
                let hops_left = hops_left(ip);
                let protocol = key.protocol;
                let mut joined = IpPayload { addresses, protocol, hops_left, header, bytes: whole, missing: 0 };
                if addresses.0.is_ipv6() {
                    let (_, number, rest, _) = Ipv6ExtensionsSlice::from_slice_lax(payload.ip_number, whole);
                    (joined.protocol, joined.bytes) = (number.0, rest);
                }
                self.transport(joined)
            }
        }
    }

    fn transport(&mut self, ip: IpPayload<'a>) -> Outcome<'a> {
        if self.verify && !transport_is_right(&ip) {
            return refused(Refusal::BadChecksum);
        }
        if self.odd.is_wanted() && ip.missing == 0 {
            self.odd.transport(ip.protocol, ip.bytes);
            if ip.protocol == 58 && ip.addresses.0.is_ipv6() {
                self.odd.icmpv6(ip.bytes, ip.hops_left);
            }
        }
        match Transport(ip.protocol) {
            Transport::TCP => self.tcp(&ip),
            Transport::UDP => self.udp(&ip),
            Transport::ICMP | Transport::ICMPV6 => match ip.bytes {
                [kind, code, ..] => Ok(self.decoded(&ip, (u16::from(*kind), u16::from(*code)), ip.bytes)),
                _ => refused(Refusal::BadTransport),
            },
            Transport::SCTP => match ip.bytes.first_chunk::<4>() {
                Some([a, b, c, d]) => {
                    let ports = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
                    Ok(self.decoded(&ip, ports, ip.bytes))
                }
                None => refused(Refusal::BadTransport),
            },
            Transport(4 | 41) if ip.addresses.0.is_ipv6() && self.odd_inside(&ip) => refused(Refusal::BadIp),
            Transport(4 | 41) => {
                self.carries(&ip, (0, 0), ip.bytes);
                let tunnel = if ip.protocol == 4 { Tunnel::IpIp } else { Tunnel::Ipv6 };
                self.inside(tunnel, Inner::Ip(ip.bytes))
            }
            Transport(47) => match super::tunnel::gre(ip.bytes) {
                Some((tunnel, inner)) => {
                    self.carries(&ip, (0, 0), ip.bytes);
                    self.inside(tunnel, inner)
                }
                None => Ok(self.decoded(&ip, (0, 0), ip.bytes)),
            },
            _ => Ok(self.decoded(&ip, (0, 0), ip.bytes)),
        }
    }

    /// Whether what IPv6 says to carry as IP is of another version, or none.
    fn odd_inside(&mut self, ip: &IpPayload<'a>) -> bool {
        let version = ip.bytes.first().map(|first| first >> 4);
        let (wanted, small, wrong) = match ip.protocol {
            4 => (4, "ipv6.ipv4_in_ipv6_too_small", "ipv6.ipv4_in_ipv6_wrong_version"),
            _ => (6, "ipv6.ipv6_in_ipv6_too_small", "ipv6.ipv6_in_ipv6_wrong_version"),
        };
        match version {
            None => self.odd.note(small),
            Some(version) if version != wanted => self.odd.note(wrong),
            Some(_) => return false,
        }
        true
    }

    fn tcp(&mut self, ip: &IpPayload<'a>) -> Outcome<'a> {
        let Ok(tcp) = TcpSlice::from_slice(ip.bytes) else { return refused(Refusal::BadTransport) };
        let captured = u32::try_from(tcp.payload().len()).unwrap_or(u32::MAX);
        let header = TcpHeader {
            sequence: tcp.sequence_number(),
            acknowledgement: tcp.acknowledgment_number(),
            urgent: tcp.urgent_pointer(),
            // Byte 13 of the header, which TcpSlice has checked to be there.
            flags: tcp.header_slice().get(13).copied().unwrap_or(0),
            window: tcp.window_size(),
            payload_length: captured.saturating_add(ip.missing),
        };
        let mut decoded = self.decoded(ip, (tcp.source_port(), tcp.destination_port()), tcp.payload());
        decoded.tcp = Some(header);
        Ok(decoded)
    }

    fn udp(&mut self, ip: &IpPayload<'a>) -> Outcome<'a> {
        let Ok(udp) = UdpSlice::from_slice_lax(ip.bytes) else { return refused(Refusal::BadTransport) };
        let ports = (udp.source_port(), udp.destination_port());
        if let Some((tunnel, inner)) = super::tunnel::over_udp(ports, udp.payload()) {
            let (before, carriers) = ((self.vlan, self.vlans, self.tunnel, self.depth), self.carriers.len());
            self.carries(ip, ports, udp.payload());
            match self.inside(tunnel, inner) {
                // Something else on a tunnel's port: an ordinary datagram.
                Err(Stop::Refused(reason)) => {
                    match tunnel {
                        Tunnel::Vxlan if reason == Refusal::NotIp => self.odd.note("vxlan.unknown_payload_type"),
                        Tunnel::Geneve if reason == Refusal::NotIp => self.odd.note("geneve.unknown_payload_type"),
                        _ => {}
                    }
                    (self.vlan, self.vlans, self.tunnel, self.depth) = before;
                    self.carriers.truncate(carriers);
                }
                outcome => return outcome,
            }
        }
        Ok(self.decoded(ip, ports, udp.payload()))
    }

    /// Notes a packet that carries another one.
    fn carries(&mut self, ip: &IpPayload<'a>, ports: (u16, u16), payload: &'a [u8]) {
        if self.odd.is_wanted() {
            let carrier = self.decoded(ip, ports, payload);
            self.carriers.push(carrier);
        }
    }

    fn inside(&mut self, tunnel: Tunnel, inner: Inner<'a>) -> Outcome<'a> {
        self.deeper()?;
        self.tunnel = self.tunnel.or(Some(tunnel));
        match inner {
            Inner::Ip(bytes) => self.ip(bytes),
            Inner::Ethernet(bytes) => self.ethernet(bytes),
            Inner::EtherType(kind, bytes) => self.ethertype(kind, bytes),
            Inner::Ppp(bytes) => self.ppp_framed(bytes),
        }
    }

    fn decoded(&self, ip: &IpPayload<'a>, ports: (u16, u16), payload: &'a [u8]) -> Decoded<'a> {
        Decoded {
            addresses: ip.addresses,
            ports,
            transport: Transport(ip.protocol),
            vlan: self.vlan,
            vlans: self.vlans,
            tunnel: self.tunnel,
            packets: self.packets,
            bytes: self.bytes,
            hops_left: ip.hops_left,
            tcp: None,
            payload,
            headers: (ip.header, ip.bytes.get(..ip.bytes.len().saturating_sub(payload.len())).unwrap_or(&[])),
        }
    }
}

fn header_bytes(ip: &LaxIpSlice<'_>) -> usize {
    match ip {
        LaxIpSlice::Ipv4(ip) => ip.header().slice().len(),
        LaxIpSlice::Ipv6(ip) => ip.header().slice().len(),
    }
}

fn hops_left(ip: &LaxIpSlice<'_>) -> u8 {
    match ip {
        LaxIpSlice::Ipv4(ip) => ip.header().ttl(),
        LaxIpSlice::Ipv6(ip) => ip.header().hop_limit(),
    }
}

fn header_is_right(ip: &LaxIpSlice<'_>) -> bool {
    match ip {
        LaxIpSlice::Ipv4(ip) => checksum::ipv4_header_is_right(ip.header().slice()),
        LaxIpSlice::Ipv6(_) => true,
    }
}

/// What was not captured whole cannot be judged; UDP over IPv4 may leave the checksum out.
fn transport_is_right(ip: &IpPayload<'_>) -> bool {
    let summed = match Transport(ip.protocol) {
        Transport::TCP => true,
        Transport::UDP => ip.bytes.get(6..8).is_some_and(|sum| sum != [0, 0]),
        _ => false,
    };
    ip.missing > 0 || !summed || checksum::transport_is_right(ip.addresses, ip.protocol, ip.bytes)
}

/// Bytes that the header promises beyond those that are there.
fn missing(ip: &LaxIpSlice<'_>, there: usize) -> u32 {
    let promised = match ip {
        LaxIpSlice::Ipv4(ip) => usize::from(ip.header().total_len()),
        LaxIpSlice::Ipv6(ip) => usize::from(ip.header().payload_length()).saturating_add(40),
    };
    u32::try_from(promised.saturating_sub(there)).unwrap_or(0)
}

/// Identification, offset in bytes and whether more follow (RFC 791, RFC 8200 section 4.5).
fn fragment_of(ip: &LaxIpSlice<'_>) -> Option<(u32, usize, bool)> {
    match ip {
        LaxIpSlice::Ipv4(ip) => {
            let header = ip.header();
            let offset = usize::from(header.fragments_offset().value()) * 8;
            Some((header.identification().into(), offset, header.more_fragments()))
        }
        LaxIpSlice::Ipv6(ip) => ip.extensions().clone().into_iter().find_map(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(f) => {
                Some((f.identification(), usize::from(f.fragment_offset().value()) * 8, f.more_fragments()))
            }
            _ => None,
        }),
    }
}
