//! What is said of a DHCPv6 message.

use std::net::IpAddr;

luytre_events::record! {
    /// One DHCPv6 message: a host asks for an address or a prefix, or a server gives one.
    pub struct Dhcpv6Message in "dhcpv6" {
        /// solicit, advertise, request, confirm, renew, rebind, reply, release, decline, information-request and so on.
        message_type: String = "dhcpv6.message_type", Keyword, Column;
        /// Number that joins the messages of one exchange.
        transaction_id: Option<u64> = "dhcpv6.transaction_id", Long, Term;
        /// How the client names itself (DUID), in hexadecimal.
        client_id: Option<String> = "dhcpv6.client_id", Keyword, Term;
        /// Hardware address of the client, where its identifier has one.
        client_mac: Option<String> = "client.mac", Keyword, Column;
        /// How the server names itself (DUID), in hexadecimal.
        server_id: Option<String> = "dhcpv6.server_id", Keyword, Term;
        /// Addresses that are asked for or given.
        addresses: Vec<IpAddr> = "dhcpv6.addresses", Ip list, Term;
        /// Prefixes that are asked for or given.
        prefixes: Vec<String> = "dhcpv6.prefixes", Keyword list, Term;
        /// Seconds for which the first address or prefix is valid.
        valid_s: Option<u64> = "dhcpv6.valid_lifetime", Long, Term;
        /// Full domain name of the client (RFC 4704).
        fqdn: Option<String> = "dhcpv6.fqdn", Keyword, Column;
        /// Make and system of the client, as it says.
        vendor_class: Option<String> = "dhcpv6.vendor_class", Keyword, Column;
        /// IANA number of the vendor of that class.
        enterprise: Option<u64> = "dhcpv6.enterprise", Long, Term;
        /// Numbers of the options that the client wants, in its order: a fingerprint of its system.
        parameters: Option<String> = "dhcpv6.parameter_list", Keyword, Term;
        /// Name servers that the client shall use.
        dns_servers: Vec<IpAddr> = "dhcpv6.dns_servers", Ip list, Term;
        /// Domains that the client shall search.
        domains: Vec<String> = "dhcpv6.domains", Keyword list, Term;
        /// Result that the server gives: success, no addresses available and so on.
        status: Option<String> = "dhcpv6.status", Keyword, Term;
        /// Relays that passed the message on, the one nearest to the client last.
        relays: Vec<IpAddr> = "dhcpv6.relays", Ip list, Term;
        /// The client's address, as the nearest relay saw it.
        peer_ip: Option<IpAddr> = "dhcpv6.peer_ip", Ip, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "dhcpv6.malformed", Boolean, Term;
    }
}
