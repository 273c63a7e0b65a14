//! Packets: a length, a kind, what they say; and descriptions, which are names and values in brackets.

use crate::protocols::framing::{Format, Length};
use crate::protocols::reader::{Reader, Short};

/// Bytes of a packet that are kept.
pub const MAX_PACKET_BYTES: usize = 8 << 10;
/// Brackets within brackets that are followed.
const MAX_DEPTH: usize = 8;

/// Kinds of packet.
pub mod kind {
    /// A client's wish.
    pub const CONNECT: u8 = 1;
    /// Granted.
    pub const ACCEPT: u8 = 2;
    /// Not granted.
    pub const REFUSE: u8 = 4;
    /// To be had elsewhere.
    pub const REDIRECT: u8 = 5;
    /// More of what another packet began.
    pub const DATA: u8 = 6;
    /// The client is to say it again.
    pub const RESEND: u8 = 11;
}

/// How packets are told apart.
pub static FORMAT: Format = Format {
    length,
    begins: |bytes| begins_connect(bytes) == Some(true) || is_answer(bytes),
    limit_bytes: MAX_PACKET_BYTES,
};

fn length(bytes: &[u8]) -> Length {
    match *bytes {
        [high, low, _, _, kind, ..] if kind <= 19 => match usize::from(u16::from_be_bytes([high, low])) {
            length if length >= 8 => Length::Bytes(length),
            _ => Length::Broken,
        },
        [_, _, _, _, _, ..] => Length::Broken,
        _ => Length::Unknown,
    }
}

/// Whether a client's wish begins here; nothing while that cannot be told.
pub fn begins_connect(bytes: &[u8]) -> Option<bool> {
    let [high, low, 0, 0, kind::CONNECT, _, 0, 0, rest @ ..] = bytes else { return Some(false) };
    let length = u16::from_be_bytes([*high, *low]);
    let mut r = Reader::new(rest);
    let (Ok(version), Ok(oldest), Ok(()), Ok(said), Ok(place)) = (r.u16(), r.u16(), r.skip(12), r.u16(), r.u16())
    else {
        return if (34..=4096).contains(&length) { None } else { Some(false) };
    };
    let fits = (34..=4096).contains(&length) && (26..=128).contains(&place) && said <= 4096 && place <= length;
    Some(fits && (256..=400).contains(&version) && oldest <= version)
}

/// Whether a listener's whole answer stands here.
pub fn is_answer(bytes: &[u8]) -> bool {
    let [high, low, 0, 0, kind, _, 0, 0, ..] = *bytes else { return false };
    let whole = usize::from(u16::from_be_bytes([high, low])) <= bytes.len();
    whole && matches!(kind, kind::ACCEPT | kind::REFUSE | kind::REDIRECT | kind::RESEND)
}

/// A client's wish: its version, and as much of the description as stands in the packet; the rest follows.
pub struct Connect<'a> {
    /// Version of the protocol.
    pub version: u16,
    /// Bytes of the whole description.
    pub length: usize,
    /// What there is of it.
    pub description: &'a [u8],
}

/// Reads a client's wish, its header included.
pub fn connect(bytes: &[u8]) -> Result<Connect<'_>, Short> {
    let mut r = Reader::new(bytes);
    r.skip(8)?;
    let version = r.u16()?;
    r.skip(14)?;
    let (length, place) = (usize::from(r.u16()?), usize::from(r.u16()?));
    let rest = bytes.get(place..).unwrap_or(&[]);
    Ok(Connect { version, length, description: rest.get(..length).unwrap_or(rest) })
}

/// The words of a refusal or redirection, and the bytes that they have; they may follow in another packet.
pub fn words(bytes: &[u8], kind: u8) -> Result<(&[u8], usize), Short> {
    let mut r = Reader::new(bytes);
    r.skip(if kind == kind::REFUSE { 10 } else { 8 })?;
    let length = usize::from(r.u16()?);
    Ok((r.rest().get(..length).unwrap_or(r.rest()), length))
}

/// What is said in brackets: gives each name with what it stands in and its value, as far as brackets can be followed.
pub fn pairs<'a>(description: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8], &'a [u8])) {
    let mut within: Vec<&[u8]> = Vec::new();
    let mut rest = description;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'(' | b')')) {
        let (bracket, after) = (rest.get(at).copied(), rest.get(at + 1..).unwrap_or(&[]));
        rest = after;
        if bracket == Some(b')') {
            within.pop();
            continue;
        }
        let Some(equals) = after.iter().position(|byte| matches!(byte, b'=' | b'(' | b')')) else { return };
        if after.get(equals) != Some(&b'=') || within.len() >= MAX_DEPTH {
            return;
        }
        let name = after.get(..equals).unwrap_or(&[]).trim_ascii();
        rest = after.get(equals + 1..).unwrap_or(&[]);
        let end = rest.iter().position(|byte| matches!(byte, b'(' | b')')).unwrap_or(rest.len());
        let value = rest.get(..end).unwrap_or(rest).trim_ascii();
        let outer = within.last().copied().unwrap_or(&[]);
        within.push(name);
        if !value.is_empty() {
            each(outer, name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_followed_inwards() {
        let mut found = Vec::new();
        let text = b"(DESCRIPTION=(CONNECT_DATA=(SID=dan)(CID=(HOST=may1)(USER=an)))(ADDRESS=(PORT=1521)))";
        pairs(text, |outer, name, value| found.push((outer, name, value)));
        assert_eq!(found[0], (&b"CONNECT_DATA"[..], &b"SID"[..], &b"dan"[..]));
        assert_eq!(found[2], (&b"CID"[..], &b"USER"[..], &b"an"[..]));
        assert_eq!(found[3], (&b"ADDRESS"[..], &b"PORT"[..], &b"1521"[..]));
    }

    #[test]
    fn wishes_are_told_from_other_things() {
        let wish = b"\0\x3a\0\0\x01\0\0\0\x01\x3c\x01\x2c\0\0\x20\0\xff\xff\x7f\x08\0\0\x01\0\0\x20\0\x3a";
        assert_eq!(begins_connect(wish), Some(true));
        assert_eq!((begins_connect(&wish[..12]), begins_connect(b"\0\x3a\0\0\x06\0\0\0")), (None, Some(false)));
    }
}
