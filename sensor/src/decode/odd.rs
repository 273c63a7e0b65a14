//! What is odd about a packet, under the names that rules know it by (`decode-event`).
//!
//! Comes in: headers as they are taken off. Goes out: at most [`NAMES_MAX`] names a packet, each once. Nothing here decides
//! what becomes of the packet.

use std::net::IpAddr;

/// The most names that are noted of one packet.
const NAMES_MAX: usize = 4;
/// Extension headers of IPv6 that are looked at.
const EXTENSIONS_MAX: usize = 64;

/// What was noticed of one packet.
#[derive(Debug, Default, Clone, Copy)]
pub struct Odd {
    /// Whether anybody asks.
    wanted: bool,
    names: [&'static str; NAMES_MAX],
    count: usize,
    /// Sender and receiver, as far as they could be read.
    pub addresses: Option<(IpAddr, IpAddr)>,
}

impl Odd {
    /// For packets of which somebody asks, or nobody: then nothing is looked at.
    pub fn new(wanted: bool) -> Odd {
        Odd { wanted, ..Odd::default() }
    }

    /// Whether anybody asks.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether there is something to tell.
    pub fn is_something(&self) -> bool {
        self.count > 0
    }

    /// Notes something.
    pub fn note(&mut self, name: &'static str) {
        if self.wanted
            && !self.names().contains(&name)
            && let Some(place) = self.names.get_mut(self.count)
        {
            *place = name;
            self.count += 1;
        }
    }

    /// What was noted.
    pub fn names(&self) -> &[&'static str] {
        self.names.get(..self.count).unwrap_or(&[])
    }

    /// A header of IPv4 or IPv6 that cannot be read at all.
    pub fn no_ip(&mut self, bytes: &[u8]) {
        match (bytes.first().map_or(0, |first| first >> 4), bytes.len()) {
            (6, 0..40) => self.note("ipv6.pkt_too_small"),
            (4, 0..20) => self.note("ipv4.pkt_too_small"),
            (4, _) => self.ipv4(bytes),
            _ => {}
        }
    }

    /// A header of IPv4 and what there is behind it.
    pub fn ipv4(&mut self, bytes: &[u8]) {
        let Some([first, _, high, low]) = bytes.first_chunk::<4>() else { return };
        let (header, total) = (usize::from(first & 0xf) * 4, usize::from(u16::from_be_bytes([*high, *low])));
        if header < 20 {
            self.note("ipv4.hlen_too_small");
        } else if total < header {
            self.note("ipv4.iplen_smaller_than_hlen");
        } else if total > bytes.len() {
            self.note("ipv4.trunc_pkt");
        }
        if !options_are_sound(bytes.get(20..header).unwrap_or(&[])) {
            self.note("ipv4.opt_invalid_len");
        }
    }

    /// A header of IPv6 and what there is behind it.
    pub fn ipv6(&mut self, bytes: &[u8]) {
        let (Some([_, _, _, _, high, low, next, _]), Some(behind)) = (bytes.first_chunk::<8>(), bytes.get(40..)) else {
            return;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length > behind.len() {
            self.note("ipv6.trunc_pkt");
        }
        self.extensions(*next, behind.get(..length).unwrap_or(behind));
    }

    /// Extension headers (RFC 8200 section 4), as far as the first one that belongs to a fragment.
    fn extensions(&mut self, first: u8, bytes: &[u8]) {
        let (mut next, mut rest, mut fragments) = (first, bytes, 0);
        for _ in 0..EXTENSIONS_MAX {
            if !matches!(next, 0 | 43 | 44 | 51 | 60) && fragments == 0 {
                return;
            }
            let [kind, length, ..] = *rest else { return self.note("ipv6.trunc_exthdr") };
            let bytes = match next {
                44 => 8,
                51 => (usize::from(length) + 2) * 4,
                0 | 43 | 60 => (usize::from(length) + 1) * 8,
                _ => return,
            };
            let Some(header) = rest.get(..bytes) else { return self.note("ipv6.trunc_exthdr") };
            if next == 44 {
                fragments += 1;
                if fragments > 1 {
                    self.note("ipv6.exthdr_dupl_fh");
                }
                let place =
                    header.get(2..4).and_then(|two| two.first_chunk()).map_or(0, |two| u16::from_be_bytes(*two));
                if place & 0xfff9 != 0 {
                    return;
                }
                self.note("ipv6.exthdr_useless_fh");
            }
            (next, rest) = (kind, rest.get(bytes..).unwrap_or(&[]));
        }
    }

    /// What IP carries where it says that it is a transport.
    pub fn transport(&mut self, protocol: u8, bytes: &[u8]) {
        match (protocol, bytes.len()) {
            (6, 0..20) => self.note("tcp.pkt_too_small"),
            (17, 0..8) => self.note("udp.pkt_too_small"),
            (1, 0..8) => self.note("icmpv4.pkt_too_small"),
            (58, 0..8) => self.note("icmpv6.pkt_too_small"),
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

/// Whether each option of IPv4 has a length that it may have (RFC 791, RFC 1108, RFC 2113).
fn options_are_sound(mut options: &[u8]) -> bool {
    while let [kind, rest @ ..] = options {
        let length = match (kind, rest.first()) {
            (0, _) => return true,
            (1, _) => 1,
            (_, Some(length)) => usize::from(*length),
            (_, None) => return false,
        };
        let sound = match kind {
            1 => true,
            0x82 => length == 11,
            0x88 | 0x94 => length == 4,
            0x44 => length >= 4,
            7 | 0x83 | 0x89 => length >= 3,
            _ => length >= 2,
        };
        if !sound || length > options.len() {
            return false;
        }
        options = options.get(length..).unwrap_or(&[]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_extensions(first: u8, bytes: &[u8]) -> Vec<&'static str> {
        let mut odd = Odd::new(true);
        odd.extensions(first, bytes);
        odd.names().to_vec()
    }

    #[test]
    fn fragment_headers_that_fragment_nothing_are_noted() {
        assert_eq!(of_extensions(44, &[17, 0, 0, 0, 1, 2, 3, 4, 9, 9]), ["ipv6.exthdr_useless_fh"]);
        assert_eq!(of_extensions(44, &[17, 0, 0, 1, 1, 2, 3, 4, 9]), [""; 0]);
        let twice = [44, 0, 0, 0, 1, 2, 3, 4, 17, 0, 0, 0, 1, 2, 3, 4, 9, 9];
        assert_eq!(of_extensions(44, &twice), ["ipv6.exthdr_useless_fh", "ipv6.exthdr_dupl_fh"]);
        let cut = [17, 0, 0, 0, 1, 2, 3, 4, 9];
        assert_eq!(of_extensions(44, &cut), ["ipv6.exthdr_useless_fh", "ipv6.trunc_exthdr"]);
        assert_eq!(of_extensions(60, &[17, 1, 0, 0, 0, 0, 0, 0]), ["ipv6.trunc_exthdr"]);
    }

    #[test]
    fn options_with_lengths_that_cannot_be_are_noted() {
        assert!(options_are_sound(&[1, 0x94, 4, 0, 0, 0, 0, 0]));
        assert!(!options_are_sound(&[0x82, 3, 0, 0]) && !options_are_sound(&[7, 39, 4]));
        let mut odd = Odd::new(true);
        odd.tcp_options(&[2, 4, 5, 0xb4, 2, 4, 5, 0xb4, 8, 4, 0, 0]);
        assert_eq!(odd.names(), ["tcp.opt_duplicate", "tcp.opt_invalid_len"]);
    }
}
