//! JSON by HTTPS: what Vector, Beats, Logstash and `curl` send.
//!
//! | asked | what it is | module |
//! | --- | --- | --- |
//! | `POST /_bulk`, `POST /INDEX/_bulk` | events as Elasticsearch takes them | [`bulk`] |
//! | `POST /` and any other path | JSON objects or lines of text, a line each, or one JSON list | [`lines`] |
//! | `GET /`, `/_license`, templates and the like | what clients of Elasticsearch ask at their start | [`hello`] |
//!
//! Every request shows the source's token ([`token`]). An answer that says that something is taken is sent when it is
//! durable in the journal; whoever hears nothing, or that we are busy (429, 503), sends it again. A request that is known
//! for the same as one before ([`super::repeats`]) is answered when that one is durable, and its events are not there twice.
//! Bodies may be packed (gzip, zstd). Limits: [`BODY_MAX_BYTES`] on the wire and unpacked, [`LINES_MAX`] events,
//! [`BODIES_MAX`] requests at work and one more of each source, [`BODY_TIME_MAX`] for the body to come, [`BODY_QUIET_MAX`]
//! between two pieces of it, and [`WAIT_MAX`] for the disk; what they turn away is counted for the source.

mod bulk;
mod hello;
mod lines;

use std::io::{self, Read as _};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use luytre_events::Event;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use super::repeats::{Begun, KEY_MAX_BYTES, Key, Stage};
use super::writer::{Arrival, Parcel};
use super::{Door, shapes};
use crate::clock::now_ns;
use crate::places::Place;

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
/// Nothing of a body may come for so long.
const BODY_QUIET_MAX: Duration = Duration::from_secs(10);
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
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    door: &Door,
    place: &Place<IpAddr>,
) -> io::Result<()> {
    let caller = Caller::default();
    let router = Router::new().fallback(answer).with_state((door.clone(), caller.clone()));
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX).max_buf_size(HEAD_MAX_BYTES);
    let connection = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    loop {
        tokio::select! {
            // A peer that goes away in the middle is nothing to tell; whether it heard the last answer nobody knows then.
            ended = &mut connection => {
                if ended.is_ok() {
                    caller.has_heard(door);
                }
                return Ok(());
            }
            () = caller.speaks.notified() => place.heard(Instant::now()),
        }
    }
}

/// Who sends requests over one connection; cheap to clone.
#[derive(Debug, Clone, Default)]
struct Caller {
    /// Told of each request.
    speaks: Arc<tokio::sync::Notify>,
    /// The request that was answered last, until it is known that the answer was heard.
    answered: Arc<Mutex<Option<Key>>>,
}

impl Caller {
    /// The last answer was heard: the next request came, or the connection ended as it should.
    fn has_heard(&self, door: &Door) {
        if let Some(key) = self.last().take() {
            door.repeats.heard(&key);
        }
    }

    fn is_told(&self, key: Key) {
        *self.last() = Some(key);
    }

    fn last(&self) -> MutexGuard<'_, Option<Key>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
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

async fn answer(State((door, caller)): State<(Door, Caller)>, request: Request) -> Response {
    caller.has_heard(&door);
    // Without a token nobody is heard.
    let shown = token(request.headers());
    if !shown.is_some_and(|token| door.tokens.admit(&token, now_ns())) {
        let advice = "show the source's token (Authorization: Bearer TOKEN, as the key of an ApiKey, or as the \
                      password); `luytre-collector sources token NAME` makes one";
        return Refusal(StatusCode::UNAUTHORIZED, "unauthorized", advice.to_owned()).into_response(&door);
    }
    caller.speaks.notify_one();
    let path = request.uri().path().trim_end_matches('/').to_owned();
    let is_sent = [Method::POST, Method::PUT].contains(request.method());
    if is_sent && (path == "/_bulk" || path.ends_with("/_bulk")) {
        let taken = take(&door, &caller, request, bulk::read, bulk::answer).await;
        return taken.unwrap_or_else(|no| no.into_response(&door));
    }
    if is_sent && !path.starts_with("/_") {
        let taken = take(&door, &caller, request, lines::read, lines::answer).await;
        return taken.unwrap_or_else(|no| no.into_response(&door));
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
    caller: &Caller,
    request: Request,
    read: Read,
    answer: fn(Vec<Outcome>) -> Response,
) -> Result<Response, Refusal> {
    let busy = |kind, what: &str| Refusal(StatusCode::TOO_MANY_REQUESTS, kind, format!("{what}; send it again later"));
    let turn = async {
        tokio::select! {
            biased;
            turn = door.own_body.acquire() => turn,
            turn = BODIES.acquire() => turn,
        }
    };
    let turn = tokio::time::timeout(TURN_MAX, turn).await;
    let Ok(Ok(_turn)) = turn else { return Err(busy("busy", "too many requests are being read")) };
    let packed = Packed::of(request.headers())?;
    let named = named(request.headers())?;
    let body = body(request.into_body()).await?;
    let events = tokio::task::spawn_blocking(move || {
        let plain = packed.unpack(body)?;
        let digest: [u8; 32] = Sha256::digest(&plain).into();
        let events = read(&plain).map_err(|reason| Refusal(StatusCode::BAD_REQUEST, "no_events", reason))?;
        Ok((events, digest))
    });
    let (events, digest) = events.await.map_err(|error| {
        tracing::error!(%error, "read a request of a source");
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request could not be read".to_owned())
    })??;
    if events.len() > LINES_MAX {
        let reason = format!("{} events at once; send at most {LINES_MAX}", events.len());
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, "too_many_events", reason));
    }
    let count = events.len();
    let (events, dropped, outcomes) = sorted(events);
    let key = named.unwrap_or(Key::Body(digest));
    let (begun, forgotten) = door.repeats.begin(key.clone(), digest, Instant::now());
    (0..forgotten).for_each(|_| door.counts.refuse("forgotten"));
    let mut waiting = match begun {
        Begun::New(ticket, waiting) => {
            if door.pace.take(count, Instant::now()).is_err() {
                return Err(busy("too_fast", "the source sends faster than its configuration lets it"));
            }
            let room = tokio::time::timeout(WAIT_MAX, door.arrivals.reserve()).await;
            let Ok(Ok(room)) = room else { return Err(not_durable()) };
            room.send(Arrival::Parcel(Parcel { events, dropped, ticket }));
            waiting
        }
        Begun::Again(waiting) => {
            door.counts.refuse("repeated");
            waiting
        }
        Begun::AnotherBody => {
            let reason = "this Idempotency-Key was used for another body; give every request a key of its own";
            return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, "another_body", reason.to_owned()));
        }
    };
    let ended = waiting.wait_for(|stage| matches!(stage, Stage::Durable | Stage::GivenUp));
    match tokio::time::timeout(WAIT_MAX, ended).await {
        Ok(Ok(stage)) if *stage == Stage::Durable => {
            caller.is_told(key);
            Ok(answer(outcomes))
        }
        _ => Err(not_durable()),
    }
}

fn not_durable() -> Refusal {
    let reason = "the collector cannot keep events at the moment; its health says why; send it again later";
    Refusal(StatusCode::SERVICE_UNAVAILABLE, "not_durable", reason.to_owned())
}

/// What a sender calls its request, where it calls it something.
fn named(headers: &HeaderMap) -> Result<Option<Key>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let name = value.to_str().ok().map(str::trim).filter(|name| (1..=KEY_MAX_BYTES).contains(&name.len()));
    let reason = format!("an Idempotency-Key is 1 to {KEY_MAX_BYTES} plain letters");
    name.map(|name| Some(Key::Named(name.to_owned()))).ok_or(Refusal(StatusCode::BAD_REQUEST, "bad_key", reason))
}

/// What is answered of one event: what the sender called it, and why it was not taken, if it was not.
type Outcome = (String, Option<String>);

/// Events to keep, lines that are none by reason, and what is answered of each.
type Sorted = (Vec<(Event, usize)>, Vec<(&'static str, u64)>, Vec<Outcome>);

fn sorted(taken: Vec<(String, Taken)>) -> Sorted {
    let (mut events, mut dropped, mut outcomes) = (Vec::with_capacity(taken.len()), Vec::new(), Vec::new());
    for (called, taken) in taken {
        let refused = match taken {
            Taken::Event(event, bytes) => {
                events.push((*event, bytes));
                None
            }
            Taken::Not(kind, reason) => {
                dropped.push((kind, 1));
                Some(reason)
            }
        };
        outcomes.push((called, refused));
    }
    (events, dropped, outcomes)
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

async fn body(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let deadline = tokio::time::Instant::now() + BODY_TIME_MAX;
    let mut whole = Vec::new();
    loop {
        let patience = deadline.min(tokio::time::Instant::now() + BODY_QUIET_MAX);
        match tokio::time::timeout_at(patience, body.frame()).await {
            Ok(None) => return Ok(whole),
            Ok(Some(Ok(frame))) => {
                let Ok(piece) = frame.into_data() else { continue };
                if whole.len().saturating_add(piece.len()) > BODY_MAX_BYTES {
                    return Err(too_large());
                }
                whole.extend_from_slice(&piece);
            }
            Ok(Some(Err(error))) => {
                return Err(Refusal(StatusCode::BAD_REQUEST, "broken_body", format!("the body broke off: {error}")));
            }
            Err(_) => {
                let reason = format!(
                    "the body did not come within {} s, or nothing of it for {} s",
                    BODY_TIME_MAX.as_secs(),
                    BODY_QUIET_MAX.as_secs()
                );
                return Err(Refusal(StatusCode::REQUEST_TIMEOUT, "slow_body", reason));
            }
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
