//! DHCP: kind, exchange, client, address and name. The reference was set to log what a server has given only.

use serde_json::Value;

use super::{Compared, number, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "dhcp", theirs: "dhcp", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let given = text(event, "/dhcp/type") == "reply" && text(event, "/dhcp/message_type") == "ack";
    given.then(|| {
        key(
            &number(event, "/dhcp/transaction_id"),
            &text(event, "/client/mac").replace('-', ":"),
            text(event, "/dhcp/assigned_ip"),
            text(event, "/dhcp/hostname"),
        )
    })
}

fn of_theirs(event: &Value) -> Option<String> {
    let assigned = text(event, "/dhcp/assigned_ip");
    Some(key(
        &number(event, "/dhcp/id"),
        text(event, "/dhcp/client_mac"),
        if assigned == "0.0.0.0" { "" } else { assigned },
        // A zero that ends the name is part of it there.
        text(event, "/dhcp/hostname").trim_end_matches('\0'),
    ))
}

fn key(id: &str, mac: &str, assigned: &str, hostname: &str) -> String {
    format!("ack {id} {} {assigned} {hostname}", mac.to_lowercase())
}
