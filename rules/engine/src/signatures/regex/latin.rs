//! Bytes as text: each byte is the character of the same number (Latin-1), so that an engine for text can look into them.

use std::cell::RefCell;
use std::ops::Range;

/// More is not kept as text.
const WHOLE_MAX_BYTES: usize = 256 << 10;

#[derive(Default)]
struct Latest {
    bytes: Vec<u8>,
    text: String,
}

thread_local! {
    /// What was shown last: one buffer is asked many times.
    static LATEST: RefCell<Latest> = RefCell::default();
}

/// Shows a part of some bytes as text.
pub fn with_text<T>(whole: &[u8], part: Range<usize>, look: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let bytes = whole.get(part.clone())?;
    if bytes.is_ascii() {
        return look(std::str::from_utf8(bytes).ok()?);
    }
    // Of what is very long only the part is made text.
    let (whole, part) = if whole.len() > WHOLE_MAX_BYTES { (bytes, 0..bytes.len()) } else { (whole, part) };
    LATEST.with_borrow_mut(|latest| {
        if latest.bytes != whole {
            latest.bytes.clear();
            latest.bytes.extend_from_slice(whole);
            latest.text.clear();
            latest.text.extend(whole.iter().map(|byte| char::from(*byte)));
        }
        look(latest.text.get(in_text(whole, part.start)?..in_text(whole, part.end)?)?)
    })
}

/// Where a place among the bytes is in the text: bytes above 127 are two there.
pub fn in_text(bytes: &[u8], at: usize) -> Option<usize> {
    Some(at + bytes.get(..at)?.iter().filter(|byte| **byte > 0x7f).count())
}

/// Where a place in the text is among the bytes.
pub fn in_bytes(text: &str, at: usize) -> Option<usize> {
    Some(at - text.as_bytes().get(..at)?.iter().filter(|byte| **byte & 0xc0 == 0x80).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_before_and_after() {
        for bytes in [&b"plain"[..], b"\xe9a\xff\x80b", b""] {
            let held = with_text(bytes, 0..bytes.len(), |text| {
                assert_eq!(text.chars().count(), bytes.len());
                for at in 0..=bytes.len() {
                    let there = in_text(bytes, at).unwrap();
                    assert!(text.is_char_boundary(there));
                    assert_eq!(in_bytes(text, there), Some(at));
                }
                Some(())
            });
            assert!(held.is_some());
        }
        assert_eq!(with_text(b"\xe9a\xff\x80b", 1..4, |text| Some(text.to_owned())).as_deref(), Some("a\u{ff}\u{80}"));
        assert_eq!(in_text(b"ab", 3), None);
    }
}
