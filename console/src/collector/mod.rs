//! The collector, asked over its Unix socket or mutual TLS ([`door`]): HTTP/1.1, a connection per question, a
//! time limit and a size limit on every answer. When it is down, questions fail at once and everything else goes on.

pub mod door;
pub mod stream;
pub mod watch;

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use luytre_collector_api::{
    AgencyNetworks, ApiError, EventDocument, EvidenceItem, Health, HoldAnswer, HoldRequest, LedgerAnswer,
    NEWEST_HEADER, PASSWORD_HEADER, PacketsRequest, ReleaseRequest, RuleDetail, RulesAnswer, SearchAnswer,
    SearchRequest, Sensor, Token, TokenRequest,
};
use serde::de::DeserializeOwned;

use self::door::Door;
use crate::model::LedgerQuery;
use crate::settings::CollectorSettings;

/// The largest answer that is read.
pub const MAX_ANSWER_BYTES: usize = 64 << 20;

/// How long sealing may take: packets come from sensors. Shorter than an answer of the console may take.
const SEAL_TIMEOUT: Duration = Duration::from_secs(50);

/// The open stream of alerts.
#[derive(Debug)]
pub struct AlertStream {
    /// The sequence of the newest alert, where the collector says it.
    pub newest: Option<u64>,
    /// The lines.
    pub body: Incoming,
}

/// Why the collector gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// It cannot be reached.
    #[error("reach the collector at {place}: {cause}")]
    Unreachable {
        /// Where.
        place: String,
        /// Why.
        cause: String,
    },
    /// It took longer than the limit.
    #[error("the collector took longer than {limit_ms} ms")]
    Slow {
        /// The limit.
        limit_ms: u64,
    },
    /// It said no.
    #[error("the collector refused ({status}): {}", error.message)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its reason.
        error: ApiError,
    },
    /// Its answer was not understood.
    #[error("understand the collector's answer to {what}: {cause}")]
    Nonsense {
        /// What was asked.
        what: String,
        /// What is wrong.
        cause: String,
    },
}

/// Asks the collector.
#[derive(Debug, Clone)]
pub struct Collector {
    door: Door,
    timeout: Duration,
    search_timeout: Duration,
}

impl Collector {
    /// A client; connects at each question. Fails where the configuration does not fit together.
    pub fn new(settings: &CollectorSettings) -> anyhow::Result<Self> {
        Ok(Collector {
            door: Door::new(settings)?,
            timeout: Duration::from_millis(settings.timeout_ms),
            search_timeout: Duration::from_millis(settings.search_timeout_ms),
        })
    }

    /// How it is.
    pub async fn health(&self) -> Result<Health, CollectorError> {
        self.get("/v1/health").await
    }

    /// Searches events.
    pub async fn search(&self, request: &SearchRequest) -> Result<SearchAnswer, CollectorError> {
        let body = serde_json::to_vec(request).unwrap_or_default();
        self.ask(Method::POST, "/v1/search", body, self.search_timeout).await
    }

    /// One event.
    pub async fn event(&self, id: &str) -> Result<EventDocument, CollectorError> {
        self.get(&format!("/v1/events/{}", path_part(id))).await
    }

    /// All sensors.
    pub async fn sensors(&self) -> Result<Vec<Sensor>, CollectorError> {
        self.get("/v1/sensors").await
    }

    /// Stops accepting a sensor's certificate.
    pub async fn revoke(&self, name: &str) -> Result<Sensor, CollectorError> {
        self.ask(Method::POST, &format!("/v1/sensors/{}/revoke", path_part(name)), Vec::new(), self.timeout).await
    }

    /// Makes an enrolment token.
    pub async fn token(&self, request: &TokenRequest) -> Result<Token, CollectorError> {
        let body = serde_json::to_vec(request).unwrap_or_default();
        self.ask(Method::POST, "/v1/tokens", body, self.timeout).await
    }

    /// The loss ledger.
    pub async fn ledger(&self, query: &LedgerQuery) -> Result<LedgerAnswer, CollectorError> {
        let pairs = [("from", &query.from), ("to", &query.to), ("sensor", &query.sensor)];
        let pairs: Vec<String> =
            pairs.iter().filter_map(|(name, value)| Some(format!("{name}={}", path_part(value.as_deref()?)))).collect();
        let question = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        self.get(&format!("/v1/ledger{question}")).await
    }

    /// All rules.
    pub async fn rules(&self) -> Result<RulesAnswer, CollectorError> {
        self.get("/v1/rules").await
    }

    /// One rule.
    pub async fn rule(&self, id: &str) -> Result<RuleDetail, CollectorError> {
        self.get(&format!("/v1/rules/{}", path_part(id))).await
    }

    /// All agencies that it knows.
    pub async fn agencies(&self) -> Result<Vec<AgencyNetworks>, CollectorError> {
        self.get("/v1/agencies").await
    }

    /// The catalogue of fields.
    pub async fn catalogue(&self) -> Result<serde_json::Value, CollectorError> {
        self.get("/v1/catalogue").await
    }

    /// Opens the stream of alerts after a place; the head must come within the time limit, the body stays open.
    pub async fn alert_stream(&self, after: u64) -> Result<AlertStream, CollectorError> {
        let path = format!("/v1/alerts/stream?after={after}");
        let response = self.within(self.timeout, self.send(Method::GET, &path, Vec::new())).await?;
        if response.status().is_success() {
            let newest = response.headers().get(NEWEST_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
            return Ok(AlertStream { newest, body: response.into_body() });
        }
        Err(self.within(self.timeout, refusal(response, &path)).await?)
    }

    /// The packets of a flow, a pcapng file. The beginning must come within the time limit of searches; the rest comes as
    /// the sensor sends it.
    pub async fn packets(&self, request: &PacketsRequest) -> Result<Incoming, CollectorError> {
        let limit_mb = request.limit_mb.map(|limit| limit.to_string());
        let pairs = [
            ("flow", Some(&request.flow)),
            ("sensor", request.sensor.as_ref()),
            ("from", request.from.as_ref()),
            ("to", request.to.as_ref()),
            ("limit_mb", limit_mb.as_ref()),
            ("by", request.by.as_ref()),
        ];
        let pairs = pairs.iter().filter_map(|(name, value)| Some(format!("{name}={}", path_part(value.as_deref()?))));
        let path = format!("/v1/packets?{}", pairs.collect::<Vec<_>>().join("&"));
        let response = self.within(self.search_timeout, self.send(Method::GET, &path, Vec::new())).await?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        Err(self.within(self.timeout, refusal(response, &path)).await?)
    }

    /// Has everything that proves an alert sealed and held.
    pub async fn hold(&self, request: &HoldRequest) -> Result<HoldAnswer, CollectorError> {
        let body = serde_json::to_vec(request).unwrap_or_default();
        self.ask(Method::POST, "/v1/evidence/holds", body, SEAL_TIMEOUT).await
    }

    /// Ends a hold.
    pub async fn release_evidence(&self, id: &str, request: &ReleaseRequest) -> Result<EvidenceItem, CollectorError> {
        let body = serde_json::to_vec(request).unwrap_or_default();
        self.ask(Method::POST, &format!("/v1/evidence/{}/release", path_part(id)), body, self.timeout).await
    }

    /// A piece of evidence, and the password of the files in it.
    pub async fn read_evidence(&self, id: &str, by: &str) -> Result<(Option<String>, Incoming), CollectorError> {
        let path = format!("/v1/evidence/{}?by={}", path_part(id), path_part(by));
        let response = self.within(self.search_timeout, self.send(Method::GET, &path, Vec::new())).await?;
        if response.status().is_success() {
            let password = response.headers().get(PASSWORD_HEADER).and_then(|value| value.to_str().ok());
            return Ok((password.map(str::to_owned), response.into_body()));
        }
        Err(self.within(self.timeout, refusal(response, &path)).await?)
    }

    /// Puts a document into the store of evidence, held by whoever brought it.
    pub async fn add_document(
        &self,
        by: &str,
        name: &str,
        reason: &str,
        content: Vec<u8>,
    ) -> Result<EvidenceItem, CollectorError> {
        let pairs = [("by", by), ("name", name), ("reason", reason)];
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", path_part(value))).collect();
        let path = format!("/v1/evidence/documents?{}", pairs.join("&"));
        self.ask(Method::POST, &path, content, SEAL_TIMEOUT).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CollectorError> {
        self.ask(Method::GET, path, Vec::new(), self.timeout).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<T, CollectorError> {
        self.within(limit, async {
            let response = self.send(method, path, body).await?;
            if !response.status().is_success() {
                return Err(refusal(response, path).await?);
            }
            let bytes = read(response, path).await?;
            serde_json::from_slice(&bytes).map_err(|cause| nonsense(path, &cause))
        })
        .await
    }

    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, CollectorError>>,
    ) -> Result<T, CollectorError> {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        tokio::time::timeout(limit, work).await.unwrap_or(Err(CollectorError::Slow { limit_ms }))
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Response<Incoming>, CollectorError> {
        let unreachable = |cause: String| CollectorError::Unreachable { place: self.door.to_string(), cause };
        let hung_up = |cause: hyper::Error| unreachable(format!("{cause}{}", self.door.advice()));
        let stream = self.door.open().await.map_err(unreachable)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(hung_up)?;
        // Ends when the answer is read or dropped.
        tokio::spawn(async move {
            if let Err(cause) = connection.await {
                tracing::debug!(%cause, "talk to the collector");
            }
        });
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "collector")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|cause| nonsense(path, &cause))?;
        sender.send_request(request).await.map_err(hung_up)
    }
}

async fn read(response: Response<Incoming>, path: &str) -> Result<Bytes, CollectorError> {
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
    Ok(body.map_err(|cause| nonsense(path, &cause))?.to_bytes())
}

async fn refusal(response: Response<Incoming>, path: &str) -> Result<CollectorError, CollectorError> {
    let status = response.status().as_u16();
    let bytes = read(response, path).await?;
    let error = serde_json::from_slice(&bytes).unwrap_or_else(|_| ApiError {
        code: if status == 404 { "not_found".to_owned() } else { "collector_refused".to_owned() },
        message: String::from_utf8_lossy(&bytes).chars().take(300).collect(),
        position: None,
    });
    Ok(CollectorError::Refused { status, error })
}

fn nonsense(path: &str, cause: &dyn std::fmt::Display) -> CollectorError {
    CollectorError::Nonsense { what: path.to_owned(), cause: cause.to_string() }
}

/// A value in an address: everything but unreserved letters (RFC 3986 §2.3) percent-encoded.
pub(crate) fn path_part(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_addresses_cannot_leave_their_place() {
        assert_eq!(path_part("a/../b?c=d&e"), "a%2F..%2Fb%3Fc%3Dd%26e");
        assert_eq!(path_part("Sở Y tế"), "S%E1%BB%9F%20Y%20t%E1%BA%BF");
    }

    #[tokio::test]
    async fn a_collector_that_is_not_there_is_unreachable() {
        let settings = CollectorSettings { socket: "/nonexistent/api.sock".into(), ..CollectorSettings::default() };
        let error = Collector::new(&settings).unwrap().health().await.unwrap_err();
        assert!(matches!(error, CollectorError::Unreachable { .. }), "{error}");
    }
}
