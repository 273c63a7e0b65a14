//! Fingerprints of hellos: JA3 and JA3S (Salesforce, BSD licence), JA4 of the client (FoxIO, BSD licence).

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::hello::{ClientHello, ServerHello};
use crate::protocols::text;

/// Values that clients sprinkle in to keep servers honest (GREASE, RFC 8701); no fingerprint counts them.
fn grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// MD5 over version, suites, extensions, groups and point formats.
pub fn ja3(hello: &ClientHello) -> String {
    md5_hex(&ja3_text(hello))
}

/// What JA3 is the digest of.
pub fn ja3_text(hello: &ClientHello) -> String {
    let points: Vec<u16> = hello.point_formats.iter().map(|&p| p.into()).collect();
    format!(
        "{},{},{},{},{}",
        hello.version,
        decimal(&hello.ciphers),
        decimal(&hello.extensions),
        decimal(&hello.groups),
        decimal(&points)
    )
}

/// MD5 over version, suite and extensions of the server.
pub fn ja3s(hello: &ServerHello) -> String {
    md5_hex(&ja3s_text(hello))
}

/// What JA3S is the digest of.
pub fn ja3s_text(hello: &ServerHello) -> String {
    format!("{},{},{}", hello.legacy_version, hello.cipher, decimal(&hello.extensions))
}

fn decimal(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len() * 6);
    for value in values.iter().filter(|&&v| !grease(v)) {
        if !text.is_empty() {
            text.push('-');
        }
        text.push_str(itoa::Buffer::new().format(*value));
    }
    text
}

fn md5_hex(text: &str) -> String {
    text::digits(&Md5::digest(text.as_bytes()))
}

/// JA4 over TCP (`t`), QUIC (`q`) or datagrams (`d`): version, whether a name is asked for, counts, ALPN; then digests of sorted suites and extensions.
pub fn ja4(hello: &ClientHello, transport: char) -> String {
    // Over datagrams numbers grow smaller with newer versions.
    let newest = |v: &u16| if *v >= 0xfe00 { u16::MAX - *v } else { *v };
    let version = hello.versions.iter().copied().filter(|&v| spoken(v)).max_by_key(newest).unwrap_or(hello.version);
    let version = match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfefc => "d3",
        0xfefd => "d2",
        0xfeff => "d1",
        _ => "00",
    };
    let name = if hello.extensions.contains(&0) { 'd' } else { 'i' };
    let ciphers = words(&hello.ciphers, |_| true, true);
    let extensions = hello.extensions.iter().filter(|&&e| !grease(e)).count().min(99);
    let mut second = hex_list(&words(&hello.extensions, |e| e != 0x0000 && e != 0x0010, true));
    let signatures = hex_list(&words(&hello.signatures, |_| true, false));
    // The description leaves the underscore out when there are no signature algorithms; the fingerprints that were
    // published for such (old) clients, and other sensors, have it. Agreement is what a fingerprint is for.
    if !second.is_empty() {
        second.push('_');
        second.push_str(&signatures);
    }
    format!(
        "{transport}{version}{name}{:02}{extensions:02}{}_{}_{}",
        ciphers.len().min(99),
        alpn_mark(hello),
        short_digest(&hex_list(&ciphers)),
        short_digest(&second)
    )
}

/// Versions that count: those that were released (those over datagrams among them), and the drafts of TLS 1.3 that were
/// spoken on the Internet, which have larger numbers and no mark of their own.
fn spoken(version: u16) -> bool {
    matches!(version, 0x0300..=0x0304 | 0x7f10..=0x7f1c | 0xfefc | 0xfefd | 0xfeff)
}

/// First and last character of the first protocol offered; their hexadecimal digits when they are no letters or digits.
fn alpn_mark(hello: &ClientHello) -> String {
    let Some((first, last)) = hello.alpn.first().and_then(|name| Some((*name.first()?, *name.last()?))) else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return format!("{}{}", char::from(first), char::from(last));
    }
    format!("{:x}{:x}", first >> 4, last & 0xf)
}

fn words(values: &[u16], wanted: impl Fn(u16) -> bool, sorted: bool) -> Vec<u16> {
    let mut kept: Vec<u16> = values.iter().copied().filter(|&v| !grease(v) && wanted(v)).collect();
    if sorted {
        kept.sort_unstable();
    }
    kept
}

/// Four digits each, with commas between them.
fn hex_list(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len() * 5);
    for value in values {
        if !text.is_empty() {
            text.push(',');
        }
        let digits = [12, 8, 4, 0].map(|shift| char::from_digit(u32::from(value >> shift & 0xf), 16));
        text.extend(digits.into_iter().flatten());
    }
    text
}

fn short_digest(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    let mut digest = text::digits(&Sha256::digest(text.as_bytes()));
    digest.truncate(12);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of JA4's technical description.
    #[test]
    fn ja4_is_the_descriptions() {
        let hello = ClientHello {
            version: 0x0303,
            ciphers: vec![
                0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
                0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x3a3a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
                0xff01, 0x000b, 0x000a, 0x0015,
            ],
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            versions: vec![0x0a0a, 0x0304, 0x0303],
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ..ClientHello::default()
        };
        assert_eq!(ja4(&hello, 't'), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    /// The example in JA3's own description.
    #[test]
    fn ja3_is_the_descriptions() {
        let hello = ClientHello {
            version: 769,
            ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![0, 10, 11],
            groups: vec![23, 24, 25],
            point_formats: vec![0],
            ..ClientHello::default()
        };
        assert_eq!(ja3(&hello), "ada70206e40642a3e4461f35503241d5");
    }
}
