//! Packets with a long header (RFC 8999, RFC 9000 section 17.2): what stands before their protected part.

use crate::protocols::reader::{Reader, Short};

/// Longest connection id (RFC 9000 section 17.2).
const MAX_ID_BYTES: usize = 20;
/// Versions read of a list.
const MAX_OFFERED: usize = 64;

/// Version 1 (RFC 9000).
pub const VERSION_1: u32 = 1;
/// Version 2 (RFC 9369).
pub const VERSION_2: u32 = 0x6b33_43cf;
/// Facebook's, and Google's last one with its own hello.
const FACEBOOK: [u32; 2] = [0xface_b001, 0xface_b002];
const GOOGLE_50: u32 = u32::from_be_bytes(*b"Q050");

/// What every long header has in all versions (RFC 8999 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The first byte, of which the lower bits are protected.
    pub first: u8,
    /// Version; 0 in an offer of versions.
    pub version: u32,
    /// Whom the packet is for.
    pub destination: &'a [u8],
    /// Whom it is from.
    pub source: &'a [u8],
}

/// What a packet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Carries a hello.
    Initial,
    /// Data before the handshake is over, of a client that was there before.
    EarlyData,
    /// The rest of the handshake.
    Handshake,
    /// The server wants the client to begin again with a token.
    Retry,
}

/// A packet of which nothing is opened yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its header.
    pub header: Header<'a>,
    /// What it is for.
    pub kind: Kind,
    /// The whole of it.
    pub bytes: &'a [u8],
    /// Where its protected part begins, with the packet number.
    pub number_at: usize,
}

/// Reads what all versions have in common; gives what follows it.
pub fn long_header(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let mut r = Reader::new(bytes);
    let first = r.u8().ok().filter(|first| first & 0x80 != 0)?;
    let version = r.u32().ok()?;
    let destination = r.part8().ok()?.rest();
    let source = r.part8().ok()?.rest();
    let fits = destination.len() <= MAX_ID_BYTES && source.len() <= MAX_ID_BYTES;
    fits.then(|| (Header { first, version, destination, source }, r.rest()))
}

/// The next packet of a datagram and what follows it; nothing when there is none that can be told from the rest.
pub fn next(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let (header, rest) = long_header(bytes)?;
    let kind = kind(&header);
    let mut r = Reader::new(rest);
    let mut length = None;
    if kind == Kind::Initial {
        let token = varint(&mut r).ok()?;
        r.skip(usize::try_from(token).ok()?).ok()?;
    }
    if kind != Kind::Retry {
        length = Some(usize::try_from(varint(&mut r).ok()?).ok()?);
    }
    let number_at = bytes.len().checked_sub(r.rest().len())?;
    // A retry takes up the rest of its datagram; a packet that is longer than it cannot be opened.
    let end = length.map_or(Some(bytes.len()), |length| number_at.checked_add(length))?;
    let (whole, after) = bytes.split_at_checked(end)?;
    Some((Packet { header, kind, bytes: whole, number_at }, after))
}

fn kind(header: &Header<'_>) -> Kind {
    let bits = header.first >> 4 & 3;
    // Version 2 numbers its types differently, so that nobody counts on them (RFC 9369 section 3.2).
    match if header.version == VERSION_2 { bits.wrapping_sub(1) & 3 } else { bits } {
        0 => Kind::Initial,
        1 => Kind::EarlyData,
        2 => Kind::Handshake,
        _ => Kind::Retry,
    }
}

/// A number of one, two, four or eight bytes (RFC 9000 section 16).
pub fn varint(r: &mut Reader<'_>) -> Result<u64, Short> {
    let first = r.u8()?;
    let mut value = u64::from(first & 0x3f);
    for byte in r.take((1 << (first >> 6)) - 1)? {
        value = value << 8 | u64::from(*byte);
    }
    Ok(value)
}

/// The versions that a server offers.
pub fn offered(list: &[u8]) -> Vec<u32> {
    let mut r = Reader::new(list);
    std::iter::from_fn(|| r.u32().ok()).take(MAX_OFFERED).collect()
}

/// Versions whose packets have the form of [`Packet`].
pub fn is_known(version: u32) -> bool {
    matches!(version, VERSION_1 | VERSION_2 | 0xff00_0015..=0xff00_0022)
        || FACEBOOK.contains(&version)
        || version == GOOGLE_50
}

/// Versions that stand for none, to keep servers able to answer that they do not know them (RFC 9000 section 15).
pub fn is_probing(version: u32) -> bool {
    version & 0x0f0f_0f0f == 0x0a0a_0a0a
}

/// How a version is written: `1`, `2`, `draft-29`, `Q046`, else its number.
pub fn version_name(version: u32) -> String {
    match version {
        VERSION_1 => "1".to_owned(),
        VERSION_2 => "2".to_owned(),
        0xff00_0000..=0xff00_00ff => format!("draft-{}", version & 0xff),
        _ => match version.to_be_bytes() {
            [b'Q' | b'T', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
                version.to_be_bytes().iter().map(|b| char::from(*b)).collect()
            }
            _ => format!("0x{version:08x}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 9000 appendix A.1.
    #[test]
    fn numbers_are_the_standards() {
        let number = |bytes: &[u8]| varint(&mut Reader::new(bytes)).unwrap();
        assert_eq!(number(&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c]), 151_288_809_941_952_652);
        assert_eq!(number(&[0x9d, 0x7f, 0x3e, 0x7d]), 494_878_333);
        assert_eq!((number(&[0x7b, 0xbd]), number(&[0x25]), number(&[0x40, 0x25])), (15_293, 37, 37));
        assert!(varint(&mut Reader::new(&[0x40])).is_err());
    }

    #[test]
    fn versions_have_names() {
        assert_eq!((version_name(0xff00_001d).as_str(), version_name(0x5130_3436).as_str()), ("draft-29", "Q046"));
        assert_eq!(version_name(0xface_b002), "0xfaceb002");
    }
}
