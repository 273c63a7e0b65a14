//! Alerts: the queue, one alert explained, decisions on one. Groups and decisions on many are in [`super::groups`].

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use luytre_collector_api::SearchRequest;

use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{
    AlertDetail, AlertList, AlertQuery, AssignAlert, CaseDetail, CloseAlert, EscalateAlert, NewAlertNote, NewCase,
    RelatedEvents, ReopenAlert, WatchAlert,
};
use crate::store::audit::Actor;
use crate::store::decide::{Decision, Outcome};

/// How many related events are answered.
const MAX_RELATED: u32 = 200;

/// How many of an alert's events are looked for by id.
const MAX_IDS: usize = 50;

/// A page of alerts.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(AlertQuery),
    responses((status = 200, body = AlertList), (status = "default", body = ProblemBody)))]
pub async fn list_alerts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<AlertQuery>,
) -> Result<Json<AlertList>, Problem> {
    Ok(Json(app.store.alerts(&query, &caller.reach()).await?))
}

/// An alert with everything that was decided about it.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = AlertDetail), (status = "default", body = ProblemBody)))]
pub async fn get_alert(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AlertDetail>, Problem> {
    Ok(Json(app.store.alert(&id, &caller.reach()).await?))
}

/// Events of the alert's flow and those it stands on.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/related", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = RelatedEvents), (status = "default", body = ProblemBody)))]
pub async fn get_related(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RelatedEvents>, Problem> {
    let alert = app.store.alert_body(&id).await?;
    let mut terms: Vec<String> =
        alert.community_id.iter().map(|id| format!("network.community_id:{}", quoted(id))).collect();
    terms.extend(alert.event_ids.iter().take(MAX_IDS).map(|id| format!("event.id:{}", quoted(id))));
    if terms.is_empty() {
        return Ok(Json(RelatedEvents { events: vec![alert.event], total: 1, partial: Vec::new() }));
    }
    let request = SearchRequest {
        query: terms.join(" OR "),
        limit: Some(MAX_RELATED),
        agencies: app.store.within(&caller.reach()).await?,
        ..SearchRequest::default()
    };
    let mut answer = app.collector.search(&request).await?;
    answer.events.reverse();
    if answer.events.is_empty() {
        // The index may be behind or have let go of them; the alert carries its newest event itself.
        return Ok(Json(RelatedEvents { events: vec![alert.event], total: 1, partial: answer.partial }));
    }
    Ok(Json(RelatedEvents { events: answer.events, total: answer.total, partial: answer.partial }))
}

/// A value as a quoted phrase of the query language.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Closes an alert with a verdict and a reason.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/close", tag = "alerts", request_body = CloseAlert,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = AlertDetail), (status = "default", body = ProblemBody)))]
pub async fn close_alert(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<CloseAlert>,
) -> Result<Json<AlertDetail>, Problem> {
    let decision = Decision::Close { verdict: wish.verdict, reason: wish.reason };
    decide(&app, &caller, &id, wish.version, decision).await
}

/// Opens a closed or escalated alert again.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/reopen", tag = "alerts", request_body = ReopenAlert,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = AlertDetail), (status = "default", body = ProblemBody)))]
pub async fn reopen_alert(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<ReopenAlert>,
) -> Result<Json<AlertDetail>, Problem> {
    decide(&app, &caller, &id, wish.version, Decision::Reopen { reason: wish.reason }).await
}

/// Gives an alert to somebody, or to nobody.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/assign", tag = "alerts", request_body = AssignAlert,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = AlertDetail), (status = "default", body = ProblemBody)))]
pub async fn assign_alert(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<AssignAlert>,
) -> Result<Json<AlertDetail>, Problem> {
    decide(&app, &caller, &id, wish.version, Decision::Assign { user_id: wish.user_id }).await
}

async fn decide(
    app: &App,
    caller: &Caller,
    id: &str,
    version: i64,
    decision: Decision,
) -> Result<Json<AlertDetail>, Problem> {
    if app.store.decide(id, Some(version), &decision, &Actor::from(caller)).await? == Outcome::Changed {
        app.tell_alert(id, false).await;
    }
    Ok(Json(app.store.alert(id, &caller.reach()).await?))
}

/// Makes an alert part of a new or an existing case.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/escalate", tag = "alerts", request_body = EscalateAlert,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn escalate_alert(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<EscalateAlert>,
) -> Result<Json<CaseDetail>, Problem> {
    let actor = Actor::from(&caller);
    let case = match wish.case_id {
        Some(case_id) => {
            app.store.decide(&id, Some(wish.version), &Decision::Escalate { case_id: case_id.clone() }, &actor).await?;
            app.store.case(&case_id, actor.viewer()).await?
        }
        None => {
            let title =
                wish.title.ok_or_else(|| Problem::bad_field("title", "name a case or a title for a new one"))?;
            let severity = match wish.severity {
                Some(severity) => severity,
                None => app.store.alert_severity(&id).await?,
            };
            let agency = super::cases::agency(&app, wish.agency_id.as_deref()).await?;
            let new = NewCase {
                title,
                severity,
                agency_id: None,
                summary: None,
                alert_ids: Vec::new(),
                template: wish.template,
                restricted: false,
            };
            app.store.escalate_new(&id, wish.version, &new, agency, &actor).await?
        }
    };
    app.tell_alert(&id, false).await;
    app.tell_case(&case.case.id, case.case.version).await;
    Ok(Json(case))
}

/// Adds a note to an alert.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/notes", tag = "alerts", request_body = NewAlertNote,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = AlertDetail), (status = "default", body = ProblemBody)))]
pub async fn note_alert(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(note): Body<NewAlertNote>,
) -> Result<Json<AlertDetail>, Problem> {
    app.store.add_alert_note(&id, &note.text, &Actor::from(&caller)).await?;
    app.tell_alert(&id, false).await;
    Ok(Json(app.store.alert(&id, &caller.reach()).await?))
}

/// Begins or stops watching an alert.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/watch", tag = "alerts", request_body = WatchAlert,
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = AlertDetail), (status = "default", body = ProblemBody)))]
pub async fn watch_alert(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<WatchAlert>,
) -> Result<Json<AlertDetail>, Problem> {
    app.store.watch_alert(&id, wish.on, &Actor::from(&caller)).await?;
    Ok(Json(app.store.alert(&id, &caller.reach()).await?))
}
