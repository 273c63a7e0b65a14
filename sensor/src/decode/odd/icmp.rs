//! What is odd about messages of ICMP (RFC 792, RFC 950, RFC 4443, RFC 3810) and about the packets that they quote.

use super::Odd;

impl Odd {
    /// A message of eight bytes at least.
    pub(super) fn icmpv4(&mut self, bytes: &[u8]) {
        let [kind, code, ..] = *bytes else { return };
        // The most that its code may be, and whether it quotes a packet.
        let (most, quotes) = match kind {
            3 => (15, true),
            5 => (3, true),
            11 => (1, true),
            4 => (0, true),
            12 => (2, true),
            0 | 8 | 13..=18 => (0, false),
            9 | 10 => return,
            _ => return self.note("icmpv4.unknown_type"),
        };
        let quoted = bytes.get(8..).unwrap_or(&[]);
        if code > most {
            self.note("icmpv4.unknown_code");
        } else if quotes && (!quoted.is_empty() || kind == 4) {
            self.quoted(quoted, 4, 20, "icmpv4.ipv4_trunc_pkt", "icmpv4.ipv4_unknown_ver");
        }
    }

    /// A message with the hop limit that its packet has.
    pub fn icmpv6(&mut self, bytes: &[u8], hops_left: u8) {
        let ([kind, code, ..], 8..) = (bytes, bytes.len()) else { return };
        let (most, quotes) = match kind {
            1 => (6, true),
            2 => (0, true),
            3 => (1, true),
            4 => (2, true),
            128..=137 | 141..=149 | 156..=159 => (0, false),
            138..=140 => (2, false),
            // The route-over control messages: plain and secured ones (RFC 6550).
            155 => (if *code < 128 { 3 } else { 132 }, false),
            150..=153 => (255, false),
            100 | 101 | 200 | 201 => return self.note("icmpv6.experimentation_type"),
            5..=99 | 102..=126 | 160..=199 | 202.. => return self.note("icmpv6.unassigned_type"),
            _ => return self.note("icmpv6.unknown_type"),
        };
        // Renumbering starts a new sequence with the highest code (RFC 2894).
        if *code > most && (*kind, *code) != (138, 255) {
            self.note("icmpv6.unknown_code");
        } else if quotes {
            let quoted = bytes.get(8..).unwrap_or(&[]);
            self.quoted(quoted, 6, 40, "icmpv6.ipv6_trunc_pkt", "icmpv6.ipv6_unknown_version");
        }
        // Listeners are asked and answer on their own link only.
        if matches!(kind, 130..=132) && hops_left != 1 {
            self.note("icmpv6.mld_message_with_invalid_hl");
        }
    }

    fn quoted(&mut self, bytes: &[u8], version: u8, least: usize, cut: &'static str, other: &'static str) {
        match bytes.first() {
            Some(first) if bytes.len() >= least && first >> 4 != version => self.note(other),
            Some(_) if bytes.len() >= least => {}
            _ => self.note(cut),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_version_4(bytes: &[u8]) -> Vec<&'static str> {
        let mut odd = Odd::new(true);
        odd.icmpv4(bytes);
        odd.names().to_vec()
    }

    fn of_version_6(bytes: &[u8], hops_left: u8) -> Vec<&'static str> {
        let mut odd = Odd::new(true);
        odd.icmpv6(bytes, hops_left);
        odd.names().to_vec()
    }

    #[test]
    fn types_and_codes_that_are_not_assigned_are_noted() {
        assert_eq!(of_version_4(&[8, 0, 0, 0, 0, 0, 0, 0]), [""; 0]);
        assert_eq!(of_version_4(&[8, 1, 0, 0, 0, 0, 0, 0]), ["icmpv4.unknown_code"]);
        assert_eq!(of_version_4(&[99, 0, 0, 0, 0, 0, 0, 0]), ["icmpv4.unknown_type"]);
        assert_eq!(of_version_6(&[128, 3, 0, 0, 0, 0, 0, 0], 64), ["icmpv6.unknown_code"]);
        assert_eq!(of_version_6(&[50, 0, 0, 0, 0, 0, 0, 0], 64), ["icmpv6.unassigned_type"]);
        assert_eq!(of_version_6(&[200, 0, 0, 0, 0, 0, 0, 0], 64), ["icmpv6.experimentation_type"]);
        assert_eq!(of_version_6(&[127, 0, 0, 0, 0, 0, 0, 0], 64), ["icmpv6.unknown_type"]);
    }

    #[test]
    fn listeners_speak_on_their_link_only() {
        assert_eq!(of_version_6(&[131, 0, 0, 0, 0, 0, 0, 0], 1), [""; 0]);
        assert_eq!(of_version_6(&[131, 0, 0, 0, 0, 0, 0, 0], 2), ["icmpv6.mld_message_with_invalid_hl"]);
    }

    #[test]
    fn quoted_packets_have_a_header_of_their_version() {
        let mut message = vec![3, 1, 0, 0, 0, 0, 0, 0];
        assert_eq!(of_version_4(&message), [""; 0], "nothing is quoted");
        message.extend([0x45; 19]);
        assert_eq!(of_version_4(&message), ["icmpv4.ipv4_trunc_pkt"]);
        message.push(0);
        assert_eq!(of_version_4(&message), [""; 0]);
        message[8] = 0x65;
        assert_eq!(of_version_4(&message), ["icmpv4.ipv4_unknown_ver"]);
        assert_eq!(of_version_6(&[1, 0, 0, 0, 0, 0, 0, 0, 0x60], 64), ["icmpv6.ipv6_trunc_pkt"]);
    }
}
