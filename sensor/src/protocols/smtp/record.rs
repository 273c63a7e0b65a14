//! What is said of a mail transaction: one event each.

luytre_events::record! {
    /// One mail transaction, or a session that did not come to one.
    pub struct SmtpTransaction in "smtp" {
        /// What the server said first.
        banner: Option<String> = "smtp.banner", Keyword, Term;
        /// Name that the client gives itself (EHLO, HELO).
        helo: Option<String> = "smtp.helo", Keyword, Column;
        /// Address that the message is from, as the envelope says; empty for notices of failure.
        mail_from: Option<String> = "smtp.mail_from", Keyword, Column;
        /// Addresses that the message is for, as the envelope says.
        rcpt_to: Vec<String> = "smtp.rcpt_to", Keyword list, Column;
        /// Those of them that the server refused.
        rejected: Vec<String> = "smtp.rcpt_rejected", Keyword list, Term;
        /// Code of the reply to the message, or of the last one in a session without message.
        status_code: Option<u16> = "smtp.status_code", Long, Column;
        /// First line of the same reply, in words.
        reply: Option<String> = "smtp.reply", Keyword, Term;
        /// Message-ID of the message without its brackets.
        message_id: Option<String> = "email.message_id", Keyword, Term;
        /// Subject of the message, decoded.
        subject: Option<String> = "email.subject", Keyword, Column;
        /// Bytes of the message as carried.
        bytes: Option<u64> = "email.bytes", Long, Column;
        /// Mechanism by which the client logged in.
        auth_mechanism: Option<String> = "smtp.auth_mechanism", Keyword, Term;
        /// Whether the server took the log-in.
        auth_success: Option<bool> = "smtp.auth_success", Boolean, Term;
        /// User that logged in. The password is never kept.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// True when a password went over the wire in clear.
        password_seen: Option<bool> = "smtp.password_seen", Boolean, Column;
        /// True when the session went on under TLS.
        starttls: Option<bool> = "smtp.starttls", Boolean, Term;
        /// Place of the transaction in its session, from 1.
        depth: u64 = "smtp.depth", Long, Stored;
    }
}
