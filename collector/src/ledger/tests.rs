//! Tests of the ledger: differences a minute, restarts, what cannot be accounted for.

use luytre_events::ledger::Unit;

use super::*;

fn stage(name: &str, unit: Unit, taken: u64, given: u64, held: u64, dropped: &[(&str, u64)]) -> Stage {
    let dropped = dropped.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect();
    Stage { name: name.into(), unit, counts: StageCounts { taken, given, held, dropped } }
}

/// A sensor that saw `packets`, lost `lost` of them at the network card, and made an event of each other one.
fn snapshot(time_ns: i64, since_ns: i64, packets: u64, lost: u64, acknowledged: u64) -> Snapshot {
    let seen = packets - lost;
    let stages = vec![
        stage("capture", Unit::Packets, packets, seen, 0, &[("ring", lost)]),
        stage("decode", Unit::Packets, seen, seen, 0, &[]),
        stage("protocols", Unit::Events, seen, seen, 0, &[]),
        stage("spool", Unit::Events, seen, acknowledged, seen - acknowledged, &[]),
    ];
    Snapshot { time_ns, since_ns, stages }
}

fn minute_of(now_ns: i64) -> i64 {
    now_ns / MINUTE_NS * MINUTE_NS
}

fn open(folder: &Path) -> Ledger {
    Ledger::open(folder, LedgerSettings::default()).unwrap()
}

#[test]
fn minutes_hold_differences_and_survive_restarts_of_either_side() {
    let folder = tempfile::tempdir().unwrap();
    let minute = minute_of(now_ns());
    let ledger = open(folder.path());
    ledger.hear("dc-1", snapshot(minute - MINUTE_NS, 7, 100, 0, 40), 40);
    ledger.hear("dc-1", snapshot(minute, 7, 150, 0, 100), 120);
    drop(ledger);
    let ledger = open(folder.path());
    ledger.hear("dc-1", snapshot(minute + 1, 7, 180, 0, 180), 180);
    // The sensor begins anew.
    ledger.hear("dc-1", snapshot(minute + 2, 8, 5, 0, 0), 0);
    let answer = ledger.answer(minute - 10 * MINUTE_NS, minute + MINUTE_NS, Some("dc-1"));
    let packets: Vec<u64> = answer.minutes.iter().map(|minute| minute.stages[0].taken).collect();
    assert_eq!(packets, [100, 85]);
    assert!(answer.minutes.iter().all(|minute| minute.unaccounted == 0));
    assert_eq!(answer.visibility, luytre_collector_api::Visibility { seen: 1.0, unaccounted: 0, known: true });
    let (stages, unaccounted) = ledger.stages("dc-1");
    assert_eq!((stages[0].taken, unaccounted), (5, 0));
}

#[test]
fn events_that_are_acknowledged_and_not_in_the_journal_are_unaccounted() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    ledger.hear("dc-1", snapshot(now_ns(), 7, 100, 0, 100), 97);
    assert_eq!(ledger.stages("dc-1").1, 3);
    ledger.hear("dc-1", snapshot(now_ns(), 7, 100, 0, 100), 104);
    assert_eq!(ledger.stages("dc-1").1, 4);
    ledger.hear("dc-1", snapshot(now_ns(), 7, 100, 0, 100), 100);
    assert_eq!(ledger.stages("dc-1").1, 0);
}

#[test]
fn blindness_shows_and_the_unknown_is_not_called_seen() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let minute = minute_of(now_ns());
    ledger.hear("dc-1", snapshot(minute, 7, 1000, 250, 0), 0);
    assert_eq!(ledger.visibility("dc-1", minute + 5).seen, 0.75);
    assert!(!ledger.visibility("dc-1", minute - 3 * MINUTE_NS).known);
    assert!(!ledger.visibility("other", minute).known);
}

#[test]
fn a_line_cut_in_half_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let minute = minute_of(now_ns());
    open(folder.path()).hear("dc-1", snapshot(minute, 7, 100, 0, 0), 0);
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let mut text = std::fs::read(&file).unwrap();
    text.extend_from_slice(b"{\"sensor\":\"dc-1\",\"minu");
    std::fs::write(&file, text).unwrap();
    open(folder.path()).hear("dc-1", snapshot(minute + 1, 7, 130, 0, 0), 0);
    let answer = open(folder.path()).answer(minute, minute + MINUTE_NS, None);
    assert_eq!(answer.minutes[0].stages[0].taken, 130);
}

#[test]
fn stages_of_the_collector_hold_until_everything_rests() {
    let counts = |taken, given| StageCounts { taken, given, ..StageCounts::default() };
    let chain = |rested| Snapshot {
        stages: chain::collector(10, vec![("detect", counts(8, 8)), ("index", counts(8, 5))], rested),
        ..Snapshot::default()
    };
    assert_eq!(chain(false).unaccounted(), 0);
    // Two never left the journal and three never left the index although it says that it has everything.
    assert_eq!(chain(true).unaccounted(), 5);
}

#[test]
fn packed_days_say_the_same_in_less_room() {
    let folder = tempfile::tempdir().unwrap();
    let day_ns = 1440 * MINUTE_NS;
    let start = now_ns() / day_ns * day_ns - 5 * day_ns;
    let mut before: Option<Heard> = None;
    let mut text = String::new();
    for second in 0..600 {
        let time_ns = start + i64::from(second) * 1_000_000_000;
        let heard = Heard { snapshot: snapshot(time_ns, 7, second as u64 * 10, 0, 0), run_events: 0 };
        let (stages, unaccounted) = chain::difference(before.as_ref(), &heard);
        let minute_ns = minute_of(time_ns);
        let line = Line { sensor: "dc-1".into(), minute_ns, stages, unaccounted, newest: Some(heard.clone()) };
        text += &serde_json::to_string(&line).unwrap();
        text.push('\n');
        before = Some(heard);
    }
    let date = &luytre_events::json::time_text(start)[..10];
    std::fs::write(folder.path().join(format!("{date}.jsonl")), text).unwrap();
    let answer = |ledger: &Ledger| serde_json::to_value(ledger.answer(start, start + day_ns, None)).unwrap();
    let plain = answer(&open(folder.path()));
    assert_eq!(plain["minutes"].as_array().unwrap().len(), 10);
    let size =
        || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>();
    let before = size();
    store::pack(folder.path(), start / day_ns + 1);
    store::pack(folder.path(), start / day_ns + 1);
    assert!(size() * 50 < before, "{} of {before}", size());
    assert_eq!(answer(&open(folder.path())), plain);
}

#[test]
fn before_the_first_packet_nothing_is_known_and_silence_after_it_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let minute = minute_of(now_ns()) - 10 * MINUTE_NS;
    ledger.hear("dc-1", snapshot(minute, 7, 0, 0, 0), 0);
    let unknown = luytre_collector_api::Visibility { seen: 0.0, unaccounted: 0, known: false };
    assert_eq!(ledger.visibility("dc-1", minute), unknown);
    assert_eq!(ledger.answer(minute, minute + MINUTE_NS, None).visibility, unknown);
    ledger.hear("dc-1", snapshot(minute + MINUTE_NS, 7, 40, 0, 0), 0);
    ledger.hear("dc-1", snapshot(minute + 4 * MINUTE_NS, 7, 40, 0, 0), 0);
    for at in [minute + MINUTE_NS, minute + 4 * MINUTE_NS] {
        let visibility = ledger.visibility("dc-1", at);
        assert_eq!((visibility.known, visibility.seen), (true, 1.0));
    }
    assert!(ledger.visibility_between(None, minute + 3 * MINUTE_NS, minute + 5 * MINUTE_NS).known);
}

#[test]
fn a_sensor_that_floods_snapshots_fills_no_disk_and_is_still_counted_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let began = std::time::Instant::now();
    let ledger = open(folder.path());
    let minute = minute_of(now_ns());
    for n in 1..=3000 {
        // Minutes before and after in turn, as a sensor with ill will would claim.
        let claimed = minute - i64::try_from(n % 2).unwrap() * MINUTE_NS;
        ledger.hear("dc-1", snapshot(claimed, 7, n, 0, 0), 0);
    }
    drop(ledger);
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let lines =
        files.map(|text| text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()).sum::<usize>();
    let allowed = usize::try_from(began.elapsed().as_secs()).unwrap() + 3;
    assert!(lines <= allowed, "{lines} lines, {allowed} are allowed");
    let answer = open(folder.path()).answer(minute - 5 * MINUTE_NS, minute + MINUTE_NS, None);
    assert_eq!(answer.minutes.iter().map(|minute| minute.stages[0].taken).sum::<u64>(), 3000);
}

#[test]
fn names_of_a_sensor_are_few_and_short() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let reasons: Vec<String> = (0..1000).map(|n| format!("reason-{n}")).collect();
    let mut dropped: Vec<(&str, u64)> = reasons.iter().map(|reason| (reason.as_str(), 1)).collect();
    let long = "x".repeat(65);
    dropped.push((&long, 1));
    let mut stages = vec![stage(&"y".repeat(65), Unit::Packets, 1, 1, 0, &[])];
    stages.extend((0..100).map(|n| stage(&format!("stage-{n}"), Unit::Packets, 1000, 0, 0, &dropped)));
    for n in 0..50 {
        let mut stages = stages.clone();
        // Other names each time: a minute takes no more either.
        stages.iter_mut().for_each(|stage| stage.name = format!("{}-{n}", stage.name));
        ledger.hear("dc-1", Snapshot { time_ns: now_ns(), since_ns: 7, stages }, 0);
    }
    let answer = ledger.answer(now_ns() - 5 * MINUTE_NS, now_ns() + MINUTE_NS, Some("dc-1"));
    for minute in &answer.minutes {
        assert_eq!(minute.stages.len(), STAGES_MAX);
        for stage in &minute.stages {
            assert!(stage.stage.len() <= NAME_MAX_BYTES && stage.dropped.len() <= REASONS_MAX);
            assert!(stage.dropped.keys().all(|reason| reason.len() <= NAME_MAX_BYTES));
        }
    }
}
