//! Suppressions: what is kept out of the queue, by whom, why and until when.
//!
//! A suppression is looked up in the transaction that takes an alert in: what it hides is stored with its mark and
//! counted, never dropped. It ends by itself when its time is over; nothing has to run for that.

use luytre_collector_api::{Agency, Alert};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::acts::{Act, MAX_MEMBERS};
use super::audit::{Actor, audit, detail};
use super::decide::{Decision, MAX_REASON, Outcome, carry_out, standing};
use super::reach::{Reach, reaches};
use super::sql::{Conditions, person};
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::clock;
use crate::model::{
    AgencyShare, CaseShare, NewSuppression, Scope, Suppression, SuppressionList, SuppressionPreview, SuppressionState,
};

/// How long a suppression may last, in days.
pub const MAX_DAYS: i64 = 90;

/// How far back the preview looks, in days.
pub const PREVIEW_DAYS: u32 = 30;

const DAY_US: i64 = 86_400_000_000;

/// The columns of a suppression with the people it names.
const ROW: &str = "SELECT s.*, o.name AS owner_name, o.display_name AS owner_display, s.created_by AS by_id, \
    c.name AS by_name, c.display_name AS by_display FROM suppressions s \
    LEFT JOIN users o ON o.id = s.owner_id LEFT JOIN users c ON c.id = s.created_by";

/// What making a suppression did.
#[derive(Debug)]
pub struct Made {
    /// The suppression's id.
    pub id: String,
    /// The waiting alerts it hid at once.
    pub hidden: Vec<String>,
    /// The decision that hid them.
    pub act_id: Option<String>,
}

impl Store {
    /// What a suppression would have hidden in the last [`PREVIEW_DAYS`] days.
    pub async fn preview_suppression(
        &self,
        scope: &Scope,
        viewer: &str,
        reach: &Reach,
    ) -> StoreResult<SuppressionPreview> {
        let from_us = self.now_us() - i64::from(PREVIEW_DAYS) * DAY_US;
        let question = |select: &str, tail: &str| -> StoreResult<_> {
            let mut conditions = matching(scope)?;
            reach.narrow(&mut conditions, "a.agency_id")?;
            conditions.add("a.time_us >= ?", from_us)?;
            Ok((format!("{select}{} {tail}", conditions.clause()), conditions.into_arguments()))
        };
        let (sql, arguments) = question(
            "SELECT a.agency_id, MAX(a.agency_name) AS agency_name, COUNT(*) AS n, \
             SUM(CASE WHEN a.status = 'open' THEN 1 ELSE 0 END) AS open, \
             SUM(CASE WHEN a.case_id IS NOT NULL THEN 1 ELSE 0 END) AS in_cases, \
             SUM(CASE WHEN a.verdict = 'true_positive' THEN 1 ELSE 0 END) AS attacks FROM alerts a",
            "GROUP BY a.agency_id ORDER BY n DESC, a.agency_id",
        )?;
        let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), arguments).fetch_all(&self.readers).await?;
        let mut preview = SuppressionPreview {
            days: PREVIEW_DAYS,
            alerts: 0,
            open: 0,
            in_cases: 0,
            true_positives: 0,
            agencies: Vec::with_capacity(rows.len()),
            cases: Vec::new(),
        };
        for row in &rows {
            let number = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
            let share = AgencyShare {
                agency: super::sql::agency(row)?,
                alerts: number("n")?,
                in_cases: number("in_cases")?,
                true_positives: number("attacks")?,
            };
            preview.alerts += share.alerts;
            preview.open += number("open")?;
            preview.in_cases += share.in_cases;
            preview.true_positives += share.true_positives;
            preview.agencies.push(share);
        }
        let (sql, arguments) = question(
            "SELECT c.id, c.number, c.title, COUNT(*) AS n FROM alerts a JOIN cases c ON c.id = a.case_id",
            "GROUP BY c.id, c.number, c.title ORDER BY c.number DESC LIMIT 20",
        )?;
        for row in sqlx::query_with(sqlx::AssertSqlSafe(sql), arguments).fetch_all(&self.readers).await? {
            let id: String = row.try_get("id")?;
            if !self.may_see_case(&id, viewer).await? {
                continue;
            }
            preview.cases.push(CaseShare {
                id,
                number: row.try_get("number")?,
                title: row.try_get("title")?,
                alerts: row.try_get::<i64, _>("n")?.unsigned_abs(),
            });
        }
        Ok(preview)
    }

    /// Makes a suppression and, where wished, hides what waits now, in one step.
    pub async fn suppress(&self, new: &NewSuppression, actor: &Actor) -> StoreResult<Made> {
        let reason = reason("reason", &new.reason)?;
        let now_us = self.now_us();
        let expires_us = expiry(&new.expires_at, now_us)?;
        self.assignable(&new.owner_id)
            .await
            .map_err(|_| StoreError::invalid("owner_id", "this user does not work on alerts"))?;
        let mut change = self.begin().await?;
        if !reaches(&mut change, &actor.reach, new.scope.agency_id.as_deref()).await? {
            return Err(StoreError::invalid("agency_id", "name an agency that you look after"));
        }
        let (rule_name, rule_name_vi) = rule_names(&mut change, &new.scope.rule_id).await?;
        let agency = agency_named(&mut change, new.scope.agency_id.as_deref()).await?;
        let id = new_id();
        sqlx::query(
            "INSERT INTO suppressions (id, rule_id, rule_name, rule_name_vi, source_ip, destination_ip, agency_id, \
             agency_name, reason, owner_id, created_by, created_us, expires_us) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(id.clone())
        .bind(new.scope.rule_id.clone())
        .bind(rule_name)
        .bind(rule_name_vi)
        .bind(new.scope.source_ip.clone())
        .bind(new.scope.destination_ip.clone())
        .bind(new.scope.agency_id.clone())
        .bind(agency)
        .bind(reason.clone())
        .bind(new.owner_id.clone())
        .bind(actor.user_id.clone())
        .bind(now_us)
        .bind(expires_us)
        .execute(&mut *change)
        .await?;
        let mut what = detail([("rule", &new.scope.rule_id), ("reason", &reason), ("owner_id", &new.owner_id)]);
        what.insert("expires".to_owned(), clock::to_text(expires_us));
        for (name, value) in [
            ("source", &new.scope.source_ip),
            ("destination", &new.scope.destination_ip),
            ("agency", &new.scope.agency_id),
        ] {
            what.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        audit(&mut change, now_us, actor, "suppression.made", &format!("suppression:{id}"), &what).await?;
        let mut made = Made { id, hidden: Vec::new(), act_id: None };
        if new.hide_open {
            hide_open(&mut change, &new.scope, &mut made, actor, now_us).await?;
        }
        change.commit().await?;
        Ok(made)
    }

    /// Ends a suppression before its time. What it has hidden stays as it is.
    pub async fn end_suppression(&self, id: &str, why: &str, actor: &Actor) -> StoreResult<()> {
        let why = reason("reason", why)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let ended = sqlx::query(
            "UPDATE suppressions SET ended_us = $1, ended_by = $2, end_reason = $3 \
             WHERE id = $4 AND ended_us IS NULL AND expires_us > $1",
        )
        .bind(now_us)
        .bind(actor.user_id.clone())
        .bind(why.clone())
        .bind(id.to_owned())
        .execute(&mut *change)
        .await?;
        if ended.rows_affected() == 0 {
            drop(change);
            self.suppression(id).await?;
            return Err(StoreError::refused("not_active", "this suppression is over already"));
        }
        let what = detail([("reason", &why)]);
        audit(&mut change, now_us, actor, "suppression.ended", &format!("suppression:{id}"), &what).await?;
        change.commit().await?;
        Ok(())
    }

    /// One suppression.
    pub async fn suppression(&self, id: &str) -> StoreResult<Suppression> {
        let sql = format!("{ROW} WHERE s.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        let row = row.ok_or(StoreError::NotFound("suppression"))?;
        Ok(suppression(&row, self.now_us())?)
    }

    /// All suppressions within reach: those that hide now first, then the newest.
    pub async fn suppressions(&self, reach: &Reach) -> StoreResult<SuppressionList> {
        let now_us = self.now_us();
        let active = "CASE WHEN s.ended_us IS NULL AND s.expires_us > $1 THEN 1 ELSE 0 END";
        let question = |select: &str, column: &str, from_us: i64, tail: &str| -> StoreResult<_> {
            let mut conditions = Conditions::default();
            conditions.bind(from_us)?;
            reach.narrow(&mut conditions, column)?;
            Ok((format!("{select}{} {tail}", conditions.clause()), conditions.into_arguments()))
        };
        let order = format!("ORDER BY {active} DESC, s.created_us DESC LIMIT 500");
        let (sql, arguments) = question(ROW, "s.agency_id", now_us, &order)?;
        let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), arguments).fetch_all(&self.readers).await?;
        let select = format!("SELECT COALESCE(SUM({active}), 0) FROM suppressions s");
        let (sql, arguments) = question(&select, "s.agency_id", now_us, "")?;
        let active: i64 = sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), arguments).fetch_one(&self.readers).await?;
        let select =
            "SELECT COUNT(*) FROM (SELECT * FROM alerts WHERE suppression_id IS NOT NULL AND received_us >= $1) a";
        let (sql, arguments) = question(select, "a.agency_id", now_us - DAY_US, "")?;
        let hidden_today: i64 =
            sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), arguments).fetch_one(&self.readers).await?;
        Ok(SuppressionList {
            items: rows.iter().map(|row| suppression(row, now_us)).collect::<Result<_, _>>()?,
            active: active.unsigned_abs(),
            hidden_today: hidden_today.unsigned_abs(),
        })
    }
}

/// The suppression that hides this alert, counted; the oldest of several.
pub(super) async fn suppression_of(change: &mut Change, alert: &Alert, now_us: i64) -> StoreResult<Option<String>> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM suppressions WHERE rule_id = $1 AND ended_us IS NULL AND expires_us > $2 \
         AND (source_ip IS NULL OR source_ip = $3) AND (destination_ip IS NULL OR destination_ip = $4) \
         AND (agency_id IS NULL OR agency_id = $5) ORDER BY created_us, id LIMIT 1",
    )
    .bind(alert.rule.id.clone())
    .bind(now_us)
    .bind(alert.source.as_ref().map(|e| e.ip.clone()))
    .bind(alert.destination.as_ref().map(|e| e.ip.clone()))
    .bind(alert.agency.as_ref().map(|a| a.id.clone()))
    .fetch_optional(&mut **change)
    .await?;
    if let Some(id) = &id {
        count(change, id, 1, now_us).await?;
    }
    Ok(id)
}

async fn count(change: &mut Change, id: &str, number: usize, now_us: i64) -> StoreResult<()> {
    sqlx::query("UPDATE suppressions SET hidden = hidden + $1, last_hidden_us = $2 WHERE id = $3")
        .bind(i64::try_from(number).unwrap_or(i64::MAX))
        .bind(now_us)
        .bind(id.to_owned())
        .execute(&mut **change)
        .await?;
    Ok(())
}

async fn hide_open(change: &mut Change, scope: &Scope, made: &mut Made, actor: &Actor, now_us: i64) -> StoreResult<()> {
    let mut conditions = matching(scope)?;
    conditions.add_plain("a.status = 'open'".to_owned());
    let sql = format!("SELECT a.id FROM alerts a{} LIMIT {}", conditions.clause(), MAX_MEMBERS + 1);
    let arguments = conditions.into_arguments();
    let ids: Vec<String> =
        sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), arguments).fetch_all(&mut **change).await?;
    if ids.len() > MAX_MEMBERS {
        let message = format!("these are more than {MAX_MEMBERS} alerts; narrow the selection");
        return Err(StoreError::refused("too_many", message));
    }
    let mut act = Act::many(actor, now_us);
    let decision = Decision::Suppress { suppression_id: made.id.clone() };
    for id in ids {
        let before = standing(change, &id, &actor.reach).await?;
        if carry_out(change, &id, &before, &decision, &mut act).await? == Outcome::Changed {
            made.hidden.push(id);
        }
    }
    count(change, &made.id, made.hidden.len(), now_us).await?;
    act.tell(change, &decision, made.hidden.len()).await?;
    made.act_id = act.id();
    Ok(())
}

/// Conditions on `alerts a`.
fn matching(scope: &Scope) -> StoreResult<Conditions> {
    let mut conditions = Conditions::default();
    conditions.add("a.rule_id = ?", scope.rule_id.clone())?;
    for (value, condition) in [
        (&scope.source_ip, "a.source_ip = ?"),
        (&scope.destination_ip, "a.destination_ip = ?"),
        (&scope.agency_id, "a.agency_id = ?"),
    ] {
        if let Some(value) = value {
            conditions.add(condition, value.clone())?;
        }
    }
    Ok(conditions)
}

fn reason(field: &'static str, text: &str) -> StoreResult<String> {
    let text = text.trim();
    if (1..=MAX_REASON).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(StoreError::invalid(field, format!("say why, in 1 to {MAX_REASON} characters")))
}

fn expiry(text: &str, now_us: i64) -> StoreResult<i64> {
    let expires_us = super::alert_filter::moment("expires_at", text)?;
    if expires_us <= now_us {
        return Err(StoreError::invalid("expires_at", "choose a moment in the future"));
    }
    if expires_us - now_us > MAX_DAYS * DAY_US {
        return Err(StoreError::invalid("expires_at", format!("choose at most {MAX_DAYS} days")));
    }
    Ok(expires_us)
}

/// The rule's names as its newest alert has them.
async fn rule_names(change: &mut Change, rule_id: &str) -> StoreResult<(String, Option<String>)> {
    let row =
        sqlx::query("SELECT rule_name, rule_name_vi FROM alerts WHERE rule_id = $1 ORDER BY time_us DESC LIMIT 1")
            .bind(rule_id.to_owned())
            .fetch_optional(&mut **change)
            .await?
            .ok_or(StoreError::NotFound("rule"))?;
    Ok((row.try_get("rule_name")?, row.try_get("rule_name_vi")?))
}

async fn agency_named(change: &mut Change, id: Option<&str>) -> StoreResult<Option<String>> {
    let name =
        sqlx::query_scalar("SELECT agency_name FROM alerts WHERE agency_id = $1 LIMIT 1").bind(id.map(str::to_owned));
    Ok(name.fetch_optional(&mut **change).await?.flatten())
}

fn suppression(row: &SqliteRow, now_us: i64) -> Result<Suppression, sqlx::Error> {
    let (expires_us, ended_us): (i64, Option<i64>) = (row.try_get("expires_us")?, row.try_get("ended_us")?);
    let last_hidden_us: Option<i64> = row.try_get("last_hidden_us")?;
    let agency: Option<Agency> = super::sql::agency(row)?;
    Ok(Suppression {
        id: row.try_get("id")?,
        scope: Scope {
            rule_id: row.try_get("rule_id")?,
            source_ip: row.try_get("source_ip")?,
            destination_ip: row.try_get("destination_ip")?,
            agency_id: row.try_get("agency_id")?,
        },
        rule_name: row.try_get("rule_name")?,
        rule_name_vi: row.try_get("rule_name_vi")?,
        agency,
        reason: row.try_get("reason")?,
        owner: person(row, "owner")?,
        created_by: person(row, "by")?,
        created_at: clock::to_text(row.try_get("created_us")?),
        expires_at: clock::to_text(expires_us),
        state: match ended_us {
            Some(_) => SuppressionState::Ended,
            None if expires_us <= now_us => SuppressionState::Expired,
            None => SuppressionState::Active,
        },
        ended_at: ended_us.map(clock::to_text),
        end_reason: row.try_get("end_reason")?,
        hidden: row.try_get::<i64, _>("hidden")?.unsigned_abs(),
        last_hidden_at: last_hidden_us.map(clock::to_text),
    })
}
