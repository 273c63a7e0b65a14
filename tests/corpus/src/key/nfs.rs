//! NFS: version, procedure, result; of version 3 also the name where the call carries one.

use serde_json::Value;

use super::{Compared, number, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "nfs", theirs: "nfs", of_ours, of_theirs };

/// Procedures whose name the reference tells where they succeed.
const NAMED: [&str; 6] = ["LOOKUP", "CREATE", "MKDIR", "REMOVE", "RMDIR", "RENAME"];

fn of_ours(event: &Value) -> Option<String> {
    let file = text(event, "/nfs/file");
    let target = text(event, "/nfs/target");
    key(&number(event, "/nfs/version"), text(event, "/nfs/procedure"), text(event, "/nfs/status"), file, target)
}

fn of_theirs(event: &Value) -> Option<String> {
    let call = event.get("nfs")?;
    let file = text(call, "/filename");
    let target = text(call, "/rename/to");
    key(&number(call, "/version"), text(call, "/procedure"), text(call, "/status"), file, target)
}

fn key(version: &str, procedure: &str, status: &str, file: &str, target: &str) -> Option<String> {
    let named = version == "3" && status == "OK" && NAMED.contains(&procedure);
    let file = if named { file } else { "" };
    let target = if named && procedure == "RENAME" { target } else { "" };
    Some(format!("{version} {procedure} {status} {file} {target}"))
}
