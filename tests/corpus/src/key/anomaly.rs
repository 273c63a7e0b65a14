//! Oddities of protocols: the flow and the name, each once, as a flow tells it here.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "anomaly", theirs: "anomaly", of_ours, of_theirs };

/// Names of ours by those that rules use: lines of `protocol THEIRS OURS`.
const NAMES: &str = include_str!("../../../../rules/engine/src/signatures/compile/events.txt");

/// Names of the log that rules spell otherwise, or that are one here.
const SPELT: [(&str, &str); 5] = [
    ("http.response_line_invalid_response_status", "http.response_invalid_status"),
    ("http.response_line_invalid_protocol", "http.response_invalid_protocol"),
    ("http.protocol_contains_extra_data", "http.response_invalid_protocol"),
    ("http.content_length_extra_data_end", "http.invalid_content_length_field_in_response"),
    ("http.content_length_extra_data_start", "http.invalid_content_length_field_in_response"),
];

fn of_ours(event: &Value) -> Option<String> {
    key(event, "/network/community_id", text(event, "/anomaly/name"))
}

fn of_theirs(event: &Value) -> Option<String> {
    let theirs = format!("{}.{}", text(event, "/anomaly/app_proto"), text(event, "/anomaly/event")).to_lowercase();
    // What says how the reference finds protocols, and what it takes for QUIC, is about it and not about the traffic.
    if theirs.contains(".applayer_") || theirs.starts_with("quic.") {
        return None;
    }
    let theirs = SPELT.iter().find(|(log, _)| *log == theirs).map_or(theirs.as_str(), |(_, rules)| rules);
    let listed = NAMES.lines().find_map(|line| {
        let mut words = line.strip_prefix("protocol ")?.split(' ');
        (words.next()? == theirs).then(|| words.next().unwrap_or(theirs))
    });
    key(event, "/community_id", listed.unwrap_or(theirs))
}

fn key(event: &Value, flow: &str, name: &str) -> Option<String> {
    Some(format!("{name} {}", text(event, flow)))
}
