//! Base64 as attackers write it: decoded as far as it goes.

/// Decodes until the padding or the first byte that does not belong there; with `skipping` such bytes are passed over
/// (RFC 2045 section 6.8), without it they end it (RFC 4648 section 3.3).
pub fn decode(bytes: &[u8], skipping: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    let (mut gathered, mut digits) = (0u32, 0u8);
    for byte in bytes {
        let Some(digit) = digit(*byte) else {
            if *byte != b'=' && skipping {
                continue;
            }
            break;
        };
        gathered = gathered << 6 | u32::from(digit);
        digits += 1;
        if digits == 4 {
            let [_, a, b, c] = gathered.to_be_bytes();
            out.extend([a, b, c]);
            (gathered, digits) = (0, 0);
        }
    }
    match digits {
        2 => out.extend(gathered.checked_shr(4).map(|bits| bits.to_be_bytes()[3])),
        3 => {
            let [_, _, a, b] = (gathered >> 2).to_be_bytes();
            out.extend([a, b]);
        }
        _ => {}
    }
    out
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn whole_and_broken_text() {
        for (text, whole) in [
            (&b"YWJj"[..], &b"abc"[..]),
            (b"YWI=", b"ab"),
            (b"YQ==", b"a"),
            (b"YQ", b"a"),
            (b"YWJjZ", b"abc"),
            (b"YW\r\nJj", b"a"),
            (b"!", b""),
        ] {
            assert_eq!(decode(text, false), whole, "{text:?}");
        }
        assert_eq!(decode(b"YW\r\nJj", true), b"abc");
    }
}
