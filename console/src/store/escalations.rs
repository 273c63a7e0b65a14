//! Ladders that are climbed because of alerts: opened with the alert, advanced by [`crate::notify::ladder`], ended by an
//! acknowledgement or by work on the alert. Everything stands here, so that a restart goes on where it was; every step
//! and every end is a line of the log and of the alert's history.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::audit::{Actor, Detail, HistoryOf, audit, detail, history};
use super::notices::{NewNotice, insert_notice};
use super::sql::{person, severity_of};
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{
    Acknowledgement, Escalation, EscalationState, EscalationStep, LadderStep, from_wire_name, wire_name,
};

/// Alerts of the same kind join an escalation that waits, or that was acknowledged less than this long ago.
pub const JOIN_US: i64 = 30 * 60 * 1_000_000;
/// How long a link of a step works.
pub const LINK_LIFE_US: i64 = 24 * 3600 * 1_000_000;
/// How many escalations a list shows.
const MAX_LISTED: i64 = 100;

const COLUMNS: &str = "SELECT e.*, u.id AS by_id, u.name AS by_name, u.display_name AS by_display, \
    a.rule_name AS alert_rule, a.rule_name_vi AS alert_rule_vi, a.severity, a.agency_name, a.time_us \
    FROM escalations e JOIN alerts a ON a.id = e.alert_id LEFT JOIN users u ON u.id = e.ended_by";

/// A ladder to be climbed.
#[derive(Debug, Clone)]
pub struct NewEscalation {
    /// The notice rule.
    pub rule_id: String,
    /// Its name.
    pub rule_name: String,
    /// What alerts must have in common to join.
    pub alert_key: String,
    /// The steps.
    pub ladder: Vec<LadderStep>,
}

/// An escalation whose next step is due.
#[derive(Debug, Clone)]
pub struct DueEscalation {
    /// Its id.
    pub id: String,
    /// The notice rule.
    pub rule_id: String,
    /// The alert.
    pub alert_id: String,
    /// How many steps were taken.
    pub step: usize,
    /// The steps.
    pub ladder: Vec<LadderStep>,
    /// Whether somebody works on the alert already.
    pub taken_up: bool,
}

/// A step to be written down.
#[derive(Debug, Clone)]
pub struct NewStep {
    /// Who is asked.
    pub user_id: Option<String>,
    /// `mail` or a webhook's id.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// What is sent; nothing where nobody could be asked.
    pub notice: Option<NewNotice>,
    /// The token of the link.
    pub token: String,
    /// What is kept of it.
    pub digest: String,
    /// Why nobody could be asked.
    pub problem: Option<String>,
    /// When the next step is taken.
    pub next_us: i64,
}

impl Store {
    /// Escalations whose next step is due.
    pub async fn due_escalations(&self, limit: u32) -> StoreResult<Vec<DueEscalation>> {
        let rows = sqlx::query(
            "SELECT e.id, e.rule_id, e.alert_id, e.step, e.ladder, \
             CASE WHEN a.status <> 'open' OR a.assignee_id IS NOT NULL THEN 1 ELSE 0 END AS taken_up \
             FROM escalations e JOIN alerts a ON a.id = e.alert_id \
             WHERE e.state = 'waiting' AND e.next_us <= $1 ORDER BY e.next_us LIMIT $2",
        )
        .bind(self.now_us())
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let mut due = Vec::with_capacity(rows.len());
        for row in &rows {
            let (step, ladder): (i64, String) = (row.try_get("step")?, row.try_get("ladder")?);
            due.push(DueEscalation {
                id: row.try_get("id")?,
                rule_id: row.try_get("rule_id")?,
                alert_id: row.try_get("alert_id")?,
                step: usize::try_from(step).unwrap_or_default(),
                ladder: serde_json::from_str(&ladder).unwrap_or_default(),
                taken_up: row.try_get::<i64, _>("taken_up")? != 0,
            });
        }
        Ok(due)
    }

    /// Takes the next step: the notice, the link and the line of the log in one transaction. Nothing happens when
    /// somebody acknowledged in between.
    pub async fn take_step(&self, due: &DueEscalation, step: &NewStep) -> StoreResult<()> {
        let now_us = self.now_us();
        let number = i64::try_from(due.step).unwrap_or(i64::MAX).saturating_add(1);
        let mut change = self.begin().await?;
        let moved = sqlx::query(
            "UPDATE escalations SET step = $1, next_us = $2 WHERE id = $3 AND state = 'waiting' AND step = $1 - 1",
        )
        .bind(number)
        .bind(step.next_us)
        .bind(&due.id)
        .execute(&mut *change)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(());
        }
        let notice_id = match &step.notice {
            Some(notice) => {
                let id = insert_notice(&mut change, Some(&due.alert_id), notice, now_us).await?;
                sqlx::query("UPDATE notices SET escalation_id = $1, link_token = $2 WHERE id = $3")
                    .bind(&due.id)
                    .bind(&step.token)
                    .bind(&id)
                    .execute(&mut *change)
                    .await?;
                Some(id)
            }
            None => None,
        };
        sqlx::query(
            "INSERT INTO escalation_steps (id, escalation_id, step, at_us, user_id, channel, recipient, notice_id, \
             problem, link_digest, expires_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(new_id())
        .bind(&due.id)
        .bind(number)
        .bind(now_us)
        .bind(&step.user_id)
        .bind(&step.channel)
        .bind(&step.recipient)
        .bind(&notice_id)
        .bind(&step.problem)
        .bind(notice_id.as_ref().map(|_| step.digest.clone()))
        .bind(now_us + LINK_LIFE_US)
        .execute(&mut *change)
        .await?;
        let problem = step.problem.as_deref().unwrap_or_default();
        let what = detail([("step", &number.to_string()), ("to", &step.recipient), ("problem", problem)]);
        tell(&mut change, now_us, &Actor::default(), (&due.id, &due.alert_id), "asked", &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// Ends an escalation that nobody acknowledged: everybody was asked, or somebody works on the alert already.
    pub async fn end_escalation(&self, due: &DueEscalation, state: EscalationState) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let ended = sqlx::query("UPDATE escalations SET state = $1, ended_us = $2 WHERE id = $3 AND state = 'waiting'")
            .bind(wire_name(&state))
            .bind(now_us)
            .bind(&due.id)
            .execute(&mut *change)
            .await?;
        if ended.rows_affected() > 0 {
            let what = detail([("step", &due.step.to_string())]);
            let action = wire_name(&state);
            tell(&mut change, now_us, &Actor::default(), (&due.id, &due.alert_id), &action, &what).await?;
        }
        change.commit().await?;
        Ok(())
    }

    /// Acknowledges in the console.
    pub async fn acknowledge(&self, id: &str, actor: &Actor) -> StoreResult<()> {
        let mut change = self.begin().await?;
        self.acknowledged(&mut change, id, actor, "console").await?;
        change.commit().await?;
        Ok(())
    }

    /// What a link is about; nothing when it does not exist or has lapsed.
    pub async fn acknowledgement(&self, digest: &str) -> StoreResult<Option<Acknowledgement>> {
        let sql = "SELECT e.state, e.alert_id, e.members, e.ended_us, u.id AS by_id, u.name AS by_name, \
             u.display_name AS by_display, s.used_us, s.user_id AS for_id, f.name AS for_name, \
             f.display_name AS for_display, a.rule_name, a.rule_name_vi, a.severity, a.agency_name, a.time_us \
             FROM escalation_steps s JOIN escalations e ON e.id = s.escalation_id JOIN alerts a ON a.id = e.alert_id \
             LEFT JOIN users u ON u.id = e.ended_by LEFT JOIN users f ON f.id = s.user_id \
             WHERE s.link_digest = $1 AND s.expires_us > $2";
        let row = sqlx::query(sql).bind(digest).bind(self.now_us()).fetch_optional(&self.readers).await?;
        let Some(row) = row else { return Ok(None) };
        let state = state(&row)?;
        let ended_us: Option<i64> = row.try_get("ended_us")?;
        Ok(Some(Acknowledgement {
            state,
            open: can_acknowledge(state) && row.try_get::<Option<i64>, _>("used_us")?.is_none(),
            user: person(&row, "for")?,
            rule: row.try_get("rule_name")?,
            rule_vi: row.try_get("rule_name_vi")?,
            severity: severity_of(row.try_get("severity")?),
            agency: row.try_get("agency_name")?,
            time: clock::to_text(row.try_get("time_us")?),
            alert_id: row.try_get("alert_id")?,
            alerts: row.try_get::<i64, _>("members")?.unsigned_abs(),
            ended_by: person(&row, "by")?,
            ended_at: ended_us.map(clock::to_text),
        }))
    }

    /// Acknowledges by a link, which works once. Whoever the link was for did it, from this address.
    pub async fn acknowledge_by_link(&self, digest: &str, address: Option<String>) -> StoreResult<()> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let row = sqlx::query(
            "UPDATE escalation_steps SET used_us = $1 WHERE link_digest = $2 AND used_us IS NULL AND expires_us > $1 \
             RETURNING escalation_id, user_id",
        )
        .bind(now_us)
        .bind(digest)
        .fetch_optional(&mut *change)
        .await?;
        let row = row.ok_or_else(|| {
            StoreError::refused("link_lapsed", "the link was used already or has lapsed; log in and look at the alert")
        })?;
        let id: String = row.try_get("escalation_id")?;
        let actor = Actor { user_id: row.try_get("user_id")?, address, ..Actor::default() };
        self.acknowledged(&mut change, &id, &actor, "link").await?;
        change.commit().await?;
        Ok(())
    }

    async fn acknowledged(&self, change: &mut Change, id: &str, actor: &Actor, how: &str) -> StoreResult<()> {
        let now_us = self.now_us();
        let row = sqlx::query("SELECT state, alert_id FROM escalations WHERE id = $1").bind(id);
        let row = row.fetch_optional(&mut **change).await?.ok_or(StoreError::NotFound("escalation"))?;
        if !can_acknowledge(state(&row)?) {
            return Err(StoreError::refused("not_waiting", "somebody has acknowledged or taken it up already"));
        }
        let alert_id: String = row.try_get("alert_id")?;
        sqlx::query(
            "UPDATE escalations SET state = 'acknowledged', ended_us = $1, ended_by = $2, how = $3 WHERE id = $4",
        )
        .bind(now_us)
        .bind(&actor.user_id)
        .bind(how)
        .bind(id)
        .execute(&mut **change)
        .await?;
        tell(change, now_us, actor, (id, &alert_id), "acknowledged", &detail([("how", how)])).await
    }

    /// Those that wait, then the newest.
    pub async fn escalations(&self) -> StoreResult<Vec<Escalation>> {
        let sql =
            format!("{COLUMNS} ORDER BY CASE WHEN e.state = 'waiting' THEN 0 ELSE 1 END, e.id DESC LIMIT {MAX_LISTED}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.readers).await?;
        let mut items = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut one = escalation(row)?;
            let steps = sqlx::query(
                "SELECT s.*, u.name AS user_name, u.display_name AS user_display, n.state AS notice_state, \
                 COALESCE(n.receipt, n.last_error) AS receipt FROM escalation_steps s \
                 LEFT JOIN users u ON u.id = s.user_id LEFT JOIN notices n ON n.id = s.notice_id \
                 WHERE s.escalation_id = $1 ORDER BY s.step",
            )
            .bind(&one.id)
            .fetch_all(&self.readers)
            .await?;
            one.steps = steps.iter().map(step).collect::<Result<_, _>>()?;
            items.push(one);
        }
        Ok(items)
    }

    /// How many escalations wait, and how many of the last day nobody acknowledged.
    pub async fn escalation_counts(&self) -> StoreResult<(u64, u64)> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM escalations WHERE state = 'waiting') AS waiting, \
             (SELECT COUNT(*) FROM escalations e JOIN alerts a ON a.id = e.alert_id WHERE e.state = 'exhausted' \
             AND e.ended_us > $1 AND a.status = 'open' AND a.assignee_id IS NULL) AS exhausted",
        )
        .bind(self.now_us() - 86_400_000_000)
        .fetch_one(&self.readers)
        .await?;
        let count = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
        Ok((count("waiting")?, count("exhausted")?))
    }
}

/// Opens an escalation with the transaction that stores its alert, or joins one of the same kind.
pub(super) async fn open_escalation(
    change: &mut Change,
    alert_id: &str,
    new: &NewEscalation,
    now_us: i64,
) -> StoreResult<()> {
    let known: Option<String> = sqlx::query_scalar(
        "SELECT m.escalation_id FROM escalation_members m JOIN escalations e ON e.id = m.escalation_id \
         WHERE m.alert_id = $1 AND e.rule_id = $2",
    )
    .bind(alert_id)
    .bind(&new.rule_id)
    .fetch_optional(&mut **change)
    .await?;
    if known.is_some() {
        return Ok(());
    }
    let open: Option<String> = sqlx::query_scalar(
        "SELECT id FROM escalations WHERE rule_id = $1 AND alert_key = $2 AND (state = 'waiting' \
         OR (state = 'acknowledged' AND ended_us > $3)) ORDER BY opened_us DESC LIMIT 1",
    )
    .bind(&new.rule_id)
    .bind(&new.alert_key)
    .bind(now_us - JOIN_US)
    .fetch_optional(&mut **change)
    .await?;
    let id = match open {
        Some(id) => {
            sqlx::query("UPDATE escalations SET members = members + 1 WHERE id = $1")
                .bind(&id)
                .execute(&mut **change)
                .await?;
            id
        }
        None => {
            let id = new_id();
            sqlx::query(
                "INSERT INTO escalations (id, rule_id, rule_name, alert_id, alert_key, ladder, members, state, step, \
                 opened_us, next_us) VALUES ($1, $2, $3, $4, $5, $6, 1, 'waiting', 0, $7, $7)",
            )
            .bind(&id)
            .bind(&new.rule_id)
            .bind(&new.rule_name)
            .bind(alert_id)
            .bind(&new.alert_key)
            .bind(serde_json::to_string(&new.ladder).unwrap_or_default())
            .bind(now_us)
            .execute(&mut **change)
            .await?;
            let what = detail([("rule", &new.rule_name)]);
            tell(change, now_us, &Actor::default(), (&id, alert_id), "opened", &what).await?;
            id
        }
    };
    sqlx::query("INSERT INTO escalation_members (escalation_id, alert_id, at_us) VALUES ($1, $2, $3)")
        .bind(&id)
        .bind(alert_id)
        .bind(now_us)
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// A line of the log about the escalation, and one of the history of its alert.
async fn tell(
    change: &mut Change,
    now_us: i64,
    actor: &Actor,
    (id, alert_id): (&str, &str),
    action: &str,
    what: &Detail,
) -> StoreResult<()> {
    let mut line = what.clone();
    line.insert("alert".to_owned(), alert_id.to_owned());
    let action = format!("escalation.{action}");
    audit(change, now_us, actor, &action, &format!("escalation:{id}"), &line).await?;
    history(change, now_us, HistoryOf::Alert, alert_id, actor.user_id.as_deref(), &action, what).await
}

/// Also when everybody was asked in vain: late is better than never.
fn can_acknowledge(state: EscalationState) -> bool {
    matches!(state, EscalationState::Waiting | EscalationState::Exhausted)
}

fn state(row: &SqliteRow) -> Result<EscalationState, sqlx::Error> {
    let state: String = row.try_get("state")?;
    Ok(from_wire_name(&state).unwrap_or(EscalationState::Exhausted))
}

fn escalation(row: &SqliteRow) -> Result<Escalation, sqlx::Error> {
    let state = state(row)?;
    let (next_us, ended_us): (i64, Option<i64>) = (row.try_get("next_us")?, row.try_get("ended_us")?);
    let ladder: String = row.try_get("ladder")?;
    let ladder: Vec<LadderStep> = serde_json::from_str(&ladder).unwrap_or_default();
    Ok(Escalation {
        id: row.try_get("id")?,
        rule_name: row.try_get("rule_name")?,
        alert_id: row.try_get("alert_id")?,
        alert_rule: row.try_get("alert_rule")?,
        alert_rule_vi: row.try_get("alert_rule_vi")?,
        severity: severity_of(row.try_get("severity")?),
        agency: row.try_get("agency_name")?,
        alerts: row.try_get::<i64, _>("members")?.unsigned_abs(),
        state,
        opened_at: clock::to_text(row.try_get("opened_us")?),
        next_at: (state == EscalationState::Waiting).then(|| clock::to_text(next_us)),
        ended_at: ended_us.map(clock::to_text),
        ended_by: person(row, "by")?,
        how: row.try_get("how")?,
        steps_in_all: u32::try_from(ladder.len()).unwrap_or(u32::MAX),
        steps: Vec::new(),
    })
}

fn step(row: &SqliteRow) -> Result<EscalationStep, sqlx::Error> {
    let notice: Option<String> = row.try_get("notice_state")?;
    let used_us: Option<i64> = row.try_get("used_us")?;
    Ok(EscalationStep {
        step: u32::try_from(row.try_get::<i64, _>("step")?).unwrap_or_default(),
        at: clock::to_text(row.try_get("at_us")?),
        user: person(row, "user")?,
        to: row.try_get("recipient")?,
        notice: notice.as_deref().and_then(from_wire_name),
        receipt: row.try_get("receipt")?,
        problem: row.try_get("problem")?,
        used_at: used_us.map(clock::to_text),
    })
}
