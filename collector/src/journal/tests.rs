//! Tests of the journal: order, duplicates, recovery, against a plain model with faults.

use luytre_events::{Catalogue, DatasetId, Event, EventId};
use luytre_segments::memory::Memory;
use proptest::prelude::*;

use super::*;
use crate::fleet::{Fleet, FleetSettings};

fn settings() -> JournalSettings {
    JournalSettings { segment_bytes: 2_000, size_bytes: 0, age_days: 1 }
}

fn batch(first: u64, count: u64) -> Batch {
    let event = |sequence| Event {
        id: EventId { sensor: "".into(), sequence },
        time_ns: i64::try_from(sequence).unwrap(),
        dataset: DatasetId(0),
        flow: None,
        fields: Vec::new(),
    };
    let events: Vec<Event> = (first..first + count).map(event).collect();
    Batch::pack(&events).unwrap().unwrap()
}

fn incoming(sensor: &str, first: u64, count: u64) -> Incoming {
    let digest = Catalogue::current().digest();
    Incoming { sensor: sensor.into(), digest, received_ns: 5, run_first: 1, batch: batch(first, count) }
}

fn open(disk: &Memory) -> Journal {
    Journal::open_on(Arc::new(disk.clone()), settings(), Problems::default()).unwrap()
}

fn catalogues() -> Catalogues {
    use std::sync::OnceLock;
    static FLEET: OnceLock<(tempfile::TempDir, Fleet)> = OnceLock::new();
    let (_, fleet) = FLEET.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(folder.path(), &FleetSettings::default()).unwrap();
        (folder, fleet)
    });
    fleet.catalogues()
}

/// Sensor and sequence number of every event from a place on.
fn read(journal: &Journal, from: Position) -> Vec<(String, u64)> {
    let mut reader = journal.reader(from, catalogues());
    let mut found = Vec::new();
    while let Some(read) = reader.next().unwrap() {
        found.extend(read.events.iter().map(|event| (event.id.sensor.to_string(), event.id.sequence)));
    }
    found
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

#[derive(Debug, Clone)]
enum Act {
    /// Some sensors send their next batches together; 0 resends the last one.
    Append(Vec<(u8, u8)>),
    /// The program is killed and the power fails; of what is not durable this share (of 255) stays.
    Crash(u8),
    /// The index has everything.
    Index,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => prop::collection::vec((0u8..3, 0u8..20), 1..6).prop_map(Act::Append),
        1 => any::<u8>().prop_map(Act::Crash),
        1 => Just(Act::Index),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_acknowledged_is_there_once_and_in_order(acts in prop::collection::vec(act(), 1..25)) {
        let runtime = runtime();
        let disk = Memory::default();
        let mut journal = open(&disk);
        let mut model: Vec<(String, u64)> = Vec::new();
        // What retention may have removed, the highest numbers, and the last batch of each sensor.
        let mut indexed = Position::default();
        let mut next = [1u64; 3];
        let mut last = [None; 3];
        for act in acts {
            match act {
                Act::Append(batches) => runtime.block_on(async {
                    let mut answers = Vec::new();
                    for (sensor, count) in batches {
                        let (name, slot) = (format!("s{sensor}"), usize::from(sensor));
                        let (first, count) = match (count, last[slot]) {
                            (0, None) => continue,
                            (0, Some(again)) => again,
                            (count, _) => (next[slot], u64::from(count)),
                        };
                        if first >= next[slot] {
                            // Numbers may be missing between batches.
                            next[slot] = first + count + 3;
                            last[slot] = Some((first, count));
                            model.extend((first..first + count).map(|sequence| (name.clone(), sequence)));
                        }
                        answers.push((first + count - 1, journal.submit(incoming(&name, first, count)).await));
                    }
                    for (expected, answer) in answers {
                        let durable = answer.await.unwrap().unwrap();
                        assert!(durable >= expected);
                    }
                }),
                Act::Crash(share) => {
                    drop(journal);
                    disk.crash(|unsynced| unsynced * usize::from(share) / 255);
                    journal = open(&disk);
                }
                Act::Index => {
                    indexed = journal.end();
                    journal.indexed(indexed);
                    prop_assert!(journal.at_rest());
                    prop_assert_eq!(journal.lag_events(), 0);
                }
            }
            // Retention removes from the front only, and only what is indexed.
            let found = read(&journal, Position::default());
            prop_assert!(model.ends_with(&found));
            let after = read(&journal, indexed);
            prop_assert!(found.ends_with(&after));
            for (slot, last) in last.iter().enumerate() {
                let durable = last.map_or(0, |(first, count)| first + count - 1);
                prop_assert_eq!(journal.durable(&format!("s{slot}")), durable);
                let events = model.iter().filter(|(name, _)| *name == format!("s{slot}")).count() as u64;
                prop_assert_eq!(journal.totals(&format!("s{slot}")).events, events);
            }
        }
    }
}

#[test]
fn a_full_disk_acknowledges_nothing_says_so_and_goes_on() {
    let disk = Memory::default();
    let problems = Problems::default();
    let journal = Journal::open_on(Arc::new(disk.clone()), settings(), problems.clone()).unwrap();
    runtime().block_on(async {
        journal.append(incoming("dc-1", 1, 5)).await.unwrap();
        disk.set_room(Some(10));
        let mut waiting = journal.submit(incoming("dc-1", 6, 5)).await;
        while problems.list().is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(problems.list()[0].contains("free some space"), "{:?}", problems.list());
        assert!(waiting.try_recv().is_err());
        assert_eq!(journal.durable("dc-1"), 5);
        disk.set_room(None);
        assert_eq!(waiting.await.unwrap().unwrap(), 10);
    });
    let expected: Vec<_> = (1..=10).map(|sequence| ("dc-1".to_owned(), sequence)).collect();
    assert_eq!(read(&journal, Position::default()), expected);
}

#[test]
fn a_failing_sync_neither_loses_nor_doubles() {
    let disk = Memory::default();
    let journal = open(&disk);
    runtime().block_on(async {
        disk.fail_syncs(1);
        assert_eq!(journal.append(incoming("dc-1", 1, 5)).await.unwrap(), 5);
        assert_eq!(journal.append(incoming("dc-1", 1, 5)).await.unwrap(), 5);
    });
    assert_eq!(read(&journal, Position::default()).len(), 5);
}

#[test]
fn an_overlapping_batch_is_refused() {
    let journal = open(&Memory::default());
    runtime().block_on(async {
        journal.append(incoming("dc-1", 1, 5)).await.unwrap();
        let error = journal.append(incoming("dc-1", 4, 5)).await.unwrap_err();
        assert!(matches!(error, JournalError::Overlap { first: 4, last: 8, durable: 5 }), "{error}");
    });
}

#[test]
fn a_flip_costs_one_batch_and_the_rest_is_read() {
    let disk = Memory::default();
    let journal = open(&disk);
    runtime().block_on(async {
        for n in 0..5 {
            journal.append(incoming("dc-1", 1 + n * 10, 10)).await.unwrap();
        }
    });
    let (name, size) = disk.sizes().into_iter().next().unwrap();
    disk.flip(&name, size / 2 * 8);
    assert_eq!(read(&journal, Position::default()).len(), 40);
    drop(journal);
    let journal = open(&disk);
    assert_eq!(read(&journal, Position::default()).len(), 40);
    assert_eq!(journal.durable("dc-1"), 50);
}

#[test]
fn runs_of_a_sensor_and_the_inflow_are_counted_apart() {
    let disk = Memory::default();
    let journal = open(&disk);
    runtime().block_on(async {
        journal.append(incoming("dc-1", 1, 5)).await.unwrap();
        let indexed = journal.end();
        let later = Incoming { run_first: 100, ..incoming("dc-1", 6, 5) };
        journal.append(later).await.unwrap();
        assert_eq!(journal.totals("dc-1").run_events, 0);
        let later = Incoming { run_first: 100, ..incoming("dc-1", 100, 7) };
        journal.append(later).await.unwrap();
        assert_eq!(journal.totals("dc-1").run_events, 7);
        journal.indexed(indexed);
        assert_eq!((journal.inflow("dc-1"), journal.lag_events()), (12, 12));
        assert!(!journal.at_rest());
        journal.indexed(journal.end());
        assert_eq!((journal.inflow("dc-1"), journal.lag_events()), (12, 0));
        assert!(journal.at_rest());
    });
}

/// Segments damaged at four hundred places by seed: one bit, a run of bytes, a cut, zeros as a disk gives after a power
/// failure.
#[test]
fn whatever_is_damaged_costs_what_stood_there_and_nothing_is_made_up() {
    let (whole, runtime) = (Memory::default(), runtime());
    let journal = open(&whole);
    for number in 0..120 {
        runtime.block_on(journal.append(incoming("dc", 1 + number * 5, 5))).unwrap();
    }
    drop(journal);
    let names = whole.list().unwrap();
    assert!(names.len() > 3, "several segments: {names:?}");
    let mut seed = 0x5eed_u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below.max(1)
    };
    for round in 0..400 {
        let damaged = Memory::default();
        let victim = random(names.len());
        for (number, name) in names.iter().enumerate() {
            let mut bytes = whole.read(name, 0, usize::MAX).unwrap();
            if number == victim {
                let at = random(bytes.len());
                match round % 4 {
                    0 => bytes[at] ^= 1 << random(8),
                    1 => bytes[at..].iter_mut().take(1 + random(64)).for_each(|byte| *byte = !*byte),
                    2 => bytes.truncate(at),
                    _ => bytes[at..].fill(0),
                }
            }
            damaged.write(name, 0, &bytes).unwrap();
            damaged.sync(name).unwrap();
        }
        let what = format!("round {round}: {}", names[victim]);
        let journal = open(&damaged);
        let found: Vec<u64> = read(&journal, Position::default()).into_iter().map(|(_, sequence)| sequence).collect();
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{what}: in order, each once");
        assert!(found.iter().all(|sequence| (1..=600).contains(sequence)), "{what}: nothing is made up");
        // A segment holds few batches; the others are whole.
        assert!(found.len() >= 600 - 600 * 2 / names.len(), "{what}: only {} of 600", found.len());
        let next = journal.durable("dc") + 1;
        runtime.block_on(journal.append(incoming("dc", next, 5))).expect(&what);
        let last = read(&journal, Position::default()).last().map(|(_, sequence)| *sequence);
        assert_eq!(last, Some(next + 4), "{what}: it goes on");
    }
}
