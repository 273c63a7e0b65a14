//! QUIC: version, server name, JA4 and program of the client, once each in a capture.
//!
//! The reference makes an event of each packet, we make one of each connection, so only packets that tell something of
//! the client are compared, and each set of facts once.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "quic", theirs: "quic", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    key(
        text(event, "/quic/version"),
        text(event, "/tls/client/server_name"),
        text(event, "/ja4/client"),
        text(event, "/user_agent/original"),
    )
}

fn of_theirs(event: &Value) -> Option<String> {
    let version = text(event, "/quic/version");
    let version = match version.strip_prefix("ff0000").map(|digits| u32::from_str_radix(digits, 16)) {
        Some(Ok(draft)) => format!("draft-{draft}"),
        _ => version.trim_start_matches('v').to_owned(),
    };
    key(&version, text(event, "/quic/sni"), text(event, "/quic/ja4"), text(event, "/quic/ua"))
}

fn key(version: &str, name: &str, ja4: &str, program: &str) -> Option<String> {
    let told = [name, ja4, program].iter().any(|fact| !fact.is_empty());
    told.then(|| format!("{version} {} {ja4} {program}", name.to_lowercase()))
}
