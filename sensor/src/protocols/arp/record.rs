//! What is said of a packet of ARP.

use std::net::IpAddr;

luytre_events::record! {
    /// One packet of ARP: a host asks who has an address, or says that it has one.
    pub struct ArpSeen in "arp" {
        /// arp.
        protocol: &'static str = "network.protocol", Keyword, Column;
        /// request, reply, and what else there is, by number where it has no name.
        operation: String = "arp.operation", Keyword, Column;
        /// Address that the sender says to have.
        source_ip: Option<IpAddr> = "source.ip", Ip, Column;
        /// Hardware address that the sender says to have.
        source_mac: String = "source.mac", Keyword, Column;
        /// Address that is asked for or answered to.
        destination_ip: Option<IpAddr> = "destination.ip", Ip, Column;
        /// Hardware address that goes with it; means nothing in a request.
        destination_mac: String = "destination.mac", Keyword, Column;
        /// VLAN of the innermost 802.1Q tag.
        vlan: Option<u64> = "network.vlan.id", Long, Term;
        /// True when a host announces its own address to everybody (RFC 5227 section 3).
        announcement: Option<bool> = "arp.announcement", Boolean, Term;
        /// True when a host asks whether an address is free (RFC 5227 section 2.1).
        probe: Option<bool> = "arp.probe", Boolean, Term;
    }
}
