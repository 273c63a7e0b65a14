//! The Internet checksum (RFC 1071) over IP headers and over TCP and UDP with their pseudo-headers.

use std::net::IpAddr;

use serde::Deserialize;

/// What is done about wrong checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksums {
    /// They are not looked at: a mirror port often shows packets before the card has filled them in.
    #[default]
    Ignore,
    /// Packets with a wrong one are refused, as their receiver refuses them.
    Verify,
}

/// Whether an IPv4 header of these bytes, options included, has the right checksum (RFC 791 section 3.1).
pub fn ipv4_header_is_right(header: &[u8]) -> bool {
    fold(sum(header)) == 0xffff
}

/// Whether a whole TCP segment or UDP datagram has the right checksum (RFC 9293 section 3.1, RFC 768, RFC 8200 section
/// 8.1).
pub fn transport_is_right(addresses: (IpAddr, IpAddr), protocol: u8, bytes: &[u8]) -> bool {
    let pseudo = match addresses {
        (IpAddr::V4(a), IpAddr::V4(b)) => sum(&a.octets()) + sum(&b.octets()),
        (IpAddr::V6(a), IpAddr::V6(b)) => sum(&a.octets()) + sum(&b.octets()),
        _ => return false,
    };
    fold(pseudo + u64::from(protocol) + bytes.len() as u64 + sum(bytes)) == 0xffff
}

fn sum(bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let last = rest.first().map_or(0, |byte| u64::from(*byte) << 8);
    pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum::<u64>() + last
}

fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of RFC 1071's own arithmetic, and a datagram whose sum was worked out by hand.
    #[test]
    fn right_and_wrong_sums_are_told_apart() {
        let header = [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7];
        assert!(ipv4_header_is_right(&header));
        let mut wrong = header;
        wrong[8] -= 1;
        assert!(!ipv4_header_is_right(&wrong));
        let ends = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        // 0xc000 + 0x0201 + 0xc000 + 0x0202 + 17 + 9 + (1 + 2 + 9 + checksum + 0x6100) must come to 0xffff.
        let datagram = [0, 1, 0, 2, 0, 9, 0x1a, 0xd5, 0x61];
        assert!(transport_is_right(ends, 17, &datagram), "{:#x}", fold(0xffff));
        assert!(!transport_is_right(ends, 6, &datagram));
    }
}
