//! Notices to agencies, the team's side: prepared in a case, sent, reminded of, ended. What the agency does with one is in
//! [`super::agency_answers`], files are in [`super::agency_files`].
//!
//! What is missing follows from what is asked and when each of it was first met; nothing has to run for that. That a time
//! has passed is told once, by a round that asks for [`Store::late_notices`].

use luytre_collector_api::Agency;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::moment;
use super::audit::{Actor, Detail, detail};
use super::case_people::told_of;
use super::cases::{MAX_TITLE, checked, tell, work_on};
use super::notices::{NewNotice, insert_notice};
use super::reach::reaches;
use super::sql::person;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{
    AgencyEntry, AgencyNotice, AgencyNoticeState, Ask, CaseAgencyNotice, CaseDetail, EntryKind, NewAgencyNotice, Tlp,
    UnansweredNotice, from_wire_name, wire_name,
};

/// How many notices a case may have, drafts among them.
pub const MAX_NOTICES: i64 = 200;
/// How much may be said of one notice.
pub const MAX_ENTRIES: i64 = 500;
/// How long the words of a notice or an answer may be, in characters.
pub const MAX_WORDS: usize = 10_000;
/// How long a reason may be, in characters.
const MAX_REASON: usize = 500;
/// People are reminded by mail at most so often.
pub const REMIND_EVERY_US: i64 = 3_600_000_000;

/// A notice `n` of which something is missing.
pub(super) const MISSING: &str = "((n.ask_confirm = 1 AND n.confirmed_us IS NULL) \
    OR (n.ask_answer = 1 AND n.answered_us IS NULL) OR (n.ask_logs = 1 AND n.logs_us IS NULL) \
    OR (n.ask_remediation = 1 AND n.remediated_us IS NULL))";

/// A notice with its case's number and the people it names.
pub(super) const ROW: &str = "SELECT n.*, c.number AS case_number, g.name AS agency_name, n.sent_by AS sender_id, \
    s.name AS sender_name, s.display_name AS sender_display, n.confirmed_by AS reader_id, r.name AS reader_name, \
    r.display_name AS reader_display FROM agency_notices n JOIN cases c ON c.id = n.case_id \
    JOIN agencies g ON g.id = n.agency_id LEFT JOIN users s ON s.id = n.sent_by LEFT JOIN users r ON r.id = n.confirmed_by";

/// Mails that go out with a step, and whom they reach.
#[derive(Debug, Clone, Default)]
pub struct Mails {
    /// The messages.
    pub notices: Vec<NewNotice>,
}

impl Mails {
    fn addresses(&self) -> Vec<&str> {
        self.notices.iter().map(|notice| notice.recipient.as_str()).collect()
    }
}

/// Where a notice stands, as a change sees it.
pub(super) struct Standing {
    pub(super) case_id: String,
    pub(super) reference: String,
    pub(super) agency_id: String,
    pub(super) agency_name: String,
    pub(super) state: String,
    pub(super) told_us: Option<i64>,
    pub(super) due_us: Option<i64>,
    pub(super) sent_by: Option<String>,
    pub(super) lead_id: Option<String>,
    pub(super) confirmed: bool,
    pub(super) missing: bool,
}

impl Standing {
    /// What the log says of it: neither subject nor text.
    pub(super) fn what(&self) -> Detail {
        detail([("agency", &self.agency_name), ("notice", &self.reference)])
    }
}

impl Store {
    /// A notice by its id, with everything in it, and its case.
    pub async fn agency_notice(&self, id: &str) -> StoreResult<(AgencyNotice, String)> {
        let sql = format!("{ROW} WHERE n.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        let row = row.ok_or(StoreError::NotFound("notice"))?;
        let mut notice = notice(&row, self.now_us())?;
        self.fill(std::slice::from_mut(&mut notice), "e.notice_id = $1", id).await?;
        Ok((notice, row.try_get("case_id")?))
    }

    /// The notices of a case, drafts among them, oldest first.
    pub(super) async fn case_agency_notices(&self, case_id: &str) -> StoreResult<Vec<CaseAgencyNotice>> {
        let sql = format!("{ROW} WHERE n.case_id = $1 ORDER BY n.number LIMIT {MAX_NOTICES}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(case_id).fetch_all(&self.readers).await?;
        let now_us = self.now_us();
        let mut notices = rows.iter().map(|row| notice(row, now_us)).collect::<Result<Vec<_>, _>>()?;
        if !notices.is_empty() {
            let of = "e.notice_id IN (SELECT id FROM agency_notices WHERE case_id = $1)";
            self.fill(&mut notices, of, case_id).await?;
        }
        let told = |row: &SqliteRow| {
            let to: String = row.try_get("told_to")?;
            let at: Option<i64> = row.try_get("told_us")?;
            Ok::<_, sqlx::Error>((at.map(clock::to_text), serde_json::from_str(&to).unwrap_or_default()))
        };
        let both = notices.into_iter().zip(&rows).map(|(notice, row)| {
            let (told_at, told_to) = told(row)?;
            Ok(CaseAgencyNotice { notice, told_at, told_to })
        });
        Ok(both.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Puts what was said and the files into their notices; `of` says whose, `$1` being the value.
    async fn fill(&self, notices: &mut [AgencyNotice], of: &str, value: &str) -> StoreResult<()> {
        let sql = format!(
            "SELECT e.*, u.name AS by_name, u.display_name AS by_display FROM agency_entries e \
             LEFT JOIN users u ON u.id = e.by_id WHERE {of} ORDER BY e.at_us, e.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).fetch_all(&self.readers).await?;
        for row in &rows {
            let notice_id: String = row.try_get("notice_id")?;
            if let Some(notice) = notices.iter_mut().find(|notice| notice.id == notice_id) {
                notice.entries.push(entry(row)?);
            }
        }
        let sql = format!(
            "SELECT e.*, u.name AS by_name, u.display_name AS by_display FROM agency_files e \
             LEFT JOIN users u ON u.id = e.by_id WHERE {of} ORDER BY e.begun_us, e.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).fetch_all(&self.readers).await?;
        for row in &rows {
            let notice_id: String = row.try_get("notice_id")?;
            if let Some(notice) = notices.iter_mut().find(|notice| notice.id == notice_id) {
                notice.files.push(super::agency_files::file(row)?);
            }
        }
        Ok(())
    }

    /// Prepares a notice; answers the case and the notice's id.
    pub async fn draft_agency_notice(
        &self,
        case_id: &str,
        new: &NewAgencyNotice,
        actor: &Actor,
    ) -> StoreResult<(CaseDetail, String)> {
        let subject = checked("subject", &new.subject, 1, MAX_TITLE)?;
        let text = checked("text", &new.text, 1, MAX_WORDS)?;
        let now_us = self.now_us();
        let due_us = match new.due_at.as_deref().filter(|at| !at.is_empty()) {
            Some(at) => Some(future("due_at", moment("due_at", at)?, now_us)?),
            None => None,
        };
        let agency = self.agency_name(&new.agency_id).await?;
        let agency = agency.ok_or_else(|| StoreError::invalid("agency_id", "choose an agency of the register"))?;
        let mut change = self.begin().await?;
        work_on(&mut change, case_id, now_us).await?;
        if !reaches(&mut change, &actor.reach, Some(&new.agency_id)).await? {
            return Err(StoreError::invalid("agency_id", "name an agency that you look after"));
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM agency_notices WHERE case_id = $1")
            .bind(case_id)
            .fetch_one(&mut *change)
            .await?;
        if count >= MAX_NOTICES {
            let message = format!("the case has {MAX_NOTICES} of these, which is the limit");
            return Err(StoreError::refused("case_full", message));
        }
        let id = new_id();
        let asks = |ask: Ask| new.asks.contains(&ask);
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO agency_notices (id, case_id, number, agency_id, subject, text, tlp, ask_confirm, ask_answer, \
             ask_logs, ask_remediation, due_us, state, made_us, made_by) VALUES ($1, $2, (SELECT \
             COALESCE(MAX(number), 0) + 1 FROM agency_notices WHERE case_id = $2), $3, $4, $5, $6, $7, $8, $9, $10, $11, \
             'draft', $12, $13) RETURNING number",
        )
        .bind(&id)
        .bind(case_id)
        .bind(&new.agency_id)
        .bind(subject)
        .bind(text)
        .bind(wire_name(&new.tlp))
        .bind(asks(Ask::Confirm))
        .bind(asks(Ask::Answer))
        .bind(asks(Ask::Logs))
        .bind(asks(Ask::Remediation))
        .bind(due_us)
        .bind(now_us)
        .bind(&actor.user_id)
        .fetch_one(&mut *change)
        .await?;
        let what = detail([("agency", &agency), ("notice", &number.to_string())]);
        tell(&mut change, case_id, "agency_drafted", &what, actor, now_us).await?;
        change.commit().await?;
        Ok((self.case(case_id, actor.viewer()).await?, id))
    }

    /// Throws a draft away.
    pub async fn discard_agency_draft(&self, case_id: &str, id: &str, actor: &Actor) -> StoreResult<CaseDetail> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, case_id, now_us).await?;
        let standing = standing_in(&mut change, case_id, id).await?;
        if standing.state != "draft" {
            return Err(StoreError::refused("notice_sent", "the notice was sent; end it instead"));
        }
        sqlx::query("DELETE FROM agency_notices WHERE id = $1").bind(id).execute(&mut *change).await?;
        tell(&mut change, case_id, "agency_discarded", &standing.what(), actor, now_us).await?;
        change.commit().await?;
        self.case(case_id, actor.viewer()).await
    }

    /// Sends a draft: from now on the agency sees it.
    pub async fn send_agency_notice(
        &self,
        case_id: &str,
        id: &str,
        mails: &Mails,
        actor: &Actor,
    ) -> StoreResult<CaseDetail> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, case_id, now_us).await?;
        let standing = standing_in(&mut change, case_id, id).await?;
        if standing.state != "draft" {
            return Err(StoreError::refused("notice_sent", "the notice was sent already"));
        }
        if let Some(due_us) = standing.due_us {
            future("due_at", due_us, now_us)?;
        }
        let moving: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM agency_files WHERE notice_id = $1 AND state <> 'kept'")
                .bind(id)
                .fetch_one(&mut *change)
                .await?;
        if moving > 0 {
            let message = "a document is still on its way; wait for it or remove it, then send";
            return Err(StoreError::refused("file_on_its_way", message));
        }
        sqlx::query("UPDATE agency_notices SET state = 'sent', sent_us = $1, sent_by = $2 WHERE id = $3")
            .bind(now_us)
            .bind(&actor.user_id)
            .bind(id)
            .execute(&mut *change)
            .await?;
        let told = mail(&mut change, id, mails, now_us).await?;
        let mut what = standing.what();
        what.insert("mails".to_owned(), told.to_string());
        what.extend(standing.due_us.map(|due_us| ("due".to_owned(), clock::to_text(due_us))));
        tell(&mut change, case_id, "agency_sent", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(case_id, actor.viewer()).await
    }

    /// The team adds something, or reminds.
    pub async fn address_agency(
        &self,
        (case_id, id): (&str, &str),
        kind: EntryKind,
        text: &str,
        mails: &Mails,
        actor: &Actor,
    ) -> StoreResult<CaseDetail> {
        let reminds = kind == EntryKind::Reminder;
        let text = checked("text", text, usize::from(!reminds), MAX_WORDS)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, case_id, now_us).await?;
        let standing = standing_in(&mut change, case_id, id).await?;
        open(&standing)?;
        if reminds && !standing.missing {
            return Err(StoreError::refused("nothing_missing", "nothing is missing; there is nothing to remind of"));
        }
        if reminds && standing.told_us.is_some_and(|told_us| now_us - told_us < REMIND_EVERY_US) {
            return Err(StoreError::refused("reminded", "they were told less than an hour ago; wait, or call them"));
        }
        say(&mut change, id, &Said { kind, text: &text, ..Said::default() }, actor, now_us).await?;
        let told = mail(&mut change, id, mails, now_us).await?;
        let mut what = standing.what();
        what.insert("mails".to_owned(), told.to_string());
        let action = if reminds { "agency_reminded" } else { "agency_message" };
        tell(&mut change, case_id, action, &what, actor, now_us).await?;
        change.commit().await?;
        self.case(case_id, actor.viewer()).await
    }

    /// Ends a notice: nothing more is waited for or taken.
    pub async fn end_agency_notice(
        &self,
        case_id: &str,
        id: &str,
        reason: &str,
        actor: &Actor,
    ) -> StoreResult<CaseDetail> {
        let reason = checked("reason", reason, 1, MAX_REASON)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, case_id, now_us).await?;
        let standing = standing_in(&mut change, case_id, id).await?;
        open(&standing)?;
        sqlx::query(
            "UPDATE agency_notices SET state = 'ended', ended_us = $1, ended_by = $2, ended_reason = $3 WHERE id = $4",
        )
        .bind(now_us)
        .bind(&actor.user_id)
        .bind(&reason)
        .bind(id)
        .execute(&mut *change)
        .await?;
        let mut what = standing.what();
        what.insert("reason".to_owned(), reason);
        tell(&mut change, case_id, "agency_ended", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(case_id, actor.viewer()).await
    }

    /// Notices whose time has passed with something missing, and nobody was told of that: their ids.
    pub async fn late_notices(&self, limit: u32) -> StoreResult<Vec<String>> {
        let sql = format!(
            "SELECT n.id FROM agency_notices n WHERE n.state = 'sent' AND n.late_us IS NULL AND n.due_us <= $1 \
             AND {MISSING} ORDER BY n.due_us LIMIT $2"
        );
        let ids = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(self.now_us()).bind(limit);
        Ok(ids.fetch_all(&self.readers).await?)
    }

    /// Notes that a time has passed, and tells: the agency by mail, those who lead in the console. Answers the case and its
    /// version; nothing where somebody was faster.
    pub async fn note_late(&self, id: &str, mails: &Mails) -> StoreResult<Option<(String, i64)>> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let done =
            sqlx::query("UPDATE agency_notices SET late_us = $1 WHERE id = $2 AND late_us IS NULL AND state = 'sent'")
                .bind(now_us)
                .bind(id)
                .execute(&mut *change)
                .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let standing = standing(&mut change, id).await?;
        let nobody = Actor::default();
        say(&mut change, id, &Said { kind: EntryKind::Late, ..Said::default() }, &nobody, now_us).await?;
        mail(&mut change, id, mails, now_us).await?;
        tell_leaders(&mut change, &standing, &nobody, now_us).await?;
        tell(&mut change, &standing.case_id, "agency_late", &standing.what(), &nobody, now_us).await?;
        let version = touch(&mut change, &standing.case_id, now_us).await?;
        change.commit().await?;
        Ok(Some((standing.case_id, version)))
    }

    /// Notices that wait for an agency, those that are due first before the others, and how many there are. Restricted
    /// cases are counted and not named.
    pub async fn unanswered(&self, limit: u32) -> StoreResult<(Vec<UnansweredNotice>, u64)> {
        let waits = format!("n.state = 'sent' AND {MISSING}");
        let count = format!("SELECT COUNT(*) FROM agency_notices n WHERE {waits}");
        let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&self.readers).await?;
        let sql =
            format!("{ROW} WHERE {waits} AND c.restricted = 0 ORDER BY n.due_us IS NULL, n.due_us, n.id LIMIT $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(limit).fetch_all(&self.readers).await?;
        let now_us = self.now_us();
        let named = rows.iter().map(|row| {
            let notice = notice(row, now_us)?;
            Ok(UnansweredNotice {
                case_id: row.try_get("case_id")?,
                reference: notice.reference,
                agency: notice.agency.name,
                missing: notice.missing,
                due_at: notice.due_at,
                overdue: notice.overdue,
            })
        });
        Ok((named.collect::<Result<_, sqlx::Error>>()?, total.unsigned_abs()))
    }

    /// Mail addresses of an agency: its own users and the contacts of the register, each once. Where none of its users has
    /// an address, those who look after it from above.
    pub async fn agency_mail_contacts(&self, agency_id: &str) -> StoreResult<(Vec<String>, Vec<String>)> {
        let users = sqlx::query_scalar(
            "WITH RECURSIVE above (id, far) AS (SELECT $1, 0 UNION SELECT e.upper, above.far + 1 FROM agency_edges e \
             JOIN above ON e.lower = above.id WHERE above.far < 20) SELECT u.id FROM users u JOIN above ON \
             above.id = u.agency_id JOIN notice_addresses a ON a.user_id = u.id WHERE u.role = 'agency' AND u.disabled = 0 \
             GROUP BY u.id ORDER BY MIN(above.far), u.name LIMIT 50",
        );
        let users: Vec<String> = users.bind(agency_id).fetch_all(&self.readers).await?;
        let own = sqlx::query_scalar("SELECT id FROM users WHERE agency_id = $1 AND role = 'agency'");
        let own: Vec<String> = own.bind(agency_id).fetch_all(&self.readers).await?;
        let reached: Vec<String> = users.iter().filter(|id| own.contains(id)).cloned().collect();
        let bodies: Vec<String> = sqlx::query_scalar(
            "SELECT body FROM agency_records WHERE agency_id = $1 AND kind = 'contact' ORDER BY name LIMIT 50",
        )
        .bind(agency_id)
        .fetch_all(&self.readers)
        .await?;
        let mail = |body: &String| {
            let body: serde_json::Value = serde_json::from_str(body).ok()?;
            Some(body.get("email")?.as_str()?.trim().to_owned()).filter(|mail| !mail.is_empty())
        };
        Ok((if reached.is_empty() { users } else { reached }, bodies.iter().filter_map(mail).collect()))
    }
}

/// The notices of a case that wait for an answer, by reference and agency; nothing where there is none.
pub(super) async fn waiting_for(change: &mut Change, case_id: &str) -> StoreResult<Option<String>> {
    let sql = format!(
        "SELECT n.number, c.number AS case_number, g.name AS agency_name FROM agency_notices n JOIN cases c ON \
         c.id = n.case_id JOIN agencies g ON g.id = n.agency_id WHERE n.case_id = $1 AND n.state = 'sent' AND {MISSING} \
         ORDER BY n.number"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(case_id.to_owned()).fetch_all(&mut **change).await?;
    let name = |row| Ok::<_, sqlx::Error>(format!("{} {}", reference(row)?, row.try_get::<String, _>("agency_name")?));
    let names = rows.iter().map(name).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(names.join(", ")).filter(|names| !names.is_empty()))
}

/// Something that is about to be said of a notice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'s> {
    pub(super) kind: EntryKind,
    pub(super) text: &'s str,
    pub(super) from_agency: bool,
    pub(super) done_us: Option<i64>,
    pub(super) done_by: &'s str,
}

impl Default for Said<'_> {
    fn default() -> Self {
        Said { kind: EntryKind::Message, text: "", from_agency: false, done_us: None, done_by: "" }
    }
}

pub(super) async fn say(
    change: &mut Change,
    notice_id: &str,
    said: &Said<'_>,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM agency_entries WHERE notice_id = $1")
        .bind(notice_id.to_owned())
        .fetch_one(&mut **change)
        .await?;
    // That something is late is noted once, whatever else was said.
    if count >= MAX_ENTRIES && said.kind != EntryKind::Late {
        let message = format!("the notice has {MAX_ENTRIES} answers, which is the limit; call the team");
        return Err(StoreError::refused("notice_full", message));
    }
    sqlx::query(
        "INSERT INTO agency_entries (id, notice_id, at_us, by_id, from_agency, kind, text, done_us, done_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new_id())
    .bind(notice_id.to_owned())
    .bind(now_us)
    .bind(actor.user_id.clone())
    .bind(said.from_agency)
    .bind(wire_name(&said.kind))
    .bind(said.text.to_owned())
    .bind(said.done_us)
    .bind(said.done_by.to_owned())
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Queues mails about a notice; answers how many.
async fn mail(change: &mut Change, id: &str, mails: &Mails, now_us: i64) -> StoreResult<usize> {
    for notice in &mails.notices {
        insert_notice(change, None, notice, now_us).await?;
    }
    if !mails.notices.is_empty() {
        sqlx::query("UPDATE agency_notices SET told_us = $1, told_to = $2 WHERE id = $3")
            .bind(now_us)
            .bind(serde_json::to_string(&mails.addresses()).unwrap_or_else(|_| "[]".to_owned()))
            .bind(id.to_owned())
            .execute(&mut **change)
            .await?;
    }
    Ok(mails.notices.len())
}

/// Tells whoever leads the case and whoever sent the notice, in the console.
pub(super) async fn tell_leaders(
    change: &mut Change,
    standing: &Standing,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    let mut told: Vec<&String> = Vec::new();
    for user_id in [&standing.lead_id, &standing.sent_by].into_iter().flatten() {
        if !told.contains(&user_id) {
            told_of(change, user_id, "agency", &standing.case_id, actor, now_us).await?;
            told.push(user_id);
        }
    }
    Ok(())
}

/// Marks a case as changed by what an agency did, whether it is closed or not: what comes in is never lost. Answers its
/// new version.
pub(super) async fn touch(change: &mut Change, case_id: &str, now_us: i64) -> StoreResult<i64> {
    let version =
        sqlx::query_scalar("UPDATE cases SET updated_us = $1, version = version + 1 WHERE id = $2 RETURNING version");
    Ok(version.bind(now_us).bind(case_id.to_owned()).fetch_one(&mut **change).await?)
}

/// Where a notice stands.
pub(super) async fn standing(change: &mut Change, id: &str) -> StoreResult<Standing> {
    let sql = format!(
        "SELECT n.*, c.number AS case_number, c.lead_id, g.name AS agency_name, {MISSING} AS missing FROM agency_notices n \
         JOIN cases c ON c.id = n.case_id JOIN agencies g ON g.id = n.agency_id WHERE n.id = $1"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.to_owned()).fetch_optional(&mut **change).await?;
    let row = row.ok_or(StoreError::NotFound("notice"))?;
    Ok(Standing {
        case_id: row.try_get("case_id")?,
        reference: reference(&row)?,
        agency_id: row.try_get("agency_id")?,
        agency_name: row.try_get("agency_name")?,
        state: row.try_get("state")?,
        told_us: row.try_get("told_us")?,
        due_us: row.try_get("due_us")?,
        sent_by: row.try_get("sent_by")?,
        lead_id: row.try_get("lead_id")?,
        confirmed: row.try_get::<Option<i64>, _>("confirmed_us")?.is_some(),
        missing: row.try_get("missing")?,
    })
}

/// Where a notice of this case stands; one of another case is none.
pub(super) async fn standing_in(change: &mut Change, case_id: &str, id: &str) -> StoreResult<Standing> {
    let standing = standing(change, id).await?;
    if standing.case_id == case_id { Ok(standing) } else { Err(StoreError::NotFound("notice")) }
}

/// Refuses what can only be done with a notice that was sent and not ended.
pub(super) fn open(standing: &Standing) -> StoreResult<()> {
    match standing.state.as_str() {
        "sent" => Ok(()),
        "draft" => Err(StoreError::refused("notice_draft", "the notice was not sent yet")),
        _ => Err(StoreError::refused("notice_ended", "the notice was ended; nothing more is taken here")),
    }
}

fn future(field: &'static str, at_us: i64, now_us: i64) -> StoreResult<i64> {
    if at_us > now_us { Ok(at_us) } else { Err(StoreError::invalid(field, "choose a moment in the future")) }
}

fn reference(row: &SqliteRow) -> Result<String, sqlx::Error> {
    Ok(format!("{}-{}", row.try_get::<i64, _>("case_number")?, row.try_get::<i64, _>("number")?))
}

/// The notice of a row, without what was said and files.
pub(super) fn notice(row: &SqliteRow, now_us: i64) -> Result<AgencyNotice, sqlx::Error> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let at = |name: &str| row.try_get::<Option<i64>, _>(name);
    let time = |name: &str| Ok::<_, sqlx::Error>(at(name)?.map(clock::to_text));
    let asked = [
        (Ask::Confirm, row.try_get("ask_confirm")?, at("confirmed_us")?),
        (Ask::Answer, row.try_get("ask_answer")?, at("answered_us")?),
        (Ask::Logs, row.try_get("ask_logs")?, at("logs_us")?),
        (Ask::Remediation, row.try_get("ask_remediation")?, at("remediated_us")?),
    ];
    let asks: Vec<Ask> =
        asked.iter().filter(|(_, wished, _): &&(Ask, bool, _)| *wished).map(|(ask, ..)| *ask).collect();
    let missing: Vec<Ask> =
        asked.iter().filter(|(_, wished, met)| *wished && met.is_none()).map(|(ask, ..)| *ask).collect();
    let state = match text("state")?.as_str() {
        "draft" => AgencyNoticeState::Draft,
        "sent" if missing.is_empty() => AgencyNoticeState::Met,
        "sent" => AgencyNoticeState::Open,
        _ => AgencyNoticeState::Ended,
    };
    let due_us = at("due_us")?;
    let agency = Agency { id: text("agency_id")?, name: text("agency_name")? };
    Ok(AgencyNotice {
        id: text("id")?,
        reference: reference(row)?,
        agency,
        subject: text("subject")?,
        text: text("text")?,
        // A mark that is not understood (a newer database) is the strictest.
        tlp: from_wire_name(&text("tlp")?).unwrap_or(Tlp::Red),
        asks,
        overdue: state == AgencyNoticeState::Open && due_us.is_some_and(|due_us| due_us <= now_us),
        missing,
        due_at: due_us.map(clock::to_text),
        state,
        sent_at: time("sent_us")?,
        sent_by: person(row, "sender")?,
        confirmed_at: time("confirmed_us")?,
        confirmed_by: person(row, "reader")?,
        ended_at: time("ended_us")?,
        ended_reason: text("ended_reason")?,
        entries: Vec::new(),
        files: Vec::new(),
    })
}

fn entry(row: &SqliteRow) -> Result<AgencyEntry, sqlx::Error> {
    let kind: String = row.try_get("kind")?;
    Ok(AgencyEntry {
        id: row.try_get("id")?,
        at: clock::to_text(row.try_get("at_us")?),
        by: person(row, "by")?,
        from_agency: row.try_get("from_agency")?,
        kind: from_wire_name(&kind).unwrap_or(EntryKind::Message),
        text: row.try_get("text")?,
        done_at: row.try_get::<Option<i64>, _>("done_us")?.map(clock::to_text),
        done_by: row.try_get("done_by")?,
    })
}
