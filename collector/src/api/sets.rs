//! `GET /v1/sets`, `POST /v1/sets/{set}/...`: data sets apart from the live one, and what is imported into them.
//!
//! Importing is for the Unix socket alone: `luytre-collector import` begins one ([`begin`]), sends the events in pieces of
//! any number ([`add`]) and ends it ([`finish`]).

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use luytre_collector_api::{DataSet, Import, ImportBegun, ImportProgress, ImportRequest};
use serde_json::Value;

use super::{Api, Failure, blocking};
use crate::import::ImportError;

/// The largest piece of an import.
pub(super) const PIECE_MAX_BYTES: usize = 16 << 20;

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        let message = error.to_string();
        match error {
            ImportError::Name(_) => Failure::bad_request(message),
            ImportError::Set(_) => Failure::not_found(message),
            ImportError::Busy(_) => Failure::new(StatusCode::CONFLICT, "busy", message),
            ImportError::Again { .. } => Failure::new(StatusCode::CONFLICT, "again", message),
            ImportError::Gone(_) => Failure::new(StatusCode::GONE, "gone", message),
            ImportError::Write(_) | ImportError::List { .. } => {
                Failure::internal(&format!("{:#}", anyhow::Error::new(error)))
            }
        }
    }
}

pub(super) async fn sets(State(api): State<Api>) -> Result<Json<Vec<DataSet>>, Failure> {
    Ok(Json(blocking(move || api.sets.all()).await??))
}

pub(super) async fn begin(
    State(api): State<Api>,
    Path(set): Path<String>,
    request: Result<Json<ImportRequest>, JsonRejection>,
) -> Result<Json<ImportBegun>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let number = blocking(move || api.sets.begin(&set, &request.file, &request.sha256)).await??;
    Ok(Json(ImportBegun { number }))
}

pub(super) async fn add(
    State(api): State<Api>,
    Path((set, number)): Path<(String, u64)>,
    events: Result<Json<Vec<Value>>, JsonRejection>,
) -> Result<Json<ImportProgress>, Failure> {
    let Json(events) = events.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let events = blocking(move || api.sets.add(&set, number, &events)).await??;
    Ok(Json(ImportProgress { events }))
}

pub(super) async fn finish(
    State(api): State<Api>,
    Path((set, number)): Path<(String, u64)>,
) -> Result<Json<Import>, Failure> {
    Ok(Json(blocking(move || api.sets.finish(&set, number)).await??))
}

pub(super) async fn remove(State(api): State<Api>, Path(set): Path<String>) -> Result<Json<()>, Failure> {
    Ok(Json(blocking(move || api.sets.remove(&set)).await??))
}
