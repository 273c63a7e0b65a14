//! Multicast DNS: direction, questions, names of answers and of added records.

use serde_json::Value;

use super::{Compared, list, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "mdns", theirs: "mdns", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let all = |names: &str, types: &str| -> Vec<String> {
        let types = list(event, types).filter_map(Value::as_str);
        list(event, names).filter_map(Value::as_str).zip(types).map(|(n, t)| format!("{n} {t}")).collect()
    };
    let names = |pointer: &str| list(event, pointer).filter_map(Value::as_str).map(str::to_owned).collect();
    Some(key(
        text(event, "/dns/type") == "query",
        all("/mdns/questions/name", "/mdns/questions/type"),
        names("/dns/answers/name"),
        names("/mdns/additionals/name"),
    ))
}

fn of_theirs(event: &Value) -> Option<String> {
    let questions = list(event, "/mdns/queries")
        .map(|query| format!("{} {}", text(query, "/rrname"), text(query, "/rrtype").to_uppercase()))
        .collect();
    // The record that says how large messages may be is no record of ours.
    let names = |pointer: &str| {
        let records = list(event, pointer).filter(|record| record.get("opt").is_none());
        records.map(|record| text(record, "/rrname").to_owned()).collect()
    };
    Some(key(text(event, "/mdns/type") == "request", questions, names("/mdns/answers"), names("/mdns/additionals")))
}

fn key(query: bool, questions: Vec<String>, answers: Vec<String>, additionals: Vec<String>) -> String {
    let joined = |list: Vec<String>| {
        let mut list: Vec<String> = list.iter().map(|line| line.to_lowercase()).collect();
        list.sort();
        list.join("; ")
    };
    let kind = if query { "query" } else { "answer" };
    format!("{kind} [{}] [{}] [{}]", joined(questions), joined(answers), joined(additionals))
}
