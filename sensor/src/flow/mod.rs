//! Flows: which packets belong together, who opened the conversation, and the bytes of TCP in order.
//!
//! Comes in: a [`Decoded`](crate::decode::Decoded) packet. Goes out: stream bytes and gaps of one side
//! ([`reassembly`]), and one `flow` event when a flow ends ([`record`]). The table has a ceiling: the flow that was
//! silent longest is ended early (`evicted`) and counted. Time is packet time; flows end by themselves after a silence
//! that depends on how far they came ([`FlowLimits`]). Nothing survives a restart.

pub mod key;
pub mod overlap;
pub mod reassembly;
pub mod record;
pub mod shape;
pub mod table;
pub mod tcp;

use std::net::IpAddr;

use luytre_events::{CommunityId, FlowContext, Transport};
use serde::Deserialize;

use crate::decode::Tunnel;
use key::FlowKey;
use shape::Shape;
use tcp::Tcp;

/// How long flows live and how much they may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlowLimits {
    /// The most flows at a time.
    pub flows: usize,
    /// The most bytes of out-of-order TCP data that wait for a hole to be filled, all flows together.
    pub reassembly_bytes: usize,
    /// The same for one direction of one flow.
    pub reassembly_flow_bytes: usize,
    /// The most bytes of flows whose protocol is not known yet, all flows together; beyond, no more is looked at of the flow
    /// that wants to keep some.
    pub undecided_bytes: usize,
    /// Silence after which a TCP flow ends that was seen from both sides, in seconds.
    pub tcp_open_s: u32,
    /// Silence after which a TCP flow ends that was seen from one side only, in seconds.
    pub tcp_new_s: u32,
    /// How long a closed TCP flow is remembered, in seconds.
    pub tcp_closed_s: u32,
    /// Silence after which a UDP flow ends that was answered, in seconds.
    pub udp_open_s: u32,
    /// Silence after which a UDP flow ends that was not answered, in seconds.
    pub udp_new_s: u32,
    /// Silence after which an ICMP flow ends, in seconds.
    pub icmp_s: u32,
    /// Silence after which any other flow ends, in seconds.
    pub other_s: u32,
}

impl Default for FlowLimits {
    fn default() -> Self {
        FlowLimits {
            flows: 524_288,
            reassembly_bytes: 64 << 20,
            reassembly_flow_bytes: 256 << 10,
            undecided_bytes: 64 << 20,
            tcp_open_s: 3600,
            tcp_new_s: 60,
            tcp_closed_s: 10,
            udp_open_s: 300,
            udp_new_s: 60,
            icmp_s: 30,
            other_s: 60,
        }
    }
}

/// Why a flow ended: `flow.end_reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// Both sides closed it.
    Fin,
    /// One side broke it off.
    Rst,
    /// It was silent for too long.
    Timeout,
    /// The table was full.
    Evicted,
    /// The capture is over.
    Shutdown,
}

impl EndReason {
    /// The name in the event.
    pub fn name(self) -> &'static str {
        match self {
            EndReason::Fin => "fin",
            EndReason::Rst => "rst",
            EndReason::Timeout => "timeout",
            EndReason::Evicted => "evicted",
            EndReason::Shutdown => "shutdown",
        }
    }
}

/// One of the two ends of a flow: its place in [`FlowKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The lower address and port.
    A,
    /// The higher one.
    B,
}

impl Side {
    /// The other end.
    pub fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

/// One value for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Both<T> {
    a: T,
    b: T,
}

impl<T> Both<T> {
    /// The value of a side.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    /// The value of a side.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}

/// What one side sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SideCounts {
    /// Packets.
    pub packets: u64,
    /// Bytes on the wire, frame headers included.
    pub bytes: u64,
}

/// Who takes part in a flow, as its events tell it.
#[derive(Debug, Clone)]
pub struct Identity {
    key: FlowKey,
    ends: Both<(IpAddr, u16)>,
    client: Side,
    vlan: Option<u16>,
    community_id: Option<CommunityId>,
    /// The application protocol, once known.
    pub protocol: Option<&'static str>,
    /// Names of the oddities that have been told as events of this flow.
    told: Vec<&'static str>,
}

/// The most oddities that are told of one flow; beyond, they are only counted.
const TOLD_MAX: usize = 16;

impl Identity {
    /// Of a flow whose first packet went from `source` (which is `client`'s counterpart where the port said so).
    pub fn new(key: FlowKey, source: (IpAddr, u16), destination: (IpAddr, u16), side: Side, vlan: Option<u16>) -> Self {
        let (a, b) = if side == Side::A { (source, destination) } else { (destination, source) };
        Identity { key, ends: Both { a, b }, client: side, vlan, community_id: None, protocol: None, told: Vec::new() }
    }

    /// The side that opened the flow.
    pub fn client(&self) -> Side {
        self.client
    }

    /// Says which side opened the flow, when it is known better than by the first packet.
    pub fn set_client(&mut self, side: Side) {
        self.client = side;
    }

    /// Notes that an oddity is told; false if it was told before, or if enough were.
    pub fn tell_once(&mut self, anomaly: &'static str) -> bool {
        let fresh = self.told.len() < TOLD_MAX && !self.told.contains(&anomaly);
        if fresh {
            self.told.push(anomaly);
        }
        fresh
    }

    /// The transport protocol.
    pub fn transport(&self) -> Transport {
        self.key.transport()
    }

    /// Ports of client and server.
    pub fn ports(&self) -> (u16, u16) {
        (self.ends.of(self.client).1, self.ends.of(self.client.other()).1)
    }

    /// Address and port of client and server.
    pub fn ends(&self) -> ((IpAddr, u16), (IpAddr, u16)) {
        (*self.ends.of(self.client), *self.ends.of(self.client.other()))
    }

    /// Its Community ID.
    pub fn community_id(&mut self) -> CommunityId {
        *self.community_id.get_or_insert_with(|| self.key.community_id())
    }

    /// The envelope of this flow's events.
    pub fn context(&mut self) -> FlowContext {
        let community_id = self.community_id();
        FlowContext {
            source: *self.ends.of(self.client),
            destination: *self.ends.of(self.client.other()),
            transport: self.key.transport(),
            vlan: self.vlan,
            community_id,
            protocol: self.protocol.map(Into::into),
        }
    }
}

/// How much of a flow is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlowDetail {
    /// As much as there is.
    #[default]
    Whole,
    /// It was, until detail was given up.
    Part,
    /// Detail had been given up before its first packet.
    None,
}

impl FlowDetail {
    /// The name in the event, where there is something to say.
    pub fn name(self) -> Option<&'static str> {
        match self {
            FlowDetail::Whole => None,
            FlowDetail::Part => Some("part"),
            FlowDetail::None => Some("none"),
        }
    }
}

/// One flow; `A` is what the application layer keeps for it.
#[derive(Debug)]
pub struct Flow<A> {
    /// Who takes part.
    pub identity: Identity,
    /// Number of its first packet in the capture.
    pub first_packet: u64,
    /// Time of its first packet, nanoseconds since 1970-01-01 UTC.
    pub start_ns: i64,
    /// Time of its latest packet.
    pub last_ns: i64,
    /// What each side sent.
    pub sent: Both<SideCounts>,
    /// The state of TCP; unused by others.
    pub tcp: Tcp,
    /// What it looks like from outside.
    pub shape: Shape,
    /// What carried it.
    pub tunnel: Option<Tunnel>,
    /// How much of it is looked into.
    pub detail: FlowDetail,
    /// What signatures remember of it.
    pub inspection: Option<Box<crate::signatures::flow::FlowInspection>>,
    /// What the application layer keeps.
    pub app: A,
}

impl<A> Flow<A> {
    /// Whether both sides have spoken.
    pub fn answered(&self) -> bool {
        self.sent.a.packets > 0 && self.sent.b.packets > 0
    }
}
