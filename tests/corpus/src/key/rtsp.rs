//! RTSP, which the reference tells as HTTP without understanding its status lines: method and address.

use serde_json::Value;

use super::{Compared, shown, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "rtsp", theirs: "http", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let method = text(event, "/rtsp/method");
    (!method.is_empty()).then(|| format!("{method} {}", text(event, "/url/original")))
}

fn of_theirs(event: &Value) -> Option<String> {
    let request = event.get("http").filter(|http| text(http, "/protocol").starts_with("RTSP"))?;
    Some(format!("{} {}", shown(text(request, "/http_method")), shown(text(request, "/url"))))
}
