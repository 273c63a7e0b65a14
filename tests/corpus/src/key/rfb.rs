//! RFB: versions, the way of logging in, the desktop.

use serde_json::Value;

use super::{Compared, number, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "rfb",
    theirs: "rfb",
    of_ours: |event| Some(our_rfb(event)),
    of_theirs: |event| Some(eve_rfb(event)),
};

fn our_rfb(event: &Value) -> String {
    rfb_key(
        text(event, "/rfb/server/version"),
        text(event, "/rfb/client/version"),
        text(event, "/rfb/security/type"),
        &number(event, "/rfb/desktop/width"),
        text(event, "/rfb/desktop/name"),
    )
}

fn eve_rfb(event: &Value) -> String {
    let version = |side: &str| {
        let part = |name: &str| {
            let digits = text(event, &format!("/rfb/{side}_protocol_version/{name}"));
            digits.trim_start_matches('0').to_owned()
        };
        format!("{}.{}", part("major"), part("minor"))
    };
    let security = match number(event, "/rfb/authentication/security_type").as_str() {
        "1" => "None",
        "2" => "VNC",
        "30" => "Apple-DH",
        _ => "",
    };
    let width = number(event, "/rfb/framebuffer/width");
    rfb_key(&version("server"), &version("client"), security, &width, text(event, "/rfb/framebuffer/name"))
}

fn rfb_key(server: &str, client: &str, security: &str, width: &str, name: &str) -> String {
    format!("server {server} client {client} {security} {width} {name}")
}
