//! What is said of a message about NetBIOS names.

use std::net::IpAddr;

luytre_events::record! {
    /// One message about NetBIOS names: a question, a claim to a name, or an answer.
    pub struct NbnsMessage in "nbns" {
        /// Transaction id of the message; an answer carries its query's.
        id: String = "dns.id", Keyword, Term;
        /// query or answer.
        kind: &'static str = "dns.type", Keyword, Column;
        /// What is wanted: query, registration, release, wait, refresh, multihomed registration.
        operation: String = "nbns.operation", Keyword, Column;
        /// The name, in lower case, with its scope behind a dot where it has one.
        name: Option<String> = "dns.question.name", Keyword, Column;
        /// NB (addresses of a name) or NBSTAT (all names of a host).
        question_type: Option<String> = "dns.question.type", Keyword, Column;
        /// The sixteenth byte of the name, in hexadecimal: what kind of service it stands for.
        suffix: Option<String> = "nbns.suffix", Keyword, Term;
        /// The kind of service in words, where it is known.
        service: Option<&'static str> = "nbns.service", Keyword, Term;
        /// True when the message was sent to everybody on the link.
        broadcast: Option<bool> = "nbns.broadcast", Boolean, Term;
        /// Result of an answer: NOERROR, NAME_ERROR, ACTIVE_ERROR and so on.
        response_code: Option<String> = "dns.response_code", Keyword, Column;
        /// True when the name is a group's.
        group: Option<bool> = "nbns.group", Boolean, Term;
        /// Addresses that have the name, or that want it.
        resolved_ip: Vec<IpAddr> = "dns.resolved_ip", Ip list, Term;
        /// All names of the host that answers, each with its suffix: may1<20>.
        names: Vec<String> = "nbns.names", Keyword list, Term;
        /// Hardware address that the host tells of itself.
        hardware_address: Option<String> = "nbns.mac", Keyword, Term;
        /// Bytes of the message.
        size_bytes: u64 = "dns.size", Long, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "dns.malformed", Boolean, Term;
    }
}
