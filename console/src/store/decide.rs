//! Decisions on alerts: close, reopen, assign, escalate. Each checks the version that was seen, changes the row, and
//! writes history and audit in the same transaction; of two analysts the second gets the alert as it is now.

use luytre_collector_api::{Agency, Severity};
use sqlx::Row as _;

use super::acts::Act;
use super::audit::{Actor, Detail, HistoryOf, audit, detail, history};
use super::cases::{insert_case, visible};
use super::reach::Reach;
use super::sql::{Conditions, severity_of};
use super::{Change, Store, StoreError, StoreResult};
use crate::model::{AlertStatus, CaseDetail, NewCase, Verdict, from_wire_name, wire_name};

/// How long a reason may be, in characters.
pub const MAX_REASON: usize = 2000;

/// A decision on one alert.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Close it.
    Close {
        /// What it turned out to be.
        verdict: Verdict,
        /// Why.
        reason: String,
    },
    /// Open it again.
    Reopen {
        /// Why.
        reason: String,
    },
    /// Give it to somebody, or to nobody.
    Assign {
        /// To whom.
        user_id: Option<String>,
    },
    /// Make it part of a case that exists.
    Escalate {
        /// The case.
        case_id: String,
    },
    /// Hide it from the queue.
    Suppress {
        /// By which suppression.
        suppression_id: String,
    },
}

/// What a decision did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The alert changed.
    Changed,
    /// It was like that already.
    Unchanged,
}

/// Where an alert within reach stands, read in the transaction that changes it.
pub(super) struct Standing {
    pub(super) status: AlertStatus,
    pub(super) verdict: Option<Verdict>,
    pub(super) reason: Option<String>,
    pub(super) decided_by: Option<String>,
    pub(super) decided_us: Option<i64>,
    pub(super) assignee_id: Option<String>,
    pub(super) case_id: Option<String>,
    pub(super) suppression_id: Option<String>,
    pub(super) version: i64,
    pub(super) severity: Severity,
    pub(super) agency_id: Option<String>,
    pub(super) agency_name: Option<String>,
    rule_id: String,
}

impl Store {
    /// Carries out a decision. With a version, a newer one is a conflict and answers the alert as it is.
    pub async fn decide(
        &self,
        id: &str,
        version: Option<i64>,
        decision: &Decision,
        actor: &Actor,
    ) -> StoreResult<Outcome> {
        check(decision)?;
        if let Decision::Assign { user_id: Some(user_id) } = decision {
            self.assignable(user_id).await?;
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let standing = standing(&mut change, id, &actor.reach).await?;
        if version.is_some_and(|seen| seen != standing.version) {
            drop(change);
            return Err(self.alert_conflict(id, actor).await?);
        }
        let mut act = Act::new(actor, now_us);
        let outcome = carry_out(&mut change, id, &standing, decision, &mut act).await?;
        change.commit().await?;
        Ok(outcome)
    }

    /// Makes alerts part of a case, all of them or none; answers those that changed.
    pub(super) async fn escalate_all(
        &self,
        change: &mut Change,
        ids: &[String],
        case_id: &str,
        actor: &Actor,
    ) -> StoreResult<Vec<String>> {
        let mut act = Act::new(actor, self.now_us());
        let decision = Decision::Escalate { case_id: case_id.to_owned() };
        let mut changed = Vec::new();
        for id in ids {
            let standing = standing(change, id, &actor.reach).await?;
            if carry_out(change, id, &standing, &decision, &mut act).await? == Outcome::Changed {
                changed.push(id.clone());
            }
        }
        Ok(changed)
    }

    /// Opens a case for an alert and puts the alert into it, in one step.
    pub async fn escalate_new(
        &self,
        id: &str,
        version: i64,
        new: &NewCase,
        agency: Option<Agency>,
        actor: &Actor,
    ) -> StoreResult<CaseDetail> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let standing = standing(&mut change, id, &actor.reach).await?;
        if version != standing.version {
            drop(change);
            return Err(self.alert_conflict(id, actor).await?);
        }
        // The alert's agency, unless another one was named.
        let own = standing.agency_id.clone().map(|id| (id.clone(), standing.agency_name.clone().unwrap_or(id)));
        let agency = agency.map(|a| (a.id, a.name)).or(own);
        let case_id = insert_case(&mut change, new, agency, actor, now_us).await?;
        let decision = Decision::Escalate { case_id: case_id.clone() };
        let mut act = Act::new(actor, now_us);
        carry_out(&mut change, id, &standing, &decision, &mut act).await?;
        act.opened(&mut change, &case_id).await?;
        change.commit().await?;
        self.case(&case_id, actor.viewer()).await
    }

    /// The severity an alert has, for a case that is opened from it.
    pub async fn alert_severity(&self, id: &str) -> StoreResult<Severity> {
        Ok(self.alert_row(id).await?.severity)
    }

    async fn alert_conflict(&self, id: &str, actor: &Actor) -> StoreResult<StoreError> {
        let current = self.alert(id, &actor.reach).await?;
        Ok(StoreError::Conflict(Box::new(serde_json::to_value(current).unwrap_or_default())))
    }
}

pub(super) fn check(decision: &Decision) -> StoreResult<()> {
    match decision {
        Decision::Close { reason, .. } | Decision::Reopen { reason } => {
            let length = reason.trim().chars().count();
            if (1..=MAX_REASON).contains(&length) {
                return Ok(());
            }
            Err(StoreError::invalid("reason", format!("say why, in 1 to {MAX_REASON} characters")))
        }
        Decision::Assign { .. } | Decision::Escalate { .. } | Decision::Suppress { .. } => Ok(()),
    }
}

pub(super) async fn standing(change: &mut Change, id: &str, reach: &Reach) -> StoreResult<Standing> {
    let mut conditions = Conditions::default();
    conditions.add("a.id = ?", id.to_owned())?;
    reach.narrow(&mut conditions, "a.agency_id")?;
    let sql = format!("SELECT a.* FROM alerts a{}", conditions.clause());
    let row = sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments());
    let row = row.fetch_optional(&mut **change).await?.ok_or(StoreError::NotFound("alert"))?;
    let status: String = row.try_get("status")?;
    let verdict: Option<String> = row.try_get("verdict")?;
    Ok(Standing {
        status: from_wire_name(&status).unwrap_or(AlertStatus::Open),
        verdict: verdict.and_then(|name| from_wire_name(&name)),
        reason: row.try_get("reason")?,
        decided_by: row.try_get("decided_by")?,
        decided_us: row.try_get("decided_us")?,
        assignee_id: row.try_get("assignee_id")?,
        case_id: row.try_get("case_id")?,
        suppression_id: row.try_get("suppression_id")?,
        version: row.try_get("version")?,
        severity: severity_of(row.try_get("severity")?),
        agency_id: row.try_get("agency_id")?,
        agency_name: row.try_get("agency_name")?,
        rule_id: row.try_get("rule_id")?,
    })
}

/// Changes the alert as decided, and writes down how it stood before, in history and audit.
pub(super) async fn carry_out(
    change: &mut Change,
    id: &str,
    standing: &Standing,
    decision: &Decision,
    act: &mut Act<'_>,
) -> StoreResult<Outcome> {
    let written = match decision {
        Decision::Close { verdict, reason } => close(change, id, standing, *verdict, reason, act).await?,
        Decision::Reopen { reason } => reopen(change, id, standing, reason).await?,
        Decision::Assign { user_id } => assign(change, id, standing, user_id.as_deref()).await?,
        Decision::Escalate { case_id } => escalate(change, id, standing, case_id, act).await?,
        Decision::Suppress { suppression_id } => suppress(change, id, standing, suppression_id).await?,
    };
    let Some((action, mut what)) = written else { return Ok(Outcome::Unchanged) };
    act.record(change, id, action, standing).await?;
    history(change, act.now_us, HistoryOf::Alert, id, act.actor.user_id.as_deref(), action, &what).await?;
    if !act.many {
        what.insert("rule".to_owned(), standing.rule_id.clone());
        what.insert("severity".to_owned(), wire_name(&standing.severity));
        audit(change, act.now_us, act.actor, &format!("alert.{action}"), &format!("alert:{id}"), &what).await?;
    }
    Ok(Outcome::Changed)
}

/// What was written, for history and audit; nothing when nothing changed.
type Written = Option<(&'static str, Detail)>;

async fn close(
    change: &mut Change,
    id: &str,
    standing: &Standing,
    verdict: Verdict,
    reason: &str,
    act: &Act<'_>,
) -> StoreResult<Written> {
    if standing.status == AlertStatus::Closed {
        if standing.verdict == Some(verdict) {
            return Ok(None);
        }
        return Err(StoreError::refused("not_open", "the alert is closed with another verdict; reopen it first"));
    }
    sqlx::query(
        "UPDATE alerts SET status = 'closed', verdict = $1, reason = $2, decided_by = $3, decided_us = $4, \
         version = version + 1 WHERE id = $5",
    )
    .bind(wire_name(&verdict))
    .bind(reason.trim().to_owned())
    .bind(act.actor.user_id.clone())
    .bind(act.now_us)
    .bind(id.to_owned())
    .execute(&mut **change)
    .await?;
    Ok(Some(("closed", detail([("verdict", &wire_name(&verdict)), ("reason", reason.trim())]))))
}

async fn reopen(change: &mut Change, id: &str, standing: &Standing, reason: &str) -> StoreResult<Written> {
    if standing.status == AlertStatus::Open {
        return Ok(None);
    }
    sqlx::query(
        "UPDATE alerts SET status = 'open', verdict = NULL, reason = NULL, decided_by = NULL, decided_us = NULL, \
         case_id = NULL, suppression_id = NULL, version = version + 1 WHERE id = $1",
    )
    .bind(id.to_owned())
    .execute(&mut **change)
    .await?;
    let verdict = standing.verdict.map(|v| wire_name(&v)).unwrap_or_default();
    let case_id = standing.case_id.clone().unwrap_or_default();
    Ok(Some(("reopened", detail([("reason", reason.trim()), ("earlier_verdict", &verdict), ("case_id", &case_id)]))))
}

async fn assign(change: &mut Change, id: &str, standing: &Standing, user_id: Option<&str>) -> StoreResult<Written> {
    if standing.assignee_id.as_deref() == user_id {
        return Ok(None);
    }
    let name: Option<String> = match user_id {
        Some(user_id) => {
            let row = sqlx::query("SELECT display_name FROM users WHERE id = $1").bind(user_id.to_owned());
            row.fetch_optional(&mut **change).await?.map(|row| row.try_get("display_name")).transpose()?
        }
        None => None,
    };
    sqlx::query("UPDATE alerts SET assignee_id = $1, version = version + 1 WHERE id = $2")
        .bind(user_id.map(str::to_owned))
        .bind(id.to_owned())
        .execute(&mut **change)
        .await?;
    let to = detail([("user_id", user_id.unwrap_or_default()), ("user", name.as_deref().unwrap_or_default())]);
    Ok(Some(("assigned", to)))
}

async fn escalate(
    change: &mut Change,
    id: &str,
    standing: &Standing,
    case_id: &str,
    act: &Act<'_>,
) -> StoreResult<Written> {
    if standing.case_id.as_deref() == Some(case_id) {
        return Ok(None);
    }
    if standing.case_id.is_some() {
        return Err(StoreError::refused("in_other_case", "the alert belongs to another case; reopen it first"));
    }
    // Nobody puts an alert into a case that they may not see.
    let sql = format!("SELECT c.number, c.status FROM cases c WHERE c.id = $1 AND {}", visible("$2"));
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(case_id.to_owned())
        .bind(act.actor.viewer().to_owned())
        .fetch_optional(&mut **change)
        .await?
        .ok_or(StoreError::NotFound("case"))?;
    let status: String = row.try_get("status")?;
    if status == "closed" {
        return Err(StoreError::refused("case_closed", "the case is closed; open it again first"));
    }
    let number: i64 = row.try_get("number")?;
    sqlx::query(
        "UPDATE alerts SET status = 'escalated', case_id = $1, verdict = NULL, reason = NULL, decided_by = NULL, \
         decided_us = NULL, version = version + 1 WHERE id = $2",
    )
    .bind(case_id.to_owned())
    .bind(id.to_owned())
    .execute(&mut **change)
    .await?;
    if !act.many {
        let linked = detail([("alert_id", id), ("rule", &standing.rule_id)]);
        tell_case(change, case_id, act, &linked).await?;
    }
    Ok(Some(("escalated", detail([("case_id", case_id), ("case_number", &number.to_string())]))))
}

/// Writes into a case's history that alerts became part of it.
pub(super) async fn tell_case(change: &mut Change, case_id: &str, act: &Act<'_>, linked: &Detail) -> StoreResult<()> {
    sqlx::query("UPDATE cases SET updated_us = $1, version = version + 1 WHERE id = $2")
        .bind(act.now_us)
        .bind(case_id.to_owned())
        .execute(&mut **change)
        .await?;
    history(change, act.now_us, HistoryOf::Case, case_id, act.actor.user_id.as_deref(), "linked", linked).await
}

async fn suppress(change: &mut Change, id: &str, standing: &Standing, suppression_id: &str) -> StoreResult<Written> {
    if standing.status != AlertStatus::Open {
        return Ok(None);
    }
    sqlx::query("UPDATE alerts SET status = 'suppressed', suppression_id = $1, version = version + 1 WHERE id = $2")
        .bind(suppression_id.to_owned())
        .bind(id.to_owned())
        .execute(&mut **change)
        .await?;
    Ok(Some(("suppressed", detail([("suppression_id", suppression_id)]))))
}
