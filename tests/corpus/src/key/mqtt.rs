//! MQTT: the messages of an exchange, client, user and topics.

use serde_json::Value;

use super::{Compared, list, text};

/// Names of messages, as the reference has them.
const KINDS: [&str; 15] = [
    "connect",
    "connack",
    "publish",
    "puback",
    "pubrec",
    "pubrel",
    "pubcomp",
    "subscribe",
    "suback",
    "unsubscribe",
    "unsuback",
    "pingreq",
    "pingresp",
    "disconnect",
    "auth",
];

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "mqtt", theirs: "mqtt", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let kind = match text(event, "/mqtt/type") {
        "ping" => "pingreq",
        other => other,
    };
    let seen: Vec<&str> =
        std::iter::once(kind).chain(list(event, "/mqtt/acknowledged").filter_map(Value::as_str)).collect();
    let kinds = KINDS.into_iter().filter(|kind| seen.contains(kind)).collect();
    let topics = list(event, "/mqtt/topics").filter_map(Value::as_str).collect();
    Some(key(kinds, text(event, "/mqtt/client_id"), text(event, "/user/name"), text(event, "/mqtt/topic"), topics))
}

fn of_theirs(event: &Value) -> Option<String> {
    let message = event.get("mqtt")?;
    let kinds = KINDS.into_iter().filter(|kind| message.get(kind).is_some()).collect();
    let topics = list(message, "/subscribe/topics")
        .map(|topic| text(topic, "/topic"))
        .chain(list(message, "/unsubscribe/topics").filter_map(Value::as_str))
        .collect();
    let (client, user) = (text(message, "/connect/client_id"), text(message, "/connect/username"));
    Some(key(kinds, client, user, text(message, "/publish/topic"), topics))
}

fn key(kinds: Vec<&str>, client: &str, user: &str, topic: &str, topics: Vec<&str>) -> String {
    format!("{} {client} {user} {topic} [{}]", kinds.join("+"), topics.join(" "))
}
