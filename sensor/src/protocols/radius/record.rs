//! What is said of a request and its answer.

use std::net::IpAddr;

luytre_events::record! {
    /// One RADIUS request with its answer: somebody logs in, or a session is accounted for.
    pub struct RadiusExchange in "radius" {
        /// Kind of request: access-request, accounting-request, disconnect-request and so on.
        request: Option<String> = "radius.request", Keyword, Column;
        /// Kind of answer: access-accept, access-reject, access-challenge and so on; absent where there was none.
        answer: Option<String> = "radius.answer", Keyword, Column;
        /// success or failure, where the answer decides.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number that joins request and answer.
        identifier: u64 = "radius.identifier", Long, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// True when a password or its digest was seen (hidden by the protocol).
        password_seen: Option<bool> = "radius.password_seen", Boolean, Term;
        /// How somebody logs in: pap, chap, ms-chap, eap.
        method: Option<&'static str> = "radius.method", Keyword, Term;
        /// The device that asks.
        nas_ip: Option<IpAddr> = "radius.nas.ip", Ip, Column;
        /// The device that asks, by the name it gives itself.
        nas_identifier: Option<String> = "radius.nas.identifier", Keyword, Term;
        /// Port of that device.
        nas_port: Option<u64> = "radius.nas.port", Long, Stored;
        /// Kind of that port: ethernet, wireless, virtual and so on.
        nas_port_type: Option<String> = "radius.nas.port_type", Keyword, Term;
        /// Name of that port.
        nas_port_id: Option<String> = "radius.nas.port_id", Keyword, Stored;
        /// Station that calls, mostly a hardware address.
        calling_station: Option<String> = "radius.calling_station", Keyword, Term;
        /// Station that is called, mostly a hardware address and a network's name.
        called_station: Option<String> = "radius.called_station", Keyword, Term;
        /// Kind of service that is asked for or granted.
        service_type: Option<String> = "radius.service_type", Keyword, Term;
        /// Address that the user gets.
        framed_ip: Option<IpAddr> = "radius.framed_ip", Ip, Term;
        /// Rules that are applied to the user.
        filter: Option<String> = "radius.filter", Keyword, Term;
        /// Network that the user is put into (RFC 3580: mostly a VLAN).
        private_group: Option<String> = "radius.tunnel_private_group", Keyword, Term;
        /// What the user is told.
        reply_message: Option<String> = "radius.reply_message", Keyword, Term;
        /// What is accounted for: start, stop, interim-update and so on.
        accounting: Option<String> = "radius.accounting.status", Keyword, Term;
        /// Session that is accounted for.
        session_id: Option<String> = "radius.accounting.session_id", Keyword, Term;
        /// Length of the session in seconds.
        session_s: Option<u64> = "radius.accounting.session_time", Long, Term;
        /// Bytes from the user in the session.
        input_bytes: Option<u64> = "radius.accounting.input_bytes", Long, Term;
        /// Bytes to the user in the session.
        output_bytes: Option<u64> = "radius.accounting.output_bytes", Long, Term;
        /// Why the session ended, by number.
        terminate_cause: Option<u64> = "radius.accounting.terminate_cause", Long, Term;
        /// Nanoseconds from request to answer.
        duration_ns: Option<u64> = "event.duration", Long, Column;
        /// How often the request was sent again.
        repeated: Option<u64> = "radius.repeated", Long, Term;
        /// True when a message was broken and only its readable part is told.
        malformed: Option<bool> = "radius.malformed", Boolean, Term;
    }
}
