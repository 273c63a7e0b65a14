//! Messages (PostgreSQL documentation, "Frontend/Backend Protocol"): a kind, a length, what it says. The first ones of a
//! client have no kind; the answer to its wish for encryption is a single byte.

use crate::protocols::framing::{Format, Length};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a message that are kept.
pub const MAX_MESSAGE_BYTES: usize = 16 << 10;
/// The longest message that is believed (a field can have 2^30 bytes).
const MAX_LENGTH: u32 = 1 << 30;
/// The longest first message that a server takes.
const MAX_STARTUP_BYTES: usize = 10_000;
/// Bytes of a name that are told.
pub const MAX_NAME_BYTES: usize = 256;
/// Bytes of an error's words that are told.
const MAX_ERROR_BYTES: usize = 512;

/// What a first message of a client can be instead of a log-in.
pub const CANCEL: u32 = 80_877_102;
/// A wish for TLS.
pub const SSL: u32 = 80_877_103;
/// A wish for encryption by GSS-API.
pub const GSS: u32 = 80_877_104;

/// What begins a literal in a statement; what stands in double quotes is a name.
pub const QUOTES: &[u8] = b"'$\\";

/// Kinds that clients send.
const FROM_CLIENT: &[u8] = b"BCDEFHPQSXcdfp";
/// Kinds that servers send.
const FROM_SERVER: &[u8] = b"123ACDEGHIKNRSTVWZcdntsv";

/// A client's messages until the server is content with them.
pub static STARTUP: Format = Format { length: startup_length, begins: begins_session, limit_bytes: MAX_MESSAGE_BYTES };
/// A client's messages.
pub static CLIENT: Format = Format {
    length: |bytes| typed_length(bytes, FROM_CLIENT),
    begins: fills_with_requests,
    limit_bytes: MAX_MESSAGE_BYTES,
};
/// A server's messages.
pub static SERVER: Format = Format {
    length: |bytes| typed_length(bytes, FROM_SERVER),
    begins: fills_with_answers,
    limit_bytes: MAX_MESSAGE_BYTES,
};
/// The server's answer to a wish for encryption: one byte, or an error of servers that do not know it.
pub static ANSWER: Format = Format {
    length: |bytes| match bytes.first() {
        Some(b'S' | b'N' | b'G') => Length::Bytes(1),
        _ => typed_length(bytes, FROM_SERVER),
    },
    begins: fills_with_answers,
    limit_bytes: MAX_MESSAGE_BYTES,
};
/// The first bytes of a server whose client was not seen: such an answer is not followed by a length.
pub static FIRST: Format = Format {
    length: |bytes| match *bytes {
        [] | [_] => Length::Unknown,
        [b'S' | b'N' | b'G', next, ..] if next != 0 => Length::Bytes(1),
        _ => typed_length(bytes, FROM_SERVER),
    },
    begins: fills_with_answers,
    limit_bytes: MAX_MESSAGE_BYTES,
};

fn typed_length(bytes: &[u8], kinds: &[u8]) -> Length {
    let mut r = Reader::new(bytes);
    match (r.u8(), r.u32()) {
        (Ok(kind), Ok(length)) if kinds.contains(&kind) && (4..=MAX_LENGTH).contains(&length) => {
            Length::Bytes(usize::try_from(length).unwrap_or(usize::MAX).saturating_add(1))
        }
        (Ok(kind), Err(_)) if kinds.contains(&kind) => Length::Unknown,
        (Err(_), _) => Length::Unknown,
        _ => Length::Broken,
    }
}

/// The lengths of first messages begin with zero, and no kind does: a connection that was under way has kinds.
fn startup_length(bytes: &[u8]) -> Length {
    if bytes.first().is_some_and(|first| *first != 0) {
        return typed_length(bytes, FROM_CLIENT);
    }
    match Reader::new(bytes).u32().map(usize::try_from) {
        Ok(Ok(length)) if (8..=MAX_STARTUP_BYTES).contains(&length) => Length::Bytes(length),
        Ok(_) => Length::Broken,
        Err(Short) => Length::Unknown,
    }
}

/// Whether a client's first message begins here.
pub fn begins_session(bytes: &[u8]) -> bool {
    let mut r = Reader::new(bytes);
    let (Ok(length), Ok(code)) = (r.u32(), r.u32()) else { return false };
    match code {
        SSL | GSS => length == 8,
        CANCEL => length == 16,
        0x0003_0000..=0x0003_00ff => {
            let parameters = r.rest().iter().take_while(|byte| **byte >= 0x20).count();
            let named =
                r.rest().get(..5).is_some_and(|first| first.iter().all(u8::is_ascii_graphic) || first == b"user\0");
            (13..=MAX_STARTUP_BYTES as u32).contains(&length) && parameters >= 4 && named
        }
        _ => false,
    }
}

/// Whether all of this is a first message by its length, and of a kind that nobody knows.
pub fn begins_oddly(bytes: &[u8]) -> bool {
    let mut r = Reader::new(bytes);
    match (r.u32().map(usize::try_from), r.u32()) {
        (Ok(Ok(length)), Ok(_)) => length == bytes.len() && length <= MAX_STARTUP_BYTES && !begins_session(bytes),
        _ => false,
    }
}

/// Whether a server's first words stand here: a demand for proof, or an error, perhaps behind refused encryption.
pub fn begins_answer(bytes: &[u8]) -> bool {
    let refused = bytes.iter().take(2).take_while(|byte| **byte == b'N').count();
    let mut r = Reader::new(bytes.get(refused..).unwrap_or(&[]));
    let (Ok(kind), Ok(length)) = (r.u8(), r.u32()) else { return false };
    let rest = r.rest();
    match (kind, length) {
        (b'R', 8) => matches!(rest.get(..4), Some([0, 0, 0, 0 | 2 | 3 | 7 | 9])),
        (b'R', 12) => rest.starts_with(&[0, 0, 0, 5]),
        (b'R', 13..=512) => rest.starts_with(b"\0\0\0\x0aSCRAM-SHA"),
        (b'E', 20..=4096) => rest.starts_with(b"SFATAL\0") || rest.starts_with(b"SERROR\0"),
        _ => false,
    }
}

/// Whether whole messages of a server fill these bytes, the last of which says that it is ready.
pub fn fills_with_answers(bytes: &[u8]) -> bool {
    let ready = bytes.strip_suffix(b"I").or(bytes.strip_suffix(b"T")).or(bytes.strip_suffix(b"E"));
    let ready = ready.is_some_and(|bytes| bytes.ends_with(b"Z\0\0\0\x05"));
    ready && fills(bytes, FROM_SERVER)
}

/// Whether whole messages of a client fill these bytes, one of which says something or waits for an answer.
pub fn fills_with_requests(bytes: &[u8]) -> bool {
    let telling = match bytes.first() {
        Some(b'Q') => bytes.get(5).is_some_and(|first| first.is_ascii_graphic()) && bytes.ends_with(&[0]),
        Some(b'P' | b'B') => bytes.ends_with(b"S\0\0\0\x04") || bytes.ends_with(b"H\0\0\0\x04"),
        _ => false,
    };
    telling && fills(bytes, FROM_CLIENT)
}

fn fills(bytes: &[u8], kinds: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Length::Bytes(length) = typed_length(rest, kinds) else { return false };
        let Some(after) = rest.get(length..) else { return false };
        rest = after;
    }
    true
}

/// A text that ends with a zero; a cut message's last one ends with it.
pub fn string<'a>(r: &mut Reader<'a>) -> &'a [u8] {
    let rest = r.rest();
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let _ = r.skip((end + 1).min(rest.len()));
    rest.get(..end).unwrap_or(rest)
}

/// A name, if there is one.
pub fn name(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text::text(bytes, MAX_NAME_BYTES))
}

/// What an error says: its number and words.
pub struct Error {
    /// SQLSTATE.
    pub code: Option<String>,
    /// The words.
    pub message: Option<String>,
}

/// Reads an error: fields of a kind and a text.
pub fn error(body: &[u8]) -> Error {
    let mut r = Reader::new(body);
    let mut error = Error { code: None, message: None };
    while let Ok(kind) = r.u8() {
        if kind == 0 {
            break;
        }
        let value = string(&mut r);
        match kind {
            b'C' => error.code = Some(text::text(value, 16)),
            b'M' => error.message = Some(text::text(value, MAX_ERROR_BYTES)),
            _ => {}
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_from_other_things() {
        assert!(begins_session(b"\0\0\0\x08\x04\xd2\x16\x2f"));
        assert!(begins_session(b"\0\0\0\x21\0\x03\0\0user\0an\0database\0dan\0\0"));
        assert!(!begins_session(b"\0\0\0\x21\0\x04\0\0user\0an\0"));
        assert!(begins_answer(b"R\0\0\0\x08\0\0\0\0") && begins_answer(b"NR\0\0\0\x0c\0\0\0\x05salt"));
        assert!(!begins_answer(b"R\0\0\0\x08\0\0\0\x0c") && !begins_answer(b"RFB 003."));
        assert!(fills_with_answers(b"C\0\0\0\x0aBEGIN\0Z\0\0\0\x05T"));
        assert!(!fills_with_answers(b"C\0\0\0\x0bBEGIN\0Z\0\0\0\x05T"));
        assert!(fills_with_requests(b"Q\0\0\0\x0aBEGIN\0") && !fills_with_requests(b"QUIT\r\n"));
    }
}
