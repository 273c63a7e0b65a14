//! The code that NetBIOS names are written in (RFC 1001 section 14.1): each half-byte a letter from A to P.

use crate::protocols::text;

/// A name: fifteen bytes padded with spaces, and what it stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct NetbiosName {
    /// The name in lower case without its padding, with the scope behind a dot where there is one.
    pub text: String,
    /// The sixteenth byte: kind of service.
    pub suffix: u8,
}

/// Reads a name as `dns::message` gives it: in lower case, the scope as further labels.
pub fn decode(coded: &str) -> Option<NetbiosName> {
    let (first, scope) = coded.split_once('.').map_or((coded, None), |(first, scope)| (first, Some(scope)));
    if first.len() != 32 || !first.bytes().all(|b| b.is_ascii_lowercase() && b <= b'p') {
        return None;
    }
    let mut bytes: Vec<u8> = first
        .as_bytes()
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [high, low] => Some(high.wrapping_sub(b'a') << 4 | low.wrapping_sub(b'a') & 0xf),
            _ => None,
        })
        .collect();
    let suffix = bytes.pop()?;
    let mut out = readable(&bytes);
    if let Some(scope) = scope {
        out.push('.');
        out.push_str(scope);
    }
    Some(NetbiosName { text: out, suffix })
}

/// Fifteen bytes of a name as text: lower case, without padding. Names are in the code page of whoever gave them.
pub fn readable(bytes: &[u8]) -> String {
    let padded = bytes.iter().rev().take_while(|b| matches!(b, b' ' | 0)).count();
    let kept = bytes.get(..bytes.len().saturating_sub(padded)).unwrap_or(bytes);
    let mut out = text::text(kept, 16);
    out.make_ascii_lowercase();
    out
}

/// What a name with this suffix stands for (Microsoft, "NetBIOS suffixes"); a group's and a single host's differ.
pub fn service(suffix: u8) -> Option<&'static str> {
    Some(match suffix {
        0x00 => "workstation",
        0x01 => "master browser group",
        0x03 => "messenger",
        0x06 => "remote access server",
        0x1b => "domain master browser",
        0x1c => "domain controllers",
        0x1d => "master browser",
        0x1e => "browser elections",
        0x1f => "netdde",
        0x20 => "file server",
        0x21 => "remote access client",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_become_names() {
        let name = |text: &str, suffix| Some(NetbiosName { text: text.into(), suffix });
        // "*" and zeros: the wildcard of RFC 1002 section 4.2.1.
        assert_eq!(decode("ckaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), name("*", 0));
        assert_eq!(decode("fhepfcelehfcfffacacacacacacacaca"), name("workgrup", 0x20));
        assert_eq!(decode("fhepfcelehfcfffacacacacacacacaca.tinh.example"), name("workgrup.tinh.example", 0x20));
        assert_eq!(decode("fhepfcelehfcfffacacacacacacacacz"), None);
        assert_eq!(decode("cong.tinh.example"), None);
    }
}
