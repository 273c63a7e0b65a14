//! One shard of the traffic from decoded packets to events: flow table, reassembly, protocols, files.
//!
//! Comes in: packets of the flows that belong to the shard, each with its number in the capture, and ticks of packet
//! time. Goes out: events through an [`EventSink`], in an order that depends on the packets alone. A shard never looks at
//! another one, so shards may be spread over any number of threads without changing what comes out. Its ceilings are its
//! share of the sensor's ([`SHARDS`]).

mod carriers;
mod counts;
mod report;
mod settings;

use std::net::IpAddr;
use std::sync::Arc;

use luytre_events::{DatasetId, Event, EventId, FieldId, FlowContext, Transport, Value};
use luytre_rules_engine::signatures::Alert;

use crate::canary;
use crate::decode::Decoded;
use crate::expected::Waiting;
use crate::files::Carver;
use crate::flow::overlap::Overlap;
use crate::flow::reassembly::{Budget, StreamSink};
use crate::flow::shape::Shape;
use crate::flow::table::{Class, Place, Table};
use crate::flow::tcp::{Sinks, Tcp, flag};
use crate::flow::{EndReason, Flow, FlowDetail, FlowLimits, Identity, Side};
use crate::networks::Networks;
use crate::packets::Member;
use crate::pipeline::{Routed, RoutedArp, RoutedOdd};
use crate::protocols::anomaly::Anomaly;
use crate::protocols::detection::{Detection, Finding, Held};
use crate::protocols::{
    ArpTeller, BufferId, Direction, End, Expected, FileMeta, FilePlace, FileToken, Output, Parser, Progress, Protocol,
};
use crate::signatures::Inspection;

use carriers::Carriers;
use report::record;

pub use counts::{Spared, WorkerCounts};
pub use settings::{Detail, Muted, WorkerSettings};

/// Into how many shards the traffic of a capture file is divided, whatever the number of threads.
pub const SHARDS: usize = 16;

/// Where events go.
pub trait EventSink {
    /// One event; `id.sequence` is not set yet.
    fn event(&mut self, event: Event);
}

/// What the application layer knows of a flow.
enum Conversation {
    /// No bytes yet, or not enough to tell.
    Unknown(Option<Box<Detection>>),
    /// The protocol is known.
    Spoken(Box<dyn Parser>),
    /// Nothing more to learn.
    Over,
}

/// What the parts of a shard share while one flow is worked on.
struct Shared {
    sensor: Arc<str>,
    overlap: Arc<Overlap>,
    budget: Budget,
    carver: Carver,
    waiting: Waiting,
    signatures: Inspection,
    /// Bytes kept of flows whose protocol is not known yet, and the most there may be.
    undecided_bytes: (usize, usize),
    detail: Detail,
    muted: Arc<Muted>,
    networks: Arc<Networks>,
    canaries: Option<Arc<canary::watch::Watch>>,
    counts: WorkerCounts,
}

/// A shard.
pub struct Worker {
    table: Table<Conversation>,
    carriers: Carriers,
    arp: ArpTeller,
    shared: Shared,
    members: bool,
    /// The flow of the latest packet.
    member: Option<Member>,
}

impl Worker {
    /// A shard that takes a `1/parts` share of the limits.
    pub fn new(settings: &WorkerSettings, parts: usize) -> Worker {
        let parts = parts.max(1);
        let limits = &settings.flow;
        let budget = budget(limits, parts, 0);
        let carver = Carver::new(&settings.files, parts, settings.store.clone());
        let shared = Shared {
            sensor: settings.sensor.clone(),
            overlap: settings.overlap.clone(),
            budget,
            carver,
            waiting: Waiting::default(),
            signatures: Inspection::new(settings.rules.clone(), settings.probe.clone()),
            undecided_bytes: (0, limits.undecided_bytes / parts),
            detail: Detail::All,
            muted: settings.muted.clone(),
            networks: settings.networks.clone(),
            canaries: settings.canaries.clone(),
            counts: WorkerCounts::default(),
        };
        Worker {
            table: Table::new(limits, limits.flows / parts),
            carriers: Carriers::new(limits, parts),
            arp: ArpTeller::default(),
            shared,
            members: settings.members,
            member: None,
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> WorkerCounts {
        WorkerCounts {
            files: self.shared.carver.counts(),
            signatures: self.shared.signatures.counts(),
            ..self.shared.counts.clone()
        }
    }

    /// How many flows live.
    pub fn flows(&self) -> usize {
        self.table.len()
    }

    /// Goes on by other settings: limits, overlaps, what is muted, networks, signatures. Flows that live stay, and what they have begun
    /// is finished; a table that is now too full is brought down with each flow that comes.
    pub fn adopt(&mut self, settings: &WorkerSettings, parts: usize) {
        let (parts, limits) = (parts.max(1), &settings.flow);
        self.table.set_limits(limits, limits.flows / parts);
        self.shared.budget = budget(limits, parts, self.shared.budget.used_bytes);
        self.shared.undecided_bytes.1 = limits.undecided_bytes / parts;
        self.shared.overlap = settings.overlap.clone();
        self.shared.muted = settings.muted.clone();
        self.shared.networks = settings.networks.clone();
        self.shared.signatures.replace(settings.rules.clone());
    }

    /// From now on only these flows are looked into.
    pub fn set_detail(&mut self, detail: Detail) {
        self.shared.detail = detail;
    }

    /// A packet of this shard.
    pub fn packet(&mut self, routed: &Routed<'_>, out: &mut dyn EventSink) {
        let Routed { time_ns, side, packet, .. } = routed;
        let (time_ns, side) = (*time_ns, *side);
        self.shared.counts.packets += u64::from(packet.packets);
        let place = self.place(routed, out);
        let Some(flow) = self.table.get_mut(place) else { return };
        flow.last_ns = flow.last_ns.max(time_ns);
        let sent = flow.sent.of_mut(side);
        sent.packets += u64::from(packet.packets);
        sent.bytes += packet.bytes;
        let payload_bytes = match &packet.tcp {
            Some(header) => header.payload_length,
            None => u32::try_from(packet.payload.len()).unwrap_or(u32::MAX),
        };
        flow.shape.packet(side, time_ns, payload_bytes);
        if canary::begins(packet.payload) && packet.tcp.is_none() {
            see_canary(flow, time_ns, packet.payload, &mut self.shared, out);
        }
        if self.shared.detail == Detail::None && !matches!(flow.app, Conversation::Over) {
            let_go(flow, time_ns, &mut self.shared, out);
        }
        self.shared.counts.spared.packet(flow.detail, packet);
        self.shared.signatures.enter(&mut flow.inspection);
        work(flow, time_ns, side, packet, &mut self.shared, out);
        inspect(flow, time_ns, side, packet, &mut self.shared, out);
        if self.members {
            let sum_bytes = flow.sent.of(Side::A).bytes + flow.sent.of(Side::B).bytes;
            self.member = Some(Member {
                community_id: flow.identity.community_id(),
                before_bytes: sum_bytes.saturating_sub(packet.bytes),
                protocol: flow.identity.protocol,
            });
        }
        let class = class(flow);
        self.table.touch(place, class, routed.clock_ns);
    }

    /// A packet of ARP, which has no flow.
    pub fn arp(&mut self, routed: &RoutedArp, out: &mut dyn EventSink) {
        self.shared.counts.packets += 1;
        match self.arp.tell(routed.time_ns, &routed.packet) {
            Ok(body) => self.shared.event(routed.time_ns, None, body, out),
            Err(limit) => self.shared.anomaly(limit, 1),
        }
    }

    /// What was odd about a packet: rules may ask for it.
    pub fn odd(&mut self, routed: &RoutedOdd, out: &mut dyn EventSink) {
        let alerts = self.shared.signatures.odd_packet(routed.time_ns, &routed.odd);
        for body in alerts.into_iter().filter_map(|alert| self.shared.signatures.event(alert)).collect::<Vec<_>>() {
            self.shared.event(routed.time_ns, None, body, out);
        }
    }

    /// The flow of the packet that came last, where it was not asked for yet ([`WorkerSettings::members`]).
    pub fn take_member(&mut self) -> Option<Member> {
        self.member.take()
    }

    /// The flows that have been silent for too long: number of the first packet of each, and where the flow is. The caller
    /// brings the flows of several shards into one order before each is [ended](Worker::end); they stay in their table
    /// until then, because all together may be most of what the sensor keeps.
    pub fn silent(&self, clock_ns: i64) -> impl Iterator<Item = (u64, Place)> {
        self.table.expired(clock_ns)
    }

    /// The same of all flows: the capture is over.
    pub fn left(&self) -> impl Iterator<Item = (u64, Place)> {
        self.table.places()
    }

    /// Ends a flow; `over` says that the capture is over.
    pub fn end(&mut self, place: Place, over: bool, out: &mut dyn EventSink) {
        let Some(flow) = self.table.remove(place) else { return };
        let reason = match silent_reason(&flow) {
            EndReason::Timeout if over => EndReason::Shutdown,
            reason => reason,
        };
        end(flow, reason, &mut self.shared, out);
        self.table.release();
    }

    /// Finds the packet's flow or begins one.
    fn place(&mut self, routed: &Routed<'_>, out: &mut dyn EventSink) -> Place {
        let Routed { packet, key, side, .. } = routed;
        let (key, side) = (*key, *side);
        let mut asked = None;
        if let Some(place) = self.table.find(&key) {
            let again = match (&packet.tcp, self.table.get_mut(place)) {
                (Some(header), Some(flow)) => flow.tcp.is_new_connection(side, header, routed.time_ns - flow.last_ns),
                _ => false,
            };
            if !again {
                return place;
            }
            if let Some(flow) = self.table.remove(place) {
                asked = packet.tcp.as_ref().and_then(|header| flow.tcp.asked_for(header));
                let reason = silent_reason(&flow);
                end(flow, reason, &mut self.shared, out);
            }
        }
        // Two at a time, so that a table whose ceiling was lowered comes down to it without stopping the work.
        for _ in 0..2 {
            if !self.table.is_full() {
                break;
            }
            let Some(flow) = self.table.oldest().and_then(|place| self.table.remove(place)) else { break };
            self.shared.counts.evicted += 1;
            end(flow, EndReason::Evicted, &mut self.shared, out);
        }
        self.shared.counts.flows += 1;
        let mut flow = begin(routed, Conversation::Unknown(None));
        if flow.identity.transport() == Transport::TCP {
            flow.tcp.opened_by(asked);
            *flow.tcp.policy.of_mut(side) = self.shared.overlap.of(routed.packet.addresses.1);
            *flow.tcp.policy.of_mut(side.other()) = self.shared.overlap.of(routed.packet.addresses.0);
        }
        let (client, server) = flow.identity.ends();
        let expected = self.shared.waiting.take(routed.time_ns, client.0, server, flow.identity.transport());
        if let Some((protocol, parser)) = expected {
            flow.identity.protocol = Some(protocol);
            let muted = self.shared.muted.protocol(protocol);
            flow.app = if muted { Conversation::Over } else { Conversation::Spoken(parser) };
        }
        if self.shared.detail != Detail::All {
            flow.app = Conversation::Over;
            flow.detail = FlowDetail::None;
            self.shared.counts.spared.flows += 1;
        }
        let class = class(&flow);
        self.table.insert(key, flow, class, routed.clock_ns)
    }
}

fn budget(limits: &FlowLimits, parts: usize, used_bytes: usize) -> Budget {
    let limit_bytes = limits.reassembly_bytes / parts;
    Budget { used_bytes, limit_bytes, stream_limit_bytes: limits.reassembly_flow_bytes.min(limit_bytes) }
}

fn begin<A>(routed: &Routed<'_>, app: A) -> Flow<A> {
    let Routed { time_ns, packet, side, .. } = routed;
    let (time_ns, side) = (*time_ns, *side);
    let source = (packet.addresses.0, packet.ports.0);
    let destination: (IpAddr, u16) = (packet.addresses.1, packet.ports.1);
    let mut identity = Identity::new(routed.key, source, destination, side, packet.vlan);
    if let Some(header) = &packet.tcp
        && answers(header.flags, packet.ports)
    {
        identity.set_client(side.other());
    }
    Flow {
        identity,
        first_packet: routed.number,
        start_ns: time_ns,
        last_ns: time_ns,
        sent: Default::default(),
        tcp: Tcp::default(),
        shape: Shape::default(),
        tunnel: packet.tunnel,
        detail: FlowDetail::Whole,
        inspection: None,
        app,
    }
}

/// Looks at what begins like a canary, whatever else is given up.
fn see_canary(
    flow: &mut Flow<Conversation>,
    time_ns: i64,
    payload: &[u8],
    shared: &mut Shared,
    out: &mut dyn EventSink,
) {
    let Some(canaries) = shared.canaries.clone() else { return };
    let sight = canaries.see(time_ns, payload, || flow.identity.context());
    if sight != canary::watch::Sight::Forged {
        finish_protocol(flow, time_ns, shared, out);
        flow.identity.protocol = Some(canary::NAME);
    }
    if let Some(anomaly) = sight.anomaly() {
        let identity = &mut flow.identity;
        FlowOutput { time_ns, identity, shared, out }.anomaly(anomaly);
    }
}

/// Ends the protocol's work of a flow whose detail is given up; it reports what it has.
fn let_go(flow: &mut Flow<Conversation>, time_ns: i64, shared: &mut Shared, out: &mut dyn EventSink) {
    flow.detail = FlowDetail::Part;
    shared.counts.spared.flows += 1;
    finish_protocol(flow, time_ns, shared, out);
    for side in [Side::A, Side::B] {
        flow.tcp.streams.of_mut(side).forget(&mut shared.budget);
    }
}

/// Lets the flow's parser report what is open; its bytes go nowhere afterwards.
fn finish_protocol(flow: &mut Flow<Conversation>, time_ns: i64, shared: &mut Shared, out: &mut dyn EventSink) {
    let Flow { identity, app, shape, .. } = flow;
    let side = identity.client();
    Feed { time_ns, may_turn: false, side, identity, app, shape, shared, out }.finish();
}

/// Whether the first TCP packet seen of a flow comes from the side that was called: it answers a SYN, or it is under way
/// and only its sender's port belongs to a service.
fn answers(flags: u8, ports: (u16, u16)) -> bool {
    const SYSTEM_PORTS_END: u16 = 1024;
    match flags & (flag::SYN | flag::ACK) {
        flag::SYN => false,
        both if both == flag::SYN | flag::ACK => true,
        _ => ports.0 < SYSTEM_PORTS_END && ports.1 >= SYSTEM_PORTS_END,
    }
}

fn class<A>(flow: &Flow<A>) -> Class {
    match flow.identity.transport() {
        Transport::TCP if flow.tcp.reset || flow.tcp.finished() => Class::TcpClosed,
        Transport::TCP if flow.answered() => Class::TcpOpen,
        Transport::TCP => Class::TcpNew,
        Transport::UDP if flow.answered() => Class::UdpOpen,
        Transport::UDP => Class::UdpNew,
        Transport::ICMP | Transport::ICMPV6 => Class::Icmp,
        _ => Class::Other,
    }
}

/// Why a flow ended that has fallen silent.
fn silent_reason(flow: &Flow<Conversation>) -> EndReason {
    if flow.tcp.reset {
        EndReason::Rst
    } else if flow.tcp.finished() {
        EndReason::Fin
    } else {
        EndReason::Timeout
    }
}

/// Takes a packet through reassembly and protocol.
fn work(
    flow: &mut Flow<Conversation>,
    time_ns: i64,
    side: Side,
    packet: &Decoded<'_>,
    shared: &mut Shared,
    out: &mut dyn EventSink,
) {
    let first = flow.sent.of(side.other()).packets == 0 && flow.sent.of(side).packets <= u64::from(packet.packets);
    let Flow { identity, tcp, app, shape, .. } = flow;
    if let Some(header) = &packet.tcp {
        tcp.note(side, header, time_ns, first);
        let dies = tcp.dies_on_the_way(side, packet.hops_left) && (header.payload_length > 0 || tcp.reset);
        if matches!(app, Conversation::Over) && !shared.signatures.is_on() {
            tcp.follow(side, header);
            return;
        }
        let before = tcp.streams.of(side).counts;
        let mut budget = shared.budget;
        let mut feed = Feed { time_ns, may_turn: tcp.midstream, side, identity, app, shape, shared, out };
        tcp.advance(side, header, packet.payload, &mut budget, &mut feed);
        if tcp.finished() {
            feed.finish();
        }
        let over = matches!(app, Conversation::Over) && !shared.signatures.is_on();
        if over {
            tcp.streams.of_mut(Side::A).forget(&mut budget);
            tcp.streams.of_mut(Side::B).forget(&mut budget);
        }
        shared.budget = budget;
        let after = tcp.streams.of(side).counts;
        let mut output = FlowOutput { time_ns, identity, shared, out };
        if after.conflicting > before.conflicting {
            output.anomaly("tcp.conflicting_overlap");
        }
        if after.out_of_window > before.out_of_window {
            output.anomaly("tcp.out_of_window");
        }
        if after.urgent > before.urgent {
            output.anomaly("tcp.urgent_data");
        }
        if dies {
            output.anomaly("tcp.few_hops_left");
        }
    } else if identity.transport() == Transport::UDP && !packet.payload.is_empty() {
        Feed { time_ns, may_turn: true, side, identity, app, shape, shared, out }.datagram(packet.payload);
    }
}

/// Lets signatures look at a packet that has been worked on.
fn inspect(
    flow: &mut Flow<Conversation>,
    time_ns: i64,
    side: Side,
    packet: &Decoded<'_>,
    shared: &mut Shared,
    out: &mut dyn EventSink,
) {
    let unrecognised = flow.identity.protocol.is_none() && matches!(flow.app, Conversation::Over);
    let alerts = shared.signatures.packet(flow, side, packet, time_ns, unrecognised);
    shared.alerts(time_ns, &mut flow.identity, alerts, out);
}

/// Hands over what is left of a flow and reports it.
fn end(mut flow: Flow<Conversation>, reason: EndReason, shared: &mut Shared, out: &mut dyn EventSink) {
    let time_ns = flow.last_ns;
    shared.signatures.enter(&mut flow.inspection);
    let unrecognised = flow.identity.protocol.is_none() && matches!(flow.app, Conversation::Over);
    let Flow { identity, tcp, app, shape, .. } = &mut flow;
    if !matches!(app, Conversation::Over) || shared.signatures.is_on() {
        let mut budget = shared.budget;
        let mut feed =
            Feed { time_ns, may_turn: tcp.midstream, side: identity.client(), identity, app, shape, shared, out };
        for side in [feed.side, feed.side.other()] {
            tcp.streams.of_mut(side).finish(&mut budget, feed.of(side));
        }
        feed.finish();
        shared.budget = budget;
    }
    let alerts = shared.signatures.end(&mut flow, time_ns, unrecognised);
    shared.alerts(time_ns, &mut flow.identity, alerts, out);
    for side in [Side::A, Side::B] {
        let counts = flow.tcp.streams.of(side).counts;
        shared.anomaly("tcp.gap", u64::from(counts.missed > 0));
        shared.anomaly("tcp.reassembly_limit", u64::from(counts.refused > 0));
    }
    let record = record(&flow, reason);
    let mut output = FlowOutput { time_ns, identity: &mut flow.identity, shared, out };
    output.event(record.into_body());
}

impl Shared {
    /// Notes that a flow keeps more or fewer bytes than before.
    fn undecided(&mut self, before: usize, after: usize) {
        let (kept, _) = &mut self.undecided_bytes;
        *kept = (*kept + after).saturating_sub(before);
    }

    fn event(
        &mut self,
        time_ns: i64,
        flow: Option<FlowContext>,
        (dataset, mut fields): (DatasetId, Vec<(FieldId, Value)>),
        out: &mut dyn EventSink,
    ) {
        if let Some(flow) = &flow {
            self.networks.tell(flow, &mut fields);
        }
        let event = Event { id: EventId { sensor: self.sensor.clone(), sequence: 0 }, time_ns, dataset, flow, fields };
        *self.counts.events.entry(event.dataset_name()).or_default() += 1;
        out.event(event);
    }

    /// Tells what signatures have found.
    fn alerts(&mut self, time_ns: i64, identity: &mut Identity, alerts: Vec<Alert>, out: &mut dyn EventSink) {
        for body in alerts.into_iter().filter_map(|alert| self.signatures.event(alert)).collect::<Vec<_>>() {
            self.event(time_ns, Some(identity.context()), body, out);
        }
    }

    fn anomaly(&mut self, name: &'static str, count: u64) {
        if count > 0 {
            *self.counts.anomalies.entry(name).or_default() += count;
        }
    }
}

/// Takes the bytes of one flow to its protocol, which it finds first.
struct Feed<'f> {
    time_ns: i64,
    /// Whether client and server may still turn out to be the other way round.
    may_turn: bool,
    side: Side,
    identity: &'f mut Identity,
    app: &'f mut Conversation,
    shape: &'f mut Shape,
    shared: &'f mut Shared,
    out: &'f mut dyn EventSink,
}

impl Sinks for Feed<'_> {
    fn of(&mut self, side: Side) -> &mut dyn StreamSink {
        self.side = side;
        self
    }
}

impl StreamSink for Feed<'_> {
    fn data(&mut self, bytes: &[u8]) {
        let direction = self.direction();
        self.shared.signatures.stream(direction, bytes);
        match self.app {
            Conversation::Spoken(_) => self.parse(direction, bytes),
            Conversation::Unknown(search) => {
                self.shape.unknown(self.side, bytes);
                let ports = self.identity.ports();
                let search = search.get_or_insert_default();
                let before = search.kept_bytes();
                let finding = search.stream(direction, bytes, ports);
                self.shared.undecided(before, search.kept_bytes());
                self.decide(finding, direction, bytes);
            }
            Conversation::Over => {}
        }
    }

    fn gap(&mut self, length: u64) {
        let direction = self.direction();
        self.shared.signatures.gap(direction, length);
        match self.app {
            Conversation::Spoken(_) => self.parse_gap(direction, length),
            Conversation::Unknown(search) => {
                let search = search.get_or_insert_default();
                let before = search.kept_bytes();
                let finding = search.gap(direction, length);
                self.shared.undecided(before, search.kept_bytes());
                self.decide(finding, direction, &[]);
            }
            Conversation::Over => {}
        }
    }
}

impl Feed<'_> {
    fn direction(&self) -> Direction {
        if self.side == self.identity.client() { Direction::ToServer } else { Direction::ToClient }
    }

    fn datagram(&mut self, bytes: &[u8]) {
        let direction = self.direction();
        match self.app {
            Conversation::Spoken(_) => self.parse(direction, bytes),
            Conversation::Unknown(search) => {
                self.shape.unknown(self.side, bytes);
                let ports = self.identity.ports();
                let search = search.get_or_insert_default();
                let before = search.kept_bytes();
                let finding = search.datagram(direction, bytes, ports);
                self.shared.undecided(before, search.kept_bytes());
                self.decide(finding, direction, bytes);
            }
            Conversation::Over => {}
        }
    }

    fn decide(&mut self, finding: Finding, direction: Direction, bytes: &[u8]) {
        match finding {
            Finding::Undecided => {
                let (kept, most) = self.shared.undecided_bytes;
                if kept > most {
                    self.shared.anomaly("flow.undecided_limit", 1);
                    self.give_up_search();
                }
            }
            Finding::Unknown => self.give_up_search(),
            Finding::Found { protocol, reversed, held } => {
                self.give_up_search();
                // A SYN has said for certain who called.
                let reversed = reversed && self.may_turn;
                self.begin(protocol, reversed, held, direction, bytes);
            }
        }
    }

    fn begin(
        &mut self,
        protocol: &'static Protocol,
        reversed: bool,
        held: Vec<Held>,
        direction: Direction,
        bytes: &[u8],
    ) {
        self.identity.protocol = Some(protocol.name);
        self.shape.known();
        if reversed {
            self.identity.set_client(self.identity.client().other());
        }
        if self.shared.muted.protocol(protocol.name) {
            return;
        }
        *self.app = Conversation::Spoken((protocol.parser)(self.identity.transport()));
        let turn = |direction: Direction| match (reversed, direction) {
            (true, Direction::ToServer) => Direction::ToClient,
            (true, Direction::ToClient) => Direction::ToServer,
            (false, direction) => direction,
        };
        if held.is_empty() {
            self.parse(turn(direction), bytes);
        }
        for held in held {
            match held {
                Held::Data(direction, bytes) => self.parse(turn(direction), &bytes),
                Held::Gap(direction, length) => self.parse_gap(turn(direction), length),
            }
        }
    }

    fn parse(&mut self, direction: Direction, bytes: &[u8]) {
        self.shared.signatures.feeding(direction);
        self.with_parser(|parser, output| parser.data(output, direction, bytes));
    }

    fn parse_gap(&mut self, direction: Direction, length: u64) {
        self.with_parser(|parser, output| parser.gap(output, direction, length));
    }

    fn with_parser(&mut self, call: impl FnOnce(&mut dyn Parser, &mut dyn Output) -> Progress) {
        let Conversation::Spoken(parser) = self.app else { return };
        let mut output =
            FlowOutput { time_ns: self.time_ns, identity: self.identity, shared: self.shared, out: self.out };
        if call(parser.as_mut(), &mut output) == Progress::Done {
            self.finish();
        }
    }

    /// Lets go of what was kept until the protocol would be known.
    fn give_up_search(&mut self) {
        if let Conversation::Unknown(search) = std::mem::replace(self.app, Conversation::Over) {
            self.shared.undecided(search.map_or(0, |search| search.kept_bytes()), 0);
        }
    }

    /// Lets the parser report what is open; nothing more is handed over afterwards.
    fn finish(&mut self) {
        if matches!(self.app, Conversation::Unknown(_)) {
            self.give_up_search();
        }
        if let Conversation::Spoken(mut parser) = std::mem::replace(self.app, Conversation::Over) {
            let mut output =
                FlowOutput { time_ns: self.time_ns, identity: self.identity, shared: self.shared, out: self.out };
            parser.finish(&mut output);
        }
    }
}

/// What a parser may do, for one flow.
struct FlowOutput<'f> {
    time_ns: i64,
    identity: &'f mut Identity,
    shared: &'f mut Shared,
    out: &'f mut dyn EventSink,
}

impl FlowOutput<'_> {
    /// Counts something odd, and tells it once a flow.
    fn tell_anomaly(&mut self, name: &'static str) {
        self.shared.anomaly(name, 1);
        if !self.shared.muted.anomaly(name) && self.identity.tell_once(name) {
            self.event(Anomaly { name }.into_body());
        }
    }
}

impl Output for FlowOutput<'_> {
    fn time_ns(&self) -> i64 {
        self.time_ns
    }

    fn event(&mut self, (dataset, fields): (DatasetId, Vec<(FieldId, Value)>)) {
        self.shared.event(self.time_ns, Some(self.identity.context()), (dataset, fields), self.out);
    }

    fn anomaly(&mut self, name: &'static str) {
        self.shared.signatures.odd(None, name, true);
        self.tell_anomaly(name);
    }

    fn ends(&self) -> (End, End) {
        self.identity.ends()
    }

    fn expect(&mut self, expected: Expected) {
        let (client, server) = self.identity.ends();
        let caller = if expected.server.0 == client.0 { server.0 } else { client.0 };
        let forgotten = self.shared.waiting.add(self.time_ns, caller, expected);
        self.shared.anomaly("flow.expected_limit", forgotten);
    }

    fn inspects(&self) -> bool {
        self.shared.signatures.is_on()
    }

    fn wants(&self, buffer: BufferId) -> bool {
        self.shared.signatures.wants(buffer)
    }

    fn inspect(&mut self, direction: Direction, buffer: BufferId, bytes: &[u8]) {
        self.shared.signatures.buffer(direction, buffer, bytes);
    }

    fn inspect_part(&mut self, direction: Direction, buffer: BufferId, bytes: &[u8]) {
        self.shared.signatures.buffer_part(direction, buffer, bytes);
    }

    fn notice(&mut self, direction: Direction, name: &'static str) {
        self.shared.signatures.odd(Some(direction), name, false);
        self.tell_anomaly(name);
    }

    fn notice_alone(&mut self, direction: Direction, name: &'static str) {
        self.shared.signatures.odd(Some(direction), name, true);
        self.tell_anomaly(name);
    }

    fn hint(&mut self, direction: Direction, name: &'static str) {
        self.shared.signatures.odd(Some(direction), name, false);
    }

    fn dialect(&mut self, name: &'static str) {
        self.shared.signatures.dialect(name);
    }

    fn frame(&mut self, direction: Direction, frame: BufferId, bytes: &[u8]) {
        self.shared.signatures.alone(Some(direction), frame, bytes);
    }

    fn transaction(&mut self, direction: Direction) {
        self.shared.signatures.transaction(direction);
    }

    fn file_open(&mut self, meta: FileMeta) -> Option<FileToken> {
        let known = self.shared.signatures.is_on().then(|| meta.clone());
        let token = self.shared.carver.open(meta);
        if let Some(meta) = known {
            self.shared.signatures.file_open(&meta, token);
        }
        token
    }

    fn file_place(&mut self, file: FileToken, place: FilePlace) {
        let ((client, _), _) = self.identity.ends();
        self.shared.carver.piece(file, client, place);
    }

    fn file_data(&mut self, file: FileToken, bytes: &[u8]) {
        self.shared.signatures.file_data(file, bytes);
        self.shared.carver.data(file, bytes);
    }

    fn file_close(&mut self, file: FileToken, complete: bool) {
        let seen = self.shared.carver.close(file, complete);
        self.shared.signatures.file_close(file, seen.iter().flatten());
        for seen in seen.into_iter().flatten() {
            self.event(seen.into_body());
        }
    }
}
