//! Evidence of a case: bundles that the collector sealed and holds, and the chain of custody: who had them in hand,
//! when and why. What somebody does with one is written down before they have it.

use luytre_collector_api::HoldAnswer;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, audit, detail};
use super::cases::{checked, tell, work_on};
use super::sql::person;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{CaseEvidence, Custody};

/// How many bundles a case may hold.
pub const MAX_EVIDENCE: i64 = 500;

/// How long a reason may be, in characters.
const MAX_REASON: usize = 500;

impl Store {
    /// Looks whether evidence of an alert can be sealed for a case, and answers the case's number and the reason.
    pub async fn may_seal(&self, id: &str, alert_id: &str, reason: &str) -> StoreResult<(i64, String)> {
        let reason = checked("reason", reason, 1, MAX_REASON)?;
        let row = sqlx::query("SELECT case_id FROM alerts WHERE id = $1")
            .bind(alert_id)
            .fetch_optional(&self.readers)
            .await?
            .ok_or(StoreError::NotFound("alert"))?;
        if row.try_get::<Option<String>, _>("case_id")?.as_deref() != Some(id) {
            return Err(StoreError::invalid("alert_id", "the alert is not part of this case"));
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM case_evidence WHERE case_id = $1")
            .bind(id)
            .fetch_one(&self.readers)
            .await?;
        if count >= MAX_EVIDENCE {
            let message = format!("the case has {MAX_EVIDENCE} of these, which is the limit");
            return Err(StoreError::refused("case_full", message));
        }
        let (case, _, _) = self.case_head(id).await?;
        Ok((case.number, reason))
    }

    /// Keeps what the collector has sealed.
    pub async fn sealed(
        &self,
        id: &str,
        alert_id: &str,
        held: &HoldAnswer,
        reason: &str,
        actor: &Actor,
    ) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let evidence_id = new_id();
        let contents = format!("{} events, {} flows, {} files", held.events, held.flows, held.files);
        sqlx::query(
            "INSERT INTO case_evidence (id, case_id, alert_id, digest, name, bytes, contents, missing, at_us) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(evidence_id.clone())
        .bind(id)
        .bind(alert_id)
        .bind(held.item.id.clone())
        .bind(held.item.name.clone())
        .bind(i64::try_from(held.item.bytes).unwrap_or(i64::MAX))
        .bind(contents)
        .bind(serde_json::to_string(&held.missing).unwrap_or_default())
        .bind(now_us)
        .execute(&mut *change)
        .await?;
        in_hand(&mut change, &evidence_id, "sealed", reason, actor, now_us).await?;
        let what = detail([("alert_id", alert_id), ("sha256", &held.item.id), ("reason", reason)]);
        tell(&mut change, id, "evidence_sealed", &what, actor, now_us).await?;
        audit(&mut change, now_us, actor, "evidence.sealed", &format!("case:{id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// Writes down that somebody takes evidence in hand, or gives it up, and answers its digest.
    pub async fn take_evidence(
        &self,
        id: &str,
        evidence_id: &str,
        action: &'static str,
        reason: &str,
        actor: &Actor,
    ) -> StoreResult<String> {
        let reason = checked("reason", reason, 1, MAX_REASON)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let digest: Option<String> =
            sqlx::query_scalar("SELECT digest FROM case_evidence WHERE id = $1 AND case_id = $2")
                .bind(evidence_id)
                .bind(id)
                .fetch_optional(&mut *change)
                .await?;
        let digest = digest.ok_or(StoreError::NotFound("evidence"))?;
        if action == "released" {
            sqlx::query("UPDATE case_evidence SET released = 1 WHERE id = $1")
                .bind(evidence_id)
                .execute(&mut *change)
                .await?;
        }
        in_hand(&mut change, evidence_id, action, &reason, actor, now_us).await?;
        let what = detail([("sha256", &digest), ("reason", &reason)]);
        audit(&mut change, now_us, actor, &format!("evidence.{action}"), &format!("case:{id}"), &what).await?;
        sqlx::query("UPDATE cases SET updated_us = $1, version = version + 1 WHERE id = $2")
            .bind(now_us)
            .bind(id)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(digest)
    }

    pub(super) async fn case_evidence(&self, id: &str) -> StoreResult<Vec<CaseEvidence>> {
        let rows = sqlx::query("SELECT * FROM case_evidence WHERE case_id = $1 ORDER BY at_us, id LIMIT 500")
            .bind(id)
            .fetch_all(&self.readers)
            .await?;
        let mut items = rows.iter().map(evidence).collect::<Result<Vec<_>, _>>()?;
        let rows = sqlx::query(
            "SELECT k.*, u.name AS by_name, u.display_name AS by_display FROM case_custody k \
             JOIN case_evidence e ON e.id = k.evidence_id LEFT JOIN users u ON u.id = k.by_id \
             WHERE e.case_id = $1 ORDER BY k.at_us, k.id LIMIT 5000",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            let of: String = row.try_get("evidence_id")?;
            let line = Custody {
                at: clock::to_text(row.try_get("at_us")?),
                by: person(row, "by")?,
                action: row.try_get("action")?,
                reason: row.try_get("reason")?,
            };
            if let Some(item) = items.iter_mut().find(|item| item.id == of) {
                item.custody.push(line);
            }
        }
        Ok(items)
    }
}

async fn in_hand(
    change: &mut Change,
    evidence_id: &str,
    action: &str,
    reason: &str,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO case_custody (id, evidence_id, at_us, by_id, action, reason) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(new_id())
    .bind(evidence_id.to_owned())
    .bind(now_us)
    .bind(actor.user_id.clone())
    .bind(action.to_owned())
    .bind(reason.to_owned())
    .execute(&mut **change)
    .await?;
    Ok(())
}

fn evidence(row: &SqliteRow) -> Result<CaseEvidence, sqlx::Error> {
    let missing: String = row.try_get("missing")?;
    Ok(CaseEvidence {
        id: row.try_get("id")?,
        alert_id: row.try_get("alert_id")?,
        digest: row.try_get("digest")?,
        name: row.try_get("name")?,
        bytes: row.try_get::<i64, _>("bytes")?.unsigned_abs(),
        contents: row.try_get("contents")?,
        missing: serde_json::from_str(&missing).unwrap_or_default(),
        at: clock::to_text(row.try_get("at_us")?),
        released: row.try_get("released")?,
        custody: Vec::new(),
    })
}
