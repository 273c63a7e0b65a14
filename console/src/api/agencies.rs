//! The register of agencies: the tree, and what belongs to each agency.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{
    AgencyDetail, AgencyList, AgencyRecord, ChangeAgency, ChangeRecord, NewAgency, RecordContent, RecordList,
    RecordQuery, SeenVersion,
};
use crate::reports;
use crate::store::agency_records::due_by;
use crate::store::audit::Actor;

/// Today, and the day on or before which a verification must have been for it to be due.
fn days(app: &App) -> (String, String) {
    let today = reports::today(app).to_string();
    let due_by = due_by(&today).unwrap_or_default();
    (today, due_by)
}

/// All agencies, each with what it has in numbers.
#[utoipa::path(get, path = "/api/v1/agencies", tag = "agencies",
    responses((status = 200, body = AgencyList), (status = "default", body = ProblemBody)))]
pub async fn list_agencies(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<AgencyList>, Problem> {
    let (today, due_by) = days(&app);
    let items = app.store.agencies(&caller.reach(), &caller.user.id, &today, &due_by).await?;
    Ok(Json(AgencyList { total: items.len() as u64, items }))
}

/// An agency.
#[utoipa::path(get, path = "/api/v1/agencies/{id}", tag = "agencies",
    params(("id" = String, Path, description = "The agency")),
    responses((status = 200, body = AgencyDetail), (status = "default", body = ProblemBody)))]
pub async fn get_agency(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AgencyDetail>, Problem> {
    detail(&app, &caller, &id).await
}

async fn detail(app: &App, caller: &Caller, id: &str) -> Result<Json<AgencyDetail>, Problem> {
    let (today, due_by) = days(app);
    Ok(Json(app.store.agency(id, &caller.user.id, &today, &due_by).await?))
}

/// Adds an agency.
#[utoipa::path(post, path = "/api/v1/agencies", tag = "agencies", request_body = NewAgency,
    responses((status = 200, body = AgencyDetail), (status = "default", body = ProblemBody)))]
pub async fn add_agency(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewAgency>,
) -> Result<Json<AgencyDetail>, Problem> {
    check_reach(&app, &caller, new.fields.parent_id.as_deref()).await?;
    let id = app.store.add_agency(&new, &Actor::from(&caller)).await?;
    detail(&app, &caller, &id).await
}

/// Changes an agency.
#[utoipa::path(put, path = "/api/v1/agencies/{id}", tag = "agencies", request_body = ChangeAgency,
    params(("id" = String, Path, description = "The agency")),
    responses((status = 200, body = AgencyDetail), (status = "default", body = ProblemBody)))]
pub async fn change_agency(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<ChangeAgency>,
) -> Result<Json<AgencyDetail>, Problem> {
    let seen = app.store.agency(&id, &caller.user.id, "", "").await?.agency;
    // Where an agency hangs decides who sees it: nobody moves what is not theirs, nor hangs anything on what is not.
    if seen.parent_id != wish.fields.parent_id {
        check_reach(&app, &caller, wish.fields.parent_id.as_deref()).await?;
    }
    for successor in wish.fields.successors.iter().filter(|id| !seen.successors.contains(id)) {
        check_reach(&app, &caller, Some(successor)).await?;
    }
    app.store.change_agency(&id, &wish, &Actor::from(&caller)).await?;
    detail(&app, &caller, &id).await
}

/// Refuses a parent or successor that is out of reach, as if there were none.
async fn check_reach(app: &App, caller: &Caller, agency: Option<&str>) -> Result<(), Problem> {
    if app.store.reaches(&caller.reach(), agency).await? {
        return Ok(());
    }
    Err(Problem::bad_field("parent_id", "name an agency that you look after"))
}

/// A page of contacts, networks, systems or assets.
#[utoipa::path(get, path = "/api/v1/agency-records", tag = "agencies", params(RecordQuery),
    responses((status = 200, body = RecordList), (status = "default", body = ProblemBody)))]
pub async fn list_records(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<RecordQuery>,
) -> Result<Json<RecordList>, Problem> {
    Ok(Json(app.store.records(&query, &caller.reach(), &days(&app).0).await?))
}

/// Adds a contact, network, system or asset to an agency.
#[utoipa::path(post, path = "/api/v1/agencies/{id}/records", tag = "agencies", request_body = RecordContent,
    params(("id" = String, Path, description = "The agency")),
    responses((status = 200, body = AgencyRecord), (status = "default", body = ProblemBody)))]
pub async fn add_record(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(content): Body<RecordContent>,
) -> Result<Json<AgencyRecord>, Problem> {
    let record = app.store.add_record(&id, &content, &Actor::from(&caller)).await?;
    Ok(Json(app.store.record(&record, &days(&app).0).await?))
}

/// Changes a record.
#[utoipa::path(put, path = "/api/v1/agencies/{id}/records/{record}", tag = "agencies", request_body = ChangeRecord,
    params(("id" = String, Path, description = "The agency"), ("record" = String, Path, description = "The record")),
    responses((status = 200, body = AgencyRecord), (status = "default", body = ProblemBody)))]
pub async fn change_record(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, record)): Path<(String, String)>,
    Body(wish): Body<ChangeRecord>,
) -> Result<Json<AgencyRecord>, Problem> {
    app.store.change_record(&id, &record, &wish, &Actor::from(&caller)).await?;
    Ok(Json(app.store.record(&record, &days(&app).0).await?))
}

/// Removes a record.
#[utoipa::path(delete, path = "/api/v1/agencies/{id}/records/{record}", tag = "agencies",
    params(("id" = String, Path, description = "The agency"), ("record" = String, Path, description = "The record"),
        SeenVersion),
    responses((status = 200, body = AgencyDetail), (status = "default", body = ProblemBody)))]
pub async fn remove_record(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, record)): Path<(String, String)>,
    Params(seen): Params<SeenVersion>,
) -> Result<Json<AgencyDetail>, Problem> {
    app.store.remove_record(&id, &record, seen.version, &Actor::from(&caller)).await?;
    detail(&app, &caller, &id).await
}

/// Says that everything about a contact was found right today.
#[utoipa::path(post, path = "/api/v1/agencies/{id}/records/{record}/verify", tag = "agencies", request_body = SeenVersion,
    params(("id" = String, Path, description = "The agency"), ("record" = String, Path, description = "The contact")),
    responses((status = 200, body = AgencyRecord), (status = "default", body = ProblemBody)))]
pub async fn verify_contact(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, record)): Path<(String, String)>,
    Body(seen): Body<SeenVersion>,
) -> Result<Json<AgencyRecord>, Problem> {
    let (today, _) = days(&app);
    app.store.verify_contact(&id, &record, seen.version, &today, &Actor::from(&caller)).await?;
    Ok(Json(app.store.record(&record, &today).await?))
}
