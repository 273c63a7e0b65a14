//! Alerts that sensors raise themselves: what a signature has found becomes a match like those of the other engines.
//!
//! Comes in: events of the dataset `alert`, which carry all that is known of their rule, because the rules are the
//! sensor's. Goes out: a [`Match`] each, whose rule names revision and digest of the sensor's set. The rules heard of
//! are kept to be shared; beyond [`RULES_MAX`] all are forgotten and made anew from the next events.

use std::collections::HashMap;
use std::sync::Arc;

use luytre_events::{Catalogue, DatasetId, Event, Value};

use crate::detector::Detector;
use crate::matched::{Match, MatchedField, shorten};
use crate::rule::{Level, Rule, RuleKind};

/// The most rules that are kept.
const RULES_MAX: usize = 20_000;
/// The dataset of such events.
const DATASET: &str = "alert";

/// The detector.
pub(crate) struct Heard {
    rules: HashMap<(String, String, String), Arc<Rule>>,
    dataset: Option<DatasetId>,
}

impl Heard {
    /// Nothing was heard yet.
    pub(crate) fn new() -> Heard {
        Heard { rules: HashMap::new(), dataset: Catalogue::current().dataset_id(DATASET) }
    }
}

impl Detector for Heard {
    fn process(&mut self, event: &Event, found: &mut Vec<Match>) {
        if Some(event.dataset) != self.dataset {
            return;
        }
        let said = |name: &str| text(event, name).unwrap_or_default();
        let (sid, revision, set) = (said("rule.id"), said("rule.version"), said("rule.ruleset"));
        if sid.is_empty() {
            return;
        }
        let id = match number(event, "signature.generator") {
            Some(generator) => format!("{generator}:{sid}"),
            None => sid,
        };
        if self.rules.len() >= RULES_MAX {
            self.rules.clear();
        }
        let key = (id, revision, set);
        let made = |(id, revision, set): &(String, String, String)| Arc::new(rule(event, id, revision, set));
        let rule = self.rules.entry(key).or_insert_with_key(made).clone();
        let subject = ["source.ip", "destination.ip"];
        found.push(Match {
            rule,
            matched: matched(event),
            subject: subject.iter().filter_map(|name| Some(((*name).to_owned(), text(event, name)?))).collect(),
            event_ids: vec![event.id.clone()],
            event_count: 1,
            window_s: None,
        });
    }
}

/// What the event says of its rule.
fn rule(event: &Event, id: &str, revision: &str, set: &str) -> Rule {
    let class = text(event, "rule.category");
    let (english, vietnamese) = class.as_deref().and_then(class_words).unzip();
    let description =
        |own: &str, words: Option<&str>| text(event, own).or_else(|| words.map(|words| format!("{words}.")));
    Rule {
        id: id.to_owned(),
        title: text(event, "rule.name").filter(|name| !name.is_empty()).unwrap_or_else(|| format!("signature {id}")),
        title_vi: text(event, "rule.name_vi"),
        kind: RuleKind::Signature,
        level: level(event),
        revision: revision.to_owned(),
        set: Some(set.to_owned()).filter(|set| !set.is_empty()),
        description: description("rule.description", english).unwrap_or_default(),
        description_vi: description("rule.description_vi", vietnamese),
        advice: None,
        advice_vi: None,
        techniques: list(event, "threat.technique.id"),
        tags: class.into_iter().collect(),
        references: list(event, "rule.reference"),
        false_positives: Vec::new(),
        false_positives_vi: Vec::new(),
        subject: Vec::new(),
        silent: false,
        asleep: None,
        file: String::new(),
        line: 0,
        hits: Default::default(),
    }
}

/// The severity that the author gives, else what the priority says; what passes is only worth knowing.
fn level(event: &Event) -> Level {
    if text(event, "signature.action").as_deref() == Some("pass") {
        return Level::Info;
    }
    match text(event, "signature.severity").as_deref() {
        Some("critical") => Level::Critical,
        Some("major") => Level::High,
        Some("minor") => Level::Low,
        Some("informational" | "audit") => Level::Info,
        _ => match number(event, "signature.priority") {
            Some(0 | 1) => Level::High,
            Some(2) | None => Level::Medium,
            Some(3) => Level::Low,
            Some(_) => Level::Info,
        },
    }
}

/// Each place where something was found: the buffer, what stands there, and where.
fn matched(event: &Event) -> Vec<MatchedField> {
    let (buffers, offsets) = (list(event, "signature.matched.buffer"), list(event, "signature.matched.offset"));
    let bytes = list(event, "signature.matched.bytes");
    let places = buffers.into_iter().zip(offsets).zip(bytes).map(|((field, offset), bytes)| MatchedField {
        field,
        value: shorten(&printable(&hex::decode(&bytes).unwrap_or_default())),
        wanted: format!("at byte {offset}"),
    });
    places.collect()
}

/// Bytes as signatures write them: what cannot be printed stands in hexadecimal between bars.
fn printable(bytes: &[u8]) -> String {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'|';
    let mut text = String::new();
    for run in bytes.chunk_by(|a, b| plain(a) == plain(b)) {
        match run.first() {
            Some(first) if plain(first) => text.extend(run.iter().map(|byte| char::from(*byte))),
            _ => {
                let digits: Vec<String> = run.iter().map(|byte| format!("{byte:02x}")).collect();
                text.push_str(&format!("|{}|", digits.join(" ")));
            }
        }
    }
    text
}

/// What a class is about, in English and Vietnamese.
fn class_words(class: &str) -> Option<(&'static str, &'static str)> {
    let lines = include_str!("classes.txt").lines().filter(|line| !line.starts_with('#'));
    let mut words = lines.filter_map(|line| line.split_once(" | "));
    let (_, words) = words.find(|(name, _)| *name == class)?;
    words.split_once(" | ")
}

fn text(event: &Event, name: &str) -> Option<String> {
    event.get_named(name).map(|value| value.borrow().to_text())
}

fn number(event: &Event, name: &str) -> Option<u64> {
    text(event, name)?.parse().ok()
}

fn list(event: &Event, name: &str) -> Vec<String> {
    match event.get_named(name) {
        Some(Value::List(items)) => items.iter().map(|item| item.borrow().to_text()).collect(),
        Some(one) => vec![one.borrow().to_text()],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use luytre_events::EventId;
    use luytre_events::text::read_event;
    use serde_json::json;

    use super::*;

    fn heard(json: serde_json::Value) -> Vec<Match> {
        let read = read_event(&json, EventId { sensor: "s".into(), sequence: 7 }, 0).unwrap();
        assert!(read.left_out.is_empty(), "a name that the catalogue does not have");
        let mut found = Vec::new();
        Heard::new().process(&read.event, &mut found);
        found
    }

    fn alert() -> serde_json::Value {
        json!({
            "event": {"dataset": "alert"},
            "source": {"ip": "192.0.2.1", "port": 4000}, "destination": {"ip": "192.0.2.2", "port": 80},
            "network": {"transport": "tcp"},
            "rule": {"id": "2001", "name": "TEST tool", "version": "3", "ruleset": "abcd", "category": "coin-mining",
                     "reference": ["https://example.net/x"]},
            "threat": {"technique": {"id": ["T1071.001"]}},
            "signature": {"priority": 2, "severity": "major", "action": "alert",
                          "matched": {"buffer": ["http.uri"], "offset": [4], "bytes": ["2f610d0a7c"]}},
        })
    }

    #[test]
    fn an_alert_of_a_sensor_becomes_a_match_that_explains_itself() {
        let found = heard(alert());
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            (one.rule.id.as_str(), one.rule.revision.as_str(), one.rule.set.as_deref()),
            ("2001", "3", Some("abcd"))
        );
        assert_eq!((one.rule.kind, one.rule.level), (RuleKind::Signature, Level::High));
        assert_eq!(one.rule.description_vi.as_deref(), Some("Máy đang đào tiền số."));
        assert_eq!(
            (&one.rule.techniques, &one.rule.references),
            (&vec!["T1071.001".to_owned()], &vec!["https://example.net/x".to_owned()])
        );
        assert_eq!(
            one.matched,
            [MatchedField { field: "http.uri".into(), value: "/a|0d 0a 7c|".into(), wanted: "at byte 4".into() }]
        );
        assert_eq!(
            one.subject,
            [("source.ip".to_owned(), "192.0.2.1".to_owned()), ("destination.ip".to_owned(), "192.0.2.2".to_owned())]
        );
        assert_eq!(one.event_ids.len(), 1);
    }

    #[test]
    fn the_priority_decides_where_the_author_names_no_severity() {
        let levels: Vec<Level> = [1, 2, 3, 9]
            .map(|priority| {
                let mut alert = alert();
                alert["signature"]["severity"] = json!("unknown");
                alert["signature"]["priority"] = json!(priority);
                heard(alert)[0].rule.level
            })
            .into();
        assert_eq!(levels, [Level::High, Level::Medium, Level::Low, Level::Info]);
    }

    #[test]
    fn events_of_other_datasets_and_alerts_without_a_rule_are_none() {
        assert!(heard(json!({"event": {"dataset": "dns"}, "dns": {"question": {"name": "a.example"}}})).is_empty());
        assert!(heard(json!({"event": {"dataset": "alert"}, "signature": {"action": "alert"}})).is_empty());
    }

    #[test]
    fn every_class_has_words_in_both_languages() {
        let lines: Vec<&str> = include_str!("classes.txt").lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.len() > 40);
        for line in lines {
            let (name, _) = line.split_once(" | ").unwrap();
            let (english, vietnamese) = class_words(name).unwrap();
            assert!(!english.is_empty() && !vietnamese.contains('|') && english != vietnamese, "{line}");
        }
    }
}
