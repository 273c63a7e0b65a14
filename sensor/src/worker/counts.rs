//! What shards count: packets, flows, events, and what they did not look into.

use std::collections::BTreeMap;

use luytre_rules_engine::signatures::InspectCounts;

use crate::decode::Decoded;
use crate::files::FileCounts;
use crate::flow::FlowDetail;

/// What flows lost their detail, because of [`Detail`]. None gets it back: a parser that has missed the middle of a
/// conversation would tell wrong stories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spared {
    /// Flows that were not looked into from their first packet on, or from some moment on.
    pub flows: u64,
    /// Packets of flows that were not looked into from their first packet on.
    pub packets_new: u64,
    /// Packets of flows that were looked into before.
    pub packets_known: u64,
    /// Bytes of both, as on the wire.
    pub bytes: u64,
}

impl Spared {
    /// A packet of a flow that is looked into so far.
    pub(super) fn packet(&mut self, detail: FlowDetail, packet: &Decoded<'_>) {
        match detail {
            FlowDetail::Whole => return,
            FlowDetail::None => self.packets_new += u64::from(packet.packets),
            FlowDetail::Part => self.packets_known += u64::from(packet.packets),
        }
        self.bytes += packet.bytes;
    }
}

/// What the shards of a program count together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerCounts {
    /// Packets that came in.
    pub packets: u64,
    /// Flows that began.
    pub flows: u64,
    /// Flows that were ended because the table was full.
    pub evicted: u64,
    /// Events that went out, by dataset.
    pub events: BTreeMap<&'static str, u64>,
    /// Oddities by name, as parsers and reassembly name them.
    pub anomalies: BTreeMap<&'static str, u64>,
    /// What happened to carved files.
    pub files: FileCounts,
    /// What was not looked into.
    pub spared: Spared,
    /// What signatures did.
    pub signatures: InspectCounts,
}

impl WorkerCounts {
    /// Adds those of another shard.
    pub fn add(&mut self, other: &WorkerCounts) {
        self.packets += other.packets;
        self.flows += other.flows;
        self.evicted += other.evicted;
        for (name, count) in &other.events {
            *self.events.entry(name).or_default() += count;
        }
        for (name, count) in &other.anomalies {
            *self.anomalies.entry(name).or_default() += count;
        }
        self.signatures.add(other.signatures);
        self.spared.flows += other.spared.flows;
        self.spared.packets_new += other.spared.packets_new;
        self.spared.packets_known += other.spared.packets_known;
        self.spared.bytes += other.spared.bytes;
        self.files.seen += other.files.seen;
        self.files.refused += other.files.refused;
        self.files.too_large += other.files.too_large;
        self.files.no_memory += other.files.no_memory;
        self.files.not_stored += other.files.not_stored;
        self.files.not_joined += other.files.not_joined;
    }

    /// Events that went out.
    pub fn events_total(&self) -> u64 {
        self.events.values().sum()
    }
}
