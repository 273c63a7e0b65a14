//! HTTP: method, host, target as sent, status.

use serde_json::Value;

use super::{Compared, number, shown, text};

/// How it is compared.
pub static COMPARED: Compared =
    Compared { ours: "http", theirs: "http", of_ours: |event| Some(our_http(event)), of_theirs };

fn of_theirs(event: &Value) -> Option<String> {
    // Frames of HTTP/2 that carry no request (settings, priorities, goodbyes) are events there and none here.
    let bare = text(event, "/http/version") == "2" && text(event, "/http/http_method").is_empty();
    (!bare).then(|| eve_http(event))
}

fn our_http(event: &Value) -> String {
    let status = number(event, "/http/response/status_code");
    let rtsp = text(event, "/http/version").starts_with("RTSP");
    http_key(
        text(event, "/http/request/method"),
        if text(event, "/http/version") == "2" { "" } else { text(event, "/url/domain") },
        text(event, "/url/original"),
        if rtsp { "-" } else { &status },
    )
}

/// The reference does not name the host of HTTP/2 in a field of its own; it is left out on both sides.
///
/// The reference does not understand RTSP's status lines and says so by leaving the status out; and it names a missing
/// request with a path of its own.
fn eve_http(event: &Value) -> String {
    let url = text(event, "/http/url");
    http_key(
        &shown(text(event, "/http/http_method")),
        text(event, "/http/hostname"),
        &if url == "/libhtp::request_uri_not_seen" { String::new() } else { shown(url) },
        &number(event, "/http/status"),
    )
}

fn http_key(method: &str, host: &str, url: &str, status: &str) -> String {
    format!("{method} {} {url} {status}", host.trim_matches(['[', ']']).to_lowercase())
}
