//! Notices to agencies, the team's side: prepared in a case, with documents, sent, added to, reminded of, ended; and what
//! agencies uploaded, given out behind a password. Whether the caller may see the case is looked at by the guard.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body as AnswerBody, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use luytre_collector_api::PASSWORD_HEADER;

use super::cases::told;
use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{
    AgencyFile, AgencyNotice, AgencyWords, CaseDetail, EndAgencyNotice, EntryKind, EvidenceReason, NewAgencyFile,
    NewAgencyNotice, PieceQuery,
};
use crate::notify::agency::{News, mails};
use crate::store::agency_files::Side;
use crate::store::audit::Actor;
use crate::store::{StoreError, StoreResult};

/// Prepares a notice to an agency. Documents are added to it, then it is sent.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agency-notices", tag = "agency notices", request_body = NewAgencyNotice,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = AgencyNotice), (status = "default", body = ProblemBody)))]
pub async fn draft_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(new): Body<NewAgencyNotice>,
) -> Result<Json<AgencyNotice>, Problem> {
    let (case, notice) = app.store.draft_agency_notice(&id, &new, &Actor::from(&caller)).await?;
    app.tell_case(&id, case.case.version).await;
    Ok(Json(app.store.agency_notice(&notice).await?.0))
}

/// Throws a draft away.
#[utoipa::path(delete, path = "/api/v1/cases/{id}/agency-notices/{notice}", tag = "agency notices",
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn discard_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice)): Path<(String, String)>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.discard_agency_draft(&id, &notice, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Sends a draft. The agency sees it from now on, and its people are told by mail.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agency-notices/{notice}/send", tag = "agency notices",
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn send_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice)): Path<(String, String)>,
) -> Result<Json<CaseDetail>, Problem> {
    let mails = mails(&app, &of_case(&app, &id, &notice).await?, News::Sent).await?;
    let case = app.store.send_agency_notice(&id, &notice, &mails, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Adds something to a notice that was sent; its people are told by mail.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agency-notices/{notice}/messages", tag = "agency notices",
    request_body = AgencyWords,
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn message_agency(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice)): Path<(String, String)>,
    Body(words): Body<AgencyWords>,
) -> Result<Json<CaseDetail>, Problem> {
    let mails = mails(&app, &of_case(&app, &id, &notice).await?, News::Message).await?;
    let actor = Actor::from(&caller);
    let case = app.store.address_agency((&id, &notice), EntryKind::Message, &words.text, &mails, &actor).await?;
    Ok(told(&app, case, &[]).await)
}

/// Reminds an agency by mail of what is missing; at most once an hour.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agency-notices/{notice}/remind", tag = "agency notices",
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn remind_agency(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice)): Path<(String, String)>,
) -> Result<Json<CaseDetail>, Problem> {
    let mails = mails(&app, &of_case(&app, &id, &notice).await?, News::Reminder).await?;
    if mails.notices.is_empty() {
        let message =
            "mail reaches nobody of the agency; write an address for one of its users or contacts, or call them";
        return Err(Problem::new(StatusCode::CONFLICT, "nobody_reached", message));
    }
    let actor = Actor::from(&caller);
    let case = app.store.address_agency((&id, &notice), EntryKind::Reminder, "", &mails, &actor).await?;
    Ok(told(&app, case, &[]).await)
}

/// Ends a notice: nothing more is waited for or taken. The agency sees the reason.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agency-notices/{notice}/end", tag = "agency notices",
    request_body = EndAgencyNotice,
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn end_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice)): Path<(String, String)>,
    Body(wish): Body<EndAgencyNotice>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.end_agency_notice(&id, &notice, &wish.reason, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Begins a document that goes with a draft; its pieces follow.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agency-notices/{notice}/files", tag = "agency notices",
    request_body = NewAgencyFile,
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice")),
    responses((status = 200, body = AgencyFile), (status = "default", body = ProblemBody)))]
pub async fn begin_document(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice)): Path<(String, String)>,
    Body(new): Body<NewAgencyFile>,
) -> Result<Json<AgencyFile>, Problem> {
    let begun = app.store.begin_agency_file(&notice, Side::Team(&id), &new, &Actor::from(&caller)).await;
    let file = counted(&app, begun)?;
    Ok(Json(app.store.agency_file(&notice, &file).await?))
}

/// Adds a piece of a document; it is whole with its last piece.
#[utoipa::path(put, path = "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", tag = "agency notices",
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice"),
        ("file" = String, Path, description = "The document"), PieceQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The piece"),
    responses((status = 200, body = AgencyFile), (status = "default", body = ProblemBody)))]
pub async fn put_document(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice, file)): Path<(String, String, String)>,
    Params(place): Params<PieceQuery>,
    piece: Result<Bytes, BytesRejection>,
) -> Result<Json<AgencyFile>, Problem> {
    let piece = piece.map_err(no_piece)?;
    let actor = Actor::from(&caller);
    let (file, case) = app.store.put_agency_piece((&notice, &file), Side::Team(&id), place.at, &piece, &actor).await?;
    if let Some((case_id, version)) = case {
        app.tell_case(&case_id, version).await;
    }
    Ok(Json(file))
}

/// Takes a document of a draft away.
#[utoipa::path(delete, path = "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", tag = "agency notices",
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice"),
        ("file" = String, Path, description = "The document")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn drop_document(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice, file)): Path<(String, String, String)>,
) -> Result<Json<CaseDetail>, Problem> {
    app.store.drop_agency_file(&notice, &file, Side::Team(&id)).await?;
    Ok(Json(app.store.case(&id, &caller.user.id).await?))
}

/// A document that the team sent along.
#[utoipa::path(get, path = "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}", tag = "agency notices",
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice"),
        ("file" = String, Path, description = "The document")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = "default", body = ProblemBody)))]
pub async fn get_document(
    State(app): State<Arc<App>>,
    Path((id, notice, file)): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    of_case(&app, &id, &notice).await?;
    let (file, content) = app.store.agency_document(&notice, &file).await?;
    attachment(&file, content)
}

/// Gives out what an agency uploaded: a ZIP archive that the header `x-luytre-password` opens. It is written down before
/// the first byte leaves.
#[utoipa::path(post, path = "/api/v1/cases/{id}/agency-notices/{notice}/files/{file}/read", tag = "agency notices",
    request_body = EvidenceReason,
    params(("id" = String, Path, description = "The case"), ("notice" = String, Path, description = "The notice"),
        ("file" = String, Path, description = "The file")),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"),
        (status = "default", body = ProblemBody)))]
pub async fn read_upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, notice, file)): Path<(String, String, String)>,
    Body(wish): Body<EvidenceReason>,
) -> Result<Response, Problem> {
    let actor = Actor::from(&caller);
    let evidence = app.store.take_agency_file((&id, &notice, &file), &wish.reason, &actor).await?;
    let (password, content) = app.collector.read_evidence(&evidence, &caller.user.name).await?;
    let case = app.store.case(&id, actor.viewer()).await?;
    app.tell_case(&id, case.case.version).await;
    let name: String = evidence.chars().take(16).collect();
    let mut response = AnswerBody::new(content).into_response();
    let headers = response.headers_mut();
    let disposition = format!("attachment; filename=\"upload-{name}.zip\"");
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_DISPOSITION, disposition.parse().map_err(|e| Problem::internal(&e))?);
    if let Some(password) = password.and_then(|text| text.parse().ok()) {
        headers.insert(PASSWORD_HEADER, password);
    }
    Ok(response)
}

/// A notice of this case; one of another case is none.
async fn of_case(app: &App, case_id: &str, notice_id: &str) -> Result<AgencyNotice, Problem> {
    let (notice, of) = app.store.agency_notice(notice_id).await?;
    if of == case_id { Ok(notice) } else { Err(Problem::not_found("notice")) }
}

/// Counts a file that is refused.
pub(super) fn counted<T>(app: &App, begun: StoreResult<T>) -> StoreResult<T> {
    if let Err(StoreError::Refused { .. } | StoreError::Invalid { .. }) = &begun {
        app.metrics.uploads_refused.add(1);
    }
    begun
}

/// A piece that is larger than any request may be, or that broke off.
pub(super) fn no_piece(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the request is too large")
        }
        _ => Problem::bad_request("the piece broke off; send it again"),
    }
}

/// A document as something to be saved and never shown in place, whatever it is.
pub(super) fn attachment(file: &AgencyFile, content: Vec<u8>) -> Result<Response, Problem> {
    // RFC 6266: the plain name for old programs, the real one percent-encoded.
    let plain: String =
        file.name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let encoded = crate::collector::path_part(&file.name);
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, disposition.parse().map_err(|e| Problem::internal(&e))?);
    Ok(response)
}
