//! `GET /v1/alerts/stream?after=SEQ`, `GET /v1/alerts/{id}`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use luytre_collector_api::{Alert, NEWEST_HEADER};
use serde::Deserialize;

use super::{Api, Failure, blocking};
use crate::fanout::Fanout;

/// Lines read from the log at a time.
const LINES: usize = 200;
/// An empty line is sent after this much silence.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
pub(super) struct From {
    #[serde(default)]
    after: u64,
}

/// Replays the log after a sequence number, then follows it.
pub(super) async fn stream(State(api): State<Api>, Query(from): Query<From>) -> Response {
    let newest = api.fanout.newest().to_string();
    let follower = Follower { newest: api.fanout.watch(), fanout: api.fanout, after: from.after };
    let lines = futures_util::stream::unfold(follower, |mut follower| async move {
        let bytes = follower.next().await?;
        Some((Ok::<Bytes, Infallible>(bytes), follower))
    });
    let headers = [(header::CONTENT_TYPE.as_str(), "application/x-ndjson".to_owned()), (NEWEST_HEADER, newest)];
    (headers, Body::from_stream(lines)).into_response()
}

struct Follower {
    fanout: Fanout,
    newest: tokio::sync::watch::Receiver<u64>,
    after: u64,
}

impl Follower {
    /// The next lines, an empty line after silence, or nothing when the log is gone.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            // Marked seen before reading, so that what comes meanwhile wakes the next wait.
            self.newest.mark_unchanged();
            let fanout = self.fanout.clone();
            let after = self.after;
            let lines = tokio::task::spawn_blocking(move || fanout.after(after, LINES)).await.ok()?;
            let lines = lines.inspect_err(|error| tracing::error!(%error, "read the alert log")).ok()?;
            if let Some((newest, _)) = lines.last() {
                self.after = *newest;
                let mut bytes = Vec::new();
                for (_, line) in lines {
                    bytes.extend_from_slice(&line);
                    bytes.push(b'\n');
                }
                return Some(bytes.into());
            }
            match tokio::time::timeout(SIGN_OF_LIFE, self.newest.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(Bytes::from_static(b"\n")),
            }
        }
    }
}

pub(super) async fn alert(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Alert>, Failure> {
    let missing = format!("no alert has the id {id}; it may have outlived its time");
    let found = blocking(move || api.fanout.get(&id)).await?.map_err(|error| Failure::internal(&error))?;
    found.map(|entry| Json(entry.alert)).ok_or_else(|| Failure::not_found(missing))
}
