//! What is said of a request to a SOCKS proxy: one event each.

use std::net::IpAddr;

luytre_events::record! {
    /// One request to a SOCKS proxy and its answer.
    pub struct SocksRequest in "socks" {
        /// Version of the protocol: 4 or 5.
        version: u8 = "socks.version", Long, Term;
        /// connect, bind or udp-associate.
        command: Option<&'static str> = "socks.command", Keyword, Column;
        /// Name of the host that is to be reached, where the client gives one.
        domain: Option<String> = "socks.destination.domain", Keyword, Column;
        /// Address that is to be reached, where the client gives one.
        ip: Option<IpAddr> = "socks.destination.ip", Ip, Column;
        /// Port that is to be reached.
        port: Option<u16> = "socks.destination.port", Long, Column;
        /// Ways of logging in that the client offers.
        methods: Vec<String> = "socks.auth.offered", Keyword list, Term;
        /// Way of logging in that the proxy chose.
        method: Option<String> = "socks.auth.method", Keyword, Term;
        /// Who asks, as the client says.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// True when a password went over the wire in clear.
        password_seen: Option<bool> = "socks.password_seen", Boolean, Column;
        /// Answer of the proxy: succeeded, or why not.
        reply: Option<String> = "socks.reply", Keyword, Column;
        /// Address that the proxy uses for it, where it says one.
        bound_ip: Option<IpAddr> = "socks.bound.ip", Ip, Term;
        /// Port that the proxy uses for it.
        bound_port: Option<u16> = "socks.bound.port", Long, Term;
    }
}
