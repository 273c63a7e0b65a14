//! Google's QUIC before it became a standard: its hello is a list of tags, up to Q046 in the clear.

use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Tags of a hello that are looked at.
const MAX_TAGS: usize = 128;
/// Bytes told of a value.
const MAX_VALUE_BYTES: usize = 255;

/// What a client says in its hello.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GoogleHello {
    /// The server's name, in lower case.
    pub server_name: Option<String>,
    /// The client's program.
    pub user_agent: Option<String>,
}

/// The version in a client's first packet of Q009 to Q043, or with the long header of Q046; nothing in others.
pub fn version(datagram: &[u8]) -> Option<u32> {
    let mut r = Reader::new(datagram);
    let first = r.u8().ok()?;
    if first & 0x80 == 0 {
        // Flags: a version, an id of eight bytes, no reset (and nothing that is reserved).
        if first & 0x8b != 0x09 {
            return None;
        }
        r.skip(8).ok()?;
    }
    let version = r.u32().ok()?;
    match version.to_be_bytes() {
        [b'Q', b'0', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit() => {
            let number = (tens - b'0') * 10 + (ones - b'0');
            let long = first & 0x80 != 0;
            (if long { (44..=49).contains(&number) } else { (9..=43).contains(&number) }).then_some(version)
        }
        _ => None,
    }
}

/// The hello in a datagram or in a stream, wherever it begins.
pub fn hello(bytes: &[u8]) -> Option<GoogleHello> {
    let at = bytes.windows(4).position(|window| window == b"CHLO")?;
    read(bytes.get(at + 4..)?).ok()
}

/// The tags: each has the place where its value ends, all values follow.
fn read(bytes: &[u8]) -> Result<GoogleHello, Short> {
    let mut r = Reader::new(bytes);
    let little = |bytes: [u8; 4]| usize::try_from(u32::from_le_bytes(bytes)).map_err(|_| Short);
    let count = usize::from(u16::from_le_bytes(r.array()?)).min(MAX_TAGS);
    r.skip(2)?;
    let mut tags = Vec::with_capacity(count);
    for _ in 0..count {
        tags.push((r.array::<4>()?, little(r.array()?)?));
    }
    let mut hello = GoogleHello::default();
    let mut begin = 0;
    for (tag, end) in tags {
        let Ok(value) = r.take(end.checked_sub(begin).ok_or(Short)?) else { break };
        begin = end;
        let shown = || Some(text::text(value, MAX_VALUE_BYTES)).filter(|shown| !shown.is_empty());
        match &tag {
            b"SNI\0" => hello.server_name = shown().map(|name| name.to_ascii_lowercase()),
            b"UAID" => hello.user_agent = shown(),
            _ => {}
        }
    }
    Ok(hello)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read() {
        let mut packet = b"\x0d12345678Q043\x01hash".to_vec();
        assert_eq!(version(&packet), Some(u32::from_be_bytes(*b"Q043")));
        packet.extend(b"CHLO\x03\0\0\0PAD\0\x02\0\0\0SNI\0\x0b\0\0\0UAID\x10\0\0\0--A.exampleBrows");
        let hello = hello(&packet).unwrap();
        assert_eq!(hello.server_name.as_deref(), Some("a.example"));
        assert_eq!(hello.user_agent.as_deref(), Some("Brows"));
        assert_eq!(version(b"\x0d12345678Q046"), None);
        assert_eq!(version(b"\xc3Q046\x50"), Some(u32::from_be_bytes(*b"Q046")));
    }
}
