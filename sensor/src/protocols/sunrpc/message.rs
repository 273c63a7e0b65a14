//! Calls and answers (RFC 5531 section 9), numbers and texts (XDR, RFC 4506).

use crate::protocols::framing::{Format, Length};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a message that are kept.
pub const MAX_MESSAGE_BYTES: usize = 16 << 10;
/// The longest record that is believed; servers take some millions of bytes.
const MAX_RECORD_BYTES: u32 = 1 << 26;
/// The longest proof of who asks, and the longest name of a computer.
const MAX_AUTH_BYTES: usize = 400;

/// How records are told apart (RFC 5531 section 11): the highest bit says that a message ends with it.
pub static FORMAT: Format = Format {
    length: |bytes| match bytes.first_chunk().map(|head| u32::from_be_bytes(*head) & 0x7fff_ffff) {
        None => Length::Unknown,
        Some(length) if length <= MAX_RECORD_BYTES => Length::Bytes(usize::try_from(length).unwrap_or(usize::MAX) + 4),
        Some(_) => Length::Broken,
    },
    begins: |bytes| begins(bytes).is_some(),
    limit_bytes: MAX_MESSAGE_BYTES,
};

/// What begins here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// A call of this program.
    Call(u32),
    /// An answer.
    Answer,
}

/// What begins here, as a datagram or as a record of a stream.
pub fn begins(bytes: &[u8]) -> Option<Beginning> {
    let record = bytes.first_chunk().map(|head| u32::from_be_bytes(*head));
    let framed = record.is_some_and(|head| head & 0x8000_0000 != 0 && head & 0x7fff_ffff <= MAX_RECORD_BYTES);
    let behind = bytes.get(4..).filter(|_| framed);
    behind.and_then(message).or_else(|| message(bytes))
}

fn message(bytes: &[u8]) -> Option<Beginning> {
    let mut r = Reader::new(bytes);
    let xid = r.u32().ok()?;
    match r.u32().ok()? {
        0 => {
            let (2, program, version, procedure) = (r.u32().ok()?, r.u32().ok()?, r.u32().ok()?, r.u32().ok()?) else {
                return None;
            };
            let known = (100_000..=100_500).contains(&program) || (300_000..=400_500).contains(&program);
            let rest = r.rest();
            let (flavour, length) = (r.u32().ok(), r.u32().ok());
            let proven = flavour.is_none_or(|flavour| flavour <= 7 || (300_000..=400_000).contains(&flavour))
                && length.is_none_or(|length| length <= MAX_AUTH_BYTES as u32);
            (known && version <= 8 && procedure <= 64 && proven && !rest.is_empty()).then_some(Beginning::Call(program))
        }
        1 if xid != 0 => {
            let (state, next) = (r.u32().ok()?, r.u32().ok()?);
            let accepted = state == 0 && (next <= 7) && r.u32().ok()? <= MAX_AUTH_BYTES as u32;
            (accepted || state == 1 && next <= 1).then_some(Beginning::Answer)
        }
        _ => None,
    }
}

/// Bytes with their length before them, filled up to a multiple of four.
pub fn opaque<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let length = usize::try_from(r.u32()?).map_err(|_| Short)?;
    let bytes = r.take(length)?;
    // What fills up may be missing at the end of a cut message.
    let _ = r.skip(length.next_multiple_of(4) - length);
    Ok(bytes)
}

/// A text, at most `limit` bytes of it.
pub fn string(r: &mut Reader<'_>, limit: usize) -> Result<String, Short> {
    Ok(text::text(opaque(r)?, limit))
}

/// A number of eight bytes.
pub fn u64(r: &mut Reader<'_>) -> Result<u64, Short> {
    Ok(u64::from(r.u32()?) << 32 | u64::from(r.u32()?))
}

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// How it says so.
    pub auth: Option<String>,
    /// Its computer.
    pub machine: Option<String>,
    /// Number of the user.
    pub user_id: Option<String>,
    /// Number of the group.
    pub group_id: Option<String>,
}

/// A call or an answer.
#[derive(Debug)]
pub enum Message<'a> {
    /// A call.
    Call {
        /// Joins it with its answer.
        xid: u32,
        /// Program, version, procedure.
        target: (u32, u32, u32),
        /// Who asks.
        caller: Caller,
        /// What is asked.
        content: Reader<'a>,
    },
    /// An answer.
    Answer {
        /// Joins it with its call.
        xid: u32,
        /// Whether the call was carried out, or why not.
        status: &'static str,
        /// What is answered.
        content: Reader<'a>,
    },
}

/// Reads a message.
pub fn read(bytes: &[u8]) -> Result<Message<'_>, Short> {
    let mut r = Reader::new(bytes);
    let (xid, kind) = (r.u32()?, r.u32()?);
    if kind == 0 {
        r.skip(4)?;
        let target = (r.u32()?, r.u32()?, r.u32()?);
        let caller = caller(&mut r)?;
        r.skip(4)?;
        opaque(&mut r)?;
        return Ok(Message::Call { xid, target, caller, content: r });
    }
    if kind != 1 {
        return Err(Short);
    }
    let status = if r.u32()? == 0 {
        r.skip(4)?;
        opaque(&mut r)?;
        match r.u32()? {
            0 => "success",
            1 => "program unavailable",
            2 => "version mismatch",
            3 => "procedure unavailable",
            4 => "garbage arguments",
            _ => "system error",
        }
    } else {
        match (r.u32()?, r.u32()?) {
            (0, _) => "rpc mismatch",
            (_, 1 | 2) => "bad credentials",
            (_, 3 | 4) => "bad verifier",
            (_, 5) => "too weak",
            _ => "denied",
        }
    };
    Ok(Message::Answer { xid, status, content: r })
}

fn caller(r: &mut Reader<'_>) -> Result<Caller, Short> {
    let flavour = r.u32()?;
    let mut body = Reader::new(opaque(r)?);
    let auth = Some(match flavour {
        0 => "none".to_owned(),
        1 => "sys".to_owned(),
        2 => "short".to_owned(),
        3 => "dh".to_owned(),
        6 => "gss".to_owned(),
        7 => "auth_tls".to_owned(),
        other => other.to_string(),
    });
    let mut caller = Caller { auth, ..Caller::default() };
    if flavour == 1 {
        // What cannot be read says nothing; the call itself is sound.
        let _ = computer(&mut caller, &mut body);
    }
    Ok(caller)
}

fn computer(caller: &mut Caller, r: &mut Reader<'_>) -> Result<(), Short> {
    r.skip(4)?;
    caller.machine = Some(string(r, MAX_AUTH_BYTES)?).filter(|name| !name.is_empty());
    caller.user_id = Some(r.u32()?.to_string());
    caller.group_id = Some(r.u32()?.to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_other_things() {
        let call = b"\x12\x34\x56\x78\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\0\0\x02\0\0\0\x03\0\0\0\0\0\0\0\0";
        assert_eq!(begins(call), Some(Beginning::Call(100_000)));
        assert_eq!(begins(&[&b"\x80\0\0\x38"[..], call].concat()), Some(Beginning::Call(100_000)));
        let mut other = *call;
        other[11] = 3;
        assert_eq!(begins(&other), None);
    }

    #[test]
    fn refusals_are_named() {
        let refused = b"\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x05";
        assert!(matches!(read(refused), Ok(Message::Answer { xid: 1, status: "too weak", .. })));
        assert!(read(&refused[..15]).is_err());
    }
}
