//! POP3: command and whether it was granted.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "pop3",
    theirs: "pop3",
    of_ours: |event| Some(key(text(event, "/pop3/command"), event.pointer("/pop3/success"))),
    of_theirs: |event| Some(key(text(event, "/pop3/request/command"), event.pointer("/pop3/response/success"))),
};

fn key(command: &str, success: Option<&Value>) -> String {
    let success =
        success.and_then(Value::as_bool).map_or("unanswered", |good| if good { "granted" } else { "refused" });
    format!("{command} {success}")
}
