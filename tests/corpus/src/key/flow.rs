//! Flows: Community ID, packets and bytes of each end; and both added up over all flows of a Community ID, because how long a
//! flow may be silent before it counts as two is a setting. Which end began is left out: where the beginning was not seen,
//! it is guessed.

use serde_json::Value;

use super::{Compared, Fact, text};

/// How single flows are compared.
pub static COMPARED: Compared = Compared {
    ours: "flow",
    theirs: "flow",
    of_ours: |event| Some(line(text(event, "/network/community_id"), of_ours(event))),
    of_theirs: |event| Some(line(text(event, "/community_id"), of_theirs(event))),
};

/// What is added up.
pub const SUMS: [&str; 2] = ["flow_packets", "flow_bytes"];

/// One end of a flow and what it sent.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct End {
    address: String,
    /// Settles the order of ends of the same host; of ICMP each side writes something else here.
    port: u64,
    packets: u64,
    bytes: u64,
}

/// What one of our flows adds to the sums.
pub fn sums_of_ours(event: &Value) -> Vec<Fact> {
    sums(text(event, "/network/community_id"), of_ours(event))
}

/// What one of the reference's flows adds to the sums.
pub fn sums_of_theirs(event: &Value) -> Vec<Fact> {
    sums(text(event, "/community_id"), of_theirs(event))
}

fn of_ours(event: &Value) -> [End; 2] {
    ["source", "destination"].map(|side| {
        let part = |name: &str| format!("/{side}/{name}");
        End {
            address: address(event, &part("ip")),
            port: counted(event, &part("port")),
            packets: counted(event, &part("packets")),
            bytes: counted(event, &part("bytes")),
        }
    })
}

fn of_theirs(event: &Value) -> [End; 2] {
    [("src", "toserver"), ("dest", "toclient")].map(|(side, way)| End {
        address: address(event, &format!("/{side}_ip")),
        port: counted(event, &format!("/{side}_port")),
        packets: counted(event, &format!("/flow/pkts_{way}")),
        bytes: counted(event, &format!("/flow/bytes_{way}")),
    })
}

fn counted(event: &Value, pointer: &str) -> u64 {
    event.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// Addresses are written in different ways.
fn address(event: &Value, pointer: &str) -> String {
    let written = text(event, pointer);
    written.parse::<std::net::IpAddr>().map_or_else(|_| written.to_owned(), |address| address.to_string())
}

fn line(community_id: &str, mut ends: [End; 2]) -> String {
    ends.sort();
    let [first, second] = ends.map(|end| format!("{} packets {} bytes", end.packets, end.bytes));
    format!("{community_id} {first} | {second}")
}

fn sums(community_id: &str, ends: [End; 2]) -> Vec<Fact> {
    let fact = |end: &End, name: &'static str, count: u64| {
        // No flow is larger than memory could number.
        (name, format!("{community_id} from {}", end.address), usize::try_from(count).unwrap_or(usize::MAX))
    };
    let [packets, bytes] = SUMS;
    ends.iter().flat_map(|end| [fact(end, packets, end.packets), fact(end, bytes, end.bytes)]).collect()
}
