//! Elements of ASN.1 in the basic encoding rules (X.690), as far as directories and Kerberos use them: tags of one byte,
//! lengths of at most four bytes that are said beforehand.

use super::framing::Length;
use super::reader::{Reader, Short};

/// Tag of a boolean.
pub const BOOLEAN: u8 = 0x01;
/// Tag of an integer.
pub const INTEGER: u8 = 0x02;
/// Tag of a string of bytes.
pub const OCTET_STRING: u8 = 0x04;
/// Tag of an enumerated value.
pub const ENUMERATED: u8 = 0x0a;
/// Tag of a sequence.
pub const SEQUENCE: u8 = 0x30;
/// Tag of a set.
pub const SET: u8 = 0x31;

/// One element: its first byte and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// Class, form and number in one byte.
    pub tag: u8,
    /// What it holds.
    pub content: &'a [u8],
}

impl<'a> Element<'a> {
    /// A cursor over what it holds.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }

    /// The elements that it holds, as far as they can be read.
    pub fn items(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        items(self.content)
    }

    /// The element inside an explicit tag.
    pub fn inner(&self) -> Result<Element<'a>, Short> {
        element(&mut self.reader())
    }

    /// An integer that fits.
    pub fn integer(&self) -> Option<i64> {
        let (first, rest) = self.content.split_first()?;
        if rest.len() > 7 {
            return None;
        }
        let start = i64::from(i8::from_be_bytes([*first]));
        Some(rest.iter().fold(start, |value, byte| (value << 8) | i64::from(*byte)))
    }
}

/// The next element.
pub fn element<'a>(r: &mut Reader<'a>) -> Result<Element<'a>, Short> {
    let (tag, length) = head(r)?;
    Ok(Element { tag, content: r.take(length)? })
}

/// The next element; of one that is cut, as much as is there.
pub fn clipped<'a>(r: &mut Reader<'a>) -> Result<Element<'a>, Short> {
    let (tag, length) = head(r)?;
    let length = length.min(r.rest().len());
    Ok(Element { tag, content: r.take(length)? })
}

/// The next element, if it has this tag.
pub fn expect<'a>(r: &mut Reader<'a>, tag: u8) -> Result<Element<'a>, Short> {
    element(r).and_then(|element| if element.tag == tag { Ok(element) } else { Err(Short) })
}

/// The elements that stand in these bytes one after the other, as far as they can be read.
pub fn items(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut r = Reader::new(bytes);
    std::iter::from_fn(move || element(&mut r).ok())
}

/// Tag and length of what begins here.
pub fn head(r: &mut Reader<'_>) -> Result<(u8, usize), Short> {
    let tag = r.u8()?;
    let first = r.u8()?;
    // Tags of several bytes, and lengths that are not said beforehand, are not used by what is read here.
    if tag & 0x1f == 0x1f || first == 0x80 || first > 0x84 {
        return Err(Short);
    }
    if first < 0x80 {
        return Ok((tag, first.into()));
    }
    let length = r.take(usize::from(first & 0x7f))?.iter().fold(0u32, |length, byte| (length << 8) | u32::from(*byte));
    Ok((tag, usize::try_from(length).map_err(|_| Short)?))
}

/// The length of the whole element that begins here, for cutting a stream into elements with this tag.
pub fn length(bytes: &[u8], tag: u8) -> Length {
    let mut r = Reader::new(bytes);
    match head(&mut r) {
        Ok((found, length)) if found == tag => Length::Bytes(r.position().saturating_add(length)),
        Ok(_) => Length::Broken,
        // The longest head has six bytes.
        Err(Short) if bytes.len() < 6 && bytes.first().is_none_or(|first| *first == tag) => match bytes.get(1) {
            Some(0x80 | 0x85..) => Length::Broken,
            _ => Length::Unknown,
        },
        Err(Short) => Length::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_bounded() {
        let all: Vec<_> = items(b"\x02\x01\xff\x04\x81\x02ab\x30\x84\xff\xff\xff\xff").collect();
        assert_eq!((all.len(), all[0].integer(), all[1].content), (2, Some(-1), &b"ab"[..]));
        assert_eq!(Element { tag: INTEGER, content: &[1, 0] }.integer(), Some(256));
        assert_eq!(length(b"\x30\x82\x01", SEQUENCE), Length::Unknown);
        assert_eq!(length(b"\x30\x82\x01\x00", SEQUENCE), Length::Bytes(260));
        assert_eq!(length(b"\x30\x80", SEQUENCE), Length::Broken);
        assert_eq!(length(b"\x31", SEQUENCE), Length::Broken);
    }
}
