//! Which alerts a question means: filters, groups by their keys, and what is left out, as conditions on `alerts a`.

use super::reach::Reach;
use super::sql::{Conditions, contains_pattern, cursor_parts, cursor_text, folded, severity_number};
use super::{StoreError, StoreResult};
use crate::clock;
use crate::model::{AlertQuery, AlertStatus, Grouping, Verdict, from_wire_name, wire_name};

/// How many words of a text filter count.
const MAX_WORDS: usize = 8;

/// How many things a question may leave out.
const MAX_NOT: usize = 20;

/// The columns that a grouping is made by.
pub(super) fn columns(by: Grouping) -> &'static [&'static str] {
    match by {
        Grouping::RuleHost => &["a.rule_id", "a.host"],
        Grouping::Rule => &["a.rule_id"],
        Grouping::Source => &["a.source_ip"],
        Grouping::Agency => &["a.agency_id"],
    }
}

/// A group's key: the values of its columns; nothing is told apart from an empty text.
pub(super) fn key_text(values: &[Option<String>]) -> String {
    let parts: Vec<String> =
        values.iter().map(|value| value.as_ref().map_or_else(|| "-".to_owned(), |text| format!("={text}"))).collect();
    cursor_text(&parts)
}

/// Adds the conditions of a group.
pub(super) fn add_group(conditions: &mut Conditions, by: Grouping, key: &str) -> StoreResult<()> {
    let columns = columns(by);
    let parts = cursor_parts(key, columns.len())
        .map_err(|_| StoreError::invalid("group", "this is no group of this list; load the list again"))?;
    for (column, part) in columns.iter().zip(parts) {
        match part.strip_prefix('=') {
            Some(value) => {
                let place = conditions.bind(value.to_owned())?;
                conditions.add_plain(format!("{column} = {place}"));
            }
            None => conditions.add_plain(format!("{column} IS NULL")),
        }
    }
    Ok(())
}

/// The conditions of a question, within reach.
pub(super) fn filter(query: &AlertQuery, reach: &Reach) -> StoreResult<Conditions> {
    let mut conditions = Conditions::default();
    reach.narrow(&mut conditions, "a.agency_id")?;
    match query.status.as_deref().unwrap_or("open") {
        "all" => {}
        status => {
            let status: AlertStatus = from_wire_name(status)
                .ok_or_else(|| StoreError::invalid("status", "use open, closed, escalated, suppressed or all"))?;
            // Written out: an index of open alerts alone is only used when the question says so itself.
            conditions.add_plain(format!("a.status = '{}'", wire_name(&status)));
        }
    }
    if let Some(list) = query.severity.as_deref().filter(|list| !list.is_empty()) {
        let mut numbers = Vec::new();
        for name in list.split(',') {
            let severity = from_wire_name(name.trim())
                .ok_or_else(|| StoreError::invalid("severity", "use info, low, medium, high, critical"))?;
            numbers.push(severity_number(severity).to_string());
        }
        conditions.add_plain(format!("a.severity IN ({})", numbers.join(", ")));
    }
    if let Some(verdict) = &query.verdict {
        let verdict: Verdict =
            from_wire_name(verdict).ok_or_else(|| StoreError::invalid("verdict", "there is no such verdict"))?;
        conditions.add("a.verdict = ?", wire_name(&verdict))?;
    }
    for (value, condition) in [
        (&query.rule, "a.rule_id = ?"),
        (&query.agency, "a.agency_id = ?"),
        (&query.sensor, "a.sensor = ?"),
        (&query.host, "a.host = ?"),
        (&query.suppression, "a.suppression_id = ?"),
        (&query.watcher, "EXISTS (SELECT 1 FROM watches w WHERE w.alert_id = a.id AND w.user_id = ?)"),
    ] {
        if let Some(value) = value {
            conditions.add(condition, value.clone())?;
        }
    }
    leave_out(&mut conditions, query.not.as_deref().unwrap_or_default())?;
    if let Some(key) = &query.group {
        add_group(&mut conditions, query.by.unwrap_or_default(), key)?;
    }
    if let Some(until) = query.until {
        conditions.add("a.number <= ?", until)?;
    }
    if let Some(ip) = &query.ip {
        conditions.add("(a.source_ip = ? OR a.destination_ip = ?)", ip.clone())?;
    }
    match query.assignee.as_deref() {
        None => {}
        Some("none") => conditions.add_plain("a.assignee_id IS NULL".to_owned()),
        Some(id) => conditions.add("a.assignee_id = ?", id.to_owned())?,
    }
    for word in query.text.as_deref().unwrap_or_default().split_whitespace().take(MAX_WORDS) {
        conditions.add("a.words LIKE ? ESCAPE '\\'", contains_pattern(&folded(word)))?;
    }
    if let Some(from) = &query.from {
        conditions.add("a.time_us >= ?", moment("from", from)?)?;
    }
    if let Some(to) = &query.to {
        conditions.add("a.time_us < ?", moment("to", to)?)?;
    }
    Ok(conditions)
}

fn leave_out(conditions: &mut Conditions, list: &str) -> StoreResult<()> {
    let named: Vec<&str> = list.split(',').filter(|each| !each.is_empty()).collect();
    if named.len() > MAX_NOT {
        return Err(StoreError::invalid("not", format!("leave out at most {MAX_NOT} things")));
    }
    for each in named {
        let (kind, value) = each.split_once(':').unwrap_or((each, ""));
        let condition = match kind {
            "rule" => "a.rule_id <> ?",
            "ip" => "(COALESCE(a.source_ip, '') <> ? AND COALESCE(a.destination_ip, '') <> ?)",
            "agency" => "COALESCE(a.agency_id, '') <> ?",
            "sensor" => "a.sensor <> ?",
            _ => return Err(StoreError::invalid("not", "use rule:ID, ip:ADDRESS, agency:ID or sensor:NAME")),
        };
        conditions.add(condition, value.to_owned())?;
    }
    Ok(())
}

/// Microseconds of a time in a question.
pub(super) fn moment(field: &'static str, text: &str) -> StoreResult<i64> {
    clock::from_text(text).ok_or_else(|| StoreError::invalid(field, "use RFC 3339, as in 2026-11-22T03:00:00Z"))
}
