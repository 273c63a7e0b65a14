//! What is said of an IMAP command: one event each.

luytre_events::record! {
    /// One command with its answer; the greeting has no command.
    pub struct ImapCommand in "imap" {
        /// Command, in upper case, UID before it where it works on unique ids.
        command: Option<String> = "imap.command", Keyword, Column;
        /// Tag by which client and server pair it.
        tag: Option<String> = "imap.tag", Keyword, Stored;
        /// What stands behind it, without passwords.
        arguments: Option<String> = "imap.arguments", Keyword, Term;
        /// Mailbox that it is about, or that was opened before.
        mailbox: Option<String> = "imap.mailbox", Keyword, Term;
        /// Answer: OK, NO, BAD, PREAUTH, BYE.
        status: Option<String> = "imap.status", Keyword, Column;
        /// The same in the server's words.
        reply: Option<String> = "imap.reply", Keyword, Term;
        /// Answers without a tag that came before it.
        untagged_count: Option<u64> = "imap.untagged_count", Long, Stored;
        /// Messages that were carried with it.
        messages_count: Option<u64> = "imap.messages_count", Long, Term;
        /// Mechanism of a log-in.
        auth_mechanism: Option<String> = "imap.auth_mechanism", Keyword, Term;
        /// User of the session, once it was said.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// True when a password went over the wire in clear with this command.
        password_seen: Option<bool> = "imap.password_seen", Boolean, Column;
    }
}
