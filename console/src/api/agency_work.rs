//! What an agency has to do: notices that were addressed to it, and what its people answer. The guard lets in the people of
//! agencies alone, and to notices within their reach alone; nothing else of a case is told here.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use super::agency_notices::{attachment, counted, no_piece};
use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{AgencyFile, AgencyNotice, AgencyWords, AgencyWork, NewAgencyFile, NewRemediation, PieceQuery};
use crate::store::agency_answers::Answer;
use crate::store::agency_files::{MAX_PIECE_BYTES, MAX_UPLOAD_BYTES, Side};
use crate::store::audit::Actor;

/// What was sent to one's agency, what waits for it first.
#[utoipa::path(get, path = "/api/v1/agency-work", tag = "agency work",
    responses((status = 200, body = AgencyWork), (status = "default", body = ProblemBody)))]
pub async fn list_agency_work(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<AgencyWork>, Problem> {
    let reach = caller.reach();
    let (items, total) = app.store.agency_work(&reach).await?;
    Ok(Json(AgencyWork {
        agency: app.store.own_agency(&reach).await?,
        team: app.settings.report.organisation.clone(),
        items,
        total,
        file_max_bytes: MAX_UPLOAD_BYTES,
        piece_max_bytes: MAX_PIECE_BYTES as u64,
    }))
}

/// A notice with everything that was said of it.
#[utoipa::path(get, path = "/api/v1/agency-work/{id}", tag = "agency work",
    params(("id" = String, Path, description = "The notice")),
    responses((status = 200, body = AgencyNotice), (status = "default", body = ProblemBody)))]
pub async fn get_agency_work(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<AgencyNotice>, Problem> {
    Ok(Json(app.store.agency_notice_received(&id).await?))
}

/// Confirms that one's agency has the notice.
#[utoipa::path(post, path = "/api/v1/agency-work/{id}/confirm", tag = "agency work",
    params(("id" = String, Path, description = "The notice")),
    responses((status = 200, body = AgencyNotice), (status = "default", body = ProblemBody)))]
pub async fn confirm_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AgencyNotice>, Problem> {
    said(&app, &id, Answer::Confirm, &caller).await
}

/// Answers in words.
#[utoipa::path(post, path = "/api/v1/agency-work/{id}/answers", tag = "agency work", request_body = AgencyWords,
    params(("id" = String, Path, description = "The notice")),
    responses((status = 200, body = AgencyNotice), (status = "default", body = ProblemBody)))]
pub async fn answer_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(words): Body<AgencyWords>,
) -> Result<Json<AgencyNotice>, Problem> {
    said(&app, &id, Answer::Words(&words.text), &caller).await
}

/// Reports what was done, when and by whom.
#[utoipa::path(post, path = "/api/v1/agency-work/{id}/remediation", tag = "agency work", request_body = NewRemediation,
    params(("id" = String, Path, description = "The notice")),
    responses((status = 200, body = AgencyNotice), (status = "default", body = ProblemBody)))]
pub async fn remediate_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(report): Body<NewRemediation>,
) -> Result<Json<AgencyNotice>, Problem> {
    said(&app, &id, Answer::Remediation(&report), &caller).await
}

/// Begins an upload; its pieces follow.
#[utoipa::path(post, path = "/api/v1/agency-work/{id}/files", tag = "agency work", request_body = NewAgencyFile,
    params(("id" = String, Path, description = "The notice")),
    responses((status = 200, body = AgencyFile), (status = "default", body = ProblemBody)))]
pub async fn begin_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(new): Body<NewAgencyFile>,
) -> Result<Json<AgencyFile>, Problem> {
    let begun = app.store.begin_agency_file(&id, Side::Agency, &new, &Actor::from(&caller)).await;
    let file = counted(&app, begun)?;
    Ok(Json(app.store.agency_file(&id, &file).await?))
}

/// Adds a piece of an upload; the file is whole with its last piece. After a break, go on from `received`.
#[utoipa::path(put, path = "/api/v1/agency-work/{id}/files/{file}", tag = "agency work",
    params(("id" = String, Path, description = "The notice"), ("file" = String, Path, description = "The file"), PieceQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The piece"),
    responses((status = 200, body = AgencyFile), (status = "default", body = ProblemBody)))]
pub async fn put_piece(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, file)): Path<(String, String)>,
    Params(place): Params<PieceQuery>,
    piece: Result<Bytes, BytesRejection>,
) -> Result<Json<AgencyFile>, Problem> {
    let piece = piece.map_err(no_piece)?;
    let actor = Actor::from(&caller);
    let (mut file, case) = app.store.put_agency_piece((&id, &file), Side::Agency, place.at, &piece, &actor).await?;
    if let Some((case_id, version)) = case {
        app.tell_case(&case_id, version).await;
    }
    file.scan = None;
    Ok(Json(file))
}

/// Gives an upload up that is not whole yet.
#[utoipa::path(delete, path = "/api/v1/agency-work/{id}/files/{file}", tag = "agency work",
    params(("id" = String, Path, description = "The notice"), ("file" = String, Path, description = "The file")),
    responses((status = 200, body = AgencyNotice), (status = "default", body = ProblemBody)))]
pub async fn drop_file(
    State(app): State<Arc<App>>,
    Path((id, file)): Path<(String, String)>,
) -> Result<Json<AgencyNotice>, Problem> {
    app.store.drop_agency_file(&id, &file, Side::Agency).await?;
    Ok(Json(app.store.agency_notice_received(&id).await?))
}

/// A document that the team sent along.
#[utoipa::path(get, path = "/api/v1/agency-work/{id}/files/{file}", tag = "agency work",
    params(("id" = String, Path, description = "The notice"), ("file" = String, Path, description = "The document")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = "default", body = ProblemBody)))]
pub async fn get_file(
    State(app): State<Arc<App>>,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (file, content) = app.store.agency_document(&id, &file).await?;
    attachment(&file, content)
}

async fn said(app: &App, id: &str, answer: Answer<'_>, caller: &Caller) -> Result<Json<AgencyNotice>, Problem> {
    let (case_id, version) = app.store.answer_agency_notice(id, answer, &Actor::from(caller)).await?;
    app.tell_case(&case_id, version).await;
    Ok(Json(app.store.agency_notice_received(id).await?))
}
