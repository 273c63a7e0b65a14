//! Handovers of shifts: the state as it is now, signed by the one who goes and the one who comes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::model::{
    AnswerHandover, DutyNext, NewHandover, PageQuery, Person, ShiftHandover, ShiftHandoverList, ShiftState,
};
use crate::notify::duty;
use crate::store::StoreResult;
use crate::store::audit::Actor;

const DAY_US: i64 = 86_400_000_000;
/// How far ahead it is looked who takes over.
const AHEAD_US: i64 = 14 * DAY_US;
/// How many tasks, suppressions and notices are named.
const MAX_NAMED: u32 = 50;
/// How many alerts are named.
const MAX_ALERTS: u32 = 20;

/// What is open now: what a handover would show.
#[utoipa::path(get, path = "/api/v1/shift", tag = "handovers",
    responses((status = 200, body = ShiftState), (status = "default", body = ProblemBody)))]
pub async fn get_shift(State(app): State<Arc<App>>) -> Result<Json<ShiftState>, Problem> {
    Ok(Json(shift(&app).await?))
}

/// Handovers, newest first, and those that wait for the caller's signature.
#[utoipa::path(get, path = "/api/v1/handovers", tag = "handovers", params(PageQuery),
    responses((status = 200, body = ShiftHandoverList), (status = "default", body = ProblemBody)))]
pub async fn list_handovers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
) -> Result<Json<ShiftHandoverList>, Problem> {
    Ok(Json(app.store.handovers(&query, &caller.user.id).await?))
}

/// A handover with the state as it was shown.
#[utoipa::path(get, path = "/api/v1/handovers/{id}", tag = "handovers",
    params(("id" = String, Path, description = "The handover")),
    responses((status = 200, body = ShiftHandover), (status = "default", body = ProblemBody)))]
pub async fn get_handover(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<ShiftHandover>, Problem> {
    Ok(Json(app.store.handover(&id).await?))
}

/// Hands the shift over to somebody: the caller signs the state as it is at this moment.
#[utoipa::path(post, path = "/api/v1/handovers", tag = "handovers", request_body = NewHandover,
    responses((status = 200, body = ShiftHandover), (status = "default", body = ProblemBody)))]
pub async fn hand_over(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(wish): Body<NewHandover>,
) -> Result<Json<ShiftHandover>, Problem> {
    in_person(&caller)?;
    let shown = shift(&app).await?;
    let id = app.store.hand_over(&wish, &shown, &Actor::from(&caller)).await?;
    changed(&app, &id).await
}

/// The one who comes signs, or refuses.
#[utoipa::path(post, path = "/api/v1/handovers/{id}/answer", tag = "handovers", request_body = AnswerHandover,
    params(("id" = String, Path, description = "The handover")),
    responses((status = 200, body = ShiftHandover), (status = "default", body = ProblemBody)))]
pub async fn answer_handover(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<AnswerHandover>,
) -> Result<Json<ShiftHandover>, Problem> {
    in_person(&caller)?;
    app.store.answer_handover(&id, &wish, &Actor::from(&caller)).await?;
    changed(&app, &id).await
}

/// The one who goes takes a handover back that nobody has signed.
#[utoipa::path(post, path = "/api/v1/handovers/{id}/withdraw", tag = "handovers",
    params(("id" = String, Path, description = "The handover")),
    responses((status = 200, body = ShiftHandover), (status = "default", body = ProblemBody)))]
pub async fn withdraw_handover(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ShiftHandover>, Problem> {
    in_person(&caller)?;
    app.store.withdraw_handover(&id, &Actor::from(&caller)).await?;
    changed(&app, &id).await
}

/// A signature is somebody's own, given in a session of theirs: a program with a token cannot give it.
fn in_person(caller: &Caller) -> Result<(), Problem> {
    match caller.token {
        None => Ok(()),
        Some(_) => Err(Problem::new(StatusCode::FORBIDDEN, "token_scope", "people sign this themselves; log in")),
    }
}

async fn changed(app: &App, id: &str) -> Result<Json<ShiftHandover>, Problem> {
    app.live.publish("handovers_changed", &serde_json::json!({}));
    Ok(Json(app.store.handover(id).await?))
}

/// The state at this moment. Nobody in particular looks, so that restricted cases are counted and not named.
async fn shift(app: &App) -> StoreResult<ShiftState> {
    let store = &app.store;
    let now_us = app.clock.now_us();
    let (due, overdue) = store.task_counts(None, now_us + DAY_US).await?;
    let (calls_waiting, calls_unanswered) = store.escalation_counts().await?;
    let (unanswered, unanswered_total) = store.unanswered(MAX_NAMED).await?;
    let visibility = app.watched.borrow().visibility.clone();
    Ok(ShiftState {
        at: clock::to_text(now_us),
        clocks: store.tasks_due("", now_us + DAY_US, MAX_NAMED).await?,
        clocks_total: due + overdue,
        clocks_overdue: overdue,
        alerts: store.open_by_severity(None, None).await?,
        worst: store.worst_open_alerts(MAX_ALERTS).await?,
        silences: store.ending_silences(now_us + DAY_US, MAX_NAMED).await?,
        blind: visibility.sensors.into_iter().filter(|sensor| sensor.state != "connected").collect(),
        collector_ok: visibility.collector_ok,
        unanswered,
        unanswered_total,
        calls_waiting,
        calls_unanswered,
        on_call: on_call(app, now_us).await?,
    })
}

async fn on_call(app: &App, now_us: i64) -> StoreResult<Vec<DutyNext>> {
    let plan = app.notices.plan();
    let person = |id: Option<&str>| -> Option<Person> {
        id.and_then(|id| plan.contact(id)).filter(|one| !one.user.disabled).map(|one| one.user.person())
    };
    let rosters = app.store.rosters().await?;
    let next = rosters.iter().map(|roster| {
        let spans = duty::spans(roster, now_us, now_us + AHEAD_US, &app.zone);
        let next = spans.get(1);
        DutyNext {
            roster: roster.name.clone(),
            now: person(spans.first().and_then(|span| span.user_id.as_deref())),
            until: next.map(|span| clock::to_text(span.from_us)),
            next: person(next.and_then(|span| span.user_id.as_deref())),
        }
    });
    Ok(next.collect())
}
