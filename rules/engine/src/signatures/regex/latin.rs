//! Bytes as text: each byte is the character of the same number (Latin-1), so that an engine for text can look into them.

use std::cell::RefCell;

#[derive(Default)]
struct Latest {
    bytes: Vec<u8>,
    text: String,
}

thread_local! {
    /// What was shown last: one buffer is asked many times.
    static LATEST: RefCell<Latest> = RefCell::default();
}

/// Shows bytes as text.
pub fn with_text<T>(bytes: &[u8], look: impl FnOnce(&str) -> T) -> T {
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(|_| bytes.is_ascii()) {
        return look(text);
    }
    LATEST.with_borrow_mut(|latest| {
        if latest.bytes != bytes {
            latest.bytes.clear();
            latest.bytes.extend_from_slice(bytes);
            latest.text.clear();
            latest.text.extend(bytes.iter().map(|byte| char::from(*byte)));
        }
        look(&latest.text)
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
            with_text(bytes, |text| {
                assert_eq!(text.chars().count(), bytes.len());
                for at in 0..=bytes.len() {
                    let there = in_text(bytes, at).unwrap();
                    assert!(text.is_char_boundary(there));
                    assert_eq!(in_bytes(text, there), Some(at));
                }
            });
        }
        assert_eq!(in_text(b"ab", 3), None);
    }
}
