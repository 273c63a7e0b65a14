//! What is odd about headers of IPv4 (RFC 791) and IPv6 (RFC 8200), their options and extension headers.

use super::Odd;
use crate::protocols::reader::Reader;

/// Extension headers of IPv6 that are looked at.
const EXTENSIONS_MAX: usize = 64;

/// Bits that say which options or headers were there before.
#[derive(Default)]
struct Before(u32);

impl Before {
    /// Whether this one was there before; it is from now on.
    fn has(&mut self, bit: u32) -> bool {
        let there = self.0 & 1 << bit != 0;
        self.0 |= 1 << bit;
        there
    }
}

impl Odd {
    /// A header of IPv4 or IPv6 that cannot be read at all.
    pub fn no_ip(&mut self, bytes: &[u8]) {
        match (bytes.first().map_or(0, |first| first >> 4), bytes.len()) {
            (6, 0..40) => self.note("ipv6.pkt_too_small"),
            (4, 0..20) => self.note("ipv4.pkt_too_small"),
            (4, _) => self.ipv4(bytes),
            _ => {}
        }
    }

    /// What stands where a header of IP of this version was promised.
    pub fn version(&mut self, promised: u8, bytes: &[u8]) {
        let (wanted, small, wrong) = match promised {
            4 => (20, "ipv4.pkt_too_small", "ipv4.wrong_ip_version"),
            _ => (40, "ipv6.pkt_too_small", "ipv6.wrong_ip_version"),
        };
        if bytes.len() < wanted {
            self.note(small);
        } else if bytes.first().is_some_and(|first| first >> 4 != promised) {
            self.note(wrong);
        }
    }

    /// A header of IPv4 and what there is behind it.
    pub fn ipv4(&mut self, bytes: &[u8]) {
        let Some([first, _, high, low]) = bytes.first_chunk::<4>() else { return };
        let (header, total) = (usize::from(first & 0xf) * 4, usize::from(u16::from_be_bytes([*high, *low])));
        if header < 20 {
            return self.note("ipv4.hlen_too_small");
        } else if total < header {
            return self.note("ipv4.iplen_smaller_than_hlen");
        } else if total > bytes.len() {
            return self.note("ipv4.trunc_pkt");
        }
        self.ipv4_options(bytes.get(20..header).unwrap_or(&[]));
        // What a later fragment begins with is no header.
        let whole = bytes.get(6).is_some_and(|high| high & 0x1f == 0);
        if bytes.get(9) == Some(&58) && whole {
            self.note("ipv4.icmpv6");
        }
    }

    /// Options of IPv4 (RFC 791, RFC 1108, RFC 2113, RFC 4782, FIPS 188).
    fn ipv4_options(&mut self, options: &[u8]) {
        if !options.len().is_multiple_of(8) {
            self.note("ipv4.opt_pad_required");
        }
        let (mut rest, mut before) = (options, Before::default());
        while let [kind, more @ ..] = rest {
            let length = match (kind, more.first()) {
                (0, _) => return,
                (1, _) => {
                    rest = more;
                    continue;
                }
                (_, None) => return self.note("ipv4.opt_eol_required"),
                (_, Some(length)) => usize::from(*length),
            };
            let (2.., Some(option)) = (length, rest.get(..length)) else { return self.note("ipv4.opt_invalid_len") };
            let known = match kind {
                0x44 => Some((0, time_stamps(option))),
                0x07 => Some((1, route(option))),
                0x83 => Some((2, route(option))),
                0x89 => Some((3, route(option))),
                0x19 => Some((4, sized(option.len() >= 8))),
                0x82 => Some((5, sized(option.len() == 11))),
                0x86 => Some((6, security_tags(option))),
                0x88 => Some((7, sized(option.len() == 4))),
                0x94 => Some((8, sized(option.len() == 4))),
                0x85 => Some((9, sized(option.len() >= 3))),
                _ => None,
            };
            match known {
                None => self.note("ipv4.opt_invalid"),
                Some((bit, _)) if before.has(bit) => self.note("ipv4.opt_duplicate"),
                Some((_, Some(name))) => return self.note(name),
                Some((_, None)) => {}
            }
            rest = rest.get(length..).unwrap_or(&[]);
        }
    }

    /// A header of IPv6 and what there is behind it.
    pub fn ipv6(&mut self, bytes: &[u8]) {
        let (Some([_, _, _, _, high, low, next, _]), Some(behind)) = (bytes.first_chunk::<8>(), bytes.get(40..)) else {
            return;
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(carried) = behind.get(..length) else {
            self.extensions(*next, behind);
            return self.note("ipv6.trunc_pkt");
        };
        self.extensions(*next, carried);
    }

    /// Extension headers (RFC 8200 section 4), as far as the first one that belongs to a fragment.
    fn extensions(&mut self, first: u8, bytes: &[u8]) {
        let (mut next, mut rest, mut before, mut options) = (first, bytes, Before::default(), 0);
        for number in 0..EXTENSIONS_MAX {
            match next {
                59 if !rest.is_empty() => return self.note("ipv6.data_after_none_header"),
                1 => return self.note("ipv6.icmpv4"),
                0 | 43 | 44 | 51 | 60 | 135 | 139 | 140 => {}
                4 | 6 | 17 | 41 | 47 | 50 | 58 | 59 | 132 => {
                    let whole = number == 0 || next == 59 || rest.len() >= 2;
                    return if whole { () } else { self.note("ipv6.trunc_exthdr") };
                }
                _ => return self.note("ipv6.unknown_next_header"),
            }
            let [kind, length, ..] = *rest else { return self.note("ipv6.trunc_exthdr") };
            let bytes = match next {
                44 => 8,
                51 => (usize::from(length) + 2) * 4,
                _ => (usize::from(length) + 1) * 8,
            };
            let Some(header) = rest.get(..bytes) else { return self.note("ipv6.trunc_exthdr") };
            match next {
                43 if before.has(0) => self.note("ipv6.exthdr_dupl_rh"),
                43 if header.get(2) == Some(&0) => self.note("ipv6.rh_type_0"),
                0 if before.has(1) => self.note("ipv6.exthdr_dupl_hh"),
                0 => self.ipv6_options(header, "ipv6.hopopts_unknown_opt", "ipv6.hopopts_only_padding"),
                60 => {
                    // Once before a routing header and once at the end.
                    options += 1;
                    match options {
                        0..=2 => self.ipv6_options(header, "ipv6.dstopts_unknown_opt", "ipv6.dstopts_only_padding"),
                        _ => self.note("ipv6.exthdr_dupl_dh"),
                    }
                }
                51 => {
                    if header.get(2..4) != Some(&[0, 0]) {
                        self.note("ipv6.exthdr_ah_res_not_null");
                    }
                    if before.has(2) {
                        self.note("ipv6.exthdr_dupl_ah");
                    }
                }
                44 => {
                    if length != 0 {
                        self.note("ipv6.fh_non_zero_reserved_field");
                    }
                    if before.has(3) {
                        self.note("ipv6.exthdr_dupl_fh");
                    } else if Reader::new(header.get(2..).unwrap_or(&[])).u16().is_ok_and(|place| place & 0xfff9 != 0) {
                        return;
                    } else {
                        self.note("ipv6.exthdr_useless_fh");
                    }
                }
                _ => {}
            }
            (next, rest) = (kind, rest.get(bytes..).unwrap_or(&[]));
        }
    }

    /// Options in an extension header (RFC 8200 section 4.2; RFC 2711, RFC 2675, RFC 6275).
    fn ipv6_options(&mut self, header: &[u8], unknown: &'static str, only_padding: &'static str) {
        let (mut rest, mut padding, mut others) = (header.get(2..).unwrap_or(&[]), false, false);
        while let [kind, more @ ..] = rest {
            if *kind == 0 {
                (rest, padding) = (more, true);
                continue;
            }
            let value = more.first().and_then(|length| more.get(1..1 + usize::from(*length)));
            let Some(value) = value else { return self.note("ipv6.exthdr_invalid_optlen") };
            let least = match kind {
                1 => {
                    padding = true;
                    if value.is_empty() {
                        self.note("ipv6.zero_len_padn");
                    }
                    0
                }
                0x05 => 2,
                0xc2 => 4,
                0xc9 => 16,
                _ => {
                    self.note(unknown);
                    0
                }
            };
            if value.len() < least {
                return self.note("ipv6.exthdr_invalid_optlen");
            }
            others |= !matches!(kind, 1 | 0xc2);
            rest = rest.get(2 + value.len()..).unwrap_or(&[]);
        }
        if padding && !others {
            self.note(only_padding);
        }
    }
}

fn sized(right: bool) -> Option<&'static str> {
    (!right).then_some("ipv4.opt_invalid_len")
}

/// A list of addresses: the pointer counts from one, in steps of four, up to just behind the option (RFC 791).
fn route(option: &[u8]) -> Option<&'static str> {
    let Some(pointer) = option.get(2) else { return Some("ipv4.opt_invalid_len") };
    let fits = *pointer >= 4 && pointer.is_multiple_of(4) && usize::from(*pointer) <= option.len() + 1;
    (!fits).then_some("ipv4.opt_malformed")
}

/// Time stamps, with addresses or without (RFC 791).
fn time_stamps(option: &[u8]) -> Option<&'static str> {
    let [_, _, pointer, flags, ..] = option else { return Some("ipv4.opt_invalid_len") };
    let each = if matches!(flags & 0xf, 1 | 3) { 8 } else { 4 };
    let fits = *pointer >= 5 && (pointer - 5).is_multiple_of(each) && usize::from(*pointer) <= option.len() + 1;
    (!fits).then_some("ipv4.opt_malformed")
}

/// The commercial security option: a domain, then tags with type and length (FIPS 188).
fn security_tags(option: &[u8]) -> Option<&'static str> {
    const MALFORMED: Option<&str> = Some("ipv4.opt_malformed");
    if option.len() < 10 {
        return Some("ipv4.opt_invalid_len");
    }
    let mut tags = option.get(6..).unwrap_or(&[]);
    while !tags.is_empty() {
        let [kind, length, ..] = *tags else { return MALFORMED };
        let Some(tag) = tags.get(..usize::from(length)) else { return MALFORMED };
        let aligned = kind == 7 || tag.get(2) == Some(&0);
        if !matches!(kind, 1 | 2 | 5 | 6 | 7) || tag.len() < 4 || !aligned {
            return MALFORMED;
        }
        tags = tags.get(tag.len()..).unwrap_or(&[]);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(look: impl FnOnce(&mut Odd)) -> Vec<&'static str> {
        let mut odd = Odd::new(true);
        look(&mut odd);
        odd.names().to_vec()
    }

    fn of_extensions(first: u8, bytes: &[u8]) -> Vec<&'static str> {
        noted(|odd| odd.extensions(first, bytes))
    }

    fn of_options(bytes: &[u8]) -> Vec<&'static str> {
        noted(|odd| odd.ipv4_options(bytes))
    }

    #[test]
    fn fragment_headers_that_fragment_nothing_are_noted() {
        assert_eq!(of_extensions(44, &[17, 0, 0, 0, 1, 2, 3, 4, 9, 9]), ["ipv6.exthdr_useless_fh"]);
        assert_eq!(of_extensions(44, &[17, 0, 0, 1, 1, 2, 3, 4, 9]), [""; 0]);
        assert_eq!(of_extensions(44, &[17, 5, 0, 1, 1, 2, 3, 4, 9]), ["ipv6.fh_non_zero_reserved_field"]);
        let twice = [44, 0, 0, 0, 1, 2, 3, 4, 17, 0, 0, 0, 1, 2, 3, 4, 9, 9];
        assert_eq!(of_extensions(44, &twice), ["ipv6.exthdr_useless_fh", "ipv6.exthdr_dupl_fh"]);
        let cut = [17, 0, 0, 0, 1, 2, 3, 4, 9];
        assert_eq!(of_extensions(44, &cut), ["ipv6.exthdr_useless_fh", "ipv6.trunc_exthdr"]);
        assert_eq!(of_extensions(60, &[17, 1, 0, 0, 0, 0, 0, 0]), ["ipv6.trunc_exthdr"]);
    }

    #[test]
    fn extension_headers_are_named_by_what_is_wrong_with_them() {
        let routed = [43, 0, 0, 0, 0, 0, 0, 0, 59, 0, 2, 0, 0, 0, 0, 0, 1];
        assert_eq!(
            of_extensions(43, &routed),
            ["ipv6.rh_type_0", "ipv6.exthdr_dupl_rh", "ipv6.data_after_none_header"]
        );
        assert_eq!(of_extensions(0, &[59, 0, 1, 4, 0, 0, 0, 0]), ["ipv6.hopopts_only_padding"]);
        assert_eq!(of_extensions(0, &[59, 0, 5, 2, 0, 0, 1, 0]), ["ipv6.zero_len_padn"]);
        assert_eq!(of_extensions(60, &[59, 0, 0x99, 4, 0, 0, 0, 0]), ["ipv6.dstopts_unknown_opt"]);
        assert_eq!(of_extensions(60, &[59, 0, 0x99, 9, 0, 0, 0, 0]), ["ipv6.exthdr_invalid_optlen"]);
        assert_eq!(of_extensions(1, &[8, 0, 0, 0]), ["ipv6.icmpv4"]);
        assert_eq!(of_extensions(253, &[8, 0, 0, 0]), ["ipv6.unknown_next_header"]);
        let guarded = [59, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(of_extensions(51, &guarded), ["ipv6.exthdr_ah_res_not_null"]);
    }

    #[test]
    fn options_of_ipv4_are_named_by_what_is_wrong_with_them() {
        assert_eq!(of_options(&[1, 0x94, 4, 0, 0, 0, 0, 0]), [""; 0]);
        assert_eq!(of_options(&[0x82, 3, 0, 0, 0, 0, 0, 0]), ["ipv4.opt_invalid_len"]);
        assert_eq!(of_options(&[7, 39, 4, 0, 0, 0, 0, 0]), ["ipv4.opt_invalid_len"]);
        assert_eq!(of_options(&[7, 7, 4, 0, 0, 0, 0, 0]), [""; 0]);
        assert_eq!(of_options(&[7, 7, 5, 0, 0, 0, 0, 0]), ["ipv4.opt_malformed"]);
        assert_eq!(of_options(&[0x44, 8, 13, 1, 0, 0, 0, 0]), ["ipv4.opt_malformed"]);
        assert_eq!(of_options(&[1, 1, 1, 7]), ["ipv4.opt_pad_required", "ipv4.opt_eol_required"]);
        assert_eq!(of_options(&[0x94, 4, 0, 0, 0x94, 4, 0, 0]), ["ipv4.opt_duplicate"]);
        assert_eq!(of_options(&[0x55, 4, 0, 0, 0, 0, 0, 0]), ["ipv4.opt_invalid"]);
        let tagged = [0x86, 10, 0, 0, 0, 1, 1, 4, 0, 3, 0, 0, 0, 0, 0, 0];
        assert_eq!(of_options(&tagged), [""; 0]);
        let unknown = [0x86, 10, 0, 0, 0, 1, 9, 4, 0, 3, 0, 0, 0, 0, 0, 0];
        assert_eq!(of_options(&unknown), ["ipv4.opt_malformed"]);
    }

    #[test]
    fn a_header_of_another_version_is_noted() {
        let mut header = [0; 40];
        (header[0], header[3], header[9]) = (0x45, 40, 58);
        assert_eq!(noted(|odd| odd.ipv4(&header)), ["ipv4.icmpv6"]);
        assert_eq!(noted(|odd| odd.version(6, &header)), ["ipv6.wrong_ip_version"]);
        assert_eq!(noted(|odd| odd.version(4, &header[..8])), ["ipv4.pkt_too_small"]);
    }
}
