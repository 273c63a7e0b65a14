//! Indicator lists: names, addresses, hashes and fingerprints that somebody knows to be bad.
//!
//! Comes in: lists (`*.toml`, `*.csv` in a folder `intel`) and events. Goes out: a match for each list that has an
//! indicator found in the event. A domain also stands for its sub-domains. An indicator past its expiry is left alone,
//! by packet time, so that a replay gives the same answer. Lookups are hash lookups: a million indicators cost no more
//! per event than ten.

mod lists;
mod table;

use std::sync::Arc;

use luytre_events::{Catalogue, Event, FieldId, ValueRef};

use crate::detector::Detector;
use crate::matched::{Match, MatchedField, shorten};
use crate::rule::Rule;
use crate::ruleset::{Ids, Loaded, Source};
use table::{Found, Table};

/// The most indicators kept over all lists; the rest is reported and left out.
pub const INDICATORS_MAX: usize = 4_000_000;

/// What an indicator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndicatorKind {
    /// A domain name and all names below it.
    Domain,
    /// An address.
    Ip,
    /// A network.
    Cidr,
    /// A URL, compared whole.
    Url,
    /// MD5, SHA-1 or SHA-256 of a file, or of a certificate.
    Hash,
    /// JA3 of a TLS client.
    Ja3,
    /// JA3S of a TLS server.
    Ja3s,
    /// JA4 of a TLS client.
    Ja4,
}

/// In which fields each kind is looked for.
const FIELDS: &[(IndicatorKind, &[&str])] = &[
    (IndicatorKind::Domain, &["dns.question.name", "tls.client.server_name", "url.domain"]),
    (IndicatorKind::Ip, &["source.ip", "destination.ip", "dns.resolved_ip"]),
    (IndicatorKind::Cidr, &["source.ip", "destination.ip", "dns.resolved_ip"]),
    (IndicatorKind::Url, &["url.full"]),
    (
        IndicatorKind::Hash,
        &["file.hash.md5", "file.hash.sha1", "file.hash.sha256", "tls.server.hash.sha1", "tls.server.hash.sha256"],
    ),
    (IndicatorKind::Ja3, &["tls.client.ja3"]),
    (IndicatorKind::Ja3s, &["tls.server.ja3s"]),
    (IndicatorKind::Ja4, &["ja4.client"]),
];

impl IndicatorKind {
    /// The word a list uses.
    pub fn word(self) -> &'static str {
        match self {
            IndicatorKind::Domain => "domain",
            IndicatorKind::Ip => "ip",
            IndicatorKind::Cidr => "cidr",
            IndicatorKind::Url => "url",
            IndicatorKind::Hash => "hash",
            IndicatorKind::Ja3 => "ja3",
            IndicatorKind::Ja3s => "ja3s",
            IndicatorKind::Ja4 => "ja4",
        }
    }
}

/// One indicator of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Indicator {
    pub kind: IndicatorKind,
    /// As it is compared: lower case, without a last dot.
    pub value: String,
    pub description: String,
    pub source: String,
    /// Nanoseconds since 1970-01-01 UTC, the first moment at which it no longer counts.
    pub expires_ns: Option<i64>,
}

/// Reads every list.
pub(crate) fn load(sources: &[&Source], ids: &mut Ids) -> Loaded {
    let mut loaded = Loaded::default();
    let mut table = Table::default();
    for (list, text) in lists::read(sources, &mut loaded.broken) {
        if let Err(broken) = ids.claim(&list.rule.id, &list.rule.file, list.rule.line) {
            loaded.broken.push(broken);
            continue;
        }
        let rule = Arc::new(list.rule);
        let number = loaded.rules.len();
        for (indicator, line) in list.indicators {
            if let Err(reason) = table.add(indicator, number) {
                loaded.broken.push(crate::rule::Broken { file: text.clone(), line: Some(line), reason });
            }
        }
        loaded.rules.push(rule);
    }
    if !table.is_empty() {
        loaded.detector = Some(Box::new(IntelDetector::new(loaded.rules.clone(), table)));
    }
    loaded
}

/// All lists, ready to be asked.
struct IntelDetector {
    lists: Vec<Arc<Rule>>,
    table: Table,
    /// What to look for in a field, by field number.
    kinds: Vec<Vec<IndicatorKind>>,
}

impl IntelDetector {
    fn new(lists: Vec<Arc<Rule>>, table: Table) -> IntelDetector {
        let catalogue = Catalogue::current();
        let mut kinds = vec![Vec::new(); catalogue.fields().len()];
        for (kind, names) in FIELDS.iter().filter(|(kind, _)| table.has(*kind)) {
            for id in names.iter().filter_map(|name| catalogue.field_id(name)) {
                if let Some(slot) = kinds.get_mut(usize::from(id.0)) {
                    slot.push(*kind);
                }
            }
        }
        IntelDetector { lists, table, kinds }
    }

    fn look(&self, field: FieldId, value: ValueRef<'_>, time_ns: i64, hits: &mut Vec<(FieldId, String, Found)>) {
        let Some(kinds) = self.kinds.get(usize::from(field.0)).filter(|k| !k.is_empty()) else { return };
        if let ValueRef::List(items) = value {
            return items.iter().for_each(|item| self.look(field, item.borrow(), time_ns, hits));
        }
        for kind in kinds {
            for found in self.table.find(*kind, value, time_ns) {
                hits.push((field, value.to_text(), found));
            }
        }
    }

    fn to_match(&self, event: &Event, field: FieldId, value: &str, found: &Found) -> Option<Match> {
        let rule = self.lists.get(found.list)?;
        let name = Catalogue::current().field(field).map(|f| f.name.clone()).unwrap_or_default();
        let known_by = if found.source.is_empty() { String::new() } else { format!(" (source: {})", found.source) };
        let mut wanted = format!("{} {}{known_by}", found.kind.word(), found.indicator);
        if !found.description.is_empty() {
            wanted = format!("{wanted}: {}", found.description);
        }
        let mut subject = vec![("indicator".to_owned(), found.indicator.clone())];
        let other_side = if name == "source.ip" { "destination.ip" } else { "source.ip" };
        let other = event.get_named(other_side).map(|v| v.borrow().to_text());
        subject.extend(other.map(|value| (other_side.to_owned(), value)));
        Some(Match {
            rule: rule.clone(),
            matched: vec![MatchedField { field: name, value: shorten(value), wanted }],
            subject,
            event_ids: vec![event.id.clone()],
            event_count: 1,
            window_s: None,
        })
    }
}

impl Detector for IntelDetector {
    fn process(&mut self, event: &Event, found: &mut Vec<Match>) {
        let mut hits = Vec::new();
        event.visit(&mut |field, value| self.look(field, value, event.time_ns, &mut hits));
        for (position, (field, value, hit)) in hits.iter().enumerate() {
            // The same indicator in two fields of one event (a host and its URL, say) is one match.
            let earlier = hits.iter().take(position);
            if !earlier.into_iter().any(|(_, _, e)| e.list == hit.list && e.indicator == hit.indicator) {
                found.extend(self.to_match(event, *field, value, hit));
            }
        }
    }
}
