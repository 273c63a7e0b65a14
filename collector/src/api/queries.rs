//! `/v1/queries`: saved queries, their schedules and what became of their runs.
//!
//! `by` says for whom the console asks; what that person may do at all is the console's to decide. Without it (the command
//! line of the collector's own user) every query is seen and may be changed.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use luytre_collector_api::{SavedQuery, SavedQueryRequest};
use serde::Deserialize;

use super::{Api, Failure, blocking};
use crate::saved::SavedError;

impl From<SavedError> for Failure {
    fn from(error: SavedError) -> Failure {
        let message = error.to_string();
        match error {
            SavedError::Unknown(_) => Failure::not_found(message),
            SavedError::NotYours => Failure::new(StatusCode::FORBIDDEN, "not_yours", message),
            SavedError::Changed(_) => Failure::new(StatusCode::CONFLICT, "changed", message),
            SavedError::Bad(_) => Failure::bad_request(message),
            SavedError::Query(query) => {
                let mut failure = Failure::new(StatusCode::BAD_REQUEST, "bad_query", message);
                failure.error.position = Some(query.position);
                failure
            }
            SavedError::Disk { .. } => Failure::internal(&message),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asker {
    by: Option<String>,
}

type Wished = Result<Json<SavedQueryRequest>, JsonRejection>;

fn wished(request: Wished) -> Result<SavedQueryRequest, Failure> {
    Ok(request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?.0)
}

pub(super) async fn list(State(api): State<Api>, Query(asker): Query<Asker>) -> Json<Vec<SavedQuery>> {
    Json(api.saved.list(asker.by.as_deref()))
}

pub(super) async fn get(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asker): Query<Asker>,
) -> Result<Json<SavedQuery>, Failure> {
    Ok(Json(api.saved.get(&id, asker.by.as_deref())?))
}

pub(super) async fn create(State(api): State<Api>, request: Wished) -> Result<Json<SavedQuery>, Failure> {
    let wished = wished(request)?;
    blocking(move || Ok(Json(api.saved.create(wished)?))).await?
}

pub(super) async fn save(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Wished,
) -> Result<Json<SavedQuery>, Failure> {
    let wished = wished(request)?;
    blocking(move || Ok(Json(api.saved.save(&id, wished)?))).await?
}

pub(super) async fn remove(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asker): Query<Asker>,
) -> Result<Json<SavedQuery>, Failure> {
    blocking(move || Ok(Json(api.saved.remove(&id, asker.by.as_deref())?))).await?
}
