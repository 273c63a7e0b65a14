//! Text of a head that is not ASCII: encoded words (RFC 2047), parameters with a character set (RFC 2231), bare bytes.

use base64::Engine as _;
use encoding_rs::Encoding;

use super::super::http::head::parameter;
use crate::protocols::text;

/// Pieces of a parameter that are put together.
const MAX_PIECES: usize = 32;

/// The text of a field's value, at most `limit` bytes of it.
pub fn decoded(value: &[u8], limit: usize) -> String {
    let mut out = String::new();
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = find(rest, b"=?") {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        let Some((word, next)) = encoded_word(from) else {
            let (mark, next) = from.split_at_checked(2).unwrap_or((from, &[]));
            out.push_str(&plain(before));
            out.push_str(&plain(mark));
            (rest, after_word) = (next, false);
            continue;
        };
        // Blanks between two encoded words are not part of the text (RFC 2047 section 6.2).
        if !(after_word && before.trim_ascii().is_empty()) {
            out.push_str(&plain(before));
        }
        out.push_str(&word);
        (rest, after_word) = (next, true);
    }
    out.push_str(&plain(rest));
    text::text(out.as_bytes(), limit)
}

/// A parameter in whatever way it is written: with a character set, in pieces, in encoded words.
pub fn parameter_text(value: &[u8], name: &str, limit: usize) -> Option<String> {
    if let Some(whole) = parameter(value, &format!("{name}*")) {
        let (charset, bytes) = with_charset(&whole);
        return Some(text::text(in_charset(&charset, &bytes).as_bytes(), limit));
    }
    if let Some(whole) = parameter(value, name) {
        return Some(decoded(&whole, limit));
    }
    let (mut charset, mut bytes) = (Vec::new(), Vec::new());
    for number in 0..MAX_PIECES {
        if let Some(piece) = parameter(value, &format!("{name}*{number}")) {
            bytes.extend(piece);
        } else if let Some(piece) = parameter(value, &format!("{name}*{number}*")) {
            if number == 0 {
                let (named, first) = with_charset(&piece);
                (charset, bytes) = (named, first);
            } else {
                bytes.extend(percent_decoded(&piece));
            }
        } else {
            break;
        }
    }
    (!bytes.is_empty()).then(|| text::text(in_charset(&charset, &bytes).as_bytes(), limit))
}

/// `charset'language'percent-encoded` (RFC 2231 section 4).
fn with_charset(value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut parts = value.splitn(3, |b| *b == b'\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_), Some(rest)) => (charset.to_vec(), percent_decoded(rest)),
        _ => (Vec::new(), percent_decoded(value)),
    }
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *first == b'%');
        match pair.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = after.get(2..).unwrap_or(&[]);
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// `=?charset?B or Q?text?=` and what follows it.
fn encoded_word(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut parts = bytes.get(2..)?.splitn(4, |b| *b == b'?');
    let (charset, coding, coded) = (parts.next()?, parts.next()?, parts.next()?);
    let next = parts.next()?.strip_prefix(b"=")?;
    // A language may stand behind the character set (RFC 2231 section 5).
    let charset = charset.split(|b| *b == b'*').next()?;
    let content = match coding {
        b"B" | b"b" => base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(coded.iter().copied().filter(|b| *b != b'=' && !b.is_ascii_whitespace()).collect::<Vec<u8>>())
            .ok()?,
        b"Q" | b"q" => q_decoded(coded),
        _ => return None,
    };
    Some((in_charset(charset, &content), next))
}

/// The Q encoding: quoted-printable with underscores for blanks.
fn q_decoded(coded: &[u8]) -> Vec<u8> {
    let percent: Vec<u8> = coded
        .iter()
        .map(|b| match b {
            b'=' => b'%',
            b'_' => b' ',
            other => *other,
        })
        .collect();
    if coded.contains(&b'%') {
        // A percent sign of the text must not be taken for one of ours.
        let escaped: Vec<u8> = coded.iter().flat_map(|b| if *b == b'%' { b"=25".to_vec() } else { vec![*b] }).collect();
        return q_decoded(&escaped);
    }
    percent_decoded(&percent)
}

/// Bytes as text of a character set (WHATWG Encoding); those of one that nobody knows are shown as they are.
fn in_charset(charset: &[u8], bytes: &[u8]) -> String {
    match Encoding::for_label(charset) {
        Some(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        None => plain(bytes),
    }
}

fn plain(bytes: &[u8]) -> String {
    let mut out = String::new();
    text::push(&mut out, bytes);
    out
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_become_text() {
        let shown = |value: &str| decoded(value.as_bytes(), 200);
        assert_eq!(shown("=?utf-8?B?VGjDtG5nIGLDoW8=?="), "Thông báo");
        assert_eq!(shown("=?UTF-8?Q?T=E1=BB=89nh_A?= =?utf-8?q?_50%?= x"), "Tỉnh A 50% x");
        assert_eq!(shown("Re: =?iso-8859-1*en?Q?caf=E9?= (b)"), "Re: café (b)");
        assert_eq!(shown("=?windows-1258?Q?=D0=F4ng?="), "Đông");
        assert_eq!(shown("1 =? 2 =?x?y?z?="), "1 =? 2 =?x?y?z?=");
        assert_eq!(shown("Công văn"), "Công văn");
    }

    #[test]
    fn parameters_in_every_way() {
        let name = |value: &str| parameter_text(value.as_bytes(), "filename", 200);
        assert_eq!(name("a; filename*=UTF-8''b%C3%A1o%20c%C3%A1o.doc").as_deref(), Some("báo cáo.doc"));
        assert_eq!(name("a; filename*0=\"mot\"; filename*1=hai.zip").as_deref(), Some("mothai.zip"));
        assert_eq!(name("a; filename*0*=utf-8''m%E1%BB%99t; filename*1*=%20hai").as_deref(), Some("một hai"));
        assert_eq!(name("a; filename=\"=?utf-8?B?xJHhu5Np?=.pdf\"").as_deref(), Some("đồi.pdf"));
        assert_eq!(name("a; name=x"), None);
    }
}
