//! What is said of Oracle's connections: one event each.

luytre_events::record! {
    /// One wish of a client to connect to an Oracle database, with the listener's answer.
    pub struct TnsConnect in "tns" {
        /// Version of the protocol that the client speaks.
        version: Option<u64> = "tns.version", Long, Term;
        /// Version that the server accepts.
        server_version: Option<u64> = "tns.server.version", Long, Term;
        /// Service that the client wants.
        service: Option<String> = "tns.service", Keyword, Column;
        /// Instance that the client wants, by its system identifier.
        sid: Option<String> = "tns.sid", Keyword, Column;
        /// What the listener itself is asked to do: status, version, stop, reload and so on.
        command: Option<String> = "tns.command", Keyword, Column;
        /// Program of the client, as it says itself.
        program: Option<String> = "tns.client.program", Keyword, Term;
        /// Name of the client's computer, as it says itself.
        host: Option<String> = "tns.client.host", Keyword, Column;
        /// User under whom the program runs there, as it says itself.
        os_user: Option<String> = "tns.client.user", Keyword, Column;
        /// True when a password for the listener was sent in the clear; it is not kept.
        password_seen: Option<bool> = "tns.password_seen", Boolean, Column;
        /// accept, refuse, redirect; missing without an answer.
        answer: Option<&'static str> = "tns.answer", Keyword, Column;
        /// Where the client is sent, as host:port.
        redirect: Option<String> = "tns.redirect", Keyword, Term;
        /// success or failure.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number of the error, or its short name.
        error_code: Option<String> = "error.code", Keyword, Term;
        /// True when the message was broken and only its readable part is told.
        malformed: Option<bool> = "tns.malformed", Boolean, Term;
    }
}
