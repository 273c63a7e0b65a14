//! As much of the Basic Encoding Rules (X.690) as SNMP uses: short tags, definite lengths.

use std::net::Ipv4Addr;

use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Tag of an integer.
pub const INTEGER: u8 = 0x02;
/// Tag of a string of bytes.
pub const OCTETS: u8 = 0x04;
/// Tag of an object identifier.
pub const OBJECT_ID: u8 = 0x06;
/// Tag of a sequence.
pub const SEQUENCE: u8 = 0x30;
/// Tag of an address (RFC 2578 section 7.1.5).
pub const IP_ADDRESS: u8 = 0x40;

/// Numbers in an object identifier (RFC 2578 section 3.5).
const MAX_NUMBERS: usize = 128;
/// Bytes of a value that are shown.
const MAX_VALUE_BYTES: usize = 128;

/// Tag and content of the next element.
pub fn element<'a>(r: &mut Reader<'a>) -> Result<(u8, Reader<'a>), Short> {
    let tag = r.u8()?;
    let length = match r.u8()? {
        short @ 0..=0x7f => short.into(),
        long @ 0x81..=0x84 => {
            let bytes = r.take(usize::from(long & 0x7f))?;
            bytes.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte))
        }
        // Indefinite, or longer than any message.
        0x80 | 0x85.. => return Err(Short),
    };
    Ok((tag, Reader::new(r.take(length)?)))
}

/// The content of the next element, which must have this tag.
pub fn expect<'a>(r: &mut Reader<'a>, tag: u8) -> Result<Reader<'a>, Short> {
    match element(r)? {
        (found, content) if found == tag => Ok(content),
        _ => Err(Short),
    }
}

/// The next element as a number.
pub fn integer(r: &mut Reader<'_>) -> Result<i64, Short> {
    number(expect(r, INTEGER)?.rest())
}

/// A signed number of at most eight bytes.
fn number(bytes: &[u8]) -> Result<i64, Short> {
    let first = *bytes.first().ok_or(Short)?;
    if bytes.len() > 8 {
        return Err(Short);
    }
    let sign = if first & 0x80 != 0 { -1 } else { 0 };
    Ok(bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte)))
}

/// An unsigned number; a ninth byte may keep the sign away.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
    (bytes.len() <= 8).then(|| bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// An object identifier with dots.
pub fn object_id(bytes: &[u8]) -> Result<String, Short> {
    let mut out = String::new();
    let mut value = 0u64;
    let mut numbers = 0;
    for byte in bytes {
        value = value.checked_mul(128).ok_or(Short)? | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if numbers == 0 {
            // The first two numbers are written as one (X.690 section 8.19.4).
            let first = (value / 40).min(2);
            out = format!("{first}.{}", value - first * 40);
        } else {
            out.push('.');
            out.push_str(&value.to_string());
        }
        value = 0;
        numbers += 1;
        if numbers > MAX_NUMBERS {
            return Err(Short);
        }
    }
    let unfinished = bytes.last().is_none_or(|last| last & 0x80 != 0);
    if unfinished && !bytes.is_empty() { Err(Short) } else { Ok(out) }
}

/// A value as text (RFC 2578 section 7.1); what a device could not answer is named.
pub fn value_text(tag: u8, bytes: &[u8]) -> String {
    let readable = |b: &u8| *b == b'\t' || *b == b'\n' || *b == b'\r' || (*b >= 0x20 && *b != 0x7f);
    let known = match tag {
        INTEGER => number(bytes).ok().map(|value| value.to_string()),
        OCTETS if bytes.iter().all(readable) && std::str::from_utf8(bytes).is_ok() => {
            Some(text::text(bytes, MAX_VALUE_BYTES))
        }
        OBJECT_ID => object_id(bytes).ok(),
        IP_ADDRESS => bytes.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).to_string()),
        // Counters, gauges and times.
        0x41 | 0x42 | 0x43 | 0x46 => unsigned(bytes).map(|value| value.to_string()),
        0x05 => Some(String::new()),
        0x80 => Some("noSuchObject".to_owned()),
        0x81 => Some("noSuchInstance".to_owned()),
        0x82 => Some("endOfMibView".to_owned()),
        _ => None,
    };
    known.unwrap_or_else(|| text::hex(bytes, MAX_VALUE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_numbers_are_read() {
        assert_eq!(object_id(&[0x2b, 6, 1, 4, 1, 0x82, 0x37]).unwrap(), "1.3.6.1.4.1.311");
        assert_eq!(object_id(&[1]).unwrap(), "0.1");
        assert_eq!(object_id(&[0x88, 0x37]).unwrap(), "2.999");
        assert_eq!(object_id(&[]).unwrap(), "");
        assert_eq!(object_id(&[0x2b, 0x82]), Err(Short));
        assert_eq!(object_id(&[0xff; 12]), Err(Short));
        assert_eq!((number(&[0xff]), number(&[0, 0x80]), number(&[0; 9])), (Ok(-1), Ok(128), Err(Short)));
        assert_eq!(value_text(0x42, &[0, 0xff, 0xff, 0xff, 0xff]), "4294967295");
        assert_eq!(value_text(OCTETS, &[0xff, 1]), "ff01");
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert!(element(&mut Reader::new(&[4, 3, 1, 2])).is_err());
        assert!(element(&mut Reader::new(&[4, 0x80, 0, 0])).is_err());
        assert!(element(&mut Reader::new(&[4, 0x84, 0xff, 0xff, 0xff, 0xff])).is_err());
        let (tag, content) = element(&mut Reader::new(&[4, 0x81, 1, 7])).unwrap();
        assert_eq!((tag, content.rest()), (4, &[7][..]));
    }
}
