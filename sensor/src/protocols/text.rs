//! Bytes of a stranger as text that is safe to show: valid UTF-8 stays, everything else and control characters become
//! `\xNN`. Bounded by the caller's limit.

/// The text of `bytes`, at most `limit` bytes of them; what was cut is marked by `…`.
pub fn text(bytes: &[u8], limit: usize) -> String {
    let kept = bytes.get(..limit).unwrap_or(bytes);
    let mut out = String::with_capacity(kept.len() + 3);
    push(&mut out, kept);
    if kept.len() < bytes.len() {
        out.push('…');
    }
    out
}

/// Appends the text of `bytes`.
pub fn push(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        if valid.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            out.push_str(valid);
        } else {
            push_chars(out, valid);
        }
        for byte in chunk.invalid() {
            push_hex(out, *byte);
        }
    }
}

fn push_chars(out: &mut String, valid: &str) {
    for c in valid.chars() {
        match u8::try_from(c) {
            Ok(b) if b < 0x20 || b == 0x7f => push_hex(out, b),
            _ => out.push(c),
        }
    }
}

fn push_hex(out: &mut String, byte: u8) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.push_str("\\x");
    for nibble in [byte >> 4, byte & 0xf] {
        out.push(DIGITS.get(usize::from(nibble)).copied().unwrap_or('?'));
    }
}

/// Shannon entropy in bits a byte, rounded to hundredths so that it reads and compares well.
pub fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = bytes.len() as f64;
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum();
    // Adding nothing turns a negative zero into an ordinary one.
    (bits * 100.0).round() / 100.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strange_bytes_are_shown_not_lost() {
        assert_eq!(text("tỉnh\n\u{7f}".as_bytes(), 100), "tỉnh\\x0a\\x7f");
        assert_eq!(text(b"a\xff\xfeb", 100), "a\\xff\\xfeb");
        assert_eq!(text(b"abcdef", 3), "abc…");
    }
}
