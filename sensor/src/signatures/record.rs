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
        /// Name of the rule in Vietnamese, where it has one.
        name_vi: Option<String> = "rule.name_vi", Keyword, Term;
        /// What the rule is about, where it says more than its name.
        description: Option<String> = "rule.description", Text, Stored;
        /// The same in Vietnamese.
        description_vi: Option<String> = "rule.description_vi", Text, Stored;
        /// Links of the rule.
        references: Vec<String> = "rule.reference", Keyword list, Stored;
        /// ATT&CK techniques of which the rule speaks.
        techniques: Vec<String> = "threat.technique.id", Keyword list, Column;
        /// Severity in its author's words: informational, minor, major, critical.
        severity: Option<String> = "signature.severity", Keyword, Term;
        /// Text of the rule as it was in force, at most its beginning.
        text: String = "signature.text", Text, Stored;
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
