//! From a match to the alert that people see.

use luytre_collector_api::{
    Agency, Alert, AlertRule, Endpoint, EventDocument, MatchedField, RuleKind, Severity, Visibility,
};
use luytre_events::Event;
use luytre_rules_engine::{Level, Match, Rule, RuleKind as EngineKind};
use sha2::{Digest, Sha256};

/// The rule as alerts and the rules page show it.
pub fn rule(rule: &Rule, ruleset: &str) -> AlertRule {
    AlertRule {
        id: rule.id.clone(),
        name: rule.title.clone(),
        name_vi: rule.title_vi.clone(),
        kind: kind(rule.kind),
        revision: rule.revision.clone(),
        ruleset: rule.set.as_deref().unwrap_or(ruleset).to_owned(),
        description: rule.description.clone(),
        description_vi: rule.description_vi.clone(),
        advice_vi: rule.advice_vi.clone(),
        advice: rule.advice.clone(),
        techniques: rule.techniques.clone(),
        references: rule.references.clone(),
        false_positives: rule.false_positives.clone(),
        false_positives_vi: rule.false_positives_vi.clone(),
    }
}

/// A rule's level as severity.
pub fn severity(level: Level) -> Severity {
    match level {
        Level::Info => Severity::Info,
        Level::Low => Severity::Low,
        Level::Medium => Severity::Medium,
        Level::High => Severity::High,
        Level::Critical => Severity::Critical,
    }
}

fn kind(kind: EngineKind) -> RuleKind {
    match kind {
        EngineKind::Sigma => RuleKind::Sigma,
        EngineKind::Correlation => RuleKind::Correlation,
        EngineKind::Yara => RuleKind::Yara,
        EngineKind::Intel => RuleKind::Intel,
        EngineKind::Signature => RuleKind::Signature,
    }
}

/// Why it is as bad as it is: keys of the interface's dictionary.
fn reasons(rule: &Rule) -> Vec<String> {
    let of_kind = match rule.kind {
        EngineKind::Sigma => None,
        EngineKind::Correlation => Some("several_events"),
        EngineKind::Yara => Some("known_file_content"),
        EngineKind::Intel => Some("known_indicator"),
        EngineKind::Signature => Some("known_traffic"),
    };
    ["rule_level"].into_iter().chain(of_kind).map(str::to_owned).collect()
}

/// Stands between the parts of a group's key.
pub const SEPARATOR: char = '\u{1f}';

/// What one alert is made of: matches of one rule with one subject, seen by one sensor. A YARA match also names the
/// file, because files are scanned in another order than they were seen.
pub fn group_key(found: &Match, event: &Event) -> String {
    let mut key = format!("{}{SEPARATOR}{}", found.rule.id, event.id.sensor);
    for (name, value) in &found.subject {
        key.push_str(&format!("{SEPARATOR}{name}={value}"));
    }
    if found.rule.kind == EngineKind::Yara
        && let Some(digest) = event.get_named("file.hash.sha256")
    {
        key.push_str(&format!("{SEPARATOR}{}", digest.borrow().to_text()));
    }
    key
}

/// The alert's id: the same for the same group and first event, whenever and how often it is made.
pub fn id(key: &str, first_event: &str) -> String {
    let mut hash = Sha256::new();
    for part in [key, first_event] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize().get(..16).unwrap_or_default())
}

/// The first form of an alert.
pub fn new(found: &Match, event: &Event, id: String, ruleset: &str, visibility: Visibility, raised_ns: i64) -> Alert {
    let mut alert = Alert {
        id,
        sequence: 0,
        time: luytre_events::json::time_text(event.time_ns),
        raised: luytre_events::json::time_text(raised_ns),
        rule: rule(&found.rule, ruleset),
        severity: severity(found.rule.level),
        severity_reasons: reasons(&found.rule),
        matched: Vec::new(),
        event_ids: Vec::new(),
        event_count: 0,
        event: EventDocument::default(),
        sensor: event.id.sensor.to_string(),
        community_id: None,
        source: None,
        destination: None,
        agency: None,
        visibility,
    };
    add(&mut alert, found, event);
    alert
}

/// Most event ids an alert carries.
const EVENT_IDS_MAX: usize = 100;

/// Adds a match to its alert: the newest event and matched fields are shown, counts add up.
pub fn add(alert: &mut Alert, found: &Match, event: &Event) {
    alert.event_count += found.event_count.max(1);
    for id in found.event_ids.iter().map(ToString::to_string) {
        if !alert.event_ids.contains(&id) {
            alert.event_ids.push(id);
        }
    }
    // The first events tell how it began, so the newest of too many are the ones not listed.
    alert.event_ids.truncate(EVENT_IDS_MAX);
    alert.matched = found
        .matched
        .iter()
        .map(|m| MatchedField { field: m.field.clone(), value: m.value.clone(), wanted: m.wanted.clone() })
        .collect();
    if let Some(flow) = &event.flow {
        alert.community_id = Some(flow.community_id.to_string());
        alert.source = Some(endpoint(flow.source, flow.transport));
        alert.destination = Some(endpoint(flow.destination, flow.transport));
    }
    let text = |name: &str| event.get_named(name).map(|value| value.borrow().to_text());
    if let (Some(id), Some(name)) = (text("organization.id"), text("organization.name")) {
        alert.agency = Some(Agency { id, name });
    }
    if let serde_json::Value::Object(document) = luytre_events::json::event_value(event) {
        alert.event = EventDocument(document);
    }
}

fn endpoint((ip, port): (std::net::IpAddr, u16), transport: luytre_events::Transport) -> Endpoint {
    use luytre_events::Transport;
    let has_ports = [Transport::TCP, Transport::UDP, Transport::SCTP].contains(&transport);
    Endpoint { ip: ip.to_string(), port: has_ports.then_some(port) }
}
