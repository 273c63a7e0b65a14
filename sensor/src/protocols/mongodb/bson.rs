//! Documents (BSON, bsonspec.org): elements of a kind, a name and a value.

use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Documents within documents that are followed.
const MAX_DEPTH: u8 = 6;
/// Bytes of a name that are told.
const MAX_NAME_BYTES: usize = 128;

/// A value as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Text.
    Text(&'a [u8]),
    /// Bytes.
    Binary(&'a [u8]),
    /// A document or a list.
    Document(&'a [u8]),
    /// A number, a truth value as 0 or 1.
    Number(f64),
    /// Anything else.
    Other,
}

/// The elements of a document; a cut one gives those that are whole.
pub fn elements(document: &[u8]) -> impl Iterator<Item = (&[u8], Value<'_>)> {
    let mut r = Reader::new(document.get(4..).unwrap_or(&[]));
    std::iter::from_fn(move || element(&mut r).ok().flatten())
}

fn element<'a>(r: &mut Reader<'a>) -> Result<Option<(&'a [u8], Value<'a>)>, Short> {
    let kind = r.u8()?;
    if kind == 0 {
        return Ok(None);
    }
    let name = word(r)?;
    let value = match kind {
        1 => Value::Number(f64::from_bits(r.u64_le()?)),
        2 | 13 | 14 => {
            let length = usize::try_from(r.u32_le()?).map_err(|_| Short)?;
            let bytes = r.take(length)?;
            Value::Text(bytes.strip_suffix(&[0]).unwrap_or(bytes))
        }
        3 | 4 | 15 => {
            let mut ahead = *r;
            let length = usize::try_from(ahead.u32_le()?).map_err(|_| Short)?.max(5);
            // The last one of a cut document is told as far as it goes.
            let bytes = r.rest().get(..length).unwrap_or(r.rest());
            r.skip(bytes.len())?;
            if kind == 15 { Value::Other } else { Value::Document(bytes) }
        }
        5 => {
            let length = usize::try_from(r.u32_le()?).map_err(|_| Short)?;
            r.skip(1)?;
            Value::Binary(r.take(length)?)
        }
        8 => Value::Number(r.u8()?.into()),
        16 => Value::Number(i32::from_le_bytes(r.array()?).into()),
        18 => Value::Number(i64::from_le_bytes(r.array()?) as f64),
        7 => other(r, 12)?,
        9 | 17 => other(r, 8)?,
        19 => other(r, 16)?,
        6 | 10 | 0x7f | 0xff => Value::Other,
        11 => {
            word(r)?;
            word(r)?;
            Value::Other
        }
        12 => {
            let length = usize::try_from(r.u32_le()?).map_err(|_| Short)?;
            r.skip(length)?;
            other(r, 12)?
        }
        _ => return Err(Short),
    };
    Ok(Some((name, value)))
}

fn other<'a>(r: &mut Reader<'_>, bytes: usize) -> Result<Value<'a>, Short> {
    r.skip(bytes)?;
    Ok(Value::Other)
}

/// A text that ends with zero.
pub fn word<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    let end = r.rest().iter().position(|byte| *byte == 0).ok_or(Short)?;
    let bytes = r.take(end)?;
    r.skip(1)?;
    Ok(bytes)
}

/// The value of a name in a document.
pub fn get<'a>(document: &'a [u8], name: &str) -> Option<Value<'a>> {
    elements(document).find(|(it, _)| *it == name.as_bytes()).map(|(_, value)| value)
}

/// The text of a name in a document, at most `limit` bytes of it.
pub fn string(document: &[u8], name: &str, limit: usize) -> Option<String> {
    match get(document, name)? {
        Value::Text(bytes) if !bytes.is_empty() => Some(text::text(bytes, limit)),
        _ => None,
    }
}

/// The document under a name in a document.
pub fn inner<'a>(document: &'a [u8], name: &str) -> Option<&'a [u8]> {
    match get(document, name)? {
        Value::Document(inner) => Some(inner),
        _ => None,
    }
}

/// Names in a document and in those within it, each once, at most `limit` of them; places in lists are no names.
pub fn names(document: &[u8], limit: usize) -> Vec<String> {
    let mut found = Vec::new();
    collect(document, limit, 0, &mut found);
    found
}

fn collect(document: &[u8], limit: usize, depth: u8, found: &mut Vec<String>) {
    for (name, value) in elements(document) {
        if found.len() >= limit {
            return;
        }
        let place = !name.is_empty() && name.iter().all(u8::is_ascii_digit);
        let shown = text::text(name, MAX_NAME_BYTES);
        if !place && !found.contains(&shown) {
            found.push(shown);
        }
        if let (Value::Document(inner), true) = (value, depth < MAX_DEPTH) {
            collect(inner, limit, depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_at_every_depth() {
        let inner = b"\x14\0\0\0\x02$where\0\x03\0\0\0a1\0\0";
        let document = [&b"\x2a\0\0\0\x10find\0\x01\0\0\0\x03filter\0"[..], inner, b"\0"].concat();
        assert_eq!(names(&document, 8), ["find", "filter", "$where"]);
        assert_eq!(names(&document, 2).len(), 2);
        assert_eq!(string(inner, "$where", 8).as_deref(), Some("a1"));
        assert_eq!(get(&document[..20], "find"), Some(Value::Number(1.0)));
    }
}
