//! DCE RPC, over TCP and over the pipes of SMB: request, answer, interface, number of the procedure. Bytes of arguments
//! and results are not compared: the reference counts fields of the header and of signatures with them.

use serde_json::Value;

use super::{Compared, list, number, text};

/// Over TCP.
pub static COMPARED: Compared =
    Compared { ours: "dcerpc", theirs: "dcerpc", of_ours, of_theirs: |event| of_theirs(event, "/dcerpc") };

/// Over pipes, which the reference tells together with the command of SMB that carries it.
pub static IN_PIPES: Compared =
    Compared { ours: "dcerpc", theirs: "smb", of_ours, of_theirs: |event| of_theirs(event, "/smb/dcerpc") };

fn of_ours(event: &Value) -> Option<String> {
    // The last message of a log-in, which the reference tells only in pipes, and without its names.
    let request = text(event, "/dcerpc/request");
    if request == "AUTH3" {
        return None;
    }
    let response = text(event, "/dcerpc/response");
    if request == "BIND" {
        let asked: Vec<&str> = list(event, "/dcerpc/bind/uuid").filter_map(Value::as_str).collect();
        return Some(format!("{request} {response} {}", asked.join(" ")));
    }
    if request != "REQUEST" {
        // Interfaces of a change of context are not told there.
        return Some(format!("{request} {response}"));
    }
    Some(format!("{request} {response} {} {}", text(event, "/dcerpc/interface/uuid"), number(event, "/dcerpc/opnum")))
}

fn of_theirs(event: &Value, at: &str) -> Option<String> {
    let rpc = event.pointer(at)?;
    let request = match text(rpc, "/request") {
        "REQUEST_LOST" => "",
        other => other,
    };
    let response = match text(rpc, "/response") {
        "BINDACK" => "BIND_ACK",
        "BINDNAK" => "BIND_NAK",
        "ALTER_CONTEXT_RESP" => "ALTER_CONTEXT_RESPONSE",
        "UNREPLIED" | "RESPONSE_LOST" => "",
        other => other,
    };
    if request == "AUTH3" {
        return None;
    }
    let mut asked: Vec<&str> = list(rpc, "/interfaces").map(|one| text(one, "/uuid")).collect();
    if request == "BIND" {
        return Some(format!("{request} {response} {}", asked.join(" ")));
    }
    if request != "REQUEST" {
        return Some(format!("{request} {response}"));
    }
    // Of the interfaces that were bound, the one that is called cannot be told from the others.
    asked.truncate(1);
    let operation = if rpc.pointer("/opnum").is_some() { "/opnum" } else { "/req/opnum" };
    Some(format!("{request} {response} {} {}", asked.join(" "), number(rpc, operation)))
}
