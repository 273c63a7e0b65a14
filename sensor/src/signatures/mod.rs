//! Signatures on what a shard sees: packets, pieces of streams, buffers that parsers hand over.
//!
//! Comes in: each packet of a flow before and after flow and protocols have worked on it, the bytes they put in order, the
//! buffers of transactions. Goes out: `alert` events, after what the packet told otherwise. Without rules nothing here
//! runs. All that is kept for a flow has ceilings ([`flow`]); what finds no room is counted.

pub mod flow;
mod lingering;
mod loading;
mod odd_streams;
pub mod record;

pub use loading::{load, load_after, report};

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use luytre_events::{DatasetId, FieldId, Transport, Value};
use luytre_rules_engine::signatures::buffer::{self, BufferId};
use luytre_rules_engine::signatures::inspect::FlowNotes;
use luytre_rules_engine::signatures::language::Action;
use luytre_rules_engine::signatures::notes::Notes;
use luytre_rules_engine::signatures::probe::Probe;
use luytre_rules_engine::signatures::{
    Alert, FlowFacts, InspectCounts, Inspector, PacketFacts, Scene, Signatures, TcpFacts,
};

use crate::decode::{Decoded, Odd};
use crate::files::record::FileSeen;
use crate::flow::tcp::flag;
use crate::flow::{Flow, Side};
use crate::protocols::{Direction, FileMeta, FileToken};
use flow::{FlowInspection, place};
use lingering::{Lingering, Past};
use record::SignatureAlert;

/// Buffers that files fill.
const OF_FILES: [BufferId; 7] = [
    buffer::FILE_MAGIC,
    buffer::FILE_DATA,
    buffer::FILE_NAME,
    buffer::FILE_SIZE,
    buffer::FILE_MD5,
    buffer::FILE_SHA1,
    buffer::FILE_SHA256,
];

/// Nothing is known of the packet.
const NO_PACKET: PacketFacts<'static> = PacketFacts {
    payload: &[],
    tcp: None,
    hops_left: 0,
    network_header: &[],
    transport_header: &[],
    whole: false,
    vlans: &[],
    events: &[],
};

/// The engine of a shard, and the flow it is working on.
#[derive(Default)]
pub struct Inspection {
    engine: Option<Box<Inspector>>,
    current: Option<Box<FlowInspection>>,
    /// How often the rules were replaced.
    generation: u64,
    /// Connections that are over.
    lingering: Lingering,
    /// What the sets before have counted.
    past: InspectCounts,
}

impl Inspection {
    /// With rules, or without.
    pub fn new(rules: Option<Arc<Signatures>>, probe: Option<Arc<Probe>>) -> Inspection {
        let engine = rules.map(|rules| Box::new(Inspector::new(rules).probed(probe)));
        Inspection { engine, ..Inspection::default() }
    }

    /// Goes on by another set of rules, or by none. What the former set remembered of flows and hosts means nothing to it.
    pub fn replace(&mut self, rules: Option<Arc<Signatures>>) {
        let same = match (&self.engine, &rules) {
            (Some(engine), Some(rules)) => engine.set().digest == rules.digest,
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.past = self.counts();
            self.engine = rules.map(|rules| Box::new(Inspector::new(rules)));
            self.generation += 1;
        }
    }

    /// What was counted.
    pub fn counts(&self) -> InspectCounts {
        let mut counts = self.past;
        if let Some(engine) = &self.engine {
            counts.add(engine.counts());
        }
        counts
    }

    /// Whether there are rules.
    pub fn is_on(&self) -> bool {
        self.engine.is_some()
    }

    /// Work on a flow begins.
    pub fn enter(&mut self, kept: &mut Option<Box<FlowInspection>>) {
        if self.engine.is_some() {
            let mut current = kept.take().unwrap_or_default();
            if std::mem::replace(&mut current.generation, self.generation) != self.generation {
                current.notes = FlowNotes::default();
            }
            self.current = Some(current);
        }
    }

    /// Bytes of a stream, in order.
    pub fn stream(&mut self, direction: Direction, bytes: &[u8]) {
        if let Some(current) = &mut self.current {
            let keep_recent = self.engine.as_ref().is_some_and(|engine| engine.set().mixes);
            current.feeding = Some(direction);
            current.side(direction).data(bytes, keep_recent);
        }
    }

    /// Rules know what is spoken under this name from now on.
    pub fn dialect(&mut self, name: &'static str) {
        if let Some(current) = &mut self.current {
            current.dialect = Some(name);
        }
    }

    /// Bytes that go this way are worked on.
    pub fn feeding(&mut self, direction: Direction) {
        if let Some(current) = &mut self.current {
            current.feeding = Some(direction);
        }
    }

    /// Bytes of a stream are missing.
    pub fn gap(&mut self, direction: Direction, length: u64) {
        if let Some(current) = &mut self.current {
            current.side(direction).gap(length);
        }
    }

    /// Whether any rule looks into a buffer.
    pub fn wants(&self, id: BufferId) -> bool {
        self.engine.as_ref().is_some_and(|engine| engine.set().wants(id))
    }

    /// A buffer of a transaction.
    pub fn buffer(&mut self, direction: Direction, id: BufferId, bytes: &[u8]) {
        if self.wants(id)
            && let Some(current) = &mut self.current
            && !current.side(direction).buffer(id, bytes)
        {
            current.refused += 1;
        }
    }

    /// More of a buffer that comes in parts.
    pub fn buffer_part(&mut self, direction: Direction, id: BufferId, bytes: &[u8]) {
        if self.wants(id)
            && let Some(current) = &mut self.current
        {
            current.side(direction).grow(id, bytes);
        }
    }

    /// Something that is a transaction of its own: a frame, or something odd. Without a direction it goes the way of the
    /// bytes that are worked on.
    pub fn alone(&mut self, direction: Option<Direction>, id: BufferId, bytes: &[u8]) {
        if self.wants(id)
            && let Some(current) = &mut self.current
            && let Some(direction) = direction.or(current.feeding)
        {
            current.alone(direction, id, bytes);
        }
    }

    /// Something odd: a part of the transaction under way, or one of its own.
    pub fn odd(&mut self, direction: Option<Direction>, name: &'static str, alone: bool) {
        if !self.wants(buffer::APP_EVENT) {
            return;
        }
        let Some(current) = &mut self.current else { return };
        let Some(direction) = direction.or(current.feeding) else { return };
        if alone {
            current.alone(direction, buffer::APP_EVENT, name.as_bytes());
        } else if !current.side(direction).buffer(buffer::APP_EVENT, name.as_bytes()) {
            current.refused += 1;
        }
        current.turned(opposite(direction), buffer::APP_EVENT, name.as_bytes());
    }

    /// A transaction is complete in one direction.
    pub fn transaction(&mut self, direction: Direction) {
        let wants_state = self.wants(buffer::APP_STATE);
        if let Some(current) = &mut self.current {
            current.complete(direction);
            if wants_state {
                let asks = direction == Direction::ToServer;
                let state = if asks { "request_complete" } else { "response_complete" };
                current.alone(direction, buffer::APP_STATE, state.as_bytes());
            }
        }
    }

    /// A file begins.
    pub fn file_open(&mut self, meta: &FileMeta, token: Option<FileToken>) {
        const FILES_MAX: usize = 64;
        let (Some(current), Some(token)) = (&mut self.current, token) else { return };
        // The way in which its bytes go, which is not always who fetches.
        let direction = current.feeding.or(meta.direction).unwrap_or(Direction::ToClient);
        if current.files.len() < FILES_MAX {
            current.files.push((token, direction));
        }
        current.file_begins(direction);
        if let Some(name) = &meta.name {
            // What has an address is called by the path of it.
            let path = meta.url.as_deref().and_then(path_of).filter(|path| path.ends_with(name.as_str()));
            self.buffer(direction, buffer::FILE_NAME, path.unwrap_or(name).as_bytes());
        }
    }

    /// More of a file.
    pub fn file_data(&mut self, token: FileToken, bytes: &[u8]) {
        let direction = self.current.as_ref().and_then(|current| direction_of(current, token));
        if let Some(direction) = direction {
            self.buffer_part(direction, buffer::FILE_DATA, bytes);
        }
    }

    /// A file is over.
    pub fn file_close<'f>(&mut self, token: FileToken, seen: impl Iterator<Item = &'f FileSeen>) {
        let Some(direction) = self.current.as_ref().and_then(|current| direction_of(current, token)) else { return };
        for seen in seen {
            if let Some(words) = seen.mime_type.as_deref().and_then(magic) {
                self.buffer(direction, buffer::FILE_MAGIC, words.as_bytes());
            }
            self.buffer(direction, buffer::FILE_SIZE, &seen.size_bytes.to_be_bytes());
            let digests = [&seen.md5, &seen.sha1, &seen.sha256];
            for (id, digest) in [buffer::FILE_MD5, buffer::FILE_SHA1, buffer::FILE_SHA256].into_iter().zip(digests) {
                if let Some(digest) = digest {
                    self.buffer(direction, id, digest.as_bytes());
                }
            }
        }
        if let Some(current) = &mut self.current {
            current.side(direction).finish(buffer::FILE_DATA);
            // Where nothing else is known of what carries it, a file is a transaction of its own.
            if current.side(direction).buffers.are_only(&OF_FILES) {
                current.complete(direction);
            }
            current.files.retain(|(open, _)| *open != token);
        }
    }

    /// The work on a packet is done: rules are asked, and alerts come out.
    pub fn packet<A>(
        &mut self,
        flow: &mut Flow<A>,
        side: Side,
        packet: &Decoded<'_>,
        time_ns: i64,
        unrecognised: bool,
    ) -> Vec<Alert> {
        let (Some(engine), Some(mut current)) = (&mut self.engine, self.current.take()) else { return Vec::new() };
        if let Some(header) = packet.tcp.filter(|_| current.packets == 0) {
            let known = self.lingering.take(flow.identity.ends(), time_ns);
            let late = known.filter(|known| header.flags & flag::SYN == 0 && known.generation == current.generation);
            current = late.unwrap_or(current);
        }
        let mut direction = direction(flow, side);
        match packet.transport {
            Transport::TCP | Transport::UDP | Transport::SCTP | Transport::ICMP | Transport::ICMPV6 => {}
            // Rules know flows of these, but not which way they go.
            Transport(4 | 41 | 50) => direction = Direction::ToServer,
            // Of others each packet is for itself.
            _ => {
                *current = FlowInspection { generation: current.generation, ..FlowInspection::default() };
                direction = Direction::ToServer;
            }
        }
        match &packet.tcp {
            Some(header) if header.flags & flag::ACK != 0 => {
                current.acknowledge(opposite(direction), flow.identity.protocol);
            }
            Some(_) => {}
            None => {
                current.acknowledge(direction, flow.identity.protocol);
                current.visible = flow.identity.protocol;
            }
        }
        let mut scene = scene(flow, direction, time_ns, unrecognised);
        if direction == Direction::ToServer && side != flow.identity.client() {
            (scene.source, scene.destination) = (scene.destination, scene.source);
        }
        let first = *current.first.get_or_insert(side);
        if !flow.tcp.opened() && packet.tcp.is_some() {
            // Nothing tells who called but who was seen first.
            scene.to_server = side == first;
        }
        scene.protocol = current.visible.filter(|_| packet.tcp.is_none() || scene.established);
        // The bare packet that completes a handshake comes before the connection is established.
        let followed = scene.established;
        let before = std::mem::replace(&mut current.followed, followed);
        scene.established &= before || packet.tcp.is_none() || !packet.payload.is_empty();
        let spoken = scene.protocol;
        scene.protocol = spoken.map(|spoken| current.dialect.unwrap_or(spoken));
        if let Some(past) = current.past {
            (scene.established, scene.in_stream) = (past.established, past.established);
            scene.to_server = scene.source == past.client;
            scene.facts.age_ns = time_ns.saturating_sub(past.start_ns);
            let visible = current.visible.filter(|_| past.established);
            scene.protocol = visible.map(|spoken| current.dialect.unwrap_or(spoken));
        }
        // What a SYN brings by fast open is looked at as the beginning of its stream.
        scene.in_stream |= packet.tcp.is_some_and(|header| header.flags & flag::SYN != 0)
            && !flow.tcp.midstream
            && odd_streams::opens_fast(packet.headers.1);
        scene.packet = Some(facts(packet));
        let asked = engine.set().asks_odd;
        let events = if asked { odd_streams::events(flow, side, &mut current, packet) } else { Vec::new() };
        if let Some(packet) = scene.packet.as_mut().filter(|_| !events.is_empty()) {
            packet.events = &events;
        }
        if !current.notes.passed {
            engine.events(&scene, &mut current.notes);
            ask(engine, &mut current, &scene, direction, packet.tcp.map(|_| followed));
        }
        current.packets += 1;
        let alerts = engine.take_alerts(&scene, &mut current.notes);
        flow.inspection = Some(current);
        alerts
    }

    /// Something odd was noticed when a packet was taken apart.
    pub fn odd_packet(&mut self, time_ns: i64, odd: &Odd) -> Vec<Alert> {
        let Some(engine) = &mut self.engine else { return Vec::new() };
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let (source, destination) = odd.addresses.unwrap_or((nobody, nobody));
        let scene = Scene {
            time_ns,
            flow: 0,
            transport: 0,
            source: (source, 0),
            destination: (destination, 0),
            to_server: true,
            established: false,
            in_stream: false,
            protocol: None,
            unrecognised: false,
            facts: FlowFacts::default(),
            packet: Some(PacketFacts { events: odd.names(), ..NO_PACKET }),
            only_directed: false,
            only_files: false,
        };
        let mut notes = FlowNotes::default();
        engine.events(&scene, &mut notes);
        engine.take_alerts(&scene, &mut notes)
    }

    /// A flow is over: what is left of it is looked at.
    pub fn end<A>(&mut self, flow: &mut Flow<A>, time_ns: i64, unrecognised: bool) -> Vec<Alert> {
        let (Some(engine), Some(mut current)) = (&mut self.engine, self.current.take()) else { return Vec::new() };
        let mut alerts = Vec::new();
        for direction in [Direction::ToServer, Direction::ToClient] {
            let mut scene = scene(flow, direction, time_ns, unrecognised);
            scene.protocol = scene.protocol.map(|spoken| current.dialect.unwrap_or(spoken));
            for complete in &mut current.complete {
                complete.ready = true;
            }
            let followed = scene.established || scene.transport != Transport::TCP.0;
            if !current.notes.passed && followed {
                streams(engine, &mut current, &scene, direction, true);
                transactions(engine, &mut current, &scene, direction);
            }
            alerts.extend(engine.take_alerts(&scene, &mut current.notes));
        }
        let closed = flow.tcp.reset || flow.tcp.finished();
        if current.past.is_some() || closed {
            let (client, server) = flow.identity.ends();
            let opened = flow.tcp.opened() || current.first.is_none_or(|first| first == flow.identity.client());
            let client_to_rules = if opened { client } else { server };
            let (start_ns, established) = (flow.start_ns, current.followed);
            current.past.get_or_insert(Past { start_ns, client: client_to_rules, established });
            self.lingering.keep((client, server), time_ns, current);
        }
        alerts
    }

    /// The event of an alert.
    pub fn event(&self, alert: Alert) -> Option<(DatasetId, Vec<(FieldId, Value)>)> {
        let set = self.engine.as_ref()?.set();
        let rule = set.rules().get(usize::try_from(alert.rule).ok()?)?;
        let text = set.text(rule);
        let Notes { techniques, severity, references, name_vi, description, description_vi } = Notes::of(&text);
        let record = SignatureAlert {
            name_vi,
            description,
            description_vi,
            references,
            techniques,
            severity,
            text: shortened(text),
            id: rule.sid.to_string(),
            name: rule.message.clone(),
            version: rule.rev.to_string(),
            category: rule.class.clone(),
            set: set.digest.clone(),
            generator: (rule.gid != 1).then(|| rule.gid.into()),
            action: match alert.action.unwrap_or(rule.action) {
                Action::Pass => "pass",
                Action::Drop => "drop",
                Action::Reject => "reject",
                Action::Alert | Action::Config => "alert",
            },
            priority: rule.priority.into(),
            sender: if alert.to_server { "client" } else { "server" },
            buffers: alert.matched.iter().map(|matched| matched.buffer).collect(),
            offsets: alert.matched.iter().map(|matched| matched.offset as u64).collect(),
            bytes: alert.matched.iter().map(|matched| hex::encode(&matched.bytes)).collect(),
        };
        Some(record.into_body())
    }
}

/// At most the beginning of a rule's text.
fn shortened(mut text: String) -> String {
    const TEXT_MAX_BYTES: usize = 8 << 10;
    let end = (0..=TEXT_MAX_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

/// What rules expect to read of a type: the words of the usual table of magic numbers, as far as they are the same for
/// every file of the type.
fn magic(mime_type: &str) -> Option<&'static str> {
    let lines = include_str!("magic.txt").lines();
    lines.filter_map(|line| line.split_once('\t')).find(|(name, _)| *name == mime_type).map(|(_, words)| words)
}

/// `/path` of `scheme://host/path?query`.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.get(rest.find('/')?..)?;
    path.split('?').next()
}

fn direction_of(current: &FlowInspection, token: FileToken) -> Option<Direction> {
    current.files.iter().find(|(open, _)| *open == token).map(|(_, direction)| *direction)
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::ToServer => Direction::ToClient,
        Direction::ToClient => Direction::ToServer,
    }
}

fn direction<A>(flow: &Flow<A>, side: Side) -> Direction {
    if side == flow.identity.client() { Direction::ToServer } else { Direction::ToClient }
}

/// Asks everything that a packet gives occasion for; `followed` says of TCP whether its streams are followed.
fn ask(
    engine: &mut Inspector,
    current: &mut FlowInspection,
    scene: &Scene<'_>,
    direction: Direction,
    followed: Option<bool>,
) {
    let side = current.side(direction);
    if !std::mem::replace(&mut side.seen, true) {
        engine.addresses(scene, &mut current.notes);
    }
    if (scene.protocol.is_some() || scene.unrecognised)
        && let Some(told) = current.told_protocol.get_mut(place(direction))
        && !std::mem::replace(told, true)
    {
        engine.recognised(scene, &mut current.notes);
    }
    engine.packet(scene, &mut current.notes);
    if followed == Some(true) {
        streams(engine, current, scene, direction, false);
    }
    if followed != Some(false) {
        transactions(engine, current, scene, direction);
    }
}

fn streams(engine: &mut Inspector, current: &mut FlowInspection, scene: &Scene<'_>, direction: Direction, over: bool) {
    while let Some((bytes, before)) = current.side(direction).due(over) {
        engine.stream(scene, &bytes, before, &mut current.notes);
    }
}

fn transactions(engine: &mut Inspector, current: &mut FlowInspection, scene: &Scene<'_>, direction: Direction) {
    let packet = scene.packet.map(|packet| packet.payload).filter(|_| scene.transport != Transport::TCP.0);
    let scene = &Scene { packet: None, ..*scene };
    let complete = std::mem::take(&mut current.complete);
    let (mine, others): (Vec<_>, Vec<_>) =
        complete.into_iter().partition(|complete| complete.ready && complete.direction == direction);
    current.complete = others;
    if mine.is_empty() {
        return;
    }
    let recent = std::mem::take(&mut current.side(direction).recent);
    let payload = packet.filter(|_| recent.is_empty()).unwrap_or(&recent);
    for complete in mine {
        let spoken = scene.protocol.map(|spoken| complete.dialect.unwrap_or(spoken));
        let scene =
            &Scene { protocol: spoken, only_directed: complete.turned, only_files: complete.of_files, ..*scene };
        let request = current.request.as_ref().filter(|_| direction == Direction::ToClient);
        engine.transaction(scene, &complete.buffers, request, payload, &mut current.notes);
        if engine.set().pairs && direction == Direction::ToServer && !complete.buffers.is_empty() {
            current.request = Some(complete.buffers);
        }
    }
}

fn scene<A>(flow: &Flow<A>, direction: Direction, time_ns: i64, unrecognised: bool) -> Scene<'static> {
    let client = flow.identity.client();
    let server = client.other();
    let (caller, called) = flow.identity.ends();
    let to_server = direction == Direction::ToServer;
    let (source, destination) = if to_server { (caller, called) } else { (called, caller) };
    let count = |side: Side| *flow.sent.of(side);
    let established = match flow.identity.transport() {
        Transport::TCP => {
            let (ours, theirs) = (*flow.tcp.flags.of(client), *flow.tcp.flags.of(server));
            // Only connections whose beginning was seen are followed, as rules for them expect.
            !flow.tcp.midstream
                && ours & flag::SYN != 0
                && ours & flag::ACK != 0
                && theirs & flag::SYN != 0
                && theirs & flag::ACK != 0
        }
        _ => flow.answered(),
    };
    Scene {
        time_ns,
        flow: flow.first_packet,
        transport: flow.identity.transport().0,
        source,
        destination,
        to_server,
        established,
        in_stream: flow.identity.transport() == Transport::TCP && established,
        protocol: flow.identity.protocol,
        unrecognised,
        facts: FlowFacts {
            packets: (count(client).packets, count(server).packets),
            bytes: (count(client).bytes, count(server).bytes),
            stream_bytes: (flow.tcp.streams.of(client).handed_over(), flow.tcp.streams.of(server).handed_over()),
            age_ns: time_ns.saturating_sub(flow.start_ns),
        },
        packet: None,
        only_directed: false,
        only_files: false,
    }
}

fn facts<'p>(packet: &'p Decoded<'_>) -> PacketFacts<'p> {
    const ICMP_HEADER_BYTES: usize = 8;
    // Rules count what an ICMP message carries from behind its fixed part; others without ports carry nothing to them.
    let (payload, transport_header) = match packet.transport {
        Transport::TCP | Transport::UDP | Transport::SCTP => (packet.payload, packet.headers.1),
        Transport::ICMP | Transport::ICMPV6 => (packet.payload.get(ICMP_HEADER_BYTES..).unwrap_or(&[]), packet.payload),
        _ => (&[][..], packet.payload),
    };
    PacketFacts {
        payload,
        tcp: packet.tcp.as_ref().map(|header| TcpFacts {
            flags: header.flags,
            sequence: header.sequence,
            acknowledgement: header.acknowledgement,
            window: header.window,
        }),
        hops_left: packet.hops_left,
        network_header: packet.headers.0,
        transport_header,
        whole: packet.tcp.is_none_or(|header| usize::try_from(header.payload_length) == Ok(packet.payload.len())),
        vlans: packet.vlans.tags(),
        events: &[],
    }
}
