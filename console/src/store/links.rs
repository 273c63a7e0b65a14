//! One-time links: the first administrator's and those of invited users. Only the digest of a link's token is kept.

use sqlx::Row as _;

use super::audit::{Actor, audit, detail};
use super::passwords::replace_password;
use super::users::{insert_user, user};
use super::{Store, StoreError, StoreResult};
use crate::model::{NewUser, Role, User};

/// How long a link works.
pub const LINK_LIFE_US: i64 = 24 * 3600 * 1_000_000;

/// Who comes in through a link.
#[derive(Debug, Clone)]
pub struct Entrant {
    /// The name of a first administrator; an invited user has one already.
    pub name: String,
    /// The name people call them by; the invited user's own where it is empty.
    pub display_name: String,
    /// The hash of the new password.
    pub password_hash: String,
}

impl Store {
    /// Keeps a link: for a user, or for the first administrator. Earlier links of the same purpose stop working.
    pub async fn add_link(&self, digest: &str, user_id: Option<&str>) -> StoreResult<i64> {
        let expires_us = self.now_us() + LINK_LIFE_US;
        let mut change = self.begin().await?;
        sqlx::query("DELETE FROM links WHERE expires_us < $1 OR COALESCE(user_id, '') = $2")
            .bind(self.now_us())
            .bind(user_id.unwrap_or_default())
            .execute(&mut *change)
            .await?;
        sqlx::query("INSERT INTO links (digest, user_id, expires_us) VALUES ($1, $2, $3)")
            .bind(digest)
            .bind(user_id)
            .bind(expires_us)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(expires_us)
    }

    /// True when the link would work now; looked at before the costly hashing of a password.
    pub async fn link_works(&self, digest: &str) -> StoreResult<bool> {
        let found: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM links WHERE digest = $1 AND expires_us > $2")
            .bind(digest)
            .bind(self.now_us())
            .fetch_one(&self.readers)
            .await?;
        Ok(found > 0)
    }

    /// Whose password the link sets; nobody's where it makes the first administrator.
    pub async fn link_owner(&self, digest: &str) -> StoreResult<Option<User>> {
        let row = sqlx::query("SELECT u.* FROM links l JOIN users u ON u.id = l.user_id WHERE l.digest = $1")
            .bind(digest)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(|row| user(&row)).transpose()?)
    }

    /// Uses a link up: makes the first administrator or sets the invited user's password; answers the user's id.
    pub async fn use_link(&self, digest: &str, entrant: &Entrant, actor: &Actor) -> StoreResult<String> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query("DELETE FROM links WHERE digest = $1 AND expires_us > $2 RETURNING user_id")
            .bind(digest)
            .bind(now_us)
            .fetch_optional(&mut *change)
            .await?;
        let row = row.ok_or_else(|| {
            StoreError::refused("link_lapsed", "the link was used already or has lapsed; ask for a new one")
        })?;
        let invited: Option<String> = row.try_get("user_id")?;
        let id = match invited {
            Some(id) => {
                replace_password(&mut change, &id, &entrant.password_hash, now_us).await?;
                sqlx::query("UPDATE users SET display_name = COALESCE(NULLIF($1, ''), display_name) WHERE id = $2")
                    .bind(entrant.display_name.trim())
                    .bind(&id)
                    .execute(&mut *change)
                    .await?;
                sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(&id).execute(&mut *change).await?;
                id
            }
            None => {
                let new = NewUser {
                    name: entrant.name.clone(),
                    display_name: entrant.display_name.clone(),
                    role: Role::Admin,
                    agency_id: None,
                };
                insert_user(&mut change, &new, Some(&entrant.password_hash), now_us).await?
            }
        };
        let actor = Actor { user_id: Some(id.clone()), ..actor.clone() };
        audit(&mut change, now_us, &actor, "user.password_set", &format!("user:{id}"), &detail([])).await?;
        change.commit().await?;
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    fn entrant() -> Entrant {
        Entrant { name: "lan".into(), display_name: "Lan".into(), password_hash: "hash".into() }
    }

    #[tokio::test]
    async fn a_link_works_once() {
        let test = testing::store().await;
        assert!(test.store.needs_setup().await.unwrap());
        test.store.add_link("digest", None).await.unwrap();
        test.store.use_link("digest", &entrant(), &Actor::default()).await.unwrap();
        assert!(!test.store.needs_setup().await.unwrap());
        let again = test.store.use_link("digest", &entrant(), &Actor::default()).await.unwrap_err();
        assert!(matches!(again, StoreError::Refused { code: "link_lapsed", .. }), "{again}");
    }

    #[tokio::test]
    async fn a_link_lapses_and_a_new_one_replaces_the_old() {
        let test = testing::store().await;
        test.store.add_link("first", None).await.unwrap();
        test.store.add_link("second", None).await.unwrap();
        assert!(!test.store.link_works("first").await.unwrap());
        assert!(test.store.link_works("second").await.unwrap());
        test.clock.advance_s(24 * 3600);
        assert!(!test.store.link_works("second").await.unwrap());
        assert!(test.store.use_link("second", &entrant(), &Actor::default()).await.is_err());
    }

    #[tokio::test]
    async fn a_name_that_does_not_fit_leaves_the_link_working() {
        let test = testing::store().await;
        test.store.add_link("digest", None).await.unwrap();
        let bad = Entrant { name: "Not Good".into(), ..entrant() };
        assert!(test.store.use_link("digest", &bad, &Actor::default()).await.is_err());
        assert!(test.store.link_works("digest").await.unwrap());
    }
}
