//! The names of TLS numbers. Suites, groups and alerts are those of rustls, which follow IANA.

use rustls::{AlertDescription, CipherSuite, NamedGroup};

use super::dtls;

/// Version number (`1.2`) and protocol (`tls`) of a version on the wire.
pub fn version(number: u16) -> (String, &'static str) {
    match number {
        0x0002 => ("2.0".into(), "ssl"),
        0x0300 => ("3.0".into(), "ssl"),
        0x0301 => ("1.0".into(), "tls"),
        0x0302 => ("1.1".into(), "tls"),
        0x0303 => ("1.2".into(), "tls"),
        0x0304 => ("1.3".into(), "tls"),
        // Drafts of TLS 1.3 that were spoken on the Internet, and Facebook's.
        0x7f00..=0x7fff => (format!("1.3-draft{}", number & 0xff), "tls"),
        0xfb00..=0xfbff => (format!("1.3-draft{}-fb", number & 0xff), "tls"),
        0xfeff | 0x0100 => ("1.0".into(), dtls::PROTOCOL.name),
        0xfefd => ("1.2".into(), dtls::PROTOCOL.name),
        0xfefc => ("1.3".into(), dtls::PROTOCOL.name),
        other => (format!("0x{other:04x}"), "tls"),
    }
}

/// IANA name of a cipher suite, or its number.
pub fn cipher(number: u16) -> String {
    match CipherSuite::from(number).as_str() {
        // rustls marks the suites of TLS 1.3; IANA does not.
        Some(name) => name.replacen("TLS13_", "TLS_", 1),
        None => format!("0x{number:04x}"),
    }
}

/// Name of a group of the key exchange.
pub fn group(number: u16) -> String {
    NamedGroup::from(number).as_str().map_or_else(|| format!("0x{number:04x}"), str::to_owned)
}

/// How grave an alert is (RFC 8446 section 6).
pub fn alert_level(number: u8) -> &'static str {
    match number {
        1 => "warning",
        2 => "fatal",
        _ => "unknown",
    }
}

/// Name of an alert in words of RFC 8446: `handshake_failure`.
pub fn alert(number: u8) -> String {
    let Some(name) = AlertDescription::from(number).as_str() else { return number.to_string() };
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = '_';
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        // A capital begins a word, unless it stands in the middle of an abbreviation (CA, PSK).
        let begins = !before.is_ascii_uppercase() || rest.clone().next().is_some_and(|next| next.is_ascii_lowercase());
        if c.is_ascii_uppercase() && begins && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        before = c;
    }
    // rustls spells it the British way.
    out.replace("unrecognised", "unrecognized")
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_those_of_the_standards() {
        assert_eq!(super::cipher(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(super::cipher(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(super::cipher(0xeeee), "0xeeee");
        assert_eq!(super::alert(40), "handshake_failure");
        assert_eq!(super::alert(112), "unrecognized_name");
        assert_eq!((super::alert(48), super::alert(115)), ("unknown_ca".into(), "unknown_psk_identity".into()));
        assert_eq!(super::version(0x0303).0, "1.2");
    }
}
