//! IKE: version, both SPIs, exchange, message, role, notices.

use serde_json::Value;

use super::{Compared, list, number, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "ike", theirs: "ike", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    Some(format!(
        "{} {} {} {} {} {} {}",
        text(event, "/ike/version"),
        text(event, "/ike/initiator_spi"),
        text(event, "/ike/responder_spi"),
        number(event, "/ike/exchange_number"),
        number(event, "/ike/message_id"),
        text(event, "/ike/role"),
        names(event, "/ike/notifications"),
    ))
}

fn of_theirs(event: &Value) -> Option<String> {
    Some(format!(
        "{}.{} {} {} {} {} {} {}",
        number(event, "/ike/version_major"),
        number(event, "/ike/version_minor"),
        text(event, "/ike/init_spi"),
        text(event, "/ike/resp_spi"),
        number(event, "/ike/exchange_type"),
        number(event, "/ike/message_id"),
        text(event, "/ike/role"),
        names(event, "/ike/ikev2/notify"),
    ))
}

fn names(event: &Value, pointer: &str) -> String {
    list(event, pointer).filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}
