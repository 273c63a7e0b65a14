//! JSON by HTTPS: what Vector, Beats, Logstash and `curl` send.
//!
//! | asked | what it is | module |
//! | --- | --- | --- |
//! | `POST /_bulk`, `POST /INDEX/_bulk` | events as Elasticsearch takes them | [`bulk`] |
//! | `POST /` and any other path | JSON objects or lines of text, a line each, or one JSON list | [`lines`] |
//! | `GET /`, `/_license`, templates and the like | what clients of Elasticsearch ask at their start | [`hello`] |
//!
//! Every request shows the source's token ([`token`]). An answer that says that something is taken is sent when it is
//! durable in the journal; whoever hears nothing, or that we are busy (429, 503), sends it again, so that an event may be
//! there twice and is never lost. Bodies may be packed (gzip, zstd). Limits: [`BODY_MAX_BYTES`] on the wire and unpacked,
//! [`LINES_MAX`] events, [`BODIES_MAX`] requests at work, [`BODY_TIME_MAX`] for the body to come and [`WAIT_MAX`] for the
//! disk; what they turn away is counted for the source.

mod bulk;
mod hello;
mod lines;

use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use luytre_events::Event;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, oneshot};

use super::places::Place;
use super::writer::{Arrival, Parcel};
use super::{Door, shapes};
use crate::clock::now_ns;

/// The largest body, packed and unpacked.
const BODY_MAX_BYTES: usize = 16 << 20;
/// The most events of one request.
const LINES_MAX: usize = 20_000;
/// Requests whose bodies are in memory, of all sources together.
const BODIES_MAX: usize = 4;
/// A request waits for its turn this long.
const TURN_MAX: Duration = Duration::from_secs(10);
/// A body comes within this time.
const BODY_TIME_MAX: Duration = Duration::from_secs(60);
/// A request waits for the disk this long.
const WAIT_MAX: Duration = Duration::from_secs(25);
/// The head of a request comes within this time; a connection on which none comes for so long ends.
const HEAD_TIME_MAX: Duration = Duration::from_secs(90);
/// The largest head of a request.
const HEAD_MAX_BYTES: usize = 64 << 10;
/// Where the header says that Elasticsearch answers, its clients go on.
const PRODUCT: (&str, &str) = ("x-elastic-product", "Elasticsearch");

/// Whose bodies may be in memory.
static BODIES: Semaphore = Semaphore::const_new(BODIES_MAX);

/// One connection, until it ends.
pub async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send, door: &Door, place: &Place) -> io::Result<()> {
    let heard = Arc::new(tokio::sync::Notify::new());
    let router = Router::new().fallback(answer).with_state((door.clone(), heard.clone()));
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX).max_buf_size(HEAD_MAX_BYTES);
    let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    loop {
        tokio::select! {
            // A peer that goes away in the middle is nothing to tell.
            _ = &mut connection => return Ok(()),
            () = heard.notified() => place.heard(Instant::now()),
        }
    }
}

/// Why a request is refused: the status, a name for the count, and what to do.
#[derive(Debug)]
struct Refusal(StatusCode, &'static str, String);

impl Refusal {
    /// In the form that clients of Elasticsearch understand and people can read.
    fn into_response(self, door: &Door) -> Response {
        let Refusal(status, kind, reason) = self;
        door.counts.refuse(kind);
        let mut response =
            (status, axum::Json(json!({ "error": { "type": kind, "reason": reason }, "status": status.as_u16() })))
                .into_response();
        let headers = response.headers_mut();
        headers.insert(PRODUCT.0, HeaderValue::from_static(PRODUCT.1));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer, ApiKey, Basic"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

async fn answer(State((door, heard)): State<(Door, Arc<tokio::sync::Notify>)>, request: Request) -> Response {
    // Without a token nobody is heard.
    let shown = token(request.headers());
    if !shown.is_some_and(|token| door.tokens.admit(&token, now_ns())) {
        let advice = "show the source's token (Authorization: Bearer TOKEN, as the key of an ApiKey, or as the \
                      password); `luytre-collector sources token NAME` makes one";
        return Refusal(StatusCode::UNAUTHORIZED, "unauthorized", advice.to_owned()).into_response(&door);
    }
    heard.notify_one();
    let path = request.uri().path().trim_end_matches('/').to_owned();
    let is_sent = [Method::POST, Method::PUT].contains(request.method());
    if is_sent && (path == "/_bulk" || path.ends_with("/_bulk")) {
        return take(&door, request, bulk::read, bulk::answer).await.unwrap_or_else(|no| no.into_response(&door));
    }
    if is_sent && !path.starts_with("/_") {
        return take(&door, request, lines::read, lines::answer).await.unwrap_or_else(|no| no.into_response(&door));
    }
    hello::answer(request.method(), &path)
        .unwrap_or_else(|| {
            let reason = format!("nothing answers {} {path} here; send events to /_bulk or /", request.method());
            Refusal(StatusCode::NOT_FOUND, "not_found", reason).into_response(&door)
        })
        .into_response()
}

/// The token that a request shows: `Bearer TOKEN`, `ApiKey base64(ID:TOKEN)`, `Basic base64(USER:TOKEN)`.
fn token(headers: &HeaderMap) -> Option<String> {
    let (scheme, shown) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let shown = shown.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(shown.to_owned());
    }
    if !["apikey", "basic"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let pair = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(shown).ok()?).ok()?;
    pair.split_once(':').map(|(_, token)| token.to_owned())
}

/// What became of one event of a request.
enum Taken {
    Event(Box<Event>, usize),
    /// Not taken: a name for the count, and why.
    Not(&'static str, String),
}

/// The events of a body.
type Read = fn(&[u8]) -> Result<Vec<(String, Taken)>, String>;

/// Takes the events of a request in, and answers when they are durable.
async fn take(
    door: &Door,
    request: Request,
    read: Read,
    answer: fn(Vec<Outcome>) -> Response,
) -> Result<Response, Refusal> {
    let busy = |kind, what: &str| Refusal(StatusCode::TOO_MANY_REQUESTS, kind, format!("{what}; send it again later"));
    let turn = tokio::time::timeout(TURN_MAX, BODIES.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(busy("busy", "too many requests are being read")) };
    let packed = Packed::of(request.headers())?;
    let body = body(request.into_body()).await?;
    let events = tokio::task::spawn_blocking(move || {
        let plain = packed.unpack(body)?;
        read(&plain).map_err(|reason| Refusal(StatusCode::BAD_REQUEST, "no_events", reason))
    });
    let events = events.await.map_err(|error| {
        tracing::error!(%error, "read a request of a source");
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request could not be read".to_owned())
    })??;
    if events.len() > LINES_MAX {
        let reason = format!("{} events at once; send at most {LINES_MAX}", events.len());
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_many_events", reason));
    }
    if door.pace.take(events.len(), Instant::now()).is_err() {
        return Err(busy("too_fast", "the source sends faster than its configuration lets it"));
    }
    let (parcel, outcomes, done) = parcel(events);
    let kept = async {
        door.arrivals.send(Arrival::Parcel(parcel)).await.ok()?;
        done.await.ok()
    };
    match tokio::time::timeout(WAIT_MAX, kept).await {
        Ok(Some(())) => Ok(answer(outcomes)),
        _ => {
            let reason = "the collector cannot keep events at the moment; its health says why; send it again later";
            Err(Refusal(StatusCode::SERVICE_UNAVAILABLE, "not_durable", reason.to_owned()))
        }
    }
}

/// What is answered of one event: what the sender called it, and why it was not taken, if it was not.
type Outcome = (String, Option<String>);

fn parcel(events: Vec<(String, Taken)>) -> (Parcel, Vec<Outcome>, oneshot::Receiver<()>) {
    let (done, wait) = oneshot::channel();
    let mut parcel = Parcel { events: Vec::with_capacity(events.len()), dropped: Vec::new(), done };
    let mut outcomes = Vec::with_capacity(events.len());
    for (called, taken) in events {
        let refused = match taken {
            Taken::Event(event, bytes) => {
                parcel.events.push((*event, bytes));
                None
            }
            Taken::Not(kind, reason) => {
                parcel.dropped.push((kind, 1));
                Some(reason)
            }
        };
        outcomes.push((called, refused));
    }
    (parcel, outcomes, wait)
}

/// The event of one JSON object or line of text.
fn event(text: &[u8]) -> Taken {
    if text.len() > shapes::EVENT_MAX_BYTES {
        return Taken::Not("too_long", format!("larger than {} bytes", shapes::EVENT_MAX_BYTES));
    }
    match shapes::event(text, now_ns()) {
        Ok(event) => Taken::Event(Box::new(event), text.len()),
        Err(reason) => Taken::Not("no_event", reason),
    }
}

async fn body(body: Body) -> Result<Vec<u8>, Refusal> {
    let collected = tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, BODY_MAX_BYTES).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Refusal(StatusCode::BAD_REQUEST, "broken_body", format!("the body broke off: {error}"))),
        Err(_) => {
            let reason = format!("the body did not come within {} s", BODY_TIME_MAX.as_secs());
            Err(Refusal(StatusCode::REQUEST_TIMEOUT, "slow_body", reason))
        }
    }
}

fn too_large() -> Refusal {
    let reason = format!("a body is at most {} MiB, unpacked too; send fewer events at once", BODY_MAX_BYTES >> 20);
    Refusal(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", reason)
}

/// How a body is packed.
#[derive(Debug, Clone, Copy)]
enum Packed {
    Plain,
    Gzip,
    Zstd,
}

impl Packed {
    fn of(headers: &HeaderMap) -> Result<Packed, Refusal> {
        let named = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim());
        match named {
            None | Some("" | "identity") => Ok(Packed::Plain),
            Some("gzip" | "x-gzip") => Ok(Packed::Gzip),
            Some("zstd") => Ok(Packed::Zstd),
            Some(other) => {
                let reason = format!("bodies may be packed with gzip or zstd, not {other}");
                Err(Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unknown_packing", reason))
            }
        }
    }

    fn unpack(self, body: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let mut plain = Vec::new();
        let most = BODY_MAX_BYTES as u64 + 1;
        let unpacked = match self {
            Packed::Plain => return Ok(body),
            Packed::Gzip => flate2::read::MultiGzDecoder::new(&*body).take(most).read_to_end(&mut plain),
            Packed::Zstd => zstd::Decoder::new(&*body).and_then(|unpack| unpack.take(most).read_to_end(&mut plain)),
        };
        match unpacked {
            Ok(bytes) if bytes <= BODY_MAX_BYTES => Ok(plain),
            Ok(_) => Err(too_large()),
            Err(error) => {
                Err(Refusal(StatusCode::BAD_REQUEST, "broken_body", format!("the body cannot be unpacked: {error}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_wherever_clients_put_it() {
        let shown = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            token(&headers)
        };
        let packed = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        for value in [
            "Bearer lts_x".to_owned(),
            "bearer  lts_x".to_owned(),
            format!("ApiKey {}", packed("id:lts_x")),
            format!("Basic {}", packed("beats:lts_x")),
        ] {
            assert_eq!(shown(&value).as_deref(), Some("lts_x"), "{value}");
        }
        for value in ["Bearer", "Digest lts_x", "Basic lts_x", &format!("Basic {}", packed("lts_x")), ""] {
            assert_eq!(shown(value), None, "{value}");
        }
    }

    #[test]
    fn what_unpacks_without_end_is_refused() {
        let zeros = vec![0; BODY_MAX_BYTES + 1];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gzip, &zeros).unwrap();
        let refused = Packed::Gzip.unpack(gzip.finish().unwrap()).unwrap_err();
        assert_eq!((refused.0, refused.1), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
        let refused = Packed::Zstd.unpack(zstd::bulk::compress(&zeros, 1).unwrap()).unwrap_err();
        assert_eq!(refused.1, "body_too_large");
        assert_eq!(Packed::Zstd.unpack(b"nothing".to_vec()).unwrap_err().1, "broken_body");
    }
}
