//! What is said of a DNS message: one event a query and one an answer.

use std::net::IpAddr;

luytre_events::record! {
    /// One DNS message: a query or its answer.
    pub struct DnsMessage in "dns" {
        /// Transaction id of the message; an answer carries its query's.
        id: String = "dns.id", Keyword, Term;
        /// query or answer.
        kind: &'static str = "dns.type", Keyword, Column;
        /// Kind of query: QUERY, UPDATE, NOTIFY and so on.
        op_code: String = "dns.op_code", Keyword, Term;
        /// Flags that are set: AA, TC, RD, RA, AD, CD, DO.
        header_flags: Vec<&'static str> = "dns.header_flags", Keyword list, Term;
        /// Result of an answer: NOERROR, NXDOMAIN and so on.
        response_code: Option<String> = "dns.response_code", Keyword, Column;
        /// The name asked for, in lower case, without the last dot.
        question_name: Option<String> = "dns.question.name", Keyword, Column;
        /// Type of the record asked for: A, AAAA, TXT and so on.
        question_type: Option<String> = "dns.question.type", Keyword, Column;
        /// Class asked for, nearly always IN.
        question_class: Option<String> = "dns.question.class", Keyword, Term;
        /// What somebody registered: example.gov.vn.
        registered_domain: Option<String> = "dns.question.registered_domain", Keyword, Column;
        /// What stands before the registered domain.
        subdomain: Option<String> = "dns.question.subdomain", Keyword, Term;
        /// The part under which names are registered: com, gov.vn.
        top_level_domain: Option<String> = "dns.question.top_level_domain", Keyword, Column;
        /// Characters in the name asked for.
        question_length: Option<u64> = "dns.question.length", Long, Column;
        /// Labels in the name asked for.
        question_labels: Option<u64> = "dns.question.label_count", Long, Term;
        /// Characters in the longest label of the name asked for.
        longest_label: Option<u64> = "dns.question.longest_label", Long, Column;
        /// Shannon entropy of the characters before the registered domain, in bits a character: random text is above 3.5.
        entropy: Option<f64> = "dns.question.entropy", Float, Term;
        /// Questions in the message, when it is not one.
        questions_count: Option<u64> = "dns.questions_count", Long, Term;
        /// Names of the answers, one for each answer.
        answer_names: Vec<String> = "dns.answers.name", Keyword list, Term;
        /// Types of the answers, one for each answer.
        answer_types: Vec<String> = "dns.answers.type", Keyword list, Term;
        /// Seconds that the answers may be kept, one for each answer.
        answer_ttls: Vec<u32> = "dns.answers.ttl", Long list, Term;
        /// Data of the answers as text, one for each answer.
        answer_data: Vec<String> = "dns.answers.data", Keyword list, Term;
        /// Answers that the message promises.
        answers_count: Option<u64> = "dns.answers_count", Long, Term;
        /// Names of the authority records, one for each.
        authority_names: Vec<String> = "dns.authorities.name", Keyword list, Stored;
        /// Types of the authority records, one for each.
        authority_types: Vec<String> = "dns.authorities.type", Keyword list, Stored;
        /// Data of the authority records as text, one for each.
        authority_data: Vec<String> = "dns.authorities.data", Keyword list, Stored;
        /// Largest UDP message that the sender takes (EDNS, RFC 6891).
        udp_size_bytes: Option<u64> = "dns.opt.udp_size", Long, Stored;
        /// Network of the client on whose behalf a resolver asks (EDNS client subnet, RFC 7871).
        client_subnet: Option<String> = "dns.opt.client_subnet", Keyword, Term;
        /// Addresses in the answers.
        resolved_ip: Vec<IpAddr> = "dns.resolved_ip", Ip list, Term;
        /// Bytes of the message.
        size_bytes: u64 = "dns.size", Long, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "dns.malformed", Boolean, Term;
    }
}
