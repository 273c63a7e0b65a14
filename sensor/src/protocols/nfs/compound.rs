//! Calls of version 4: several operations in one (RFC 7530 section 15.2, RFC 8881 section 16.2).

use super::files::MAX_NAME_BYTES;
use super::names;
use super::record::NfsCall;
use super::sunrpc::message::{opaque, string, u64};
use crate::protocols::reader::{Reader, Short};

/// Operations of a call that are looked at.
const MAX_OPERATIONS: u32 = 64;
/// Bytes of a state's number.
const STATE_BYTES: usize = 16;

/// Operations that say less of what a call is for than any other.
const SILENT: [&str; 11] = [
    "PUTFH",
    "PUTROOTFH",
    "PUTPUBFH",
    "GETFH",
    "GETATTR",
    "SAVEFH",
    "RESTOREFH",
    "SEQUENCE",
    "RENEW",
    "ACCESS",
    "LOOKUP",
];

/// Reads a call. What its operations name is put together to a path; an operation that is not known ends the reading.
pub fn call(record: &mut NfsCall, handle: &mut Vec<u8>, r: &mut Reader<'_>) -> Result<(), Short> {
    opaque(r)?;
    record.minor_version = Some(r.u32()?.into());
    let count = r.u32()?.min(MAX_OPERATIONS);
    let mut path = String::new();
    let mut outcome = Ok(());
    for _ in 0..count {
        let Ok(number) = r.u32() else {
            outcome = Err(Short);
            break;
        };
        let Some(name) = names::operation(number) else { break };
        record.operations.push(name);
        match operation(record, handle, &mut path, name, r) {
            Ok(true) => {}
            Ok(false) => break,
            Err(Short) => {
                outcome = Err(Short);
                break;
            }
        }
    }
    if !path.is_empty() {
        record.file = Some(path);
    }
    let telling = record.operations.iter().find(|name| !SILENT.contains(name));
    let telling = telling.or_else(|| record.operations.iter().find(|name| matches!(**name, "LOOKUP" | "ACCESS")));
    if let Some(name) = telling.or(record.operations.last()) {
        record.procedure = (*name).to_owned();
    }
    outcome
}

/// One operation; false where what follows it cannot be found.
fn operation(
    record: &mut NfsCall,
    handle: &mut Vec<u8>,
    path: &mut String,
    name: &'static str,
    r: &mut Reader<'_>,
) -> Result<bool, Short> {
    match name {
        "LOOKUPP" | "GETFH" | "PUTROOTFH" | "PUTPUBFH" | "READLINK" | "RESTOREFH" | "SAVEFH" => {}
        "PUTFH" => {
            *handle = opaque(r)?.to_vec();
            handle.truncate(128);
            path.clear();
        }
        "LOOKUP" | "REMOVE" | "SECINFO" => add(path, &string(r, MAX_NAME_BYTES)?),
        "LINK" => record.target = Some(string(r, MAX_NAME_BYTES)?),
        "RENAME" => {
            add(path, &string(r, MAX_NAME_BYTES)?);
            record.target = Some(string(r, MAX_NAME_BYTES)?);
        }
        "CREATE" => {
            match r.u32()? {
                // A link, and devices.
                5 => record.target = Some(string(r, MAX_NAME_BYTES)?),
                3 | 4 => r.skip(8)?,
                _ => {}
            }
            add(path, &string(r, MAX_NAME_BYTES)?);
            attributes(r)?;
        }
        "OPEN" => open(path, r)?,
        "ACCESS" | "OPENATTR" | "RECLAIM_COMPLETE" | "SECINFO_NO_NAME" => r.skip(4)?,
        "CLOSE" | "OPEN_CONFIRM" | "SEQUENCE" => {
            let rest = match name {
                "SEQUENCE" => 16,
                _ => 4,
            };
            r.skip(STATE_BYTES + rest)?;
        }
        "OPEN_DOWNGRADE" => r.skip(STATE_BYTES + 12)?,
        "COMMIT" => r.skip(12)?,
        "DELEGPURGE" | "RENEW" | "DESTROY_CLIENTID" => r.skip(8)?,
        "DELEGRETURN" | "FREE_STATEID" | "DESTROY_SESSION" | "SETCLIENTID_CONFIRM" => r.skip(16)?,
        "GETATTR" => bitmap(r)?,
        "VERIFY" | "NVERIFY" => attributes(r)?,
        "SETATTR" => {
            r.skip(STATE_BYTES)?;
            attributes(r)?;
        }
        "READ" => r.skip(STATE_BYTES + 12)?,
        "WRITE" => {
            r.skip(STATE_BYTES + 12)?;
            let mut ahead = *r;
            record.written_bytes = Some(ahead.u32()?.into());
            // What is written may be longer than what is kept.
            return Ok(opaque(r).is_ok());
        }
        "READDIR" => {
            r.skip(24)?;
            bitmap(r)?;
        }
        "SETCLIENTID" => {
            r.skip(8)?;
            record.client = Some(string(r, MAX_NAME_BYTES)?);
            r.skip(4)?;
            opaque(r)?;
            opaque(r)?;
            r.skip(4)?;
        }
        "EXCHANGE_ID" => {
            r.skip(8)?;
            record.client = Some(string(r, MAX_NAME_BYTES)?);
            return Ok(false);
        }
        "RELEASE_LOCKOWNER" => {
            r.skip(8)?;
            opaque(r)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Adds a part to a path that has its limit.
fn add(path: &mut String, part: &str) {
    if path.len() + part.len() <= 2 * MAX_NAME_BYTES {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
}

fn open(path: &mut String, r: &mut Reader<'_>) -> Result<(), Short> {
    r.skip(12)?;
    u64(r)?;
    opaque(r)?;
    if r.u32()? == 1 {
        match r.u32()? {
            0 | 1 => attributes(r)?,
            2 => r.skip(8)?,
            _ => {
                r.skip(8)?;
                attributes(r)?;
            }
        }
    }
    match r.u32()? {
        0 | 3 => add(path, &string(r, MAX_NAME_BYTES)?),
        1 => r.skip(4)?,
        2 => {
            r.skip(STATE_BYTES)?;
            add(path, &string(r, MAX_NAME_BYTES)?);
        }
        5 => r.skip(STATE_BYTES)?,
        _ => {}
    }
    Ok(())
}

fn bitmap(r: &mut Reader<'_>) -> Result<(), Short> {
    let words = usize::try_from(r.u32()?).map_err(|_| Short)?;
    r.skip(words.checked_mul(4).ok_or(Short)?)
}

fn attributes(r: &mut Reader<'_>) -> Result<(), Short> {
    bitmap(r)?;
    opaque(r).map(|_| ())
}
