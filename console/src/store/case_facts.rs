//! The fields of a case: from a row, changed as somebody wishes, back into the row.

use luytre_collector_api::{Agency, Severity};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::moment;
use super::audit::Detail;
use super::cases::{MAX_TEXT, MAX_TITLE, case_words, checked};
use super::sql::{agency, person, severity_number, severity_of};
use super::{Change, StoreError, StoreResult};
use crate::case_data::{CitedList, case_data};
use crate::clock;
use crate::model::{
    CaseFacts, CaseRow, CaseStatus, ChangeCase, Pap, Person, Priority, Review, Tlp, from_wire_name, wire_name,
};

/// How long the short texts of a case may be, in characters.
const MAX_LINE: usize = 2000;

/// The columns of a row, with names and numbers of other tables.
pub(super) fn row_sql(now_us: i64) -> String {
    format!(
        "SELECT c.*, c.opened_by AS opener_id, u.name AS opener_name, u.display_name AS opener_display, \
         l.name AS lead_name, l.display_name AS lead_display, \
         (SELECT COUNT(*) FROM alerts a WHERE a.case_id = c.id) AS alert_count, \
         (SELECT COUNT(*) FROM case_tasks t WHERE t.case_id = c.id AND t.state = 'open' AND t.is_check = 0) AS open_tasks, \
         (SELECT COUNT(*) FROM case_tasks t WHERE t.case_id = c.id AND t.state = 'open' AND t.is_check = 0 \
         AND t.due_us < {now_us}) AS overdue_tasks, \
         (SELECT MIN(t.due_us) FROM case_tasks t WHERE t.case_id = c.id AND t.state = 'open' AND t.is_check = 0) AS next_due \
         FROM cases c LEFT JOIN users u ON u.id = c.opened_by LEFT JOIN users l ON l.id = c.lead_id"
    )
}

/// The case of a row.
pub(super) fn case_row(row: &SqliteRow) -> Result<CaseRow, sqlx::Error> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let number = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(name)?.unsigned_abs());
    let time = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.map(clock::to_text));
    let priority: Option<String> = row.try_get("priority")?;
    Ok(CaseRow {
        id: text("id")?,
        number: row.try_get("number")?,
        title: text("title")?,
        severity: severity_of(row.try_get("severity")?),
        status: from_wire_name(&text("status")?).unwrap_or(CaseStatus::New),
        agency: agency(row)?,
        summary: text("summary")?,
        opened_by: person(row, "opener")?,
        opened_at: clock::to_text(row.try_get("opened_us")?),
        updated_at: clock::to_text(row.try_get("updated_us")?),
        alert_count: number("alert_count")?,
        priority: priority.and_then(|name| from_wire_name(&name)),
        lead: person(row, "lead")?,
        phase: row.try_get("phase")?,
        phase_since: time("phase_us")?,
        // A mark that is not understood (a newer database) is the strictest.
        tlp: from_wire_name(&text("tlp")?).unwrap_or(Tlp::Red),
        restricted: row.try_get("restricted")?,
        open_tasks: number("open_tasks")?,
        overdue_tasks: number("overdue_tasks")?,
        next_due: time("next_due")?,
        version: row.try_get("version")?,
    })
}

/// The facts of a row; what it was merged into is not among them.
pub(super) fn facts(row: &SqliteRow) -> Result<CaseFacts, sqlx::Error> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let time = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.map(clock::to_text));
    Ok(CaseFacts {
        pap: from_wire_name(&text("pap")?).unwrap_or(Pap::Red),
        template: row.try_get("template")?,
        national: row.try_get("national_row")?,
        rsit: row.try_get("rsit")?,
        internal: row.try_get("internal_group")?,
        detected_at: time("detected_us")?,
        occurred_at: time("occurred_us")?,
        handled_by: row.try_get("handled_by")?,
        helpers: text("helpers")?,
        damage_vnd: row.try_get("damage_vnd")?,
        damage_note: text("damage_note")?,
        review: serde_json::from_str::<Review>(&text("review")?).unwrap_or_default(),
        merged_into: None,
    })
}

/// What somebody wishes, laid over what is.
pub(super) fn apply(
    row: &mut CaseRow,
    facts: &mut CaseFacts,
    wish: &ChangeCase,
    agency: Option<Option<Agency>>,
    lead: Option<Option<Person>>,
) -> StoreResult<()> {
    if let Some(title) = &wish.title {
        row.title = checked("title", title, 1, MAX_TITLE)?;
    }
    if let Some(summary) = &wish.summary {
        row.summary = checked("summary", summary, 0, MAX_TEXT)?;
    }
    row.severity = wish.severity.unwrap_or(row.severity);
    row.status = wish.status.unwrap_or(row.status);
    row.tlp = wish.tlp.unwrap_or(row.tlp);
    facts.pap = wish.pap.unwrap_or(facts.pap);
    if let Some(agency) = agency {
        row.agency = agency;
    }
    if let Some(lead) = lead {
        row.lead = lead;
    }
    if let Some(priority) = &wish.priority {
        row.priority = match priority.as_str() {
            "" => None,
            name => Some(
                from_wire_name::<Priority>(name)
                    .ok_or_else(|| StoreError::invalid("priority", "use p1, p2, p3 or p4"))?,
            ),
        };
    }
    let data = case_data();
    choose("national", &wish.national, &data.national, &mut facts.national)?;
    choose("rsit", &wish.rsit, &data.rsit, &mut facts.rsit)?;
    choose("internal", &wish.internal, &data.internal, &mut facts.internal)?;
    choose("handled_by", &wish.handled_by, &data.handled, &mut facts.handled_by)?;
    if let Some(at) = &wish.detected_at {
        facts.detected_at = Some(clock::to_text(moment("detected_at", at)?));
    }
    match wish.occurred_at.as_deref() {
        None => {}
        Some("") => facts.occurred_at = None,
        Some(at) => facts.occurred_at = Some(clock::to_text(moment("occurred_at", at)?)),
    }
    if let Some(helpers) = &wish.helpers {
        facts.helpers = checked("helpers", helpers, 0, MAX_LINE)?;
    }
    if let Some(note) = &wish.damage_note {
        facts.damage_note = checked("damage_note", note, 0, MAX_LINE)?;
    }
    if let Some(damage) = wish.damage_vnd {
        facts.damage_vnd = (damage >= 0).then_some(damage);
    }
    if let Some(review) = &wish.review {
        facts.review = Review {
            cause: checked("review.cause", &review.cause, 0, MAX_TEXT)?,
            result: checked("review.result", &review.result, 0, MAX_TEXT)?,
            lessons: checked("review.lessons", &review.lessons, 0, MAX_TEXT)?,
            proposals: checked("review.proposals", &review.proposals, 0, MAX_TEXT)?,
        };
    }
    Ok(())
}

/// Chooses an entry of a list, or none.
fn choose(
    field: &'static str,
    wish: &Option<String>,
    list: &CitedList,
    chosen: &mut Option<String>,
) -> StoreResult<()> {
    match wish.as_deref() {
        None => {}
        Some("") => *chosen = None,
        Some(id) if list.has(id) => *chosen = Some(id.to_owned()),
        Some(_) => return Err(StoreError::invalid(field, "choose one of the list")),
    }
    Ok(())
}

/// The changed fields: what they were and what they are now. Long texts are only said to have changed, with the digest
/// of what they are now.
pub(super) fn differences(before: (&CaseRow, &CaseFacts), after: (&CaseRow, &CaseFacts)) -> Detail {
    let shown = |(row, facts): (&CaseRow, &CaseFacts)| -> Vec<(&'static str, String)> {
        let chosen = |id: &Option<String>| id.clone().unwrap_or_default();
        vec![
            ("title", row.title.clone()),
            ("severity", wire_name::<Severity>(&row.severity)),
            ("status", wire_name(&row.status)),
            ("agency", row.agency.as_ref().map(|a| a.name.clone()).unwrap_or_default()),
            ("priority", row.priority.as_ref().map(wire_name).unwrap_or_default()),
            ("lead", row.lead.as_ref().map(|p| p.display_name.clone()).unwrap_or_default()),
            ("tlp", wire_name(&row.tlp)),
            ("pap", wire_name(&facts.pap)),
            ("national", chosen(&facts.national)),
            ("rsit", chosen(&facts.rsit)),
            ("internal", chosen(&facts.internal)),
            ("handled_by", chosen(&facts.handled_by)),
            ("detected_at", chosen(&facts.detected_at)),
            ("occurred_at", chosen(&facts.occurred_at)),
            ("damage_vnd", facts.damage_vnd.map(|vnd| vnd.to_string()).unwrap_or_default()),
        ]
    };
    let mut what: Detail = shown(before)
        .into_iter()
        .zip(shown(after))
        .filter(|((_, b), (_, a))| b != a)
        .map(|((name, b), (_, a))| (name.to_owned(), format!("{b} → {a}")))
        .collect();
    let long = |(row, facts): (&CaseRow, &CaseFacts)| {
        let review = serde_json::to_string(&facts.review).unwrap_or_default();
        [
            ("summary", row.summary.clone()),
            ("helpers", facts.helpers.clone()),
            ("damage_note", facts.damage_note.clone()),
            ("review", review),
        ]
    };
    for ((name, b), (_, a)) in long(before).into_iter().zip(long(after)) {
        if b != a {
            what.insert(name.to_owned(), "changed".to_owned());
            what.insert(format!("{name}_sha256"), digest(&a));
        }
    }
    what
}

/// The SHA-256 of a text that people wrote, as the log keeps it.
pub(super) fn digest(text: &str) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

/// Writes the fields, if nobody has changed them since the version that was seen.
pub(super) async fn write(
    change: &mut Change,
    row: &CaseRow,
    facts: &CaseFacts,
    seen_version: i64,
    now_us: i64,
) -> StoreResult<bool> {
    let words = case_words(&row.title, &row.summary, row.agency.as_ref().map(|a| a.name.as_str()));
    let closed_us = (row.status == CaseStatus::Closed).then_some(now_us);
    let time = |at: &Option<String>| at.as_deref().and_then(clock::from_text);
    let done = sqlx::query(
        "UPDATE cases SET title = $1, severity = $2, status = $3, agency_id = $4, agency_name = $5, summary = $6, \
         updated_us = $7, closed_us = CASE WHEN $8 IS NULL THEN NULL ELSE COALESCE(closed_us, $8) END, words = $9, \
         priority = $10, lead_id = $11, tlp = $12, pap = $13, national_row = $14, rsit = $15, internal_group = $16, \
         detected_us = $17, occurred_us = $18, handled_by = $19, helpers = $20, damage_vnd = $21, damage_note = $22, \
         review = $23, version = version + 1, fields_version = version + 1 \
         WHERE id = $24 AND fields_version <= $25 AND version >= $25",
    )
    .bind(row.title.clone())
    .bind(severity_number(row.severity))
    .bind(wire_name(&row.status))
    .bind(row.agency.as_ref().map(|a| a.id.clone()))
    .bind(row.agency.as_ref().map(|a| a.name.clone()))
    .bind(row.summary.clone())
    .bind(now_us)
    .bind(closed_us)
    .bind(words)
    .bind(row.priority.as_ref().map(wire_name))
    .bind(row.lead.as_ref().map(|lead| lead.id.clone()))
    .bind(wire_name(&row.tlp))
    .bind(wire_name(&facts.pap))
    .bind(facts.national.clone())
    .bind(facts.rsit.clone())
    .bind(facts.internal.clone())
    .bind(time(&facts.detected_at))
    .bind(time(&facts.occurred_at))
    .bind(facts.handled_by.clone())
    .bind(facts.helpers.clone())
    .bind(facts.damage_vnd)
    .bind(facts.damage_note.clone())
    .bind(serde_json::to_string(&facts.review).unwrap_or_default())
    .bind(row.id.clone())
    .bind(seen_version)
    .execute(&mut **change)
    .await?;
    Ok(done.rows_affected() == 1)
}
