//! Runs the compiled rules on events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use luytre_events::{Catalogue, Event, EventId};
use rsigma_eval::{
    CorrelationBody, CorrelationEngine, CorrelationSnapshot, DetectionBody, EvaluationResult, ResultBody,
};
use rsigma_parser::LogSource;

use super::view::View;
use super::{GROUPS_MAX, PRODUCT, explain};
use crate::detector::Detector;
use crate::matched::{EVENT_IDS_MAX, Match, MatchedField, Subject};
use crate::rule::Rule;

/// How often, in seconds of packet time, windows that have passed are cleared away.
const CLEAR_EVERY_S: i64 = 60;
/// Windows are cleared away this much after they have passed, in seconds: one sensor whose clock is ahead must not take
/// the windows of the others away.
const CLEAR_LATE_S: i64 = 3600;
/// What alerts of a rule on one event are grouped by, where the rule does not say.
const DEFAULT_SUBJECT: [&str; 2] = ["source.ip", "destination.ip"];

/// Sigma rules and correlations, ready to run.
pub(super) struct SigmaDetector {
    engine: CorrelationEngine,
    rules: HashMap<String, Arc<Rule>>,
    /// Per correlation: the rules that feed it.
    fed: HashMap<String, Vec<String>>,
    /// The log source of each dataset, by dataset number.
    sources: Vec<LogSource>,
    unknown_source: LogSource,
    cleared_s: i64,
    groups_dropped: u64,
}

impl SigmaDetector {
    pub(super) fn new(
        engine: CorrelationEngine,
        rules: HashMap<String, Arc<Rule>>,
        fed: HashMap<String, Vec<String>>,
    ) -> SigmaDetector {
        let datasets = Catalogue::current().datasets();
        SigmaDetector {
            engine,
            rules,
            fed,
            sources: datasets.iter().map(|d| source(&d.name)).collect(),
            unknown_source: source(""),
            cleared_s: i64::MIN,
            groups_dropped: 0,
        }
    }

    /// Clears windows that have passed, now and then and whenever the limit is near.
    fn clear(&mut self, now_s: i64) {
        let full = self.engine.state_count() >= GROUPS_MAX;
        let is_early = |now_s: i64| !full && now_s.saturating_sub(self.cleared_s) < CLEAR_EVERY_S;
        if is_early(now_s) {
            return;
        }
        // Nothing has happened later than now, whatever an event says.
        let now_s = now_s.min(wall_s());
        if is_early(now_s) {
            return;
        }
        self.cleared_s = self.cleared_s.max(now_s);
        let late_s = if full { 0 } else { CLEAR_LATE_S };
        self.engine.evict_expired(now_s.saturating_sub(late_s));
        // Having found no room otherwise, the engine cuts down to nine tenths exactly.
        if full && self.engine.state_count() == GROUPS_MAX * 9 / 10 {
            self.groups_dropped += (GROUPS_MAX / 10) as u64;
        }
    }

    fn detection(&self, event: &Event, id: &str, body: &DetectionBody) -> Option<Match> {
        let rule = self.rules.get(id).filter(|rule| !rule.silent)?;
        Some(Match {
            rule: rule.clone(),
            matched: fields_of(body),
            subject: subject(event, rule, &DEFAULT_SUBJECT),
            event_ids: vec![event.id.clone()],
            event_count: 1,
            window_s: None,
        })
    }

    fn correlation(&self, event: &Event, id: &str, body: &CorrelationBody, all: &[EvaluationResult]) -> Option<Match> {
        let rule = self.rules.get(id).filter(|rule| !rule.silent)?;
        let event_ids = event_ids(event, body);
        let mut matched: Vec<MatchedField> = body
            .group_key
            .iter()
            .map(|(field, value)| MatchedField {
                field: field.clone(),
                value: value.clone(),
                wanted: "the same in all events".to_owned(),
            })
            .collect();
        matched.push(MatchedField {
            field: body.correlation_type.as_str().to_owned(),
            value: body.aggregated_value.to_string(),
            wanted: format!("reached the rule's threshold within {} s", body.timespan_secs),
        });
        let feeds = self.fed.get(id).map(Vec::as_slice).unwrap_or_default();
        for (base, result) in all.iter().filter_map(|r| Some((r.header.rule_id.as_deref()?, r.as_detection()?))) {
            if feeds.iter().any(|f| f == base) {
                matched.extend(fields_of(result));
            }
        }
        let count = event_ids.len() as u64;
        Some(Match {
            subject: if rule.subject.is_empty() && !body.group_key.is_empty() {
                body.group_key.clone()
            } else {
                subject(event, rule, &DEFAULT_SUBJECT)
            },
            rule: rule.clone(),
            matched,
            event_count: if body.correlation_type.as_str() == "event_count" {
                count.max(body.aggregated_value as u64)
            } else {
                count
            },
            event_ids,
            window_s: Some(body.timespan_secs),
        })
    }
}

/// Our own clock, seconds since 1970-01-01 UTC.
fn wall_s() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

/// The log source of a dataset's events: a rule applies where every part it names agrees.
fn source(dataset: &str) -> LogSource {
    let named = Some(dataset.to_owned()).filter(|d| !d.is_empty());
    LogSource { product: Some(PRODUCT.to_owned()), category: named.clone(), service: named, ..LogSource::default() }
}

fn fields_of(body: &DetectionBody) -> Vec<MatchedField> {
    let mut fields: Vec<MatchedField> = Vec::with_capacity(body.matched_fields.len());
    for matched in &body.matched_fields {
        let field = explain::field(matched);
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

fn subject(event: &Event, rule: &Rule, default: &[&str]) -> Subject {
    let value = |name: &str| Some((name.to_owned(), event.get_named(name)?.borrow().to_text()));
    if rule.subject.is_empty() {
        default.iter().filter_map(|name| value(name)).collect()
    } else {
        rule.subject.iter().filter_map(|name| value(name)).collect()
    }
}

/// The events of a window, oldest first; the one that completed it is always there and last.
fn event_ids(event: &Event, body: &CorrelationBody) -> Vec<EventId> {
    let refs = body.event_refs.iter().flatten().filter_map(|r| r.id.as_deref()?.parse().ok());
    let mut ids: Vec<EventId> = refs.filter(|id| *id != event.id).collect();
    if ids.len() >= EVENT_IDS_MAX {
        ids.drain(..=ids.len() - EVENT_IDS_MAX);
    }
    ids.push(event.id.clone());
    ids
}

impl Detector for SigmaDetector {
    fn process(&mut self, event: &Event, found: &mut Vec<Match>) {
        let view = View::new(event);
        let source = self.sources.get(usize::from(event.dataset.0)).unwrap_or(&self.unknown_source);
        let detections = self.engine.engine().evaluate_pruned(&view, source);
        let now_s = event.time_ns.div_euclid(1_000_000_000);
        self.clear(now_s);
        if detections.is_empty() {
            return;
        }
        let results = self.engine.process_with_detections(&view, detections, now_s);
        for result in &results {
            let Some(id) = result.header.rule_id.as_deref() else { continue };
            found.extend(match &result.body {
                ResultBody::Detection(body) => self.detection(event, id, body),
                ResultBody::Correlation(body) => self.correlation(event, id, body, &results),
            });
        }
    }

    fn groups(&self) -> usize {
        self.engine.state_count()
    }

    fn groups_dropped(&self) -> u64 {
        self.groups_dropped
    }

    fn snapshot(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(&self.engine.export_state()).ok()
    }

    fn restore(&mut self, state: &[u8]) -> bool {
        match serde_json::from_slice::<CorrelationSnapshot>(state) {
            Ok(state) => self.engine.import_state(state),
            Err(_) => false,
        }
    }
}
