//! Counts for the overview. Each is bounded by a table or an index of its own: alerts by hours and days instead of alerts,
//! open alerts alone, decisions of a span; so that they stay fast with millions of alerts.

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::figures::Span;
use super::sql::{person, severity_of};
use super::{Store, StoreResult};
use crate::clock;
use crate::model::{TaskNow, WorkOf, wire_name};

const HOUR_US: i64 = 3600 * 1_000_000;

/// Whose and which tasks are counted.
const OPEN_TASK: &str = "FROM case_tasks t JOIN cases c ON c.id = t.case_id WHERE t.state = 'open' AND t.is_check = 0 \
    AND c.status <> 'closed'";

/// An agency's open alerts of high severity and above.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgencyLoad {
    /// Its name, where alerts or cases say it.
    pub name: String,
    /// Open critical alerts.
    pub critical: u64,
    /// Open high alerts.
    pub high: u64,
    /// Cases that are not closed.
    pub cases: u64,
    /// Overdue tasks of its cases.
    pub overdue: u64,
    /// Alerts of the period.
    pub now: u64,
    /// Alerts of the period before.
    pub before: u64,
}

/// Decisions of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DecisionFigures {
    /// How many.
    pub decided: u64,
    /// Of them, true attacks.
    pub attacks: u64,
    /// Mean time from alert to decision, in seconds.
    pub mean_s: u64,
}

impl Store {
    /// Open alerts by severity: since a moment, of somebody, or all.
    pub async fn open_by_severity(
        &self,
        since_us: Option<i64>,
        user_id: Option<&str>,
    ) -> StoreResult<BTreeMap<String, u64>> {
        let mine = if user_id.is_some() { " AND assignee_id = $2" } else { "" };
        let sql = format!(
            "SELECT severity, COUNT(*) AS n FROM alerts WHERE status = 'open' AND time_us >= $1{mine} GROUP BY severity"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(since_us.unwrap_or(i64::MIN));
        let query = match user_id {
            Some(user_id) => query.bind(user_id),
            None => query,
        };
        by_severity(&query.fetch_all(&self.readers).await?)
    }

    /// Cases that are not closed, by severity; restricted ones are counted, not named.
    pub async fn open_cases_by_severity(&self) -> StoreResult<BTreeMap<String, u64>> {
        let sql = "SELECT severity, COUNT(*) AS n FROM cases WHERE status <> 'closed' GROUP BY severity";
        by_severity(&sqlx::query(sql).fetch_all(&self.readers).await?)
    }

    /// Open tasks and overdue ones: of somebody, or of everybody within a span ahead.
    pub async fn task_counts(&self, user_id: Option<&str>, until_us: i64) -> StoreResult<(u64, u64)> {
        let mine = if user_id.is_some() { " AND t.assignee_id = $3" } else { "" };
        let sql = format!(
            "SELECT COALESCE(SUM(CASE WHEN t.due_us >= $1 AND t.due_us < $2 OR (t.due_us IS NULL AND $2 = {}) THEN 1 \
             ELSE 0 END), 0) AS due, COALESCE(SUM(CASE WHEN t.due_us < $1 THEN 1 ELSE 0 END), 0) AS overdue {OPEN_TASK}{mine}",
            i64::MAX
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.now_us()).bind(until_us);
        let query = match user_id {
            Some(user_id) => query.bind(user_id),
            None => query,
        };
        let row = query.fetch_one(&self.readers).await?;
        let count = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
        Ok((count("due")?, count("overdue")?))
    }

    /// Tasks of cases that somebody may see and that are due before a moment, the longest overdue first.
    pub async fn tasks_due(&self, viewer: &str, before_us: i64, limit: u32) -> StoreResult<Vec<TaskNow>> {
        let sql = format!(
            "SELECT t.title, t.due_us, c.id, c.number, u.id AS by_id, u.name AS by_name, u.display_name AS by_display \
             {} AND t.due_us < $2 AND (c.restricted = 0 OR EXISTS (SELECT 1 FROM case_members m \
             WHERE m.case_id = c.id AND m.user_id = $1)) ORDER BY t.due_us, t.id LIMIT $3",
            OPEN_TASK.replace(" WHERE ", " LEFT JOIN users u ON u.id = t.assignee_id WHERE ")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(viewer).bind(before_us).bind(limit);
        let task = |row: &SqliteRow| {
            Ok(TaskNow {
                case_id: row.try_get("id")?,
                case_number: row.try_get("number")?,
                title: row.try_get("title")?,
                due: clock::to_text(row.try_get("due_us")?),
                assignee: person(row, "by")?,
            })
        };
        Ok(rows.fetch_all(&self.readers).await?.iter().map(task).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Cases that somebody leads and that are not closed.
    pub async fn cases_led(&self, user_id: &str) -> StoreResult<u64> {
        let sql = "SELECT COUNT(*) FROM cases WHERE lead_id = $1 AND status <> 'closed'";
        let count: i64 = sqlx::query_scalar(sql).bind(user_id).fetch_one(&self.readers).await?;
        Ok(count.unsigned_abs())
    }

    /// What each of the team has done since a moment, most first; at most twenty.
    pub async fn work_since(&self, since_us: i64) -> StoreResult<Vec<WorkOf>> {
        let rows = sqlx::query(
            "SELECT u.id AS by_id, u.name AS by_name, u.display_name AS by_display, SUM(w.decided) AS decided, \
             SUM(w.done) AS done FROM (SELECT decided_by AS who, COUNT(*) AS decided, 0 AS done FROM alerts \
             WHERE verdict IS NOT NULL AND decided_us >= $1 GROUP BY decided_by UNION ALL \
             SELECT done_by, 0, COUNT(*) FROM case_tasks WHERE done_us >= $1 GROUP BY done_by) w \
             JOIN users u ON u.id = w.who GROUP BY u.id ORDER BY SUM(w.decided) + SUM(w.done) DESC, u.name LIMIT 20",
        )
        .bind(since_us)
        .fetch_all(&self.readers)
        .await?;
        let mut work = Vec::with_capacity(rows.len());
        for row in &rows {
            let (decided, done): (i64, i64) = (row.try_get("decided")?, row.try_get("done")?);
            if let Some(user) = person(row, "by")? {
                work.push(WorkOf { user, decided: decided.unsigned_abs(), tasks_done: done.unsigned_abs() });
            }
        }
        Ok(work)
    }

    /// Alerts by full hour (hours since 1970) and severity.
    pub async fn hours_by_severity(&self, span: Span) -> StoreResult<Vec<(i64, String, u64)>> {
        let rows = sqlx::query(
            "SELECT hour, severity, alerts AS n FROM alert_hours WHERE hour >= $1 AND hour < $2 AND alerts > 0 ORDER BY hour",
        )
        .bind(span.from_us.div_euclid(HOUR_US))
        .bind(last_hour(span))
        .fetch_all(&self.readers)
        .await?;
        let hour = |row: &SqliteRow| {
            let count: i64 = row.try_get("n")?;
            let severity = wire_name(&severity_of(row.try_get("severity")?));
            Ok((row.try_get("hour")?, severity, count.unsigned_abs()))
        };
        Ok(rows.iter().map(hour).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Alerts of the days of a span by rule.
    pub async fn alerts_by_rule(&self, span: Span) -> StoreResult<Vec<(String, u64)>> {
        self.days_by("rule", span).await
    }

    /// Alerts by whole days; the day on which a span ends counts to its end.
    async fn days_by(&self, kind: &'static str, span: Span) -> StoreResult<Vec<(String, u64)>> {
        let rows = sqlx::query(
            "SELECT key, SUM(alerts) AS n FROM alert_days WHERE kind = $1 AND day >= $2 AND day <= $3 GROUP BY key \
             HAVING SUM(alerts) > 0",
        )
        .bind(kind)
        .bind(day_of(span.from_us))
        .bind(day_of(span.to_us - 1))
        .fetch_all(&self.readers)
        .await?;
        let pair = |row: &SqliteRow| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.unsigned_abs()));
        Ok(rows.iter().map(pair).collect::<Result<_, sqlx::Error>>()?)
    }

    /// What burdens each agency.
    pub async fn agency_loads(&self, now: Span, before: Span) -> StoreResult<BTreeMap<String, AgencyLoad>> {
        let mut loads: BTreeMap<String, AgencyLoad> = BTreeMap::new();
        // The plus keeps to the index of open alerts by agency, which has all that is asked.
        let open = sqlx::query(
            "SELECT agency_id, severity, COUNT(*) AS n FROM alerts WHERE status = 'open' AND agency_id IS NOT NULL \
             AND +severity >= 3 GROUP BY agency_id, severity",
        );
        for row in open.fetch_all(&self.readers).await? {
            let (severity, count): (i64, i64) = (row.try_get("severity")?, row.try_get("n")?);
            let load = loads.entry(row.try_get("agency_id")?).or_default();
            if severity >= 4 { &mut load.critical } else { &mut load.high }.clone_from(&count.unsigned_abs());
        }
        let cases = sqlx::query(
            "SELECT c.agency_id, MAX(c.agency_name) AS name, COUNT(*) AS n, COALESCE(SUM((SELECT COUNT(*) FROM case_tasks t \
             WHERE t.case_id = c.id AND t.is_check = 0 AND t.state = 'open' AND t.due_us < $1)), 0) AS overdue \
             FROM cases c WHERE c.status <> 'closed' AND c.agency_id IS NOT NULL GROUP BY c.agency_id",
        );
        for row in cases.bind(self.now_us()).fetch_all(&self.readers).await? {
            let (count, overdue): (i64, i64) = (row.try_get("n")?, row.try_get("overdue")?);
            let load = loads.entry(row.try_get("agency_id")?).or_default();
            load.name = row.try_get::<Option<String>, _>("name")?.unwrap_or_default();
            (load.cases, load.overdue) = (count.unsigned_abs(), overdue.unsigned_abs());
        }
        for (id, count) in self.days_by("agency", now).await? {
            loads.entry(id).or_default().now = count;
        }
        for (id, count) in self.days_by("agency", before).await? {
            loads.entry(id).or_default().before = count;
        }
        Ok(loads)
    }

    /// The name of an agency: the register's, else as its newest alert says it.
    pub async fn name_of_agency(&self, id: &str) -> StoreResult<String> {
        if let Some(name) = self.agency_name(id).await? {
            return Ok(name);
        }
        let sql =
            "SELECT agency_name FROM alerts WHERE agency_id = $1 AND status = 'open' ORDER BY time_us DESC LIMIT 1";
        let name: Option<Option<String>> = sqlx::query_scalar(sql).bind(id).fetch_optional(&self.readers).await?;
        Ok(name.flatten().unwrap_or_else(|| id.to_owned()))
    }

    /// Decisions of a span.
    pub async fn decisions(&self, span: Span) -> StoreResult<DecisionFigures> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS decided, COALESCE(SUM(CASE WHEN verdict = 'true_positive' THEN 1 ELSE 0 END), 0) AS attacks, \
             COALESCE(CAST(AVG(decided_us - time_us) / 1000000 AS BIGINT), 0) AS mean_s FROM alerts \
             WHERE verdict IS NOT NULL AND decided_us >= $1 AND decided_us < $2",
        )
        .bind(span.from_us)
        .bind(span.to_us)
        .fetch_one(&self.readers)
        .await?;
        let count = |name: &str| row.try_get::<i64, _>(name).map(|n| n.max(0).unsigned_abs());
        Ok(DecisionFigures { decided: count("decided")?, attacks: count("attacks")?, mean_s: count("mean_s")? })
    }
}

/// The day of Viet Nam, in days since 1970.
fn day_of(at_us: i64) -> i64 {
    (at_us + 7 * HOUR_US).div_euclid(24 * HOUR_US)
}

/// The hour after the last one of a span; the hour under way counts.
fn last_hour(span: Span) -> i64 {
    (span.to_us + HOUR_US - 1).div_euclid(HOUR_US)
}

fn by_severity(rows: &[SqliteRow]) -> StoreResult<BTreeMap<String, u64>> {
    let mut counts: BTreeMap<String, u64> = super::sql::SEVERITIES.iter().map(|one| (wire_name(one), 0)).collect();
    for row in rows {
        let count: i64 = row.try_get("n")?;
        *counts.entry(wire_name(&severity_of(row.try_get("severity")?))).or_default() += count.unsigned_abs();
    }
    Ok(counts)
}
