//! Observables of a case: recognised in pasted text or taken from alerts, and where else they were seen.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, detail};
use super::case_links::case_refs;
use super::cases::{MAX_TEXT, checked, tell, visible, work_on};
use super::reach::within_sql;
use super::sql::{contains_pattern, folded, person};
use super::{Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{AgencySightings, NewObservables, Observable, ObservablesAdded, Sightings};

/// How many observables a case may have.
pub const MAX_OBSERVABLES: i64 = 2000;

/// How many are taken from one text.
pub const MAX_AT_ONCE: usize = 500;

/// How long a value may be, in bytes.
const MAX_VALUE: usize = 2048;

/// Fields of an alert's event whose values are taken, as places in its JSON.
const FIELDS: [&str; 5] =
    ["/dns/question/name", "/tls/client/server_name", "/url/original", "/file/hash/sha256", "/email/from/address"];

impl Store {
    /// Adds observables from a text, from the case's alerts, or both.
    pub async fn add_observables(
        &self,
        id: &str,
        new: &NewObservables,
        actor: &Actor,
    ) -> StoreResult<ObservablesAdded> {
        let text = checked("text", &new.text, 0, MAX_TEXT)?;
        let note = checked("note", new.note.as_deref().unwrap_or_default(), 0, 500)?;
        let (found, mut not_understood) = recognise(&text);
        let mut wanted: Vec<(&str, String, &str)> =
            found.into_iter().map(|(kind, value)| (kind, value, "manual")).collect();
        if new.from_alerts {
            wanted.extend(self.alert_values(id).await?.into_iter().map(|(kind, value)| (kind, value, "alert")));
        }
        if wanted.len() > MAX_AT_ONCE {
            return Err(StoreError::invalid(
                "text",
                format!("these are more than {MAX_AT_ONCE} values; add fewer at once"),
            ));
        }
        if wanted.is_empty() && !new.from_alerts {
            return Err(StoreError::invalid("text", "no address, domain, link or hash was recognised"));
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM case_observables WHERE case_id = $1")
            .bind(id)
            .fetch_one(&mut *change)
            .await?;
        let mut added = Vec::new();
        for (kind, value, origin) in &wanted {
            let done = sqlx::query(
                "INSERT INTO case_observables (id, case_id, kind, value, note, origin, at_us, by_id) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (case_id, kind, value) DO NOTHING",
            )
            .bind(new_id())
            .bind(id)
            .bind((*kind).to_owned())
            .bind(value.clone())
            .bind(note.clone())
            .bind((*origin).to_owned())
            .bind(now_us)
            .bind(actor.user_id.clone())
            .execute(&mut *change)
            .await?;
            if done.rows_affected() == 1 {
                added.push(value.clone());
            }
        }
        let count = i64::try_from(added.len()).unwrap_or(i64::MAX);
        if there.saturating_add(count) > MAX_OBSERVABLES {
            let message = format!("the case has {there} observables; {MAX_OBSERVABLES} is the limit");
            return Err(StoreError::refused("case_full", message));
        }
        if !added.is_empty() {
            let number = added.len().to_string();
            let shown = added.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
            let what = detail([("observables", &number), ("values", &shown)]);
            tell(&mut change, id, "observables_added", &what, actor, now_us).await?;
            change.commit().await?;
        }
        not_understood.truncate(20);
        let known = wanted.len() - added.len();
        Ok(ObservablesAdded { added: added.len() as u64, known: known as u64, not_understood })
    }

    /// Takes an observable out of a case.
    pub async fn remove_observable(&self, id: &str, observable: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let value: Option<String> =
            sqlx::query_scalar("DELETE FROM case_observables WHERE id = $1 AND case_id = $2 RETURNING value")
                .bind(observable)
                .bind(id)
                .fetch_optional(&mut *change)
                .await?;
        let value = value.ok_or(StoreError::NotFound("observable"))?;
        tell(&mut change, id, "observable_removed", &detail([("values", &value)]), actor, now_us).await?;
        change.commit().await?;
        Ok(())
    }

    pub(super) async fn case_observables(&self, id: &str, viewer: &str) -> StoreResult<Vec<Observable>> {
        let sql = format!(
            "SELECT o.*, u.name AS by_name, u.display_name AS by_display, (SELECT COUNT(*) FROM case_observables b \
             JOIN cases c ON c.id = b.case_id WHERE b.kind = o.kind AND b.value = o.value AND b.case_id <> o.case_id \
             AND {}) AS other_cases FROM case_observables o LEFT JOIN users u ON u.id = o.by_id \
             WHERE o.case_id = $1 ORDER BY o.kind, o.value LIMIT {MAX_OBSERVABLES}",
            visible("$2")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(viewer).fetch_all(&self.readers).await?;
        let observable = |row: &SqliteRow| {
            Ok::<_, sqlx::Error>(Observable {
                id: row.try_get("id")?,
                kind: row.try_get("kind")?,
                value: row.try_get("value")?,
                note: row.try_get("note")?,
                origin: row.try_get("origin")?,
                at: clock::to_text(row.try_get("at_us")?),
                by: person(row, "by")?,
                other_cases: row.try_get::<i64, _>("other_cases")?.unsigned_abs(),
            })
        };
        Ok(rows.iter().map(observable).collect::<Result<_, _>>()?)
    }

    /// Where an observable of a case was seen, as far as is known here; events are counted by the collector.
    pub async fn sightings(&self, id: &str, observable: &str, viewer: &str) -> StoreResult<Sightings> {
        let row = sqlx::query("SELECT kind, value FROM case_observables WHERE id = $1 AND case_id = $2")
            .bind(observable)
            .bind(id)
            .fetch_optional(&self.readers)
            .await?
            .ok_or(StoreError::NotFound("observable"))?;
        let (kind, value): (String, String) = (row.try_get("kind")?, row.try_get("value")?);
        let (condition, bound) = match kind.as_str() {
            "ip" => ("(source_ip = $1 OR destination_ip = $1)", value.clone()),
            _ => ("words LIKE $1 ESCAPE '\\'", contains_pattern(&folded(&value))),
        };
        let sql = format!(
            "SELECT COALESCE(agency_name, '') AS name, COUNT(*) AS n, MIN(time_us) AS first_us, MAX(time_us) AS last_us \
             FROM alerts WHERE {condition} AND {} GROUP BY COALESCE(agency_name, '') ORDER BY n DESC, name",
            within_sql("agency_id", "$2")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(bound).bind(viewer).fetch_all(&self.readers).await?;
        let mut alerts = 0;
        let mut agencies = Vec::new();
        for row in &rows {
            let number = row.try_get::<i64, _>("n")?.unsigned_abs();
            alerts += number;
            if agencies.len() < 20 {
                agencies.push(AgencySightings {
                    name: row.try_get("name")?,
                    alerts: number,
                    first_at: clock::to_text(row.try_get("first_us")?),
                    last_at: clock::to_text(row.try_get("last_us")?),
                });
            }
        }
        let sql = format!(
            "SELECT c.id, c.number, c.title, c.severity, c.status FROM case_observables b JOIN cases c ON c.id = b.case_id \
             WHERE b.kind = $1 AND b.value = $2 AND b.case_id <> $3 AND {} ORDER BY c.number DESC LIMIT 20",
            visible("$4")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(kind.clone())
            .bind(value.clone())
            .bind(id)
            .bind(viewer)
            .fetch_all(&self.readers)
            .await?;
        let query = history_query(&kind, &value);
        Ok(Sightings { alerts, agencies, cases: case_refs(&rows)?, events: None, query, partial: Vec::new() })
    }

    /// The values of a case's alerts.
    async fn alert_values(&self, id: &str) -> StoreResult<BTreeSet<(&'static str, String)>> {
        let bodies: Vec<String> = sqlx::query_scalar(
            "SELECT b.body FROM alerts a JOIN alert_bodies b ON b.id = a.id WHERE a.case_id = $1 \
             ORDER BY a.time_us DESC LIMIT 500",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        let mut values = BTreeSet::new();
        for body in bodies {
            let Ok(alert) = serde_json::from_str::<serde_json::Value>(&body) else { continue };
            let ends = ["/source/ip", "/destination/ip"].iter().filter_map(|place| alert.pointer(place));
            let event = alert.get("event");
            let fields = FIELDS.iter().filter_map(|place| event?.pointer(place));
            for value in ends.chain(fields) {
                let texts = match value {
                    serde_json::Value::String(text) => vec![text.clone()],
                    serde_json::Value::Array(list) => {
                        list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
                    }
                    _ => Vec::new(),
                };
                for text in texts {
                    values.extend(classify(&text).filter(|_| values.len() < MAX_AT_ONCE));
                }
            }
        }
        Ok(values)
    }
}

/// The question to the collector that finds events with a value.
fn history_query(kind: &str, value: &str) -> String {
    let quoted = format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    match kind {
        "ip" => format!("source.ip:{quoted} OR destination.ip:{quoted}"),
        "domain" => format!("dns.question.name:{quoted} OR tls.client.server_name:{quoted} OR url.domain:{quoted}"),
        "url" => format!("url.original:{quoted}"),
        "email" => format!("email.from.address:{quoted} OR email.to.address:{quoted}"),
        hash => format!("file.hash.{hash}:{quoted}"),
    }
}

/// The values in a text, each once, and the words that look like none.
fn recognise(text: &str) -> (BTreeSet<(&'static str, String)>, Vec<String>) {
    let mut values = BTreeSet::new();
    let mut strange = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '"' | '<' | '>')) {
        let word = word.trim_matches(|c: char| matches!(c, '\'' | '`' | '*' | '•' | '.' | ':') || c == '-');
        if word.is_empty() {
            continue;
        }
        match classify(&refanged(word)) {
            Some(value) => {
                values.insert(value);
            }
            None => strange.push(word.chars().take(80).collect()),
        }
    }
    (values, strange)
}

/// The value as it was before somebody made it harmless to click on.
fn refanged(word: &str) -> String {
    let mut text = word.to_owned();
    for (from, to) in [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[@]", "@"),
        ("[at]", "@"),
        ("[/]", "/"),
        ("\\.", "."),
    ] {
        text = text.replace(from, to);
    }
    for (from, to) in [("hxxps", "https"), ("hxxp", "http"), ("hXXps", "https"), ("hXXp", "http"), ("fxp:", "ftp:")] {
        if let Some(rest) = text.strip_prefix(from) {
            text = format!("{to}{rest}");
        }
    }
    text
}

/// What a value is, and how it is written; nothing when it is none of the kinds.
fn classify(text: &str) -> Option<(&'static str, String)> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_VALUE || text.chars().any(char::is_control) {
        return None;
    }
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Some(("ip", ip.to_string()));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && port.parse::<u16>().is_ok()
        && !host.contains('/')
    {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Some(("ip", ip.to_string()));
        }
        if is_domain(host) {
            return Some(("domain", host.to_lowercase()));
        }
    }
    if text.contains("://") {
        let scheme = text.split("://").next().unwrap_or_default();
        let fits = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        return fits.then(|| ("url", text.to_owned()));
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (digits, text.len()) {
        (true, 64) => return Some(("sha256", text.to_lowercase())),
        (true, 40) => return Some(("sha1", text.to_lowercase())),
        (true, 32) => return Some(("md5", text.to_lowercase())),
        _ => {}
    }
    if let Some((name, host)) = text.split_once('@') {
        return (!name.is_empty() && is_domain(host)).then(|| ("email", text.to_lowercase()));
    }
    if let Some((host, _)) = text.split_once('/') {
        return is_domain(host).then(|| ("url", text.to_owned()));
    }
    is_domain(text).then(|| ("domain", text.trim_end_matches('.').to_lowercase()))
}

/// Whether a text may be a domain name: labels of letters, digits and hyphens, a last one that is no number.
fn is_domain(text: &str) -> bool {
    let text = text.trim_end_matches('.');
    let labels: Vec<&str> = text.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    text.len() <= 253
        && labels.len() >= 2
        && last.len() >= 2
        && !last.bytes().all(|byte| byte.is_ascii_digit())
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
                && !label.starts_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(&'static str, String)> {
        recognise(text).0.into_iter().collect()
    }

    #[test]
    fn pasted_values_are_recognised_however_they_were_defanged() {
        let found = kinds(
            "C2: 203[.]0[.]113[.]9, hxxp://evil[.]example/up.php; mail truc[@]tinh[.]example \
             [2001:db8::1]:443 UPDATE.Bad(.)Example 203.0.113.9:8443",
        );
        let expected = [
            ("domain", "update.bad.example"),
            ("email", "truc@tinh.example"),
            ("ip", "2001:db8::1"),
            ("ip", "203.0.113.9"),
            ("url", "http://evil.example/up.php"),
        ];
        assert_eq!(found, expected.map(|(kind, value)| (kind, value.to_owned())));
    }

    #[test]
    fn hashes_are_told_apart_by_their_length() {
        let text = format!("{} {} {} {}", "A".repeat(64), "b".repeat(40), "c".repeat(32), "d".repeat(31));
        let found = kinds(&text);
        let expected = [("md5", "c".repeat(32)), ("sha1", "b".repeat(40)), ("sha256", "a".repeat(64))];
        assert_eq!(found, expected);
        assert_eq!(recognise(&text).1, ["d".repeat(31)]);
    }

    #[test]
    fn words_numbers_and_broken_addresses_are_nothing() {
        let (values, strange) = recognise("máy chủ 300.1.2.3 1.2.3 x. .. @a javascript:alert(1) -a.b");
        assert!(values.is_empty(), "{values:?}");
        assert!(strange.contains(&"300.1.2.3".to_owned()));
    }

    #[test]
    fn values_cannot_leave_their_place_in_a_query() {
        assert_eq!(history_query("url", "http://a/\" OR *"), "url.original:\"http://a/\\\" OR *\"");
    }
}
