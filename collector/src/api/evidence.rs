//! `/v1/evidence`: holding an alert's evidence, listing, reading and releasing it.
//!
//! Every read is in the evidence log before the first byte leaves. Bundles leave as they are: what may be malicious in
//! them is behind a password already. Everything else leaves in an archive behind a password made for this one time.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use luytre_collector_api::{
    EvidenceAnswer, EvidenceBy, EvidenceItem, EvidenceKind, EvidenceLog, Hold, HoldAnswer, HoldRequest,
    PASSWORD_HEADER, ReleaseRequest,
};
use std::io::Read as _;
use tokio_util::io::ReaderStream;

use super::{Api, Failure, blocking};
use crate::clock::now_ns;
use crate::evidence::archive::{ArchiveError, locked};
use crate::evidence::seal::password;
use crate::evidence::store::{Opened, Wish};
use crate::evidence::{EvidenceError, SealError};
use crate::room::is_full;

/// The largest document.
pub(super) const DOCUMENT_MAX_BYTES: usize = 64 << 20;
/// Lines of the log in one answer.
const LOG_LINES: usize = 1000;
/// The longest name of a document, in letters.
const NAME_MAX: usize = 200;

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Failure {
        let message = error.to_string();
        match error {
            EvidenceError::Unknown(_) => Failure::not_found(message),
            EvidenceError::Full { .. } => Failure::new(StatusCode::INSUFFICIENT_STORAGE, "full", message),
            EvidenceError::NoRoom { .. } => Failure::new(StatusCode::INSUFFICIENT_STORAGE, "no_room", message),
            EvidenceError::Holds(_) => Failure::new(StatusCode::CONFLICT, "holds", message),
            EvidenceError::Changed(_) | EvidenceError::Disk { .. } => {
                Failure::internal(&format!("{:#}", anyhow::Error::new(error)))
            }
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Failure {
        match error {
            SealError::Alert(_) => Failure::not_found(error.to_string()),
            SealError::Store(error) => error.into(),
            SealError::Archive(ArchiveError::Io(error)) if is_full(&error) => {
                Failure::new(StatusCode::INSUFFICIENT_STORAGE, "no_room", error.to_string())
            }
            error => Failure::internal(&format!("{:#}", anyhow::Error::new(error))),
        }
    }
}

pub(super) async fn hold(
    State(api): State<Api>,
    request: Result<Json<HoldRequest>, JsonRejection>,
) -> Result<Json<HoldAnswer>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    named(&request.by)?;
    // Goes on when its caller has gone: a bundle that was begun is finished.
    let sealed = tokio::spawn(async move { api.evidence.seal(request).await }).await;
    Ok(Json(sealed.map_err(|error| Failure::internal(&error))??))
}

pub(super) async fn list(State(api): State<Api>) -> Result<Json<EvidenceAnswer>, Failure> {
    let answer = blocking(move || {
        api.evidence.store.tidy();
        api.evidence.store.answer()
    });
    Ok(Json(answer.await?))
}

pub(super) async fn log(State(api): State<Api>) -> Result<Json<EvidenceLog>, Failure> {
    let (lines, is_whole) = blocking(move || api.evidence.store.log(LOG_LINES)).await??;
    Ok(Json(EvidenceLog { lines, is_whole }))
}

pub(super) async fn release(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Result<Json<ReleaseRequest>, JsonRejection>,
) -> Result<Json<EvidenceItem>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    named(&request.by)?;
    Ok(Json(blocking(move || api.evidence.store.release(&id, &request.by, &request.reason)).await??))
}

pub(super) async fn read(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Result<Query<EvidenceBy>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    named(&request.by)?;
    let Opened { item, mut content, password: opens } =
        blocking(move || api.evidence.store.read(&id, &request.by)).await??;
    let headers = |name: &str, opens: String| {
        let disposition = format!("attachment; filename=\"{name}\"");
        [
            (header::CONTENT_TYPE.as_str(), "application/zip".to_owned()),
            (header::CONTENT_DISPOSITION.as_str(), disposition),
            (PASSWORD_HEADER, opens),
        ]
    };
    if item.kind == EvidenceKind::Bundle {
        let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(content)));
        return Ok((headers(&item.name, opens.unwrap_or_default()), body).into_response());
    }
    let archive = blocking(move || {
        let mut plain = Vec::new();
        content.read_to_end(&mut plain).map_err(|error| Failure::internal(&error))?;
        let opens = password()?;
        let archive = locked(&item.name, &plain, &opens, now_ns()).map_err(|error| Failure::internal(&error))?;
        Ok::<_, Failure>((headers(&format!("{}.zip", item.id), opens), archive))
    });
    let (headers, archive) = archive.await??;
    Ok((headers, archive).into_response())
}

pub(super) async fn add(
    State(api): State<Api>,
    request: Result<Query<EvidenceBy>, QueryRejection>,
    content: Result<Bytes, BytesRejection>,
) -> Result<Json<EvidenceItem>, Failure> {
    let Query(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let content = content.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    named(&request.by)?;
    let plain = |c: &char| !c.is_control() && !['/', '\\', '"', ':'].contains(c);
    let name: String = request.name.unwrap_or_default().chars().filter(plain).take(NAME_MAX).collect();
    if name.is_empty() || content.is_empty() {
        return Err(Failure::bad_request("a document needs a name and a content"));
    }
    let hold = Hold {
        by: request.by,
        reason: request.reason.unwrap_or_default(),
        since: luytre_events::json::time_text(now_ns()),
    };
    let added = blocking(move || {
        let mut draft = api.evidence.store.draft()?;
        draft.write(&content)?;
        api.evidence.store.add(draft, Wish { kind: EvidenceKind::Document, name, alert: None, hold, password: None })
    });
    Ok(Json(added.await??))
}

/// Nobody touches evidence without a name.
fn named(by: &str) -> Result<(), Failure> {
    match by.trim().is_empty() {
        true => Err(Failure::bad_request("say who asks: `by` is empty")),
        false => Ok(()),
    }
}
