//! SNMP: version, kind of message, variables, user.

use serde_json::Value;

use super::{Compared, list, number, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "snmp", theirs: "snmp", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let version = text(event, "/snmp/version").trim_end_matches('c').to_owned();
    Some(key(&version, event, "/snmp/oids", text(event, "/user/name")))
}

fn of_theirs(event: &Value) -> Option<String> {
    // The user of an encrypted message is left out there.
    Some(key(&number(event, "/snmp/version"), event, "/snmp/vars", text(event, "/snmp/usm")))
}

fn key(version: &str, event: &Value, variables: &str, user: &str) -> String {
    let kind = text(event, "/snmp/pdu_type");
    let variables: Vec<&str> = list(event, variables).filter_map(Value::as_str).collect();
    let user = if kind == "encrypted" { "" } else { user };
    format!("{version} {kind} [{}] {user}", variables.join(" "))
}
