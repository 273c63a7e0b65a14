//! Accounts at an identity provider, and who they are here.

use super::audit::{Actor, audit, detail};
use super::users::{insert_user, user};
use super::{Change, Store, StoreError, StoreResult};
use crate::model::{NewUser, User, wire_name};

/// An account at a provider.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// Who it is there.
    pub subject: &'a str,
}

impl Store {
    /// Who an account at a provider is here.
    pub async fn identified(&self, identity: Identity<'_>) -> StoreResult<Option<User>> {
        let row = sqlx::query(
            "SELECT u.* FROM identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = $1 AND i.subject = $2",
        )
        .bind(identity.issuer)
        .bind(identity.subject)
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(|row| user(&row)).transpose()?)
    }

    /// The user whom administrators gave this mail address.
    pub async fn user_by_mail(&self, mail: &str) -> StoreResult<Option<User>> {
        let row = sqlx::query("SELECT * FROM users WHERE mail = $1").bind(mail).fetch_optional(&self.readers).await?;
        Ok(row.map(|row| user(&row)).transpose()?)
    }

    /// Whether somebody has linked an account at this provider.
    pub async fn has_identity(&self, user_id: &str, issuer: &str) -> StoreResult<bool> {
        let found: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM identities WHERE user_id = $1 AND issuer = $2")
            .bind(user_id)
            .bind(issuer)
            .fetch_one(&self.readers)
            .await?;
        Ok(found > 0)
    }

    /// Links an account at a provider with a user who has none there yet.
    pub async fn link_identity(&self, identity: Identity<'_>, user_id: &str, actor: &Actor) -> StoreResult<()> {
        let mut change = self.begin().await?;
        insert_identity(&mut change, identity, user_id, self.now_us()).await?;
        let what = detail([("issuer", identity.issuer), ("subject", identity.subject)]);
        audit(&mut change, self.now_us(), actor, "user.linked", &format!("user:{user_id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// Takes the link away.
    pub async fn unlink_identity(&self, user_id: &str, issuer: &str, actor: &Actor) -> StoreResult<()> {
        let mut change = self.begin().await?;
        let gone = sqlx::query("DELETE FROM identities WHERE user_id = $1 AND issuer = $2")
            .bind(user_id)
            .bind(issuer)
            .execute(&mut *change)
            .await?;
        if gone.rows_affected() > 0 {
            let what = detail([("issuer", issuer)]);
            audit(&mut change, self.now_us(), actor, "user.unlinked", &format!("user:{user_id}"), &what).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Makes a user for an account at a provider whom nobody knows here.
    pub async fn add_identified(&self, identity: Identity<'_>, new: &NewUser, actor: &Actor) -> StoreResult<User> {
        let mut change = self.begin().await?;
        let id = insert_user(&mut change, new, None, self.now_us()).await?;
        insert_identity(&mut change, identity, &id, self.now_us()).await?;
        let (role, agency) = (wire_name(&new.role), new.agency_id.as_deref().unwrap_or_default());
        let what = detail([
            ("name", &new.name),
            ("role", &role),
            ("agency", agency),
            ("issuer", identity.issuer),
            ("subject", identity.subject),
        ]);
        audit(&mut change, self.now_us(), actor, "user.added", &format!("user:{id}"), &what).await?;
        change.commit().await?;
        self.user(&id).await
    }

    /// The id of an agency that is named by it or by its code.
    pub async fn agency_named(&self, text: &str) -> StoreResult<Option<String>> {
        let found =
            sqlx::query_scalar("SELECT id FROM agencies WHERE id = $1 OR code = $1 ORDER BY id = $1 DESC LIMIT 1")
                .bind(text)
                .fetch_optional(&self.readers)
                .await?;
        Ok(found)
    }
}

async fn insert_identity(change: &mut Change, identity: Identity<'_>, user_id: &str, now_us: i64) -> StoreResult<()> {
    let taken: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM identities WHERE issuer = $1 AND (subject = $2 OR user_id = $3)")
            .bind(identity.issuer)
            .bind(identity.subject)
            .bind(user_id)
            .fetch_one(&mut **change)
            .await?;
    if taken > 0 {
        let message = "this account at the identity provider, or this user, is linked already; undo that link first";
        return Err(StoreError::refused("openid_linked", message));
    }
    sqlx::query("INSERT INTO identities (issuer, subject, user_id, linked_us) VALUES ($1, $2, $3, $4)")
        .bind(identity.issuer)
        .bind(identity.subject)
        .bind(user_id)
        .bind(now_us)
        .execute(&mut **change)
        .await?;
    Ok(())
}
