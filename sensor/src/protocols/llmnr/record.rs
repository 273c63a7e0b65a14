//! What is said of a message of LLMNR.

use std::net::IpAddr;

luytre_events::record! {
    /// One message of link-local multicast name resolution: a question to everybody on the link, or somebody's answer.
    pub struct LlmnrMessage in "llmnr" {
        /// Transaction id of the message; an answer carries its query's.
        id: String = "dns.id", Keyword, Term;
        /// query or answer.
        kind: &'static str = "dns.type", Keyword, Column;
        /// Kind of query: QUERY and nothing else in ordinary traffic.
        op_code: String = "dns.op_code", Keyword, Term;
        /// Flags that are set: C (conflict), TC, T (tentative).
        header_flags: Vec<&'static str> = "dns.header_flags", Keyword list, Term;
        /// Result of an answer.
        response_code: Option<String> = "dns.response_code", Keyword, Column;
        /// The name asked for, in lower case, without the last dot.
        question_name: Option<String> = "dns.question.name", Keyword, Column;
        /// Type of the record asked for.
        question_type: Option<String> = "dns.question.type", Keyword, Column;
        /// Class asked for, nearly always IN.
        question_class: Option<String> = "dns.question.class", Keyword, Term;
        /// Names of the answers, one for each answer.
        answer_names: Vec<String> = "dns.answers.name", Keyword list, Term;
        /// Types of the answers, one for each answer.
        answer_types: Vec<String> = "dns.answers.type", Keyword list, Term;
        /// Seconds that the answers may be kept, one for each answer.
        answer_ttls: Vec<u32> = "dns.answers.ttl", Long list, Term;
        /// Data of the answers as text, one for each answer.
        answer_data: Vec<String> = "dns.answers.data", Keyword list, Term;
        /// Addresses in the answers.
        resolved_ip: Vec<IpAddr> = "dns.resolved_ip", Ip list, Term;
        /// Bytes of the message.
        size_bytes: u64 = "dns.size", Long, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "dns.malformed", Boolean, Term;
    }
}
