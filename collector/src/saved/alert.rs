//! From what a scheduled query found to alerts.
//!
//! Comes in: a query, the window that was looked at, what was found. Goes out: an entry of the fan-out for each subject (a
//! row of `by`, or the query as a whole) that reaches the threshold. The id is made of query, subject and the end of the
//! window in which the alert began. Windows that follow each other make one alert that grows, for [`LONGEST_NS`] at most.
//! Whatever happens in between, looking at a window again changes nothing: the fan-out knows the id, or the alert that
//! it joined remembers the window's end.

use luytre_collector_api::{
    Agency, Alert, AlertRule, Endpoint, EventDocument, MatchedField, QueryAlert, RuleKind, SavedQuery, SearchAnswer,
    Visibility,
};
use luytre_events::json::time_text;
use serde_json::Value as Json;

use crate::detect::alert::{SEPARATOR, id};
use crate::fanout::{Entry, Tracking};
use crate::search::lexer::{TokenKind, tokens};
use crate::search::query::{Query, Stage};

/// One alert spans at most this long.
const LONGEST_NS: i64 = 86_400_000_000_000;
/// Most subjects of one run that alert.
pub const SUBJECTS_MAX: usize = 50;
/// What the rule of a query's alerts is called before the query's id.
pub const RULE_PREFIX: &str = "luytre-query-";

/// What is compared with the threshold: nothing for the number of events, else the column of the first measure.
pub fn measure(query: &Query) -> Option<Option<usize>> {
    match &query.stage {
        None => Some(None),
        Some(Stage::Groups { by, .. }) => Some(Some(by.len())),
        Some(Stage::Timeline { .. } | Stage::Columns(_)) => None,
    }
}

/// A window of time, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Inclusive.
    pub from_ns: i64,
    /// Exclusive.
    pub to_ns: i64,
}

/// What reached the threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Field and value, in the order of `by`.
    pub values: Vec<(String, Json)>,
    /// What was measured.
    pub column: String,
    /// How much it was.
    pub measured: u64,
}

/// Those that reach the threshold, the greatest first.
pub fn subjects(query: &Query, alert: &QueryAlert, answer: &SearchAnswer) -> Vec<Subject> {
    let mut found: Vec<Subject> = match (measure(query), &answer.table) {
        (Some(Some(fields)), Some(table)) => {
            let subject = |row: &Vec<Json>| {
                let number = row.get(fields)?;
                // Sums and averages have fractions; a threshold is reached or not.
                let measured = number.as_u64().or_else(|| number.as_f64().map(|number| number.max(0.0) as u64))?;
                let values = table.columns.iter().cloned().zip(row.iter().cloned()).take(fields).collect();
                Some(Subject { values, column: table.columns.get(fields)?.clone(), measured })
            };
            table.rows.iter().filter_map(subject).collect()
        }
        _ => vec![Subject { values: Vec::new(), column: "count".to_owned(), measured: answer.total }],
    };
    found.retain(|subject| subject.measured >= alert.threshold);
    found.sort_by_key(|one| std::cmp::Reverse(one.measured));
    found
}

impl Subject {
    /// The query for the events of this subject alone.
    pub fn query(&self, query: &str) -> Option<String> {
        let bar = tokens(query).ok()?.into_iter().find(|token| token.kind == TokenKind::Bar);
        let filter: String = match bar {
            Some(bar) => query.chars().take(usize::try_from(bar.at).ok()?).collect(),
            None => query.to_owned(),
        };
        let mut parts: Vec<String> =
            Some(filter.trim()).filter(|text| !text.is_empty()).map(|text| format!("({text})")).into_iter().collect();
        for (field, value) in &self.values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            parts.push(format!("{field}:\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")));
        }
        Some(parts.join(" AND "))
    }

    /// What belongs to one alert.
    pub fn key(&self, query: &SavedQuery) -> String {
        let mut key = format!("{RULE_PREFIX}{}", query.id);
        for (field, value) in &self.values {
            key.push_str(&format!("{SEPARATOR}{field}={value}"));
        }
        key
    }
}

/// What one run says of a subject besides the numbers.
pub struct Sample {
    /// Events of the subject, newest first.
    pub events: Vec<EventDocument>,
    /// How many there are.
    pub total: u64,
    /// What was seen in the window.
    pub visibility: Visibility,
    /// Now.
    pub now_ns: i64,
}

/// What becomes of a subject.
pub enum Told {
    /// To be written.
    New(Box<Entry>),
    /// This window is in an alert already.
    Known(Box<Entry>),
}

/// The entry for a subject. `before` is the newest alert of its key.
pub fn entry(
    query: &SavedQuery,
    wanted: &QueryAlert,
    window: Window,
    subject: &Subject,
    sample: &Sample,
    before: Option<Entry>,
    known: impl FnOnce(&str) -> Option<Entry>,
) -> Told {
    let key = subject.key(query);
    if let Some(mut entry) = before {
        if entry.tracking.last_ns >= window.to_ns {
            return Told::Known(Box::new(entry));
        }
        // Windows follow each other, or lie over each other.
        let is_next = window.from_ns <= entry.tracking.last_ns;
        if is_next && window.to_ns.saturating_sub(entry.tracking.first_ns) <= LONGEST_NS {
            entry.tracking.last_ns = window.to_ns;
            describe(&mut entry.alert, subject, wanted, sample);
            return Told::New(Box::new(entry));
        }
    }
    let id = id(&key, &time_text(window.to_ns));
    if let Some(entry) = known(&id) {
        return Told::Known(Box::new(entry));
    }
    let mut alert = new(query, wanted, id, window, sample);
    describe(&mut alert, subject, wanted, sample);
    let tracking = Tracking { key, first_ns: window.from_ns, last_ns: window.to_ns, sequence: 0 };
    Told::New(Box::new(Entry { alert, tracking }))
}

fn new(query: &SavedQuery, wanted: &QueryAlert, id: String, window: Window, sample: &Sample) -> Alert {
    let rule = AlertRule {
        id: format!("{RULE_PREFIX}{}", query.id),
        name: query.name.clone(),
        name_vi: Some(query.name_vi.clone()),
        kind: RuleKind::Correlation,
        revision: query.version.to_string(),
        ruleset: String::new(),
        description: wanted.reason.clone(),
        description_vi: Some(wanted.reason_vi.clone()),
        advice_vi: wanted.advice_vi.clone(),
        advice: wanted.advice.clone(),
        techniques: Vec::new(),
        references: Vec::new(),
        false_positives: Vec::new(),
        false_positives_vi: Vec::new(),
    };
    Alert {
        id,
        sequence: 0,
        // Within the window, so that what is searched around the alert finds what it stands on.
        time: time_text(window.to_ns.saturating_sub(1)),
        raised: time_text(sample.now_ns),
        rule,
        severity: wanted.severity,
        severity_reasons: vec!["rule_level".to_owned(), "several_events".to_owned()],
        matched: Vec::new(),
        event_ids: Vec::new(),
        event_count: 0,
        event: EventDocument::default(),
        sensor: String::new(),
        community_id: None,
        source: None,
        destination: None,
        agency: None,
        visibility: sample.visibility,
    }
}

fn describe(alert: &mut Alert, subject: &Subject, wanted: &QueryAlert, sample: &Sample) {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values = subject.values.iter().map(|(field, value)| (field.clone(), text(value), String::new()));
    let measured = (subject.column.clone(), subject.measured.to_string(), format!(">= {}", wanted.threshold));
    let matched = values.chain([measured]).map(|(field, value, wanted)| MatchedField { field, value, wanted });
    alert.matched = matched.collect();
    alert.event_count = alert.event_count.max(sample.total);
    let Some(newest) = sample.events.first() else { return };
    let at = |name: &str| {
        let mut parts = name.split('.');
        let first = newest.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part)).map(text)
    };
    let end = |side: &str| {
        let port = at(&format!("{side}.port")).and_then(|port| port.parse().ok());
        at(&format!("{side}.ip")).map(|ip| Endpoint { ip, port })
    };
    (alert.source, alert.destination) = (end("source"), end("destination"));
    alert.agency = at("organization.id").zip(at("organization.name")).map(|(id, name)| Agency { id, name });
    alert.sensor = at("observer.name").unwrap_or_default();
    alert.event_ids = sample.events.iter().filter_map(|event| event.0.get("event")?.get("id")).map(text).collect();
    alert.event = newest.clone();
}
