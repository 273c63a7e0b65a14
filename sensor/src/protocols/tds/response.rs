//! Responses (MS-TDS section 2.2.7): tokens one after the other. Rows cannot be passed over without knowing every type of
//! column, so what stands before the first row is read, and the end of the message.

use super::login::{token_of_windows, version};
use super::record::TdsRequest;
use crate::protocols::gss::Login;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Characters of a message's words that are told.
const MAX_WORDS: usize = 512;
/// Bytes of the token that ends a response since version 7.2.
pub const DONE_BYTES: usize = 13;
/// The same before: rows were counted in four bytes.
pub const OLD_DONE_BYTES: usize = 9;

/// Reads the tokens at the beginning of a response; the one that ends it has `done_bytes`.
pub fn beginning(record: &mut TdsRequest, bytes: &[u8], windows: &mut Login, done_bytes: usize) {
    let mut r = Reader::new(bytes);
    while token(record, &mut r, windows, done_bytes).is_ok() {}
}

/// One token; an error where the next one cannot be found.
fn token(record: &mut TdsRequest, r: &mut Reader<'_>, windows: &mut Login, done_bytes: usize) -> Result<(), Short> {
    let kind = r.u8()?;
    match kind {
        0xfd..=0xff => {
            done(record, r.take(done_bytes - 1)?);
            return Ok(());
        }
        // The result of a procedure.
        0x79 => return r.skip(4),
        // Errors, notices, changes, the end of a log-in, orders, tables, columns, values that come back, challenges.
        0xaa | 0xab | 0xe3 | 0xad | 0xa9 | 0xa4 | 0xa5 | 0xed => {}
        _ => return Err(Short),
    }
    let length = usize::from(r.u16_le()?);
    let mut body = Reader::new(r.take(length)?);
    // A token that does not fit its own format is passed over.
    let _ = match kind {
        0xaa | 0xab => message(record, &mut body, kind == 0xaa),
        0xe3 => change(record, &mut body),
        0xad => logged_in(record, &mut body),
        0xed => {
            token_of_windows(record, body.rest(), windows);
            Ok(())
        }
        _ => Ok(()),
    };
    Ok(())
}

fn message(record: &mut TdsRequest, r: &mut Reader<'_>, error: bool) -> Result<(), Short> {
    let number = r.u32_le()?;
    r.skip(2)?;
    let length = usize::from(r.u16_le()?) * 2;
    let words = text::utf16(r.rest().get(..length).unwrap_or(r.rest()), MAX_WORDS);
    if error {
        record.outcome = Some("failure");
        if record.error_code.is_none() {
            (record.error_code, record.error_message) = (Some(number.to_string()), Some(words));
        }
    } else {
        record.notice.get_or_insert(words);
    }
    Ok(())
}

/// What changed for the session: told is the database.
fn change(record: &mut TdsRequest, r: &mut Reader<'_>) -> Result<(), Short> {
    if r.u8()? == 1 {
        let length = usize::from(r.u8()?) * 2;
        record.database = Some(text::utf16(r.take(length)?, 128));
    }
    Ok(())
}

fn logged_in(record: &mut TdsRequest, r: &mut Reader<'_>) -> Result<(), Short> {
    r.skip(1)?;
    record.version = Some(version(r.u32()?));
    let length = usize::from(r.u8()?) * 2;
    let program = text::utf16(r.take(length)?, 128);
    record.server_program = Some(program.trim_end_matches("\\x00").to_owned());
    let [major, minor, high, low] = r.array()?;
    record.server_version = Some(format!("{major}.{minor}.{}", u16::from_be_bytes([high, low])));
    record.outcome = Some("success");
    Ok(())
}

/// The end of a statement: status, what it was, rows. `bytes` are those behind the token's kind.
pub fn done(record: &mut TdsRequest, bytes: &[u8]) {
    const ERROR: u16 = 0x0002;
    const COUNT: u16 = 0x0010;
    const ABANDONED: u16 = 0x0120;
    let mut r = Reader::new(bytes);
    let (Ok(status), Ok(_)) = (r.u16_le(), r.u16_le()) else { return };
    let Ok(rows) = (if bytes.len() < DONE_BYTES - 1 { r.u32_le().map(u64::from) } else { r.u64_le() }) else { return };
    if status & (ERROR | ABANDONED) != 0 {
        record.outcome = Some("failure");
    } else {
        record.outcome.get_or_insert("success");
    }
    if status & COUNT != 0 {
        record.rows = Some(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_log_in_is_read() {
        let mut token = b"\x18\x48\0\0\x01\x0e\x04\0".to_vec();
        token.extend("Sai!".encode_utf16().flat_map(u16::to_le_bytes));
        token.extend([0; 6]);
        let bytes = [&[0xaa, token.len() as u8, 0][..], &token, b"\xfd\x02\0\0\0\0\0\0\0\0\0\0\0"].concat();
        let mut record = TdsRequest::default();
        beginning(&mut record, &bytes, &mut Login::default(), DONE_BYTES);
        assert_eq!((record.error_code.as_deref(), record.error_message.as_deref()), (Some("18456"), Some("Sai!")));
        assert_eq!(record.outcome, Some("failure"));
    }
}
