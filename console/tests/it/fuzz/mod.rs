//! Made-up requests to every route of `openapi.json`, as every role: none may break the console, and every answer must be
//! what the description promises.
//!
//! The requests come from a seed (`LUYTRE_FUZZ_SEED`), so that a failure can be repeated; `LUYTRE_FUZZ_ROUNDS` says how
//! often each role tries each route. Ids that answers name are used in later requests. `cargo xtask fuzz-api` does the
//! same from outside, with a tool of others.

mod made;
mod schema;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use luytre_console::model::Role;
use serde_json::Value;
use tower::ServiceExt as _;

use self::made::Maker;
use self::schema::{Description, Operation};
use crate::fakes;
use crate::harness::{Browser, Console};

/// How often each role tries each route.
const ROUNDS: u64 = 4;

/// An answer that takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Without a way to a collector or a press these are right answers, though they begin with a five.
const ELSEWHERE: [&str; 4] = ["collector_unreachable", "collector_slow", "collector_nonsense", "press_failed"];

/// A request as it is sent, kept to be told of when its answer is wrong.
struct Wish {
    method: Method,
    path: String,
    kind: &'static str,
    body: Vec<u8>,
}

impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(self.body.get(..2000).unwrap_or(&self.body));
        write!(f, "{} {}\n{}: {body}", self.method, self.path, self.kind)
    }
}

#[tokio::test]
async fn no_request_breaks_the_console_and_every_answer_is_as_described() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let seed = number("LUYTRE_FUZZ_SEED", 20_261_122);
    let console = Console::start().await;
    for (n, rule) in ["webshell", "beacon", "webshell"].into_iter().enumerate() {
        console.collector.raise(fakes::alert(&format!("a{n}"), "high", rule));
    }
    console.catch_up().await;
    let description = Description::read(&luytre_console::api::document());
    let mut maker = Maker::new(seed);
    let mut wrong = Vec::new();
    let mut answered = 0u64;
    for round in 0..number("LUYTRE_FUZZ_ROUNDS", ROUNDS) {
        for role in Role::ALL {
            let mut browser = console.user(&format!("{role:?}-{round}").to_lowercase(), role).await;
            for (n, operation) in description.operations.iter().enumerate() {
                if console.get(&browser, "/api/v1/session").await.status != StatusCode::OK {
                    // Logged out, shut out or given another role by an earlier request.
                    browser = console.user(&format!("{role:?}-{round}-{n}").to_lowercase(), role).await;
                }
                let wish = maker.wish(operation, &description);
                let outcome = ask(&console, &browser, &wish).await.and_then(|answer| {
                    answered += u64::from(answer.0.is_success());
                    maker.learn(&answer.2);
                    judge(operation, &description, &answer)
                });
                if let Err(why) = outcome {
                    wrong.push(format!("{role:?}: {why}\n{wish}"));
                }
            }
        }
    }
    wrong.truncate(20);
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n\n"));
    assert!(answered > 100, "only {answered} requests were taken: what is made up no longer fits the API");
}

#[tokio::test]
async fn what_reaches_no_handler_is_told_as_everything_else() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let wish = |method: Method, path: &str, body: Vec<u8>| Wish {
        method,
        path: path.to_owned(),
        kind: "application/json",
        body,
    };
    let wishes = [
        (wish(Method::GET, "/api/v1/alerts/%ff", Vec::new()), StatusCode::BAD_REQUEST, "bad_request"),
        (wish(Method::GET, "/api/v1/register/export/nothing", Vec::new()), StatusCode::BAD_REQUEST, "bad_request"),
        (wish(Method::PUT, "/api/v1/alerts", Vec::new()), StatusCode::FORBIDDEN, "forbidden"),
        (wish(Method::GET, "/api/v1/nothing", Vec::new()), StatusCode::NOT_FOUND, "not_found"),
        (wish(Method::POST, "/api/v1/search", vec![b' '; 2 << 20]), StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
    ];
    for (wish, status, code) in wishes {
        let (answered, kind, body) = ask(&console, &lan, &wish).await.unwrap();
        assert_eq!((answered, &*kind), (status, "application/json"), "{} {}", wish.method, wish.path);
        let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        assert_eq!(body["code"], code, "{} {}: {body}", wish.method, wish.path);
        assert!(!body["message"].as_str().unwrap().is_empty());
    }
}

/// Status, kind of content, and the body where it ends.
type Heard = (StatusCode, String, Option<Vec<u8>>);

async fn ask(console: &Console, browser: &Browser, wish: &Wish) -> Result<Heard, String> {
    let request = Request::builder()
        .method(wish.method.clone())
        .uri(&wish.path)
        .header(header::COOKIE, &browser.cookie)
        .header("x-csrf-token", &browser.csrf)
        .header(header::CONTENT_TYPE, wish.kind)
        .body(Body::from(wish.body.clone()))
        .map_err(|error| format!("the request cannot be written: {error}"))?;
    // Apart, so that a handler that panics is told with its request.
    let answer = tokio::spawn(console.router.clone().oneshot(request));
    let answer = tokio::time::timeout(PATIENCE, answer).await.map_err(|_| "no answer".to_owned())?;
    let answer = answer.map_err(|error| format!("the handler broke: {error}"))?.map_err(|never| never.to_string())?;
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().to_owned();
    if kind == "text/event-stream" {
        return Ok((status, kind, None));
    }
    let body = tokio::time::timeout(PATIENCE, answer.into_body().collect()).await;
    let body = body.map_err(|_| "the answer does not end".to_owned())?.map_err(|error| error.to_string())?;
    Ok((status, kind, Some(body.to_bytes().to_vec())))
}

fn judge(operation: &Operation, description: &Description, answer: &Heard) -> Result<(), String> {
    let (status, kind, body) = answer;
    let text = || String::from_utf8_lossy(body.as_deref().unwrap_or_default()).chars().take(500).collect::<String>();
    let value: Option<Value> = body.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok());
    if status.is_server_error() {
        let code = value.as_ref().and_then(|value| value["code"].as_str()).unwrap_or_default();
        if !ELSEWHERE.contains(&code) {
            return Err(format!("answered {status}: {}", text()));
        }
    }
    let content = operation.answer(*status).ok_or_else(|| format!("{status} is not described: {}", text()))?;
    let Some(content) = content.as_object().filter(|content| !content.is_empty()) else { return Ok(()) };
    let Some(media) = content.get(kind) else {
        return Err(format!("{status} with content {kind:?}, which is not described: {}", text()));
    };
    if kind != "application/json" {
        return Ok(());
    }
    let value = value.ok_or_else(|| format!("{status} is no JSON: {}", text()))?;
    description.fits(&media["schema"], &value, "").map_err(|why| format!("{status} does not fit: {why}: {}", text()))
}
