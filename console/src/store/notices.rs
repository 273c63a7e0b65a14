//! Notices: queued with the alert they speak of, gathered into digests, sent by [`crate::notify`].

use luytre_collector_api::Alert;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::escalations::{NewEscalation, open_escalation};
use super::notice_rules::MAIL;
use super::sql::{Conditions, cursor_parts, cursor_text, page_size};
use super::{Change, Store, StoreResult, new_id};
use crate::clock;
use crate::model::{Lang, Notice, NoticeKind, NoticeList, NoticeState, PageQuery, from_wire_name, wire_name};

/// So many notices of alerts go to one recipient in an hour; what is beyond waits for a digest.
pub const MAX_PER_HOUR: i64 = 60;

const HOUR_US: i64 = 3600 * 1_000_000;

/// An alert that was in a digest is not in another one for so long, however it grows.
const REMEMBERED_US: i64 = 30 * 24 * HOUR_US;

/// A notice to be queued.
#[derive(Debug, Clone)]
pub struct NewNotice {
    /// What it speaks of.
    pub kind: NoticeKind,
    /// The notice rule it comes from.
    pub rule_id: Option<String>,
    /// `mail` or a webhook's id.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// The language.
    pub language: Lang,
    /// Its subject.
    pub subject: String,
    /// Its text, or the body of a webhook.
    pub body: String,
    /// The HTML part of a mail.
    pub html: Option<String>,
}

/// An alert that waits for a digest.
#[derive(Debug, Clone)]
pub struct NewDigestEntry {
    /// The notice rule it comes from.
    pub rule_id: String,
    /// `mail` or a webhook's id.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// The language.
    pub language: Lang,
    /// When the digest is sent.
    pub due_us: i64,
}

/// What follows from an alert.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Notices to be sent at once.
    pub notices: Vec<NewNotice>,
    /// Digests it is to be part of.
    pub digests: Vec<NewDigestEntry>,
    /// Ladders to be climbed.
    pub ladders: Vec<NewEscalation>,
}

/// A notice whose turn it is.
#[derive(Debug, Clone)]
pub struct DueNotice {
    /// Its id.
    pub id: String,
    /// `mail` or a webhook's id.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Its text, or the body of a webhook.
    pub body: String,
    /// The HTML part of a mail.
    pub html: Option<String>,
    /// The token of its link, where it asks for an acknowledgement.
    pub link_token: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
}

/// What became of a try.
#[derive(Debug, Clone)]
pub enum Attempt {
    /// The mail server or webhook took it and said this.
    Sent {
        /// The answer.
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

/// A recipient whose digest is due, and the alerts in it.
#[derive(Debug, Clone)]
pub struct DueDigest {
    /// `mail` or a webhook's id.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// The language.
    pub language: Lang,
    /// How many alerts.
    pub alerts: u64,
    /// The worst and newest of them.
    pub shown: Vec<Alert>,
}

impl Store {
    /// Notices whose turn it is, oldest first: mails, or those of webhooks.
    pub async fn due_notices(&self, mails: bool, limit: u32) -> StoreResult<Vec<DueNotice>> {
        let which = if mails { "channel = $3" } else { "channel <> $3" };
        let sql = format!(
            "SELECT id, channel, recipient, subject, body, html, link_token, attempts FROM notices \
             WHERE state = 'queued' AND next_us <= $1 AND {which} ORDER BY next_us, id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(self.now_us()).bind(limit).bind(MAIL);
        Ok(rows.fetch_all(&self.readers).await?.iter().map(due).collect::<Result<_, _>>()?)
    }

    /// Writes down what became of a try. A token is forgotten once its notice is out of our hands.
    pub async fn notice_tried(&self, id: &str, attempt: &Attempt) -> StoreResult<()> {
        let now_us = self.now_us();
        let query = match attempt {
            Attempt::Sent { receipt } => sqlx::query(
                "UPDATE notices SET state = 'sent', attempts = attempts + 1, sent_us = $1, receipt = $2, \
                 link_token = NULL, last_error = NULL WHERE id = $3",
            )
            .bind(now_us)
            .bind(receipt),
            Attempt::Later { error, next_us } => {
                sqlx::query("UPDATE notices SET attempts = attempts + 1, next_us = $1, last_error = $2 WHERE id = $3")
                    .bind(*next_us)
                    .bind(error)
            }
            Attempt::Failed { error } => sqlx::query(
                "UPDATE notices SET state = 'failed', attempts = attempts + 1, next_us = $1, last_error = $2, \
                 link_token = NULL WHERE id = $3",
            )
            .bind(now_us)
            .bind(error),
        };
        query.bind(id).execute(&self.writer).await?;
        Ok(())
    }

    /// Queues notices that belong to no alert that comes in: tests, and news of channels.
    pub async fn queue_notices(&self, notices: &[NewNotice]) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        for notice in notices {
            insert_notice(&mut change, None, notice, now_us).await?;
        }
        change.commit().await?;
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

    /// A digest that is due, with at most so many of its alerts; nothing when none is due.
    pub async fn due_digest(&self, shown: u32) -> StoreResult<Option<DueDigest>> {
        let row = sqlx::query(
            "SELECT channel, recipient, language FROM digest_entries WHERE sent_us IS NULL AND due_us <= $1 \
             ORDER BY due_us LIMIT 1",
        )
        .bind(self.now_us())
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (channel, recipient): (String, String) = (row.try_get("channel")?, row.try_get("recipient")?);
        let language: String = row.try_get("language")?;
        let alerts: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM digest_entries WHERE channel = $1 AND recipient = $2 AND sent_us IS NULL \
             AND due_us <= $3",
        )
        .bind(&channel)
        .bind(&recipient)
        .bind(self.now_us())
        .fetch_one(&self.readers)
        .await?;
        let bodies: Vec<String> = sqlx::query_scalar(
            "SELECT b.body FROM digest_entries d JOIN alerts a ON a.id = d.alert_id JOIN alert_bodies b ON b.id = a.id \
             WHERE d.channel = $1 AND d.recipient = $2 AND d.sent_us IS NULL AND d.due_us <= $3 \
             ORDER BY a.severity DESC, a.time_us DESC LIMIT $4",
        )
        .bind(&channel)
        .bind(&recipient)
        .bind(self.now_us())
        .bind(shown)
        .fetch_all(&self.readers)
        .await?;
        Ok(Some(DueDigest {
            channel,
            recipient,
            language: from_wire_name(&language).unwrap_or_default(),
            alerts: alerts.unsigned_abs(),
            shown: bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect(),
        }))
    }

    /// Queues a digest and marks what was in it, at once: a crash neither loses nor repeats one.
    pub async fn queue_digest(&self, digest: &DueDigest, notice: Option<&NewNotice>) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        if let Some(notice) = notice {
            insert_notice(&mut change, None, notice, now_us).await?;
        }
        sqlx::query(
            "UPDATE digest_entries SET sent_us = $3 WHERE channel = $1 AND recipient = $2 AND sent_us IS NULL \
             AND due_us <= $3",
        )
        .bind(&digest.channel)
        .bind(&digest.recipient)
        .bind(now_us)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM digest_entries WHERE sent_us < $1")
            .bind(now_us - REMEMBERED_US)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }
}

/// Carries out what follows from an alert, in the transaction that stores it; answers how many notices were gathered
/// instead of sent because their recipient had enough of them. A rule tells of an alert once, whoever is on call later.
pub(super) async fn carry_out(change: &mut Change, alert_id: &str, orders: &Orders, now_us: i64) -> StoreResult<u64> {
    let mut gathered = 0;
    let told_by: Vec<Option<String>> =
        sqlx::query_scalar("SELECT DISTINCT rule_id FROM notices WHERE alert_id = $1 AND kind = 'alert'")
            .bind(alert_id)
            .fetch_all(&mut **change)
            .await?;
    for notice in orders.notices.iter().filter(|notice| !told_by.contains(&notice.rule_id)) {
        let told: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM notices WHERE alert_id = $1 AND kind = 'alert' AND channel = $2 AND recipient = $3",
        )
        .bind(alert_id)
        .bind(&notice.channel)
        .bind(&notice.recipient)
        .fetch_optional(&mut **change)
        .await?;
        if told.is_some() {
            continue;
        }
        let lately: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM notices WHERE channel = $1 AND recipient = $2 AND kind = 'alert' AND created_us > $3",
        )
        .bind(&notice.channel)
        .bind(&notice.recipient)
        .bind(now_us - HOUR_US)
        .fetch_one(&mut **change)
        .await?;
        if lately < MAX_PER_HOUR {
            insert_notice(change, Some(alert_id), notice, now_us).await?;
            continue;
        }
        gathered += 1;
        let entry = NewDigestEntry {
            rule_id: notice.rule_id.clone().unwrap_or_default(),
            channel: notice.channel.clone(),
            recipient: notice.recipient.clone(),
            language: notice.language,
            due_us: now_us - now_us.rem_euclid(HOUR_US) + HOUR_US,
        };
        insert_digest(change, alert_id, &entry, now_us).await?;
    }
    for entry in &orders.digests {
        insert_digest(change, alert_id, entry, now_us).await?;
    }
    for ladder in &orders.ladders {
        open_escalation(change, alert_id, ladder, now_us).await?;
    }
    Ok(gathered)
}

async fn insert_digest(change: &mut Change, alert_id: &str, entry: &NewDigestEntry, now_us: i64) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO digest_entries (channel, recipient, alert_id, language, rule_id, at_us, due_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (channel, recipient, alert_id) DO NOTHING",
    )
    .bind(&entry.channel)
    .bind(&entry.recipient)
    .bind(alert_id)
    .bind(wire_name(&entry.language))
    .bind(&entry.rule_id)
    .bind(now_us)
    .bind(entry.due_us)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Queues a notice, in the transaction of what it follows from; answers its id.
pub(super) async fn insert_notice(
    change: &mut Change,
    alert_id: Option<&str>,
    notice: &NewNotice,
    now_us: i64,
) -> StoreResult<String> {
    let id = new_id();
    sqlx::query(
        "INSERT INTO notices (id, kind, alert_id, rule_id, channel, recipient, subject, body, html, state, attempts, \
         next_us, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', 0, $10, $10)",
    )
    .bind(&id)
    .bind(wire_name(&notice.kind))
    .bind(alert_id)
    .bind(&notice.rule_id)
    .bind(&notice.channel)
    .bind(&notice.recipient)
    .bind(&notice.subject)
    .bind(&notice.body)
    .bind(&notice.html)
    .bind(now_us)
    .execute(&mut **change)
    .await?;
    Ok(id)
}

fn due(row: &SqliteRow) -> Result<DueNotice, sqlx::Error> {
    Ok(DueNotice {
        id: row.try_get("id")?,
        channel: row.try_get("channel")?,
        recipient: row.try_get("recipient")?,
        subject: row.try_get("subject")?,
        body: row.try_get("body")?,
        html: row.try_get("html")?,
        link_token: row.try_get("link_token")?,
        attempts: row.try_get("attempts")?,
    })
}

fn notice(row: &SqliteRow) -> Result<Notice, sqlx::Error> {
    let (state, kind): (String, String) = (row.try_get("state")?, row.try_get("kind")?);
    let state = from_wire_name(&state).unwrap_or(NoticeState::Failed);
    let sent_us: Option<i64> = row.try_get("sent_us")?;
    let next_us: i64 = row.try_get("next_us")?;
    Ok(Notice {
        id: row.try_get("id")?,
        kind: from_wire_name(&kind).unwrap_or(NoticeKind::Alert),
        channel: row.try_get("channel")?,
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
