//! The whole way from journal to alerts and index: a clock that is wrong, an event that breaks the rules, rules that change.

use std::path::Path;

use luytre_events::wire::Batch as Wire;
use luytre_events::{Catalogue, CommunityId, FlowContext, Transport, Value};
use luytre_rules_engine::{Detector, Engine, Match};

use super::*;
use crate::detect::DetectionParts;
use crate::detect::change::RuleChange;
use crate::detect::groups::GroupSettings;
use crate::enrich::SharedAgencies;
use crate::fanout::{Fanout, FanoutSettings};
use crate::fleet::{Fleet, FleetSettings};
use crate::journal::{Incoming, JournalSettings};
use crate::ledger::{Ledger, LedgerSettings};

const SECOND_NS: i64 = 1_000_000_000;

const CLIMBING: &str = "title: Climbs out of the web root
id: 11111111-1111-4111-8111-111111111111
name: climbing
logsource: {product: luytre, category: http}
detection: {selection: {url.original|contains: '../'}, condition: selection}
level: low
---
title: Climbs again and again
id: 22222222-2222-4222-8222-222222222222
correlation:
  type: event_count
  rules: [climbing]
  group-by: [source.ip]
  timespan: 10m
  generate: true
  condition: {gte: 5}
level: high
";

const LATER: &str = "title: Added later
id: 00000000-0000-4000-8000-000000000000
logsource: {product: luytre, category: http}
detection: {selection: {url.original|contains: 'passwd'}, condition: selection}
level: medium
---
title: Added later too
id: 00000000-0000-4000-8000-000000000001
correlation:
  type: event_count
  rules: [climbing]
  group-by: [destination.ip]
  generate: true
  timespan: 1m
  condition: {gte: 1000}
level: medium
";

/// Panics on events of one address.
struct Fragile;

impl Detector for Fragile {
    fn process(&mut self, event: &Event, _found: &mut Vec<Match>) {
        let is_poison = event.flow.as_ref().is_some_and(|flow| flow.source.0.to_string() == "192.0.2.66");
        assert!(!is_poison, "this detector has a fault");
    }
}

struct Rig {
    dir: tempfile::TempDir,
    fleet: Fleet,
    journal: Journal,
    store: Arc<Store>,
    fanout: Fanout,
    ledger: Ledger,
    problems: Problems,
    changes: RuleChanges,
    poisoned: Arc<AtomicU64>,
    runtime: tokio::runtime::Runtime,
    base_ns: i64,
}

impl Rig {
    fn new() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let at = |part: &str| dir.path().join(part);
        let problems = Problems::default();
        std::fs::create_dir_all(at("rules/sigma")).unwrap();
        std::fs::write(at("rules/sigma/climbing.yml"), CLIMBING).unwrap();
        let fleet = Fleet::open(&at("fleet"), &FleetSettings::default()).unwrap();
        let catalogue = Catalogue::current();
        fleet.catalogues().learn(&catalogue.digest(), &catalogue.to_json()).unwrap();
        let journal = Journal::open(&at("journal"), JournalSettings::default(), problems.clone()).unwrap();
        let ledger = Ledger::open(&at("ledger"), LedgerSettings::default()).unwrap();
        ledger.follow(journal.clone());
        Rig {
            fleet,
            store: Store::open(&at("index")).unwrap(),
            fanout: Fanout::open(&at("fanout"), FanoutSettings::default(), &problems).unwrap(),
            ledger,
            journal,
            problems,
            changes: RuleChanges::default(),
            poisoned: Arc::default(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            base_ns: crate::clock::now_ns() - 3600 * SECOND_NS,
            dir,
        }
    }

    fn engine(&self) -> Engine {
        load(self.dir.path())
    }

    fn start(&self, is_fragile: bool) -> Pipeline {
        let (dir, fanout, ledger) = (self.dir.path().to_owned(), self.fanout.clone(), self.ledger.clone());
        let detection: MakeDetection = Box::new(move || {
            let engine = load(&dir);
            let parts = DetectionParts {
                engine: if is_fragile { engine.with(Box::new(Fragile)) } else { engine },
                fanout: fanout.clone(),
                ledger: ledger.clone(),
                scans: None,
                groups: GroupSettings::default(),
                dir: dir.join("detect"),
            };
            Ok(Detection::open(parts)?)
        });
        let agencies = self.dir.path().join("agencies.toml");
        Pipeline::start(PipelineParts {
            journal: self.journal.clone(),
            catalogues: self.fleet.catalogues(),
            enricher: Enricher::new(agencies, SharedAgencies::default(), self.problems.clone()),
            detection,
            changes: self.changes.clone(),
            detection_dir: self.dir.path().join("detect"),
            store: self.store.clone(),
            index: IndexSettings { memory_mb: 15, commit_ms: 20, ..IndexSettings::default() },
            detect_counter: self.ledger.stage("detect"),
            index_counter: self.ledger.stage("index"),
            poisoned: self.poisoned.clone(),
            tail: crate::tail::Tail::default(),
            problems: self.problems.clone(),
            detection_room: Room::default(),
        })
        .unwrap()
    }

    /// Makes one request of a sensor durable.
    fn append(&self, sensor: &str, sequence: u64, client: &str, time_ns: i64) {
        let catalogue = Catalogue::current();
        let (source, destination) = ((client.parse().unwrap(), 40_000), ("198.51.100.10".parse().unwrap(), 80));
        let event = Event {
            id: EventId { sensor: sensor.into(), sequence },
            time_ns,
            dataset: catalogue.dataset_id("http").unwrap(),
            flow: Some(FlowContext {
                source,
                destination,
                transport: Transport::TCP,
                vlan: None,
                community_id: CommunityId::new(source, destination, Transport::TCP, false),
                protocol: Some("http".into()),
            }),
            fields: vec![(catalogue.field_id("url.original").unwrap(), Value::Str("/../../etc/passwd".into()))],
        };
        let batch = Wire::pack(&[event]).unwrap().unwrap();
        let digest = catalogue.digest();
        let received_ns = crate::clock::now_ns();
        let incoming = Incoming { sensor: sensor.into(), digest, received_ns, run_first: 1, batch };
        self.runtime.block_on(self.journal.append(incoming)).unwrap();
    }

    fn wait_until(&self, what: &str, check: impl Fn(&Rig) -> bool) {
        let began = Instant::now();
        while !check(self) {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "waited too long until {what}: {:?}",
                self.problems.list()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_indexed(&self, events: u64) {
        self.wait_until("all events are indexed", |rig| rig.store.events() >= events && rig.journal.at_rest());
    }

    /// How many events the alerts of a rule stand on, by sensor.
    fn alerted(&self, rule: &str) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for entry in self.fanout.recent(1000).unwrap().into_iter().filter(|entry| entry.alert.rule.name == rule) {
            *counts.entry(entry.alert.sensor).or_default() += entry.alert.event_count;
        }
        counts
    }
}

fn load(dir: &Path) -> Engine {
    luytre_rules_engine::load(&[dir.join("rules")]).unwrap()
}

#[test]
fn a_sensor_whose_clock_is_ahead_does_not_stop_the_correlations_of_others() {
    let rig = Rig::new();
    let day_ns = 86_400 * SECOND_NS;
    for n in 1..=5 {
        let since_ns = i64::try_from(n).unwrap() * 60 * SECOND_NS;
        rig.append("right", n, "192.0.2.1", rig.base_ns + since_ns);
        rig.append("fast", n, &format!("203.0.113.{n}"), rig.base_ns + 40 * day_ns + since_ns);
        rig.append("fastest", n, &format!("203.0.113.{}", n + 10), i64::MAX - 5 * SECOND_NS);
    }
    let pipeline = rig.start(false);
    rig.wait_indexed(15);
    drop(pipeline);
    assert_eq!(rig.alerted("Climbs again and again"), BTreeMap::from([("right".to_owned(), 5)]));
    // What is right lies an hour back: in the first hour of a day that is the day before.
    let received_ns = crate::clock::now_ns();
    let days: std::collections::BTreeSet<i64> = (1..=5)
        .map(|n| rig.base_ns + n * 60 * SECOND_NS)
        .chain([received_ns])
        .map(|ns| ns.div_euclid(day_ns))
        .collect();
    let partitions = rig.store.partitions(crate::index::LIVE).unwrap().len();
    assert_eq!(partitions, days.len(), "what cannot be is filed under the day received");
}

#[test]
fn an_event_that_breaks_the_rules_is_set_aside_and_the_others_go_on() {
    let rig = Rig::new();
    for n in 1..=8 {
        rig.append("dc", n, "192.0.2.1", rig.base_ns + i64::try_from(n).unwrap() * SECOND_NS);
    }
    for n in 9..=10 {
        rig.append("dc", n, "192.0.2.66", rig.base_ns + i64::try_from(n).unwrap() * SECOND_NS);
    }
    rig.append("other", 1, "192.0.2.2", rig.base_ns);
    let pipeline = rig.start(true);
    rig.wait_indexed(11);
    drop(pipeline);
    assert_eq!(rig.poisoned.load(Ordering::Relaxed), 2);
    let problems = rig.problems.list();
    assert!(problems[0].contains("the rules failed on 2 events") && problems[0].contains("dc:10"), "{problems:?}");
    assert_eq!(rig.store.events(), 11, "every event once, those too");
    // The rules before the broken one in the order of events have found what they find, each once.
    let climbing = rig.alerted("Climbs out of the web root");
    assert_eq!(climbing["other"], 1);
    assert_eq!(climbing["dc"], 8);
    for sensor in ["dc", "other"] {
        let (stages, unaccounted) = rig.ledger.stages(sensor);
        assert_eq!(unaccounted, 0, "{stages:?}");
    }
}

#[test]
fn rules_change_between_two_batches_and_windows_go_on() {
    let rig = Rig::new();
    let append = |n: u64| rig.append("dc", n, "192.0.2.1", rig.base_ns + i64::try_from(n).unwrap() * SECOND_NS);
    (1..=3).for_each(append);
    let pipeline = rig.start(false);
    rig.wait_indexed(3);
    std::fs::write(rig.dir.path().join("rules/sigma/a_later.yml"), LATER).unwrap();
    let (tell, taken) = std::sync::mpsc::channel();
    let taken_up = Box::new(move || tell.send(()).unwrap());
    rig.changes.put(RuleChange { engine: rig.engine(), scans: None, taken: taken_up });
    taken.recv_timeout(Duration::from_secs(60)).unwrap();
    (4..=5).for_each(append);
    rig.wait_indexed(5);
    drop(pipeline);
    assert_eq!(
        rig.alerted("Climbs again and again"),
        BTreeMap::from([("dc".to_owned(), 5)]),
        "three before, two after"
    );
    assert_eq!(rig.alerted("Added later"), BTreeMap::from([("dc".to_owned(), 2)]));
    let newest = rig.fanout.recent(1).unwrap().remove(0);
    assert_eq!(newest.alert.rule.ruleset, rig.engine().rules().digest());
}

#[test]
fn windows_of_the_first_seconds_survive_a_death() {
    let rig = Rig::new();
    let append = |n: u64| rig.append("dc", n, "192.0.2.1", rig.base_ns + i64::try_from(n).unwrap() * SECOND_NS);
    (1..=3).for_each(append);
    let pipeline = rig.start(false);
    rig.wait_indexed(3);
    // Dies before a snapshot is due: what it writes when it ends politely is not there.
    let windows = rig.dir.path().join("detect/windows.bin");
    let first = std::fs::read(&windows).unwrap();
    drop(pipeline);
    std::fs::write(&windows, first).unwrap();
    (4..=5).for_each(append);
    let pipeline = rig.start(false);
    rig.wait_indexed(5);
    drop(pipeline);
    assert_eq!(rig.alerted("Climbs again and again"), BTreeMap::from([("dc".to_owned(), 5)]));
    assert_eq!(rig.alerted("Climbs out of the web root"), BTreeMap::from([("dc".to_owned(), 5)]), "each counted once");
}
