//! Sessions. The database knows a session only by the SHA-256 of its secret.

use sqlx::Row as _;

use super::audit::{Actor, audit, detail};
use super::users::user;
use super::{Store, StoreResult};
use crate::model::User;

/// A use is written down only when the last one is longer ago than this, so that reading stays cheap.
const TOUCH_AFTER_US: i64 = 60 * 1_000_000;

/// How many sessions a user may have at once; the oldest end when there are more.
const MAX_SESSIONS_A_USER: i64 = 20;

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub struct SessionLife {
    /// Without a request.
    pub idle_us: i64,
    /// Without a request of an administrator.
    pub idle_admin_us: i64,
    /// At the longest.
    pub absolute_us: i64,
}

/// A session that is valid now.
#[derive(Debug, Clone)]
pub struct ValidSession {
    /// Whose.
    pub user: User,
    /// What changes must carry.
    pub csrf_token: String,
    /// When it ends at the latest, microseconds.
    pub expires_us: i64,
    /// How its owner came in.
    pub entry: Entry,
    /// When the password was set with which its owner came in, microseconds; nothing where a provider vouched.
    pub password_set_us: Option<i64>,
}

/// How somebody came in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    /// An identity provider vouched for them, and no password of ours was asked for.
    pub by_provider: bool,
    /// A second factor was shown to the provider.
    pub strong: bool,
}

impl Store {
    /// From where users have logged in: name and address, the latest last, at most `limit`.
    pub async fn known_places(&self, limit: usize) -> StoreResult<Vec<(String, String)>> {
        let rows = sqlx::query(
            "SELECT u.name, a.address FROM audit a JOIN users u ON u.id = a.by_id \
             WHERE a.action = 'session.opened' AND a.address IS NOT NULL \
             GROUP BY u.name, a.address ORDER BY MAX(a.number) DESC LIMIT $1",
        )
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().rev().map(|row| Ok((row.try_get("name")?, row.try_get("address")?))).collect()
    }

    /// Opens a session after a log-in.
    pub async fn open_session(
        &self,
        digest: &str,
        csrf_token: &str,
        user_id: &str,
        (life, entry): (SessionLife, Entry),
        actor: &Actor,
    ) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_us <= $1 OR seen_us <= $2")
            .bind(now_us)
            .bind(now_us - life.idle_us.max(life.idle_admin_us))
            .execute(&mut *change)
            .await?;
        sqlx::query(
            "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE user_id = $1 \
             ORDER BY created_us DESC LIMIT 1000 OFFSET $2)",
        )
        .bind(user_id)
        .bind(MAX_SESSIONS_A_USER - 1)
        .execute(&mut *change)
        .await?;
        sqlx::query(
            "INSERT INTO sessions (digest, user_id, csrf_token, created_us, seen_us, expires_us, by_provider, strong) \
             VALUES ($1, $2, $3, $4, $4, $5, $6, $7)",
        )
        .bind(digest)
        .bind(user_id)
        .bind(csrf_token)
        .bind(now_us)
        .bind(now_us + life.absolute_us)
        .bind(entry.by_provider)
        .bind(entry.strong)
        .execute(&mut *change)
        .await?;
        sqlx::query("UPDATE users SET last_login_us = $1, used_us = $1 WHERE id = $2")
            .bind(now_us)
            .bind(user_id)
            .execute(&mut *change)
            .await?;
        let actor = Actor { user_id: Some(user_id.to_owned()), ..actor.clone() };
        let what = detail([("by", if entry.by_provider { "openid" } else { "" })]);
        audit(&mut change, now_us, &actor, "session.opened", &format!("user:{user_id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// The session, if it is valid now; `touch` counts this as a use.
    pub async fn session(&self, digest: &str, life: SessionLife, touch: bool) -> StoreResult<Option<ValidSession>> {
        let now_us = self.now_us();
        let row = sqlx::query(
            "SELECT u.*, s.csrf_token, s.seen_us, s.expires_us, s.by_provider, s.strong \
             FROM sessions s JOIN users u ON u.id = s.user_id \
             WHERE s.digest = $1 AND s.expires_us > $2 AND u.disabled = 0 \
             AND s.seen_us > CASE WHEN u.role = 'admin' THEN $3 ELSE $4 END",
        )
        .bind(digest)
        .bind(now_us)
        .bind(now_us - life.idle_admin_us)
        .bind(now_us - life.idle_us)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let seen_us: i64 = row.try_get("seen_us")?;
        if touch && now_us - seen_us > TOUCH_AFTER_US {
            sqlx::query("UPDATE sessions SET seen_us = $1 WHERE digest = $2")
                .bind(now_us)
                .bind(digest)
                .execute(&self.writer)
                .await?;
        }
        let entry = Entry { by_provider: row.try_get("by_provider")?, strong: row.try_get("strong")? };
        let password_set_us: Option<i64> = row.try_get("password_set_us")?;
        Ok(Some(ValidSession {
            user: user(&row)?,
            entry,
            password_set_us: password_set_us.filter(|_| !entry.by_provider),
            csrf_token: row.try_get("csrf_token")?,
            expires_us: row.try_get("expires_us")?,
        }))
    }

    /// Ends a session.
    pub async fn close_session(&self, digest: &str, actor: &Actor) -> StoreResult<()> {
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE digest = $1").bind(digest).execute(&mut *change).await?;
        let subject = format!("user:{}", actor.user_id.as_deref().unwrap_or_default());
        audit(&mut change, self.now_us(), actor, "session.closed", &subject, &detail([])).await?;
        change.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewUser, Role};
    use crate::store::testing::{self, TestStore};

    const LIFE: SessionLife =
        SessionLife { idle_us: 1_800_000_000, idle_admin_us: 1_800_000_000, absolute_us: 43_200_000_000 };

    async fn with_session() -> TestStore {
        let test = testing::store().await;
        let new = NewUser { name: "lan".into(), display_name: "Lan".into(), role: Role::Analyst, agency_id: None };
        let user = test.store.add_user(&new, &Actor::default()).await.unwrap();
        test.store.open_session("digest", "csrf", &user.id, (LIFE, Entry::default()), &Actor::default()).await.unwrap();
        test
    }

    #[tokio::test]
    async fn an_idle_session_lapses_and_use_keeps_it() {
        let test = with_session().await;
        for _ in 0..3 {
            test.clock.advance_s(20 * 60);
            assert!(test.store.session("digest", LIFE, true).await.unwrap().is_some());
        }
        test.clock.advance_s(31 * 60);
        assert!(test.store.session("digest", LIFE, true).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn looking_without_touching_does_not_keep_it() {
        let test = with_session().await;
        test.clock.advance_s(20 * 60);
        assert!(test.store.session("digest", LIFE, false).await.unwrap().is_some());
        test.clock.advance_s(11 * 60);
        assert!(test.store.session("digest", LIFE, false).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn no_session_lives_longer_than_the_absolute_limit() {
        let test = with_session().await;
        for _ in 0..35 {
            test.clock.advance_s(20 * 60);
            assert!(test.store.session("digest", LIFE, true).await.unwrap().is_some());
        }
        test.clock.advance_s(20 * 60);
        assert!(test.store.session("digest", LIFE, true).await.unwrap().is_none());
    }
}
