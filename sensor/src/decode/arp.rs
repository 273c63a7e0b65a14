//! ARP (RFC 826): who has which IPv4 address on the link. The only packets without IP that are looked at.

use std::net::Ipv4Addr;

use super::{Outcome, Refusal, Stop, Walk, refused};
use crate::protocols::reader::Reader;

const ETHERNET: u16 = 1;
const IPV4: u16 = 0x0800;

/// One packet of ARP between Ethernet and IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArpPacket {
    /// 1 asks, 2 answers (IANA "Address Resolution Protocol Parameters").
    pub operation: u16,
    /// Hardware and network address of the sender.
    pub sender: ([u8; 6], Ipv4Addr),
    /// Hardware and network address of whom it is about; the hardware address of a question means nothing.
    pub target: ([u8; 6], Ipv4Addr),
    /// VLAN id of the innermost 802.1Q tag.
    pub vlan: Option<u16>,
}

impl<'a> Walk<'a, '_> {
    /// What stands behind ARP's EtherType. Of other hardware and networks there is nothing to tell.
    pub(super) fn arp(&mut self, bytes: &'a [u8]) -> Outcome<'a> {
        self.odd.arp(bytes);
        let mut r = Reader::new(bytes);
        if (r.u16()?, r.u16()?, r.u8()?, r.u8()?) != (ETHERNET, IPV4, 6, 4) {
            return refused(Refusal::NotIp);
        }
        let operation = r.u16()?;
        let sender = (r.array()?, r.array::<4>()?.into());
        let target = (r.array()?, r.array::<4>()?.into());
        Err(Stop::Arp(ArpPacket { operation, sender, target, vlan: self.vlan }))
    }
}
