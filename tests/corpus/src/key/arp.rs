//! ARP: operation, addresses of both sides.

use serde_json::Value;

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "arp", theirs: "arp", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    let mac = |pointer: &str| text(event, pointer).replace('-', ":").to_lowercase();
    Some(format!(
        "{} {} {} {} {}",
        text(event, "/arp/operation"),
        mac("/source/mac"),
        text(event, "/source/ip"),
        mac("/destination/mac"),
        text(event, "/destination/ip"),
    ))
}

fn of_theirs(event: &Value) -> Option<String> {
    let parts = ["/arp/opcode", "/arp/src_mac", "/arp/src_ip", "/arp/dest_mac", "/arp/dest_ip"];
    Some(parts.map(|pointer| text(event, pointer)).join(" "))
}
