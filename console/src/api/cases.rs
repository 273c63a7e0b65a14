//! Cases: alerts that belong together and the work on them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use luytre_collector_api::Agency;

use super::extract::{Body, Params};
use super::groups::MAX_BULK;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{CaseDetail, CaseList, CaseQuery, ChangeCase, LinkAlerts, NewCase, NewNote};
use crate::store::audit::Actor;

/// A page of cases.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", params(CaseQuery),
    responses((status = 200, body = CaseList), (status = "default", body = ProblemBody)))]
pub async fn list_cases(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<CaseQuery>,
) -> Result<Json<CaseList>, Problem> {
    Ok(Json(app.store.cases(&query, &caller.user.id).await?))
}

/// Opens a case.
#[utoipa::path(post, path = "/api/v1/cases", tag = "cases", request_body = NewCase,
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn open_case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewCase>,
) -> Result<Json<CaseDetail>, Problem> {
    check_alerts(&new.alert_ids)?;
    let agency = agency(&app, new.agency_id.as_deref()).await?;
    let (case, linked) = app.store.open_case(&new, agency, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &linked).await)
}

/// A case with everything in it.
#[utoipa::path(get, path = "/api/v1/cases/{id}", tag = "cases",
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn get_case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CaseDetail>, Problem> {
    Ok(Json(app.store.case(&id, &caller.user.id).await?))
}

/// Changes a case.
#[utoipa::path(patch, path = "/api/v1/cases/{id}", tag = "cases", request_body = ChangeCase,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn change_case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<ChangeCase>,
) -> Result<Json<CaseDetail>, Problem> {
    let wished = match wish.agency_id.as_deref() {
        None => None,
        some => Some(agency(&app, some).await?),
    };
    let case = app.store.change_case(&id, &wish, wished, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Adds a note to a case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/notes", tag = "cases", request_body = NewNote,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn add_note(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(note): Body<NewNote>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.add_note(&id, &note.text, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Makes alerts part of a case; all of them, or none when one cannot.
#[utoipa::path(post, path = "/api/v1/cases/{id}/alerts", tag = "cases", request_body = LinkAlerts,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn link_alerts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<LinkAlerts>,
) -> Result<Json<CaseDetail>, Problem> {
    check_alerts(&wish.alert_ids)?;
    let (case, linked) = app.store.link_alerts(&id, &wish.alert_ids, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &linked).await)
}

fn check_alerts(ids: &[String]) -> Result<(), Problem> {
    if ids.len() <= MAX_BULK {
        Ok(())
    } else {
        Err(Problem::bad_field("alert_ids", format!("name at most {MAX_BULK} alerts")))
    }
}

/// Tells everybody of the case and the alerts that changed.
pub(super) async fn told(app: &App, case: CaseDetail, alerts: &[String]) -> Json<CaseDetail> {
    for id in alerts {
        app.tell_alert(id, false).await;
    }
    app.tell_case(&case.case.id, case.case.version).await;
    Json(case)
}

/// The agency of an id; one that the register does not know is called by its id.
pub(super) async fn agency(app: &App, id: Option<&str>) -> Result<Option<Agency>, Problem> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
    let id: String = id.chars().take(100).collect();
    let name = app.store.agency_name(&id).await?.unwrap_or_else(|| id.clone());
    Ok(Some(Agency { id, name }))
}
