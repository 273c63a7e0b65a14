//! The order of the stages: capture, decode, flow, protocols, event.
//!
//! Comes in: packets of any source. Goes out: events, and the counters of every stage for the ledger. [`Front`] numbers
//! packets, keeps the clock (the greatest packet time so far) and decodes; [`Shards`] does the rest. Between them lies
//! nothing but a call, or a bounded queue where [`read`](crate::read) uses several threads. Flows that end by time end at
//! ticks: before the first packet of each new second of the clock, in the order of their first packets. So what comes
//! out depends on the packets alone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use luytre_events::Event;
use luytre_events::ledger::{Stage, StageCounts, Unit};

use crate::capture::filter::Filter;
use crate::capture::{Packet, SourceCounts};
use crate::decode::arp::ArpPacket;
use crate::decode::fragments::FragmentLimits;
use crate::decode::{Checksums, DecodeCounts, Decoded, Decoder, Odd, Refusal, Stop};
use crate::flow::Side;
use crate::flow::key::FlowKey;
use crate::flow::table::Place;
use crate::packets::Member;
use crate::worker::{Detail, EventSink, SHARDS, Spared, Worker, WorkerCounts, WorkerSettings};

const SECOND_NS: i64 = 1_000_000_000;

/// A decoded packet on its way to its shard.
#[derive(Debug)]
pub struct Routed<'a> {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub time_ns: i64,
    /// The clock: the greatest packet time so far.
    pub clock_ns: i64,
    /// What it is.
    pub packet: Decoded<'a>,
    /// Its flow.
    pub key: FlowKey,
    /// Which end of the flow sent it.
    pub side: Side,
    /// The shard of that flow.
    pub shard: usize,
    /// How many packets it carried inside each other: none for what the flow table knows. Others are there for rules alone.
    pub carries: u8,
}

/// A packet without a flow on its way to its shard.
#[derive(Debug, Clone, Copy)]
pub struct RoutedArp {
    /// Its number in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub time_ns: i64,
    /// What it is.
    pub packet: ArpPacket,
    /// The shard of its sender.
    pub shard: usize,
}

/// What was odd about a packet, on its way to a shard.
#[derive(Debug, Clone, Copy)]
pub struct RoutedOdd {
    /// Number of the packet in the capture, from 1.
    pub number: u64,
    /// When it was captured.
    pub time_ns: i64,
    /// What it was.
    pub odd: Odd,
    /// The shard that tells it.
    pub shard: usize,
}

/// What happens in the order of the capture.
pub trait Back {
    /// Time has passed: `number` is that of the packet that told.
    fn tick(&mut self, number: u64, clock_ns: i64);
    /// A packet.
    fn packet(&mut self, routed: &Routed<'_>);
    /// A packet without a flow.
    fn arp(&mut self, routed: &RoutedArp);
    /// What was odd about a packet, behind the packet itself.
    fn odd(&mut self, routed: &RoutedOdd);
    /// The capture is over, or what follows has nothing to do with it.
    fn finish(&mut self, number: u64);
}

/// Numbers, times and decodes packets.
pub struct Front {
    decoder: Decoder,
    whole: Vec<u8>,
    packets: u64,
    clock_ns: i64,
    shards: usize,
    seed: u64,
    filter: Option<Arc<Filter>>,
    /// Packets that no filter let through; none where there has been no filter.
    excluded: Option<u64>,
}

impl Front {
    /// For traffic that is divided into `shards` by a hash with this seed.
    pub fn new(shards: usize, seed: u64, checksums: Checksums) -> Front {
        let decoder = Decoder::new(FragmentLimits::default(), checksums);
        let shards = shards.max(1);
        let (whole, filter) = (Vec::new(), None);
        Front { decoder, whole, packets: 0, clock_ns: i64::MIN, shards, seed, filter, excluded: None }
    }

    /// From now on only packets that a filter lets through are looked at, where the source does not see to that itself.
    pub fn set_filter(&mut self, filter: Option<Arc<Filter>>) {
        if filter.is_some() {
            self.excluded.get_or_insert(0);
        }
        self.filter = filter;
    }

    /// From now on there are rules, which may ask what is odd about packets, or none.
    pub fn set_rules(&mut self, rules: bool) {
        self.decoder.set_odd_wanted(rules);
    }

    /// From now on this is done about wrong checksums.
    pub fn set_checksums(&mut self, checksums: Checksums) {
        self.decoder.set_checksums(checksums);
    }

    /// One packet; false where the filter does not let it through.
    pub fn packet(&mut self, packet: &Packet<'_>, back: &mut dyn Back) -> bool {
        if self.filter.as_ref().is_some_and(|filter| !filter.passes(packet)) {
            *self.excluded.get_or_insert(0) += 1;
            return false;
        }
        self.packets += 1;
        self.tick(packet.time_ns, back);
        let (number, time_ns, clock_ns) = (self.packets, packet.time_ns, self.clock_ns);
        let (seed, shards) = (self.seed, self.shards);
        let mut carriers = Vec::new();
        let routed = |packet, carries| {
            let (key, side) = FlowKey::of(&packet);
            let shard = usize::try_from(key.spread(seed) % shards as u64).unwrap_or(0);
            Routed { number, time_ns, clock_ns, packet, key, side, shard, carries }
        };
        let decoded = self.decoder.decode_all(packet, &mut self.whole, &mut carriers);
        match decoded {
            Ok(packet) => back.packet(&routed(packet, 0)),
            Err(Stop::Arp(packet)) => {
                let shard = usize::try_from(packet.sender.1.to_bits()).unwrap_or(0) % self.shards;
                back.arp(&RoutedArp { number, time_ns, packet, shard });
            }
            Err(Stop::Held | Stop::Refused(_)) => {}
        }
        for (carrier, carries) in carriers.into_iter().rev().zip(1u8..) {
            back.packet(&routed(carrier, carries));
        }
        if self.decoder.odd().is_something() {
            let odd = *self.decoder.odd();
            let sender = odd.addresses.map_or(0, |(sender, _)| match sender {
                IpAddr::V4(ip) => u64::from(ip.to_bits()),
                IpAddr::V6(ip) => u64::try_from(ip.to_bits() & u128::from(u64::MAX)).unwrap_or(0),
            });
            let shard = usize::try_from(sender % self.shards as u64).unwrap_or(0);
            back.odd(&RoutedOdd { number, time_ns, odd, shard });
        }
        true
    }

    /// A name for the datagram that the latest packet is a fragment of, the same for all its fragments.
    pub fn datagram(&self) -> Option<[u8; 20]> {
        self.decoder.datagram()
    }

    /// Moves the clock on; it never goes back.
    pub fn tick(&mut self, time_ns: i64, back: &mut dyn Back) {
        if time_ns <= self.clock_ns {
            return;
        }
        if time_ns.div_euclid(SECOND_NS) > self.clock_ns.div_euclid(SECOND_NS) {
            self.decoder.tick(time_ns);
            back.tick(self.packets, time_ns);
        }
        self.clock_ns = time_ns;
    }

    /// The clock.
    pub fn clock_ns(&self) -> i64 {
        self.clock_ns
    }

    /// Ends everything that is open; the clock starts anew with the next packet.
    pub fn finish(&mut self, back: &mut dyn Back) {
        self.decoder.finish();
        back.finish(self.packets);
        self.clock_ns = i64::MIN;
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// The first lines of the ledger.
    pub fn stages(&self, source: SourceCounts) -> Vec<Stage> {
        let mut stages = vec![capture_stage(self.packets + self.excluded.unwrap_or(0), source)];
        stages.extend(self.excluded.map(|excluded| filter_stage(self.packets, excluded)));
        stages.push(decode_stage(self.decoder.counts(), self.decoder.held()));
        stages
    }
}

/// Some shards, worked on by one thread.
pub struct Shards {
    shards: Vec<Option<Worker>>,
}

/// Where an event stands among those of all shards: number of the packet, then number of the first packet of the flow
/// where it ended at a tick before that packet.
pub type OrderKey = (u64, u64);

/// An [`EventSink`] that is told the order of what follows.
pub trait OrderedSink: EventSink {
    /// The events that follow stand here.
    fn order(&mut self, key: OrderKey);
}

impl Shards {
    /// The shards `first`, `first + step`, `first + 2 * step` and so on of [`SHARDS`].
    pub fn new(settings: &WorkerSettings, first: usize, step: usize) -> Shards {
        let mine = |shard: usize| shard % step.max(1) == first;
        let shards = (0..SHARDS).map(|s| mine(s).then(|| Worker::new(settings, SHARDS))).collect();
        Shards { shards }
    }

    /// One shard with a `1/parts` share of the limits: for a capture thread that has its flows to itself.
    pub fn single(settings: &WorkerSettings, parts: usize) -> Shards {
        Shards { shards: vec![Some(Worker::new(settings, parts))] }
    }

    /// Whether a shard is one of these.
    pub fn has(&self, shard: usize) -> bool {
        matches!(self.shards.get(shard), Some(Some(_)))
    }

    /// A packet of one of these shards.
    pub fn packet(&mut self, routed: &Routed<'_>, out: &mut dyn OrderedSink) {
        let Some(Some(worker)) = self.shards.get_mut(routed.shard) else { return };
        // What carries comes behind what it carries, whichever shards tell of them.
        out.order((routed.number, u64::MAX - u64::from(u8::MAX) + u64::from(routed.carries)));
        if routed.carries == 0 { worker.packet(routed, out) } else { worker.carrier(routed, out) }
    }

    /// A packet without a flow, of one of these shards.
    pub fn arp(&mut self, routed: &RoutedArp, out: &mut dyn OrderedSink) {
        let Some(Some(worker)) = self.shards.get_mut(routed.shard) else { return };
        out.order((routed.number, u64::MAX));
        worker.arp(routed, out);
    }

    /// What was odd about a packet, told by one of these shards.
    pub fn odd(&mut self, routed: &RoutedOdd, out: &mut dyn OrderedSink) {
        let Some(Some(worker)) = self.shards.get_mut(routed.shard) else { return };
        out.order((routed.number, u64::MAX));
        worker.odd(routed, out);
    }

    /// Ends flows that were silent for too long.
    pub fn tick(&mut self, number: u64, clock_ns: i64, out: &mut dyn OrderedSink) {
        let order = self.order(|worker, flows| flows.extend(worker.silent(clock_ns)));
        self.end(order, number, false, out);
    }

    /// Ends all flows.
    pub fn finish(&mut self, number: u64, out: &mut dyn OrderedSink) {
        let order = self.order(|worker, flows| flows.extend(worker.left()));
        // Behind the last packet, before what may follow.
        self.end(order, number + 1, true, out);
    }

    /// The flow of the packet that was handed over last, where it was not asked for yet and the settings say that it will
    /// be.
    pub fn take_member(&mut self) -> Option<Member> {
        self.shards.iter_mut().flatten().find_map(Worker::take_member)
    }

    /// What these shards counted.
    pub fn counts(&self) -> WorkerCounts {
        let mut sum = WorkerCounts::default();
        for worker in self.shards.iter().flatten() {
            sum.add(&worker.counts());
        }
        sum
    }

    /// Goes on by other settings, of whose limits each shard takes a `1/parts` share.
    pub fn adopt(&mut self, settings: &WorkerSettings, parts: usize) {
        for worker in self.shards.iter_mut().flatten() {
            worker.adopt(settings, parts);
        }
    }

    /// From now on only these flows are looked into.
    pub fn set_detail(&mut self, detail: Detail) {
        for worker in self.shards.iter_mut().flatten() {
            worker.set_detail(detail);
        }
    }

    /// How many flows live.
    pub fn flows(&self) -> usize {
        self.shards.iter().flatten().map(Worker::flows).sum()
    }

    /// Some flows of all shards in the order of their first packets: number of that packet, shard, place.
    fn order(&self, some: impl Fn(&Worker, &mut Vec<(u64, Place)>)) -> Vec<(u64, usize, Place)> {
        let (mut order, mut flows) = (Vec::new(), Vec::new());
        for (shard, worker) in self.shards.iter().enumerate() {
            if let Some(worker) = worker {
                some(worker, &mut flows);
                order.extend(flows.drain(..).map(|(first_packet, place)| (first_packet, shard, place)));
            }
        }
        order.sort_unstable_by_key(|(first_packet, ..)| *first_packet);
        order
    }

    fn end(&mut self, order: Vec<(u64, usize, Place)>, number: u64, over: bool, out: &mut dyn OrderedSink) {
        for (first_packet, shard, place) in order {
            if let Some(Some(worker)) = self.shards.get_mut(shard) {
                out.order((number, first_packet));
                worker.end(place, over, out);
            }
        }
    }
}

/// All shards in this thread, events straight to a sink.
pub struct Inline<S> {
    /// The shards.
    pub shards: Shards,
    /// Where events go.
    pub sink: S,
}

impl<S: EventSink> Back for Inline<S> {
    fn tick(&mut self, number: u64, clock_ns: i64) {
        self.shards.tick(number, clock_ns, &mut Unordered(&mut self.sink));
    }

    fn packet(&mut self, routed: &Routed<'_>) {
        self.shards.packet(routed, &mut Unordered(&mut self.sink));
    }

    fn arp(&mut self, routed: &RoutedArp) {
        self.shards.arp(routed, &mut Unordered(&mut self.sink));
    }

    fn odd(&mut self, routed: &RoutedOdd) {
        self.shards.odd(routed, &mut Unordered(&mut self.sink));
    }

    fn finish(&mut self, number: u64) {
        self.shards.finish(number, &mut Unordered(&mut self.sink));
    }
}

/// One thread works in order: nothing needs to be noted.
struct Unordered<'s, S>(&'s mut S);

impl<S: EventSink> EventSink for Unordered<'_, S> {
    fn event(&mut self, event: Event) {
        self.0.event(event);
    }
}

impl<S: EventSink> OrderedSink for Unordered<'_, S> {
    fn order(&mut self, _key: OrderKey) {}
}

/// The ledger's line of capture: `given` packets were handed over.
pub fn capture_stage(given: u64, source: SourceCounts) -> Stage {
    let dropped = named([("ring_full", source.ring_full), ("damaged", source.damaged)]);
    let taken = given + source.ring_full + source.damaged;
    stage("capture", Unit::Packets, StageCounts { taken, given, held: 0, dropped })
}

/// The ledger's line of a filter that is not the kernel's: what is left out by choice is no loss.
fn filter_stage(given: u64, excluded: u64) -> Stage {
    let counts = StageCounts { taken: given + excluded, given, held: 0, dropped: named([("excluded", excluded)]) };
    stage("filter", Unit::Packets, counts)
}

/// The ledger's line of decode.
pub fn decode_stage(counts: &DecodeCounts, held: u64) -> Stage {
    let names = Refusal::ALL.map(Refusal::name);
    let dropped = named(names.into_iter().zip(counts.refused));
    stage("decode", Unit::Packets, StageCounts { taken: counts.taken, given: counts.given, held, dropped })
}

/// The ledger's lines of flow, of what was looked into, and of protocols; `held` events are made and not yet handed on.
pub fn worker_stages(counts: &WorkerCounts, held: u64) -> [Stage; 3] {
    let (packets, events) = (counts.packets, counts.events_total());
    let flow = StageCounts { taken: packets, given: packets, held: 0, dropped: BTreeMap::new() };
    let Spared { packets_new, packets_known, .. } = counts.spared;
    let spared = named([("load_new_flow", packets_new), ("load_known_flow", packets_known)]);
    let given = packets - packets_new - packets_known;
    let detail = StageCounts { taken: packets, given, held: 0, dropped: spared };
    let protocols = StageCounts { taken: events, given: events - held, held, dropped: BTreeMap::new() };
    [
        stage("flow", Unit::Packets, flow),
        stage("detail", Unit::Packets, detail),
        stage("protocols", Unit::Events, protocols),
    ]
}

fn stage(name: &str, unit: Unit, counts: StageCounts) -> Stage {
    Stage { name: name.into(), unit, counts }
}

fn named<'a>(counts: impl IntoIterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
}
