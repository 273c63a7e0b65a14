//! What is said of an alert.

luytre_events::record! {
    /// A signature has matched.
    pub struct SignatureAlert in "alert" {
        /// Signature id.
        id: String = "rule.id", Keyword, Column;
        /// What the rule is about, in its author's words.
        name: String = "rule.name", Keyword, Column;
        /// Revision of the rule.
        version: String = "rule.version", Keyword, Term;
        /// Class of the rule.
        category: Option<String> = "rule.category", Keyword, Column;
        /// Digest of the set of rules that it belongs to.
        set: String = "rule.ruleset", Keyword, Term;
        /// Generator id of the rule, where it is not 1.
        generator: Option<u64> = "signature.generator", Long, Stored;
        /// What the rule asks to be done: alert, drop, reject. A sensor only tells.
        action: &'static str = "signature.action", Keyword, Term;
        /// Priority of the rule: 1 is the gravest.
        priority: u64 = "signature.priority", Long, Column;
        /// Who sent what matched: client or server.
        sender: &'static str = "signature.sender", Keyword, Term;
        /// Buffers in which something was found, one for each place.
        buffers: Vec<&'static str> = "signature.matched.buffer", Keyword list, Term;
        /// From which byte of the buffer, one for each place.
        offsets: Vec<u64> = "signature.matched.offset", Long list, Stored;
        /// What stands there, its beginning in hexadecimal, one for each place.
        bytes: Vec<String> = "signature.matched.bytes", Keyword list, Stored;
    }
}
