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

/// The text of UTF-16 in little-endian order, at most `limit` characters of it; half a pair becomes `\\uNNNN`.
pub fn utf16(bytes: &[u8], limit: usize) -> String {
    let (units, _) = bytes.as_chunks::<2>();
    let mut chars = char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)));
    let mut out = String::new();
    for c in chars.by_ref().take(limit) {
        match c {
            Ok(c) => push_chars(&mut out, c.encode_utf8(&mut [0; 4])),
            Err(half) => out.push_str(&format!("\\u{:04x}", half.unpaired_surrogate())),
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// A UUID whose first three numbers are in little-endian order, as DCE RPC and its relatives write them.
pub fn uuid(bytes: &[u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let first = hex::encode([d, c, b, a].map(|byte| *byte));
    let (end, node) = rest.split_at(2);
    format!("{first}-{}-{}-{}-{}", hex::encode([*f, *e]), hex::encode([*h, *g]), hex::encode(end), hex::encode(node))
}

/// Appends the text of `bytes`.
pub fn push(out: &mut String, bytes: &[u8]) {
    if is_plain(bytes) {
        out.push_str(std::str::from_utf8(bytes).unwrap_or_default());
        return;
    }
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        if is_plain(valid.as_bytes()) {
            out.push_str(valid);
        } else {
            push_chars(out, valid);
        }
        for byte in chunk.invalid() {
            push_hex(out, *byte);
        }
    }
}

/// Nothing but letters, digits and signs of ASCII: compared in blocks, of which the compiler takes all bytes at once.
fn is_plain(bytes: &[u8]) -> bool {
    let plain = |b: &u8| (0x20..0x7f).contains(b);
    let (blocks, rest) = bytes.as_chunks::<16>();
    blocks.iter().all(|block| block.iter().fold(true, |all, b| all & plain(b))) && rest.iter().all(plain)
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

/// A hardware address as ECS writes it (RFC 7042): upper case, hyphens.
pub fn mac(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join("-")
}

/// The first `limit` bytes in hexadecimal; what was cut is marked by `…`.
pub fn hex(bytes: &[u8], limit: usize) -> String {
    match bytes.get(..limit) {
        Some(kept) if bytes.len() > limit => format!("{}…", digits(kept)),
        _ => digits(bytes),
    }
}

/// The hexadecimal digits of all bytes: what [`hex`](::hex) gives, at a fraction of the cost of its characters one by one.
pub fn digits(bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2];
    // Room for two digits a byte is there.
    let _ = ::hex::encode_to_slice(bytes, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_bytes_are_written_in_one_way() {
        assert_eq!(mac(&[0, 0, 0x5e, 0, 0x53, 0xaf]), "00-00-5E-00-53-AF");
        assert_eq!((hex(&[1, 0xab], 2), hex(&[1, 2, 3], 2)), ("01ab".into(), "0102…".into()));
    }

    #[test]
    fn strange_bytes_are_shown_not_lost() {
        assert_eq!(text("tỉnh\n\u{7f}".as_bytes(), 100), "tỉnh\\x0a\\x7f");
        assert_eq!(text(b"a\xff\xfeb", 100), "a\\xff\\xfeb");
        assert_eq!(text(b"abcdef", 3), "abc…");
        assert_eq!(utf16(b"a\0\xc9\x1e\0\0\x3d\xd8b\0", 100), "aỉ\\x00\\ud83db");
        assert_eq!(utf16(b"a\0b\0c\0", 2), "ab…");
    }

    #[test]
    fn uuids_are_written_as_everybody_writes_them() {
        let bytes = hex::decode("0883afe11f5dc91191a408002b14a0fa").unwrap();
        assert_eq!(uuid(bytes.as_slice().try_into().unwrap()), "e1af8308-5d1f-11c9-91a4-08002b14a0fa");
    }
}
