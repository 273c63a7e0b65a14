//! Statements and calls (MS-TDS sections 2.2.6.6 and 2.2.6.7).

use super::record::TdsRequest;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::sql;
use crate::protocols::text;

/// Characters of a procedure's name that are told.
const MAX_NAME_CHARS: usize = 256;
/// Bytes of UTF-16 of a statement that are looked at.
const MAX_WIDE_BYTES: usize = 16 << 10;
/// Arguments of a call that are looked through for its statement.
const MAX_ARGUMENTS: usize = 8;

/// What may stand before a request since version 7.2: a length that counts itself, headers with lengths of their own.
fn headers(r: &mut Reader<'_>) {
    let mut ahead = *r;
    let (Ok(total), Ok(first), Ok(kind)) = (ahead.u32_le(), ahead.u32_le(), ahead.u16_le()) else { return };
    if (6..=1024).contains(&first) && first.saturating_add(4) <= total && total <= 4096 && (1..=3).contains(&kind) {
        let _ = r.skip(usize::try_from(total).unwrap_or(usize::MAX));
    }
}

/// Reads statements.
pub fn batch(record: &mut TdsRequest, bytes: &[u8]) {
    let mut r = Reader::new(bytes);
    headers(&mut r);
    set_statement(record, r.rest());
}

fn set_statement(record: &mut TdsRequest, wide: &[u8]) {
    let (units, _) = wide.get(..MAX_WIDE_BYTES).unwrap_or(wide).as_chunks::<2>();
    let words = char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)));
    let words: String = words.map(|word| word.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    let statement = sql::statement(words.as_bytes(), b"'\"");
    record.password_seen = statement.secret.then_some(true).or(record.password_seen);
    record.statement = Some(statement.text);
}

/// Procedures that have a number instead of a name.
fn procedure(number: u16) -> Option<&'static str> {
    const NAMES: [&str; 15] = [
        "sp_cursor",
        "sp_cursoropen",
        "sp_cursorprepare",
        "sp_cursorexecute",
        "sp_cursorprepexec",
        "sp_cursorunprepare",
        "sp_cursorfetch",
        "sp_cursoroption",
        "sp_cursorclose",
        "sp_executesql",
        "sp_prepare",
        "sp_execute",
        "sp_prepexec",
        "sp_prepexecrpc",
        "sp_unprepare",
    ];
    NAMES.get(usize::from(number).checked_sub(1)?).copied()
}

/// Reads a call; of procedures that take a statement also that.
pub fn call(record: &mut TdsRequest, bytes: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(bytes);
    headers(&mut r);
    let length = r.u16_le()?;
    let name = if length == 0xffff {
        let number = r.u16_le()?;
        procedure(number).map_or_else(|| number.to_string(), str::to_owned)
    } else {
        text::utf16(r.take(usize::from(length) * 2)?, MAX_NAME_CHARS)
    };
    // Which of the texts among the arguments is the statement.
    let place = match name.to_ascii_lowercase().as_str() {
        "sp_executesql" | "sp_cursoropen" => Some(0),
        "sp_prepare" | "sp_prepexec" | "sp_cursorprepare" | "sp_cursorprepexec" => Some(1),
        _ => None,
    };
    record.procedure = Some(name);
    r.skip(2)?;
    if let Some(place) = place
        && let Some(statement) = texts(&mut r).nth(place)
    {
        set_statement(record, statement);
    }
    Ok(())
}

/// The texts among the first arguments.
fn texts<'a>(r: &mut Reader<'a>) -> impl Iterator<Item = &'a [u8]> {
    let arguments = std::iter::from_fn(move || argument(r).ok());
    arguments.take(MAX_ARGUMENTS).flatten()
}

/// The next argument; its bytes if it is text. Of kinds that statements do not have none can be passed over.
fn argument<'a>(r: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Short> {
    let name = r.u8()?;
    r.skip(usize::from(name) * 2 + 1)?;
    match r.u8()? {
        // A number.
        0x26 => {
            r.skip(1)?;
            r.part8()?;
            Ok(None)
        }
        // Text of up to 8,000 bytes, or of any length in pieces of which the first has to do.
        0xe7 => {
            let limit = r.u16_le()?;
            r.skip(5)?;
            if limit == 0xffff {
                r.skip(8)?;
                let length = usize::try_from(r.u32_le()?).map_err(|_| Short)?;
                let piece = r.rest().get(..length).unwrap_or(r.rest());
                r.skip(piece.len())?;
                loop {
                    match r.u32_le().map(usize::try_from) {
                        Ok(Ok(0)) | Err(Short) => break,
                        Ok(more) => r.skip(more.unwrap_or(usize::MAX)).unwrap_or(()),
                    }
                }
                return Ok(Some(piece));
            }
            let length = usize::from(r.u16_le()?);
            let value = r.rest().get(..length).unwrap_or(r.rest());
            r.skip(value.len())?;
            Ok(Some(value))
        }
        // Long text of old programs.
        0x63 => {
            r.skip(9)?;
            let length = usize::try_from(r.u32_le()?).map_err(|_| Short)?;
            let value = r.rest().get(..length).unwrap_or(r.rest());
            r.skip(value.len())?;
            Ok(Some(value))
        }
        _ => Err(Short),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn statements_stand_behind_headers_or_alone() {
        let headers = b"\x16\0\0\0\x12\0\0\0\x02\0\0\0\0\0\0\0\0\0\x01\0\0\0";
        for before in [&headers[..], b""] {
            let mut record = TdsRequest::default();
            batch(&mut record, &[before, &wide("SELECT 'tỉnh'")].concat());
            assert_eq!(record.statement.as_deref(), Some("SELECT 'tỉnh'"));
        }
    }

    #[test]
    fn the_statement_of_a_call_is_found() {
        let statement = wide("SELECT @p");
        let length = (statement.len() as u16).to_le_bytes();
        let text = [&b"\0\0\xe7\x40\x1f\x09\x04\xd0\0\x34"[..], &length, &statement].concat();
        let mut record = TdsRequest::default();
        call(&mut record, &[&b"\xff\xff\x0a\0\0\0"[..], &text].concat()).unwrap();
        assert_eq!(record.procedure.as_deref(), Some("sp_executesql"));
        assert_eq!(record.statement.as_deref(), Some("SELECT @p"));
        let number = b"\0\x01\x26\x04\0";
        call(&mut record, &[&b"\xff\xff\x0d\0\0\0"[..], number, &text, &text].concat()).unwrap();
        assert_eq!(
            (record.procedure.as_deref(), record.statement.as_deref()),
            (Some("sp_prepexec"), Some("SELECT @p"))
        );
    }
}
