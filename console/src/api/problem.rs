//! Why a request failed, as the API says it: a status, a stable code that the interface translates, and a message for
//! people who read the answer itself. Nothing about the inside leaves through it; causes go to the log.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::collector::CollectorError;
use crate::store::StoreError;

/// The body of every failed request.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// A stable word: `bad_request`, `bad_query`, `not_logged_in`, `wrong_password`, `locked`, `forbidden`, `csrf`,
    /// `not_found`, `conflict`, `not_open`, `too_many_requests`, `too_large`, `too_slow`, `collector_unreachable`,
    /// `collector_slow`, `internal`.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// What is wrong with which field of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Where in the query, in characters from 0, for `bad_query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// The entity as it is now, for `conflict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<serde_json::Value>,
    /// When to try again, in seconds, for `locked` and `too_many_requests`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// A failed request.
#[derive(Debug)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Box<ProblemBody>,
}

impl Problem {
    /// A problem with a code and a message.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let body = ProblemBody { code: code.to_owned(), message: message.into(), ..ProblemBody::default() };
        Problem { status, body: Box::new(body) }
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// One field of the request makes no sense.
    pub fn bad_field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "bad_request", format!("{field}: {message}"));
        problem.body.fields.insert(field.to_owned(), message);
        problem
    }

    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// Somebody else was faster; `current` is how the thing is now.
    pub fn conflict(current: &impl Serialize) -> Self {
        let message = "somebody else changed this in the meantime; look at it again and repeat";
        let mut problem = Self::new(StatusCode::CONFLICT, "conflict", message);
        problem.body.current = serde_json::to_value(current).ok();
        problem
    }

    /// Not logged in, or the session has lapsed.
    pub fn not_logged_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_logged_in", "log in first")
    }

    /// Too often; try again later.
    pub fn later(code: &str, retry_after_s: u64) -> Self {
        let message = format!("too many tries; try again in {retry_after_s} seconds");
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, message);
        problem.body.retry_after_s = Some(retry_after_s);
        problem
    }

    /// Something broke here; the cause is logged, not told.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "answer a request");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something broke; the console's log has the cause")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = self.body.retry_after_s;
        let mut response = (self.status, Json(*self.body)).into_response();
        if let Some(value) = retry_after.and_then(|s| HeaderValue::from_str(&s.to_string()).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

/// What never reached a handler (an address that cannot be read, a body that is too large, an answer that took too long) is
/// told as everything else is.
pub async fn in_our_words(request: Request, next: Next) -> Response {
    let ours = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let told = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !ours || !failed || told {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let said = axum::body::to_bytes(body, MAX_SAID).await.unwrap_or_default();
    let said = crate::words::one_line(&String::from_utf8_lossy(&said), 300);
    let (code, message) = match status {
        StatusCode::NOT_FOUND => ("not_found", "there is no such address".to_owned()),
        StatusCode::METHOD_NOT_ALLOWED => ("bad_request", "this address does not take this method".to_owned()),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "the request is too large".to_owned()),
        StatusCode::SERVICE_UNAVAILABLE => ("too_slow", "the answer took too long; ask for less, or later".to_owned()),
        _ => ("bad_request", said),
    };
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut answer = Problem::new(status, code, message).into_response();
    answer.headers_mut().extend(parts.headers);
    answer
}

/// How much of a plain answer is read.
const MAX_SAID: usize = 4_096;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::not_found(what),
            StoreError::Conflict(current) => Self::conflict(&*current),
            StoreError::Refused { code, message } => Self::new(StatusCode::CONFLICT, code, message),
            StoreError::Invalid { field, message } => Self::bad_field(field, message),
            StoreError::Database(_) => Self::internal(&format!("{:#}", anyhow::Error::new(error))),
        }
    }
}

impl From<CollectorError> for Problem {
    fn from(error: CollectorError) -> Self {
        match error {
            CollectorError::Refused { status, error } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                let status = if status.is_server_error() { StatusCode::BAD_GATEWAY } else { status };
                let mut problem = Self::new(status, &error.code, error.message);
                problem.body.position = error.position;
                problem
            }
            CollectorError::Slow { .. } => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "collector_slow",
                "the collector took too long; narrow the question",
            ),
            CollectorError::Unreachable { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "collector_unreachable",
                "the collector does not answer; alerts and cases still work, searching does not",
            ),
            CollectorError::Nonsense { .. } => {
                tracing::warn!(%error, "ask the collector");
                Self::new(StatusCode::BAD_GATEWAY, "collector_nonsense", "the collector's answer was not understood")
            }
        }
    }
}
