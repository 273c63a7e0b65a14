//! Bytes as text: each byte is the character of the same number (Latin-1), so that an engine for text can look into them.

use std::cell::RefCell;
use std::ops::Range;

/// More is not kept as text.
const WHOLE_MAX_BYTES: usize = 256 << 10;

/// Every so many bytes it is kept how many of those before are two bytes of the text.
const MARK_BYTES: usize = 256;

/// Bytes with what an engine for text sees of them.
#[derive(Default)]
struct Latest {
    bytes: Vec<u8>,
    text: String,
    /// How many of the bytes before each [`MARK_BYTES`] are above 127.
    wide: Vec<usize>,
}

/// A part of some bytes as text.
pub struct Shown<'s> {
    /// The text.
    pub text: &'s str,
    /// What places are counted in; nothing where each byte is one of the text.
    within: Option<(&'s Latest, usize)>,
}

thread_local! {
    /// What was shown last: one buffer is asked many times.
    static LATEST: RefCell<Latest> = RefCell::default();
}

/// Shows a part of some bytes as text.
pub fn with_text<T>(whole: &[u8], part: Range<usize>, look: impl FnOnce(Shown<'_>) -> Option<T>) -> Option<T> {
    let bytes = whole.get(part.clone())?;
    if bytes.is_ascii() {
        return look(Shown { text: std::str::from_utf8(bytes).ok()?, within: None });
    }
    // Of what is very long only the part is made text.
    let (whole, part) = if whole.len() > WHOLE_MAX_BYTES { (bytes, 0..bytes.len()) } else { (whole, part) };
    LATEST.with_borrow_mut(|latest| {
        if latest.bytes != whole {
            latest.read(whole);
        }
        let text = latest.text.get(latest.in_text(part.start)?..latest.in_text(part.end)?)?;
        look(Shown { text, within: Some((latest, part.start)) })
    })
}

impl Latest {
    fn read(&mut self, whole: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(whole);
        self.text.clear();
        self.text.extend(whole.iter().map(|byte| char::from(*byte)));
        self.wide.clear();
        let mut wide = 0;
        for part in whole.chunks(MARK_BYTES) {
            self.wide.push(wide);
            wide += above(part);
        }
    }

    fn in_text(&self, at: usize) -> Option<usize> {
        // The place behind the last byte may have no mark of its own.
        let mark = (at / MARK_BYTES).min(self.wide.len().saturating_sub(1));
        let wide = self.wide.get(mark)? + above(self.bytes.get(mark * MARK_BYTES..at)?);
        Some(at + wide)
    }
}

fn above(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte > 0x7f).count()
}

impl Shown<'_> {
    /// Where a place among the bytes is in the text: bytes above 127 are two there.
    pub fn in_text(&self, at: usize) -> Option<usize> {
        let Some((latest, begin)) = self.within else { return Some(at).filter(|at| *at <= self.text.len()) };
        latest.in_text(begin + at)?.checked_sub(latest.in_text(begin)?)
    }

    /// Where a place in the text is among the bytes.
    pub fn in_bytes(&self, at: usize) -> Option<usize> {
        let Some((latest, begin)) = self.within else { return Some(at) };
        let at = at + latest.in_text(begin)?;
        // The last mark before the place, then byte by byte.
        let mark = latest.wide.iter().zip(0..).map(|(wide, number)| number * MARK_BYTES + wide);
        let mark = mark.take_while(|place| *place <= at).count().checked_sub(1)?;
        let from = mark * MARK_BYTES + latest.wide.get(mark)?;
        let behind = latest.text.as_bytes().get(from..at)?;
        let continued = behind.iter().filter(|byte| **byte & 0xc0 == 0x80).count();
        (mark * MARK_BYTES + behind.len() - continued).checked_sub(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_before_and_after() {
        let long: Vec<u8> = (0..=255u8).cycle().take(3 * MARK_BYTES).collect();
        for bytes in [&b"plain"[..], b"\xe9a\xff\x80b", b"", &long] {
            for begin in [0, bytes.len() / 2] {
                let held = with_text(bytes, begin..bytes.len(), |shown| {
                    let part: Vec<u8> = shown.text.chars().map(|c| c as u8).collect();
                    assert_eq!(part, bytes[begin..]);
                    for at in 0..=part.len() {
                        let there = shown.in_text(at).unwrap();
                        assert!(shown.text.is_char_boundary(there));
                        assert_eq!(shown.in_bytes(there), Some(at));
                    }
                    assert_eq!(shown.in_text(part.len() + 1), None);
                    Some(())
                });
                assert!(held.is_some());
            }
        }
    }
}
