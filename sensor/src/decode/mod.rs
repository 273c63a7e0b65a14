//! From a captured packet to addresses, ports and payload.
//!
//! Comes in: one [`Packet`]. Goes out: one [`Decoded`] for the flow table, one [`ArpPacket`], or the reason why not
//! ([`Refusal`]): every packet ends as one of the three, and fragments wait in between ([`fragments`]) under their own
//! ceilings. Encapsulations are taken off, at most [`NESTING_MAX`] of them; the innermost addresses are the flow's.
//! Checksums are verified only where that is asked for ([`Checksums`]). Nothing in here allocates but fragments.

pub mod arp;
mod checksum;
pub mod fragments;
mod ip;
mod link;
mod odd;
mod tunnel;

use std::net::IpAddr;

use luytre_events::Transport;

use crate::capture::Packet;
use arp::ArpPacket;
pub use checksum::Checksums;
use fragments::{FragmentLimits, Fragments};
pub use odd::Odd;

/// Most encapsulations that are taken off one packet.
pub const NESTING_MAX: u8 = 4;

/// A packet that can be given to a flow.
#[derive(Debug, Clone)]
pub struct Decoded<'a> {
    /// Sender and receiver.
    pub addresses: (IpAddr, IpAddr),
    /// Ports of sender and receiver; zero where the transport has none, type and code for ICMP.
    pub ports: (u16, u16),
    /// The transport protocol.
    pub transport: Transport,
    /// VLAN id of the innermost 802.1Q tag.
    pub vlan: Option<u16>,
    /// All 802.1Q tags, from the outermost on.
    pub vlans: Vlans,
    /// The outermost tunnel that was taken off.
    pub tunnel: Option<Tunnel>,
    /// Captured packets that this stands for: more than one where fragments were joined.
    pub packets: u32,
    /// Bytes of those on the wire, frame headers included.
    pub bytes: u64,
    /// How many routers it may still pass (time to live, hop limit).
    pub hops_left: u8,
    /// What TCP says, where it is TCP.
    pub tcp: Option<TcpHeader>,
    /// What the transport carries.
    pub payload: &'a [u8],
    /// The innermost IP header with its options, and the header of the transport, where it has one that is kept.
    pub headers: (&'a [u8], &'a [u8]),
}

/// Tags of VLANs in their order; more than it has room for are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vlans {
    tags: [u16; Vlans::MAX],
    count: usize,
}

impl Vlans {
    /// The most tags that are kept of a packet.
    const MAX: usize = 3;

    fn add(&mut self, tag: u16) {
        if let Some(place) = self.tags.get_mut(self.count) {
            *place = tag;
            self.count += 1;
        }
    }

    /// The tags.
    pub fn tags(&self) -> &[u16] {
        self.tags.get(..self.count).unwrap_or(&[])
    }
}

/// The parts of a TCP header that reassembly needs (RFC 9293 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpHeader {
    /// Sequence number of the first payload byte (of the SYN, where set).
    pub sequence: u32,
    /// Acknowledgement number.
    pub acknowledgement: u32,
    /// CWR, ECE, URG, ACK, PSH, RST, SYN, FIN from the highest bit down.
    pub flags: u8,
    /// What the sender is ready to take, as written (before scaling).
    pub window: u16,
    /// How far behind the first payload byte the urgent data ends, where URG is set (RFC 6093).
    pub urgent: u16,
    /// Bytes that the payload had on the wire: more than were captured under a snap length.
    pub payload_length: u32,
}

/// What carried the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tunnel {
    /// IPv4 in IPv4 or IPv6 (RFC 2003, RFC 2473).
    IpIp,
    /// IPv6 in IPv4 or IPv6 (RFC 4213, RFC 2473).
    Ipv6,
    /// Generic routing encapsulation (RFC 2784, RFC 2890; PPTP's RFC 2637).
    Gre,
    /// Cisco's remote mirror port over GRE.
    Erspan,
    /// VXLAN (RFC 7348).
    Vxlan,
    /// Geneve (RFC 8926).
    Geneve,
    /// Teredo (RFC 4380).
    Teredo,
    /// GPRS tunnelling, user plane (3GPP TS 29.281).
    GtpU,
}

impl Tunnel {
    /// The name in `flow.tunnel`.
    pub fn name(self) -> &'static str {
        match self {
            Tunnel::IpIp => "ipip",
            Tunnel::Ipv6 => "ipv6",
            Tunnel::Gre => "gre",
            Tunnel::Erspan => "erspan",
            Tunnel::Vxlan => "vxlan",
            Tunnel::Geneve => "geneve",
            Tunnel::Teredo => "teredo",
            Tunnel::GtpU => "gtp",
        }
    }
}

/// Why a packet did not reach the flow table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// A link type that is not understood.
    UnknownLink,
    /// The link header is cut or malformed.
    BadLink,
    /// Neither IPv4 nor IPv6 nor ARP (spanning tree and so on).
    NotIp,
    /// The IP header is cut or malformed.
    BadIp,
    /// The transport header is cut or malformed.
    BadTransport,
    /// More encapsulations than [`NESTING_MAX`].
    Nesting,
    /// Fragments that never became a whole datagram in time.
    FragmentTimeout,
    /// Fragments let go of because their table was full.
    FragmentLimit,
    /// Fragments that contradict each other or run past the end of any datagram.
    BadFragment,
    /// A checksum is wrong, where they are verified.
    BadChecksum,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Refusal; 10] = [
        Refusal::UnknownLink,
        Refusal::BadLink,
        Refusal::NotIp,
        Refusal::BadIp,
        Refusal::BadTransport,
        Refusal::Nesting,
        Refusal::FragmentTimeout,
        Refusal::FragmentLimit,
        Refusal::BadFragment,
        Refusal::BadChecksum,
    ];

    /// The name in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::UnknownLink => "unknown_link",
            Refusal::BadLink => "bad_link",
            Refusal::NotIp => "not_ip",
            Refusal::BadIp => "bad_ip",
            Refusal::BadTransport => "bad_transport",
            Refusal::Nesting => "nesting",
            Refusal::FragmentTimeout => "fragment_timeout",
            Refusal::FragmentLimit => "fragment_limit",
            Refusal::BadFragment => "bad_fragment",
            Refusal::BadChecksum => "bad_checksum",
        }
    }
}

/// Why decoding stopped before a flow was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It is a fragment; the rest of its datagram is awaited.
    Held,
    /// It has no flow because it is ARP; it goes on like a packet of a flow.
    Arp(ArpPacket),
    /// It will not be looked at.
    Refused(Refusal),
}

/// What became of a packet.
pub type Outcome<'a> = Result<Decoded<'a>, Stop>;

/// Packets that went through decode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecodeCounts {
    /// What came in.
    pub taken: u64,
    /// What went on to the flow table, or past it (ARP).
    pub given: u64,
    /// By reason, in the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
}

/// Decodes packets; keeps fragments between them.
#[derive(Debug, Default)]
pub struct Decoder {
    checksums: Checksums,
    fragments: Fragments,
    counts: DecodeCounts,
    odd: Odd,
}

impl Decoder {
    /// A decoder that keeps fragments within limits.
    pub fn new(limits: FragmentLimits, checksums: Checksums) -> Decoder {
        Decoder { checksums, fragments: Fragments::new(limits), counts: DecodeCounts::default(), odd: Odd::default() }
    }

    /// From now on this is done about wrong checksums.
    pub fn set_checksums(&mut self, checksums: Checksums) {
        self.checksums = checksums;
    }

    /// From now on somebody asks what is odd about packets, or nobody.
    pub fn set_odd_wanted(&mut self, wanted: bool) {
        self.odd = Odd::new(wanted);
    }

    /// Decodes a packet. A datagram that it completes is put together in `whole`.
    pub fn decode<'a>(&mut self, packet: &Packet<'a>, whole: &'a mut Vec<u8>) -> Outcome<'a> {
        self.decode_all(packet, whole, &mut Vec::new())
    }

    /// The same. Where somebody asks what is odd about packets, those that carried others are put into `carriers`, the
    /// outermost first.
    pub fn decode_all<'a>(
        &mut self,
        packet: &Packet<'a>,
        whole: &'a mut Vec<u8>,
        carriers: &mut Vec<Decoded<'a>>,
    ) -> Outcome<'a> {
        self.counts.taken += 1;
        self.fragments.next_packet();
        if self.odd.is_wanted() {
            self.odd = Odd::new(true);
        }
        let mut walk = Walk {
            verify: self.checksums == Checksums::Verify,
            fragments: &mut self.fragments,
            odd: &mut self.odd,
            carriers,
            whole: Some(whole),
            time_ns: packet.time_ns,
            vlan: packet.vlan,
            vlans: Vlans::default(),
            tunnel: None,
            depth: 0,
            packets: 1,
            bytes: u64::from(packet.original_length).max(packet.bytes.len() as u64),
        };
        if let Some(tag) = packet.vlan {
            walk.vlans.add(tag);
        }
        let outcome = walk.link(packet.link, packet.bytes);
        let packets = walk.packets;
        match &outcome {
            Ok(decoded) => self.counts.given += u64::from(decoded.packets),
            Err(Stop::Arp(_)) => self.counts.given += u64::from(packets),
            Err(Stop::Refused(reason)) => self.refuse(*reason, packets),
            Err(Stop::Held) => {}
        }
        self.note_lost_fragments();
        outcome
    }

    /// Lets go of fragments that have waited too long; `time_ns` is packet time.
    pub fn tick(&mut self, time_ns: i64) {
        self.fragments.expire(time_ns);
        self.note_lost_fragments();
    }

    /// Lets go of all fragments: no more packets will come.
    pub fn finish(&mut self) {
        self.fragments.expire(i64::MAX);
        self.note_lost_fragments();
    }

    /// Packets so far.
    pub fn counts(&self) -> &DecodeCounts {
        &self.counts
    }

    /// A name for the datagram that the latest packet is a fragment of, the same for all its fragments.
    pub fn datagram(&self) -> Option<[u8; 20]> {
        self.fragments.datagram()
    }

    /// What was odd about the latest packet.
    pub fn odd(&self) -> &Odd {
        &self.odd
    }

    /// Fragments that wait for the rest of their datagram.
    pub fn held(&self) -> u64 {
        self.fragments.held()
    }

    fn note_lost_fragments(&mut self) {
        for (reason, packets) in self.fragments.take_lost() {
            self.refuse(reason, packets);
        }
    }

    fn refuse(&mut self, reason: Refusal, packets: u32) {
        if let Some(count) = self.counts.refused.get_mut(reason as usize) {
            *count += u64::from(packets);
        }
    }
}

/// One packet's way through its headers.
struct Walk<'a, 'd> {
    /// Whether checksums are verified.
    verify: bool,
    fragments: &'d mut Fragments,
    odd: &'d mut Odd,
    carriers: &'d mut Vec<Decoded<'a>>,
    /// Where a completed datagram is put together; gone once used, so that a packet completes one datagram at most.
    whole: Option<&'a mut Vec<u8>>,
    time_ns: i64,
    vlan: Option<u16>,
    vlans: Vlans,
    tunnel: Option<Tunnel>,
    depth: u8,
    packets: u32,
    bytes: u64,
}

fn refused<'a>(reason: Refusal) -> Outcome<'a> {
    Err(Stop::Refused(reason))
}

#[cfg(test)]
mod tests;
