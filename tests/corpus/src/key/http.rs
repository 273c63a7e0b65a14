//! HTTP: method, host, target as sent, status. Frames of HTTP/2 without a request: stream, sender, settings, error,
//! priority.

use serde_json::Value;

use super::{Compared, list, number, shown, text};

/// How it is compared.
pub static COMPARED: Compared =
    Compared { ours: "http", theirs: "http", of_ours: |event| Some(our_http(event)), of_theirs };

fn of_theirs(event: &Value) -> Option<String> {
    // Told apart here.
    if text(event, "/http/protocol").starts_with("RTSP") {
        return None;
    }
    let bare = text(event, "/http/version") == "2" && text(event, "/http/http_method").is_empty();
    Some(if bare { eve_frame(event) } else { eve_http(event) })
}

fn our_http(event: &Value) -> String {
    if !text(event, "/http2/frame").is_empty() {
        return our_frame(event);
    }
    http_key(
        text(event, "/http/request/method"),
        if text(event, "/http/version") == "2" { "" } else { text(event, "/url/domain") },
        text(event, "/url/original"),
        &number(event, "/http/response/status_code"),
    )
}

/// The reference does not name the host of HTTP/2 in a field of its own; it is left out on both sides.
///
/// The reference names a missing request with a path of its own.
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

fn our_frame(event: &Value) -> String {
    let names = list(event, "/http2/settings/name").filter_map(Value::as_str);
    let values = list(event, "/http2/settings/value").map(Value::to_string);
    frame_key(
        &number(event, "/http2/stream_id"),
        text(event, "/http2/sender"),
        names.zip(values),
        text(event, "/http2/error_code"),
        &number(event, "/http2/priority"),
    )
}

fn eve_frame(event: &Value) -> String {
    let (sender, side) = match event.pointer("/http/http2/request") {
        Some(_) => ("client", "/http/http2/request"),
        None => ("server", "/http/http2/response"),
    };
    let of = |name: &str| format!("{side}/{name}");
    let settings = of("settings");
    let settings: Vec<(&str, String)> = list(event, &settings)
        .map(|setting| (text(setting, "/settings_id"), number(setting, "/settings_value")))
        .map(|(name, value)| (name.trim_start_matches("SETTINGS"), value))
        .collect();
    frame_key(
        &number(event, "/http/http2/stream_id"),
        sender,
        settings.into_iter(),
        text(event, &of("error_code")),
        &number(event, &of("priority")),
    )
}

/// The two write the same names with and without underscores, in capitals and not.
fn frame_key<'a>(
    stream: &str,
    sender: &str,
    settings: impl Iterator<Item = (&'a str, String)>,
    error: &str,
    priority: &str,
) -> String {
    let plain = |name: &str| name.replace('_', "").to_uppercase();
    let settings: Vec<String> = settings.map(|(name, value)| format!("{}={value}", plain(name))).collect();
    format!("frame {stream} {sender} [{}] {} {priority}", settings.join(" "), plain(error))
}
