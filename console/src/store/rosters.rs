//! Rosters as they are kept, those who stand in, and where notices reach people.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, audit, detail};
use super::sql::person;
use super::users::user;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{Handover, NewRosterOverride, NoticeAddress, Person, SaveRoster, User};

/// How many rosters there may be.
pub const MAX_ROSTERS: i64 = 50;
/// How many handovers a roster may have.
pub const MAX_HANDOVERS: usize = 200;
/// How many people may stand in at once or later, for each roster.
pub const MAX_OVERRIDES: i64 = 200;
/// The longest name, in characters.
const MAX_NAME: usize = 80;
/// The longest reason, in characters.
const MAX_REASON: usize = 500;
/// How far ahead somebody may stand in.
const MAX_AHEAD_US: i64 = 400 * 86_400_000_000;

/// A roster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptRoster {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many weeks the cycle has.
    pub weeks: u8,
    /// A day of the first week.
    pub first_day: String,
    /// The handovers.
    pub handovers: Vec<Handover>,
    /// Those who stand in now or later.
    pub overrides: Vec<KeptOverride>,
    /// Rises with each change.
    pub version: i64,
}

/// Somebody who stands in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptOverride {
    /// Its id; ids rise with time.
    pub id: String,
    /// Who.
    pub user_id: String,
    /// From when, microseconds, inclusive.
    pub from_us: i64,
    /// Until when, exclusive.
    pub to_us: i64,
    /// Why.
    pub reason: String,
    /// Who arranged it.
    pub by: Option<Person>,
}

/// A user, and where notices reach them.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The user.
    pub user: User,
    /// Their mail address for notices.
    pub mail: Option<String>,
}

impl Store {
    /// All rosters by name, with those who stand in now or later.
    pub async fn rosters(&self) -> StoreResult<Vec<KeptRoster>> {
        let rows = sqlx::query("SELECT * FROM rosters ORDER BY name").fetch_all(&self.readers).await?;
        let mut rosters = rows.iter().map(roster).collect::<Result<Vec<_>, _>>()?;
        let rows = sqlx::query(
            "SELECT o.*, u.name AS by_name, u.display_name AS by_display FROM roster_overrides o \
             LEFT JOIN users u ON u.id = o.by_id WHERE o.to_us > $1 ORDER BY o.from_us, o.id",
        )
        .bind(self.now_us())
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            let of: String = row.try_get("roster_id")?;
            if let Some(roster) = rosters.iter_mut().find(|roster| roster.id == of) {
                roster.overrides.push(KeptOverride {
                    id: row.try_get("id")?,
                    user_id: row.try_get("user_id")?,
                    from_us: row.try_get("from_us")?,
                    to_us: row.try_get("to_us")?,
                    reason: row.try_get("reason")?,
                    by: person(row, "by")?,
                });
            }
        }
        Ok(rosters)
    }

    /// Makes a roster, or changes the one of the id.
    pub async fn save_roster(&self, id: Option<&str>, wish: &SaveRoster, actor: &Actor) -> StoreResult<String> {
        let handovers = self.checked_roster(wish).await?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let name = wish.name.trim();
        only_one(&mut change, "SELECT COUNT(*) FROM rosters WHERE name = $1 AND id <> $2", name, id).await?;
        let id = match id {
            Some(id) => {
                let done = sqlx::query(
                    "UPDATE rosters SET name = $1, weeks = $2, first_day = $3, handovers = $4, version = version + 1, \
                     changed_us = $5, changed_by = $6 WHERE id = $7 AND version = $8",
                )
                .bind(name)
                .bind(i64::from(wish.weeks))
                .bind(&wish.first_day)
                .bind(&handovers)
                .bind(now_us)
                .bind(&actor.user_id)
                .bind(id)
                .bind(wish.version)
                .execute(&mut *change)
                .await?;
                if done.rows_affected() == 0 {
                    let row = sqlx::query("SELECT * FROM rosters WHERE id = $1").bind(id).fetch_optional(&mut *change);
                    let now = roster(&row.await?.ok_or(StoreError::NotFound("roster"))?)?;
                    let current = serde_json::json!({"name": now.name, "weeks": now.weeks, "first_day": now.first_day,
                        "handovers": now.handovers, "version": now.version});
                    return Err(StoreError::Conflict(Box::new(current)));
                }
                id.to_owned()
            }
            None => {
                let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM rosters").fetch_one(&mut *change).await?;
                if count >= MAX_ROSTERS {
                    let message = format!("there are {MAX_ROSTERS} rosters already; delete one first");
                    return Err(StoreError::refused("too_many_rosters", message));
                }
                let id = new_id();
                sqlx::query(
                    "INSERT INTO rosters (id, name, weeks, first_day, handovers, version, changed_us, changed_by) \
                     VALUES ($1, $2, $3, $4, $5, 1, $6, $7)",
                )
                .bind(&id)
                .bind(name)
                .bind(i64::from(wish.weeks))
                .bind(&wish.first_day)
                .bind(&handovers)
                .bind(now_us)
                .bind(&actor.user_id)
                .execute(&mut *change)
                .await?;
                id
            }
        };
        let what = detail([("name", name), ("handovers", &wish.handovers.len().to_string())]);
        audit(&mut change, now_us, actor, "roster.saved", &format!("roster:{id}"), &what).await?;
        change.commit().await?;
        Ok(id)
    }

    /// Deletes a roster.
    pub async fn delete_roster(&self, id: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query("DELETE FROM rosters WHERE id = $1 RETURNING name").bind(id).fetch_optional(&mut *change);
        let name: String = row.await?.ok_or(StoreError::NotFound("roster"))?.try_get("name")?;
        audit(&mut change, now_us, actor, "roster.deleted", &format!("roster:{id}"), &detail([("name", &name)]))
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// Has somebody stand in.
    pub async fn add_override(&self, roster_id: &str, wish: &NewRosterOverride, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let moment = |field, text: &str| {
            clock::from_text(text).ok_or_else(|| StoreError::invalid(field, "use RFC 3339, as in 2026-11-22T03:00:00Z"))
        };
        let (from_us, to_us) = (moment("from", &wish.from)?, moment("to", &wish.to)?);
        if to_us <= now_us.max(from_us) {
            return Err(StoreError::invalid("to", "choose a later end: after the beginning and in the future"));
        }
        if to_us - now_us > MAX_AHEAD_US {
            return Err(StoreError::invalid("to", "choose an end within 400 days"));
        }
        let reason = wish.reason.trim();
        if reason.chars().count() > MAX_REASON {
            return Err(StoreError::invalid("reason", format!("use at most {MAX_REASON} characters")));
        }
        self.assignable(&wish.user_id).await?;
        let mut change = self.begin().await?;
        let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM rosters WHERE id = $1")
            .bind(roster_id)
            .fetch_one(&mut *change)
            .await?;
        if known == 0 {
            return Err(StoreError::NotFound("roster"));
        }
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM roster_overrides WHERE roster_id = $1 AND to_us > $2")
                .bind(roster_id)
                .bind(now_us)
                .fetch_one(&mut *change)
                .await?;
        if count >= MAX_OVERRIDES {
            let message = format!("there are {MAX_OVERRIDES} of these already; remove one first");
            return Err(StoreError::refused("too_many_overrides", message));
        }
        let id = new_id();
        sqlx::query(
            "INSERT INTO roster_overrides (id, roster_id, user_id, from_us, to_us, reason, at_us, by_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&id)
        .bind(roster_id)
        .bind(&wish.user_id)
        .bind(from_us)
        .bind(to_us)
        .bind(reason)
        .bind(now_us)
        .bind(&actor.user_id)
        .execute(&mut *change)
        .await?;
        let what = detail([("user", &wish.user_id), ("from", &wish.from), ("to", &wish.to)]);
        audit(&mut change, now_us, actor, "roster.stand_in", &format!("roster:{roster_id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// Nobody stands in any more.
    pub async fn remove_override(&self, roster_id: &str, id: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query("DELETE FROM roster_overrides WHERE id = $1 AND roster_id = $2 RETURNING user_id")
            .bind(id)
            .bind(roster_id)
            .fetch_optional(&mut *change)
            .await?;
        let user: String = row.ok_or(StoreError::NotFound("override"))?.try_get("user_id")?;
        let what = detail([("user", &user)]);
        audit(&mut change, now_us, actor, "roster.stand_in_removed", &format!("roster:{roster_id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// All users, and where notices reach them.
    pub async fn contacts(&self) -> StoreResult<Vec<Contact>> {
        let rows = sqlx::query(
            "SELECT u.*, n.mail AS notice_mail FROM users u LEFT JOIN notice_addresses n ON n.user_id = u.id \
             ORDER BY u.name",
        )
        .fetch_all(&self.readers)
        .await?;
        let contact = |row: &SqliteRow| Ok(Contact { user: user(row)?, mail: row.try_get("notice_mail")? });
        Ok(rows.iter().map(contact).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Where notices reach those who work here and in agencies, by name.
    pub async fn notice_addresses(&self) -> StoreResult<Vec<NoticeAddress>> {
        let all = self.contacts().await?.into_iter();
        let works = all.filter(|one| !one.user.disabled);
        Ok(works.map(|one| NoticeAddress { user: one.user.person(), mail: one.mail }).collect())
    }

    /// Sets where notices reach a user; an empty address takes it away.
    pub async fn set_notice_address(&self, user_id: &str, mail: &str, actor: &Actor) -> StoreResult<()> {
        self.user(user_id).await?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        if mail.is_empty() {
            sqlx::query("DELETE FROM notice_addresses WHERE user_id = $1").bind(user_id).execute(&mut *change).await?;
        } else {
            sqlx::query(
                "INSERT INTO notice_addresses (user_id, mail, changed_us) VALUES ($1, $2, $3) \
                 ON CONFLICT (user_id) DO UPDATE SET mail = excluded.mail, changed_us = excluded.changed_us",
            )
            .bind(user_id)
            .bind(mail)
            .bind(now_us)
            .execute(&mut *change)
            .await?;
        }
        audit(&mut change, now_us, actor, "user.notice_address", &format!("user:{user_id}"), &detail([("mail", mail)]))
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// The handovers as they are kept; an error where the roster makes no sense.
    async fn checked_roster(&self, wish: &SaveRoster) -> StoreResult<String> {
        check_name(&wish.name)?;
        if !(1..=8).contains(&wish.weeks) {
            return Err(StoreError::invalid("weeks", "use 1 to 8"));
        }
        if clock::monday(&wish.first_day).is_none() {
            return Err(StoreError::invalid("first_day", "use YYYY-MM-DD"));
        }
        if wish.handovers.len() > MAX_HANDOVERS {
            return Err(StoreError::invalid("handovers", format!("name at most {MAX_HANDOVERS} handovers")));
        }
        let mut moments = std::collections::BTreeSet::new();
        for one in &wish.handovers {
            if !(1..=wish.weeks).contains(&one.week) || !(1..=7).contains(&one.day) {
                return Err(StoreError::invalid("handovers", "choose a week of the cycle and a day from 1 to 7"));
            }
            if clock::time_of_day(&one.time).is_none() {
                return Err(StoreError::invalid("handovers", "write times as HH:MM"));
            }
            if !moments.insert((one.week, one.day, &one.time)) {
                return Err(StoreError::invalid("handovers", "only one person can take over at a time"));
            }
            self.assignable(&one.user_id).await?;
        }
        Ok(serde_json::to_string(&wish.handovers).unwrap_or_else(|_| "[]".to_owned()))
    }
}

/// A name of 1 to so many characters.
pub(super) fn check_name(name: &str) -> StoreResult<()> {
    let fits = (1..=MAX_NAME).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(StoreError::invalid("name", format!("use 1 to {MAX_NAME} characters"))) }
}

/// Refuses a name that another one has already; `sql` counts those of a name that have another id.
pub(super) async fn only_one(change: &mut Change, sql: &'static str, name: &str, id: Option<&str>) -> StoreResult<()> {
    let others: i64 = sqlx::query_scalar(sql).bind(name).bind(id.unwrap_or_default()).fetch_one(&mut **change).await?;
    if others == 0 { Ok(()) } else { Err(StoreError::invalid("name", "there is one of this name already")) }
}

fn roster(row: &SqliteRow) -> Result<KeptRoster, sqlx::Error> {
    let (weeks, handovers): (i64, String) = (row.try_get("weeks")?, row.try_get("handovers")?);
    Ok(KeptRoster {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        weeks: u8::try_from(weeks).unwrap_or(1),
        first_day: row.try_get("first_day")?,
        handovers: serde_json::from_str(&handovers).unwrap_or_default(),
        overrides: Vec::new(),
        version: row.try_get("version")?,
    })
}
