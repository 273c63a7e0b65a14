//! What of an event is compared: one line of text made of the same facts on both sides.

use serde_json::Value;

/// Facts of a sensor's event, if it is of a compared protocol: the protocol and its key.
pub fn of_ours(event: &Value) -> Option<(&'static str, String)> {
    match text(event, "/event/dataset") {
        "dns" => Some(("dns", our_dns(event))),
        "http" => Some(("http", our_http(event))),
        "tls" => Some(("tls", our_tls(event))),
        _ => None,
    }
}

/// Facts of an event in EVE format.
pub fn of_eve(event: &Value) -> Option<(&'static str, String)> {
    match text(event, "/event_type") {
        "dns" => Some(("dns", eve_dns(event))),
        // Frames of HTTP/2 that carry no request (settings, priorities, goodbyes) are events there and none here.
        "http" if text(event, "/http/version") == "2" && text(event, "/http/http_method").is_empty() => None,
        "http" => Some(("http", eve_http(event))),
        "tls" => Some(("tls", eve_tls(event))),
        _ => None,
    }
}

fn text<'a>(event: &'a Value, pointer: &str) -> &'a str {
    event.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

fn number(event: &Value, pointer: &str) -> String {
    event.pointer(pointer).filter(|v| v.is_number()).map_or_else(|| "-".to_owned(), Value::to_string)
}

fn list<'a>(event: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    event.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

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

fn our_http(event: &Value) -> String {
    let status = number(event, "/http/response/status_code");
    let rtsp = text(event, "/http/version").starts_with("RTSP");
    http_key(
        text(event, "/http/request/method"),
        if text(event, "/http/version") == "2" { "" } else { text(event, "/url/domain") },
        text(event, "/url/original"),
        if rtsp { "-" } else { &status },
    )
}

/// The reference does not name the host of HTTP/2 in a field of its own; it is left out on both sides.
///
/// The reference does not understand RTSP's status lines and says so by leaving the status out; and it names a missing
/// request with a path of its own.
fn eve_http(event: &Value) -> String {
    let url = text(event, "/http/url");
    http_key(
        &shown(text(event, "/http/http_method")),
        text(event, "/http/hostname"),
        &if url == "/libhtp::request_uri_not_seen" { String::new() } else { shown(url) },
        &number(event, "/http/status"),
    )
}

/// Control characters as we write them.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_control() { format!("\\x{:02x}", u32::from(c)) } else { c.to_string() })
        .collect()
}

fn http_key(method: &str, host: &str, url: &str, status: &str) -> String {
    format!("{method} {} {url} {status}", host.trim_matches(['[', ']']).to_lowercase())
}

fn our_tls(event: &Value) -> String {
    tls_key(
        text(event, "/tls/client/server_name"),
        match text(event, "/tls/version") {
            "1.3-draft14" | "1.3-draft15" => "1.3-draft<16",
            other => other,
        },
        text(event, "/tls/server/subject"),
        text(event, "/ja4/client"),
    )
}

fn eve_tls(event: &Value) -> String {
    let version = text(event, "/tls/version");
    let version = match version {
        "TLSv1" => "1.0".to_owned(),
        "SSLv2" => "2.0".to_owned(),
        "SSLv3" => "3.0".to_owned(),
        other => match other.parse::<u16>() {
            Ok(number) => format!("0x{number:04x}"),
            Err(_) => other.trim_start_matches("TLS ").replace(" draft-", "-draft"),
        },
    };
    let ja4 = text(event, "/tls/ja4");
    // What the reference writes when there was no client to fingerprint.
    let ja4 = if ja4.starts_with("t00i000000_") { "" } else { ja4 };
    // The digest of an underscore: no extensions. The description of JA4 wants zeros.
    let ja4 = ja4.replace("_d2e2adf7177b", "_000000000000");
    tls_key(text(event, "/tls/sni"), &version, text(event, "/tls/subject"), &ja4)
}

fn tls_key(name: &str, version: &str, subject: &str, ja4: &str) -> String {
    format!("{} {version} {subject} {ja4}", name.to_lowercase())
}
