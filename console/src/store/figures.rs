//! Counts for reports: one question each, over a span of time.

use luytre_collector_api::Severity;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::reach::Reach;
use super::sql::severity_of;
use super::{Store, StoreResult};
use crate::model::{AlertQuery, AlertRow, AlertSort, Verdict, from_wire_name};

/// From a moment (inclusive) until a moment (exclusive), microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From.
    pub from_us: i64,
    /// Until.
    pub to_us: i64,
}

/// What a count is counted by, with a name where there is one besides the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Rule id, agency id or address.
    pub key: String,
    /// Its name for people; empty where the key is the name.
    pub name: String,
    /// Its Vietnamese name; empty where there is none.
    pub name_vi: String,
    /// The worst severity in the group.
    pub worst: Severity,
    /// How many alerts.
    pub alerts: u64,
    /// How many of them are still open.
    pub open: u64,
}

/// What alerts can be counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// The rule.
    Rule,
    /// The agency; alerts without one are left out.
    Agency,
    /// The source address; alerts without one are left out.
    Source,
}

impl GroupBy {
    /// Key, English name and Vietnamese name columns.
    fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            GroupBy::Rule => ("rule_id", "MAX(rule_name)", "COALESCE(MAX(rule_name_vi), '')"),
            GroupBy::Agency => ("agency_id", "COALESCE(MAX(agency_name), '')", "''"),
            GroupBy::Source => ("source_ip", "''", "''"),
        }
    }
}

/// How many mails were sent, wait, and were given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailFigures {
    /// Taken by the mail server.
    pub sent: u64,
    /// Waiting.
    pub queued: u64,
    /// Given up.
    pub failed: u64,
}

/// How many cases were opened and closed in a span, and how many are not closed now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseFigures {
    /// Opened in the span.
    pub opened: u64,
    /// Closed in the span.
    pub closed: u64,
    /// Not closed now.
    pub active: u64,
}

impl Store {
    /// Alerts that happened in the span, by severity, worst first; only severities that occurred.
    pub async fn count_by_severity(&self, span: Span) -> StoreResult<Vec<(Severity, u64)>> {
        let rows = sqlx::query(
            "SELECT severity, COUNT(*) AS n FROM alerts WHERE time_us >= $1 AND time_us < $2 \
             GROUP BY severity ORDER BY severity DESC",
        )
        .bind(span.from_us)
        .bind(span.to_us)
        .fetch_all(&self.readers)
        .await?;
        severity_counts(&rows)
    }

    /// Alerts that happened in the span and still wait for a decision, by severity.
    pub async fn count_open(&self, span: Span) -> StoreResult<Vec<(Severity, u64)>> {
        let rows = sqlx::query(
            "SELECT severity, COUNT(*) AS n FROM alerts WHERE status = 'open' AND time_us >= $1 AND time_us < $2 \
             GROUP BY severity ORDER BY severity DESC",
        )
        .bind(span.from_us)
        .bind(span.to_us)
        .fetch_all(&self.readers)
        .await?;
        severity_counts(&rows)
    }

    /// The largest groups of the alerts that happened in the span; worst first, then most alerts first.
    pub async fn count_groups(&self, span: Span, by: GroupBy, limit: u32) -> StoreResult<Vec<Group>> {
        let (key, name, name_vi) = by.columns();
        let sql = format!(
            "SELECT {key} AS key, {name} AS name, {name_vi} AS name_vi, MAX(severity) AS worst, COUNT(*) AS n, \
             SUM(CASE WHEN status = 'open' THEN 1 ELSE 0 END) AS open FROM alerts \
             WHERE time_us >= $1 AND time_us < $2 AND {key} IS NOT NULL \
             GROUP BY {key} ORDER BY worst DESC, n DESC, {key} LIMIT {limit}"
        );
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(span.from_us).bind(span.to_us).fetch_all(&self.readers).await?;
        let mut groups = Vec::new();
        for row in &rows {
            let (alerts, open): (i64, i64) = (row.try_get("n")?, row.try_get("open")?);
            groups.push(Group {
                key: row.try_get("key")?,
                name: row.try_get("name")?,
                name_vi: row.try_get("name_vi")?,
                worst: severity_of(row.try_get("worst")?),
                alerts: alerts.unsigned_abs(),
                open: open.unsigned_abs(),
            });
        }
        Ok(groups)
    }

    /// Decisions that closed alerts in the span, by verdict.
    pub async fn count_verdicts(&self, span: Span) -> StoreResult<Vec<(Verdict, u64)>> {
        let rows = sqlx::query(
            "SELECT verdict, COUNT(*) AS n FROM alerts WHERE verdict IS NOT NULL AND decided_us >= $1 AND decided_us < $2 \
             GROUP BY verdict ORDER BY n DESC, verdict",
        )
        .bind(span.from_us)
        .bind(span.to_us)
        .fetch_all(&self.readers)
        .await?;
        let mut counts = Vec::new();
        for row in &rows {
            let (name, count): (String, i64) = (row.try_get("verdict")?, row.try_get("n")?);
            counts.extend(from_wire_name(&name).map(|verdict| (verdict, count.unsigned_abs())));
        }
        Ok(counts)
    }

    /// Cases opened and closed in the span.
    pub async fn count_cases(&self, span: Span) -> StoreResult<CaseFigures> {
        let row = sqlx::query(
            "SELECT COALESCE(SUM(CASE WHEN opened_us >= $1 AND opened_us < $2 THEN 1 ELSE 0 END), 0) AS opened, \
             COALESCE(SUM(CASE WHEN closed_us >= $1 AND closed_us < $2 THEN 1 ELSE 0 END), 0) AS closed, \
             COALESCE(SUM(CASE WHEN status <> 'closed' THEN 1 ELSE 0 END), 0) AS active FROM cases",
        )
        .bind(span.from_us)
        .bind(span.to_us)
        .fetch_one(&self.readers)
        .await?;
        let count = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
        Ok(CaseFigures { opened: count("opened")?, closed: count("closed")?, active: count("active")? })
    }

    /// E-mail notices that were queued in the span.
    pub async fn count_mails(&self, span: Span) -> StoreResult<MailFigures> {
        let rows = sqlx::query(
            "SELECT state, COUNT(*) AS n FROM notices WHERE created_us >= $1 AND created_us < $2 GROUP BY state",
        )
        .bind(span.from_us)
        .bind(span.to_us)
        .fetch_all(&self.readers)
        .await?;
        let mut figures = MailFigures::default();
        for row in &rows {
            let (state, count): (String, i64) = (row.try_get("state")?, row.try_get("n")?);
            match state.as_str() {
                "sent" => figures.sent = count.unsigned_abs(),
                "queued" => figures.queued = count.unsigned_abs(),
                _ => figures.failed = count.unsigned_abs(),
            }
        }
        Ok(figures)
    }

    /// The worst alerts of the span: high and critical, worst first.
    pub async fn worst_alerts(&self, span: Span, limit: u32) -> StoreResult<Vec<AlertRow>> {
        let query = AlertQuery {
            status: Some("all".to_owned()),
            severity: Some("high,critical".to_owned()),
            from: Some(crate::clock::to_text(span.from_us)),
            to: Some(crate::clock::to_text(span.to_us)),
            sort: Some(AlertSort::Severity),
            limit: Some(limit),
            ..AlertQuery::default()
        };
        Ok(self.alerts(&query, &Reach::Everything).await?.items)
    }
}

fn severity_counts(rows: &[SqliteRow]) -> StoreResult<Vec<(Severity, u64)>> {
    let mut counts = Vec::with_capacity(rows.len());
    for row in rows {
        let count: i64 = row.try_get("n")?;
        counts.push((severity_of(row.try_get("severity")?), count.unsigned_abs()));
    }
    Ok(counts)
}
