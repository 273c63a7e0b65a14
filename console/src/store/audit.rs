//! The audit log and the histories of alerts and cases: lines that are only ever added, in the transaction of the change
//! they tell of. Those of the audit log are chained ([`super::chain`]).

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::chain::{self, Line};
use super::reach::Reach;
use super::sql::{Conditions, cursor_parts, cursor_text, page_size, person, starts_pattern};
use super::{Change, Store, StoreResult, new_id};
use crate::clock;
use crate::model::{AuditEntry, AuditList, AuditQuery, HistoryEntry};

/// Who does it, and from where.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// The user; nobody when it is the system or somebody unknown.
    pub user_id: Option<String>,
    /// The address.
    pub address: Option<String>,
    /// How far they reach.
    pub reach: Reach,
}

impl Actor {
    /// As whom they look at cases; nobody sees what is not restricted.
    pub fn viewer(&self) -> &str {
        self.user_id.as_deref().unwrap_or_default()
    }
}

/// The particulars of a line.
pub type Detail = BTreeMap<String, String>;

/// Particulars from pairs; empty values are left out.
pub fn detail<const N: usize>(pairs: [(&str, &str); N]) -> Detail {
    pairs.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// The most that is told of one subject.
const HISTORY_MAX: i64 = 1000;

/// What a history belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum HistoryOf {
    Alert,
    Case,
    Agency,
}

impl HistoryOf {
    fn name(self) -> &'static str {
        match self {
            HistoryOf::Alert => "alert",
            HistoryOf::Case => "case",
            HistoryOf::Agency => "agency",
        }
    }
}

impl Store {
    /// Adds a line to the audit log that belongs to no change of data (a failed log-in, say).
    pub async fn add_audit(&self, actor: &Actor, action: &str, subject: &str, detail: &Detail) -> StoreResult<()> {
        let mut change = self.begin().await?;
        audit(&mut change, self.now_us(), actor, action, subject, detail).await?;
        change.commit().await?;
        Ok(())
    }

    /// A page of the audit log, newest first.
    pub async fn audit_page(&self, query: &AuditQuery) -> StoreResult<AuditList> {
        let size = page_size(query.limit);
        let count = filter(query)?;
        let sql = format!("SELECT COUNT(*) FROM audit a{}", count.clause());
        let total: i64 =
            sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), count.into_arguments()).fetch_one(&self.readers).await?;
        let mut conditions = filter(query)?;
        if let Some(cursor) = &query.cursor {
            let before: i64 = cursor_parts(cursor, 1)?.concat().parse().unwrap_or(i64::MAX);
            conditions.add("a.number < ?", before)?;
        }
        let sql = format!(
            "SELECT a.*, u.display_name AS by_display FROM audit a LEFT JOIN users u ON u.id = a.by_id{} \
             ORDER BY a.number DESC LIMIT {}",
            conditions.clause(),
            size + 1
        );
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut items = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > size as usize;
        items.truncate(size as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor_text(&[last.number.to_string()]));
        Ok(AuditList { items, total: total.unsigned_abs(), next_cursor })
    }

    /// What was done, oldest first; of more than [`HISTORY_MAX`] the newest.
    pub(super) async fn history_of(&self, of: HistoryOf, subject: &str) -> StoreResult<Vec<HistoryEntry>> {
        let rows = sqlx::query(
            "SELECT h.*, u.name AS by_name, u.display_name AS by_display FROM history h \
             LEFT JOIN users u ON u.id = h.by_id WHERE h.kind = $1 AND h.subject = $2 \
             ORDER BY h.at_us DESC, h.id DESC LIMIT $3",
        )
        .bind(of.name())
        .bind(subject)
        .bind(HISTORY_MAX)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.iter().rev().map(history_entry).collect::<Result<Vec<_>, _>>()?)
    }
}

fn filter(query: &AuditQuery) -> StoreResult<Conditions> {
    let mut conditions = Conditions::default();
    if let Some(kind) = query.kind.as_deref().filter(|kind| !kind.is_empty()) {
        conditions.add("a.action LIKE ? ESCAPE '\\'", starts_pattern(&format!("{kind}.")))?;
    }
    if let Some(subject) = query.subject.as_deref().filter(|subject| !subject.is_empty()) {
        conditions.add("a.subject = ?", subject.to_owned())?;
    }
    if let Some(user_id) = query.user_id.as_deref().filter(|id| !id.is_empty()) {
        conditions.add("a.by_id = ?", user_id.to_owned())?;
    }
    Ok(conditions)
}

fn entry(row: &SqliteRow) -> Result<AuditEntry, sqlx::Error> {
    Ok(AuditEntry {
        number: row.try_get("number")?,
        at: clock::to_text(row.try_get("at_us")?),
        by: person(row, "by")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        detail: read_detail(row)?,
        address: row.try_get("address")?,
        digest: row.try_get("digest")?,
    })
}

fn history_entry(row: &SqliteRow) -> Result<HistoryEntry, sqlx::Error> {
    Ok(HistoryEntry {
        at: clock::to_text(row.try_get("at_us")?),
        by: person(row, "by")?,
        action: row.try_get("action")?,
        detail: read_detail(row)?,
    })
}

fn read_detail(row: &SqliteRow) -> Result<Detail, sqlx::Error> {
    let text: String = row.try_get("detail")?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

fn write_detail(detail: &Detail) -> String {
    serde_json::to_string(detail).unwrap_or_else(|_| "{}".to_owned())
}

/// Adds a line to the audit log.
pub(super) async fn audit(
    change: &mut Change,
    now_us: i64,
    actor: &Actor,
    action: &str,
    subject: &str,
    detail: &Detail,
) -> StoreResult<()> {
    let by_name = match &actor.user_id {
        Some(id) => {
            let name = sqlx::query_scalar("SELECT name FROM users WHERE id = $1").bind(id.clone());
            name.fetch_optional(&mut **change).await?
        }
        None => None,
    };
    let line = Line {
        at_us: now_us,
        by_id: actor.user_id.clone(),
        by_name,
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail: write_detail(detail),
        address: actor.address.clone(),
        ..Line::default()
    };
    chain::append(change, line).await
}

/// Adds a line to the history of an alert or a case.
pub(super) async fn history(
    change: &mut Change,
    now_us: i64,
    of: HistoryOf,
    subject: &str,
    by_id: Option<&str>,
    action: &str,
    detail: &Detail,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO history (id, kind, subject, at_us, by_id, action, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new_id())
    .bind(of.name())
    .bind(subject.to_owned())
    .bind(now_us)
    .bind(by_id.map(str::to_owned))
    .bind(action.to_owned())
    .bind(write_detail(detail))
    .execute(&mut **change)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    #[tokio::test]
    async fn pages_of_the_audit_log_follow_each_other() {
        let test = testing::store().await;
        for n in 0..5 {
            test.store
                .add_audit(&Actor::default(), "test.done", &format!("test:{n}"), &detail([("n", "x")]))
                .await
                .unwrap();
        }
        let mut query = AuditQuery { limit: Some(2), ..AuditQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = test.store.audit_page(&query).await.unwrap();
            assert_eq!(page.total, 5);
            seen.extend(page.items.iter().map(|e| e.subject.clone()));
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["test:4", "test:3", "test:2", "test:1", "test:0"]);
    }
}
