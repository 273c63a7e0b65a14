//! The queue in groups: one row for all alerts that share rule and host (or another grouping), with exact counts.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::{columns, filter, key_text};
use super::alerts::{ROW, alert_row};
use super::reach::Reach;
use super::sql::{Conditions, cursor_parts, cursor_text, page_size, severity_of};
use super::{Store, StoreResult};
use crate::clock;
use crate::model::{AlertGroup, AlertQuery, AlertRow, AlertSort, GroupList, Grouping};

/// Groups of alerts that are done with are made of so many of the newest alerts; an archive of years is not read whole.
pub const MAX_GROUPED: i64 = 100_000;

impl Store {
    /// A page of groups of the alerts within reach that a question means.
    pub async fn alert_groups(&self, query: &AlertQuery, reach: &Reach) -> StoreResult<GroupList> {
        let size = page_size(query.limit);
        let by = query.by.unwrap_or_default();
        // What has come in by now, unless the first page has said so: later pages count the same alerts.
        let until = match query.until {
            Some(until) => until,
            None => self.newest_number().await?,
        };
        let question = AlertQuery { until: Some(until), ..query.clone() };
        let mut conditions = filter(&question, reach)?;
        let waiting = query.status.as_deref().unwrap_or("open") == "open";
        let newest_only = !waiting && until > MAX_GROUPED;
        let newest = if newest_only { Some(conditions.bind(until - MAX_GROUPED)?) } else { None };
        let (sql, conditions) = page_of_groups(conditions, newest.as_deref(), query, by, size)?;
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let shown = rows.get(..size as usize).unwrap_or(&rows);
        let mut leads = self.leads(shown).await?;
        let mut items = Vec::with_capacity(shown.len());
        for row in shown {
            items.extend(group(row, by, &mut leads)?);
        }
        let next_cursor = match shown.last() {
            Some(last) if rows.len() > shown.len() => Some(place(last, by)?),
            _ => None,
        };
        let number = |name: &str| rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>(name));
        Ok(GroupList {
            items,
            total: number("groups")?.unsigned_abs(),
            alerts: number("alerts")?.unsigned_abs(),
            until,
            newest_only: newest_only.then_some(MAX_GROUPED.unsigned_abs()),
            next_cursor,
            counts: self.alert_counts(reach).await?,
        })
    }

    /// The alerts that lead these groups, by id.
    async fn leads(&self, groups: &[SqliteRow]) -> StoreResult<HashMap<String, AlertRow>> {
        let mut conditions = Conditions::default();
        let mut places = Vec::with_capacity(groups.len());
        for row in groups {
            places.push(conditions.bind(lead_id(row)?)?);
        }
        if places.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!("{ROW} WHERE a.id IN ({})", places.join(", "));
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut leads = HashMap::with_capacity(rows.len());
        for row in &rows {
            let row = alert_row(row)?;
            leads.insert(row.id.clone(), row);
        }
        Ok(leads)
    }
}

fn lead_id(row: &SqliteRow) -> Result<String, sqlx::Error> {
    let lead: String = row.try_get("lead")?;
    Ok(lead.splitn(3, ':').nth(2).unwrap_or_default().to_owned())
}

/// First all groups are put in order, which an index answers alone; then what a page shows is counted for that page.
fn page_of_groups(
    mut conditions: Conditions,
    newest: Option<&str>,
    query: &AlertQuery,
    by: Grouping,
    size: u32,
) -> StoreResult<(String, Conditions)> {
    let by_severity = query.sort == Some(AlertSort::Severity);
    let mut clause = conditions.clause();
    let (mut first, mut table) = (String::new(), "alerts");
    if let Some(floor) = newest {
        // Taken by number first, whatever else is asked: the inner limit keeps other indexes from being tried.
        first = format!(
            "m AS MATERIALIZED (SELECT a.id, a.rule_id, a.host, a.source_ip, a.destination_ip, a.new_destination, \
             a.time_us, a.severity, a.agency_id FROM (SELECT * FROM alerts WHERE number > {floor} \
             ORDER BY number DESC LIMIT {MAX_GROUPED}) a{clause}), "
        );
        clause.clear();
        table = "m";
    }
    let later = match &query.cursor {
        Some(cursor) => format!(" WHERE {}", after(&mut conditions, cursor, by, by_severity)?),
        None => String::new(),
    };
    let columns = columns(by);
    let keys: Vec<String> = (0..columns.len()).map(|n| format!("key{n}")).collect();
    let named: Vec<String> = columns.iter().zip(&keys).map(|(column, key)| format!("{column} AS {key}")).collect();
    let same: Vec<String> = columns.iter().zip(&keys).map(|(column, key)| format!("{column} IS p.{key}")).collect();
    let paged: Vec<String> = keys.iter().map(|key| format!("p.{key}")).collect();
    let order = |prefix: &str| {
        let worst = if by_severity { format!("{prefix}worst DESC, ") } else { String::new() };
        let keys: Vec<String> = keys.iter().map(|key| format!("COALESCE({prefix}{key}, '')")).collect();
        format!("{worst}{prefix}last DESC, {}", keys.join(", "))
    };
    // The lead is the greatest of severity, time and id written after each other.
    let sql = format!(
        "WITH {first}g AS MATERIALIZED (SELECT {named}, COUNT(*) AS n, MAX(a.time_us) AS last, MAX(a.severity) AS worst \
         FROM {table} a{clause} GROUP BY {columns}), \
         p AS MATERIALIZED (SELECT * FROM g{later} ORDER BY {order} LIMIT {limit}) \
         SELECT {paged}, p.n, p.last, p.worst, MIN(a.time_us) AS first, COUNT(DISTINCT a.rule_id) AS rules, \
         COUNT(DISTINCT a.agency_id) AS agencies, \
         COUNT(DISTINCT a.source_ip) AS sources, COUNT(DISTINCT a.destination_ip) AS destinations, \
         COUNT(DISTINCT CASE WHEN a.new_destination = 1 THEN a.destination_ip END) AS new_destinations, \
         MAX(a.severity || ':' || a.time_us || ':' || a.id) AS lead, \
         (SELECT COUNT(*) FROM g) AS groups, (SELECT COALESCE(SUM(n), 0) FROM g) AS alerts \
         FROM p JOIN {table} a ON {same}{clause} GROUP BY {paged}, p.n, p.last, p.worst ORDER BY {ordered}",
        named = named.join(", "),
        columns = columns.join(", "),
        order = order(""),
        limit = size + 1,
        paged = paged.join(", "),
        same = same.join(" AND "),
        ordered = order("p."),
    );
    Ok((sql, conditions))
}

/// The place after this group.
fn place(row: &SqliteRow, by: Grouping) -> StoreResult<String> {
    let (worst, last): (i64, i64) = (row.try_get("worst")?, row.try_get("last")?);
    let mut parts = vec![worst.to_string(), last.to_string()];
    for n in 0..columns(by).len() {
        parts.push(row.try_get::<Option<String>, _>(format!("key{n}").as_str())?.unwrap_or_default());
    }
    Ok(cursor_text(&parts))
}

/// The condition of what comes after a place.
fn after(conditions: &mut Conditions, cursor: &str, by: Grouping, by_severity: bool) -> StoreResult<String> {
    let count = columns(by).len();
    let mut parts = cursor_parts(cursor, 2 + count)?.into_iter();
    let mut number = || parts.next().and_then(|part| part.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let (worst_seen, last_seen) = (number(), number());
    let last = conditions.bind(last_seen)?;
    // Keys rise: the first of them, or the same first one and a greater second one.
    let mut beyond = Vec::with_capacity(count);
    let mut same = String::new();
    for (n, part) in parts.enumerate() {
        let value = conditions.bind(part)?;
        beyond.push(format!("({same}COALESCE(key{n}, '') > {value})"));
        same.push_str(&format!("COALESCE(key{n}, '') = {value} AND "));
    }
    let later = format!("(last < {last} OR (last = {last} AND ({})))", beyond.join(" OR "));
    if !by_severity {
        return Ok(later);
    }
    let worst = conditions.bind(worst_seen)?;
    Ok(format!("(worst < {worst} OR (worst = {worst} AND {later}))"))
}

fn group(row: &SqliteRow, by: Grouping, leads: &mut HashMap<String, AlertRow>) -> StoreResult<Option<AlertGroup>> {
    // An alert that went away between the two questions leads nothing.
    let Some(lead) = leads.remove(&lead_id(row)?) else { return Ok(None) };
    let mut values: Vec<Option<String>> = Vec::new();
    for n in 0..columns(by).len() {
        values.push(row.try_get(format!("key{n}").as_str())?);
    }
    let number = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    Ok(Some(AlertGroup {
        key: key_text(&values),
        alerts: number("n")?,
        rules: number("rules")?,
        agencies: number("agencies")?,
        sources: number("sources")?,
        destinations: number("destinations")?,
        new_destinations: number("new_destinations")?,
        first: clock::to_text(row.try_get("first")?),
        last: clock::to_text(row.try_get("last")?),
        severity: severity_of(row.try_get("worst")?),
        host: if by == Grouping::RuleHost { lead.host.clone() } else { None },
        lead,
    }))
}
