//! Files: the flow that carried them and their size. Whether all of a file was seen is left out: the reference takes one that
//! the capture's end cut off for whole. So are files that it cut at its own limit.

use serde_json::Value;

use super::{Compared, number, text};

/// Where the reference cuts the bodies of HTTP, as it is set up by default.
const BODY_LIMIT: u64 = 102_400;

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "file", theirs: "fileinfo", of_ours, of_theirs };

fn of_ours(event: &Value) -> Option<String> {
    Some(format!("{} {} bytes", text(event, "/network/community_id"), number(event, "/file/size")))
}

fn of_theirs(event: &Value) -> Option<String> {
    let cut = event.pointer("/fileinfo/size").and_then(Value::as_u64) == Some(BODY_LIMIT);
    (!cut).then(|| format!("{} {} bytes", text(event, "/community_id"), number(event, "/fileinfo/size")))
}
