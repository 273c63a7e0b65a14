//! Cases beside each other: links, cases that are alike, a case that becomes part of another.

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, HistoryOf, detail, history};
use super::cases::{tell, visible, work_on};
use super::sql::severity_of;
use super::{Store, StoreError, StoreResult};
use crate::model::{CaseDetail, CaseRef, CaseStatus, SimilarCases, from_wire_name};

/// How many cases one may be linked with.
pub const MAX_LINKS: i64 = 100;

impl Store {
    /// A case in short, if somebody may see it.
    pub(super) async fn case_ref(&self, id: &str, viewer: &str) -> StoreResult<Option<CaseRef>> {
        let sql = format!(
            "SELECT c.id, c.number, c.title, c.severity, c.status FROM cases c WHERE c.id = $1 AND {}",
            visible("$2")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(viewer).fetch_optional(&self.readers).await?;
        Ok(row.map(|row| case_ref(&row)).transpose()?)
    }

    pub(super) async fn case_links(&self, id: &str, viewer: &str) -> StoreResult<Vec<CaseRef>> {
        let sql = format!(
            "SELECT c.id, c.number, c.title, c.severity, c.status FROM cases c WHERE c.id IN (SELECT other_id FROM case_links \
             WHERE case_id = $1 UNION SELECT case_id FROM case_links WHERE other_id = $1) AND {} ORDER BY c.number DESC",
            visible("$2")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(viewer).fetch_all(&self.readers).await?;
        case_refs(&rows)
    }

    /// Links two cases; both tell it.
    pub async fn link_case(&self, id: &str, other: &str, actor: &Actor) -> StoreResult<CaseDetail> {
        if id == other {
            return Err(StoreError::invalid("case_id", "choose another case"));
        }
        let there = self.case_ref(other, actor.viewer()).await?.ok_or(StoreError::NotFound("case"))?;
        let here = self.case_ref(id, actor.viewer()).await?.ok_or(StoreError::NotFound("case"))?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM case_links WHERE case_id = $1")
            .bind(id)
            .fetch_one(&mut *change)
            .await?;
        if count >= MAX_LINKS {
            return Err(StoreError::refused(
                "case_full",
                format!("the case has {MAX_LINKS} of these, which is the limit"),
            ));
        }
        // One row for a pair, whichever way it was linked.
        let (first, second) = if id < other { (id, other) } else { (other, id) };
        let done = sqlx::query(
            "INSERT INTO case_links (case_id, other_id, at_us, by_id) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (case_id, other_id) DO NOTHING",
        )
        .bind(first)
        .bind(second)
        .bind(now_us)
        .bind(actor.user_id.clone())
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 1 {
            let number = |case: &CaseRef| detail([("case_number", &case.number.to_string())]);
            tell(&mut change, id, "case_linked", &number(&there), actor, now_us).await?;
            let by = actor.user_id.as_deref();
            history(&mut change, now_us, HistoryOf::Case, other, by, "case_linked", &number(&here)).await?;
            change.commit().await?;
        }
        self.case(id, actor.viewer()).await
    }

    /// Takes a link away.
    pub async fn unlink_case(&self, id: &str, other: &str, actor: &Actor) -> StoreResult<CaseDetail> {
        let there = self.case_ref(other, actor.viewer()).await?.ok_or(StoreError::NotFound("case"))?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let done = sqlx::query(
            "DELETE FROM case_links WHERE (case_id = $1 AND other_id = $2) OR (case_id = $2 AND other_id = $1)",
        )
        .bind(id)
        .bind(other)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound("link"));
        }
        let what = detail([("case_number", &there.number.to_string())]);
        tell(&mut change, id, "case_unlinked", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    /// Makes a case part of another: its alerts and observables go there, its notes, tasks and evidence stay where they
    /// were written and can be read there. The case is closed. This is not taken back by itself.
    pub async fn merge_case(&self, id: &str, into: &str, version: i64, actor: &Actor) -> StoreResult<CaseDetail> {
        if id == into {
            return Err(StoreError::invalid("into", "choose another case"));
        }
        let target = self.case_ref(into, actor.viewer()).await?.ok_or(StoreError::NotFound("case"))?;
        let source = self.case_ref(id, actor.viewer()).await?.ok_or(StoreError::NotFound("case"))?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        work_on(&mut change, into, now_us).await?;
        let closed = sqlx::query(
            "UPDATE cases SET status = 'closed', closed_us = $1, merged_into = $2, fields_version = version \
             WHERE id = $3 AND fields_version <= $4",
        )
        .bind(now_us)
        .bind(into)
        .bind(id)
        .bind(version)
        .execute(&mut *change)
        .await?;
        if closed.rows_affected() == 0 {
            drop(change);
            return Err(self.case_conflict(id, actor).await?);
        }
        let by = actor.user_id.as_deref();
        let moved: Vec<String> = sqlx::query_scalar("SELECT id FROM alerts WHERE case_id = $1 ORDER BY number")
            .bind(id)
            .fetch_all(&mut *change)
            .await?;
        sqlx::query("UPDATE alerts SET case_id = $1, version = version + 1 WHERE case_id = $2")
            .bind(into)
            .bind(id)
            .execute(&mut *change)
            .await?;
        let to = detail([("case_id", into), ("case_number", &target.number.to_string())]);
        for alert in &moved {
            history(&mut change, now_us, HistoryOf::Alert, alert, by, "escalated", &to).await?;
        }
        sqlx::query(
            "INSERT INTO case_observables (id, case_id, kind, value, note, origin, at_us, by_id) \
             SELECT o.id || '+' || $1, $1, o.kind, o.value, o.note, o.origin, o.at_us, o.by_id FROM case_observables o \
             WHERE o.case_id = $2 ON CONFLICT (case_id, kind, value) DO NOTHING",
        )
        .bind(into)
        .bind(id)
        .execute(&mut *change)
        .await?;
        let alerts = moved.len().to_string();
        let what = detail([("case_number", &target.number.to_string()), ("alerts", &alerts)]);
        tell(&mut change, id, "merged", &what, actor, now_us).await?;
        let what = detail([("case_number", &source.number.to_string()), ("alerts", &alerts)]);
        tell(&mut change, into, "took_in", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(into, actor.viewer()).await
    }

    /// Cases that share observables or rules with this one, the most alike first.
    pub async fn similar_cases(&self, id: &str, viewer: &str) -> StoreResult<SimilarCases> {
        let visible = visible("$2");
        let by_observables = format!(
            "SELECT c.id, c.number, c.title, c.severity, c.status, COUNT(*) AS n FROM case_observables o \
             JOIN case_observables b ON b.kind = o.kind AND b.value = o.value AND b.case_id <> o.case_id \
             JOIN cases c ON c.id = b.case_id WHERE o.case_id = $1 AND {visible} \
             GROUP BY c.id, c.number, c.title, c.severity, c.status ORDER BY n DESC, c.number DESC LIMIT 50"
        );
        let by_rules = format!(
            "SELECT c.id, c.number, c.title, c.severity, c.status, COUNT(DISTINCT b.rule_id) AS n \
             FROM (SELECT DISTINCT rule_id FROM alerts WHERE case_id = $1) a \
             JOIN alerts b ON b.rule_id = a.rule_id AND b.case_id IS NOT NULL AND b.case_id <> $1 \
             JOIN cases c ON c.id = b.case_id WHERE {visible} \
             GROUP BY c.id, c.number, c.title, c.severity, c.status ORDER BY n DESC, c.number DESC LIMIT 50"
        );
        let mut found: BTreeMap<String, CaseRef> = BTreeMap::new();
        for (sql, rules) in [(by_observables, false), (by_rules, true)] {
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).bind(viewer).fetch_all(&self.readers).await?;
            for row in &rows {
                let case = case_ref(row)?;
                let shared = row.try_get::<i64, _>("n")?.unsigned_abs();
                let known = found.entry(case.id.clone()).or_insert(case);
                if rules {
                    known.shared_rules = shared;
                } else {
                    known.shared_observables = shared;
                }
            }
        }
        let mut items: Vec<CaseRef> = found.into_values().collect();
        // A shared address or hash says more than a shared rule.
        items.sort_by_key(|case| std::cmp::Reverse((case.shared_observables * 3 + case.shared_rules, case.number)));
        items.truncate(10);
        Ok(SimilarCases { items })
    }
}

pub(super) fn case_refs(rows: &[SqliteRow]) -> StoreResult<Vec<CaseRef>> {
    Ok(rows.iter().map(case_ref).collect::<Result<_, _>>()?)
}

fn case_ref(row: &SqliteRow) -> Result<CaseRef, sqlx::Error> {
    let status: String = row.try_get("status")?;
    Ok(CaseRef {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        title: row.try_get("title")?,
        severity: severity_of(row.try_get("severity")?),
        status: from_wire_name(&status).unwrap_or(CaseStatus::New),
        shared_observables: 0,
        shared_rules: 0,
    })
}
