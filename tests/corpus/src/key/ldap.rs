//! LDAP: operation, number, entry, result.

use serde_json::Value;

use super::{Compared, list, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "ldap", theirs: "ldap", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let operation = text(event, "/ldap/operation");
    // Noticed that it is encrypted.
    if operation.is_empty() {
        return None;
    }
    let id = event.pointer("/ldap/message_id")?;
    let entry = match text(event, "/ldap/extended/oid") {
        "" => text(event, "/ldap/dn"),
        oid => oid,
    };
    Some(format!("{operation} {id} {entry} {}", result(text(event, "/ldap/result"))))
}

fn of_theirs(event: &Value) -> Option<String> {
    let ldap = event.pointer("/ldap")?;
    let outcome = list(ldap, "/responses").last();
    let outcome_name = outcome.map_or("", |outcome| text(outcome, "/operation"));
    let request = text(ldap, "/request/operation");
    let operation = if request.is_empty() { outcome_name } else { request };
    let operation = match operation.trim_end_matches("_request").trim_end_matches("_response") {
        "del" => "delete",
        "mod_dn" => "modify_dn",
        "search_result_done" => "search",
        other => other,
    };
    let entry = ["base_object", "name", "object", "entry", "dn"]
        .iter()
        .map(|field| text(ldap, &format!("/request/{request}/{field}")))
        .find(|name| !name.is_empty());
    let code = outcome.map_or("", |outcome| text(outcome, &format!("/{outcome_name}/result_code")));
    let id = ldap.pointer("/request/message_id").or(outcome.and_then(|outcome| outcome.pointer("/message_id")))?;
    Some(format!("{operation} {id} {} {}", entry.unwrap_or(""), result(code)))
}

/// Results are written differently: only letters, in lower case.
fn result(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}
