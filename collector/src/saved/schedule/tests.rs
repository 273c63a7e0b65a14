//! Tests of the runs: over a real index, fan-out and journal, with a clock of their own.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use luytre_collector_api::Alert;
use luytre_events::{CommunityId, FlowContext, Transport, Value};

use super::*;
use crate::index::{IndexSettings, Mark, Store, Writer};
use crate::saved::tests::alerting;
use crate::search::SearchSettings;
use crate::search::tests::event_of;

const MINUTE_NS: i64 = 60 * SECOND_NS;
/// A whole minute of 2026.
const BEGAN_NS: i64 = 29_921_760 * MINUTE_NS;

// Each test has a thread of its own, and so a clock of its own.
thread_local! {
    static CLOCK: AtomicI64 = const { AtomicI64::new(0) };
}

fn clock() -> i64 {
    CLOCK.with(|clock| clock.load(Ordering::Relaxed))
}

/// So long after the beginning.
fn set(minutes: i64, seconds: i64) {
    CLOCK.with(|clock| clock.store(BEGAN_NS + minutes * MINUTE_NS + seconds * SECOND_NS, Ordering::Relaxed));
}

fn parts(folder: &Path) -> SchedulerParts {
    let problems = Problems::default();
    let store = Store::open(&folder.join("index")).unwrap();
    SchedulerParts {
        saved: SavedQueries::open(&folder.join("queries")).unwrap(),
        search: Search::new(store, SearchSettings::default()),
        turns: Arc::new(Semaphore::new(1)),
        fanout: Fanout::open(&folder.join("fanout"), Default::default(), &problems).unwrap(),
        ledger: Ledger::open(&folder.join("ledger"), Default::default()).unwrap(),
        journal: Journal::open(&folder.join("journal"), Default::default(), problems.clone()).unwrap(),
        problems,
        now_ns: clock,
    }
}

/// Failed logons of an address: one each second from a minute on.
fn fill(folder: &Path, address: &str, minute: i64, count: u64) {
    let store = Store::open(&folder.join("index")).unwrap();
    let mut writer = Writer::live(store, &IndexSettings { memory_mb: 15, ..Default::default() });
    let user = ("user.name", Value::Str("quan-tri".into()));
    let event = |number: u64| {
        let time_ns = BEGAN_NS + minute * MINUTE_NS + i64::try_from(number).unwrap() * SECOND_NS;
        let mut event = event_of(
            "dc",
            u64::try_from(minute).unwrap() * 1000 + number + 1,
            time_ns,
            "ssh",
            std::slice::from_ref(&user),
        );
        let (source, destination) = ((address.parse().unwrap(), 40_000), ("192.0.2.1".parse().unwrap(), 22));
        event.flow = Some(FlowContext {
            source,
            destination,
            transport: Transport::TCP,
            vlan: None,
            community_id: CommunityId::new(source, destination, Transport::TCP, false),
            protocol: None,
        });
        event
    };
    let events: Vec<_> = (0..count).map(event).collect();
    let before = writer.resume_from();
    let mark = Mark { segment: before.segment + 1, offset: 0 };
    writer.add(&events, BEGAN_NS + minute * MINUTE_NS, mark).unwrap();
    writer.commit().unwrap();
}

fn alerts(parts: &SchedulerParts) -> Vec<Alert> {
    let lines = parts.fanout.after(0, 1000).unwrap();
    lines.iter().map(|(_, line)| serde_json::from_slice(line).unwrap()).collect()
}

#[test]
fn a_window_above_the_threshold_alerts_once_whatever_dies_in_between() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), "198.51.100.7", 1, 30);
    fill(folder.path(), "192.0.2.200", 1, 3);
    set(0, 40);
    let first = parts(folder.path());
    let id = first.saved.create(alerting("user.name:quan-tri | count by source.ip", 20)).unwrap().id;
    let mut waiting = Waiting::default();
    waiting.round(&first);
    assert!(alerts(&first).is_empty(), "the window is not over");
    set(2, 20);
    waiting.round(&first);
    assert!(alerts(&first).is_empty(), "what comes late is waited for");
    set(2, 35);
    waiting.round(&first);
    waiting.round(&first);
    // Window 0 to 2 holds all of it.
    let raised = alerts(&first);
    let [alert] = &raised[..] else { panic!("{raised:?}") };
    assert_eq!(alert.rule.id, format!("luytre-query-{id}"));
    assert_eq!((alert.rule.name_vi.as_deref(), alert.event_count), (Some("Dò mật khẩu"), 30));
    assert_eq!(alert.source.as_ref().unwrap().ip, "198.51.100.7");
    assert_eq!((&*alert.matched[1].value, &*alert.matched[1].wanted), ("30", ">= 20"));
    assert_eq!(alert.event_ids.len(), 30);

    // It dies after the alert was written and before the run was.
    let mut lost = first.saved.get(&id, None).unwrap();
    lost.runs.last = Some(time_text(BEGAN_NS + MINUTE_NS));
    first.saved.ran(&lost, Some(Open::new())).unwrap();
    drop(first);
    let second = parts(folder.path());
    let mut waiting = Waiting::default();
    waiting.round(&second);
    assert_eq!(alerts(&second).len(), 1, "the same window makes the same alert");
    set(3, 35);
    fill(folder.path(), "198.51.100.7", 2, 40);
    drop(second);
    let third = parts(folder.path());
    waiting.round(&third);
    let grown = alerts(&third);
    assert_eq!(grown.len(), 2, "windows that follow each other make one alert that grows");
    assert_eq!((&grown[1].id, grown[1].event_count), (&raised[0].id, 70));
    let runs = third.saved.get(&id, None).unwrap().runs;
    assert_eq!((runs.missed, runs.found), (0, 2), "{runs:?}");
    set(20, 35);
    for _ in 0..40 {
        waiting.round(&third);
    }
    assert_eq!(alerts(&third).len(), 3, "the window of minutes 2 to 4 still holds the rest: it grows once more");
}

#[test]
fn what_was_missed_is_made_up_for_and_what_is_too_much_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), "198.51.100.7", 90, 30);
    set(0, 40);
    let parts = parts(folder.path());
    let id = parts.saved.create(alerting("user.name:quan-tri", 20)).unwrap().id;
    let mut waiting = Waiting::default();
    waiting.round(&parts);
    // Nobody looks for a hundred minutes.
    set(100, 35);
    for _ in 0..60 {
        waiting.round(&parts);
    }
    let runs = parts.saved.get(&id, None).unwrap().runs;
    assert_eq!((runs.done, runs.missed), (24, 76), "{runs:?}");
    assert_eq!(runs.last, Some(time_text(BEGAN_NS + 100 * MINUTE_NS)));
    assert_eq!(alerts(&parts).iter().map(|alert| &alert.id).collect::<std::collections::BTreeSet<_>>().len(), 1);
    // The clock is put back: nothing is looked at twice.
    set(95, 0);
    waiting.round(&parts);
    assert_eq!(parts.saved.get(&id, None).unwrap().runs.done, 24);
}

#[test]
fn a_query_that_fails_again_and_again_is_told_and_keeps_no_other_from_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), "198.51.100.7", 1, 30);
    set(0, 40);
    let mut parts = parts(folder.path());
    let id = parts.saved.create(alerting("user.name:quan-tri", 20)).unwrap().id;
    let mut waiting = Waiting::default();
    waiting.round(&parts);
    let well = parts.search.clone();
    let store = Store::open(&folder.path().join("index")).unwrap();
    parts.search = Search::new(store, SearchSettings { timeout_ms: 0, ..Default::default() });
    set(2, 35);
    for _ in 0..6 {
        waiting.round(&parts);
    }
    let runs = parts.saved.get(&id, None).unwrap().runs;
    // The first window is of a time of which there is nothing.
    assert_eq!((runs.missed, runs.done), (1, 1), "{runs:?}");
    assert!(runs.error.unwrap().contains("longer than"));
    assert_eq!(parts.problems.list().len(), 1);
    parts.search = well;
    set(3, 35);
    waiting.round(&parts);
    assert!(parts.problems.list().is_empty() && parts.saved.get(&id, None).unwrap().runs.error.is_none());
    fill(folder.path(), "198.51.100.7", 3, 5);
    let store = Store::open(&folder.path().join("index")).unwrap();
    parts.search = Search::new(store, SearchSettings { timeout_ms: 0, ..Default::default() });
    set(10, 35);
    for _ in 0..6 {
        waiting.round(&parts);
    }
    assert_eq!(parts.problems.list().len(), 1, "{:?}", parts.problems.list());
    parts.saved.remove(&id, None).unwrap();
    waiting.round(&parts);
    assert!(parts.problems.list().is_empty(), "of what was removed nothing is a problem");
}
