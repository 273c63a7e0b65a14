//! Messages (MongoDB documentation, "Wire Protocol"): a header of four numbers, then what their kind says. Numbers are of
//! the lowest byte first.

use super::bson;
use super::record::MongodbCommand;
use crate::protocols::Direction;
use crate::protocols::framing::{Format, Length};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a message that are kept.
pub const MAX_MESSAGE_BYTES: usize = 16 << 10;
/// The longest message that servers take.
const MAX_LENGTH: u32 = 48_000_000;
/// Bytes of a header.
const HEADER_BYTES: usize = 16;
/// Bytes of a name that are told.
pub const MAX_NAME_BYTES: usize = 128;
/// Names of fields that are told.
const MAX_FIELDS: usize = 32;

/// Kinds of message.
mod kind {
    pub const REPLY: u32 = 1;
    pub const UPDATE: u32 = 2001;
    pub const QUERY: u32 = 2004;
    pub const GET_MORE: u32 = 2005;
    pub const KILL_CURSORS: u32 = 2007;
    pub const COMPRESSED: u32 = 2012;
    pub const MSG: u32 = 2013;
}

/// How messages are told apart.
pub static FORMAT: Format = Format { length, begins: |bytes| begins(bytes).is_some(), limit_bytes: MAX_MESSAGE_BYTES };

fn length(bytes: &[u8]) -> Length {
    match bytes.first_chunk().map(|head| u32::from_le_bytes(*head)) {
        None => Length::Unknown,
        Some(length) if (HEADER_BYTES as u32..=MAX_LENGTH).contains(&length) => {
            Length::Bytes(usize::try_from(length).unwrap_or(usize::MAX))
        }
        Some(_) => Length::Broken,
    }
}

/// What stands before every message.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Number of the message.
    pub id: u32,
    /// Number of the message that it answers.
    pub answers: u32,
    /// Its kind.
    pub kind: u32,
}

/// Reads a header, and gives what follows.
pub fn header(bytes: &[u8]) -> Result<(Header, Reader<'_>), Short> {
    let mut r = Reader::new(bytes);
    r.skip(4)?;
    let header = Header { id: r.u32_le()?, answers: r.u32_le()?, kind: r.u32_le()? };
    Ok((header, r))
}

/// Who speaks, if a message begins here.
pub fn begins(bytes: &[u8]) -> Option<Direction> {
    let Length::Bytes(length) = length(bytes) else { return None };
    let (header, mut r) = header(bytes).ok()?;
    let document = |r: &mut Reader<'_>| r.u32_le().is_ok_and(|inner| inner >= 5 && inner as usize <= length);
    let fits = match header.kind {
        kind::MSG => {
            let flags = r.u32_le().ok()?;
            flags & !0x0001_0003 == 0 && matches!(r.u8().ok()?, 0 | 1) && document(&mut r)
        }
        kind::QUERY => {
            let flags = r.u32_le().ok()?;
            let name = bson::word(&mut r).ok()?;
            let named = name.contains(&b'.') && name.iter().all(|byte| *byte > b' ');
            flags < 256 && header.answers == 0 && named && r.skip(8).is_ok() && document(&mut r)
        }
        kind::REPLY => {
            let flags = r.u32_le().ok()?;
            r.skip(16).ok()?;
            flags < 16 && header.answers != 0 && document(&mut r)
        }
        kind::COMPRESSED => {
            let inner = r.u32_le().ok()?;
            matches!(inner, kind::REPLY | kind::QUERY | kind::MSG) && r.skip(4).is_ok() && r.u8().ok()? <= 3
        }
        _ => false,
    };
    let speaker = if header.answers == 0 { Direction::ToServer } else { Direction::ToClient };
    fits.then_some(speaker)
}

/// A command and whether an answer is to be expected.
pub fn request(header: Header, mut r: Reader<'_>) -> Result<(MongodbCommand, bool), Short> {
    let mut record = MongodbCommand::default();
    let mut answered = true;
    match header.kind {
        kind::MSG => {
            let flags = r.u32_le()?;
            answered = flags & 2 == 0;
            sections(&mut record, &mut r)?;
        }
        kind::QUERY => {
            r.skip(4)?;
            let name = text::text(bson::word(&mut r)?, 2 * MAX_NAME_BYTES);
            r.skip(8)?;
            let document = r.rest();
            let (database, collection) = name.split_once('.').unwrap_or((&name, ""));
            if collection == "$cmd" {
                command(&mut record, bson::inner(document, "$query").unwrap_or(document));
            } else {
                record.command = "query".to_owned();
                record.collection = Some(collection.to_owned());
                record.fields = bson::names(document, MAX_FIELDS);
            }
            record.database = Some(database.to_owned());
        }
        kind::COMPRESSED => {
            r.skip(8)?;
            record.command = "compressed".to_owned();
            record.compressor = compressor(r.u8()?);
        }
        kind::UPDATE..=kind::KILL_CURSORS => {
            let names = ["update", "insert", "", "query", "get_more", "delete", "kill_cursors"];
            let place = usize::try_from(header.kind - kind::UPDATE).map_err(|_| Short)?;
            record.command = names.get(place).copied().unwrap_or_default().to_owned();
            answered = header.kind == kind::GET_MORE;
            if header.kind != kind::KILL_CURSORS {
                r.skip(4)?;
                let name = text::text(bson::word(&mut r)?, 2 * MAX_NAME_BYTES);
                if let Some((database, collection)) = name.split_once('.') {
                    record.database = Some(database.to_owned());
                    record.collection = Some(collection.to_owned());
                }
            }
        }
        _ => return Err(Short),
    }
    Ok((record, answered))
}

fn compressor(number: u8) -> Option<&'static str> {
    match number {
        1 => Some("snappy"),
        2 => Some("zlib"),
        3 => Some("zstd"),
        _ => None,
    }
}

/// The parts of a command: one document, and lists of further ones.
fn sections(record: &mut MongodbCommand, r: &mut Reader<'_>) -> Result<(), Short> {
    while let Ok(section) = r.u8() {
        let mut ahead = *r;
        let Ok(length) = ahead.u32_le().map(|length| usize::try_from(length).unwrap_or(usize::MAX)) else { break };
        let bytes = r.rest().get(..length).unwrap_or(r.rest());
        r.skip(bytes.len())?;
        match section {
            0 => command(record, bytes),
            1 => {
                let mut list = Reader::new(bytes.get(4..).unwrap_or(&[]));
                bson::word(&mut list)?;
                while let Ok(length) = { list }.u32_le() {
                    *record.documents.get_or_insert(0) += 1;
                    let length = usize::try_from(length).unwrap_or(usize::MAX).max(4);
                    if list.skip(length).is_err() {
                        break;
                    }
                }
            }
            // A sum at the end.
            _ => break,
        }
    }
    if record.command.is_empty() { Err(Short) } else { Ok(()) }
}

/// What a command says.
fn command(record: &mut MongodbCommand, document: &[u8]) {
    let Some((name, value)) = bson::elements(document).next() else { return };
    record.command = text::text(name, MAX_NAME_BYTES);
    if let bson::Value::Text(collection) = value {
        record.collection = Some(text::text(collection, MAX_NAME_BYTES));
    }
    record.database = bson::string(document, "$db", MAX_NAME_BYTES);
    let mut fields = bson::names(document, MAX_FIELDS);
    // What the library adds to every command says nothing.
    fields
        .retain(|field| *field != record.command && !matches!(field.as_str(), "$db" | "lsid" | "id" | "$clusterTime"));
    record.fields = fields;
    client(record, document);
    login(record, bson::inner(document, "speculativeAuthenticate").unwrap_or(document));
}

/// What a client says of itself when it begins.
fn client(record: &mut MongodbCommand, document: &[u8]) {
    let Some(client) = bson::inner(document, "client") else { return };
    let part = |of: &str, name: &str| bson::string(bson::inner(client, of)?, name, MAX_NAME_BYTES);
    record.application = part("application", "name");
    record.driver = match (part("driver", "name"), part("driver", "version")) {
        (Some(name), Some(version)) => Some(format!("{name} {version}")),
        (name, _) => name,
    };
    record.system = part("os", "name").or_else(|| part("os", "type"));
}

/// Who logs in, and how.
fn login(record: &mut MongodbCommand, document: &[u8]) {
    let begins = [&b"saslStart"[..], b"authenticate"];
    if !bson::elements(document).next().is_some_and(|(name, _)| begins.contains(&name)) {
        return;
    }
    record.mechanism = bson::string(document, "mechanism", 64);
    record.user = bson::string(document, "user", MAX_NAME_BYTES);
    let payload = match bson::get(document, "payload") {
        Some(bson::Value::Binary(payload) | bson::Value::Text(payload)) => payload,
        _ => return,
    };
    if record.mechanism.as_deref() == Some("PLAIN") {
        let mut parts = payload.split(|byte| *byte == 0).skip(1);
        record.user = parts.next().map(|user| text::text(user, MAX_NAME_BYTES));
        record.password_seen = parts.next().is_some_and(|password| !password.is_empty()).then_some(true);
        return;
    }
    // RFC 5802 section 7: the user is the attribute n.
    let user = payload.split(|byte| *byte == b',').find_map(|part| part.strip_prefix(b"n="));
    record.user = user.map(|user| text::text(user, MAX_NAME_BYTES)).or(record.user.take());
}

/// Adds an answer to its command.
pub fn answer(record: &mut MongodbCommand, header: Header, mut r: Reader<'_>) -> Result<(), Short> {
    let document = match header.kind {
        kind::MSG => {
            r.skip(4)?;
            if r.u8()? != 0 {
                return Err(Short);
            }
            r.rest()
        }
        kind::REPLY => {
            r.skip(16)?;
            let count = r.u32_le()?;
            if matches!(record.command.as_str(), "query" | "get_more") {
                record.documents = Some(count.into());
                record.outcome = Some("success");
                return Ok(());
            }
            r.rest()
        }
        kind::COMPRESSED => {
            r.skip(8)?;
            record.compressor = compressor(r.u8()?);
            return Ok(());
        }
        _ => return Err(Short),
    };
    match bson::get(document, "ok") {
        Some(bson::Value::Number(ok)) => record.outcome = Some(if ok == 0.0 { "failure" } else { "success" }),
        _ => return Ok(()),
    }
    if let Some(bson::Value::Number(code)) = bson::get(document, "code") {
        record.error_code = Some(format!("{code}"));
    }
    record.error_name = bson::string(document, "codeName", MAX_NAME_BYTES);
    record.error_message = bson::string(document, "errmsg", 512);
    if let Some(cursor) = bson::inner(document, "cursor") {
        let batch = bson::inner(cursor, "firstBatch").or_else(|| bson::inner(cursor, "nextBatch"));
        record.documents = batch.map(|batch| bson::elements(batch).count() as u64).or(record.documents);
    }
    Ok(())
}
