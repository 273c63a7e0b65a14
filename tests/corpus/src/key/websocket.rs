//! WebSocket: kind of frame, whether it is the last of its message, whether it is masked.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "websocket",
    theirs: "websocket",
    of_ours: |event| {
        let masked = event.pointer("/websocket/masked").and_then(Value::as_bool) == Some(true);
        Some(key(text(event, "/websocket/opcode"), event.pointer("/websocket/final"), masked))
    },
    of_theirs: |event| {
        let masked = event.pointer("/websocket/mask").is_some();
        Some(key(text(event, "/websocket/opcode"), event.pointer("/websocket/fin"), masked))
    },
};

fn key(opcode: &str, last: Option<&Value>, masked: bool) -> String {
    let last = last.and_then(Value::as_bool) == Some(true);
    format!("{opcode} {} {}", if last { "last" } else { "more" }, if masked { "masked" } else { "plain" })
}
