//! Records of what the console did: the audit log and e-mail notices.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::model::{AuditList, NoticeList, PageQuery};

/// A page of the audit log, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "records", params(PageQuery),
    responses((status = 200, body = AuditList), (status = "default", body = ProblemBody)))]
pub async fn list_audit(
    State(app): State<Arc<App>>,
    Params(query): Params<PageQuery>,
) -> Result<Json<AuditList>, Problem> {
    Ok(Json(app.store.audit_page(&query).await?))
}

/// A page of e-mail notices, newest first.
#[utoipa::path(get, path = "/api/v1/notices", tag = "records", params(PageQuery),
    responses((status = 200, body = NoticeList), (status = "default", body = ProblemBody)))]
pub async fn list_notices(
    State(app): State<Arc<App>>,
    Params(query): Params<PageQuery>,
) -> Result<Json<NoticeList>, Problem> {
    Ok(Json(app.store.notices(&query).await?))
}
