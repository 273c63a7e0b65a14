//! Packets: three bytes of length, a number, what they say. Numbers in them are of the lowest byte first.

use crate::protocols::framing::{Format, Length};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a packet that are kept.
pub const MAX_PACKET_BYTES: usize = 16 << 10;
/// Bytes of a name that are told.
const MAX_NAME_BYTES: usize = 256;
/// Bytes of an error's words that are told.
const MAX_ERROR_BYTES: usize = 512;

/// A client's packets.
pub static COMMANDS: Format = Format { length, begins: is_command, limit_bytes: MAX_PACKET_BYTES };
/// A server's packets.
pub static RESULTS: Format = Format { length, begins: is_result, limit_bytes: MAX_PACKET_BYTES };

fn length(bytes: &[u8]) -> Length {
    match *bytes {
        [a, b, c, _, ..] => Length::Bytes(4 + usize::from(a) + usize::from(b) * 256 + usize::from(c) * 65_536),
        _ => Length::Unknown,
    }
}

/// Whether a whole statement fills these bytes.
pub fn is_command(bytes: &[u8]) -> bool {
    let whole = length(bytes) == Length::Bytes(bytes.len());
    let Some([0, command, first, ..]) = bytes.get(3..) else { return false };
    whole && matches!(command, 0x02 | 0x03 | 0x16) && first.is_ascii_alphabetic()
}

/// Whether a result begins here: packets with rising numbers, as far as the bytes go.
fn is_result(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut number = 1;
    while let (Length::Bytes(length), Some(this)) = (length(rest), rest.get(3)) {
        if *this != number {
            return false;
        }
        match rest.get(length..) {
            Some(after) => rest = after,
            None => return number > 1,
        }
        number = number.wrapping_add(1);
    }
    number > 1
}

/// Names of commands, by number.
pub fn command(number: u8) -> Option<&'static str> {
    const NAMES: [&str; 32] = [
        "sleep",
        "quit",
        "init_db",
        "query",
        "field_list",
        "create_db",
        "drop_db",
        "refresh",
        "shutdown",
        "statistics",
        "process_info",
        "connect",
        "process_kill",
        "debug",
        "ping",
        "time",
        "delayed_insert",
        "change_user",
        "binlog_dump",
        "table_dump",
        "connect_out",
        "register_replica",
        "stmt_prepare",
        "stmt_execute",
        "stmt_send_long_data",
        "stmt_close",
        "stmt_reset",
        "set_option",
        "stmt_fetch",
        "daemon",
        "binlog_dump_gtid",
        "reset_connection",
    ];
    NAMES.get(usize::from(number)).copied()
}

/// A text that ends with a zero, or with the packet.
pub fn string<'a>(r: &mut Reader<'a>) -> &'a [u8] {
    let rest = r.rest();
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let _ = r.skip((end + 1).min(rest.len()));
    rest.get(..end).unwrap_or(rest)
}

/// A number of one, three, four or nine bytes.
pub fn number(r: &mut Reader<'_>) -> Result<u64, Short> {
    Ok(match r.u8()? {
        0xfc => r.u16_le()?.into(),
        0xfd => {
            let [a, b, c] = r.array()?;
            u32::from_le_bytes([a, b, c, 0]).into()
        }
        0xfe => r.u64_le()?,
        // Nothing, or an error.
        0xfb | 0xff => return Err(Short),
        small => small.into(),
    })
}

/// Bytes with such a number before them.
pub fn part<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let length = number(r)?;
    r.take(usize::try_from(length).map_err(|_| Short)?)
}

/// A name, if there is one.
pub fn name(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text::text(bytes, MAX_NAME_BYTES))
}

/// What an error says.
pub struct Error {
    /// Its number.
    pub code: String,
    /// Its class.
    pub state: Option<String>,
    /// The words.
    pub message: Option<String>,
}

/// Reads an error behind its first byte.
pub fn error(mut r: Reader<'_>) -> Option<Error> {
    let code = r.u16_le().ok()?.to_string();
    let state = r.rest().first() == Some(&b'#');
    let state = state.then(|| r.take(6).ok()).flatten().map(|state| text::text(state.get(1..).unwrap_or(&[]), 5));
    let message = (!r.is_empty()).then(|| text::text(r.rest(), MAX_ERROR_BYTES));
    Some(Error { code, state, message })
}

/// How a result ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ending {
    /// Rows that were changed.
    pub affected: Option<u64>,
    /// Another result follows.
    pub more: bool,
}

/// Another result follows.
const MORE_RESULTS: u16 = 8;

/// Reads what ends a result, its first byte included: the long form (OK) or the short one (EOF).
pub fn ending(payload: &[u8]) -> Ending {
    let mut r = Reader::new(payload.get(1..).unwrap_or(&[]));
    if payload.first() == Some(&0xfe) && payload.len() < 7 {
        let status = r.u16_le().and_then(|_| r.u16_le()).unwrap_or(0);
        return Ending { affected: None, more: status & MORE_RESULTS != 0 };
    }
    let affected = number(&mut r).ok();
    let status = number(&mut r).and_then(|_| r.u16_le()).unwrap_or(0);
    Ending { affected, more: status & MORE_RESULTS != 0 }
}

/// The statement behind the values that may stand before it (query attributes of MySQL 8); where they cannot be read,
/// nothing.
pub fn behind_attributes(payload: &[u8]) -> Result<&[u8], Short> {
    const MAX_ATTRIBUTES: u64 = 64;
    let mut r = Reader::new(payload);
    let count = number(&mut r)?;
    number(&mut r)?;
    if count == 0 {
        return Ok(r.rest());
    }
    if count > MAX_ATTRIBUTES {
        return Err(Short);
    }
    let count = usize::try_from(count).map_err(|_| Short)?;
    let nothing = r.take(count.div_ceil(8))?;
    if r.u8()? != 1 {
        return Err(Short);
    }
    let mut kinds = Vec::with_capacity(count);
    for _ in 0..count {
        kinds.push(r.u16_le()? & 0xff);
        part(&mut r)?;
    }
    for (place, kind) in kinds.into_iter().enumerate() {
        if nothing.get(place / 8).is_some_and(|bits| bits >> (place % 8) & 1 != 0) {
            continue;
        }
        match kind {
            6 => {}
            1 => r.skip(1)?,
            2 | 13 => r.skip(2)?,
            3 | 4 | 9 => r.skip(4)?,
            5 | 8 => r.skip(8)?,
            7 | 10..=12 => r.part8().map(|_| ())?,
            _ => part(&mut r).map(|_| ())?,
        }
    }
    Ok(r.rest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_before_a_statement_are_passed_over() {
        assert_eq!(behind_attributes(b"\0\x01SELECT 1"), Ok(&b"SELECT 1"[..]));
        let two = b"\x02\x01\x02\x01\x08\0\x01a\xfe\0\x01b\x07\0\0\0\0\0\0\0SELECT 2";
        assert_eq!(behind_attributes(two), Ok(&b"SELECT 2"[..]));
        assert_eq!(behind_attributes(b"\xfd\xff\xff\xff\x01"), Err(Short));
    }

    #[test]
    fn both_forms_of_an_ending_are_read() {
        assert_eq!(ending(b"\0\x07\0\x02\0\0\0"), Ending { affected: Some(7), more: false });
        assert_eq!(ending(b"\xfe\0\0\x0a\0"), Ending { affected: None, more: true });
        assert_eq!(ending(b"\0"), Ending::default());
    }
}
