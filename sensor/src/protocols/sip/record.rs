//! What is said of a SIP message.

use std::net::IpAddr;

luytre_events::record! {
    /// One SIP message: a request (a call, a log-in at an exchange) or a response to one.
    pub struct SipMessage in "sip" {
        /// request or response.
        kind: &'static str = "sip.type", Keyword, Column;
        /// INVITE, REGISTER and so on; of a response the method that it answers.
        method: Option<String> = "sip.method", Keyword, Column;
        /// Whom or what the request is for.
        uri: Option<String> = "sip.uri", Keyword, Term;
        /// SIP/2.0.
        version: Option<String> = "sip.version", Keyword, Term;
        /// Result: 200, 401, 404, 486 and so on.
        status_code: Option<u64> = "sip.status_code", Long, Column;
        /// The result in words.
        reason: Option<String> = "sip.reason", Keyword, Term;
        /// Who calls.
        from: Option<String> = "sip.from", Keyword, Column;
        /// Who is called.
        to: Option<String> = "sip.to", Keyword, Column;
        /// Joins all messages of a call.
        call_id: Option<String> = "sip.call_id", Keyword, Term;
        /// Number and method that join a request and its responses.
        sequence: Option<String> = "sip.cseq", Keyword, Term;
        /// Where the sender wants to be reached.
        contact: Option<String> = "sip.contact", Keyword, Term;
        /// The hosts that the message passed, the last one first.
        via: Vec<String> = "sip.via", Keyword list, Stored;
        /// Program or telephone of the caller, as it says.
        user_agent: Option<String> = "user_agent.original", Keyword, Column;
        /// Program or telephone that answers, as it says.
        server: Option<String> = "sip.server", Keyword, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// Realm of a log-in, asked for or answered.
        realm: Option<String> = "sip.auth.realm", Keyword, Term;
        /// Seconds for which a registration is wanted or granted.
        expires_s: Option<u64> = "sip.expires", Long, Term;
        /// Type of the body.
        content_type: Option<String> = "sip.content_type", Keyword, Term;
        /// Bytes of the body, as promised.
        body_bytes: Option<u64> = "sip.body.bytes", Long, Term;
        /// Who describes the call: the line that begins with o=.
        sdp_origin: Option<String> = "sip.sdp.origin", Keyword, Term;
        /// Name of the call in its description.
        sdp_session: Option<String> = "sip.sdp.session_name", Keyword, Stored;
        /// The streams of the call: kind, port, transport, formats.
        sdp_media: Vec<String> = "sip.sdp.media", Keyword list, Term;
        /// Where the streams of the call go.
        sdp_addresses: Vec<IpAddr> = "sip.sdp.address", Ip list, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "sip.malformed", Boolean, Term;
    }
}
