//! A collector and a mail server, played.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use luytre_collector_api::{Alert, SearchRequest};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

/// A collector on a Unix socket.
#[derive(Clone)]
pub struct FakeCollector {
    alerts: watch::Sender<Vec<Alert>>,
    /// The places after which the stream was asked for.
    pub asked_after: Arc<Mutex<Vec<u64>>>,
    /// The searches that came.
    pub searches: Arc<Mutex<Vec<SearchRequest>>>,
    /// The documents that it keeps.
    pub documents: Arc<Mutex<Vec<Document>>>,
    refuse: Arc<Mutex<u32>>,
}

/// A document that was handed over.
#[derive(Debug, Clone)]
pub struct Document {
    pub by: String,
    pub name: String,
    pub content: Vec<u8>,
}

impl FakeCollector {
    pub async fn start(socket: &Path) -> FakeCollector {
        let fake = FakeCollector {
            alerts: watch::Sender::new(Vec::new()),
            asked_after: Arc::default(),
            searches: Arc::default(),
            documents: Arc::default(),
            refuse: Arc::default(),
        };
        let router = Router::new()
            .route(
                "/v1/health",
                get(|| async {
                    Json(json!({"ok": true, "version": "test", "problems": [],
                "index_lag_events": 0, "indexed_events": 1250}))
                }),
            )
            .route("/v1/alerts/stream", get(stream))
            .route("/v1/search", post(search))
            .route("/v1/sensors", get(|| async { Json(json!([sensor()])) }))
            .route("/v1/sensors/{name}/revoke", post(|| async { Json(sensor()) }))
            .route(
                "/v1/tokens",
                post(|Json(wish): Json<Value>| async move {
                    Json(json!({"name": wish["name"], "token": "lt1.x", "expires": "2026-11-23T03:00:00Z"}))
                }),
            )
            .route("/v1/evidence/holds", post(hold))
            .route("/v1/evidence/documents", post(add_document).layer(axum::extract::DefaultBodyLimit::max(64 << 20)))
            .route("/v1/evidence/{id}", get(read_evidence))
            .route("/v1/evidence/{id}/release", post(|| async { Json(item("a1")) }))
            .route("/v1/ledger", get(|| async { Json(ledger()) }))
            .route("/v1/rules", get(|| async { Json(rules()) }))
            .route(
                "/v1/agencies",
                get(|| async { Json(json!([{"id": "syt", "name": "Sở Y tế", "networks": ["203.0.113.0/27"]}])) }),
            )
            .route("/v1/catalogue", get(|| async { Json(json!({"fields": []})) }))
            .with_state(fake.clone());
        let listener = UnixListener::bind(socket).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// Raises an alert with the next sequence.
    pub fn raise(&self, mut alert: Alert) {
        self.alerts.send_modify(|alerts| {
            alert.sequence = alerts.len() as u64 + 1;
            alerts.push(alert);
        });
    }

    /// Takes no document for so many times, as a collector whose store is full.
    pub fn refuse_documents(&self, times: u32) {
        *self.refuse.lock().unwrap() = times;
    }

    /// Forgets all alerts, as a collector with a new data directory does.
    pub fn forget(&self) {
        self.alerts.send_modify(Vec::clear);
    }

    pub fn newest(&self) -> u64 {
        self.alerts.borrow().len() as u64
    }
}

async fn stream(
    State(fake): State<FakeCollector>,
    Query(query): Query<std::collections::HashMap<String, u64>>,
) -> ([(&'static str, String); 1], Body) {
    let after = query["after"];
    fake.asked_after.lock().unwrap().push(after);
    let receiver = fake.alerts.subscribe();
    let newest = [(luytre_collector_api::NEWEST_HEADER, fake.newest().to_string())];
    let body = Body::from_stream(futures_util::stream::unfold(
        (receiver, after, true),
        |(mut receiver, after, first)| async move {
            if !first {
                receiver.changed().await.ok()?;
            }
            let alerts: Vec<Alert> =
                receiver.borrow_and_update().iter().filter(|a| a.sequence > after).cloned().collect();
            let mut lines = String::from("\n");
            for alert in &alerts {
                lines.push_str(&serde_json::to_string(alert).unwrap());
                lines.push('\n');
            }
            let after = alerts.last().map_or(after, |a| a.sequence);
            Some((Ok::<_, std::convert::Infallible>(Bytes::from(lines)), (receiver, after, false)))
        },
    ));
    (newest, body)
}

async fn search(State(fake): State<FakeCollector>, Json(request): Json<SearchRequest>) -> (StatusCode, Json<Value>) {
    fake.searches.lock().unwrap().push(request.clone());
    if request.query.contains("((") {
        let error = json!({"code": "bad_query", "message": "expected a term", "position": 3});
        return (StatusCode::BAD_REQUEST, Json(error));
    }
    let events = json!([{"event": {"id": "s:2"}}, {"event": {"id": "s:1"}}]);
    (StatusCode::OK, Json(json!({"total": 1250, "events": events, "facets": [], "partial": [], "took_ms": 1})))
}

/// The name of the sealed bundle is the alert's.
fn item(alert: &str) -> Value {
    json!({"id": "5e".repeat(32), "kind": "bundle", "name": format!("{alert}.zip"), "bytes": 1234,
        "added": "2026-11-22T03:00:00Z", "alert": alert, "holds": []})
}

async fn hold(Json(request): Json<Value>) -> Json<Value> {
    let alert = request["alert"].as_str().unwrap();
    assert!(request["reason"].as_str().unwrap().starts_with("case "), "{request}");
    Json(json!({"item": item(alert), "password": "mo-ra", "missing": ["packets of one flow"], "events": 3, "flows": 1,
        "files": 0}))
}

async fn add_document(
    State(fake): State<FakeCollector>,
    Query(query): Query<std::collections::HashMap<String, String>>,
    content: Bytes,
) -> (StatusCode, Json<Value>) {
    use sha2::Digest as _;
    let mut refuse = fake.refuse.lock().unwrap();
    if *refuse > 0 {
        *refuse -= 1;
        let error = json!({"code": "full", "message": "the evidence store is full"});
        return (StatusCode::INSUFFICIENT_STORAGE, Json(error));
    }
    let document = Document { by: query["by"].clone(), name: query["name"].clone(), content: content.to_vec() };
    let id = hex::encode(sha2::Sha256::digest(&content));
    let kept = json!({"id": id, "kind": "document", "name": document.name, "bytes": content.len(),
        "added": "2026-11-22T03:00:00Z", "holds": []});
    fake.documents.lock().unwrap().push(document);
    (StatusCode::OK, Json(kept))
}

async fn read_evidence(
    Query(by): Query<std::collections::HashMap<String, String>>,
) -> ([(&'static str, &'static str); 1], Vec<u8>) {
    assert!(!by["by"].is_empty());
    ([(luytre_collector_api::PASSWORD_HEADER, "mo-ra")], b"PK sealed".to_vec())
}

fn rules() -> Value {
    let rule = serde_json::to_value(alert("a1", "high", "webshell").rule).unwrap();
    json!({"ruleset": "abc", "rules": [{"rule": rule, "severity": "high", "file": "webshell.yml", "hits": 1}], "broken": []})
}

fn sensor() -> Value {
    json!({"name": "bien-dmz", "state": "connected", "enrolled": "2026-11-20T03:00:00Z", "acknowledged": 7,
        "stages": [], "unaccounted": 0})
}

fn ledger() -> Value {
    let stage = json!({"stage": "capture", "unit": "packets", "taken": 1_234_567, "given": 1_234_560, "held": 0,
        "dropped": {"ring_full": 7}});
    json!({"minutes": [{"sensor": "bien-dmz", "minute": "2026-11-22T02:00:00Z", "stages": [stage], "unaccounted": 0}],
        "visibility": {"seen": 0.999994, "unaccounted": 0, "known": true}})
}

/// An alert as the collector raises it.
pub fn alert(id: &str, severity: &str, rule: &str) -> Alert {
    serde_json::from_value(json!({
        "id": id, "sequence": 0, "time": "2026-11-22T02:30:00Z", "raised": "2026-11-22T02:30:01Z",
        "rule": {"id": rule, "name": "Web shell upload", "name_vi": "Tải lên web shell", "kind": "sigma",
            "revision": "1", "ruleset": "abc", "description": "A script was uploaded.",
            "description_vi": "Một tệp kịch bản được tải lên cổng.", "advice_vi": "Cô lập máy chủ.",
            "techniques": ["T1505.003"], "references": [], "false_positives": []},
        "severity": severity, "severity_reasons": [], "event_ids": ["s:1"], "event_count": 1,
        "matched": [{"field": "url.original", "value": "/upload.php\r\nBcc: x@y", "wanted": "ends with .php"}],
        "event": {"event": {"id": "s:1"}}, "sensor": "bien-dmz", "community_id": "1:abc=",
        "source": {"ip": "192.0.2.66", "port": 40000}, "destination": {"ip": "198.51.100.10", "port": 80},
        "agency": {"id": "syt", "name": "Sở Y tế"},
        "visibility": {"seen": 1.0, "unaccounted": 0, "known": true}
    }))
    .unwrap()
}

/// A mail server that takes every mail, or refuses the first ones for a while.
pub struct FakeMailServer {
    pub port: u16,
    pub mails: Arc<Mutex<Vec<String>>>,
    /// How many mails are still refused with 451.
    pub refuse: Arc<Mutex<u32>>,
}

impl FakeMailServer {
    pub async fn start() -> FakeMailServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mails, refuse) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<u32>>::default());
        let (kept, refused) = (mails.clone(), refuse.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(converse(socket, kept.clone(), refused.clone()));
            }
        });
        FakeMailServer { port, mails, refuse }
    }
}

/// One conversation (RFC 5321), as much of it as is needed.
async fn converse(
    socket: tokio::net::TcpStream,
    mails: Arc<Mutex<Vec<String>>>,
    refuse: Arc<Mutex<u32>>,
) -> std::io::Result<()> {
    let (read, mut write) = socket.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 thu.tinh.example ready\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => "250 thu.tinh.example\r\n".to_owned(),
            "MAIL" => {
                let mut left = refuse.lock().unwrap();
                if *left > 0 {
                    *left -= 1;
                    "451 busy, try later\r\n".to_owned()
                } else {
                    "250 fine\r\n".to_owned()
                }
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    mail.push_str(&line);
                    mail.push('\n');
                }
                let mut mails = mails.lock().unwrap();
                mails.push(mail);
                format!("250 queued as {:04}\r\n", mails.len())
            }
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "250 fine\r\n".to_owned(),
        };
        write.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// What a webhook was sent.
#[derive(Debug, Clone)]
pub struct HookRequest {
    pub headers: std::collections::HashMap<String, String>,
    pub body: String,
}

/// A webhook that takes every message, or refuses the first ones and repeats what it was sent.
#[derive(Clone)]
pub struct FakeHook {
    port: u16,
    state: Arc<Mutex<HookState>>,
}

struct HookState {
    taken: Vec<HookRequest>,
    refuse: u32,
    answer: String,
}

impl FakeHook {
    pub async fn start() -> FakeHook {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = HookState { taken: Vec::new(), refuse: 0, answer: "{\"ok\":true,\"error\":0}".to_owned() };
        let fake = FakeHook { port, state: Arc::new(Mutex::new(state)) };
        let router = Router::new().route("/hook", post(take)).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    pub fn refuse(&self, times: u32) {
        self.state.lock().unwrap().refuse = times;
    }

    pub fn answer(&self, text: &str) {
        self.state.lock().unwrap().answer = text.to_owned();
    }

    pub fn taken(&self) -> Vec<HookRequest> {
        self.state.lock().unwrap().taken.clone()
    }
}

async fn take(State(fake): State<FakeHook>, headers: axum::http::HeaderMap, body: String) -> (StatusCode, String) {
    let mut state = fake.state.lock().unwrap();
    if state.refuse > 0 {
        state.refuse -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{headers:?} mot-bi-mat-dung-chung"));
    }
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    state.taken.push(HookRequest { headers, body });
    (StatusCode::OK, state.answer.clone())
}

/// The text part of a mail, decoded.
pub fn mail_text(mail: &str) -> String {
    use base64::Engine as _;
    let (_, part) = mail.split_once("text/plain").unwrap();
    let (head, body) = part.split_once("\n\n").unwrap();
    let body = body.split("\n--").next().unwrap();
    let bytes = if head.contains("base64") {
        base64::engine::general_purpose::STANDARD.decode(body.replace('\n', "")).unwrap()
    } else if head.contains("quoted-printable") {
        let mut bytes = Vec::new();
        let joined = body.replace("=\n", "");
        let mut rest = joined.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            if *first == b'=' {
                bytes.extend(hex::decode(&tail[..2]).unwrap());
                rest = &tail[2..];
            } else {
                bytes.push(*first);
                rest = tail;
            }
        }
        bytes
    } else {
        body.as_bytes().to_vec()
    };
    String::from_utf8(bytes).unwrap()
}
