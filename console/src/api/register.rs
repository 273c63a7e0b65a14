//! Tables of the register, brought in with a preview and taken out in the same shape.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::Params;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::register::plan::Plan;
use crate::register::sheet::{self, Format, Sheet, SheetError};
use crate::register::{Entry, Table};
use crate::register_data::{RegisterData, register_data};
use crate::store::audit::{Actor, detail};

/// What the register is made of: kinds, periods, tables with their columns.
#[utoipa::path(get, path = "/api/v1/register", tag = "agencies",
    responses((status = 200, body = RegisterData), (status = "default", body = ProblemBody)))]
pub async fn get_register() -> Json<&'static RegisterData> {
    Json(register_data())
}

/// How a file is brought in.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// How it is written.
    #[param(inline)]
    pub format: Format,
    /// The digest of the preview that is to be carried out; without it, this is the preview.
    pub apply: Option<String>,
}

/// Shows what bringing a table in would do, or does it. All of it is written or nothing.
#[utoipa::path(post, path = "/api/v1/register/import/{table}", tag = "agencies",
    params(("table" = Table, Path, description = "Which"), ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file, at most 1 MB"),
    responses((status = 200, body = Plan), (status = "default", body = ProblemBody)))]
pub async fn import_table(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(table): Path<Table>,
    Params(query): Params<ImportQuery>,
    body: Bytes,
) -> Result<Json<Plan>, Problem> {
    let sheet = read(table, query.format, body).await?;
    Ok(Json(match query.apply {
        None => app.store.plan_import(table, &sheet).await?,
        Some(digest) => app.store.import(table, &sheet, &digest, &Actor::from(&caller)).await?,
    }))
}

/// Unpacking takes a while: not on the threads that answer.
async fn read(table: Table, format: Format, body: Bytes) -> Result<Sheet, Problem> {
    let read = tokio::task::spawn_blocking(move || sheet::read(table, format, &body)).await;
    read.map_err(|cause| Problem::internal(&cause))?.map_err(|error| match error {
        SheetError::TooLarge(message) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message),
        SheetError::Unreadable(message) => Problem::new(StatusCode::BAD_REQUEST, "bad_file", message),
    })
}

/// A table as CSV.
#[utoipa::path(get, path = "/api/v1/register/export/{table}", tag = "agencies",
    params(("table" = Table, Path, description = "Which")),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "default", body = ProblemBody)))]
pub async fn export_table(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(table): Path<Table>,
) -> Result<Response, Problem> {
    let data = table.data().ok_or_else(|| Problem::not_found("table"))?;
    let within = app.store.within(&caller.reach()).await?;
    let reached = |entry: &Entry| match (&within, entry) {
        (None, _) => true,
        (Some(within), Entry::Agency(id, _) | Entry::Record(id, _)) => within.contains(id),
    };
    let entries: Vec<Entry> = app.store.export(table).await?.into_iter().filter(reached).collect();
    let rows = entries.len().to_string();
    let subject = format!("table:{}", table.id());
    app.store.add_audit(&Actor::from(&caller), "register.exported", &subject, &detail([("rows", &rows)])).await?;
    let csv = sheet::write_csv(data, entries.iter().map(Entry::cells));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", table.id())),
    ];
    Ok((headers, csv).into_response())
}
