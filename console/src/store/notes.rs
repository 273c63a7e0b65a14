//! What people add to an alert beside decisions: notes, and who watches it.

use super::audit::{Actor, Detail, HistoryOf, audit, detail, history};
use super::sql::person;
use super::{Change, Store, StoreError, StoreResult};
use crate::model::Person;

/// How long a note on an alert may be, in characters.
pub const MAX_NOTE: usize = 2000;

impl Store {
    /// Adds a note to an alert's history. The alert's version stays: a note is in nobody's way.
    pub async fn add_alert_note(&self, id: &str, text: &str, actor: &Actor) -> StoreResult<()> {
        let text = text.trim();
        if !(1..=MAX_NOTE).contains(&text.chars().count()) {
            return Err(StoreError::invalid("text", format!("use 1 to {MAX_NOTE} characters")));
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        exists(&mut change, id).await?;
        let what = detail([("text", text)]);
        history(&mut change, now_us, HistoryOf::Alert, id, actor.user_id.as_deref(), "noted", &what).await?;
        audit(&mut change, now_us, actor, "alert.noted", &format!("alert:{id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// Begins or stops watching an alert; answers nothing when it was like that already.
    pub async fn watch_alert(&self, id: &str, on: bool, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        exists(&mut change, id).await?;
        let done = if on {
            sqlx::query(
                "INSERT INTO watches (alert_id, user_id, at_us) VALUES ($1, $2, $3) ON CONFLICT (user_id, alert_id) DO NOTHING",
            )
            .bind(id.to_owned())
            .bind(actor.user_id.clone())
            .bind(now_us)
            .execute(&mut *change)
            .await?
        } else {
            sqlx::query("DELETE FROM watches WHERE alert_id = $1 AND user_id = $2")
                .bind(id.to_owned())
                .bind(actor.user_id.clone())
                .execute(&mut *change)
                .await?
        };
        if done.rows_affected() > 0 {
            let action = if on { "watched" } else { "unwatched" };
            let by = actor.user_id.as_deref();
            history(&mut change, now_us, HistoryOf::Alert, id, by, action, &Detail::new()).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Who watches an alert, the first first.
    pub(super) async fn watchers(&self, id: &str) -> StoreResult<Vec<Person>> {
        let rows = sqlx::query(
            "SELECT w.user_id AS by_id, u.name AS by_name, u.display_name AS by_display FROM watches w \
             JOIN users u ON u.id = w.user_id WHERE w.alert_id = $1 ORDER BY w.at_us LIMIT 100",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        let mut people = Vec::with_capacity(rows.len());
        for row in &rows {
            people.extend(person(row, "by")?);
        }
        Ok(people)
    }
}

async fn exists(change: &mut Change, id: &str) -> StoreResult<()> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM alerts WHERE id = $1")
        .bind(id.to_owned())
        .fetch_optional(&mut **change)
        .await?;
    found.map(|_| ()).ok_or(StoreError::NotFound("alert"))
}
