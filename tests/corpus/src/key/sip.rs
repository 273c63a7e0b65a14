//! SIP: method and target of a request, result of a response. Streams of calls are left out: the reference gives up on
//! descriptions of which it does not know a line.

use serde_json::Value;

use super::{Compared, number, shown, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "sip", theirs: "sip", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    Some(match text(event, "/sip/type") {
        "request" => format!("{} {}", text(event, "/sip/method"), text(event, "/sip/uri")),
        _ => format!("{} {}", number(event, "/sip/status_code"), text(event, "/sip/reason")),
    })
}

fn of_theirs(event: &Value) -> Option<String> {
    let method = text(event, "/sip/method");
    Some(if method.is_empty() {
        format!("{} {}", text(event, "/sip/code"), shown(text(event, "/sip/reason")))
    } else {
        format!("{method} {}", shown(text(event, "/sip/uri")))
    })
}
