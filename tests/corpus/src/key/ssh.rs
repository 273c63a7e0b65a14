//! SSH: version and program of both sides.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "ssh",
    theirs: "ssh",
    of_ours: |event| Some(our_ssh(event)),
    of_theirs: |event| Some(eve_ssh(event)),
};

fn our_ssh(event: &Value) -> String {
    let side = |side: &str| {
        let value = |name: &str| text(event, &format!("/ssh/{side}/{name}"));
        format!("{} {}", value("version"), value("software"))
    };
    format!("client {} server {}", side("client"), side("server"))
}

fn eve_ssh(event: &Value) -> String {
    let side = |side: &str| {
        let value = |name: &str| text(event, &format!("/ssh/{side}/{name}"));
        format!("{} {}", value("proto_version"), value("software_version"))
    };
    format!("client {} server {}", side("client"), side("server"))
}
