//! E-mail notices: queued with the alert they speak of, sent by [`crate::notify`].

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::sql::{Conditions, cursor_parts, cursor_text, page_size};
use super::{Change, Store, StoreResult, new_id};
use crate::clock;
use crate::model::{Notice, NoticeList, NoticeState, PageQuery, from_wire_name};

/// A notice to be queued.
#[derive(Debug, Clone)]
pub struct NewNotice {
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// A notice whose turn it is.
#[derive(Debug, Clone)]
pub struct DueNotice {
    /// Its id.
    pub id: String,
    /// The alert it speaks of.
    pub alert_id: String,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// What became of a try.
#[derive(Debug, Clone)]
pub enum Attempt {
    /// The mail server took it and said this.
    Sent {
        /// The server's answer.
        receipt: String,
    },
    /// It will be tried again at this moment.
    Later {
        /// Why it failed.
        error: String,
        /// When, microseconds.
        next_us: i64,
    },
    /// Given up.
    Failed {
        /// Why.
        error: String,
    },
}

impl Store {
    /// Notices whose turn it is, oldest first.
    pub async fn due_notices(&self, limit: u32) -> StoreResult<Vec<DueNotice>> {
        let rows = sqlx::query(
            "SELECT id, alert_id, recipient, subject, body, attempts FROM notices \
             WHERE state = 'queued' AND next_us <= $1 ORDER BY next_us, id LIMIT $2",
        )
        .bind(self.now_us())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().map(due).collect::<Result<_, _>>()?)
    }

    /// Writes down what became of a try.
    pub async fn notice_tried(&self, id: &str, attempt: &Attempt) -> StoreResult<()> {
        let now_us = self.now_us();
        let query = match attempt {
            Attempt::Sent { receipt } => sqlx::query(
                "UPDATE notices SET state = 'sent', attempts = attempts + 1, sent_us = $1, receipt = $2, \
                 last_error = NULL WHERE id = $3",
            )
            .bind(now_us)
            .bind(receipt),
            Attempt::Later { error, next_us } => {
                sqlx::query("UPDATE notices SET attempts = attempts + 1, next_us = $1, last_error = $2 WHERE id = $3")
                    .bind(*next_us)
                    .bind(error)
            }
            Attempt::Failed { error } => sqlx::query(
                "UPDATE notices SET state = 'failed', attempts = attempts + 1, next_us = $1, last_error = $2 WHERE id = $3",
            )
            .bind(now_us)
            .bind(error),
        };
        query.bind(id).execute(&self.writer).await?;
        Ok(())
    }

    /// A page of notices, newest first.
    pub async fn notices(&self, query: &PageQuery) -> StoreResult<NoticeList> {
        let size = page_size(query.limit);
        let mut conditions = Conditions::default();
        if let Some(cursor) = &query.cursor {
            conditions.add("id < ?", cursor_parts(cursor, 1)?.concat())?;
        }
        let sql = format!("SELECT * FROM notices{} ORDER BY id DESC LIMIT {}", conditions.clause(), size + 1);
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut items = rows.iter().map(notice).collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > size as usize;
        items.truncate(size as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor_text(std::slice::from_ref(&last.id)));
        let total: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM notices").fetch_one(&self.readers).await?;
        Ok(NoticeList { items, total: total.unsigned_abs(), next_cursor })
    }

    /// How many notices wait and how many were given up in the last day; for the health answer.
    pub async fn notice_trouble(&self) -> StoreResult<(u64, u64)> {
        let row = sqlx::query(
            "SELECT COALESCE(SUM(CASE WHEN state = 'queued' AND attempts > 2 THEN 1 ELSE 0 END), 0) AS waiting, \
             COALESCE(SUM(CASE WHEN state = 'failed' AND next_us > $1 THEN 1 ELSE 0 END), 0) AS failed FROM notices",
        )
        .bind(self.now_us() - 86_400_000_000)
        .fetch_one(&self.readers)
        .await?;
        let (waiting, failed): (i64, i64) = (row.try_get("waiting")?, row.try_get("failed")?);
        Ok((waiting.unsigned_abs(), failed.unsigned_abs()))
    }
}

/// Queues a notice, in the transaction that stores its alert.
pub(super) async fn insert_notice(
    change: &mut Change,
    alert_id: &str,
    notice: &NewNotice,
    now_us: i64,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO notices (id, alert_id, recipient, subject, body, state, attempts, next_us, created_us) \
         VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $6) ON CONFLICT (alert_id, recipient) DO NOTHING",
    )
    .bind(new_id())
    .bind(alert_id.to_owned())
    .bind(notice.recipient.clone())
    .bind(notice.subject.clone())
    .bind(notice.body.clone())
    .bind(now_us)
    .execute(&mut **change)
    .await?;
    Ok(())
}

fn due(row: &SqliteRow) -> Result<DueNotice, sqlx::Error> {
    Ok(DueNotice {
        id: row.try_get("id")?,
        alert_id: row.try_get("alert_id")?,
        recipient: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        body: row.try_get("body")?,
        attempts: row.try_get("attempts")?,
    })
}

fn notice(row: &SqliteRow) -> Result<Notice, sqlx::Error> {
    let state: String = row.try_get("state")?;
    let state = from_wire_name(&state).unwrap_or(NoticeState::Failed);
    let sent_us: Option<i64> = row.try_get("sent_us")?;
    let next_us: i64 = row.try_get("next_us")?;
    Ok(Notice {
        id: row.try_get("id")?,
        to: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        state,
        attempts: row.try_get("attempts")?,
        created_at: clock::to_text(row.try_get("created_us")?),
        next_attempt_at: (state == NoticeState::Queued).then(|| clock::to_text(next_us)),
        sent_at: sent_us.map(clock::to_text),
        receipt: row.try_get("receipt")?,
        last_error: row.try_get("last_error")?,
        alert_id: row.try_get("alert_id")?,
    })
}
