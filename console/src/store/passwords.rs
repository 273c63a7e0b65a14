//! Passwords over time: those that were, so that they do not come back, and accounts that nobody uses any more.

use sqlx::Row as _;

use super::audit::{Actor, audit, detail};
use super::users::keep_an_administrator;
use super::{Change, Store, StoreError, StoreResult};
use crate::model::{Role, from_wire_name};

/// How many earlier passwords of somebody are kept; the oldest go.
pub const MAX_HISTORY: u32 = 24;

impl Store {
    /// The hashes of somebody's newest passwords, the one in force first.
    pub async fn password_hashes(&self, user_id: &str, count: u32) -> StoreResult<Vec<String>> {
        let kept: Option<Option<String>> = sqlx::query_scalar("SELECT password_hash FROM users WHERE id = $1")
            .bind(user_id)
            .fetch_optional(&self.readers)
            .await?;
        let old: Vec<String> =
            sqlx::query_scalar("SELECT hash FROM old_passwords WHERE user_id = $1 ORDER BY set_us DESC LIMIT $2")
                .bind(user_id)
                .bind(i64::from(count))
                .fetch_all(&self.readers)
                .await?;
        Ok(kept.flatten().into_iter().chain(old).take(usize::try_from(count).unwrap_or(usize::MAX)).collect())
    }

    /// Sets somebody's own new password; every session of theirs but this one ends.
    pub async fn change_password(&self, user_id: &str, hash: &str, session: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        replace_password(&mut change, user_id, hash, now_us).await?;
        sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND digest <> $2")
            .bind(user_id)
            .bind(session)
            .execute(&mut *change)
            .await?;
        audit(&mut change, now_us, actor, "user.password_changed", &format!("user:{user_id}"), &detail([])).await?;
        change.commit().await?;
        Ok(())
    }

    /// Shuts the accounts into which nobody came for so long, and whose tokens nobody used; answers how many. The last
    /// administrator stays.
    pub async fn shut_unused(&self, days: u32) -> StoreResult<u64> {
        if days == 0 {
            return Ok(0);
        }
        let before_us = self.now_us().saturating_sub(i64::from(days) * crate::auth::profile::DAY_US);
        let unused = "SELECT id, role FROM users WHERE disabled = 0 AND COALESCE(used_us, created_us) <= $1 AND id NOT IN \
             (SELECT user_id FROM api_tokens WHERE revoked_us IS NULL AND used_us > $1)";
        if sqlx::query(unused).bind(before_us).fetch_all(&self.readers).await?.is_empty() {
            return Ok(0);
        }
        let mut change = self.begin().await?;
        let rows = sqlx::query(unused).bind(before_us).fetch_all(&mut *change).await?;
        let mut shut = 0;
        for row in rows {
            let (id, role): (String, String) = (row.try_get("id")?, row.try_get("role")?);
            if from_wire_name(&role) == Some(Role::Admin) {
                match keep_an_administrator(&mut change, &id).await {
                    Err(StoreError::Refused { .. }) => continue,
                    other => other?,
                }
            }
            sqlx::query("UPDATE users SET disabled = 1 WHERE id = $1").bind(&id).execute(&mut *change).await?;
            sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(&id).execute(&mut *change).await?;
            let what = detail([("unused_days", &days.to_string())]);
            let subject = format!("user:{id}");
            audit(&mut change, self.now_us(), &Actor::default(), "user.shut_unused", &subject, &what).await?;
            shut += 1;
        }
        change.commit().await?;
        Ok(shut)
    }
}

/// Puts a password in force and the one before it among the old ones.
pub(super) async fn replace_password(change: &mut Change, user_id: &str, hash: &str, now_us: i64) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO old_passwords (user_id, hash, set_us) \
         SELECT id, password_hash, COALESCE(password_set_us, created_us) FROM users \
         WHERE id = $1 AND password_hash IS NOT NULL",
    )
    .bind(user_id)
    .execute(&mut **change)
    .await?;
    sqlx::query(
        "DELETE FROM old_passwords WHERE user_id = $1 AND set_us < \
         (SELECT MIN(set_us) FROM (SELECT set_us FROM old_passwords WHERE user_id = $1 ORDER BY set_us DESC LIMIT $2) kept)",
    )
    .bind(user_id)
    .bind(i64::from(MAX_HISTORY))
    .execute(&mut **change)
    .await?;
    sqlx::query("UPDATE users SET password_hash = $1, password_set_us = $2 WHERE id = $3")
        .bind(hash)
        .bind(now_us)
        .bind(user_id)
        .execute(&mut **change)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChangeUser, NewUser};
    use crate::store::testing::{self, TestStore};

    const DAY_S: i64 = 86_400;

    async fn user(test: &TestStore, name: &str, role: Role) -> String {
        let new = NewUser { name: name.into(), display_name: name.into(), role, agency_id: None };
        let id = test.store.add_user(&new, &Actor::default()).await.unwrap().id;
        test.store.change_password(&id, "first", "", &Actor::default()).await.unwrap();
        id
    }

    #[tokio::test]
    async fn earlier_passwords_are_known_newest_first_and_bounded() {
        let test = testing::store().await;
        let id = user(&test, "lan", Role::Analyst).await;
        for n in 0..40 {
            test.clock.advance_s(DAY_S);
            test.store.change_password(&id, &format!("h{n}"), "", &Actor::default()).await.unwrap();
        }
        assert_eq!(test.store.password_hashes(&id, 3).await.unwrap(), ["h39", "h38", "h37"]);
        let all = test.store.password_hashes(&id, 1_000).await.unwrap();
        assert_eq!(all.len(), MAX_HISTORY as usize + 1);
        assert_eq!(test.store.password_hashes(&id, 0).await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn an_account_nobody_uses_is_shut_and_the_last_administrator_is_not() {
        let test = testing::store().await;
        let (root, lan) = (user(&test, "root", Role::Admin).await, user(&test, "lan", Role::Analyst).await);
        test.clock.advance_s(44 * DAY_S);
        assert_eq!(test.store.shut_unused(45).await.unwrap(), 0);
        test.clock.advance_s(DAY_S);
        assert_eq!(test.store.shut_unused(0).await.unwrap(), 0, "the policy does not ask for it");
        assert_eq!(test.store.shut_unused(45).await.unwrap(), 1);
        assert!(test.store.user(&lan).await.unwrap().disabled);
        assert!(!test.store.user(&root).await.unwrap().disabled);
        let again = ChangeUser { disabled: Some(false), ..ChangeUser::default() };
        test.store.change_user(&lan, &again, &Actor::default()).await.unwrap();
        assert_eq!(test.store.shut_unused(45).await.unwrap(), 0, "who is let in again has their days before them");
    }
}
