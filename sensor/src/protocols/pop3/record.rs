//! What is said of a POP3 command: one event each.

luytre_events::record! {
    /// One command with its answer; the greeting has no command.
    pub struct Pop3Command in "pop3" {
        /// Command, in upper case.
        command: Option<String> = "pop3.command", Keyword, Column;
        /// What stands behind it, without passwords.
        arguments: Option<String> = "pop3.arguments", Keyword, Term;
        /// Whether the server granted it.
        success: Option<bool> = "pop3.success", Boolean, Column;
        /// What the server said to it, without what it sent.
        reply: Option<String> = "pop3.reply", Keyword, Term;
        /// Lines that the server sent after its answer, if it is no message.
        lines: Vec<String> = "pop3.lines", Keyword list, Stored;
        /// Mechanism of a log-in by AUTH or APOP.
        auth_mechanism: Option<String> = "pop3.auth_mechanism", Keyword, Term;
        /// User of the session, once it was said.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// True when a password went over the wire in clear with this command.
        password_seen: Option<bool> = "pop3.password_seen", Boolean, Column;
        /// Message-ID of the message that was fetched, without its brackets.
        message_id: Option<String> = "email.message_id", Keyword, Term;
        /// Subject of the message that was fetched, decoded.
        subject: Option<String> = "email.subject", Keyword, Column;
        /// Bytes of the message that was fetched.
        bytes: Option<u64> = "email.bytes", Long, Column;
    }
}
