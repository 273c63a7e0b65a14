//! Handovers of shifts: signed by the one who goes, then by the one who comes. The state is kept as the text that was
//! signed; its digest stands in the log beside both signatures.

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, audit, detail};
use super::cases::checked;
use super::sql::{Conditions, cursor_parts, cursor_text, page_size, person, severity_of};
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{
    AnswerHandover, EndingSilence, HandoverState, NewHandover, OpenAlert, PageQuery, ShiftHandover, ShiftHandoverList,
    ShiftHandoverRow, ShiftState, from_wire_name,
};

/// How long remarks may be, in characters.
pub const MAX_REMARKS: usize = 5_000;
/// How many handovers may wait for one person.
pub const MAX_WAITING: i64 = 20;

const ROW: &str = "SELECT h.id, h.number, h.from_id, f.name AS from_name, f.display_name AS from_display, h.to_id, \
    t.name AS to_name, t.display_name AS to_display, h.state, h.handed_us, h.ended_us, h.remarks, h.answer, h.digest, \
    h.snapshot FROM shift_handovers h JOIN users f ON f.id = h.from_id JOIN users t ON t.id = h.to_id";

impl Store {
    /// Alerts without a verdict, the worst and oldest first.
    pub async fn worst_open_alerts(&self, limit: u32) -> StoreResult<Vec<OpenAlert>> {
        let rows = sqlx::query(
            "SELECT a.id, a.time_us, a.severity, a.rule_name, a.rule_name_vi, a.agency_name, u.id AS by_id, \
             u.name AS by_name, u.display_name AS by_display FROM alerts a LEFT JOIN users u ON u.id = a.assignee_id \
             WHERE a.status = 'open' ORDER BY a.severity DESC, a.time_us, a.id LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let alert = |row: &SqliteRow| {
            Ok(OpenAlert {
                id: row.try_get("id")?,
                time: clock::to_text(row.try_get("time_us")?),
                severity: severity_of(row.try_get("severity")?),
                rule_name: row.try_get("rule_name")?,
                rule_name_vi: row.try_get("rule_name_vi")?,
                agency: row.try_get("agency_name")?,
                assignee: person(row, "by")?,
            })
        };
        Ok(rows.iter().map(alert).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Suppressions in force that end before a moment, the next first.
    pub async fn ending_silences(&self, before_us: i64, limit: u32) -> StoreResult<Vec<EndingSilence>> {
        let rows = sqlx::query(
            "SELECT * FROM suppressions WHERE ended_us IS NULL AND expires_us > $1 AND expires_us < $2 \
             ORDER BY expires_us, id LIMIT $3",
        )
        .bind(self.now_us())
        .bind(before_us)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let silence = |row: &SqliteRow| {
            Ok(EndingSilence {
                id: row.try_get("id")?,
                rule_name: row.try_get("rule_name")?,
                rule_name_vi: row.try_get("rule_name_vi")?,
                reason: row.try_get("reason")?,
                expires_at: clock::to_text(row.try_get("expires_us")?),
                hidden: row.try_get::<i64, _>("hidden")?.unsigned_abs(),
            })
        };
        Ok(rows.iter().map(silence).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Hands a shift over, signed by whoever asks; answers the id.
    pub async fn hand_over(&self, wish: &NewHandover, shown: &ShiftState, actor: &Actor) -> StoreResult<String> {
        let remarks = checked("remarks", &wish.remarks, 0, MAX_REMARKS)?;
        let from_id = actor.user_id.clone().ok_or(StoreError::NotFound("user"))?;
        if wish.to_id == from_id {
            return Err(StoreError::invalid("to_id", "a handover needs two people; choose somebody else"));
        }
        let to = self.user(&wish.to_id).await.map_err(|error| match error {
            StoreError::NotFound(_) => StoreError::invalid("to_id", "choose somebody of the team"),
            other => other,
        })?;
        if self.assignable(&wish.to_id).await.is_err() || to.agency_id.is_some() {
            return Err(StoreError::invalid("to_id", "choose somebody who works on alerts and looks after everything"));
        }
        let snapshot = serde_json::to_string(shown).map_err(|cause| sqlx::Error::Encode(Box::new(cause)))?;
        let digest = digest(&snapshot);
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let mine: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM shift_handovers WHERE from_id = $1 AND state = 'waiting'")
                .bind(&from_id)
                .fetch_one(&mut *change)
                .await?;
        if mine > 0 {
            let message = "your last handover was not signed yet; withdraw it before you make another";
            return Err(StoreError::refused("handover_waits", message));
        }
        let theirs: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM shift_handovers WHERE to_id = $1 AND state = 'waiting'")
                .bind(&wish.to_id)
                .fetch_one(&mut *change)
                .await?;
        if theirs >= MAX_WAITING {
            let message = format!("{MAX_WAITING} handovers wait for this person; choose somebody else");
            return Err(StoreError::refused("too_many_handovers", message));
        }
        let id = new_id();
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO shift_handovers (id, number, from_id, to_id, state, handed_us, remarks, snapshot, digest) \
             VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM shift_handovers), $2, $3, 'waiting', $4, $5, $6, $7) \
             RETURNING number",
        )
        .bind(&id)
        .bind(&from_id)
        .bind(&wish.to_id)
        .bind(now_us)
        .bind(&remarks)
        .bind(&snapshot)
        .bind(&digest)
        .fetch_one(&mut *change)
        .await?;
        let mut what = detail([("number", &number.to_string()), ("to", &to.display_name), ("sha256", &digest)]);
        if !remarks.is_empty() {
            what.insert("note_sha256".to_owned(), self::digest(&remarks));
        }
        audit(&mut change, now_us, actor, "shift.handed", &format!("handover:{id}"), &what).await?;
        change.commit().await?;
        Ok(id)
    }

    /// The one who comes signs or refuses. What was not seen cannot be signed: the digest must be that of the state.
    pub async fn answer_handover(&self, id: &str, wish: &AnswerHandover, actor: &Actor) -> StoreResult<()> {
        let answer = checked("answer", &wish.answer, usize::from(!wish.take), MAX_REMARKS)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = waiting(&mut change, id).await?;
        if actor.user_id != Some(row.try_get("to_id")?) {
            return Err(StoreError::refused(
                "not_yours",
                "this handover is for somebody else; they sign it themselves",
            ));
        }
        let (digest, number): (String, i64) = (row.try_get("digest")?, row.try_get("number")?);
        if digest != wish.digest {
            return Err(StoreError::refused("not_seen", "this is not the state that was shown; load the page again"));
        }
        let state = if wish.take { "taken" } else { "refused" };
        end(&mut change, id, state, &answer, now_us).await?;
        let mut what = detail([("number", &number.to_string()), ("sha256", &digest)]);
        if !answer.is_empty() {
            what.insert("note_sha256".to_owned(), self::digest(&answer));
        }
        audit(&mut change, now_us, actor, &format!("shift.{state}"), &format!("handover:{id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// The one who goes takes a handover back that nobody has signed.
    pub async fn withdraw_handover(&self, id: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = waiting(&mut change, id).await?;
        if actor.user_id != Some(row.try_get("from_id")?) {
            return Err(StoreError::refused(
                "not_yours",
                "somebody else made this handover; they withdraw it themselves",
            ));
        }
        let number: i64 = row.try_get("number")?;
        end(&mut change, id, "withdrawn", "", now_us).await?;
        let what = detail([("number", &number.to_string())]);
        audit(&mut change, now_us, actor, "shift.withdrawn", &format!("handover:{id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// A page of handovers, newest first, with those that wait for somebody.
    pub async fn handovers(&self, query: &PageQuery, user_id: &str) -> StoreResult<ShiftHandoverList> {
        let size = page_size(query.limit);
        let mut conditions = Conditions::default();
        if let Some(cursor) = &query.cursor {
            let before: i64 = cursor_parts(cursor, 1)?.concat().parse().unwrap_or(i64::MAX);
            conditions.add("h.number < ?", before)?;
        }
        let sql = format!("{ROW}{} ORDER BY h.number DESC LIMIT {}", conditions.clause(), size + 1);
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut items = rows.iter().map(row_of).collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > size as usize;
        items.truncate(size as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor_text(&[last.number.to_string()]));
        let total: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM shift_handovers").fetch_one(&self.readers).await?;
        let sql = format!("{ROW} WHERE h.to_id = $1 AND h.state = 'waiting' ORDER BY h.number LIMIT {MAX_WAITING}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(user_id).fetch_all(&self.readers).await?;
        let waiting = rows.iter().map(row_of).collect::<Result<_, _>>()?;
        Ok(ShiftHandoverList { items, total: total.unsigned_abs(), next_cursor, waiting })
    }

    /// A handover with the state as it was shown.
    pub async fn handover(&self, id: &str) -> StoreResult<ShiftHandover> {
        let sql = format!("{ROW} WHERE h.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        let row = row.ok_or(StoreError::NotFound("handover"))?;
        let snapshot: String = row.try_get("snapshot")?;
        let shown = serde_json::from_str(&snapshot).map_err(|cause| sqlx::Error::Decode(Box::new(cause)))?;
        let row = row_of(&row)?;
        Ok(ShiftHandover { is_whole: digest(&snapshot) == row.digest, row, shown })
    }
}

/// A handover that nobody has answered.
async fn waiting(change: &mut Change, id: &str) -> StoreResult<SqliteRow> {
    let row = sqlx::query("SELECT * FROM shift_handovers WHERE id = $1").bind(id.to_owned());
    let row = row.fetch_optional(&mut **change).await?.ok_or(StoreError::NotFound("handover"))?;
    if row.try_get::<String, _>("state")? == "waiting" {
        return Ok(row);
    }
    Err(StoreError::refused("handover_over", "this handover was signed, refused or withdrawn already"))
}

async fn end(change: &mut Change, id: &str, state: &str, answer: &str, now_us: i64) -> StoreResult<()> {
    sqlx::query("UPDATE shift_handovers SET state = $1, answer = $2, ended_us = $3 WHERE id = $4")
        .bind(state.to_owned())
        .bind(answer.to_owned())
        .bind(now_us)
        .bind(id.to_owned())
        .execute(&mut **change)
        .await?;
    Ok(())
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn row_of(row: &SqliteRow) -> Result<ShiftHandoverRow, sqlx::Error> {
    let gone = || sqlx::Error::RowNotFound;
    let state: String = row.try_get("state")?;
    Ok(ShiftHandoverRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        from: person(row, "from")?.ok_or_else(gone)?,
        to: person(row, "to")?.ok_or_else(gone)?,
        state: from_wire_name(&state).unwrap_or(HandoverState::Withdrawn),
        handed_at: clock::to_text(row.try_get("handed_us")?),
        ended_at: row.try_get::<Option<i64>, _>("ended_us")?.map(clock::to_text),
        remarks: row.try_get("remarks")?,
        answer: row.try_get("answer")?,
        digest: row.try_get("digest")?,
    })
}
