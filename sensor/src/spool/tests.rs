//! Tests of the spool: sequence, limits, recovery, against a plain model with faults.

use std::collections::BTreeMap;
use std::sync::Arc;

use luytre_events::wire::{Batch, Translation};
use luytre_events::{Catalogue, DatasetId, Event, EventId};
use luytre_segments::memory::Memory;
use proptest::prelude::*;

use super::counts::Shared;
use super::writer::Writer;
use super::*;

fn event(mark: i64) -> Event {
    let id = EventId { sensor: "".into(), sequence: 0 };
    Event { id, time_ns: mark, dataset: DatasetId(0), flow: None, fields: Vec::new() }
}

/// A collector that keeps the rules: takes what rises, ignores what it has.
#[derive(Default)]
struct Collector {
    durable: u64,
    events: BTreeMap<u64, i64>,
}

impl Collector {
    fn take(&mut self, batch: &Batch) {
        if batch.last <= self.durable {
            return;
        }
        assert!(batch.first > self.durable, "a batch overlaps what is durable");
        let ours = Translation::from(Catalogue::current());
        for event in batch.unpack(&"s".into(), &ours).unwrap().0 {
            assert_eq!(self.events.insert(event.id.sequence, event.time_ns), None);
        }
        self.durable = batch.last;
    }
}

struct Rig {
    disk: Memory,
    writer: Writer,
    shared: Arc<Shared>,
    reader: SpoolReader,
    now_us: u64,
}

impl Rig {
    fn new(disk: Memory, now_us: u64) -> Rig {
        let limits = SpoolLimits { size_bytes: 100 << 20, ..SpoolLimits::default() };
        let (writer, shared, reader) = assemble(Arc::new(disk.clone()), limits, now_us).unwrap();
        Rig { disk, writer, shared, reader, now_us }
    }

    fn push(&mut self, marks: std::ops::Range<i64>) {
        let (_, fits) = self.shared.enter(0, marks.clone().count());
        self.writer.take(marks.take(fits).map(event).collect());
    }

    /// Power fails; the clock may go back.
    fn crash(self, share: u8, clock_us: i64) -> Rig {
        self.disk.crash(|unsynced| unsynced * usize::from(share) / 255);
        Rig::new(self.disk, self.now_us.saturating_add_signed(clock_us))
    }

    fn drain(&mut self, collector: &mut Collector) {
        self.reader.resume(collector.durable);
        while let Some(batch) = self.reader.next().unwrap() {
            collector.take(&batch);
            self.reader.acknowledge(collector.durable);
        }
    }

    fn check(&self) {
        let stages = self.shared.stages();
        assert_eq!((stages.spool.counts.unaccounted(), stages.backlog.counts.unaccounted()), (0, 0), "{stages:?}");
    }
}

#[derive(Debug, Clone)]
enum Act {
    Push(u8),
    Write,
    Sync,
    FailingSync,
    WriteWithRoom(u64),
    /// The collector receives this many batches, and the first so many acknowledgements arrive.
    Deliver(u8, u8),
    Reconnect,
    Crash(u8, i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (1u8..50).prop_map(Act::Push),
        3 => Just(Act::Write),
        3 => Just(Act::Sync),
        1 => Just(Act::FailingSync),
        1 => (0u64..200).prop_map(Act::WriteWithRoom),
        4 => (0u8..6, 0u8..6).prop_map(|(received, heard)| Act::Deliver(received, heard)),
        1 => Just(Act::Reconnect),
        1 => (any::<u8>(), -1000i64..1_000_000).prop_map(|(share, clock)| Act::Crash(share, clock)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_durable_arrives_once_and_every_event_is_accounted_for(acts in prop::collection::vec(act(), 1..60)) {
        let mut rig = Rig::new(Memory::default(), 1_000_000);
        let mut collector = Collector::default();
        let mut mark = 0;
        // Events that were made durable, by mark, and must arrive.
        let mut promised: Vec<i64> = Vec::new();
        let mut hoped: Vec<i64> = Vec::new();
        for act in acts {
            match act {
                Act::Push(count) => {
                    let next = mark + i64::from(count);
                    rig.push(mark..next);
                    hoped.extend(mark..next);
                    mark = next;
                }
                Act::Write => rig.writer.write_waiting(),
                Act::Sync => {
                    let dropped = rig.shared.stages().spool.counts.dropped_total();
                    rig.writer.write_waiting();
                    rig.writer.sync();
                    prop_assert_eq!(dropped, rig.shared.stages().spool.counts.dropped_total());
                    promised.append(&mut hoped);
                }
                Act::FailingSync => {
                    rig.writer.write_waiting();
                    rig.disk.fail_syncs(1);
                    rig.writer.sync();
                    rig.disk.fail_syncs(0);
                    hoped.clear();
                }
                Act::WriteWithRoom(room) => {
                    rig.disk.set_room(Some(room));
                    rig.writer.write_waiting();
                    rig.disk.set_room(None);
                    // Whether the last group went in is not known: it must not be expected.
                    hoped.clear();
                }
                Act::Deliver(received, heard) => {
                    for n in 0..received {
                        let Some(batch) = rig.reader.next().unwrap() else { break };
                        collector.take(&batch);
                        if n < heard {
                            rig.reader.acknowledge(collector.durable);
                        }
                    }
                }
                Act::Reconnect => rig.reader.resume(collector.durable),
                Act::Crash(share, clock) => {
                    rig = rig.crash(share, clock);
                    hoped.clear();
                    rig.reader.resume(collector.durable);
                }
            }
            rig.check();
        }
        rig.writer.write_waiting();
        rig.writer.sync();
        rig.drain(&mut collector);
        rig.check();
        let arrived: std::collections::BTreeSet<i64> = collector.events.values().copied().collect();
        prop_assert_eq!(arrived.len(), collector.events.len(), "an event arrived under two numbers");
        for mark in promised {
            prop_assert!(arrived.contains(&mark), "event {} was durable and did not arrive", mark);
        }
        let stages = rig.shared.stages();
        prop_assert_eq!(stages.spool.counts.held, 0);
        prop_assert_eq!(stages.backlog.counts.held, 0);
        prop_assert!(rig.reader.drained());
    }
}

#[test]
fn a_full_spool_keeps_flows_longest_and_counts_the_rest() {
    let flow = DatasetId(7);
    let limits = SpoolLimits { size_bytes: 200_000, keep_longest: "none".into(), ..SpoolLimits::default() };
    let (mut writer, shared, mut reader) = assemble(Arc::new(Memory::default()), limits, 1).unwrap();
    writer.keep_longest(flow);
    let noise = |n: u64| -> Event {
        let random: Vec<u8> = (0..400u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ n) >> 32) as u8).collect();
        let mut event = event(0);
        event.fields = vec![(luytre_events::FieldId(0), luytre_events::Value::Bytes(random.into()))];
        event.dataset = if n.is_multiple_of(4) { flow } else { DatasetId(1) };
        event
    };
    for round in 0..1000u64 {
        let events: Vec<Event> = (0..10).map(|n| noise(round * 10 + n)).collect();
        shared.enter(0, events.len());
        writer.take(events);
        writer.write_waiting();
        writer.sync();
    }
    let full = shared.stages().spool.counts;
    assert!(full.dropped["spool_full"] > 5_000);
    assert_eq!(full.unaccounted(), 0);
    assert!(shared.view.size_bytes() <= 200_000);
    let ours = Translation::from(Catalogue::current());
    let mut newest_is_flow = false;
    while let Some(batch) = reader.next().unwrap() {
        // Batches written above 90 % hold flows only: 2 or 3 of 10 events.
        newest_is_flow = batch.unpack(&"s".into(), &ours).unwrap().0.len() < 4;
        reader.acknowledge(batch.last);
    }
    assert!(newest_is_flow);
    // There is room again without anybody's help.
    let dropped = shared.stages().spool.counts.dropped_total();
    shared.enter(1, 0);
    writer.take(vec![event(1)]);
    writer.write_waiting();
    writer.sync();
    assert_eq!(shared.stages().spool.counts.dropped_total(), dropped);
    assert!(reader.next().unwrap().is_some());
}

#[test]
fn a_full_disk_is_counted_and_recovers_by_itself() {
    let mut rig = Rig::new(Memory::default(), 1);
    rig.disk.set_room(Some(20));
    rig.push(0..10);
    rig.writer.write_waiting();
    rig.check();
    assert_eq!(rig.shared.stages().spool.counts.dropped["disk_full"], 10);
    rig.disk.set_room(Some(1 << 20));
    rig.push(10..20);
    rig.writer.write_waiting();
    rig.writer.sync();
    let mut collector = Collector::default();
    rig.drain(&mut collector);
    assert_eq!(collector.events.into_values().collect::<Vec<_>>(), (10..20).collect::<Vec<_>>());
}

#[test]
fn what_is_acknowledged_is_no_backlog_after_a_restart() {
    let mut rig = Rig::new(Memory::default(), 1);
    for round in 0..3 {
        rig.push(round * 10..round * 10 + 10);
        rig.writer.write_waiting();
        rig.writer.sync();
    }
    let first = rig.reader.next().unwrap().unwrap();
    rig.reader.acknowledge(first.last);
    let mut rig = rig.crash(255, 5);
    assert_eq!(rig.shared.stages().backlog.counts.taken, 20);
    let mut collector = Collector::default();
    rig.drain(&mut collector);
    assert_eq!(collector.events.len(), 20);
    assert_eq!(rig.shared.stages().backlog.counts.given, 20);
    // What is kept of this is wrong: everything comes once more, and the collector knows it.
    rig.disk.flip("acknowledged", 3);
    let mut rig = rig.crash(255, 5);
    assert_eq!(rig.shared.stages().backlog.counts.taken, 30);
    rig.drain(&mut collector);
    rig.check();
    assert_eq!(rig.shared.stages().backlog.counts.held, 0);
}

#[test]
fn damage_that_is_found_later_is_accounted_for() {
    let mut rig = Rig::new(Memory::default(), 1);
    for round in 0..3 {
        rig.push(round * 10..round * 10 + 10);
        rig.writer.write_waiting();
        rig.writer.sync();
    }
    let (name, size) = rig.disk.sizes().into_iter().next().unwrap();
    rig.disk.flip(&name, size / 2 * 8);
    let mut collector = Collector::default();
    rig.drain(&mut collector);
    rig.check();
    let counts = rig.shared.stages().spool.counts;
    assert_eq!((counts.given, counts.held, counts.dropped["damaged"]), (20, 0, 10));
}

#[test]
fn a_full_queue_drops_at_once_and_a_waiting_source_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let limits = SpoolLimits { queue_events: 100, sync_ms: 1, ..SpoolLimits::default() };
    let (writer, mut reader) = Spool::open(folder.path(), limits).unwrap();
    // The last eighth of the queue is for flow records; none of them is lost while anything else can go.
    let flow = Catalogue::current().dataset_id("flow").unwrap();
    let of = |dataset: DatasetId, mark| Event { dataset, ..event(mark) };
    let other = DatasetId(u16::from(flow == DatasetId(0)));
    let mixed = (0..150).map(|mark| of(other, mark)).chain((0..20).map(|mark| of(flow, mark)));
    writer.push(mixed.collect());
    assert_eq!(writer.stages().spool.counts.dropped["queue_full"], 150 - (100 - 12 - 20));
    for _ in 0..20 {
        writer.push_waiting((0..50).map(event).collect());
    }
    writer.flush();
    let (mut count, mut flows) = (0, 0);
    let ours = Translation::from(Catalogue::current());
    while let Some(batch) = reader.next().unwrap() {
        count += u64::from(batch.count);
        let events = batch.unpack(&"s".into(), &ours).unwrap().0;
        flows += events.iter().filter(|event| event.dataset == flow).count();
        reader.acknowledge(batch.last);
    }
    assert_eq!((count, flows), (1088, 20));
    assert_eq!(writer.stages().spool.counts.given, 1088);
}
