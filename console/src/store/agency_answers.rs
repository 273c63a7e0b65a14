//! Notices to agencies, the agency's side: what it has to do, and what its people answer. Whether the caller reaches a
//! notice at all is looked at by the guard. An agency sees what was addressed to it and nothing else of a case.

use luytre_collector_api::Agency;

use super::agency_notices::{
    MAX_WORDS, MISSING, ROW, Said, Standing, notice, open, say, standing, tell_leaders, touch,
};
use super::alert_filter::moment;
use super::audit::Actor;
use super::cases::{MAX_TITLE, checked, tell};
use super::reach::Reach;
use super::sql::Conditions;
use super::{Change, Store, StoreError, StoreResult};
use crate::model::{AgencyNotice, AgencyNoticeState, AgencyWorkRow, EntryKind, NewRemediation};

/// How many notices an agency's list names.
const MAX_LISTED: u32 = 200;
/// A moment that was meant to be now may lie so far in the future: clocks differ.
const SLACK_US: i64 = 300_000_000;

/// What an agency does with a notice.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// It confirms that it has it.
    Confirm,
    /// It answers in words.
    Words(&'a str),
    /// It reports what was done.
    Remediation(&'a NewRemediation),
}

impl Store {
    /// What was sent to agencies within reach: what is missing something first, those that are due first before the
    /// others; and how many there are.
    pub async fn agency_work(&self, reach: &Reach) -> StoreResult<(Vec<AgencyWorkRow>, u64)> {
        let conditions = || -> StoreResult<Conditions> {
            let mut conditions = Conditions::default();
            conditions.add_plain("n.state <> 'draft'".to_owned());
            reach.narrow(&mut conditions, "n.agency_id")?;
            Ok(conditions)
        };
        let count = conditions()?;
        let sql = format!("SELECT COUNT(*) FROM agency_notices n{}", count.clause());
        let total: i64 =
            sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), count.into_arguments()).fetch_one(&self.readers).await?;
        let listed = conditions()?;
        let sql = format!(
            "{ROW}{} ORDER BY CASE WHEN n.state = 'sent' AND {MISSING} THEN 0 ELSE 1 END, \
             CASE WHEN n.state = 'sent' AND {MISSING} THEN COALESCE(n.due_us, {}) ELSE 0 END, n.sent_us DESC, n.id \
             LIMIT {MAX_LISTED}",
            listed.clause(),
            i64::MAX
        );
        let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), listed.into_arguments()).fetch_all(&self.readers).await?;
        let now_us = self.now_us();
        let row = |row| notice(row, now_us).map(row_of);
        Ok((rows.iter().map(row).collect::<Result<_, _>>()?, total.unsigned_abs()))
    }

    /// A notice as the agency sees it; a draft is none.
    pub async fn agency_notice_received(&self, id: &str) -> StoreResult<AgencyNotice> {
        let (mut notice, _) = self.agency_notice(id).await?;
        if notice.state == AgencyNoticeState::Draft {
            return Err(StoreError::NotFound("notice"));
        }
        for file in &mut notice.files {
            file.scan = None;
            file.matches.clear();
            file.problem.clear();
        }
        Ok(notice)
    }

    /// The agency an agency's user belongs to.
    pub async fn own_agency(&self, reach: &Reach) -> StoreResult<Option<Agency>> {
        let Reach::Agency(id) = reach else { return Ok(None) };
        Ok(self.agency_name(id).await?.map(|name| Agency { id: id.clone(), name }))
    }

    /// The agency answers; whoever does so has the notice, so that this is noted as well. Answers the case and its version.
    pub async fn answer_agency_notice(
        &self,
        id: &str,
        answer: Answer<'_>,
        actor: &Actor,
    ) -> StoreResult<(String, i64)> {
        let now_us = self.now_us();
        let (said, column, action) = match answer {
            Answer::Confirm => (None, "confirmed_us", "agency_confirmed"),
            Answer::Words(text) => {
                let text = checked("text", text, 1, MAX_WORDS)?;
                (Some((EntryKind::Answer, text, None, String::new())), "answered_us", "agency_answered")
            }
            Answer::Remediation(wish) => {
                let text = checked("text", &wish.text, 1, MAX_WORDS)?;
                let done_by = checked("done_by", &wish.done_by, 1, MAX_TITLE)?;
                let done_us = moment("done_at", &wish.done_at)?;
                if done_us > now_us + SLACK_US {
                    return Err(StoreError::invalid("done_at", "choose a moment that has passed"));
                }
                let said = (EntryKind::Remediation, text, Some(done_us), done_by);
                (Some(said), "remediated_us", "agency_remediated")
            }
        };
        let mut change = self.begin().await?;
        let standing = received(&mut change, id).await?;
        let is_new = confirm(&mut change, id, &standing, actor, now_us).await?;
        if let Some((kind, text, done_us, done_by)) = &said {
            let said = Said { kind: *kind, text, from_agency: true, done_us: *done_us, done_by };
            say(&mut change, id, &said, actor, now_us).await?;
            let sql = format!("UPDATE agency_notices SET {column} = COALESCE({column}, $1) WHERE id = $2");
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now_us).bind(id).execute(&mut *change).await?;
        } else if !is_new {
            // Confirmed before, by them or a colleague: nothing happens twice.
            drop(change);
            let (case, _, _) = self.case_head(&standing.case_id).await?;
            return Ok((standing.case_id, case.version));
        }
        if said.is_some() {
            tell(&mut change, &standing.case_id, action, &standing.what(), actor, now_us).await?;
        }
        tell_leaders(&mut change, &standing, actor, now_us).await?;
        let version = touch(&mut change, &standing.case_id, now_us).await?;
        change.commit().await?;
        Ok((standing.case_id, version))
    }
}

/// Where a notice stands that an agency wants to answer; a draft is none for it.
pub(super) async fn received(change: &mut Change, id: &str) -> StoreResult<Standing> {
    let standing = standing(change, id).await?;
    if standing.state == "draft" {
        return Err(StoreError::NotFound("notice"));
    }
    open(&standing)?;
    Ok(standing)
}

/// Notes who of the agency had the notice first; answers whether that is new.
pub(super) async fn confirm(
    change: &mut Change,
    id: &str,
    standing: &Standing,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<bool> {
    if standing.confirmed {
        return Ok(false);
    }
    sqlx::query("UPDATE agency_notices SET confirmed_us = $1, confirmed_by = $2 WHERE id = $3")
        .bind(now_us)
        .bind(actor.user_id.clone())
        .bind(id.to_owned())
        .execute(&mut **change)
        .await?;
    let said = Said { kind: EntryKind::Confirmed, from_agency: true, ..Said::default() };
    say(change, id, &said, actor, now_us).await?;
    tell(change, &standing.case_id, "agency_confirmed", &standing.what(), actor, now_us).await?;
    Ok(true)
}

fn row_of(notice: AgencyNotice) -> AgencyWorkRow {
    AgencyWorkRow {
        id: notice.id,
        reference: notice.reference,
        agency: notice.agency,
        subject: notice.subject,
        missing: notice.missing,
        due_at: notice.due_at,
        overdue: notice.overdue,
        state: notice.state,
        sent_at: notice.sent_at.unwrap_or_default(),
    }
}
