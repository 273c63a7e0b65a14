//! Alerts: taken in from the collector, listed, shown. Decisions on them are in [`super::decide`].

use std::collections::{BTreeMap, HashMap};

use luytre_collector_api::{Alert, RuleKind};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::filter;
use super::audit::{HistoryOf, detail, history};
use super::notices::{Orders, carry_out};
use super::reach::{Reach, within_sql};
use super::settings::set_alert_cursor;
use super::sql::{
    Conditions, SEVERITIES, agency, cursor_parts, cursor_text, endpoint, folded, page_size, person, severity_number,
    severity_of,
};
use super::suppressions::suppression_of;
use super::{Change, Store, StoreError, StoreResult};
use crate::clock;
use crate::model::{
    AlertCounts, AlertDetail, AlertList, AlertQuery, AlertRow, AlertSort, AlertStatus, SimilarAlert, Triage, Verdict,
    from_wire_name, wire_name,
};

/// The columns of a row, with the assignee's names.
pub(super) const ROW: &str = "SELECT a.id, a.sequence, a.time_us, a.severity, a.rule_id, a.rule_name, a.rule_name_vi, a.rule_kind, \
    a.source_ip, a.source_port, a.destination_ip, a.destination_port, a.host, a.agency_id, a.agency_name, a.sensor, \
    a.event_count, a.status, a.verdict, a.assignee_id, u.name AS assignee_name, u.display_name AS assignee_display, \
    a.case_id, a.version FROM alerts a LEFT JOIN users u ON u.id = a.assignee_id";

/// How many similar alerts are shown.
const MAX_SIMILAR: usize = 10;

/// What taking in an alert changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The alert.
    pub id: String,
    /// True when it was not known before.
    pub is_new: bool,
    /// True when a suppression hides it.
    pub hidden: bool,
    /// How many of its notices were gathered because their recipients had enough of them.
    pub gathered: u64,
}

impl Store {
    /// Takes in alerts of the collector's stream, in its order, and moves the cursor: all in one transaction, so that a
    /// crash leaves neither a gap nor a double. Alerts that came before are updated, what people decided stays.
    pub async fn take_alerts(
        &self,
        alerts: &[Alert],
        orders_for: &(dyn Fn(&Alert) -> Orders + Sync),
    ) -> StoreResult<Vec<Taken>> {
        let Some(last) = alerts.iter().map(|a| a.sequence).max() else { return Ok(Vec::new()) };
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        let mut taken = Vec::with_capacity(alerts.len());
        for alert in alerts {
            match known(&mut change, &alert.id).await? {
                None => {
                    // What a suppression hides is kept, but nobody is woken for it.
                    if insert_alert(&mut change, alert, now_us).await? {
                        taken.push(Taken { id: alert.id.clone(), is_new: true, hidden: true, gathered: 0 });
                        continue;
                    }
                    let gathered = carry_out(&mut change, &alert.id, &orders_for(alert), now_us).await?;
                    taken.push(Taken { id: alert.id.clone(), is_new: true, hidden: false, gathered });
                }
                Some(known) if known.sequence < alert.sequence => {
                    update_alert(&mut change, alert).await?;
                    // An alert that grew severe is told of now; one that was told of is not told of again.
                    let mut gathered = 0;
                    if !known.hidden {
                        gathered = carry_out(&mut change, &alert.id, &orders_for(alert), now_us).await?;
                    }
                    taken.push(Taken { id: alert.id.clone(), is_new: false, hidden: known.hidden, gathered });
                }
                Some(_) => {}
            }
        }
        set_alert_cursor(&mut change, last).await?;
        change.commit().await?;
        Ok(taken)
    }

    /// A page of alerts within reach.
    pub async fn alerts(&self, query: &AlertQuery, reach: &Reach) -> StoreResult<AlertList> {
        let size = page_size(query.limit);
        let count = filter(query, reach)?;
        let count_sql = format!("SELECT COUNT(*) FROM alerts a{}", count.clause());
        let total: i64 = sqlx::query_scalar_with(sqlx::AssertSqlSafe(count_sql), count.into_arguments())
            .fetch_one(&self.readers)
            .await?;
        let mut conditions = filter(query, reach)?;
        let by_severity = query.sort == Some(AlertSort::Severity);
        if let Some(cursor) = &query.cursor {
            after_cursor(&mut conditions, cursor, by_severity)?;
        }
        let order =
            if by_severity { "a.severity DESC, a.time_us DESC, a.id DESC" } else { "a.time_us DESC, a.id DESC" };
        let sql = format!("{ROW}{} ORDER BY {order} LIMIT {}", conditions.clause(), size + 1);
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut items = rows.iter().map(alert_row).collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > size as usize;
        items.truncate(size as usize);
        let next_cursor = match rows.get(items.len().wrapping_sub(1)) {
            Some(row) if more => Some(place(row)?),
            _ => None,
        };
        Ok(AlertList {
            items,
            total: total.unsigned_abs(),
            until: self.newest_number().await?,
            next_cursor,
            counts: self.alert_counts(reach).await?,
        })
    }

    /// The number of the newest alert that has come in; 0 before the first.
    pub(super) async fn newest_number(&self) -> StoreResult<i64> {
        Ok(sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) FROM alerts").fetch_one(&self.readers).await?)
    }

    /// How many alerts are open, by severity.
    pub async fn alert_counts(&self, reach: &Reach) -> StoreResult<AlertCounts> {
        let mut conditions = Conditions::default();
        conditions.add_plain("a.status = 'open'".to_owned());
        reach.narrow(&mut conditions, "a.agency_id")?;
        let sql = format!("SELECT a.severity, COUNT(*) AS n FROM alerts a{} GROUP BY a.severity", conditions.clause());
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut by_severity: BTreeMap<String, u64> = SEVERITIES.iter().map(|s| (wire_name(s), 0)).collect();
        for row in &rows {
            let count: i64 = row.try_get("n")?;
            *by_severity.entry(wire_name(&severity_of(row.try_get("severity")?))).or_default() += count.unsigned_abs();
        }
        Ok(AlertCounts { open: by_severity.values().sum(), by_severity })
    }

    /// An alert as a row.
    pub async fn alert_row(&self, id: &str) -> StoreResult<AlertRow> {
        let sql = format!("{ROW} WHERE a.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.readers).await?;
        row.map(|row| alert_row(&row)).transpose()?.ok_or(StoreError::NotFound("alert"))
    }

    /// Alerts as rows, by id; those that do not exist are missing.
    pub async fn alert_rows(&self, ids: &[String]) -> StoreResult<HashMap<String, AlertRow>> {
        let mut found = HashMap::with_capacity(ids.len());
        for id in ids {
            match self.alert_row(id).await {
                Ok(row) => found.insert(id.clone(), row),
                Err(StoreError::NotFound(_)) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(found)
    }

    /// The alerts of a case that somebody reaches, newest first; at most 500.
    pub async fn case_alerts(&self, case_id: &str, viewer: &str) -> StoreResult<Vec<AlertRow>> {
        let within = within_sql("a.agency_id", "$2");
        let sql = format!("{ROW} WHERE a.case_id = $1 AND {within} ORDER BY a.time_us DESC, a.id DESC LIMIT 500");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(case_id).bind(viewer).fetch_all(&self.readers).await?;
        Ok(rows.iter().map(alert_row).collect::<Result<_, _>>()?)
    }

    /// What the collector found, whole.
    pub async fn alert_body(&self, id: &str) -> StoreResult<Alert> {
        let row =
            sqlx::query("SELECT body FROM alert_bodies WHERE id = $1").bind(id).fetch_optional(&self.readers).await?;
        let body: String = row.ok_or(StoreError::NotFound("alert"))?.try_get("body")?;
        serde_json::from_str(&body).map_err(|cause| StoreError::Database(sqlx::Error::Decode(Box::new(cause))))
    }

    /// An alert with everything that was decided about it; beside it only what is within reach.
    pub async fn alert(&self, id: &str, reach: &Reach) -> StoreResult<AlertDetail> {
        let alert = self.alert_body(id).await?;
        let row = sqlx::query(
            "SELECT a.status, a.verdict, a.reason, a.assignee_id, u.name AS assignee_name, \
             u.display_name AS assignee_display, a.case_id, c.number AS case_number, a.host, a.suppression_id, \
             a.version, (SELECT MAX(m.act_id) FROM act_members m JOIN acts t ON t.id = m.act_id \
             WHERE m.alert_id = a.id AND m.after_version = a.version AND t.undone_us IS NULL) AS act_id FROM alerts a \
             LEFT JOIN users u ON u.id = a.assignee_id LEFT JOIN cases c ON c.id = a.case_id WHERE a.id = $1",
        )
        .bind(id)
        .fetch_one(&self.readers)
        .await?;
        let triage = Triage {
            status: status(&row)?,
            verdict: verdict(&row)?,
            reason: row.try_get("reason")?,
            assignee: person(&row, "assignee")?,
            case_id: row.try_get("case_id")?,
            case_number: row.try_get("case_number")?,
            suppression_id: row.try_get("suppression_id")?,
            act_id: row.try_get("act_id")?,
            watchers: self.watchers(id).await?,
            version: row.try_get("version")?,
        };
        let history = self.history_of(HistoryOf::Alert, id).await?;
        let host: Option<String> = row.try_get("host")?;
        let similar = self.similar(id, &alert.rule.id, host.as_deref(), reach).await?;
        let verdicts = self.verdicts_of(id, &alert.rule.id, reach).await?;
        Ok(AlertDetail { alert, triage, history, similar, verdicts })
    }

    /// Closed alerts of the same rule: those of the same host first, then the newest decisions.
    async fn similar(
        &self,
        id: &str,
        rule_id: &str,
        host: Option<&str>,
        reach: &Reach,
    ) -> StoreResult<Vec<SimilarAlert>> {
        let mut found: Vec<SimilarAlert> = Vec::new();
        for same_host in [true, false] {
            let mut conditions = others_decided(id, rule_id, reach)?;
            if same_host {
                conditions.add("a.host = ?", host.map(str::to_owned))?;
            }
            let sql = format!(
                "SELECT a.id, a.time_us, a.source_ip, a.source_port, a.destination_ip, a.destination_port, \
                 a.verdict, a.reason, a.host, a.decided_by AS by_id, u.name AS by_name, u.display_name AS by_display \
                 FROM alerts a LEFT JOIN users u ON u.id = a.decided_by{} ORDER BY a.decided_us DESC LIMIT 10",
                conditions.clause()
            );
            let rows = sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments());
            for row in rows.fetch_all(&self.readers).await? {
                if let Some(other) = similar(&row, same_host)?
                    && found.len() < MAX_SIMILAR
                    && !found.iter().any(|each| each.id == other.id)
                {
                    found.push(other);
                }
            }
        }
        Ok(found)
    }

    /// How often each verdict was given to other alerts of the rule.
    async fn verdicts_of(&self, id: &str, rule_id: &str, reach: &Reach) -> StoreResult<BTreeMap<String, u64>> {
        let conditions = others_decided(id, rule_id, reach)?;
        let sql = format!("SELECT a.verdict, COUNT(*) AS n FROM alerts a{} GROUP BY a.verdict", conditions.clause());
        let rows =
            sqlx::query_with(sqlx::AssertSqlSafe(sql), conditions.into_arguments()).fetch_all(&self.readers).await?;
        let mut counts = BTreeMap::new();
        for row in &rows {
            counts.insert(row.try_get("verdict")?, row.try_get::<i64, _>("n")?.unsigned_abs());
        }
        Ok(counts)
    }
}

/// Other alerts of a rule that were decided, within reach.
fn others_decided(id: &str, rule_id: &str, reach: &Reach) -> StoreResult<Conditions> {
    let mut conditions = Conditions::default();
    conditions.add("a.rule_id = ?", rule_id.to_owned())?;
    conditions.add_plain("a.verdict IS NOT NULL".to_owned());
    conditions.add("a.id <> ?", id.to_owned())?;
    reach.narrow(&mut conditions, "a.agency_id")?;
    Ok(conditions)
}

fn similar(row: &SqliteRow, same_host: bool) -> StoreResult<Option<SimilarAlert>> {
    let Some(verdict) = verdict(row)? else { return Ok(None) };
    let reason: Option<String> = row.try_get("reason")?;
    Ok(Some(SimilarAlert {
        id: row.try_get("id")?,
        time: clock::to_text(row.try_get("time_us")?),
        same_host,
        source: endpoint(row, "source")?,
        destination: endpoint(row, "destination")?,
        verdict,
        reason: reason.unwrap_or_default(),
        by: person(row, "by")?,
    }))
}

/// What is known of an alert that comes again.
struct Known {
    sequence: u64,
    hidden: bool,
}

async fn known(change: &mut Change, id: &str) -> StoreResult<Option<Known>> {
    let row = sqlx::query("SELECT sequence, status FROM alerts WHERE id = $1")
        .bind(id.to_owned())
        .fetch_optional(&mut **change)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let sequence: i64 = row.try_get("sequence")?;
    Ok(Some(Known { sequence: sequence.unsigned_abs(), hidden: status(&row)? == AlertStatus::Suppressed }))
}

/// Stores an alert that is not known yet; answers whether a suppression hides it.
async fn insert_alert(change: &mut Change, alert: &Alert, now_us: i64) -> StoreResult<bool> {
    let columns = Columns::of(alert, now_us);
    let source_ip = alert.source.as_ref().map(|e| e.ip.clone());
    let destination_ip = alert.destination.as_ref().map(|e| e.ip.clone());
    let hidden_by = suppression_of(change, alert, now_us).await?;
    let number: i64 =
        sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) + 1 FROM alerts").fetch_one(&mut **change).await?;
    let known: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM alerts WHERE rule_id = $1 AND destination_ip = $2 LIMIT 1")
            .bind(alert.rule.id.clone())
            .bind(destination_ip.clone())
            .fetch_optional(&mut **change)
            .await?;
    let new_destination = destination_ip.is_some() && known.is_none();
    sqlx::query(
        "INSERT INTO alerts (id, sequence, time_us, received_us, severity, rule_id, rule_name, rule_name_vi, rule_kind, \
         source_ip, source_port, destination_ip, destination_port, agency_id, agency_name, sensor, event_count, status, \
         version, words, number, host, new_destination, suppression_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
         $11, $12, $13, $14, $15, $16, $17, $18, 1, $19, $20, $21, $22, $23)",
    )
    .bind(alert.id.clone())
    .bind(columns.sequence)
    .bind(columns.time_us)
    .bind(now_us)
    .bind(columns.severity)
    .bind(alert.rule.id.clone())
    .bind(alert.rule.name.clone())
    .bind(alert.rule.name_vi.clone())
    .bind(wire_name(&alert.rule.kind))
    .bind(source_ip.clone())
    .bind(alert.source.as_ref().and_then(|e| e.port).map(i64::from))
    .bind(destination_ip.clone())
    .bind(alert.destination.as_ref().and_then(|e| e.port).map(i64::from))
    .bind(alert.agency.as_ref().map(|a| a.id.clone()))
    .bind(alert.agency.as_ref().map(|a| a.name.clone()))
    .bind(alert.sensor.clone())
    .bind(columns.event_count)
    .bind(if hidden_by.is_some() { "suppressed" } else { "open" })
    .bind(columns.words)
    .bind(number)
    .bind(host_of(source_ip.as_deref(), destination_ip.as_deref()))
    .bind(i64::from(new_destination))
    .bind(hidden_by.clone())
    .execute(&mut **change)
    .await?;
    sqlx::query("INSERT INTO alert_bodies (id, body) VALUES ($1, $2)")
        .bind(alert.id.clone())
        .bind(columns.body)
        .execute(&mut **change)
        .await?;
    let what = detail([("rule", &alert.rule.id), ("severity", &wire_name(&alert.severity))]);
    history(change, now_us, HistoryOf::Alert, &alert.id, None, "raised", &what).await?;
    if let Some(suppression_id) = &hidden_by {
        let what = detail([("suppression_id", suppression_id)]);
        history(change, now_us, HistoryOf::Alert, &alert.id, None, "suppressed", &what).await?;
    }
    Ok(hidden_by.is_some())
}

/// The host an alert is about: the private one of its two addresses, the source where both are, else the destination.
fn host_of(source: Option<&str>, destination: Option<&str>) -> Option<String> {
    source.filter(|ip| is_private(ip)).or(destination).or(source).map(str::to_owned)
}

fn is_private(ip: &str) -> bool {
    match ip.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(ip)) => ip.is_private(),
        Ok(std::net::IpAddr::V6(ip)) => ip.is_unique_local(),
        Err(_) => false,
    }
}

/// A newer state of a known finding: its facts change, what people decided stays.
async fn update_alert(change: &mut Change, alert: &Alert) -> StoreResult<()> {
    let columns = Columns::of(alert, 0);
    sqlx::query("UPDATE alerts SET sequence = $1, severity = $2, event_count = $3, words = $4 WHERE id = $5")
        .bind(columns.sequence)
        .bind(columns.severity)
        .bind(columns.event_count)
        .bind(columns.words)
        .bind(alert.id.clone())
        .execute(&mut **change)
        .await?;
    sqlx::query("UPDATE alert_bodies SET body = $1 WHERE id = $2")
        .bind(columns.body)
        .bind(alert.id.clone())
        .execute(&mut **change)
        .await?;
    Ok(())
}

/// An alert's values as the database keeps them.
struct Columns {
    sequence: i64,
    time_us: i64,
    severity: i64,
    event_count: i64,
    words: String,
    body: String,
}

impl Columns {
    fn of(alert: &Alert, now_us: i64) -> Self {
        Columns {
            sequence: i64::try_from(alert.sequence).unwrap_or(i64::MAX),
            // A time that is no time must not lose the alert: it stands where it came in.
            time_us: clock::from_text(&alert.time).unwrap_or(now_us),
            severity: severity_number(alert.severity),
            event_count: i64::try_from(alert.event_count).unwrap_or(i64::MAX),
            words: words_of(alert),
            body: serde_json::to_string(alert).unwrap_or_default(),
        }
    }
}

/// What the text filter looks in.
fn words_of(alert: &Alert) -> String {
    let mut parts = vec![alert.rule.name.as_str(), alert.rule.id.as_str(), alert.sensor.as_str()];
    parts.extend(alert.rule.name_vi.as_deref());
    parts.extend(alert.agency.as_ref().map(|a| a.name.as_str()));
    parts.extend(alert.source.as_ref().map(|e| e.ip.as_str()));
    parts.extend(alert.destination.as_ref().map(|e| e.ip.as_str()));
    parts.extend(alert.rule.techniques.iter().map(String::as_str));
    let values: Vec<String> = alert.matched.iter().map(|m| m.value.chars().take(200).collect()).collect();
    folded(&format!("{} {}", parts.join(" "), values.join(" ")))
}

/// The place after this row.
fn place(row: &SqliteRow) -> StoreResult<String> {
    let severity: i64 = row.try_get("severity")?;
    let time_us: i64 = row.try_get("time_us")?;
    Ok(cursor_text(&[severity.to_string(), time_us.to_string(), row.try_get("id")?]))
}

fn after_cursor(conditions: &mut Conditions, cursor: &str, by_severity: bool) -> StoreResult<()> {
    let parts = cursor_parts(cursor, 3)?;
    let number = |n: usize| parts.get(n).and_then(|p| p.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let (severity, time_us) = (conditions.bind(number(0))?, conditions.bind(number(1))?);
    let id = conditions.bind(parts.get(2).cloned().unwrap_or_default())?;
    let later = format!("(a.time_us < {time_us} OR (a.time_us = {time_us} AND a.id < {id}))");
    conditions.add_plain(if by_severity {
        format!("(a.severity < {severity} OR (a.severity = {severity} AND {later}))")
    } else {
        // Binds what the other order needs too, so that the numbering stays the same.
        format!("({later} AND {severity} IS NOT NULL)")
    });
    Ok(())
}

fn status(row: &SqliteRow) -> Result<AlertStatus, sqlx::Error> {
    let name: String = row.try_get("status")?;
    Ok(from_wire_name(&name).unwrap_or(AlertStatus::Open))
}

fn verdict(row: &SqliteRow) -> Result<Option<Verdict>, sqlx::Error> {
    let name: Option<String> = row.try_get("verdict")?;
    Ok(name.and_then(|name| from_wire_name(&name)))
}

pub(super) fn alert_row(row: &SqliteRow) -> Result<AlertRow, sqlx::Error> {
    let number = |name: &str| row.try_get::<i64, _>(name);
    let kind: String = row.try_get("rule_kind")?;
    Ok(AlertRow {
        id: row.try_get("id")?,
        sequence: number("sequence")?.unsigned_abs(),
        time: clock::to_text(number("time_us")?),
        severity: severity_of(number("severity")?),
        rule_id: row.try_get("rule_id")?,
        rule_name: row.try_get("rule_name")?,
        rule_name_vi: row.try_get("rule_name_vi")?,
        rule_kind: from_wire_name(&kind).unwrap_or(RuleKind::Sigma),
        source: endpoint(row, "source")?,
        destination: endpoint(row, "destination")?,
        host: row.try_get("host")?,
        agency: agency(row)?,
        sensor: row.try_get("sensor")?,
        event_count: number("event_count")?.unsigned_abs(),
        status: status(row)?,
        verdict: verdict(row)?,
        assignee: person(row, "assignee")?,
        case_id: row.try_get("case_id")?,
        version: number("version")?,
    })
}
