//! What is odd about headers of TCP, UDP, SCTP, ESP and GRE.

use super::Odd;
use crate::protocols::reader::{Reader, Short};

const PPP: u16 = 0x880b;

impl Odd {
    /// What IP carries where it says that it is a transport.
    pub fn transport(&mut self, protocol: u8, bytes: &[u8]) {
        match (protocol, bytes.len()) {
            (6, 0..20) => self.note("tcp.pkt_too_small"),
            (17, 0..8) => self.note("udp.pkt_too_small"),
            (1, 0..8) => self.note("icmpv4.pkt_too_small"),
            (58, 0..8) => self.note("icmpv6.pkt_too_small"),
            (132, 0..12) => self.note("sctp.pkt_too_small"),
            (50, 0..8) => self.note("esp.pkt_too_small"),
            (1, _) => self.icmpv4(bytes),
            (47, _) => match odd_gre(bytes) {
                Some(name) => self.note(name),
                None => self.erspan(bytes),
            },
            (6, length) => {
                let header = usize::from(bytes.get(12).map_or(0, |byte| byte >> 4)) * 4;
                if header < 20 {
                    self.note("tcp.hlen_too_small");
                } else if header > length {
                    self.note("tcp.invalid_optlen");
                } else {
                    self.tcp_options(bytes.get(20..header).unwrap_or(&[]));
                }
            }
            (17, length) => {
                let said = bytes.get(4..6).and_then(|two| two.first_chunk()).map_or(0, |two| u16::from_be_bytes(*two));
                match usize::from(said) {
                    0..8 => self.note("udp.len_invalid"),
                    said if said > length => self.note("udp.pkt_too_small"),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Cisco's remote mirror of the second type: a header with its version in the highest bits.
    fn erspan(&mut self, bytes: &[u8]) {
        if let [0x10, 0, 0x88, 0xbe, _, _, _, _, header @ ..] = bytes {
            match header.first() {
                Some(first) if header.len() >= 8 && first >> 4 != 1 => self.note("erspan.unsupported_version"),
                _ => self.cut(header, 8, "erspan.header_too_small"),
            }
        }
    }

    /// Options of TCP whose length is fixed (RFC 9293, RFC 2018, RFC 7323).
    fn tcp_options(&mut self, mut options: &[u8]) {
        let mut seen = 0u16;
        while let [kind, rest @ ..] = options {
            let length = match (kind, rest.first()) {
                (0, _) => return,
                (1, _) => 1,
                (_, Some(length)) => usize::from(*length),
                (_, None) => return,
            };
            let fixed = match kind {
                2 => Some(4),
                3 => Some(3),
                4 => Some(2),
                8 => Some(10),
                _ => None,
            };
            if *kind != 1 && (length < 2 || length > options.len()) {
                return self.note("tcp.opt_invalid_len");
            }
            // All kinds with a fixed length have small numbers.
            let bit = if fixed.is_some() { 1 << (kind & 0xf) } else { 0 };
            if fixed.is_some_and(|fixed| fixed != length) {
                self.note("tcp.opt_invalid_len");
            } else if seen & bit != 0 {
                self.note("tcp.opt_duplicate");
            }
            seen |= bit;
            options = options.get(length..).unwrap_or(&[]);
        }
    }
}

/// Which flags of GRE stand for what (RFC 1701, RFC 2637).
mod gre {
    pub const SUMMED: u16 = 0x8000;
    pub const ROUTED: u16 = 0x4000;
    pub const KEYED: u16 = 0x2000;
    pub const NUMBERED: u16 = 0x1000;
    pub const STRICT: u16 = 0x0800;
    pub const NESTED: u16 = 0x0700;
    pub const RESERVED_0: u16 = 0x00f8;
    pub const ACKNOWLEDGED: u16 = 0x0080;
    pub const RESERVED_1: u16 = 0x0078;
}

/// A header of GRE.
fn odd_gre(bytes: &[u8]) -> Option<&'static str> {
    let mut r = Reader::new(bytes);
    let (Ok(flags), Ok(kind)) = (r.u16(), r.u16()) else { return Some("gre.pkt_too_small") };
    let has = |bits: u16| flags & bits != 0;
    let words = |bits: &[u16]| bits.iter().filter(|bits| has(**bits)).count() * 4;
    match flags & 7 {
        0 if has(gre::NESTED) => Some("gre.version0_recur"),
        0 if has(gre::RESERVED_0) => Some("gre.version0_flags"),
        0 => {
            let optional = words(&[gre::KEYED, gre::NUMBERED, gre::SUMMED | gre::ROUTED]);
            if r.skip(optional).is_err() {
                return Some("gre.version0_hdr_too_big");
            }
            (has(gre::ROUTED) && routes(&mut r).is_err()).then_some("gre.version0_malformed_sre_hdr")
        }
        1 if has(gre::SUMMED) => Some("gre.version1_chksum"),
        1 if has(gre::ROUTED) => Some("gre.version1_route"),
        1 if has(gre::STRICT) => Some("gre.version1_ssr"),
        1 if has(gre::NESTED) => Some("gre.version1_recur"),
        1 if has(gre::RESERVED_1) => Some("gre.version1_flags"),
        1 if kind != PPP => Some("gre.version1_wrong_protocol"),
        1 if !has(gre::KEYED) => Some("gre.version1_no_key"),
        1 => r.skip(4 + words(&[gre::NUMBERED, gre::ACKNOWLEDGED])).err().map(|_| "gre.version1_hdr_too_big"),
        _ => Some("gre.wrong_version"),
    }
}

/// Source routes, up to the empty one that ends them (RFC 1701).
fn routes(r: &mut Reader<'_>) -> Result<(), Short> {
    loop {
        let family = r.u16()?;
        r.skip(1)?;
        let length = r.u8()?;
        if family == 0 && length == 0 {
            return Ok(());
        }
        r.skip(length.into())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_tcp_with_lengths_that_cannot_be_are_noted() {
        let mut odd = Odd::new(true);
        odd.tcp_options(&[2, 4, 5, 0xb4, 2, 4, 5, 0xb4, 8, 4, 0, 0]);
        assert_eq!(odd.names(), ["tcp.opt_duplicate", "tcp.opt_invalid_len"]);
    }

    #[test]
    fn headers_of_gre_are_named_by_what_is_wrong_with_them() {
        let cases: [(&[u8], Option<&str>); 12] = [
            (&[0, 0, 8], Some("gre.pkt_too_small")),
            (&[0, 0, 8, 0], None),
            (&[0, 2, 8, 0], Some("gre.wrong_version")),
            (&[1, 0, 8, 0], Some("gre.version0_recur")),
            (&[0, 8, 8, 0], Some("gre.version0_flags")),
            (&[0x20, 0, 8, 0, 1], Some("gre.version0_hdr_too_big")),
            (&[0x40, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0, 9, 1], Some("gre.version0_malformed_sre_hdr")),
            (&[0x40, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 0, 0, 0, 0], None),
            (&[0x30, 1, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 1], None),
            (&[0x30, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1], Some("gre.version1_wrong_protocol")),
            (&[0x10, 1, 0x88, 0x0b, 0, 0, 0, 1], Some("gre.version1_no_key")),
            (&[0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 0], Some("gre.version1_hdr_too_big")),
        ];
        for (bytes, name) in cases {
            assert_eq!(odd_gre(bytes), name, "{bytes:x?}");
        }
    }
}
