//! `POST /v1/export`, `POST /v1/search/follow`, `POST /v1/search/complete`: what is asked around a query.
//!
//! An export is made a page ahead of its reader and waits for it; each page has its turn among the searches. One that
//! cannot be finished breaks off, which every client notices.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use luytre_collector_api::{CompletionRequest, ExportFormat, ExportRequest, Proposal, SearchRequest, TOTAL_HEADER};

use super::search::in_turn;
use super::{Api, Failure};
use crate::clock::now_ns;
use crate::search::export::Exporter;
use crate::tail::{Followed, Follower};

/// An empty line is sent after this much silence.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

pub(super) async fn export(
    State(api): State<Api>,
    request: Result<Json<ExportRequest>, JsonRejection>,
) -> Result<Response, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let format = request.format;
    let exporter = in_turn(&api, move |api| Exporter::begin(api.search, &request, now_ns())).await??;
    let total = exporter.total.to_string();
    let pieces = futures_util::stream::unfold(Some((api, exporter)), |state| async move {
        let (api, mut exporter) = state?;
        let made = in_turn(&api, move |_| {
            let piece = exporter.next(now_ns());
            (exporter, piece)
        });
        let failed = |reason: String| {
            tracing::warn!(reason, "an export breaks off");
            Some((Err(std::io::Error::other(reason)), None))
        };
        match made.await {
            Ok((exporter, Ok(Some(piece)))) => Some((Ok(Bytes::from(piece)), Some((api, exporter)))),
            Ok((_, Ok(None))) => None,
            Ok((_, Err(error))) => failed(error.to_string()),
            Err(failure) => failed(failure.into_error().message),
        }
    });
    let (kind, name) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"luytre.csv\""),
        ExportFormat::Jsonl => ("application/x-ndjson", "attachment; filename=\"luytre.jsonl\""),
    };
    let headers = [
        (header::CONTENT_TYPE.as_str(), kind.to_owned()),
        (header::CONTENT_DISPOSITION.as_str(), name.to_owned()),
        (TOTAL_HEADER, total),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

pub(super) async fn follow(
    State(api): State<Api>,
    request: Result<Json<SearchRequest>, JsonRejection>,
) -> Result<Response, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    let follower = api.tail.follow(&request.query, now_ns())?;
    let lines = futures_util::stream::unfold(follower, |mut follower: Follower| async move {
        let bytes = match tokio::time::timeout(SIGN_OF_LIFE, follower.next()).await {
            Ok(Followed::Lines(lines)) => lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
            Ok(Followed::Missed(missed)) => format!("{}\n", serde_json::json!({ "missed_batches": missed })),
            Ok(Followed::Over) => return None,
            Err(_) => "\n".to_owned(),
        };
        Some((Ok::<Bytes, Infallible>(bytes.into()), follower))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

pub(super) async fn complete(
    State(api): State<Api>,
    request: Result<Json<CompletionRequest>, JsonRejection>,
) -> Result<Json<Vec<Proposal>>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    Ok(Json(in_turn(&api, move |api| api.search.complete(&request, now_ns())).await?))
}
