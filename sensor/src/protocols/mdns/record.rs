//! What is said of a message of multicast DNS.

use std::net::IpAddr;

luytre_events::record! {
    /// One message of multicast DNS: questions to everybody on the link, or what somebody announces there.
    pub struct MdnsMessage in "mdns" {
        /// Transaction id of the message; zero but for those who speak plain DNS to the group.
        id: Option<String> = "dns.id", Keyword, Term;
        /// query or answer.
        kind: &'static str = "dns.type", Keyword, Column;
        /// Flags that are set: AA, TC, RD, RA, AD, CD.
        header_flags: Vec<&'static str> = "dns.header_flags", Keyword list, Term;
        /// The first name asked for, in lower case, without the last dot.
        question_name: Option<String> = "dns.question.name", Keyword, Column;
        /// Type of the first record asked for.
        question_type: Option<String> = "dns.question.type", Keyword, Column;
        /// Questions in the message, when it is not one.
        questions_count: Option<u64> = "dns.questions_count", Long, Term;
        /// All names asked for.
        question_names: Vec<String> = "mdns.questions.name", Keyword list, Term;
        /// Types asked for, one for each name.
        question_types: Vec<String> = "mdns.questions.type", Keyword list, Term;
        /// True when the asker wants the answer sent to itself alone (RFC 6762 section 5.4).
        unicast_wanted: Option<bool> = "mdns.unicast_wanted", Boolean, Term;
        /// Names of the answers, one for each answer; in a query those that the asker knows already.
        answer_names: Vec<String> = "dns.answers.name", Keyword list, Term;
        /// Types of the answers, one for each answer.
        answer_types: Vec<String> = "dns.answers.type", Keyword list, Term;
        /// Seconds that the answers may be kept, one for each answer; zero says goodbye.
        answer_ttls: Vec<u32> = "dns.answers.ttl", Long list, Term;
        /// Data of the answers as text, one for each answer.
        answer_data: Vec<String> = "dns.answers.data", Keyword list, Term;
        /// Names of the records that are added unasked, one for each.
        additional_names: Vec<String> = "mdns.additionals.name", Keyword list, Term;
        /// Types of the records that are added unasked, one for each.
        additional_types: Vec<String> = "mdns.additionals.type", Keyword list, Term;
        /// Data of the records that are added unasked, one for each.
        additional_data: Vec<String> = "mdns.additionals.data", Keyword list, Term;
        /// Names that a host wants to have and asks whether somebody has them (RFC 6762 section 8.1).
        claimed_names: Vec<String> = "mdns.claimed_names", Keyword list, Term;
        /// Kinds of service that are asked for or announced: _ipp._tcp.
        services: Vec<String> = "mdns.services", Keyword list, Column;
        /// Hosts that are announced to offer a service.
        hosts: Vec<String> = "mdns.hosts", Keyword list, Term;
        /// What services say of themselves (TXT records): model=LaserJet and so on.
        text: Vec<String> = "mdns.text", Keyword list, Term;
        /// Addresses in answers and added records.
        resolved_ip: Vec<IpAddr> = "dns.resolved_ip", Ip list, Term;
        /// Bytes of the message.
        size_bytes: u64 = "dns.size", Long, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "dns.malformed", Boolean, Term;
    }
}
