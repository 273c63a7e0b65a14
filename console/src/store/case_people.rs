//! Who may see a case, who works on it, who is told of something in it.

use sqlx::Row as _;

use super::audit::{Actor, Detail, detail};
use super::cases::{tell, visible, work_on};
use super::sql::person;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{CaseDetail, Inbox, InboxItem, Person, RestrictCase};

/// How many people a restricted case may name.
pub const MAX_MEMBERS: usize = 100;

/// How many people one note may call.
const MAX_MENTIONS: usize = 20;

/// How many notices somebody keeps; the oldest go first.
const MAX_INBOX: i64 = 500;

/// How many of them are answered.
const SHOWN: i64 = 50;

impl Store {
    /// Whether somebody may see a case; false where there is none.
    pub async fn may_see_case(&self, id: &str, user_id: &str) -> StoreResult<bool> {
        let sql = format!("SELECT COUNT(*) FROM cases c WHERE c.id = $1 AND {}", visible("$2"));
        let found: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(id).bind(user_id).fetch_one(&self.readers).await?;
        Ok(found > 0)
    }

    /// Who may hear of a case (nobody in particular while it is not restricted), and whose it is.
    pub async fn case_audience(&self, id: &str) -> StoreResult<(Option<Vec<String>>, Option<String>)> {
        let row = sqlx::query("SELECT restricted, agency_id FROM cases WHERE id = $1").bind(id);
        let row = row.fetch_optional(&self.readers).await?;
        let (restricted, agency) = match &row {
            Some(row) => (row.try_get("restricted")?, row.try_get("agency_id")?),
            None => (true, None),
        };
        if !restricted {
            return Ok((None, agency));
        }
        let members = sqlx::query_scalar("SELECT user_id FROM case_members WHERE case_id = $1");
        Ok((Some(members.bind(id).fetch_all(&self.readers).await?), agency))
    }

    pub(super) async fn case_members(&self, id: &str) -> StoreResult<Vec<Person>> {
        let rows = sqlx::query(
            "SELECT u.id AS by_id, u.name AS by_name, u.display_name AS by_display FROM case_members m \
             JOIN users u ON u.id = m.user_id WHERE m.case_id = $1 ORDER BY u.name",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        let people = rows.iter().map(|row| person(row, "by")).collect::<Result<Vec<_>, _>>()?;
        Ok(people.into_iter().flatten().collect())
    }

    /// Somebody who may be given work in a case: works on cases, and may see this one.
    pub(super) async fn worker_of(&self, id: &str, field: &'static str, user_id: &str) -> StoreResult<Person> {
        let person = self.assignable(user_id).await.map_err(|error| match error {
            StoreError::Database(cause) => StoreError::Database(cause),
            _ => StoreError::invalid(field, "this user does not work on cases"),
        })?;
        if !self.may_see_case(id, user_id).await? {
            return Err(StoreError::invalid(field, "this user may not see the case; name them in it first"));
        }
        Ok(person)
    }

    /// Says who may see a case.
    pub async fn restrict_case(&self, id: &str, wish: &RestrictCase, actor: &Actor) -> StoreResult<CaseDetail> {
        if wish.user_ids.len() > MAX_MEMBERS {
            return Err(StoreError::invalid("user_ids", format!("name at most {MAX_MEMBERS} people")));
        }
        let mut wanted = Vec::new();
        for user_id in wish.user_ids.iter().map(String::as_str).chain([actor.viewer()]) {
            let user = self.user(user_id).await?;
            if user.disabled || user.role == crate::model::Role::Agency {
                return Err(StoreError::invalid("user_ids", "this user does not work on cases"));
            }
            if !wanted.contains(&user.id) {
                wanted.push(user.id);
            }
        }
        let before: Vec<String> = self.case_members(id).await?.into_iter().map(|person| person.id).collect();
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let done = sqlx::query(
            "UPDATE cases SET restricted = $1, fields_version = version WHERE id = $2 AND fields_version <= $3",
        )
        .bind(wish.restricted)
        .bind(id)
        .bind(wish.version)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            drop(change);
            return Err(self.case_conflict(id, actor).await?);
        }
        sqlx::query("DELETE FROM case_members WHERE case_id = $1").bind(id).execute(&mut *change).await?;
        let mut names = Vec::new();
        if wish.restricted {
            for user_id in &wanted {
                add_member(&mut change, id, user_id, actor, now_us).await?;
                if !before.contains(user_id) {
                    told_of(&mut change, user_id, "member", id, actor, now_us).await?;
                }
                names.push(self.user(user_id).await?.name);
            }
        }
        let (restricted, names) = (wish.restricted.to_string(), names.join(", "));
        let what: Detail = detail([("restricted", &restricted), ("members", &names)]);
        tell(&mut change, id, "restricted", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    /// What somebody is told of, newest first; of cases that they may still see.
    pub async fn inbox(&self, user_id: &str) -> StoreResult<Inbox> {
        let from = format!(
            "FROM inbox i JOIN cases c ON c.id = i.case_id LEFT JOIN users u ON u.id = i.by_id WHERE i.user_id = $1 AND {}",
            visible("$1")
        );
        let sql = format!(
            "SELECT i.*, c.number AS case_number, c.title AS case_title, u.name AS by_name, u.display_name AS by_display \
             {from} ORDER BY i.at_us DESC, i.id DESC LIMIT {SHOWN}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(user_id).fetch_all(&self.readers).await?;
        let items = rows
            .iter()
            .map(|row| {
                Ok(InboxItem {
                    id: row.try_get("id")?,
                    at: clock::to_text(row.try_get("at_us")?),
                    kind: row.try_get("kind")?,
                    case_id: row.try_get("case_id")?,
                    case_number: row.try_get("case_number")?,
                    case_title: row.try_get("case_title")?,
                    by: person(row, "by")?,
                    seen: row.try_get::<Option<i64>, _>("seen_us")?.is_some(),
                })
            })
            .collect::<Result<_, sqlx::Error>>()?;
        let sql = format!("SELECT COUNT(*) {from} AND i.seen_us IS NULL");
        let unseen: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(user_id).fetch_one(&self.readers).await?;
        Ok(Inbox { items, unseen: unseen.unsigned_abs() })
    }

    /// Everything that somebody is told of was looked at.
    pub async fn see_inbox(&self, user_id: &str) -> StoreResult<()> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE inbox SET seen_us = $1 WHERE user_id = $2 AND seen_us IS NULL")
            .bind(self.now_us())
            .bind(user_id)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }
}

/// Names somebody who may see a restricted case.
pub(super) async fn add_member(
    change: &mut Change,
    case_id: &str,
    user_id: &str,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO case_members (case_id, user_id, at_us, by_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (case_id, user_id) DO NOTHING",
    )
    .bind(case_id.to_owned())
    .bind(user_id.to_owned())
    .bind(now_us)
    .bind(actor.user_id.clone())
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Tells somebody of something in a case; nobody is told of what they did themselves.
pub(super) async fn told_of(
    change: &mut Change,
    user_id: &str,
    kind: &str,
    case_id: &str,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    if actor.user_id.as_deref() == Some(user_id) {
        return Ok(());
    }
    sqlx::query("INSERT INTO inbox (id, user_id, at_us, kind, case_id, by_id) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(new_id())
        .bind(user_id.to_owned())
        .bind(now_us)
        .bind(kind.to_owned())
        .bind(case_id.to_owned())
        .bind(actor.user_id.clone())
        .execute(&mut **change)
        .await?;
    sqlx::query(
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE user_id = $1 ORDER BY at_us DESC, id DESC \
         LIMIT 1000 OFFSET $2)",
    )
    .bind(user_id.to_owned())
    .bind(MAX_INBOX)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Tells those whom a text calls with `@name`, where they may see the case.
pub(super) async fn tell_mentioned(
    change: &mut Change,
    case_id: &str,
    text: &str,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    for name in mentioned(text) {
        let sql = format!(
            "SELECT u.id FROM users u JOIN cases c ON c.id = $1 WHERE u.name = $2 AND u.disabled = 0 AND u.role <> 'agency' \
             AND {}",
            visible("u.id")
        );
        let user_id: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(case_id.to_owned())
            .bind(name)
            .fetch_optional(&mut **change)
            .await?;
        if let Some(user_id) = user_id {
            told_of(change, &user_id, "mentioned", case_id, actor, now_us).await?;
        }
    }
    Ok(())
}

/// The names that a text calls, each once. An `@` inside a word (an e-mail address) calls nobody.
fn mentioned(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        if letter == '@' && !before.is_alphanumeric() {
            let rest = text.get(at + 1..).unwrap_or_default();
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
                .map(|c| c.to_ascii_lowercase())
                .collect();
            let name = name.trim_end_matches(['.', '-', '_']).to_owned();
            if !name.is_empty() && !names.contains(&name) && names.len() < MAX_MENTIONS {
                names.push(name);
            }
        }
        before = letter;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_called_once_and_addresses_call_nobody() {
        assert_eq!(mentioned("@lan xem giúp, (@minh-2). @lan @"), ["lan", "minh-2"]);
        assert!(mentioned("gửi tới truc@tinh.example, giá 5@").is_empty());
        assert_eq!(mentioned("Đã@lan").len(), 0, "inside a word");
        assert_eq!(mentioned(&"@a1 ".repeat(50)).len(), 1);
    }
}
