//! Hunting: questions that the collector answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use luytre_collector_api::{SearchAnswer, SearchRequest};

use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;

/// Searches events. A bad query answers 400 with `position`.
#[utoipa::path(post, path = "/api/v1/search", tag = "search", request_body = SearchRequest,
    responses((status = 200, body = SearchAnswer), (status = "default", body = ProblemBody)))]
pub async fn search_events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(mut request): Body<SearchRequest>,
) -> Result<Json<SearchAnswer>, Problem> {
    // Whatever was sent: how far somebody reaches is not theirs to say.
    if let Some(within) = app.store.within(&caller.reach()).await? {
        request.agencies = Some(within);
    }
    Ok(Json(app.collector.search(&request).await?))
}

/// Every field that can be searched: name, type, meaning.
#[utoipa::path(get, path = "/api/v1/search/catalogue", tag = "search",
    responses((status = 200, body = serde_json::Value), (status = "default", body = ProblemBody)))]
pub async fn get_catalogue(State(app): State<Arc<App>>) -> Result<Json<serde_json::Value>, Problem> {
    Ok(Json(app.collector.catalogue().await?))
}
