//! DNS: direction, first question, and for an answer its result and records.

use serde_json::Value;

use super::{Compared, list, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "dns",
    theirs: "dns",
    of_ours: |event| Some(our_dns(event)),
    of_theirs: |event| Some(eve_dns(event)),
};

/// Direction, first question, and for an answer its result and records: all types, and the data of those types that
/// both sides write alike.
fn dns_key(kind: &str, name: &str, question: &str, code: &str, mut answers: Vec<String>) -> String {
    if kind == "query" {
        return format!("query {} {question}", name.to_lowercase());
    }
    answers.sort();
    // The reference makes one answer of each character string of a TXT record.
    answers.dedup_by(|a, b| a == b && a == "TXT");
    format!("answer {} {question} {code} [{}]", name.to_lowercase(), answers.join("; "))
}

fn dns_record(kind: &str, data: &str) -> String {
    match kind {
        "A" | "AAAA" => match data.parse::<std::net::IpAddr>() {
            Ok(address) => format!("{kind} {address}"),
            Err(_) => format!("{kind} {data}"),
        },
        "CNAME" | "PTR" | "NS" => format!("{kind} {}", data.to_lowercase()),
        _ => kind.to_owned(),
    }
}

fn our_dns(event: &Value) -> String {
    let types = list(event, "/dns/answers/type").filter_map(Value::as_str);
    let data = list(event, "/dns/answers/data").filter_map(Value::as_str);
    let answers = types.zip(data).map(|(kind, data)| dns_record(kind, data)).collect();
    let code = text(event, "/dns/response_code");
    dns_key(
        text(event, "/dns/type"),
        text(event, "/dns/question/name"),
        text(event, "/dns/question/type"),
        code,
        answers,
    )
}

fn eve_dns(event: &Value) -> String {
    let kind = if text(event, "/dns/type") == "request" { "query" } else { "answer" };
    let answers = list(event, "/dns/answers")
        .map(|record| dns_record(&record_type(text(record, "/rrtype")), text(record, "/rdata")))
        .collect();
    let question = record_type(text(event, "/dns/queries/0/rrtype"));
    dns_key(kind, text(event, "/dns/queries/0/rrname"), &question, text(event, "/dns/rcode"), answers)
}

/// The reference writes types it has no name for as a number.
fn record_type(name: &str) -> String {
    match name.parse::<u16>() {
        Ok(257) => "CAA".to_owned(),
        Ok(other) => format!("TYPE{other}"),
        Err(_) => name.to_owned(),
    }
}
