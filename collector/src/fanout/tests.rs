//! Tests of the fan-out: cursors, recovery, retention.

use luytre_collector_api::{AlertRule, EventDocument, RuleKind, Severity, Visibility};
use proptest::prelude::*;

use super::*;

/// An alert with an id and a count, for tests.
pub(crate) fn alert(id: &str, event_count: u64) -> Alert {
    Alert {
        id: id.to_owned(),
        sequence: 0,
        time: "2026-11-22T08:00:00Z".to_owned(),
        raised: "2026-11-22T08:00:01Z".to_owned(),
        rule: AlertRule {
            id: "rule".to_owned(),
            name: "Rule".to_owned(),
            name_vi: None,
            kind: RuleKind::Sigma,
            revision: "1".to_owned(),
            ruleset: "digest".to_owned(),
            description: String::new(),
            description_vi: None,
            advice_vi: None,
            advice: None,
            techniques: Vec::new(),
            references: Vec::new(),
            false_positives: Vec::new(),
            false_positives_vi: Vec::new(),
        },
        severity: Severity::High,
        severity_reasons: Vec::new(),
        matched: Vec::new(),
        event_ids: Vec::new(),
        event_count,
        event: EventDocument::default(),
        sensor: "dc".to_owned(),
        community_id: None,
        source: None,
        destination: None,
        agency: None,
        visibility: Visibility { seen: 1.0, unaccounted: 0, known: true },
    }
}

fn entry_of(id: &str, count: u64) -> Entry {
    Entry { alert: alert(id, count), tracking: Tracking { key: format!("key {id}"), ..Tracking::default() } }
}

fn open(dir: &Path) -> Fanout {
    Fanout::open(dir, FanoutSettings { segment_bytes: 4000, keep_bytes: 1 << 20 }, &Problems::default()).unwrap()
}

fn ids(lines: &[(u64, Vec<u8>)]) -> Vec<(u64, String, u64)> {
    lines
        .iter()
        .map(|(sequence, line)| {
            let alert: Alert = serde_json::from_slice(line).unwrap();
            assert_eq!(alert.sequence, *sequence);
            (*sequence, alert.id, alert.event_count)
        })
        .collect()
}

#[test]
fn a_cursor_misses_nothing_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let fanout = open(dir.path());
    for n in 0..20 {
        fanout.append(&mut [entry_of(&format!("a{n}"), 1), entry_of("same", n)]).unwrap();
    }
    assert!(std::fs::read_dir(dir.path()).unwrap().count() > 3, "segments roll");
    let before = ids(&fanout.after(0, 100).unwrap());
    assert_eq!(before.len(), 40);
    drop(fanout);
    let fanout = open(dir.path());
    assert_eq!(fanout.newest(), 40);
    assert_eq!(ids(&fanout.after(0, 100).unwrap()), before);
    assert_eq!(ids(&fanout.after(33, 3).unwrap()), before[33..36]);
    assert_eq!(fanout.get("same").unwrap().unwrap().alert.event_count, 19);
    assert_eq!(fanout.get("same").unwrap().unwrap().tracking.key, "key same");
    assert!(fanout.get("other").unwrap().is_none());
    assert_eq!(fanout.recent(2).unwrap().iter().map(|e| e.alert.id.as_str()).collect::<Vec<_>>(), ["same", "a19"]);
    fanout.append(&mut [entry_of("next", 1)]).unwrap();
    assert_eq!(ids(&fanout.after(40, 9).unwrap()), [(41, "next".to_owned(), 1)]);
}

#[test]
fn old_segments_go_and_sequences_stay() {
    let dir = tempfile::tempdir().unwrap();
    let settings = FanoutSettings { segment_bytes: 2000, keep_bytes: 6000 };
    let fanout = Fanout::open(dir.path(), settings, &Problems::default()).unwrap();
    for n in 0..50 {
        fanout.append(&mut [entry_of(&format!("a{n}"), 1)]).unwrap();
    }
    assert!(fanout.get("a0").unwrap().is_none());
    let lines = fanout.after(0, 100).unwrap();
    assert!(lines.len() < 20 && lines.last().unwrap().0 == 50);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A crash can leave any prefix of the last write, or garbage in its place: whole records stay, the rest goes.
    #[test]
    fn a_torn_tail_is_cut_to_whole_records(cut in 0u64..3000, garbage in proptest::collection::vec(any::<u8>(), 0..40)) {
        let dir = tempfile::tempdir().unwrap();
        let settings = FanoutSettings { segment_bytes: 1 << 20, keep_bytes: 1 << 20 };
        let fanout = Fanout::open(dir.path(), settings.clone(), &Problems::default()).unwrap();
        fanout.append(&mut [entry_of("a", 1), entry_of("b", 2), entry_of("c", 3)]).unwrap();
        let whole = ids(&fanout.after(0, 9).unwrap());
        drop(fanout);
        let file = path(dir.path(), 1);
        let mut bytes = std::fs::read(&file).unwrap();
        let length = bytes.len() as u64;
        bytes.truncate(usize::try_from(cut.min(length)).unwrap());
        bytes.extend(&garbage);
        std::fs::write(&file, &bytes).unwrap();
        let fanout = Fanout::open(dir.path(), settings, &Problems::default()).unwrap();
        let left = ids(&fanout.after(0, 9).unwrap());
        prop_assert_eq!(&left[..], &whole[..left.len()]);
        let expected = (0..=3).rev().find(|n| (length * n / 3) <= cut).unwrap_or(0);
        prop_assert!(left.len() as u64 >= expected.saturating_sub(1));
        fanout.append(&mut [entry_of("d", 4)]).unwrap();
        prop_assert_eq!(fanout.after(left.len() as u64, 9).unwrap().len(), 1);
    }
}
