//! Cases.

use luytre_collector_api::{Agency, Severity};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::moment;
use super::audit::{Actor, Detail, HistoryOf, audit, detail, history};
use super::sql::{
    Conditions, agency, contains_pattern, cursor_parts, cursor_text, folded, page_size, person, severity_number,
    severity_of,
};
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{
    CaseDetail, CaseList, CaseNote, CaseQuery, CaseRow, CaseStatus, ChangeCase, NewCase, from_wire_name, wire_name,
};

/// The columns of a row, with the opener's names and the number of alerts.
const ROW: &str = "SELECT c.*, c.opened_by AS opener_id, u.name AS opener_name, u.display_name AS opener_display, \
    (SELECT COUNT(*) FROM alerts a WHERE a.case_id = c.id) AS alert_count \
    FROM cases c LEFT JOIN users u ON u.id = c.opened_by";

/// How long a summary or a note may be, in characters.
pub const MAX_TEXT: usize = 20_000;

/// How long a title may be, in characters.
pub const MAX_TITLE: usize = 200;

impl Store {
    /// A page of cases, newest first.
    pub async fn cases(&self, query: &CaseQuery) -> StoreResult<CaseList> {
        let size = page_size(query.limit);
        let count = filter(query)?;
        let count_sql = format!("SELECT COUNT(*) FROM cases c{}", count.clause());
        let total: i64 = sqlx::query_scalar_with(sqlx::AssertSqlSafe(count_sql), count.into_arguments())
            .fetch_one(&self.readers)
            .await?;
        let mut conditions = filter(query)?;
        if let Some(cursor) = &query.cursor {
            let before: i64 = cursor_parts(cursor, 1)?.concat().parse().unwrap_or(i64::MAX);
            conditions.add("c.number < ?", before)?;
        }
        let sql = format!("{ROW}{} ORDER BY c.number DESC LIMIT {}", conditions.clause(), size + 1);
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut items = rows.iter().map(case_row).collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > size as usize;
        items.truncate(size as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor_text(&[last.number.to_string()]));
        Ok(CaseList { items, total: total.unsigned_abs(), next_cursor })
    }

    /// A case with everything in it.
    pub async fn case(&self, id: &str) -> StoreResult<CaseDetail> {
        let sql = format!("{ROW} WHERE c.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        let case = row.map(|row| case_row(&row)).transpose()?.ok_or(StoreError::NotFound("case"))?;
        let notes = sqlx::query(
            "SELECT n.*, u.name AS by_name, u.display_name AS by_display FROM case_notes n \
             LEFT JOIN users u ON u.id = n.by_id WHERE n.case_id = $1 ORDER BY n.at_us, n.id LIMIT 1000",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        Ok(CaseDetail {
            case,
            alerts: self.case_alerts(id).await?,
            notes: notes.iter().map(note).collect::<Result<_, _>>()?,
            history: self.history_of(HistoryOf::Case, id).await?,
        })
    }

    /// Opens a case with its first alerts, all in one step; answers the case and the alerts that changed.
    pub async fn open_case(
        &self,
        new: &NewCase,
        agency: Option<Agency>,
        actor: &Actor,
    ) -> StoreResult<(CaseDetail, Vec<String>)> {
        let mut change = self.begin().await?;
        let agency = agency.map(|a| (a.id, a.name));
        let id = insert_case(&mut change, new, agency, actor, self.now_us()).await?;
        let linked = self.escalate_all(&mut change, &new.alert_ids, &id, actor).await?;
        change.commit().await?;
        Ok((self.case(&id).await?, linked))
    }

    /// Changes a case; a version that is not the newest is a conflict.
    pub async fn change_case(
        &self,
        id: &str,
        wish: &ChangeCase,
        agency: Option<Option<Agency>>,
        actor: &Actor,
    ) -> StoreResult<CaseDetail> {
        let before = self.case(id).await?.case;
        let mut after = before.clone();
        if let Some(title) = &wish.title {
            after.title = checked("title", title, 1, MAX_TITLE)?;
        }
        if let Some(summary) = &wish.summary {
            after.summary = checked("summary", summary, 0, MAX_TEXT)?;
        }
        after.severity = wish.severity.unwrap_or(before.severity);
        after.status = wish.status.unwrap_or(before.status);
        if let Some(agency) = agency {
            after.agency = agency;
        }
        let what = differences(&before, &after);
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        // The version is compared where it is written: two who read the same one cannot both pass.
        let changed = write_case(&mut change, &after, wish.version, now_us).await?;
        if !changed {
            drop(change);
            let current = self.case(id).await?;
            return Err(StoreError::Conflict(Box::new(serde_json::to_value(current).unwrap_or_default())));
        }
        if !what.is_empty() {
            history(&mut change, now_us, HistoryOf::Case, id, actor.user_id.as_deref(), "changed", &what).await?;
        }
        audit(&mut change, now_us, actor, "case.changed", &format!("case:{id}"), &what).await?;
        change.commit().await?;
        self.case(id).await
    }

    /// Adds a note.
    pub async fn add_note(&self, id: &str, text: &str, actor: &Actor) -> StoreResult<CaseDetail> {
        let text = checked("text", text, 1, MAX_TEXT)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let touched = sqlx::query("UPDATE cases SET updated_us = $1, version = version + 1 WHERE id = $2")
            .bind(now_us)
            .bind(id)
            .execute(&mut *change)
            .await?;
        if touched.rows_affected() == 0 {
            return Err(StoreError::NotFound("case"));
        }
        sqlx::query("INSERT INTO case_notes (id, case_id, at_us, by_id, text) VALUES ($1, $2, $3, $4, $5)")
            .bind(new_id())
            .bind(id)
            .bind(now_us)
            .bind(actor.user_id.clone())
            .bind(text)
            .execute(&mut *change)
            .await?;
        history(&mut change, now_us, HistoryOf::Case, id, actor.user_id.as_deref(), "noted", &Detail::new()).await?;
        audit(&mut change, now_us, actor, "case.noted", &format!("case:{id}"), &Detail::new()).await?;
        change.commit().await?;
        self.case(id).await
    }

    /// Makes alerts part of a case, all of them or none; answers the case and the alerts that changed.
    pub async fn link_alerts(
        &self,
        id: &str,
        alerts: &[String],
        actor: &Actor,
    ) -> StoreResult<(CaseDetail, Vec<String>)> {
        let mut change = self.begin().await?;
        let changed = self.escalate_all(&mut change, alerts, id, actor).await?;
        change.commit().await?;
        Ok((self.case(id).await?, changed))
    }
}

/// Inserts a case and answers its id.
pub(super) async fn insert_case(
    change: &mut Change,
    new: &NewCase,
    agency: Option<(String, String)>,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<String> {
    let title = checked("title", &new.title, 1, MAX_TITLE)?;
    let summary = checked("summary", new.summary.as_deref().unwrap_or_default(), 0, MAX_TEXT)?;
    let id = new_id();
    let (agency_id, agency_name) = agency.unzip();
    let words = case_words(&title, &summary, agency_name.as_deref());
    let number: i64 =
        sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) + 1 FROM cases").fetch_one(&mut **change).await?;
    sqlx::query(
        "INSERT INTO cases (id, number, title, severity, status, agency_id, agency_name, summary, opened_by, opened_us, \
         updated_us, version, words) VALUES ($1, $2, $3, $4, 'new', $5, $6, $7, $8, $9, $9, 1, $10)",
    )
    .bind(id.clone())
    .bind(number)
    .bind(title.clone())
    .bind(severity_number(new.severity))
    .bind(agency_id)
    .bind(agency_name)
    .bind(summary)
    .bind(actor.user_id.clone())
    .bind(now_us)
    .bind(words)
    .execute(&mut **change)
    .await?;
    let what = detail([("title", &title), ("severity", &wire_name(&new.severity))]);
    history(change, now_us, HistoryOf::Case, &id, actor.user_id.as_deref(), "opened", &what).await?;
    audit(change, now_us, actor, "case.opened", &format!("case:{id}"), &what).await?;
    Ok(id)
}

async fn write_case(change: &mut Change, case: &CaseRow, seen_version: i64, now_us: i64) -> StoreResult<bool> {
    let words = case_words(&case.title, &case.summary, case.agency.as_ref().map(|a| a.name.as_str()));
    let closed_us = (case.status == CaseStatus::Closed).then_some(now_us);
    let done = sqlx::query(
        "UPDATE cases SET title = $1, severity = $2, status = $3, agency_id = $4, agency_name = $5, summary = $6, \
         updated_us = $7, closed_us = CASE WHEN $8 IS NULL THEN NULL ELSE COALESCE(closed_us, $8) END, words = $9, \
         version = version + 1 WHERE id = $10 AND version = $11",
    )
    .bind(case.title.clone())
    .bind(severity_number(case.severity))
    .bind(wire_name(&case.status))
    .bind(case.agency.as_ref().map(|a| a.id.clone()))
    .bind(case.agency.as_ref().map(|a| a.name.clone()))
    .bind(case.summary.clone())
    .bind(now_us)
    .bind(closed_us)
    .bind(words)
    .bind(case.id.clone())
    .bind(seen_version)
    .execute(&mut **change)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The changed fields and what they are now.
fn differences(before: &CaseRow, after: &CaseRow) -> Detail {
    let severity = |s: Severity| wire_name(&s);
    let agency = |a: &Option<Agency>| a.as_ref().map(|a| a.name.clone()).unwrap_or_default();
    let all = [
        ("title", before.title.clone(), after.title.clone()),
        ("severity", severity(before.severity), severity(after.severity)),
        ("status", wire_name(&before.status), wire_name(&after.status)),
        ("agency", agency(&before.agency), agency(&after.agency)),
    ];
    let mut what: Detail = all
        .into_iter()
        .filter(|(_, b, a)| b != a)
        .map(|(name, b, a)| (name.to_owned(), format!("{b} → {a}")))
        .collect();
    if before.summary != after.summary {
        what.insert("summary".to_owned(), "changed".to_owned());
    }
    what
}

fn checked(field: &'static str, text: &str, min: usize, max: usize) -> StoreResult<String> {
    let text = text.trim();
    if (min..=max).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(StoreError::invalid(field, format!("use {min} to {max} characters")))
}

fn case_words(title: &str, summary: &str, agency: Option<&str>) -> String {
    folded(&format!("{title} {summary} {}", agency.unwrap_or_default()))
}

fn filter(query: &CaseQuery) -> StoreResult<Conditions> {
    let mut conditions = Conditions::default();
    match query.status.as_deref().unwrap_or("all") {
        "all" => {}
        "active" => conditions.add_plain("c.status <> 'closed'".to_owned()),
        status => {
            let status: CaseStatus =
                from_wire_name(status).ok_or_else(|| StoreError::invalid("status", "use a status, active or all"))?;
            conditions.add("c.status = ?", wire_name(&status))?;
        }
    }
    for word in query.text.as_deref().unwrap_or_default().split_whitespace().take(8) {
        match word.trim_start_matches('#').parse::<i64>() {
            Ok(number) => conditions.add("c.number = ?", number)?,
            Err(_) => conditions.add("c.words LIKE ? ESCAPE '\\'", contains_pattern(&folded(word)))?,
        }
    }
    if let Some(from) = &query.from {
        conditions.add("c.opened_us >= ?", moment("from", from)?)?;
    }
    if let Some(to) = &query.to {
        conditions.add("c.opened_us < ?", moment("to", to)?)?;
    }
    Ok(conditions)
}

fn note(row: &SqliteRow) -> Result<CaseNote, sqlx::Error> {
    Ok(CaseNote {
        id: row.try_get("id")?,
        at: clock::to_text(row.try_get("at_us")?),
        by: person(row, "by")?,
        text: row.try_get("text")?,
    })
}

fn case_row(row: &SqliteRow) -> Result<CaseRow, sqlx::Error> {
    let status: String = row.try_get("status")?;
    let alert_count: i64 = row.try_get("alert_count")?;
    Ok(CaseRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        title: row.try_get("title")?,
        severity: severity_of(row.try_get("severity")?),
        status: from_wire_name(&status).unwrap_or(CaseStatus::New),
        agency: agency(row)?,
        summary: row.try_get("summary")?,
        opened_by: person(row, "opener")?,
        opened_at: clock::to_text(row.try_get("opened_us")?),
        updated_at: clock::to_text(row.try_get("updated_us")?),
        alert_count: alert_count.unsigned_abs(),
        version: row.try_get("version")?,
    })
}
