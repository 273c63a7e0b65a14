//! `GET /v1/sources`, `GET /v1/doors`, `GET /v1/rooms`, `POST /v1/sources/{name}/token`, `POST /v1/sources/{name}/revoke`.

use axum::Json;
use axum::extract::{Path, State};
use luytre_collector_api::{DoorLine, RoomLine, SourceLine, SourceToken};

use super::{Api, Failure, blocking};
use crate::sources::TokenError;

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Failure {
        match error {
            TokenError::Unknown(_) => Failure::not_found(error.to_string()),
            TokenError::Failed(_) => Failure::internal(&error),
        }
    }
}

pub(super) async fn sources(State(api): State<Api>) -> Json<Vec<SourceLine>> {
    Json(api.sources.list())
}

/// Who was let in where, and who was not.
pub(super) async fn doors(State(api): State<Api>) -> Json<Vec<DoorLine>> {
    Json(api.doors())
}

/// Where there is no room on a disk.
pub(super) async fn rooms(State(api): State<Api>) -> Json<Vec<RoomLine>> {
    Json(api.rooms.list())
}

pub(super) async fn create_token(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<SourceToken>, Failure> {
    blocking(move || {
        let token = api.sources.create_token(&name)?;
        Ok(Json(SourceToken { source: name, token }))
    })
    .await?
}

pub(super) async fn revoke_token(State(api): State<Api>, Path(name): Path<String>) -> Result<Json<()>, Failure> {
    blocking(move || Ok(Json(api.sources.revoke_token(&name)?))).await?
}
