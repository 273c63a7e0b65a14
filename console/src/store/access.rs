//! Second factors and tokens. Of recovery codes and tokens only digests are kept; the secret of an app must be kept as it
//! is, because codes are computed from it.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, audit, detail};
use super::cases::checked;
use super::users::user;
use super::{Store, StoreError, StoreResult, new_id};
use crate::auth::{secrets, totp};
use crate::clock;
use crate::model::{ApiToken, ApiTokenList, NewApiToken, TokenScope, User, from_wire_name, wire_name};

/// How many tokens that work one person may have.
pub const MAX_TOKENS: i64 = 20;

/// The longest life of a token, in days.
pub const MAX_DAYS: u32 = 365;

/// A use is written down only when the last one is longer ago than this.
const TOUCH_AFTER_US: i64 = 60_000_000;

impl Store {
    /// Keeps a secret that is proposed to somebody; the one in force stays until it is confirmed.
    pub async fn propose_code(&self, user_id: &str, secret: &str) -> StoreResult<()> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE users SET totp_proposed = $1 WHERE id = $2")
            .bind(secret)
            .bind(user_id)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    /// Puts the proposed secret in force if the code fits; the recovery codes replace earlier ones.
    pub async fn confirm_code(&self, user_id: &str, code: &str, recovery: &[String], actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let proposed: Option<String> = sqlx::query_scalar("SELECT totp_proposed FROM users WHERE id = $1")
            .bind(user_id)
            .fetch_one(&mut *change)
            .await?;
        let step = proposed.as_deref().and_then(|secret| totp::fits(secret, code, now_us, 0));
        let step =
            step.ok_or_else(|| StoreError::invalid("code", "the code does not fit; check the app and the clock"))?;
        sqlx::query("UPDATE users SET totp_secret = totp_proposed, totp_proposed = NULL, totp_step = $1 WHERE id = $2")
            .bind(step)
            .bind(user_id)
            .execute(&mut *change)
            .await?;
        sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user_id).execute(&mut *change).await?;
        for code in recovery {
            sqlx::query("INSERT INTO recovery_codes (digest, user_id) VALUES ($1, $2)")
                .bind(secrets::digest(code))
                .bind(user_id)
                .execute(&mut *change)
                .await?;
        }
        audit(&mut change, now_us, actor, "user.code_set", &format!("user:{user_id}"), &detail([])).await?;
        change.commit().await?;
        Ok(())
    }

    /// Uses a code of the app or a recovery code up; false when it does not fit.
    pub async fn use_code(&self, user_id: &str, code: &str, actor: &Actor) -> StoreResult<bool> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query("SELECT totp_secret, totp_step FROM users WHERE id = $1")
            .bind(user_id)
            .fetch_one(&mut *change)
            .await?;
        let (secret, last): (Option<String>, i64) = (row.try_get("totp_secret")?, row.try_get("totp_step")?);
        if let Some(step) = secret.as_deref().and_then(|secret| totp::fits(secret, code, now_us, last)) {
            sqlx::query("UPDATE users SET totp_step = $1 WHERE id = $2")
                .bind(step)
                .bind(user_id)
                .execute(&mut *change)
                .await?;
            change.commit().await?;
            return Ok(true);
        }
        let recovery = code.trim().to_lowercase();
        let used = sqlx::query("DELETE FROM recovery_codes WHERE digest = $1 AND user_id = $2")
            .bind(secrets::digest(&recovery))
            .bind(user_id)
            .execute(&mut *change)
            .await?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
        audit(&mut change, now_us, actor, "user.recovery_used", &format!("user:{user_id}"), &detail([])).await?;
        change.commit().await?;
        Ok(true)
    }

    /// Takes somebody's second factor away.
    pub async fn remove_code(&self, user_id: &str, actor: &Actor) -> StoreResult<()> {
        let mut change = self.begin().await?;
        sqlx::query("UPDATE users SET totp_secret = NULL, totp_proposed = NULL, totp_step = 0 WHERE id = $1")
            .bind(user_id)
            .execute(&mut *change)
            .await?;
        sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user_id).execute(&mut *change).await?;
        audit(&mut change, self.now_us(), actor, "user.code_removed", &format!("user:{user_id}"), &detail([])).await?;
        change.commit().await?;
        Ok(())
    }

    /// Makes a token; only the digest of its secret is kept.
    pub async fn make_token(
        &self,
        new: &NewApiToken,
        digest: &str,
        owner: &str,
        actor: &Actor,
    ) -> StoreResult<ApiToken> {
        let name = checked("name", &new.name, 1, 100)?;
        if !(1..=MAX_DAYS).contains(&new.days) {
            return Err(StoreError::invalid("days", format!("choose 1 to {MAX_DAYS} days")));
        }
        let now_us = self.now_us();
        let expires_us = now_us + i64::from(new.days) * 86_400_000_000;
        let mut change = self.begin().await?;
        let working: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM api_tokens WHERE user_id = $1 AND revoked_us IS NULL AND expires_us > $2",
        )
        .bind(owner)
        .bind(now_us)
        .fetch_one(&mut *change)
        .await?;
        if working >= MAX_TOKENS {
            let message = format!("there are {MAX_TOKENS} tokens already; revoke one first");
            return Err(StoreError::refused("too_many_tokens", message));
        }
        let id = new_id();
        sqlx::query(
            "INSERT INTO api_tokens (id, digest, user_id, name, scope, created_us, expires_us) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id.clone())
        .bind(digest)
        .bind(owner)
        .bind(name.clone())
        .bind(wire_name(&new.scope))
        .bind(now_us)
        .bind(expires_us)
        .execute(&mut *change)
        .await?;
        let what =
            detail([("name", &name), ("scope", &wire_name(&new.scope)), ("expires", &clock::to_text(expires_us))]);
        audit(&mut change, now_us, actor, "token.made", &format!("token:{id}"), &what).await?;
        change.commit().await?;
        let made = self.tokens(owner).await?.items.into_iter().find(|token| token.id == id);
        made.ok_or(StoreError::NotFound("token"))
    }

    /// Somebody's tokens, the newest first.
    pub async fn tokens(&self, owner: &str) -> StoreResult<ApiTokenList> {
        let rows =
            sqlx::query("SELECT * FROM api_tokens WHERE user_id = $1 ORDER BY created_us DESC, id DESC LIMIT 200")
                .bind(owner)
                .fetch_all(&self.readers)
                .await?;
        Ok(ApiTokenList { items: rows.iter().map(token).collect::<Result<_, _>>()? })
    }

    /// Revokes a token of one's own.
    pub async fn revoke_token(&self, id: &str, owner: &str, actor: &Actor) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let done =
            sqlx::query("UPDATE api_tokens SET revoked_us = $1 WHERE id = $2 AND user_id = $3 AND revoked_us IS NULL")
                .bind(now_us)
                .bind(id)
                .bind(owner)
                .execute(&mut *change)
                .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound("token"));
        }
        audit(&mut change, now_us, actor, "token.revoked", &format!("token:{id}"), &detail([])).await?;
        change.commit().await?;
        Ok(())
    }

    /// Whose token this is and what it may do, while it works and its owner may come in.
    pub async fn token_owner(&self, digest: &str) -> StoreResult<Option<(User, TokenScope)>> {
        let now_us = self.now_us();
        let row = sqlx::query(
            "SELECT u.*, t.id AS token_id, t.scope, t.used_us FROM api_tokens t JOIN users u ON u.id = t.user_id \
             WHERE t.digest = $1 AND t.revoked_us IS NULL AND t.expires_us > $2 AND u.disabled = 0",
        )
        .bind(digest)
        .bind(now_us)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let used_us: Option<i64> = row.try_get("used_us")?;
        if used_us.is_none_or(|used_us| now_us - used_us > TOUCH_AFTER_US) {
            sqlx::query("UPDATE api_tokens SET used_us = $1 WHERE id = $2")
                .bind(now_us)
                .bind(row.try_get::<String, _>("token_id")?)
                .execute(&self.writer)
                .await?;
        }
        // A scope that is not understood (a newer database) may do the least.
        let scope: String = row.try_get("scope")?;
        Ok(Some((user(&row)?, from_wire_name(&scope).unwrap_or(TokenScope::Read))))
    }
}

fn token(row: &SqliteRow) -> Result<ApiToken, sqlx::Error> {
    let time = |name: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(name)?.map(clock::to_text));
    let scope: String = row.try_get("scope")?;
    Ok(ApiToken {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        scope: from_wire_name(&scope).unwrap_or(TokenScope::Read),
        created_at: clock::to_text(row.try_get("created_us")?),
        expires_at: clock::to_text(row.try_get("expires_us")?),
        used_at: time("used_us")?,
        revoked_at: time("revoked_us")?,
    })
}
