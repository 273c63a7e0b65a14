//! Evidence of a case: sealed by the collector, read and released with a reason. Reading is written down, here and in the
//! collector's own log, before the first byte leaves.

use std::sync::Arc;

use axum::Json;
use axum::body::Body as AnswerBody;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use luytre_collector_api::{HoldRequest, PASSWORD_HEADER, ReleaseRequest};

use super::cases::told;
use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{CaseDetail, EvidenceReason, SealEvidence};
use crate::store::audit::Actor;
use crate::store::reach::Named;

/// Has the collector seal everything that proves an alert of the case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/evidence", tag = "cases", request_body = SealEvidence,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn seal_evidence(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<SealEvidence>,
) -> Result<Json<CaseDetail>, Problem> {
    let actor = Actor::from(&caller);
    if !app.store.names_reached(Named::Alert, &wish.alert_id, &caller.reach()).await? {
        return Err(Problem::not_found("alert"));
    }
    let (number, reason) = app.store.may_seal(&id, &wish.alert_id, &wish.reason).await?;
    let request = HoldRequest {
        alert: wish.alert_id.clone(),
        by: caller.user.name.clone(),
        reason: format!("case {number}: {reason}"),
    };
    let held = app.collector.hold(&request).await?;
    app.store.sealed(&id, &wish.alert_id, &held, &reason, &actor).await?;
    let case = app.store.case(&id, actor.viewer()).await?;
    Ok(told(&app, case, &[]).await)
}

/// Gives a bundle out, a ZIP archive; the header `x-luytre-password` opens the carved files in it.
#[utoipa::path(post, path = "/api/v1/cases/{id}/evidence/{evidence}/read", tag = "cases",
    request_body = EvidenceReason,
    params(("id" = String, Path, description = "The case"), ("evidence" = String, Path, description = "The evidence")),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"),
        (status = "default", body = ProblemBody)))]
pub async fn read_evidence(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, evidence)): Path<(String, String)>,
    Body(wish): Body<EvidenceReason>,
) -> Result<Response, Problem> {
    let actor = Actor::from(&caller);
    let digest = app.store.take_evidence(&id, &evidence, "read", &wish.reason, &actor).await?;
    let (password, content) = app.collector.read_evidence(&digest, &caller.user.name).await?;
    let case = app.store.case(&id, actor.viewer()).await?;
    app.tell_case(&id, case.case.version).await;
    let name: String = digest.chars().take(16).collect();
    let mut response = AnswerBody::new(content).into_response();
    let headers = response.headers_mut();
    let disposition = format!("attachment; filename=\"evidence-{name}.zip\"");
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_DISPOSITION, disposition.parse().map_err(|e| Problem::internal(&e))?);
    if let Some(password) = password.and_then(|text| text.parse().ok()) {
        headers.insert(PASSWORD_HEADER, password);
    }
    Ok(response)
}

/// Ends the case's hold on a bundle: from now on its age counts.
#[utoipa::path(post, path = "/api/v1/cases/{id}/evidence/{evidence}/release", tag = "cases",
    request_body = EvidenceReason,
    params(("id" = String, Path, description = "The case"), ("evidence" = String, Path, description = "The evidence")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn release_evidence(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, evidence)): Path<(String, String)>,
    Body(wish): Body<EvidenceReason>,
) -> Result<Json<CaseDetail>, Problem> {
    let actor = Actor::from(&caller);
    if wish.reason.trim().is_empty() {
        return Err(Problem::bad_field("reason", "use 1 to 500 characters"));
    }
    let case = app.store.case(&id, actor.viewer()).await?;
    let item = case.evidence.iter().find(|item| item.id == evidence).ok_or_else(|| Problem::not_found("evidence"))?;
    let request = ReleaseRequest { by: caller.user.name.clone(), reason: wish.reason.clone() };
    app.collector.release_evidence(&item.digest, &request).await?;
    app.store.take_evidence(&id, &evidence, "released", &wish.reason, &actor).await?;
    let case = app.store.case(&id, actor.viewer()).await?;
    Ok(told(&app, case, &[]).await)
}
