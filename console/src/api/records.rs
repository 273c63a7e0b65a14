//! Records of what the console did: the audit log.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;

use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{AuditList, AuditQuery, ChainReport, ChainState};
use crate::store::audit::{Actor, detail};

/// A page of the audit log, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "records", params(AuditQuery),
    responses((status = 200, body = AuditList), (status = "default", body = ProblemBody)))]
pub async fn list_audit(
    State(app): State<Arc<App>>,
    Params(query): Params<AuditQuery>,
) -> Result<Json<AuditList>, Problem> {
    Ok(Json(app.store.audit_page(&query).await?))
}

/// Where the chain of the audit log ends.
#[utoipa::path(get, path = "/api/v1/audit/chain", tag = "records",
    responses((status = 200, body = ChainState), (status = "default", body = ProblemBody)))]
pub async fn get_chain(State(app): State<Arc<App>>) -> Result<Json<ChainState>, Problem> {
    Ok(Json(app.store.chain_state().await?))
}

/// Verifies the chain of the audit log from the first line to the last.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "records",
    responses((status = 200, body = ChainReport), (status = "default", body = ProblemBody)))]
pub async fn verify_chain(State(app): State<Arc<App>>) -> Result<Json<ChainReport>, Problem> {
    let report = app.store.verify_chain().await.map_err(|error| Problem::internal(&format!("{error:#}")))?;
    if let Some(broken) = &report.broken {
        tracing::error!(line = broken.number, what = %broken.message, "the audit log is broken");
    }
    Ok(Json(report))
}

/// The whole audit log as it is chained: a line each, the digest and the text that it is of. Reading it out is itself a
/// line, the last one of the file.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "records",
    responses((status = 200, body = String, content_type = "text/plain"), (status = "default", body = ProblemBody)))]
pub async fn export_chain(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    app.store.add_audit(&Actor::from(&caller), "log.exported", "log:all", &detail([])).await?;
    let pages = futures_util::stream::unfold((app, 0), |(app, after)| async move {
        match app.store.chain_lines(after).await {
            Ok(Some((last, text))) => Some((Ok(text), (app, last))),
            Ok(None) => None,
            // A broken body: the file does not look complete.
            Err(error) => Some((Err(std::io::Error::other(error.to_string())), (app, i64::MAX))),
        }
    });
    // Who packs a body asks once more after its end.
    let pages = pages.fuse();
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"luytre-log.txt\""),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}
