//! The beginning of a connection: the server greets, the client answers with what it can and who it is.

use super::packet::{name, part, string};
use super::record::MysqlCommand;
use crate::protocols::reader::{Reader, Short};

/// What both sides can.
pub mod can {
    /// A database is named in the log-in.
    pub const DATABASE: u64 = 1 << 3;
    /// Packing by zlib.
    pub const COMPRESS: u64 = 1 << 5;
    /// The form of messages since 4.1.
    pub const PROTOCOL_41: u64 = 1 << 9;
    /// TLS.
    pub const SSL: u64 = 1 << 11;
    /// The proof has its length before it in one byte.
    pub const SECURE: u64 = 1 << 15;
    /// The way of the proof is named.
    pub const PLUGIN: u64 = 1 << 19;
    /// The client says more of itself.
    pub const ATTRIBUTES: u64 = 1 << 20;
    /// The proof has its length before it in a number.
    pub const LONG_PROOF: u64 = 1 << 21;
    /// Packing by zstd.
    pub const ZSTD: u64 = 1 << 26;
    /// Values may stand before a statement.
    pub const QUERY_ATTRIBUTES: u64 = 1 << 27;
}

/// The longest first packet of a server.
const MAX_GREETING_BYTES: usize = 512;
/// Things that a client says of itself and that are looked through.
const MAX_ATTRIBUTES: usize = 64;

/// Whether a server greets or refuses here; nothing while that cannot be told.
pub fn greets(bytes: &[u8]) -> Option<bool> {
    let Some([low, high, 0, 0, kind, rest @ ..]) = bytes.get(..) else { return Some(false) };
    let length = usize::from(*low) + usize::from(*high) * 256;
    if !(8..=MAX_GREETING_BYTES).contains(&length) {
        return Some(false);
    }
    match kind {
        10 => {
            let version: Vec<u8> = rest.iter().copied().take_while(|byte| *byte != 0).collect();
            let fits = version.iter().all(u8::is_ascii_graphic) && version.first().is_none_or(u8::is_ascii_digit);
            let over = version.len() < rest.len();
            match (fits, over) {
                (true, true) => Some(version.len() >= 3 && version.contains(&b'.')),
                (true, false) if rest.len() < 64 => None,
                _ => Some(false),
            }
        }
        // A server that refuses says why.
        0xff => {
            let mut r = Reader::new(rest);
            let Ok(code) = r.u16_le() else { return None };
            let words = r.rest();
            let shown = words.iter().take(length).all(|byte| *byte >= b' ');
            if !(1000..=2100).contains(&code) || !shown || bytes.len() > length + 4 {
                return Some(false);
            }
            if bytes.len() < length + 4 { None } else { Some(words.len() >= 8) }
        }
        _ => Some(false),
    }
}

/// Whether a client's answer begins here; nothing while that cannot be told.
pub fn answers(bytes: &[u8]) -> Option<bool> {
    const HEAD_BYTES: usize = 36;
    let Some([low, high, 0, 1, rest @ ..]) = bytes.get(..) else { return Some(false) };
    let length = usize::from(*low) + usize::from(*high) * 256;
    let mut r = Reader::new(rest);
    let (Ok(can), Ok(_), Ok(_)) = (r.u32_le(), r.u32_le(), r.u8()) else { return None };
    if length < 32 || u64::from(can) & can::PROTOCOL_41 == 0 {
        return Some(false);
    }
    // MariaDB uses the last four of the 23 bytes that are reserved.
    let reserved = r.rest().get(..19).unwrap_or(r.rest());
    match reserved.iter().all(|byte| *byte == 0) {
        true if bytes.len() < HEAD_BYTES => None,
        told => Some(told),
    }
}

/// What a server says of itself.
pub struct Greeting {
    /// What it can.
    pub can: u64,
    /// How it wants a client to prove itself.
    pub method: Option<String>,
}

/// Reads a greeting behind its first byte.
pub fn greeting(record: &mut MysqlCommand, mut r: Reader<'_>) -> Greeting {
    let mut greeting = Greeting { can: 0, method: None };
    // What is missing at the end was not known to old servers.
    let _ = read_greeting(record, &mut greeting, &mut r);
    greeting
}

fn read_greeting(record: &mut MysqlCommand, greeting: &mut Greeting, r: &mut Reader<'_>) -> Result<(), Short> {
    record.server_version = name(string(r));
    record.connection_id = Some(r.u32_le()?.into());
    r.skip(9)?;
    greeting.can = r.u16_le()?.into();
    r.skip(3)?;
    greeting.can |= u64::from(r.u16_le()?) << 16;
    let proof = r.u8()?;
    r.skip(10)?;
    r.skip(usize::from(proof.saturating_sub(8)).max(13))?;
    greeting.method = name(string(r));
    Ok(())
}

/// Reads a client's answer: gives what it can.
pub fn answer(record: &mut MysqlCommand, mut r: Reader<'_>) -> Result<u64, Short> {
    let first = r.u16_le()?;
    if u64::from(first) & can::PROTOCOL_41 == 0 {
        r.skip(3)?;
        record.user = name(string(&mut r));
        if u64::from(first) & can::DATABASE != 0 {
            string(&mut r);
            record.database = name(r.rest());
        }
        return Ok(first.into());
    }
    let can = u64::from(first) | u64::from(r.u16_le()?) << 16;
    r.skip(28)?;
    record.user = name(string(&mut r));
    let proof = if can & can::LONG_PROOF != 0 {
        part(&mut r)?
    } else if can & can::SECURE != 0 {
        r.part8()?.rest()
    } else {
        string(&mut r)
    };
    if can & can::DATABASE != 0 {
        record.database = name(string(&mut r));
    }
    method(record, &mut r, can, proof);
    Ok(can)
}

/// Reads a change of user behind its number.
pub fn change(record: &mut MysqlCommand, mut r: Reader<'_>, can: u64) -> Result<(), Short> {
    record.user = name(string(&mut r));
    let proof = r.part8()?.rest();
    record.database = name(string(&mut r));
    r.skip(2)?;
    method(record, &mut r, can, proof);
    Ok(())
}

/// The way of the proof, and what the client says of itself.
fn method(record: &mut MysqlCommand, r: &mut Reader<'_>, can: u64, proof: &[u8]) {
    if can & can::PLUGIN != 0 {
        record.method = name(string(r)).or(record.method.take());
    }
    clear(record, proof);
    if can & can::ATTRIBUTES != 0 {
        let _ = attributes(record, r);
    }
}

/// Notices a proof that is the password itself.
pub fn clear(record: &mut MysqlCommand, proof: &[u8]) {
    let clear = matches!(record.method.as_deref(), Some("mysql_clear_password" | "dialog"));
    if clear && proof.iter().any(|byte| *byte != 0) {
        record.password_seen = Some(true);
    }
}

fn attributes(record: &mut MysqlCommand, r: &mut Reader<'_>) -> Result<(), Short> {
    let mut r = Reader::new(part(r)?);
    let mut library = None;
    let mut version = None;
    for _ in 0..MAX_ATTRIBUTES {
        let (Ok(key), Ok(value)) = (part(&mut r), part(&mut r)) else { break };
        match key {
            b"_client_name" => library = name(value),
            b"_client_version" => version = name(value),
            b"program_name" => record.program = name(value),
            b"_os_user" => record.os_user = name(value),
            _ => {}
        }
    }
    record.library = match (library, version) {
        (Some(library), Some(version)) => Some(format!("{library} {version}")),
        (library, version) => library.or(version),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_packets_are_told_from_other_things() {
        let greeting = b"\x4a\0\0\0\x0a8.0.33\0\x08\0\0\0";
        assert_eq!(greets(greeting), Some(true));
        assert_eq!((greets(&greeting[..8]), greets(b"\x4a\0\0\0\x09")), (None, Some(false)));
        assert_eq!(greets(b"\x13\0\0\0\xff\x10\x04Too many clients"), Some(true));
        assert_eq!(greets(b"\x14\0\0\0\xff\x10\x04Too many clients"), None);
        let answer = [&b"\x20\0\0\x01\x0a\x8a\x1f\0\0\0\0\x01\x21"[..], &[0; 23]].concat();
        assert_eq!((answers(&answer), answers(&answer[..20])), (Some(true), None));
        assert_eq!(answers(b"\x20\0\0\x01\0\0\0\0\0\0\0\x01\x21"), Some(false));
    }
}
