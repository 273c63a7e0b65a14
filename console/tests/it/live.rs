//! The live stream.

use axum::http::{Method, header};
use http_body_util::BodyExt as _;
use luytre_console::model::Role;
use serde_json::json;
use tower::ServiceExt as _;

use crate::fakes::alert;
use crate::harness::{Browser, Console};

/// Opens the stream, perhaps after an event.
async fn follow(console: &Console, browser: &Browser, last_id: Option<&str>) -> axum::body::Body {
    let mut request =
        axum::http::Request::builder().method(Method::GET).uri("/api/v1/live").header(header::COOKIE, &browser.cookie);
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    let response = console.router.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    response.into_body()
}

/// Reads until an event of this name came; answers everything read.
async fn until(body: &mut axum::body::Body, name: &str) -> String {
    let mut text = String::new();
    let wanted = format!("event: {name}\n");
    while !(text.contains(&wanted) && text.ends_with("\n\n")) {
        let frame = body.frame().await.expect("the stream stays open").unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    text
}

fn last_id(text: &str) -> String {
    text.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned()
}

#[tokio::test]
async fn alerts_and_decisions_are_told_and_missed_ones_come_after_resuming() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let mut body = follow(&console, &lan, None).await;
    until(&mut body, "visibility").await;
    console.collector.raise(alert("a1", "high", "webshell"));
    console.catch_up().await;
    let first = until(&mut body, "alert").await;
    assert!(first.contains("\"id\":\"a1\""), "{first}");
    drop(body);

    let close = json!({"verdict": "benign", "reason": "được phép", "version": 1});
    console.post(&lan, "/api/v1/alerts/a1/close", close).await;
    let mut body = follow(&console, &lan, Some(&last_id(&first))).await;
    let missed = until(&mut body, "alert_changed").await;
    assert!(missed.contains("\"status\":\"closed\"") && !missed.contains("resync"), "{missed}");
}

#[tokio::test]
async fn a_page_from_another_run_is_told_to_load_again() {
    let console = Console::start().await;
    let lan = console.user("lan", Role::Analyst).await;
    let mut body = follow(&console, &lan, Some("12345-7")).await;
    until(&mut body, "resync").await;
}
