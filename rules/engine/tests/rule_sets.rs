//! Whole rule sets: ours, broken ones, other people's.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use luytre_events::{Catalogue, CommunityId, Event, EventId, FlowContext, Transport, Value};
use luytre_rules_engine::{Engine, RuleKind, load};

fn own() -> Vec<PathBuf> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    ["sigma", "intel", "pipelines", "yara"].iter().map(|folder| rules.join(folder)).collect()
}

/// A query for `name` asked by an office computer.
fn query(sequence: u64, name: &str) -> Event {
    event(
        sequence,
        "dns",
        53,
        Transport::UDP,
        &[("dns.type", Value::Str("query".into())), ("dns.question.name", Value::Str(name.into()))],
    )
}

/// A TCP connection to a port that nobody answered.
fn attempt(sequence: u64, port: u16) -> Event {
    event(
        sequence,
        "flow",
        port,
        Transport::TCP,
        &[("source.packets", Value::U64(1)), ("destination.packets", Value::U64(1))],
    )
}

fn event(sequence: u64, dataset: &str, port: u16, transport: Transport, fields: &[(&str, Value)]) -> Event {
    let catalogue = Catalogue::current();
    let source: (IpAddr, u16) = ("192.0.2.66".parse().unwrap(), 40_000);
    let destination: (IpAddr, u16) = ("198.51.100.10".parse().unwrap(), port);
    Event {
        id: EventId { sensor: "test".into(), sequence },
        time_ns: 1_767_574_800_000_000_000 + i64::try_from(sequence).unwrap() * 100_000_000,
        dataset: catalogue.dataset_id(dataset).unwrap(),
        flow: Some(FlowContext {
            source,
            destination,
            transport,
            vlan: None,
            community_id: CommunityId::new(source, destination, transport, false),
            protocol: None,
        }),
        fields: fields.iter().map(|(name, v)| (catalogue.field_id(name).unwrap(), v.clone())).collect(),
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const GOOD: &str = "title: Good\nid: good\nlogsource:\n  product: luytre\n  category: dns\ndetection:\n  selection:\n    \
                    dns.question.name|endswith: bad.example\n  condition: selection\nlevel: high\n";

#[test]
fn our_rules_are_well_formed_and_say_everything_in_vietnamese() {
    let engine = load(&own()).unwrap();
    assert_eq!(engine.rules().broken(), []);
    assert_eq!(engine.rules().notes(), []);
    let reported: Vec<_> = engine.rules().rules().iter().filter(|rule| !rule.silent).collect();
    assert!(reported.len() >= 25, "{} rules", reported.len());
    for rule in reported {
        assert!(rule.title_vi.is_some() && rule.description_vi.is_some(), "{}: {}", rule.file, rule.title);
        assert!(rule.asleep.is_none() && !rule.description.is_empty(), "{}", rule.file);
    }
}

#[test]
fn a_broken_rule_is_named_by_file_and_line_and_the_others_run() {
    let folder = folder(&[
        ("sigma/good.yml", GOOD),
        ("sigma/yaml.yml", "title: a\nid: [unclosed\n"),
        ("sigma/modifier.yml", &GOOD.replace("endswith", "endswiht").replace("id: good", "id: modifier")),
        (
            "sigma/condition.yml",
            &GOOD.replace("condition: selection", "condition: selecton").replace("id: good", "id: c"),
        ),
        ("sigma/twice.yml", GOOD),
        (
            "sigma/lost.yml",
            "title: Lost\nid: lost\ncorrelation:\n  type: event_count\n  rules: [nowhere]\n  timespan: 1m\n  condition:\n    gte: 2\n",
        ),
        ("intel/list.csv", "kind,value\nip,192.0.2.1\nip,not-an-address\nhash,zz\n"),
    ]);
    let mut engine = load(&[folder.path().to_owned()]).unwrap();
    let found: Vec<(String, Option<u32>)> = engine.rules().broken().iter().map(|b| (b.file.clone(), b.line)).collect();
    let line = |file: &str| found.iter().find(|(f, _)| f == file).and_then(|(_, line)| *line);
    assert_eq!(line("sigma/modifier.yml"), Some(8), "{:?}", engine.rules().broken());
    assert_eq!(line("sigma/condition.yml"), Some(9), "{:?}", engine.rules().broken());
    assert_eq!(line("sigma/twice.yml"), Some(1), "{:?}", engine.rules().broken());
    assert_eq!(line("sigma/lost.yml"), Some(5), "{:?}", engine.rules().broken());
    assert!(line("sigma/yaml.yml").is_some(), "{:?}", engine.rules().broken());
    let csv: Vec<Option<u32>> = found.iter().filter(|(f, _)| f == "intel/list.csv").map(|(_, l)| *l).collect();
    assert_eq!(csv, [Some(3), Some(4)], "{:?}", engine.rules().broken());
    let matches = engine.process(&query(1, "www.bad.example"));
    assert_eq!(matches.iter().map(|m| m.rule.id.as_str()).collect::<Vec<_>>(), ["good"]);
}

#[test]
fn a_match_explains_itself() {
    let folder = folder(&[("sigma/good.yml", GOOD)]);
    let mut engine = load(&[folder.path().to_owned()]).unwrap();
    let matches = engine.process(&query(7, "www.bad.example"));
    let found = matches.first().unwrap();
    assert_eq!(found.matched[0].field, "dns.question.name");
    assert_eq!(found.matched[0].value, "www.bad.example");
    assert_eq!(found.matched[0].wanted, r#"ends with "bad.example""#);
    let subject = [("source.ip", "192.0.2.66"), ("destination.ip", "198.51.100.10")];
    assert_eq!(found.subject, subject.map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!(found.event_ids, [EventId { sensor: "test".into(), sequence: 7 }]);
    assert_eq!((found.rule.hits(), engine.counts().matches), (1, 1));
}

#[test]
fn a_harmless_cause_that_is_said_in_one_language_only_is_named() {
    let told = "falsepositives:\n  - Test systems\nluytre:\n  title_vi: Tốt\n";
    let both = format!("{GOOD}{told}  false_positives_vi:\n    - Hệ thống thử nghiệm\n");
    for (text, notes) in [(both, 0), (format!("{GOOD}{told}"), 1)] {
        let folder = folder(&[("sigma/told.yml", &text)]);
        let engine = load(&[folder.path().to_owned()]).unwrap();
        assert_eq!(engine.rules().broken(), []);
        assert_eq!(engine.rules().notes().len(), notes, "{:?}", engine.rules().notes());
        assert!(engine.rules().notes().iter().all(|note| note.reason.contains("false_positives_vi")));
    }
}

#[test]
fn a_field_that_no_dataset_has_is_named_with_the_nearest() {
    let folder = folder(&[("sigma/typo.yml", &GOOD.replace("dns.question.name", "dns.qestion.name"))]);
    let engine = load(&[folder.path().to_owned()]).unwrap();
    let note = engine.rules().notes().first().cloned().unwrap();
    assert_eq!(
        note.to_string(),
        "sigma/typo.yml:8: no dataset has the field dns.qestion.name; did you mean dns.question.name?"
    );
}

fn scan(engine: &mut Engine, ports: std::ops::Range<u16>) -> Vec<(u64, usize)> {
    let matches = ports.flat_map(|port| engine.process(&attempt(port.into(), port)));
    matches.map(|m| (m.event_count, m.event_ids.len())).collect()
}

#[test]
fn a_window_goes_on_after_a_restart() {
    let mut first = load(&own()).unwrap();
    assert_eq!(scan(&mut first, 1..21), []);
    let snapshot = first.snapshot();
    let mut second = load(&own()).unwrap();
    assert!(second.restore(&snapshot));
    assert_eq!(scan(&mut second, 21..31), [(25, 25)]);
    assert!(!load(&own()).unwrap().restore(b"not a snapshot"));
}

#[test]
fn a_long_scan_is_told_in_parts_that_add_up() {
    let mut engine = load(&own()).unwrap();
    let matches = scan(&mut engine, 1..1001);
    assert_eq!(matches.iter().map(|(count, _)| count).sum::<u64>(), 1000);
    assert!(matches.iter().all(|(count, ids)| *count == *ids as u64), "{matches:?}");
}

/// Other people's rules must load as they are. Runs where `LUYTRE_CORPUS` names the folder that holds `rules/sigma`.
#[test]
fn sigmahq_loads_unchanged() {
    let Some(corpus) = std::env::var_os("LUYTRE_CORPUS") else {
        eprintln!("not run: LUYTRE_CORPUS does not name a folder with rules/sigma");
        return;
    };
    let mut paths = own();
    paths.push(Path::new(&corpus).join("rules/sigma"));
    let engine = load(&paths).unwrap();
    assert_eq!(engine.rules().broken(), []);
    let sigma = engine.rules().rules().iter().filter(|rule| rule.kind == RuleKind::Sigma).count();
    let asleep = engine.rules().rules().iter().filter(|rule| rule.asleep.is_some()).count();
    eprintln!("{sigma} sigma rules, {asleep} asleep");
    assert!(sigma > 3_700, "{sigma}");
}
