//! The overview: what an analyst begins with, and what a manager must know at a glance.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use luytre_collector_api::Severity;

use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::attack;
use crate::auth::Caller;
use crate::clock;
use crate::model::{
    Compared, Coverage, DayTrend, Need, NeedReason, OnCallNow, StateOverview, StateQuery, TacticSeen, TechniqueSeen,
    WorkOverview, wire_name,
};
use crate::notify::duty;
use crate::store::figures::Span;
use crate::store::overview::AgencyLoad;

const DAY_US: i64 = 86_400_000_000;
const HOUR_US: i64 = 3_600_000_000;
/// How many days a period may have.
const MAX_DAYS: u32 = 90;
/// How many agencies are named.
const MAX_NEEDS: usize = 10;
/// How many tasks and suppressions an analyst's overview names, and a manager's.
const MAX_NAMED: u32 = 10;
const MAX_DUTIES: u32 = 5;

/// What waits for the caller and the team now.
#[utoipa::path(get, path = "/api/v1/overview/work", tag = "overview",
    responses((status = 200, body = WorkOverview), (status = "default", body = ProblemBody)))]
pub async fn get_work(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<WorkOverview>, Problem> {
    let (store, me) = (&app.store, caller.user.id.as_str());
    let now_us = app.clock.now_us();
    let since_us = now_us - DAY_US;
    let (my_tasks, my_overdue) = store.task_counts(Some(me), i64::MAX).await?;
    let (_, overdue_total) = store.task_counts(None, now_us).await?;
    let (calls_waiting, calls_unanswered) = store.escalation_counts().await?;
    let mut ending = store.suppressions(&caller.reach()).await?.items;
    ending.retain(|one| {
        let end = clock::from_text(&one.expires_at).unwrap_or(i64::MAX);
        wire_name(&one.state) == "active" && end < now_us + 7 * DAY_US
    });
    ending.sort_by(|a, b| a.expires_at.cmp(&b.expires_at));
    ending.truncate(MAX_NAMED as usize);
    let plan = app.notices.plan();
    let on_call = store.rosters().await?.into_iter().map(|roster| OnCallNow {
        user: duty::on_call(&roster, now_us, &app.zone)
            .and_then(|id| plan.contact(&id).filter(|one| !one.user.disabled).map(|one| one.user.person())),
        roster: roster.name,
    });
    let visibility = app.watched.borrow().visibility.clone();
    Ok(Json(WorkOverview {
        since: clock::to_text(since_us),
        open: store.open_by_severity(None, None).await?,
        new_open: store.open_by_severity(Some(since_us), None).await?,
        mine: store.open_by_severity(None, Some(me)).await?,
        my_tasks: my_tasks + my_overdue,
        my_overdue,
        my_cases: store.cases_led(me).await?,
        overdue: store.tasks_due(me, now_us, MAX_NAMED).await?,
        overdue_total,
        ending,
        calls_waiting,
        calls_unanswered,
        on_call: on_call.collect(),
        blind: visibility.sensors.into_iter().filter(|sensor| sensor.state != "connected").collect(),
        collector_ok: visibility.collector_ok,
        team: store.work_since(since_us).await?,
    }))
}

/// The state of the province: this period beside the one before.
#[utoipa::path(get, path = "/api/v1/overview/state", tag = "overview", params(StateQuery),
    responses((status = 200, body = StateOverview), (status = "default", body = ProblemBody)))]
pub async fn get_state(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<StateQuery>,
) -> Result<Json<StateOverview>, Problem> {
    let days = query.days.unwrap_or(7);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Problem::bad_field("days", format!("choose 1 to {MAX_DAYS} days")));
    }
    let store = &app.store;
    let now_us = app.clock.now_us();
    let first = crate::reports::today(&app)
        .checked_sub(i64::from(days - 1).days())
        .map_err(|error| Problem::internal(&error))?;
    let from_us = start_of(&app, first);
    let now = Span { from_us, to_us: now_us };
    let length_us = i64::from(days) * DAY_US;
    let before = Span { from_us: from_us - length_us, to_us: now_us - length_us };

    let (hours, hours_before) = (store.hours_by_severity(now).await?, store.hours_by_severity(before).await?);
    let mut alerts: BTreeMap<String, Compared> =
        crate::store::sql::SEVERITIES.iter().map(|one| (wire_name(one), Compared::default())).collect();
    for (_, severity, count) in &hours {
        alerts.entry(severity.clone()).or_default().now += count;
    }
    for (_, severity, count) in &hours_before {
        alerts.entry(severity.clone()).or_default().before += count;
    }
    let alerts_total = alerts
        .values()
        .fold(Compared::default(), |sum, one| Compared { now: sum.now + one.now, before: sum.before + one.before });
    let (decided, decided_before) = (store.decisions(now).await?, store.decisions(before).await?);
    let (cases, cases_before) = (store.count_cases(now).await?, store.count_cases(before).await?);
    let (due, overdue) = store.task_counts(None, now_us + 7 * DAY_US).await?;
    let visibility = app.watched.borrow().visibility.clone();
    let compared = |now: u64, before: u64| Compared { now, before };
    Ok(Json(StateOverview {
        days,
        from: clock::to_text(now.from_us),
        to: clock::to_text(now.to_us),
        before_from: clock::to_text(before.from_us),
        before_to: clock::to_text(before.to_us),
        cases_open: store.open_cases_by_severity().await?,
        due,
        overdue,
        duties: store.tasks_due(&caller.user.id, now_us + 7 * DAY_US, MAX_DUTIES).await?,
        alerts_open: store.open_by_severity(None, None).await?,
        trend: trend(&app, first, days, (&hours, &hours_before), length_us),
        alerts,
        alerts_total,
        decided: compared(decided.decided, decided_before.decided),
        attacks: compared(decided.attacks, decided_before.attacks),
        decision_s: compared(decided.mean_s, decided_before.mean_s),
        cases_opened: compared(cases.opened, cases_before.opened),
        cases_closed: compared(cases.closed, cases_before.closed),
        needs: needs(&app, now, before).await?,
        coverage: Coverage {
            collector_ok: visibility.collector_ok,
            seen: visibility.seen,
            known: visibility.known,
            unaccounted: visibility.unaccounted,
            sensors: visibility.sensors,
        },
        attack: matrix(&app, now).await?,
    }))
}

fn start_of(app: &App, day: Date) -> i64 {
    let midnight = app.zone.to_zoned(day.at(0, 0, 0, 0));
    midnight.map_or(0, |time| time.timestamp().as_microsecond())
}

type Hours = [(i64, String, u64)];

fn trend(app: &App, first: Date, days: u32, (now, before): (&Hours, &Hours), length_us: i64) -> Vec<DayTrend> {
    let day_of = |hour: i64, later_us: i64| {
        let time = Timestamp::from_microsecond(hour * HOUR_US + later_us).unwrap_or(Timestamp::UNIX_EPOCH);
        time.to_zoned(app.zone.clone()).date()
    };
    let mut counts: BTreeMap<Date, (u64, u64)> = BTreeMap::new();
    let mut day = first;
    for _ in 0..days {
        counts.insert(day, (0, 0));
        day = day.tomorrow().unwrap_or(day);
    }
    for (hour, _, count) in now {
        if let Some(sums) = counts.get_mut(&day_of(*hour, 0)) {
            sums.0 += count;
        }
    }
    for (hour, _, count) in before {
        if let Some(sums) = counts.get_mut(&day_of(*hour, length_us)) {
            sums.1 += count;
        }
    }
    counts.into_iter().map(|(day, (now, before))| DayTrend { day: day.to_string(), now, before }).collect()
}

/// The agencies whose burden is heaviest, and why. What is late weighs most, then what is critical, then open cases,
/// then what is high, then a rise to more than twice of before.
async fn needs(app: &App, now: Span, before: Span) -> Result<Vec<Need>, Problem> {
    let loads = app.store.agency_loads(now, before).await?;
    let mut weighed: Vec<(u64, String, AgencyLoad)> = loads
        .into_iter()
        .map(|(id, load)| {
            let rising = u64::from(rises(&load));
            let weight = load.overdue * 1000 + load.critical * 200 + load.cases * 100 + load.high * 10 + rising * 50;
            (weight, id, load)
        })
        .filter(|(weight, ..)| *weight > 0)
        .collect();
    weighed.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    weighed.truncate(MAX_NEEDS);
    let mut needs = Vec::with_capacity(weighed.len());
    for (_, id, load) in weighed {
        let name = if load.name.is_empty() { app.store.name_of_agency(&id).await? } else { load.name.clone() };
        let reason = |kind: &str, number: u64| NeedReason { kind: kind.to_owned(), number, before: None };
        let mut reasons = vec![
            reason("tasks_overdue", load.overdue),
            reason("critical_open", load.critical),
            reason("cases_open", load.cases),
            reason("high_open", load.high),
        ];
        reasons.retain(|reason| reason.number > 0);
        if rises(&load) {
            reasons.push(NeedReason { before: Some(load.before), ..reason("rising", load.now) });
        }
        let worst = if load.critical > 0 {
            Severity::Critical
        } else if load.high > 0 {
            Severity::High
        } else {
            Severity::Medium
        };
        needs.push(Need { id, name, worst, reasons });
    }
    Ok(needs)
}

/// More than twice as many as before, and more than a handful.
fn rises(load: &AgencyLoad) -> bool {
    load.now >= 10 && load.now > 2 * load.before
}

async fn matrix(app: &App, span: Span) -> Result<Vec<TacticSeen>, Problem> {
    let counts = app.store.alerts_by_rule(span).await?;
    // The rules in force say which techniques they tell of; without the collector there is no matrix, and the page says so.
    let rules = app.collector.rules().await.map(|answer| answer.rules).unwrap_or_default();
    let techniques_of: BTreeMap<&str, &[String]> =
        rules.iter().map(|line| (line.rule.id.as_str(), line.rule.techniques.as_slice())).collect();
    let mut seen: BTreeMap<&str, TechniqueSeen> = BTreeMap::new();
    for (rule, count) in &counts {
        for id in techniques_of.get(rule.as_str()).copied().unwrap_or_default() {
            let known = attack::technique(id);
            let shown = known.map_or(id.as_str(), |(shown, _)| shown);
            let one = seen.entry(shown).or_insert_with(|| TechniqueSeen {
                id: shown.to_owned(),
                name: known.map_or_else(|| id.clone(), |(_, one)| one.en.clone()),
                name_vi: known.map_or_else(|| id.clone(), |(_, one)| one.vi.clone()),
                alerts: 0,
                rules: Vec::new(),
            });
            // A rule that names two techniques of one parent is one finding of it.
            if !one.rules.contains(rule) {
                one.alerts += count;
                one.rules.push(rule.clone());
            }
        }
    }
    let mut columns: Vec<TacticSeen> = attack::tactics()
        .iter()
        .map(|tactic| TacticSeen {
            id: tactic.id.clone(),
            name: tactic.en.clone(),
            name_vi: tactic.vi.clone(),
            techniques: Vec::new(),
        })
        .collect();
    let mut elsewhere =
        TacticSeen { id: String::new(), name: String::new(), name_vi: String::new(), techniques: Vec::new() };
    for (id, one) in seen {
        let tactic = attack::technique(id).map(|(_, known)| known.tactic.as_str());
        match columns.iter_mut().find(|column| Some(column.id.as_str()) == tactic) {
            Some(column) => column.techniques.push(one),
            None => elsewhere.techniques.push(one),
        }
    }
    if !elsewhere.techniques.is_empty() {
        columns.push(elsewhere);
    }
    for column in &mut columns {
        column.techniques.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.id.cmp(&b.id)));
    }
    Ok(columns)
}
