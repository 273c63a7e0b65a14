//! TLS: server name, version, subject of the certificate, JA4.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "tls",
    theirs: "tls",
    of_ours: |event| Some(our_tls(event)),
    of_theirs: |event| Some(eve_tls(event)),
};

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
