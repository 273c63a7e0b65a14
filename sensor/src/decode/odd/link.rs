//! What is odd about what stands before IP: headers of links, tags, labels, and tunnels with a header of their own.

use super::Odd;

/// Protocols of networks that PPP is known to carry and that are not followed (IANA, "PPP DLL Protocol Numbers").
const KNOWN_TO_PPP: [u16; 14] =
    [0x0023, 0x0025, 0x0027, 0x0029, 0x002b, 0x002d, 0x0031, 0x0033, 0x0035, 0x0205, 0x0231, 0x0233, 0x0281, 0x0283];
/// From here on PPP speaks of itself: it opens links and networks, and closes them.
const PPP_CONTROL: u16 = 0x8000;
/// Codes of PPPoE in its first stage (RFC 2516 section 5): offer, begin, session, ask, end.
const PPPOE_CODES: [u8; 5] = [0x07, 0x09, 0x65, 0x19, 0xa7];

impl Odd {
    /// Notes that a header is not all there.
    pub fn cut(&mut self, bytes: &[u8], least: usize, name: &'static str) {
        if bytes.len() < least {
            self.note(name);
        }
    }

    /// A protocol of PPP whose number is written in one byte or two, and what it carries.
    pub fn ppp(&mut self, protocol: u16, packed: bool, carried: &[u8]) {
        match protocol {
            0x0021 => self.cut(carried, 20, "ppp.ip4_pkt_too_small"),
            0x0057 => self.cut(carried, 40, "ppp.ip6_pkt_too_small"),
            0x002f => self.cut(carried, 20, "ppp.vju_pkt_too_small"),
            PPP_CONTROL.. => {}
            _ if packed || KNOWN_TO_PPP.contains(&protocol) => self.note("ppp.unsup_proto"),
            _ => self.note("ppp.wrong_type"),
        }
    }

    /// The first stage of PPPoE: code, session, length, tags.
    pub fn pppoe_discovery(&mut self, bytes: &[u8]) {
        let Some([_, code, _, _, high, low]) = bytes.first_chunk::<6>() else {
            return self.note("pppoe.pkt_too_small");
        };
        if !PPPOE_CODES.contains(code) {
            self.note("pppoe.wrong_code");
        }
        let mut tags = match bytes.get(6..6 + usize::from(u16::from_be_bytes([*high, *low]))) {
            Some(tags) => tags,
            None => return self.note("pppoe.malformed_tags"),
        };
        while let [_, _, high, low, rest @ ..] = tags {
            match rest.get(usize::from(u16::from_be_bytes([*high, *low]))..) {
                Some(more) => tags = more,
                None => return self.note("pppoe.malformed_tags"),
            }
        }
    }

    /// A packet of ARP between Ethernet and IPv4, or what is none (RFC 826, RFC 903, RFC 2390).
    pub fn arp(&mut self, bytes: &[u8]) {
        let Some([hardware @ .., kind, network, sizes, sizes_4, high, low]) = bytes.first_chunk::<8>() else {
            return self.note("arp.pkt_too_small");
        };
        if *hardware != [0, 1] {
            self.note("arp.unsupported_hardware");
        } else if [*kind, *network] != [8, 0] {
            self.note("arp.unsupported_protocol");
        } else if *sizes != 6 {
            self.note("arp.invalid_hardware_size");
        } else if *sizes_4 != 4 {
            self.note("arp.invalid_protocol_size");
        } else if !matches!([*high, *low], [0, 1..=4 | 8..=10]) {
            self.note("arp.unsupported_opcode");
        } else {
            self.cut(bytes, 28, "arp.pkt_too_small");
        }
    }

    /// The last label of MPLS (RFC 3032 section 2.1) and what stands behind it.
    pub fn mpls(&mut self, label: u32, carried: &[u8]) {
        match (label, carried.first().map(|first| first >> 4)) {
            (1, _) => self.note("mpls.bad_label_router_alert"),
            (3, _) => self.note("mpls.bad_label_implicit_null"),
            (4..16, _) => self.note("mpls.bad_label_reserved"),
            (_, None) => self.note("mpls.pkt_too_small"),
            (0 | 2, _) | (_, Some(0 | 4 | 6)) => {}
            _ => self.note("mpls.unknown_payload_type"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(look: impl FnOnce(&mut Odd)) -> Vec<&'static str> {
        let mut odd = Odd::new(true);
        look(&mut odd);
        odd.names().to_vec()
    }

    #[test]
    fn protocols_of_ppp_are_known_odd_or_cut() {
        assert_eq!(noted(|odd| odd.ppp(0x0021, false, &[0; 20])), [""; 0]);
        assert_eq!(noted(|odd| odd.ppp(0x0021, false, &[0; 19])), ["ppp.ip4_pkt_too_small"]);
        assert_eq!(noted(|odd| odd.ppp(0xc021, false, &[0; 9])), [""; 0]);
        assert_eq!(noted(|odd| odd.ppp(0x002b, false, &[0; 9])), ["ppp.unsup_proto"]);
        assert_eq!(noted(|odd| odd.ppp(0x1234, false, &[0; 9])), ["ppp.wrong_type"]);
    }

    #[test]
    fn tags_of_pppoe_end_where_their_length_says() {
        let good = [0x11, 9, 0, 0, 0, 6, 1, 1, 0, 2, 7, 7];
        assert_eq!(noted(|odd| odd.pppoe_discovery(&good)), [""; 0]);
        assert_eq!(noted(|odd| odd.pppoe_discovery(&good[..11])), ["pppoe.malformed_tags"]);
        assert_eq!(noted(|odd| odd.pppoe_discovery(&good[..5])), ["pppoe.pkt_too_small"]);
        assert_eq!(noted(|odd| odd.pppoe_discovery(&[0x11, 1, 0, 0, 0, 0])), ["pppoe.wrong_code"]);
    }

    #[test]
    fn only_packets_of_arp_that_can_be_read_are_no_news() {
        let mut packet = [0; 28];
        (packet[1], packet[2], packet[4], packet[5], packet[7]) = (1, 8, 6, 4, 1);
        assert_eq!(noted(|odd| odd.arp(&packet)), [""; 0]);
        assert_eq!(noted(|odd| odd.arp(&packet[..27])), ["arp.pkt_too_small"]);
        packet[7] = 77;
        assert_eq!(noted(|odd| odd.arp(&packet)), ["arp.unsupported_opcode"]);
        packet[4] = 8;
        assert_eq!(noted(|odd| odd.arp(&packet)), ["arp.invalid_hardware_size"]);
    }

    #[test]
    fn labels_that_say_nothing_of_what_follows_are_noted() {
        assert_eq!(noted(|odd| odd.mpls(100, &[0x45])), [""; 0]);
        assert_eq!(noted(|odd| odd.mpls(100, &[0x95])), ["mpls.unknown_payload_type"]);
        assert_eq!(noted(|odd| odd.mpls(3, &[0x45])), ["mpls.bad_label_implicit_null"]);
        assert_eq!(noted(|odd| odd.mpls(7, &[0x45])), ["mpls.bad_label_reserved"]);
    }
}
