//! The engine as the sensor uses it: one [`Inspector`] for each worker.
//!
//! The sensor hands over what it sees of one packet (the packet itself, pieces of streams that are due, transactions that
//! are complete) and then asks for the alerts. Rules are asked in the order of their set. A rule that passes silences
//! those behind it, and the flow where it looked at more than one packet. At most [`ALERTS_MAX`] alerts are told of one
//! packet; what is cut is counted.

mod explain;

use std::net::IpAddr;
use std::sync::Arc;

use super::buffer::{self, BufferId, Holds};
use super::language::{Action, Arrow};
use super::matcher::{Scratch, View};
use super::numbers;
use super::prefilter::{Lens, Moment, PortIndex, Seen as SeenPatterns, Spoken};
use super::probe::{Occasion as Seen, Probe};
use super::rule::{Condition, MatchList, Rule, Scope};
use super::ruleset::Signatures;
use super::scene::Scene;
use super::state::{FlowMemory, HostMemory, Memory};
use super::threshold::{Occasion, Thresholds};

/// The most alerts of one packet.
pub const ALERTS_MAX: usize = 15;
/// The most bytes that are told of one place.
const EXCERPT_MAX_BYTES: usize = 64;
/// The most places that are told of one alert.
const MATCHED_MAX: usize = 8;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The rule's place in its set ([`Signatures::rules`]).
    pub rule: u32,
    /// Where it was found.
    pub matched: Vec<Matched>,
    /// Sender and receiver.
    pub ends: ((IpAddr, u16), (IpAddr, u16)),
    /// The client sent it.
    pub to_server: bool,
    /// What the rule does holds for the whole flow, not for one packet of it.
    pub of_flow: bool,
    /// What is to be done, where it is not what the rule says.
    pub action: Option<Action>,
}

/// A place that made a rule match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Name of the buffer.
    pub buffer: &'static str,
    /// From which byte of the buffer as the rule sees it.
    pub offset: usize,
    /// What stands there, at most its beginning.
    pub bytes: Vec<u8>,
}

/// What an inspector counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InspectCounts {
    /// Alerts that were told.
    pub alerts: u64,
    /// Alerts beyond [`ALERTS_MAX`] of a packet.
    pub cut: u64,
    /// Matches that a limit of their rule kept back.
    pub limited: u64,
    /// Matches about which people have silenced their rule.
    pub silenced: u64,
    /// Searches that were cut short.
    pub searches_cut: u64,
    /// Bits, counters and values that found no room.
    pub refused: u64,
}

impl InspectCounts {
    /// Adds those of another inspector.
    pub fn add(&mut self, other: InspectCounts) {
        self.alerts += other.alerts;
        self.cut += other.cut;
        self.limited += other.limited;
        self.silenced += other.silenced;
        self.searches_cut += other.searches_cut;
        self.refused += other.refused;
    }

    /// Each with its name, but for the alerts.
    pub fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("too_many_of_a_packet", self.cut),
            ("limited", self.limited),
            ("silenced", self.silenced),
            ("search_cut", self.searches_cut),
            ("no_room", self.refused),
        ]
    }
}

/// What is remembered of one flow.
#[derive(Debug, Default)]
pub struct FlowNotes {
    memory: FlowMemory,
    /// Nothing more is told of this flow.
    pub passed: bool,
}

/// The buffers of a transaction in one direction, in the order in which they came.
#[derive(Debug, Default)]
pub struct Buffers {
    entries: Vec<(BufferId, Vec<u8>)>,
}

impl Buffers {
    /// Adds to a buffer that may be there several times, or sets one.
    pub fn add(&mut self, id: BufferId, bytes: &[u8]) {
        self.entries.push((id, bytes.to_vec()));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether there is nothing but some of these.
    pub fn are_only(&self, ids: &[BufferId]) -> bool {
        self.entries.iter().all(|(id, _)| ids.contains(id))
    }

    /// A copy of all of them; those of files are not kept here any longer.
    pub fn part_with_files(&mut self) -> Buffers {
        let all = Buffers { entries: self.entries.clone() };
        self.entries.retain(|(id, _)| !id.is_of_file());
        all
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    fn of(&self, id: BufferId) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().filter(move |(of, _)| *of == id).map(|(_, bytes)| bytes.as_slice())
    }
}

/// What rules can look into at one moment.
#[derive(Debug, Clone, Copy)]
struct Sight<'s> {
    payload: Option<View<'s>>,
    transaction: Option<&'s Buffers>,
    /// The request that a response answers.
    request: Option<&'s Buffers>,
    /// One packet is looked at, by itself.
    of_packet: bool,
}

/// The engine of one worker.
#[derive(Debug)]
pub struct Inspector {
    set: Arc<Signatures>,
    scratch: Scratch,
    hosts: HostMemory,
    thresholds: Thresholds,
    candidates: Vec<u32>,
    seen: SeenPatterns,
    spoken: Spoken,
    alerts: Vec<Alert>,
    counts: InspectCounts,
    probe: Option<Arc<Probe>>,
}

impl Inspector {
    /// An engine for a set of rules.
    pub fn new(set: Arc<Signatures>) -> Inspector {
        Inspector {
            set,
            scratch: Scratch::default(),
            hosts: HostMemory::default(),
            thresholds: Thresholds::default(),
            candidates: Vec::new(),
            seen: SeenPatterns::default(),
            spoken: Spoken::default(),
            alerts: Vec::new(),
            counts: InspectCounts::default(),
            probe: None,
        }
    }

    /// The engine with somebody who wants to know what rules cost and how far they come.
    pub fn probed(mut self, probe: Option<Arc<Probe>>) -> Inspector {
        self.probe = probe;
        self
    }

    /// The rules.
    pub fn set(&self) -> &Arc<Signatures> {
        &self.set
    }

    /// What was counted so far.
    pub fn counts(&self) -> InspectCounts {
        InspectCounts {
            searches_cut: self.scratch.cut,
            refused: self.hosts.refused + self.thresholds.refused + self.scratch.sets.refused,
            ..self.counts
        }
    }

    /// The first packet of a direction of a flow: rules that ask for addresses alone.
    pub fn addresses(&mut self, scene: &Scene<'_>, notes: &mut FlowNotes) {
        let set = self.set.clone();
        let sight = Sight { payload: None, transaction: None, request: None, of_packet: false };
        self.explain(Seen::Flow, scene, sight, notes);
        let candidates = &mut self.candidates;
        set.prefilters.addresses.candidates(scene.source.0, scene.destination.0, |rule| candidates.push(rule));
        self.ask_candidates(&set, scene, sight, notes);
    }

    /// The protocol of a flow has become known, or will never be.
    pub fn recognised(&mut self, scene: &Scene<'_>, notes: &mut FlowNotes) {
        let set = self.set.clone();
        let sight = Sight { payload: None, transaction: None, request: None, of_packet: false };
        self.explain(Seen::Recognised, scene, sight, notes);
        for number in &set.prefilters.recognised {
            self.ask(&set, *number, scene, sight, notes);
        }
    }

    /// A packet about which something odd was noticed; it may belong to no flow.
    pub fn events(&mut self, scene: &Scene<'_>, notes: &mut FlowNotes) {
        if scene.packet.is_none_or(|packet| packet.events.is_empty()) {
            return;
        }
        let set = self.set.clone();
        let payload = scene.packet.map(|packet| packet.payload).filter(|payload| !payload.is_empty());
        let sight = Sight { payload: payload.map(View::whole), transaction: None, request: None, of_packet: true };
        self.explain(Seen::Odd, scene, sight, notes);
        for number in &set.prefilters.events {
            self.ask(&set, *number, scene, sight, notes);
        }
    }

    /// A packet.
    pub fn packet(&mut self, scene: &Scene<'_>, notes: &mut FlowNotes) {
        let set = self.set.clone();
        let payload = scene.packet.map(|packet| packet.payload).filter(|payload| !payload.is_empty());
        let sight = Sight { payload: payload.map(View::whole), transaction: None, request: None, of_packet: true };
        self.explain(Seen::Packet, scene, sight, notes);
        let moment = set.prefilters.gates.moment(scene, &mut self.spoken);
        let payload = payload.unwrap_or(&[]);
        self.always(&set, &set.prefilters.packets_always, scene, &moment);
        self.look(&set, &set.prefilters.packet, payload, &moment);
        if !scene.in_stream {
            // What is part of no stream that is followed is looked at as it comes.
            self.always(&set, &set.prefilters.streams_always, scene, &moment);
            self.look(&set, &set.prefilters.stream, payload, &moment);
        }
        self.ask_candidates(&set, scene, sight, notes);
    }

    /// A piece of a stream; so many bytes of it came before.
    pub fn stream(&mut self, scene: &Scene<'_>, bytes: &[u8], before: u64, notes: &mut FlowNotes) {
        let set = self.set.clone();
        let sight = Sight { payload: Some(View { bytes, before }), transaction: None, request: None, of_packet: false };
        self.explain(Seen::Stream, scene, sight, notes);
        let moment = set.prefilters.gates.moment(scene, &mut self.spoken);
        self.always(&set, &set.prefilters.streams_always, scene, &moment);
        self.look(&set, &set.prefilters.stream, bytes, &moment);
        self.ask_candidates(&set, scene, sight, notes);
    }

    /// A transaction is complete in one direction; `payload` is what of the stream may belong to it, `request` what a
    /// response answers.
    pub fn transaction(
        &mut self,
        scene: &Scene<'_>,
        buffers: &Buffers,
        request: Option<&Buffers>,
        payload: &[u8],
        notes: &mut FlowNotes,
    ) {
        let set = self.set.clone();
        let payload = (!payload.is_empty()).then(|| View::whole(payload));
        let sight = Sight { payload, transaction: Some(buffers), request, of_packet: false };
        self.explain(Seen::Transaction, scene, sight, notes);
        let moment = set.prefilters.gates.moment(scene, &mut self.spoken);
        let always = set.prefilters.transactions_always.iter().copied();
        self.candidates.extend(always.filter(|rule| set.prefilters.gates.lets_through(*rule, &moment)));
        for (id, bytes) in buffers.entries.iter().chain(request.into_iter().flat_map(|request| &request.entries)) {
            for lens in set.prefilters.lenses_of(*id) {
                self.look(&set, lens, &lens.shown(bytes), &moment);
            }
        }
        self.ask_candidates(&set, scene, sight, notes);
    }

    fn look(&mut self, set: &Signatures, lens: &Lens, bytes: &[u8], moment: &Moment) {
        let (candidates, gates) = (&mut self.candidates, &set.prefilters.gates);
        lens.candidates(bytes, &mut self.seen, |rule| {
            if gates.lets_through(rule, moment) {
                candidates.push(rule);
            }
        });
    }

    fn always(&mut self, set: &Signatures, rules: &PortIndex, scene: &Scene<'_>, moment: &Moment) {
        let (candidates, gates) = (&mut self.candidates, &set.prefilters.gates);
        rules.candidates(scene.ports(), |rule| {
            if gates.lets_through(rule, moment) {
                candidates.push(rule);
            }
        });
    }

    fn ask_candidates(&mut self, set: &Signatures, scene: &Scene<'_>, sight: Sight<'_>, notes: &mut FlowNotes) {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.sort_unstable();
        candidates.dedup();
        for number in &candidates {
            self.ask(set, *number, scene, sight, notes);
        }
        candidates.clear();
        self.candidates = candidates;
    }

    /// Asks one rule, and tells the probe what that cost.
    fn ask(&mut self, set: &Signatures, number: u32, scene: &Scene<'_>, sight: Sight<'_>, notes: &mut FlowNotes) {
        if self.probe.is_none() {
            return self.ask_only(set, number, scene, sight, notes);
        }
        let (before, began) = (self.alerts.len(), std::time::Instant::now());
        self.ask_only(set, number, scene, sight, notes);
        let time = began.elapsed();
        if let Some(probe) = &self.probe {
            probe.asked(number, self.alerts.len() > before, time);
        }
    }

    fn ask_only(&mut self, set: &Signatures, number: u32, scene: &Scene<'_>, sight: Sight<'_>, notes: &mut FlowNotes) {
        let Some(rule) = usize::try_from(number).ok().and_then(|at| set.rules.get(at)) else { return };
        if !scene.fits(rule) {
            return;
        }
        // Rules for both directions are asked where both are known; what one side says decides nothing for others.
        if rule.header.arrow == Arrow::Transaction && sight.transaction.is_some() && sight.request.is_none() {
            return;
        }
        let of_packet = rule.scope != Scope::Transaction;
        if of_packet && self.alerts.iter().any(|alert| alert.rule == number) {
            return;
        }
        let addresses = (scene.source.0, scene.destination.0);
        let time_ns = scene.time_ns;
        let memory = Memory { flow: &mut notes.memory, hosts: &mut self.hosts, addresses, time_ns };
        if !rule.asks.iter().all(|test| memory.test(test)) {
            return;
        }
        self.scratch.begin(rule.variables);
        let mut matched = Vec::new();
        for list in &rule.lists {
            let both = rule.header.arrow == Arrow::Transaction;
            if !self.list_holds(list, scene, sight, both, &mut matched) {
                return;
            }
        }
        let mut memory = Memory { flow: &mut notes.memory, hosts: &mut self.hosts, addresses, time_ns };
        for change in &rule.sets {
            memory.change(change);
        }
        if rule.silent && matches!(rule.action, Action::Alert | Action::Config) {
            return;
        }
        let ends = (scene.source, scene.destination);
        let of_flow = !sight.of_packet || of_flow(rule);
        self.alerts.push(Alert { rule: number, matched, ends, to_server: scene.to_server, of_flow, action: None });
    }

    fn list_holds(
        &mut self,
        list: &MatchList,
        scene: &Scene<'_>,
        sight: Sight<'_>,
        both: bool,
        matched: &mut Vec<Matched>,
    ) -> bool {
        let absent = list.conditions.iter().find_map(|condition| match condition {
            Condition::Absent { or_else } => Some(*or_else),
            _ => None,
        });
        let mut there = false;
        let mut look = |view: View<'_>| {
            there = true;
            self.view_holds(list, view, matched)
        };
        let held = match (list.buffer, sight.transaction) {
            (buffer::PAYLOAD, _) => sight.payload.is_some_and(look),
            (id, _) if id.buffer().when == buffer::When::Packet => {
                of_packet(id, scene).is_some_and(|bytes| look(View::whole(&bytes)))
            }
            (id, Some(buffers)) => {
                let request = sight.request.filter(|_| both);
                if let [Condition::Numbers(test)] = list.conditions.as_slice() {
                    let all = request.into_iter().flat_map(|request| request.of(id)).chain(buffers.of(id));
                    let numbers: Vec<u64> = all.filter_map(numbers::whole).collect();
                    return test.accepts(&numbers);
                }
                let mut all = request.into_iter().flat_map(|request| request.of(id)).chain(buffers.of(id));
                if id.buffer().holds == Holds::Bytes && !both {
                    all.last().is_some_and(|bytes| look(View::whole(bytes)))
                } else {
                    all.any(|bytes| look(View::whole(bytes)))
                }
            }
            _ => false,
        };
        match absent {
            None => held,
            Some(or_else) => !there || (or_else && held),
        }
    }

    fn view_holds(&mut self, list: &MatchList, view: View<'_>, matched: &mut Vec<Matched>) -> bool {
        let shown = list
            .transforms
            .iter()
            .fold(std::borrow::Cow::Borrowed(view.bytes), |bytes, transform| transform.apply(bytes));
        let view = View { bytes: &shown, before: view.before };
        let before = self.scratch.found.len();
        if !self.scratch.holds(list, view) {
            return false;
        }
        for found in self.scratch.found.iter().skip(before).take(MATCHED_MAX.saturating_sub(matched.len())) {
            let end = found.end.min(found.start.saturating_add(EXCERPT_MAX_BYTES));
            let bytes = shown.get(found.start..end).unwrap_or(&[]).to_vec();
            matched.push(Matched { buffer: found.buffer.buffer().name, offset: found.start, bytes });
        }
        true
    }

    /// The alerts of one packet, in the order of their rules.
    pub fn take_alerts(&mut self, scene: &Scene<'_>, notes: &mut FlowNotes) -> Vec<Alert> {
        if self.alerts.is_empty() {
            return Vec::new();
        }
        let set = self.set.clone();
        let mut alerts = std::mem::take(&mut self.alerts);
        alerts.sort_by_key(|alert| alert.rule);
        if notes.passed {
            return Vec::new();
        }
        let rule_of = |alert: &Alert| usize::try_from(alert.rule).ok().and_then(|at| set.rules.get(at));
        let acts = |alert: &Alert, action: Action| rule_of(alert).is_some_and(|rule| rule.action == action);
        if alerts.len() > ALERTS_MAX {
            self.counts.cut += (alerts.len() - ALERTS_MAX) as u64;
            alerts.truncate(ALERTS_MAX);
        }
        if let Some(at) = alerts.iter().position(|alert| acts(alert, Action::Pass)) {
            let rule = alerts.get(at).and_then(rule_of);
            notes.passed |= alerts.get(at).is_some_and(|alert| alert.of_flow);
            alerts.truncate(at + usize::from(rule.is_some_and(|rule| rule.tells_pass)));
        }
        // A flow that would be dropped in line would not be seen any further.
        let drops = |alert: &&Alert| acts(alert, Action::Drop) || acts(alert, Action::Reject);
        notes.passed |= alerts.iter().filter(drops).any(|alert| alert.of_flow);
        alerts.retain(|alert| rule_of(alert).is_some_and(|rule| !rule.silent));
        alerts.retain_mut(|alert| {
            let Some(rule) = rule_of(alert) else { return false };
            let addresses = (alert.ends.0.0, alert.ends.1.0);
            if rule.silences.iter().any(|silence| silence.holds(addresses.0, addresses.1)) {
                self.counts.silenced += 1;
                return false;
            }
            let occasion = Occasion { rule: alert.rule, addresses, flow: scene.flow, time_ns: scene.time_ns };
            if rule.limits.is_empty() {
                return true;
            }
            let verdict = self.thresholds.allow(&rule.limits, occasion);
            alert.action = verdict.action;
            self.counts.limited += u64::from(!verdict.told);
            verdict.told
        });
        self.counts.alerts += alerts.len() as u64;
        alerts
    }
}

/// Whether what a rule does holds for the whole flow although one packet made it match: it asks for nothing of a packet.
fn of_flow(rule: &Rule) -> bool {
    let nothing = rule.packet.is_empty() && rule.lists.is_empty() && rule.spoken.is_empty();
    nothing && (rule.protocol.is_some() || rule.flow == super::rule::FlowTest::default())
}

/// A buffer of a packet.
fn of_packet<'s>(id: BufferId, scene: &Scene<'s>) -> Option<std::borrow::Cow<'s, [u8]>> {
    // Addresses are known without a packet too.
    match id {
        buffer::IP_SOURCE => return Some(super::sets::address(scene.source.0).into()),
        buffer::IP_DESTINATION => return Some(super::sets::address(scene.destination.0).into()),
        _ => {}
    }
    let packet = scene.packet?;
    let header = |wanted: u8, bytes: &'s [u8]| (scene.transport == wanted && !bytes.is_empty()).then_some(bytes.into());
    let network = packet.network_header;
    match id {
        buffer::IPV4_HEADER => (scene.source.0.is_ipv4() && !network.is_empty()).then_some(network.into()),
        buffer::IPV6_HEADER => (scene.source.0.is_ipv6() && !network.is_empty()).then_some(network.into()),
        buffer::TCP_HEADER => header(6, packet.transport_header),
        buffer::UDP_HEADER => header(17, packet.transport_header),
        buffer::ICMPV4_HEADER => header(1, packet.transport_header),
        buffer::ICMPV6_HEADER => header(58, packet.transport_header),
        _ => None,
    }
}
