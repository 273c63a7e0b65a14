//! Decisions on many alerts in one step, and taking a decision back.
//!
//! Every decision is an act that remembers how each alert stood before. Taking it back restores exactly that, as long as
//! nobody has changed one of the alerts since: versions tell. Everything happens in one transaction; at most
//! [`MAX_MEMBERS`] alerts are decided at once, more are refused with their number.

use luytre_collector_api::{Agency, Severity};
use sqlx::Row as _;

use super::alert_filter::{add_group, filter};
use super::audit::{Actor, Detail, HistoryOf, audit, detail, history};
use super::cases::insert_case;
use super::decide::{Decision, Outcome, Standing, carry_out, check, standing, tell_case};
use super::reach::Reach;
use super::sql::{Conditions, severity_number};
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::model::{AlertQuery, BulkAnswer, BulkFailure, NewCase, wire_name};

/// How many alerts one decision may touch.
pub const MAX_MEMBERS: usize = 10_000;

/// How many failures are answered by name.
const MAX_FAILURES: usize = 20;

/// A decision under way: who decides when, and what has changed so far.
pub(super) struct Act<'a> {
    pub(super) actor: &'a Actor,
    pub(super) now_us: i64,
    /// One of many alerts: what is told once is not told for each.
    pub(super) many: bool,
    id: Option<String>,
}

impl<'a> Act<'a> {
    pub(super) fn new(actor: &'a Actor, now_us: i64) -> Self {
        Act { actor, now_us, many: false, id: None }
    }

    /// A decision on many alerts: each history has it, the audit log has it once.
    pub(super) fn many(actor: &'a Actor, now_us: i64) -> Self {
        Act { many: true, ..Act::new(actor, now_us) }
    }

    /// Its id, once something has changed.
    pub(super) fn id(&self) -> Option<String> {
        self.id.clone()
    }

    /// Writes down how an alert stood before it changed.
    pub(super) async fn record(
        &mut self,
        change: &mut Change,
        alert_id: &str,
        action: &str,
        before: &Standing,
    ) -> StoreResult<()> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let id = new_id();
                sqlx::query("INSERT INTO acts (id, at_us, by_id, action) VALUES ($1, $2, $3, $4)")
                    .bind(id.clone())
                    .bind(self.now_us)
                    .bind(self.actor.user_id.clone())
                    .bind(action.to_owned())
                    .execute(&mut **change)
                    .await?;
                self.id.insert(id).clone()
            }
        };
        sqlx::query(
            "INSERT INTO act_members (act_id, alert_id, after_version, status, verdict, reason, decided_by, decided_us, \
             assignee_id, case_id, suppression_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(id)
        .bind(alert_id.to_owned())
        .bind(before.version + 1)
        .bind(wire_name(&before.status))
        .bind(before.verdict.map(|verdict| wire_name(&verdict)))
        .bind(before.reason.clone())
        .bind(before.decided_by.clone())
        .bind(before.decided_us)
        .bind(before.assignee_id.clone())
        .bind(before.case_id.clone())
        .bind(before.suppression_id.clone())
        .execute(&mut **change)
        .await?;
        Ok(())
    }

    /// One line in the audit log, and in the case's history, for so many alerts.
    pub(super) async fn tell(&self, change: &mut Change, decision: &Decision, alerts: usize) -> StoreResult<()> {
        let Some(act_id) = self.id() else { return Ok(()) };
        let number = alerts.to_string();
        let (action, mut what): (&str, Detail) = match decision {
            Decision::Close { verdict, reason } => {
                ("closed", detail([("verdict", &wire_name(verdict)), ("reason", reason.trim())]))
            }
            Decision::Reopen { reason } => ("reopened", detail([("reason", reason.trim())])),
            Decision::Assign { user_id } => ("assigned", detail([("user_id", user_id.as_deref().unwrap_or_default())])),
            Decision::Escalate { case_id } => {
                tell_case(change, case_id, self, &detail([("alerts", &number)])).await?;
                ("escalated", detail([("case_id", case_id)]))
            }
            Decision::Suppress { suppression_id } => ("suppressed", detail([("suppression_id", suppression_id)])),
        };
        what.insert("alerts".to_owned(), number);
        what.insert("act_id".to_owned(), act_id.clone());
        let action = format!("alert.{action}");
        audit(change, self.now_us, self.actor, &action, &format!("act:{act_id}"), &what).await
    }

    /// The act opened this case: taking it back closes the case again.
    pub(super) async fn opened(&self, change: &mut Change, case_id: &str) -> StoreResult<()> {
        sqlx::query(
            "UPDATE acts SET opened_case = $1, case_version = (SELECT version FROM cases WHERE id = $1) WHERE id = $2",
        )
        .bind(case_id.to_owned())
        .bind(self.id.clone())
        .execute(&mut **change)
        .await?;
        Ok(())
    }
}

/// Which alerts a decision is about.
#[derive(Debug, Default)]
pub struct Targets<'a> {
    /// Named ones.
    pub ids: &'a [String],
    /// All members of these groups.
    pub groups: &'a [String],
    /// The question that listed the groups.
    pub filter: Option<&'a AlertQuery>,
}

/// What is decided.
#[derive(Debug)]
pub enum Wish {
    /// One decision for each.
    Decide(Decision),
    /// A new case with all of them; the worst severity and the common agency where none is named.
    OpenCase {
        /// Its title.
        title: String,
        /// Its severity.
        severity: Option<Severity>,
    },
}

/// What came of a decision on many.
#[derive(Debug, Default)]
pub struct Decided {
    /// In numbers.
    pub answer: BulkAnswer,
    /// The alerts that changed.
    pub changed: Vec<String>,
}

impl Store {
    /// Decides on many alerts in one step.
    pub async fn decide_many(&self, targets: &Targets<'_>, wish: &Wish, actor: &Actor) -> StoreResult<Decided> {
        if let Wish::Decide(decision) = wish {
            check(decision)?;
            if let Decision::Assign { user_id: Some(user_id) } = decision {
                self.assignable(user_id).await?;
            }
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let (members, missing) = members(&mut change, targets, &actor.reach).await?;
        let mut decided = Decided::default();
        for id in missing {
            fail(&mut decided.answer, id, &StoreError::NotFound("alert"));
        }
        let mut act = if members.len() > 1 { Act::many(actor, now_us) } else { Act::new(actor, now_us) };
        let decision = match wish {
            Wish::Decide(decision) => decision.clone(),
            Wish::OpenCase { title, severity } => {
                let case_id = open_case(&mut change, &members, title, *severity, actor, now_us).await?;
                Decision::Escalate { case_id }
            }
        };
        for (id, before) in &members {
            match carry_out(&mut change, id, before, &decision, &mut act).await {
                Ok(Outcome::Changed) => decided.changed.push(id.clone()),
                Ok(Outcome::Unchanged) => decided.answer.unchanged += 1,
                Err(error @ StoreError::Database(_)) => return Err(error),
                Err(error) => fail(&mut decided.answer, id.clone(), &error),
            }
        }
        decided.answer.changed = decided.changed.len() as u64;
        if decided.changed.is_empty() {
            // Nothing changed, so a new case would be an empty one: dropping the transaction forgets it.
            return Ok(decided);
        }
        decided.answer.act_id = act.id();
        if act.many {
            act.tell(&mut change, &decision, decided.changed.len()).await?;
        }
        if let Decision::Escalate { case_id } = &decision {
            if matches!(wish, Wish::OpenCase { .. }) {
                act.opened(&mut change, case_id).await?;
            }
            let number = sqlx::query_scalar("SELECT number FROM cases WHERE id = $1").bind(case_id.clone());
            decided.answer.case_number = number.fetch_optional(&mut *change).await?;
            decided.answer.case_id = Some(case_id.clone());
        }
        change.commit().await?;
        Ok(decided)
    }

    /// Takes a decision back: every alert stands again as before, or nothing changes. Answers the alerts.
    pub async fn undo(&self, act_id: &str, actor: &Actor) -> StoreResult<Vec<String>> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let act = sqlx::query("SELECT by_id, action, opened_case, case_version, undone_us FROM acts WHERE id = $1")
            .bind(act_id.to_owned())
            .fetch_optional(&mut *change)
            .await?
            .ok_or(StoreError::NotFound("decision"))?;
        if act.try_get::<Option<i64>, _>("undone_us")?.is_some() {
            return Err(StoreError::refused("already_undone", "this decision was taken back already"));
        }
        refuse_changed(&mut change, act_id).await?;
        let opened_case: Option<String> = act.try_get("opened_case")?;
        if let Some(case_id) = &opened_case {
            withdraw_case(&mut change, case_id, act.try_get("case_version")?, actor, now_us).await?;
        }
        let ids = restore(&mut change, act_id, actor, now_us).await?;
        sqlx::query("UPDATE acts SET undone_us = $1, undone_by = $2 WHERE id = $3")
            .bind(now_us)
            .bind(actor.user_id.clone())
            .bind(act_id.to_owned())
            .execute(&mut *change)
            .await?;
        let action: String = act.try_get("action")?;
        let what = detail([("alerts", &ids.len().to_string()), ("undone", &action), ("act_id", act_id)]);
        let subject = match ids.as_slice() {
            [id] => format!("alert:{id}"),
            _ => format!("act:{act_id}"),
        };
        audit(&mut change, now_us, actor, "alert.undone", &subject, &what).await?;
        change.commit().await?;
        Ok(ids)
    }
}

fn fail(answer: &mut BulkAnswer, id: String, error: &StoreError) {
    answer.failed += 1;
    if answer.failures.len() < MAX_FAILURES {
        let code = match error {
            StoreError::NotFound(_) => "not_found",
            StoreError::Refused { code, .. } => code,
            _ => "bad_request",
        };
        answer.failures.push(BulkFailure { id, code: code.to_owned(), message: error.to_string() });
    }
}

/// The alerts meant and how they stand, each once; and the named ones that do not exist.
async fn members(
    change: &mut Change,
    targets: &Targets<'_>,
    reach: &Reach,
) -> StoreResult<(Vec<(String, Standing)>, Vec<String>)> {
    let mut ids: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for id in targets.ids {
        if seen.insert(id.clone()) {
            ids.push(id.clone());
        }
    }
    let none = AlertQuery::default();
    let question = targets.filter.unwrap_or(&none);
    for key in targets.groups {
        let mut conditions = filter(question, reach)?;
        add_group(&mut conditions, question.by.unwrap_or_default(), key)?;
        for id in group_ids(change, conditions).await? {
            if seen.insert(id.clone()) {
                ids.push(id);
            }
        }
    }
    if ids.len() > MAX_MEMBERS {
        let number = ids.len();
        let message = format!("these are more than {MAX_MEMBERS} alerts ({number}); narrow the selection");
        return Err(StoreError::refused("too_many", message));
    }
    let (mut found, mut missing) = (Vec::with_capacity(ids.len()), Vec::new());
    for id in ids {
        match standing(change, &id, reach).await {
            Ok(standing) => found.push((id, standing)),
            Err(StoreError::NotFound(_)) => missing.push(id),
            Err(error) => return Err(error),
        }
    }
    Ok((found, missing))
}

async fn group_ids(change: &mut Change, conditions: Conditions) -> StoreResult<Vec<String>> {
    let sql = format!("SELECT a.id FROM alerts a{} LIMIT {}", conditions.clause(), MAX_MEMBERS * 10);
    let arguments = conditions.into_arguments();
    Ok(sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), arguments).fetch_all(&mut **change).await?)
}

async fn open_case(
    change: &mut Change,
    members: &[(String, Standing)],
    title: &str,
    severity: Option<Severity>,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<String> {
    let worst = members
        .iter()
        .map(|(_, each)| each.severity)
        .max_by_key(|each| severity_number(*each))
        .unwrap_or(Severity::Medium);
    let new = NewCase {
        title: title.to_owned(),
        severity: severity.unwrap_or(worst),
        agency_id: None,
        summary: None,
        alert_ids: Vec::new(),
        template: None,
        restricted: false,
    };
    insert_case(change, &new, common_agency(members).map(|agency| (agency.id, agency.name)), actor, now_us).await
}

/// The agency of all alerts, when it is one and the same.
fn common_agency(members: &[(String, Standing)]) -> Option<Agency> {
    let (_, first) = members.first()?;
    let id = first.agency_id.clone()?;
    let same = members.iter().all(|(_, each)| each.agency_id.as_ref() == Some(&id));
    same.then(|| Agency { name: first.agency_name.clone().unwrap_or_else(|| id.clone()), id })
}

/// Refuses when somebody changed one of the alerts since.
async fn refuse_changed(change: &mut Change, act_id: &str) -> StoreResult<()> {
    let rows = sqlx::query(
        "SELECT COUNT(*) AS members, SUM(CASE WHEN a.version <> m.after_version THEN 1 ELSE 0 END) AS changed, \
         MIN(CASE WHEN a.version <> m.after_version THEN a.id END) AS first FROM act_members m \
         JOIN alerts a ON a.id = m.alert_id WHERE m.act_id = $1",
    )
    .bind(act_id.to_owned())
    .fetch_one(&mut **change)
    .await?;
    let (members, changed): (i64, i64) = (rows.try_get("members")?, rows.try_get("changed")?);
    if changed == 0 {
        return Ok(());
    }
    let first: Option<String> = rows.try_get("first")?;
    let who: Option<String> = sqlx::query_scalar(
        "SELECT u.display_name FROM history h JOIN users u ON u.id = h.by_id \
         WHERE h.kind = 'alert' AND h.subject = $1 ORDER BY h.at_us DESC, h.id DESC LIMIT 1",
    )
    .bind(first)
    .fetch_optional(&mut **change)
    .await?;
    let who = who.unwrap_or_else(|| "the system".to_owned());
    let message = format!("{changed} of {members} alerts were changed since, last by {who}; nothing was taken back");
    Err(StoreError::refused("changed_since", message))
}

/// Closes the case that the decision had opened, unless somebody has worked on it.
async fn withdraw_case(
    change: &mut Change,
    case_id: &str,
    version: Option<i64>,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    let closed = sqlx::query(
        "UPDATE cases SET status = 'closed', closed_us = $1, updated_us = $1, version = version + 1, \
         fields_version = version + 1 WHERE id = $2 AND version = $3",
    )
    .bind(now_us)
    .bind(case_id.to_owned())
    .bind(version)
    .execute(&mut **change)
    .await?;
    if closed.rows_affected() == 0 {
        let message = "somebody has worked on the case since; nothing was taken back";
        return Err(StoreError::refused("case_worked_on", message));
    }
    history(change, now_us, HistoryOf::Case, case_id, actor.user_id.as_deref(), "undone", &Detail::new()).await
}

/// Puts every member back as it stood, and says so in its history.
async fn restore(change: &mut Change, act_id: &str, actor: &Actor, now_us: i64) -> StoreResult<Vec<String>> {
    let rows = sqlx::query("SELECT alert_id FROM act_members WHERE act_id = $1 ORDER BY alert_id")
        .bind(act_id.to_owned())
        .fetch_all(&mut **change)
        .await?;
    let ids: Vec<String> = rows.iter().map(|row| row.try_get("alert_id")).collect::<Result<_, _>>()?;
    for id in &ids {
        sqlx::query(
            "UPDATE alerts SET (status, verdict, reason, decided_by, decided_us, assignee_id, case_id, suppression_id) = \
             (SELECT status, verdict, reason, decided_by, decided_us, assignee_id, case_id, suppression_id \
             FROM act_members WHERE act_id = $1 AND alert_id = $2), version = version + 1 WHERE id = $2",
        )
        .bind(act_id.to_owned())
        .bind(id.clone())
        .execute(&mut **change)
        .await?;
        history(change, now_us, HistoryOf::Alert, id, actor.user_id.as_deref(), "undone", &Detail::new()).await?;
    }
    Ok(ids)
}
