//! What is done to a buffer before it is looked into.

use std::borrow::Cow;
use std::io::Read as _;

use md5::Digest as _;

use super::base64;
use super::domain;
use super::language::Reason;
use super::regex::{Flags, Pattern};

/// The most bytes that unpacking makes of a buffer.
const UNPACKED_MAX_BYTES: u64 = 1 << 20;

/// One change.
#[expect(missing_docs, reason = "fields are named as what they hold")]
#[derive(Debug, Clone)]
pub enum Transform {
    /// A dot is put in front, so that a rule can ask for a name and all names below it.
    DotPrefix,
    /// Its MD5 digest.
    Md5,
    /// Its SHA-1 digest.
    Sha1,
    /// Its SHA-256 digest.
    Sha256,
    /// Percent signs and pluses undone.
    UrlDecode,
    /// Exclusive or with a key, again and again.
    Xor(Vec<u8>),
    /// Base64 undone, from an offset, so many bytes.
    Base64 { offset: usize, bytes: Option<usize>, skipping: bool },
    /// Every run of blanks becomes one.
    CompressWhitespace,
    /// Blanks are taken out.
    StripWhitespace,
    /// Names of header lines in lower case.
    HeaderLowercase,
    /// All in lower case.
    Lowercase,
    /// All in upper case.
    Uppercase,
    /// Lines that begin with a colon are taken out.
    StripPseudoHeaders,
    /// What the first parentheses of an expression hold.
    Expression(std::sync::Arc<Pattern>, String),
    /// What somebody registered of a domain name.
    Domain,
    /// The effective top level of a domain name.
    TopLevel,
    /// Unpacked from gzip, at most so many bytes.
    Gunzip(u64),
    /// Unpacked from zlib, at most so many bytes.
    Zlib(u64),
}

impl PartialEq for Transform {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Transform::Expression(_, a), Transform::Expression(_, b)) => a == b,
            _ => format!("{self:?}") == format!("{other:?}"),
        }
    }
}

/// Reads a keyword that changes buffers; nothing where it is another keyword.
pub fn parse(keyword: &str, value: Option<&str>) -> Option<Result<Transform, Reason>> {
    let value = value.unwrap_or("");
    Some(Ok(match keyword {
        "dotprefix" => Transform::DotPrefix,
        "to_md5" => Transform::Md5,
        "to_sha1" => Transform::Sha1,
        "to_sha256" => Transform::Sha256,
        "url_decode" => Transform::UrlDecode,
        "compress_whitespace" => Transform::CompressWhitespace,
        "strip_whitespace" => Transform::StripWhitespace,
        "header_lowercase" => Transform::HeaderLowercase,
        "to_lowercase" => Transform::Lowercase,
        "to_uppercase" => Transform::Uppercase,
        "strip_pseudo_headers" => Transform::StripPseudoHeaders,
        "domain" => Transform::Domain,
        "tld" => Transform::TopLevel,
        "xor" => return Some(xor(value)),
        "from_base64" => return Some(from_base64(value)),
        "pcrexform" => return Some(expression(value)),
        "gunzip" => return Some(unpacked(value).map(Transform::Gunzip)),
        "zlib_deflate" => return Some(unpacked(value).map(Transform::Zlib)),
        _ => return None,
    }))
}

/// A part of a domain name; all of it where it has none.
fn part_of_name<'b>(bytes: Cow<'b, [u8]>, part: impl Fn(domain::Parts<'_>) -> Option<&str>) -> Cow<'b, [u8]> {
    let found = std::str::from_utf8(&bytes).ok().and_then(|name| part(domain::split(name)));
    match found.map(|found| found.as_bytes().to_vec()) {
        Some(found) => Cow::Owned(found),
        None => bytes,
    }
}

fn xor(value: &str) -> Result<Transform, Reason> {
    let key = hex::decode(value.trim().trim_matches('"').replace(' ', "")).map_err(|_| "the key is not hexadecimal")?;
    if key.is_empty() { Err("the key is empty".into()) } else { Ok(Transform::Xor(key)) }
}

fn from_base64(value: &str) -> Result<Transform, Reason> {
    let (mut offset, mut bytes, mut skipping) = (0, None, false);
    for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, number) = part.split_once(' ').unwrap_or((part, ""));
        let number = number.trim();
        let parsed = || number.parse::<usize>().map_err(|_| format!("{number} is no number"));
        match name {
            "offset" => offset = parsed()?,
            "bytes" => bytes = Some(parsed()?),
            "mode" => skipping = number.eq_ignore_ascii_case("rfc2045"),
            other => return Err(format!("{other} is unknown")),
        }
    }
    Ok(Transform::Base64 { offset, bytes, skipping })
}

fn expression(value: &str) -> Result<Transform, Reason> {
    let text = value.trim().trim_matches('"').replace("\\\\", "\\");
    let pattern = Pattern::new(&text, Flags::default())?;
    Ok(Transform::Expression(std::sync::Arc::new(pattern), text))
}

fn unpacked(value: &str) -> Result<u64, Reason> {
    match value.trim().strip_prefix("max-size") {
        None if value.trim().is_empty() => Ok(1024),
        Some(number) => {
            let number = super::language::number(number).ok_or_else(|| format!("{number} is no size"))?;
            Ok(number.min(UNPACKED_MAX_BYTES))
        }
        None => Err(format!("{value} is unknown")),
    }
}

impl Transform {
    /// Makes the change.
    pub fn apply<'b>(&self, bytes: Cow<'b, [u8]>) -> Cow<'b, [u8]> {
        match self {
            Transform::DotPrefix => Cow::Owned([b".", bytes.as_ref()].concat()),
            Transform::Md5 => Cow::Owned(md5::Md5::digest(&bytes).to_vec()),
            Transform::Sha1 => Cow::Owned(sha1::Sha1::digest(&bytes).to_vec()),
            Transform::Sha256 => Cow::Owned(sha2::Sha256::digest(&bytes).to_vec()),
            Transform::UrlDecode => Cow::Owned(url_decoded(&bytes)),
            Transform::Xor(key) => Cow::Owned(bytes.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect()),
            Transform::Base64 { offset, bytes: most, skipping } => {
                let part = bytes.get(*offset..).unwrap_or(&[]);
                let part = most.and_then(|most| part.get(..most)).unwrap_or(part);
                Cow::Owned(base64::decode(part, *skipping))
            }
            Transform::CompressWhitespace => {
                let mut blank = false;
                let kept = bytes.iter().filter(|byte| {
                    let before = std::mem::replace(&mut blank, is_blank(**byte));
                    !(before && blank)
                });
                Cow::Owned(kept.copied().collect())
            }
            Transform::StripWhitespace => Cow::Owned(bytes.iter().filter(|byte| !is_blank(**byte)).copied().collect()),
            Transform::HeaderLowercase => Cow::Owned(lines(&bytes, |line| {
                let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
                let (name, rest) = line.split_at(colon);
                Some([name.to_ascii_lowercase().as_slice(), rest].concat())
            })),
            Transform::Lowercase => Cow::Owned(bytes.to_ascii_lowercase()),
            Transform::Uppercase => Cow::Owned(bytes.to_ascii_uppercase()),
            Transform::StripPseudoHeaders => {
                Cow::Owned(lines(&bytes, |line| (!line.starts_with(b":")).then(|| line.to_vec())))
            }
            Transform::Expression(pattern, _) => match pattern.first_group(&bytes) {
                Some(group) => Cow::Owned(group.to_vec()),
                None => bytes,
            },
            Transform::Domain => part_of_name(bytes, |parts| parts.registered),
            Transform::TopLevel => part_of_name(bytes, |parts| parts.top_level),
            Transform::Gunzip(most) => Cow::Owned(unpack(flate2::read::MultiGzDecoder::new(bytes.as_ref()), *most)),
            Transform::Zlib(most) => Cow::Owned(unpack(flate2::read::ZlibDecoder::new(bytes.as_ref()), *most)),
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

fn unpack(from: impl std::io::Read, most: u64) -> Vec<u8> {
    let mut out = Vec::new();
    // What could be unpacked before an error counts.
    let _ = from.take(most).read_to_end(&mut out);
    out
}

fn lines(bytes: &[u8], change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
    bytes.split_inclusive(|byte| *byte == b'\n').filter_map(change).flatten().collect()
}

/// Undoes percent signs and pluses; what is no escape stays.
pub fn url_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        match (first, after) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, behind @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    out.push(u8::try_from(high * 16 + low).unwrap_or(0));
                    rest = behind;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(keyword: &str, value: &str, bytes: &[u8]) -> Vec<u8> {
        let transform = parse(keyword, Some(value)).unwrap().unwrap();
        transform.apply(Cow::Borrowed(bytes)).into_owned()
    }

    #[test]
    fn each_change_does_what_its_name_says() {
        assert_eq!(changed("dotprefix", "", b"a.example"), b".a.example");
        assert_eq!(changed("url_decode", "", b"a%20b+%zz%4"), b"a b %zz%4");
        assert_eq!(changed("xor", "\"0102\"", b"abc"), [0x60, 0x60, 0x62]);
        assert_eq!(changed("from_base64", "offset 1, bytes 4", b"xYWJjZGVm"), b"abc");
        assert_eq!(changed("compress_whitespace", "", b"a \r\n b"), b"a b");
        assert_eq!(changed("strip_whitespace", "", b"a \r\n b"), b"ab");
        assert_eq!(changed("header_lowercase", "", b"Host: A\r\nX-Y: B"), b"host: A\r\nx-y: B");
        assert_eq!(changed("strip_pseudo_headers", "", b":path: /\r\nhost: a\r\n"), b"host: a\r\n");
        assert_eq!(changed("pcrexform", "\"/(\\\\w+)\"", b"GET /dropper.php"), b"dropper");
        assert_eq!(hex::encode(changed("to_md5", "", b"")), "d41d8cd98f00b204e9800998ecf8427e");
        assert!(parse("xor", Some("zz")).unwrap().is_err() && parse("nocase", None).is_none());
    }
}
