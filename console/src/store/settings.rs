//! Small values that must survive a restart: the place in the collector's alert stream.

use sqlx::Row as _;

use super::{Change, Store, StoreResult};

/// The highest sequence of the collector's fan-out that is stored here.
const ALERT_CURSOR: &str = "alert_cursor";

impl Store {
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
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(ALERT_CURSOR)
    .bind(sequence.to_string())
    .execute(&mut **change)
    .await?;
    Ok(())
}
