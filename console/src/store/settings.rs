//! Small values that must survive a restart: the place in the collector's alert stream, the
//! rule set in force.

use sqlx::Row as _;

use super::audit::{Actor, audit, detail};
use super::{Change, Store, StoreResult};

/// The highest sequence of the collector's fan-out that is stored here.
const ALERT_CURSOR: &str = "alert_cursor";

/// The digest of the rule set that was in force when it was last looked at.
const RULE_SET: &str = "rule_set";

impl Store {
    /// Notes the digest of the rule set in force; a change is a line in the audit log. True when it was one.
    pub async fn note_rule_set(&self, digest: &str, rules: usize, broken: usize) -> StoreResult<bool> {
        let known = sqlx::query_scalar::<_, String>("SELECT value FROM settings WHERE name = $1")
            .bind(RULE_SET)
            .fetch_optional(&self.readers)
            .await?;
        if known.as_deref() == Some(digest) {
            return Ok(false);
        }
        let mut change = self.begin().await?;
        set(&mut change, RULE_SET, digest).await?;
        let (rules, broken) = (rules.to_string(), broken.to_string());
        let before = known.as_deref().unwrap_or_default();
        let what = detail([("before", before), ("rules", &rules), ("broken", &broken)]);
        let subject = format!("rule_set:{digest}");
        audit(&mut change, self.now_us(), &Actor::default(), "rules.changed", &subject, &what).await?;
        change.commit().await?;
        Ok(true)
    }

    /// The highest sequence of the collector's fan-out that is stored here; 0 before the first.
    pub async fn alert_cursor(&self) -> StoreResult<u64> {
        let row = sqlx::query("SELECT value FROM settings WHERE name = $1")
            .bind(ALERT_CURSOR)
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(0) };
        let value: String = row.try_get("value")?;
        Ok(value.parse().unwrap_or(0))
    }

    /// Follows the collector from its first alert again.
    pub async fn reset_alert_cursor(&self) -> StoreResult<()> {
        let mut change = self.begin().await?;
        set_alert_cursor(&mut change, 0).await?;
        change.commit().await?;
        Ok(())
    }
}

/// Moves the cursor, in the transaction that stores what it has passed.
pub(super) async fn set_alert_cursor(change: &mut Change, sequence: u64) -> StoreResult<()> {
    set(change, ALERT_CURSOR, &sequence.to_string()).await
}

async fn set(change: &mut Change, name: &str, value: &str) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name.to_owned())
    .bind(value.to_owned())
    .execute(&mut **change)
    .await?;
    Ok(())
}
