//! Cases: lists, one with everything in it, opening, changing. Whoever may not see a restricted case finds none.

use luytre_collector_api::Agency;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::moment;
use super::audit::{Actor, Detail, HistoryOf, audit, detail, history};
use super::case_facts::{apply, case_row, differences, digest, facts, row_sql, write};
use super::reach::{Reach, reaches, within_sql};
use super::sql::{Conditions, contains_pattern, cursor_parts, cursor_text, folded, page_size, person, severity_number};
use super::{Change, Store, StoreError, StoreResult, agency_notices, case_people, case_work, new_id};
use crate::case_data::case_data;
use crate::clock;
use crate::model::{
    CaseDetail, CaseFacts, CaseList, CaseNote, CaseQuery, CaseRow, CaseStatus, ChangeCase, NewCase, from_wire_name,
    wire_name,
};

/// How long a summary or a note may be, in characters.
pub const MAX_TEXT: usize = 20_000;

/// How long a title may be, in characters.
pub const MAX_TITLE: usize = 200;

impl Store {
    /// A page of the cases that somebody may see, newest first.
    pub async fn cases(&self, query: &CaseQuery, viewer: &str) -> StoreResult<CaseList> {
        let size = page_size(query.limit);
        let now_us = self.now_us();
        let count = filter(query, viewer, now_us)?;
        let count_sql = format!("SELECT COUNT(*) FROM cases c{}", count.clause());
        let total: i64 = sqlx::query_scalar_with(sqlx::AssertSqlSafe(count_sql), count.into_arguments())
            .fetch_one(&self.readers)
            .await?;
        let mut conditions = filter(query, viewer, now_us)?;
        if let Some(cursor) = &query.cursor {
            let before: i64 = cursor_parts(cursor, 1)?.concat().parse().unwrap_or(i64::MAX);
            conditions.add("c.number < ?", before)?;
        }
        let sql = format!("{}{} ORDER BY c.number DESC LIMIT {}", row_sql(now_us), conditions.clause(), size + 1);
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut items = rows.iter().map(case_row).collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > size as usize;
        items.truncate(size as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor_text(&[last.number.to_string()]));
        Ok(CaseList { items, total: total.unsigned_abs(), next_cursor })
    }

    /// A case with everything in it, as this person sees it.
    pub async fn case(&self, id: &str, viewer: &str) -> StoreResult<CaseDetail> {
        let (case, mut facts, merged_into) = self.case_head(id).await?;
        if !self.may_see_case(id, viewer).await? {
            return Err(StoreError::NotFound("case"));
        }
        if let Some(target) = merged_into {
            facts.merged_into = self.case_ref(&target, viewer).await?;
        }
        let notes = sqlx::query(
            "SELECT n.*, u.name AS by_name, u.display_name AS by_display FROM case_notes n \
             LEFT JOIN users u ON u.id = n.by_id WHERE n.case_id = $1 ORDER BY n.at_us, n.id LIMIT 1000",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        Ok(CaseDetail {
            facts,
            phases: self.case_phases(id).await?,
            tasks: self.case_tasks(id).await?,
            events: self.case_events(id).await?,
            observables: self.case_observables(id, viewer).await?,
            systems: self.case_systems(id).await?,
            members: self.case_members(id).await?,
            links: self.case_links(id, viewer).await?,
            evidence: self.case_evidence(id).await?,
            agency_notices: self.case_agency_notices(id).await?,
            alerts: self.case_alerts(id, viewer).await?,
            notes: notes.iter().map(note).collect::<Result<_, _>>()?,
            history: self.history_of(HistoryOf::Case, id).await?,
            case,
        })
    }

    /// The fields of a case, and what it was merged into.
    pub(super) async fn case_head(&self, id: &str) -> StoreResult<(CaseRow, CaseFacts, Option<String>)> {
        let sql = format!("{} WHERE c.id = $1", row_sql(self.now_us()));
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        let row = row.ok_or(StoreError::NotFound("case"))?;
        Ok((case_row(&row)?, facts(&row)?, row.try_get("merged_into")?))
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
        Ok((self.case(&id, actor.viewer()).await?, linked))
    }

    /// Changes a case; fields that were changed since the version that was seen are a conflict.
    pub async fn change_case(
        &self,
        id: &str,
        wish: &ChangeCase,
        agency: Option<Option<Agency>>,
        actor: &Actor,
    ) -> StoreResult<CaseDetail> {
        let (before, facts_before, merged_into) = self.case_head(id).await?;
        if merged_into.is_some() {
            return Err(merged());
        }
        let lead = match wish.lead_id.as_deref() {
            None => None,
            Some("") => Some(None),
            Some(user_id) => Some(Some(self.worker_of(id, "lead_id", user_id).await?)),
        };
        let new_lead = lead.clone().flatten().filter(|lead| Some(lead) != before.lead.as_ref());
        let (mut after, mut facts_after) = (before.clone(), facts_before.clone());
        apply(&mut after, &mut facts_after, wish, agency, lead)?;
        let mut what = differences((&before, &facts_before), (&after, &facts_after));
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        if after.status == CaseStatus::Closed && before.status != CaseStatus::Closed {
            let waiting = agency_notices::waiting_for(&mut change, id).await?;
            what.extend(waiting.map(|names| ("unanswered".to_owned(), names)));
        }
        if after.agency != before.agency {
            refuse_out_of_reach(&mut change, after.agency.as_ref().map(|agency| agency.id.as_str()), actor).await?;
        }
        // The version is compared where it is written: two who read the same one cannot both pass.
        if !write(&mut change, &after, &facts_after, wish.version, now_us).await? {
            drop(change);
            return Err(self.case_conflict(id, actor).await?);
        }
        if !what.is_empty() {
            let shown: Detail = what.iter().filter(|(name, _)| !name.ends_with("_sha256")).map(pair).collect();
            history(&mut change, now_us, HistoryOf::Case, id, actor.user_id.as_deref(), "changed", &shown).await?;
        }
        audit(&mut change, now_us, actor, "case.changed", &format!("case:{id}"), &what).await?;
        if let Some(lead) = new_lead {
            case_people::told_of(&mut change, &lead.id, "lead", id, actor, now_us).await?;
        }
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    /// The answer to somebody who saw an older version.
    pub(super) async fn case_conflict(&self, id: &str, actor: &Actor) -> StoreResult<StoreError> {
        let current = self.case(id, actor.viewer()).await?;
        Ok(StoreError::Conflict(Box::new(serde_json::to_value(current).unwrap_or_default())))
    }

    /// Adds a note; who is named with `@` is told.
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
        let note_id = new_id();
        let what = detail([("note_id", &note_id), ("note_sha256", &digest(&text))]);
        case_people::tell_mentioned(&mut change, id, &text, actor, now_us).await?;
        sqlx::query("INSERT INTO case_notes (id, case_id, at_us, by_id, text) VALUES ($1, $2, $3, $4, $5)")
            .bind(note_id)
            .bind(id)
            .bind(now_us)
            .bind(actor.user_id.clone())
            .bind(text)
            .execute(&mut *change)
            .await?;
        history(&mut change, now_us, HistoryOf::Case, id, actor.user_id.as_deref(), "noted", &Detail::new()).await?;
        audit(&mut change, now_us, actor, "case.noted", &format!("case:{id}"), &what).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
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
        Ok((self.case(id, actor.viewer()).await?, changed))
    }
}

fn pair((name, value): (&String, &String)) -> (String, String) {
    (name.clone(), value.clone())
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
    let template = match new.template.as_deref().filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => {
            let known = case_data().templates.iter().find(|template| template.id == id);
            Some(known.ok_or_else(|| StoreError::invalid("template", "choose one of the list"))?)
        }
    };
    let id = new_id();
    let agency = match (agency, &actor.reach) {
        (None, Reach::Agency(own)) => {
            let name = sqlx::query_scalar("SELECT name FROM agencies WHERE id = $1").bind(own.clone());
            Some((own.clone(), name.fetch_one(&mut **change).await?))
        }
        (agency, _) => agency,
    };
    let (agency_id, agency_name) = agency.unzip();
    refuse_out_of_reach(change, agency_id.as_deref(), actor).await?;
    let words = case_words(&title, &summary, agency_name.as_deref());
    let number: i64 =
        sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) + 1 FROM cases").fetch_one(&mut **change).await?;
    sqlx::query(
        "INSERT INTO cases (id, number, title, severity, status, agency_id, agency_name, summary, opened_by, opened_us, \
         updated_us, version, fields_version, words, detected_us, template, restricted) \
         VALUES ($1, $2, $3, $4, 'new', $5, $6, $7, $8, $9, $9, 1, 1, $10, $9, $11, $12)",
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
    .bind(template.map(|template| template.id.clone()))
    .bind(new.restricted)
    .execute(&mut **change)
    .await?;
    if new.restricted {
        let user_id = actor.user_id.as_deref().ok_or(StoreError::NotFound("user"))?;
        case_people::add_member(change, &id, user_id, actor, now_us).await?;
    }
    if let Some(template) = template {
        case_work::add_template(change, &id, template, actor, now_us).await?;
    }
    let template = template.map(|template| template.id.clone()).unwrap_or_default();
    let mut what = detail([("title", &title), ("severity", &wire_name(&new.severity)), ("template", &template)]);
    history(change, now_us, HistoryOf::Case, &id, actor.user_id.as_deref(), "opened", &what).await?;
    if new.restricted {
        // The log is read by more people than the case is.
        what.remove("title");
        what.insert("restricted".to_owned(), "true".to_owned());
    }
    audit(change, now_us, actor, "case.opened", &format!("case:{id}"), &what).await?;
    Ok(id)
}

/// Nobody gives a case to an agency that they do not reach: they would not see it any more.
async fn refuse_out_of_reach(change: &mut Change, agency_id: Option<&str>, actor: &Actor) -> StoreResult<()> {
    if reaches(change, &actor.reach, agency_id).await? {
        return Ok(());
    }
    Err(StoreError::invalid("agency_id", "name an agency that you look after"))
}

/// Marks a case as worked on; refuses where no work goes on.
pub(super) async fn work_on(change: &mut Change, id: &str, now_us: i64) -> StoreResult<()> {
    let row = sqlx::query("SELECT status, merged_into FROM cases WHERE id = $1")
        .bind(id.to_owned())
        .fetch_optional(&mut **change)
        .await?
        .ok_or(StoreError::NotFound("case"))?;
    if row.try_get::<Option<String>, _>("merged_into")?.is_some() {
        return Err(merged());
    }
    if row.try_get::<String, _>("status")? == "closed" {
        return Err(StoreError::refused("case_closed", "the case is closed; open it again first"));
    }
    sqlx::query("UPDATE cases SET updated_us = $1, version = version + 1 WHERE id = $2")
        .bind(now_us)
        .bind(id.to_owned())
        .execute(&mut **change)
        .await?;
    Ok(())
}

fn merged() -> StoreError {
    StoreError::refused("case_merged", "the case became part of another one; work goes on there")
}

/// Writes into history and log what was done in a case.
pub(super) async fn tell(
    change: &mut Change,
    id: &str,
    action: &str,
    what: &Detail,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    history(change, now_us, HistoryOf::Case, id, actor.user_id.as_deref(), action, what).await?;
    audit(change, now_us, actor, &format!("case.{action}"), &format!("case:{id}"), what).await
}

pub(super) fn checked(field: &'static str, text: &str, min: usize, max: usize) -> StoreResult<String> {
    let text = text.trim();
    if (min..=max).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(StoreError::invalid(field, format!("use {min} to {max} characters")))
}

pub(super) fn case_words(title: &str, summary: &str, agency: Option<&str>) -> String {
    folded(&format!("{title} {summary} {}", agency.unwrap_or_default()))
}

/// Cases `c` that somebody may see, `place` being the user's id: not restricted or naming them, and of an agency that they
/// reach.
pub(super) fn visible(place: &str) -> String {
    let within = within_sql("c.agency_id", place);
    format!(
        "((c.restricted = 0 OR EXISTS (SELECT 1 FROM case_members m WHERE m.case_id = c.id AND m.user_id = {place})) \
         AND {within})"
    )
}

fn filter(query: &CaseQuery, viewer: &str, now_us: i64) -> StoreResult<Conditions> {
    let mut conditions = Conditions::default();
    let place = conditions.bind(viewer.to_owned())?;
    conditions.add_plain(visible(&place));
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
    if let Some(lead) = query.lead.as_deref().filter(|id| !id.is_empty()) {
        conditions.add("c.lead_id = ?", lead.to_owned())?;
    }
    if let Some(agency) = query.agency.as_deref().filter(|id| !id.is_empty()) {
        conditions.add("c.agency_id = ?", agency.to_owned())?;
    }
    if let Some(group) = query.group.as_deref().filter(|id| !id.is_empty()) {
        conditions.add("c.internal_group = ?", group.to_owned())?;
    }
    if query.overdue == Some(true) {
        conditions.add(
            "EXISTS (SELECT 1 FROM case_tasks t WHERE t.case_id = c.id AND t.state = 'open' AND t.is_check = 0 \
             AND t.due_us < ?)",
            now_us,
        )?;
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
