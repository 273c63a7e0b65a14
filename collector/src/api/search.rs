//! `POST /v1/search`, `GET /v1/events/{id}`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use luytre_collector_api::{EventDocument, SearchAnswer, SearchRequest};
use luytre_events::EventId;

use super::{Api, Failure, WAIT_MAX, blocking};
use crate::search::SearchError;

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Failure {
        let message = error.to_string();
        match error {
            SearchError::Query(query) => {
                let mut failure = Failure::new(StatusCode::BAD_REQUEST, "bad_query", message);
                failure.error.position = Some(query.position);
                failure
            }
            SearchError::Request(_) | SearchError::Engine(_) => Failure::bad_request(message),
            SearchError::Set(_) => Failure::not_found(message),
            SearchError::Late(_) => Failure::overloaded(message),
        }
    }
}

pub(super) async fn search(
    State(api): State<Api>,
    request: Result<Json<SearchRequest>, JsonRejection>,
) -> Result<Json<SearchAnswer>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let answer = in_turn(&api, move |api| api.search.run(&request, crate::clock::now_ns())).await?;
    Ok(Json(answer?))
}

pub(super) async fn event(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<EventDocument>, Failure> {
    let id: EventId =
        id.parse().map_err(|error: luytre_events::event::BadEventId| Failure::bad_request(error.to_string()))?;
    let missing = format!("no event has the id {id}; it may have outlived its time");
    let found = in_turn(&api, move |api| api.search.event(&id)).await?;
    found?.map(Json).ok_or_else(|| Failure::not_found(missing))
}

/// Runs a search on a blocking thread when it is its turn.
pub(super) async fn in_turn<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce(Api) -> T + Send + 'static,
) -> Result<T, Failure> {
    let busy = || Failure::overloaded("too many searches run already; try again in a moment");
    let turn = tokio::time::timeout(WAIT_MAX, api.turns.clone().acquire_owned()).await.map_err(|_| busy())?;
    let turn = turn.map_err(|error| Failure::internal(&error))?;
    let api = api.clone();
    blocking(move || {
        // Held until the search itself has ended, not until its caller has gone.
        let _turn = turn;
        work(api)
    })
    .await
}
