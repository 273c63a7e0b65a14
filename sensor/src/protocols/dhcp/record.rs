//! What is said of a DHCP message.

use std::net::IpAddr;

luytre_events::record! {
    /// One DHCP message: a host asks for an address or a server gives one.
    pub struct DhcpMessage in "dhcp" {
        /// request (from a client) or reply (from a server).
        kind: &'static str = "dhcp.type", Keyword, Column;
        /// discover, offer, request, decline, ack, nak, release, inform and so on; absent in plain BOOTP.
        message_type: Option<String> = "dhcp.message_type", Keyword, Column;
        /// Number that joins the messages of one exchange.
        transaction_id: u64 = "dhcp.transaction_id", Long, Term;
        /// Hardware address of the client.
        client_mac: Option<String> = "client.mac", Keyword, Column;
        /// Name that the client gives itself, or the server gives it.
        hostname: Option<String> = "dhcp.hostname", Keyword, Column;
        /// Full domain name that the client wants to have in DNS (RFC 4702).
        fqdn: Option<String> = "dhcp.fqdn", Keyword, Term;
        /// Domain that the client is put into.
        domain: Option<String> = "dhcp.domain", Keyword, Term;
        /// Make and system of the client, as it says: MSFT 5.0, android-dhcp-13.
        vendor_class: Option<String> = "dhcp.vendor_class", Keyword, Column;
        /// Group of clients that the client counts itself to (RFC 3004).
        user_class: Option<String> = "dhcp.user_class", Keyword, Term;
        /// How the client names itself to the server, in hexadecimal (RFC 2132 section 9.14).
        client_id: Option<String> = "dhcp.client_id", Keyword, Term;
        /// Numbers of the options that the client wants, in its order: a fingerprint of its system.
        parameters: Option<String> = "dhcp.parameter_list", Keyword, Term;
        /// Address that the client has already.
        client_ip: Option<IpAddr> = "dhcp.client_ip", Ip, Term;
        /// Address that the client asks for.
        requested_ip: Option<IpAddr> = "dhcp.requested_ip", Ip, Term;
        /// Address that the server gives.
        assigned_ip: Option<IpAddr> = "dhcp.assigned_ip", Ip, Column;
        /// Address of the server, as it names itself.
        server_id: Option<IpAddr> = "dhcp.server_id", Ip, Column;
        /// Server from which to start up.
        next_server_ip: Option<IpAddr> = "dhcp.next_server_ip", Ip, Term;
        /// Relay that passed the message on.
        relay_ip: Option<IpAddr> = "dhcp.relay_ip", Ip, Term;
        /// Seconds for which the address is given.
        lease_s: Option<u64> = "dhcp.lease_time", Long, Term;
        /// Seconds until the client renews.
        renewal_s: Option<u64> = "dhcp.renewal_time", Long, Term;
        /// Seconds until the client asks any server.
        rebinding_s: Option<u64> = "dhcp.rebinding_time", Long, Term;
        /// Mask of the network.
        subnet_mask: Option<IpAddr> = "dhcp.subnet_mask", Ip, Stored;
        /// Routers that the client shall use.
        routers: Vec<IpAddr> = "dhcp.routers", Ip list, Term;
        /// Name servers that the client shall use.
        dns_servers: Vec<IpAddr> = "dhcp.dns_servers", Ip list, Term;
        /// Time servers that the client shall use.
        ntp_servers: Vec<IpAddr> = "dhcp.ntp_servers", Ip list, Term;
        /// Routes that the client shall use (RFC 3442): they can lead its traffic elsewhere.
        routes: Vec<String> = "dhcp.routes", Keyword list, Term;
        /// Place of the file that sets the client's proxy.
        proxy_url: Option<String> = "dhcp.proxy_url", Keyword, Term;
        /// Server of the file to start up from.
        boot_server: Option<String> = "dhcp.boot_server", Keyword, Term;
        /// File to start up from.
        boot_file: Option<String> = "dhcp.boot_file", Keyword, Term;
        /// Reason that is given.
        message: Option<String> = "dhcp.message", Text, Stored;
        /// Line or port from which the client asks, as the relay says (RFC 3046), in hexadecimal where it is no text.
        circuit_id: Option<String> = "dhcp.relay.circuit_id", Keyword, Term;
        /// The client's modem or switch, as the relay says.
        remote_id: Option<String> = "dhcp.relay.remote_id", Keyword, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "dhcp.malformed", Boolean, Term;
    }
}
