//! Link headers: what the bytes of a frame begin with, down to the network layer.

use super::{Outcome, Refusal, Stop, Vlans, Walk, refused};
use crate::capture::LinkType;
use crate::protocols::reader::{Reader, Short};

/// Most VLAN tags and MPLS labels that are passed over in one frame.
const TAGS_MAX: usize = 16;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
const VLAN: u16 = 0x8100;
const QINQ: u16 = 0x88a8;
const OLD_QINQ: [u16; 3] = [0x9100, 0x9200, 0x9300];
const MPLS: [u16; 2] = [0x8847, 0x8848];
const PPPOE_DISCOVERY: u16 = 0x8863;
const PPPOE_SESSION: u16 = 0x8864;
const BRIDGED_ETHERNET: u16 = 0x6558;
const PPP: u16 = 0x880b;
const VNTAG: u16 = 0x8926;
/// Cisco's FabricPath.
const FABRIC_PATH: u16 = 0x8903;
const NSH: u16 = 0x894f;
const ETHERTYPE_MIN: u16 = 0x0600;

impl From<Short> for Stop {
    fn from(_: Short) -> Stop {
        Stop::Refused(Refusal::BadLink)
    }
}

impl<'a> Walk<'a, '_> {
    fn tagged(&mut self, tag: u16) {
        self.vlan = Some(tag);
        self.vlans.add(tag);
    }

    /// Takes off the link header of a captured frame.
    pub(super) fn link(&mut self, link: LinkType, bytes: &'a [u8]) -> Outcome<'a> {
        let mut r = Reader::new(bytes);
        match link.0 {
            1 => self.ethernet(bytes),
            12 | 14 | 101 | 228 | 229 => {
                if bytes.len() >= 20 && bytes.first().is_some_and(|first| !matches!(first >> 4, 4 | 6)) {
                    self.odd.note("ipraw.invalid_ip_version");
                }
                self.ip(bytes)
            }
            0 | 108 => self.loopback(bytes),
            9 | 50 => self.ppp_framed(bytes),
            104 => {
                self.odd.cut(bytes, 4, "chdlc.pkt_too_small");
                r.skip(2)?;
                let kind = r.u16()?;
                self.ethertype(kind, r.rest())
            }
            113 => {
                self.odd.cut(bytes, 16, "sll.pkt_too_small");
                r.skip(14)?;
                let kind = r.u16()?;
                self.ethertype(kind, r.rest())
            }
            276 => {
                self.odd.cut(bytes, 20, "sll2.pkt_too_small");
                let kind = r.u16()?;
                r.skip(18)?;
                self.ethertype(kind, r.rest())
            }
            239 => self.nflog(bytes),
            _ => refused(Refusal::UnknownLink),
        }
    }

    /// IEEE 802.3: two addresses and a type.
    pub(super) fn ethernet(&mut self, bytes: &'a [u8]) -> Outcome<'a> {
        self.odd.cut(bytes, 14, "ethernet.pkt_too_small");
        let mut r = Reader::new(bytes);
        r.skip(12)?;
        let kind = r.u16()?;
        self.ethertype(kind, r.rest())
    }

    /// What stands behind an EtherType, tags and labels passed over.
    pub(super) fn ethertype(&mut self, kind: u16, bytes: &'a [u8]) -> Outcome<'a> {
        let mut kind = kind;
        let mut r = Reader::new(bytes);
        // What to call a kind that is not known, by the tag before it.
        let mut unknown = "ethernet.unknown_ethertype";
        for _ in 0..TAGS_MAX {
            match kind {
                IPV4 | IPV6 => {
                    if self.odd.is_wanted() {
                        self.odd.version(if kind == IPV4 { 4 } else { 6 }, r.rest());
                    }
                    return self.ip(r.rest());
                }
                ARP => return self.arp(r.rest()),
                VLAN | QINQ => {
                    kind = self.tag(&mut r)?;
                    unknown = "vlan.unknown_type";
                }
                _ if OLD_QINQ.contains(&kind) => {
                    kind = self.tag(&mut r)?;
                    unknown = "vlan.unknown_type";
                }
                VNTAG => {
                    self.odd.cut(r.rest(), 6, "vntag.header_too_small");
                    r.skip(4)?;
                    kind = r.u16()?;
                    unknown = "vntag.unknown_type";
                }
                FABRIC_PATH => {
                    self.odd.cut(r.rest(), 16, "dce.pkt_too_small");
                    return refused(Refusal::NotIp);
                }
                PPPOE_DISCOVERY => {
                    self.odd.pppoe_discovery(r.rest());
                    return refused(Refusal::NotIp);
                }
                _ if MPLS.contains(&kind) => return self.mpls(r.rest()),
                PPPOE_SESSION => {
                    self.odd.cut(r.rest(), 7, "pppoe.pkt_too_small");
                    r.skip(6)?;
                    return self.ppp_framed(r.rest());
                }
                NSH => {
                    // Service chains (RFC 8300): length in words, what is inside.
                    self.odd.cut(r.rest(), 8, "nsh.header_too_small");
                    let words = usize::from(r.u16()? & 0x3f);
                    r.skip(1)?;
                    let inside = r.u8()?;
                    r.skip((words * 4).saturating_sub(4))?;
                    self.deeper()?;
                    kind = match inside {
                        1 => IPV4,
                        2 => IPV6,
                        3 => return self.ethernet(r.rest()),
                        4 => NSH,
                        _ => {
                            self.odd.note("nsh.unknown_payload");
                            return refused(Refusal::NotIp);
                        }
                    };
                }
                PPP => return self.ppp_framed(r.rest()),
                BRIDGED_ETHERNET => {
                    self.deeper()?;
                    return self.ethernet(r.rest());
                }
                // IEEE 802.2: a length instead of a type; SNAP (RFC 1042) may carry a type behind it.
                0..ETHERTYPE_MIN if r.rest().starts_with(&[0xaa, 0xaa, 0x03]) => {
                    r.skip(6)?;
                    kind = r.u16()?;
                }
                0..ETHERTYPE_MIN => return refused(Refusal::NotIp),
                _ => {
                    self.odd.note(unknown);
                    return refused(Refusal::NotIp);
                }
            }
        }
        refused(Refusal::Nesting)
    }

    /// Takes off a tag of a virtual network; says what stands behind it.
    fn tag(&mut self, r: &mut Reader<'a>) -> Result<u16, Short> {
        self.odd.cut(r.rest(), 4, "vlan.header_too_small");
        if self.vlans.tags().len() == Vlans::MAX {
            self.odd.note("vlan.too_many_layers");
        }
        self.tagged(r.u16()? & 0x0fff);
        r.u16()
    }

    /// MPLS (RFC 3032): labels up to the one that says it is the last; what follows is told by its first half-byte.
    fn mpls(&mut self, bytes: &'a [u8]) -> Outcome<'a> {
        let mut r = Reader::new(bytes);
        for _ in 0..TAGS_MAX {
            self.odd.cut(r.rest(), 4, "mpls.header_too_small");
            let label = r.u32()?;
            if label & 0x100 == 0 {
                continue;
            }
            self.odd.mpls(label >> 12, r.rest());
            return match r.rest().first().map(|b| b >> 4) {
                Some(4 | 6) => self.ip(r.rest()),
                // A pseudowire's control word (RFC 4385), then Ethernet.
                Some(0) => {
                    r.skip(4)?;
                    self.deeper()?;
                    self.ethernet(r.rest())
                }
                _ => {
                    self.deeper()?;
                    self.ethernet(r.rest())
                }
            };
        }
        refused(Refusal::Nesting)
    }

    /// PPP with its address and control bytes (RFC 1662), which may be left out, as may half of the protocol.
    pub(super) fn ppp_framed(&mut self, bytes: &'a [u8]) -> Outcome<'a> {
        let mut r = Reader::new(bytes);
        self.odd.cut(bytes, 1, "ppp.pkt_too_small");
        if bytes.starts_with(&[0xff, 0x03]) {
            r.skip(2)?;
            self.odd.cut(r.rest(), 2, "ppp.pkt_too_small");
        }
        let first = r.u8()?;
        let packed = first & 1 == 1;
        let protocol = if packed { first.into() } else { u16::from(first) << 8 | u16::from(r.u8()?) };
        self.odd.ppp(protocol, packed, r.rest());
        self.ppp(protocol, r.rest())
    }

    fn ppp(&mut self, protocol: u16, bytes: &'a [u8]) -> Outcome<'a> {
        match protocol {
            0x0021 | 0x0057 => self.ip(bytes),
            0x0281 | 0x0283 => self.mpls(bytes),
            _ => refused(Refusal::NotIp),
        }
    }

    /// BSD loopback: a protocol family in the byte order of whoever captured it; IPv6 has several numbers.
    fn loopback(&mut self, bytes: &'a [u8]) -> Outcome<'a> {
        let mut r = Reader::new(bytes);
        self.odd.cut(bytes, 4, "ltnull.pkt_too_small");
        let family = r.u32()?;
        match family.min(family.swap_bytes()) {
            2 | 10 | 24 | 28 | 30 => self.ip(r.rest()),
            _ => {
                self.odd.note("ltnull.unsupported_type");
                refused(Refusal::NotIp)
            }
        }
    }

    /// Netfilter log: type-length-value, of which number 9 is the packet.
    fn nflog(&mut self, bytes: &'a [u8]) -> Outcome<'a> {
        let mut r = Reader::new(bytes);
        r.skip(4)?;
        while let (Ok(length), Ok(kind)) = (r.array().map(u16::from_le_bytes), r.array().map(u16::from_le_bytes)) {
            let value = r.take(usize::from(length).saturating_sub(4))?;
            if kind & 0x7fff == 9 {
                return self.ip(value);
            }
            r.skip(usize::from(length).next_multiple_of(4).saturating_sub(length.into()))?;
        }
        refused(Refusal::NotIp)
    }

    /// One encapsulation more.
    pub(super) fn deeper(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > super::NESTING_MAX {
            self.odd.note("too_many_layers");
            return Err(Stop::Refused(Refusal::Nesting));
        }
        Ok(())
    }
}
