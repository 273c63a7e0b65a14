//! People who may log in.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, audit, detail};
use super::notice_rules::is_address;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{ChangeSession, ChangeUser, NewUser, Person, Role, User, from_wire_name, wire_name};

/// How many users there may be; enough for a province with all its agencies.
pub const MAX_USERS: i64 = 5_000;

impl Store {
    /// All users by name.
    pub async fn users(&self) -> StoreResult<Vec<User>> {
        let rows = sqlx::query("SELECT * FROM users ORDER BY name").fetch_all(&self.readers).await?;
        Ok(rows.iter().map(user).collect::<Result<_, _>>()?)
    }

    /// A user by id.
    pub async fn user(&self, id: &str) -> StoreResult<User> {
        let row = sqlx::query("SELECT * FROM users WHERE id = $1").bind(id).fetch_optional(&self.readers).await?;
        row.map(|row| user(&row)).transpose()?.ok_or(StoreError::NotFound("user"))
    }

    /// A user by the name they log in with, and the hash of their password where they have one.
    pub async fn user_by_name(&self, name: &str) -> StoreResult<Option<(User, Option<String>)>> {
        let row = sqlx::query("SELECT * FROM users WHERE name = $1").bind(name).fetch_optional(&self.readers).await?;
        row.map(|row| Ok((user(&row)?, row.try_get("password_hash")?))).transpose()
    }

    /// True until somebody has set a password as an administrator.
    pub async fn needs_setup(&self) -> StoreResult<bool> {
        let admins: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE role = 'admin' AND password_hash IS NOT NULL")
                .fetch_one(&self.readers)
                .await?;
        Ok(admins == 0)
    }

    /// Adds a user without a password; they set it through a one-time link.
    pub async fn add_user(&self, new: &NewUser, actor: &Actor) -> StoreResult<User> {
        let mut change = self.begin().await?;
        let id = insert_user(&mut change, new, None, self.now_us()).await?;
        let agency = new.agency_id.as_deref().unwrap_or_default();
        let what = detail([("name", &new.name), ("role", &wire_name(&new.role)), ("agency", agency)]);
        audit(&mut change, self.now_us(), actor, "user.added", &format!("user:{id}"), &what).await?;
        change.commit().await?;
        self.user(&id).await
    }

    /// Changes a user's role or shuts them out; their sessions end then.
    pub async fn change_user(&self, id: &str, wish: &ChangeUser, actor: &Actor) -> StoreResult<User> {
        let before = self.user(id).await?;
        let role = wish.role.unwrap_or(before.role);
        let disabled = wish.disabled.unwrap_or(before.disabled);
        let agency_id = match &wish.agency_id {
            None => before.agency_id.clone(),
            Some(id) => Some(id.clone()).filter(|id| !id.is_empty()),
        };
        let mut change = self.begin().await?;
        check_agency(&mut change, role, agency_id.as_deref()).await?;
        if before.role == Role::Admin && (role != Role::Admin || disabled) {
            keep_an_administrator(&mut change, id).await?;
        }
        // Who is let in again begins anew: the account counts as used now.
        let used_us = (before.disabled && !disabled).then(|| self.now_us());
        sqlx::query(
            "UPDATE users SET role = $1, disabled = $2, agency_id = $3, used_us = COALESCE($4, used_us) WHERE id = $5",
        )
        .bind(wire_name(&role))
        .bind(disabled)
        .bind(agency_id.clone())
        .bind(used_us)
        .bind(id)
        .execute(&mut *change)
        .await?;
        if let Some(mail) = &wish.mail {
            set_mail(&mut change, id, mail).await?;
        }
        let remove_code = wish.remove_code == Some(true);
        if remove_code {
            sqlx::query("UPDATE users SET totp_secret = NULL, totp_proposed = NULL, totp_step = 0 WHERE id = $1")
                .bind(id)
                .execute(&mut *change)
                .await?;
            sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(id).execute(&mut *change).await?;
        }
        if role != before.role || agency_id != before.agency_id || disabled || remove_code {
            sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(id).execute(&mut *change).await?;
        }
        let mut what = detail([("role", &wire_name(&role)), ("disabled", if disabled { "true" } else { "false" })]);
        what.extend(agency_id.map(|id| ("agency".to_owned(), id)));
        what.extend(wish.mail.clone().map(|mail| ("mail".to_owned(), mail)));
        if remove_code {
            what.insert("code_removed".to_owned(), "true".to_owned());
        }
        audit(&mut change, self.now_us(), actor, "user.changed", &format!("user:{id}"), &what).await?;
        change.commit().await?;
        self.user(id).await
    }

    /// Changes what users may change of themselves.
    pub async fn change_own(&self, id: &str, wish: &ChangeSession, actor: &Actor) -> StoreResult<User> {
        let before = self.user(id).await?;
        let display_name = wish.display_name.clone().unwrap_or_else(|| before.display_name.clone());
        check_display_name(&display_name)?;
        let mut change = self.begin().await?;
        sqlx::query("UPDATE users SET locale = $1, theme = $2, display_name = $3 WHERE id = $4")
            .bind(wire_name(&wish.locale.unwrap_or(before.locale)))
            .bind(wire_name(&wish.theme.unwrap_or(before.theme)))
            .bind(display_name.trim())
            .bind(id)
            .execute(&mut *change)
            .await?;
        audit(&mut change, self.now_us(), actor, "user.own_settings", &format!("user:{id}"), &detail([])).await?;
        change.commit().await?;
        self.user(id).await
    }

    /// A user as others see them, or an error when there is none who may be given work.
    pub async fn assignable(&self, id: &str) -> StoreResult<Person> {
        let user = self.user(id).await?;
        let works = matches!(user.role, Role::Analyst | Role::Manager | Role::Admin);
        if user.disabled || !works {
            return Err(StoreError::invalid("user_id", "this user does not work on alerts"));
        }
        Ok(user.person())
    }
}

/// Refuses an agency that is not there, and administrators with one: they look after what belongs to everybody.
async fn check_agency(change: &mut Change, role: Role, agency_id: Option<&str>) -> StoreResult<()> {
    let Some(id) = agency_id else { return Ok(()) };
    if role == Role::Admin {
        return Err(StoreError::invalid("agency_id", "administrators look after everything; choose another role"));
    }
    let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM agencies WHERE id = $1")
        .bind(id.to_owned())
        .fetch_one(&mut **change)
        .await?;
    if known > 0 { Ok(()) } else { Err(StoreError::invalid("agency_id", "there is no such agency; add it first")) }
}

/// Refuses when this is the last administrator who can log in.
pub(super) async fn keep_an_administrator(change: &mut Change, id: &str) -> StoreResult<()> {
    let others: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled = 0 AND password_hash IS NOT NULL AND id <> $1",
    )
    .bind(id)
    .fetch_one(&mut **change)
    .await?;
    if others == 0 {
        return Err(StoreError::refused("last_admin", "this is the last administrator; make another one first"));
    }
    Ok(())
}

/// Sets the mail address that a provider may vouch for; none where it is empty.
async fn set_mail(change: &mut Change, id: &str, mail: &str) -> StoreResult<()> {
    let mail = Some(mail.trim().to_lowercase()).filter(|mail| !mail.is_empty());
    if let Some(mail) = mail.as_ref().filter(|mail| mail.chars().count() > 200 || !is_address(mail)) {
        return Err(StoreError::invalid("mail", format!("`{mail}` is no e-mail address")));
    }
    let others: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE mail = $1 AND id <> $2")
        .bind(mail.clone())
        .bind(id)
        .fetch_one(&mut **change)
        .await?;
    if others > 0 {
        return Err(StoreError::invalid("mail", "another user has this address"));
    }
    sqlx::query("UPDATE users SET mail = $1 WHERE id = $2").bind(mail).bind(id).execute(&mut **change).await?;
    Ok(())
}

/// Inserts a user and answers the id.
pub(super) async fn insert_user(
    change: &mut Change,
    new: &NewUser,
    password_hash: Option<&str>,
    now_us: i64,
) -> StoreResult<String> {
    check_name(&new.name)?;
    check_display_name(&new.display_name)?;
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users").fetch_one(&mut **change).await?;
    if count >= MAX_USERS {
        return Err(StoreError::refused("too_many_users", format!("there are {MAX_USERS} users, which is the limit")));
    }
    let taken: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE name = $1")
        .bind(new.name.clone())
        .fetch_one(&mut **change)
        .await?;
    if taken > 0 {
        return Err(StoreError::invalid("name", "there is a user of this name already"));
    }
    let agency_id = new.agency_id.clone().filter(|id| !id.is_empty());
    check_agency(change, new.role, agency_id.as_deref()).await?;
    let id = new_id();
    sqlx::query(
        "INSERT INTO users (id, name, display_name, role, locale, theme, password_hash, created_us, used_us, agency_id, \
         password_set_us) VALUES ($1, $2, $3, $4, 'vi', 'dark', $5, $6, $6, $7, $8)",
    )
    .bind(id.clone())
    .bind(new.name.clone())
    .bind(new.display_name.trim().to_owned())
    .bind(wire_name(&new.role))
    .bind(password_hash.map(str::to_owned))
    .bind(now_us)
    .bind(agency_id)
    .bind(password_hash.map(|_| now_us))
    .execute(&mut **change)
    .await?;
    Ok(id)
}

fn check_name(name: &str) -> StoreResult<()> {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
    if fits { Ok(()) } else { Err(StoreError::invalid("name", "use 1 to 64 small letters a-z, digits, '.', '-', '_'")) }
}

fn check_display_name(name: &str) -> StoreResult<()> {
    let length = name.trim().chars().count();
    let fits = (1..=100).contains(&length) && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(StoreError::invalid("display_name", "use 1 to 100 characters")) }
}

/// The user of a row of the table.
pub(super) fn user(row: &SqliteRow) -> Result<User, sqlx::Error> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let password_hash: Option<String> = row.try_get("password_hash")?;
    let last_login_us: Option<i64> = row.try_get("last_login_us")?;
    Ok(User {
        id: text("id")?,
        name: text("name")?,
        display_name: text("display_name")?,
        // A role that is not understood (a newer database) may do the least.
        role: from_wire_name(&text("role")?).unwrap_or(Role::Agency),
        agency_id: row.try_get("agency_id")?,
        locale: from_wire_name(&text("locale")?).unwrap_or_default(),
        theme: from_wire_name(&text("theme")?).unwrap_or_default(),
        disabled: row.try_get("disabled")?,
        two_factor: row.try_get::<Option<String>, _>("totp_secret")?.is_some(),
        invited: password_hash.is_none() && last_login_us.is_none(),
        mail: row.try_get("mail")?,
        created_at: clock::to_text(row.try_get("created_us")?),
        last_login_at: last_login_us.map(clock::to_text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    pub(super) fn new(name: &str, role: Role) -> NewUser {
        NewUser { name: name.into(), display_name: format!("Người {name}"), role, agency_id: None }
    }

    #[tokio::test]
    async fn names_are_checked_and_taken_once() {
        let test = testing::store().await;
        test.store.add_user(&new("lan", Role::Analyst), &Actor::default()).await.unwrap();
        for bad in ["lan", "Lan", "", "a b", &"x".repeat(65)] {
            let error = test.store.add_user(&new(bad, Role::Analyst), &Actor::default()).await.unwrap_err();
            assert!(matches!(error, StoreError::Invalid { field: "name", .. }), "{bad}: {error}");
        }
    }

    #[tokio::test]
    async fn the_last_administrator_stays() {
        let test = testing::store().await;
        let mut change = test.store.begin().await.unwrap();
        let id = insert_user(&mut change, &new("root", Role::Admin), Some("hash"), 0).await.unwrap();
        change.commit().await.unwrap();
        let wish = ChangeUser { disabled: Some(true), ..ChangeUser::default() };
        let error = test.store.change_user(&id, &wish, &Actor::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { code: "last_admin", .. }), "{error}");
    }
}
