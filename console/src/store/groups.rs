//! The queue in groups: one row for all alerts that share rule and host (or another grouping), with exact counts.

use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::{columns, filter, key_text};
use super::alerts::{ROW, alert_row};
use super::sql::{Conditions, cursor_parts, cursor_text, page_size, severity_of};
use super::{Store, StoreResult};
use crate::clock;
use crate::model::{AlertGroup, AlertQuery, AlertRow, AlertSort, GroupList, Grouping};

impl Store {
    /// A page of groups of the alerts that a question means.
    pub async fn alert_groups(&self, query: &AlertQuery) -> StoreResult<GroupList> {
        let size = page_size(query.limit);
        let by = query.by.unwrap_or_default();
        let by_severity = query.sort == Some(AlertSort::Severity);
        // What has come in by now, unless the first page has said so: later pages count the same alerts.
        let until = match query.until {
            Some(until) => until,
            None => self.newest_number().await?,
        };
        let question = AlertQuery { until: Some(until), ..query.clone() };
        let mut conditions = filter(&question)?;
        let clause = conditions.clause();
        let later = match &query.cursor {
            Some(cursor) => format!(" WHERE {}", after(&mut conditions, cursor, by_severity)?),
            None => String::new(),
        };
        let order = if by_severity { "worst DESC, last DESC, lead DESC" } else { "last DESC, lead DESC" };
        let keys = columns(by);
        let named: Vec<String> = keys.iter().enumerate().map(|(n, column)| format!("{column} AS key{n}")).collect();
        // The lead is the greatest of severity, time and id written after each other.
        let sql = format!(
            "WITH g AS MATERIALIZED (SELECT {}, COUNT(*) AS n, COUNT(DISTINCT a.rule_id) AS rules, \
             COUNT(DISTINCT a.source_ip) AS sources, COUNT(DISTINCT a.destination_ip) AS destinations, \
             COUNT(DISTINCT CASE WHEN a.new_destination = 1 THEN a.destination_ip END) AS new_destinations, \
             MIN(a.time_us) AS first, MAX(a.time_us) AS last, MAX(a.severity) AS worst, \
             MAX(a.severity || ':' || a.time_us || ':' || a.id) AS lead FROM alerts a{clause} GROUP BY {}) \
             SELECT g.*, (SELECT COUNT(*) FROM g) AS groups, (SELECT COALESCE(SUM(n), 0) FROM g) AS alerts \
             FROM g{later} ORDER BY {order} LIMIT {}",
            named.join(", "),
            keys.join(", "),
            size + 1,
        );
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let shown = rows.get(..size as usize).unwrap_or(&rows);
        let mut leads = self.leads(shown).await?;
        let mut items = Vec::with_capacity(shown.len());
        for row in shown {
            items.extend(group(row, by, &mut leads)?);
        }
        let next_cursor = match shown.last() {
            Some(last) if rows.len() > shown.len() => Some(place(last)?),
            _ => None,
        };
        let number = |name: &str| rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>(name));
        Ok(GroupList {
            items,
            total: number("groups")?.unsigned_abs(),
            alerts: number("alerts")?.unsigned_abs(),
            until,
            next_cursor,
            counts: self.alert_counts().await?,
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

/// The place after this group.
fn place(row: &SqliteRow) -> StoreResult<String> {
    let (worst, last): (i64, i64) = (row.try_get("worst")?, row.try_get("last")?);
    Ok(cursor_text(&[worst.to_string(), last.to_string(), row.try_get("lead")?]))
}

/// The condition of what comes after a place.
fn after(conditions: &mut Conditions, cursor: &str, by_severity: bool) -> StoreResult<String> {
    let parts = cursor_parts(cursor, 3)?;
    let number = |n: usize| parts.get(n).and_then(|part| part.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let last = conditions.bind(number(1))?;
    let lead = conditions.bind(parts.get(2).cloned().unwrap_or_default())?;
    let later = format!("(g.last < {last} OR (g.last = {last} AND g.lead < {lead}))");
    if !by_severity {
        return Ok(later);
    }
    let worst = conditions.bind(number(0))?;
    Ok(format!("(g.worst < {worst} OR (g.worst = {worst} AND {later}))"))
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
