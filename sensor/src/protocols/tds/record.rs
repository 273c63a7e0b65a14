//! What is said of TDS: one event a log-in and a request.

luytre_events::record! {
    /// One request of a client to a server of Microsoft SQL Server's kind (or Sybase's) with its result.
    pub struct TdsRequest in "tds" {
        /// prelogin, login, batch, rpc, bulk, transaction, attention (the client gives up); error: what the server says to
        /// a request that was not seen.
        command: &'static str = "tds.command", Keyword, Column;
        /// Version of the protocol that the client asks for: 7.4.
        version: Option<String> = "tds.version", Keyword, Term;
        /// Version of the client's library, of a prelogin.
        client_version: Option<String> = "tds.client.version", Keyword, Term;
        /// What the client wants of encryption: off (the log-in only), on, unsupported, required.
        client_encryption: Option<&'static str> = "tds.client.encryption", Keyword, Term;
        /// What the server answers to that.
        server_encryption: Option<&'static str> = "tds.server.encryption", Keyword, Column;
        /// Version of the server.
        server_version: Option<String> = "tds.server.version", Keyword, Term;
        /// Name of the server's program.
        server_program: Option<String> = "tds.server.program", Keyword, Term;
        /// Instance of the server, or the name of the server, that the client wants.
        instance: Option<String> = "tds.instance", Keyword, Term;
        /// Name of the client's computer, as it says itself.
        host: Option<String> = "tds.client.host", Keyword, Column;
        /// Program of the client, as it says itself.
        application: Option<String> = "tds.client.application", Keyword, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// Domain of the user.
        domain: Option<String> = "user.domain", Keyword, Term;
        /// NTLMv1, NTLMv2 or anonymous, of a log-in by Windows.
        ntlm: Option<&'static str> = "ntlm.proof", Keyword, Term;
        /// How the client proves who it is: password, windows, token.
        method: Option<&'static str> = "tds.auth_method", Keyword, Term;
        /// True when a password was sent in the clear (or nearly so, as log-ins do), or stood in a statement; it is not
        /// kept.
        password_seen: Option<bool> = "tds.password_seen", Boolean, Column;
        /// Database that the client wants, or got.
        database: Option<String> = "tds.database", Keyword, Column;
        /// Procedure that is called.
        procedure: Option<String> = "tds.procedure", Keyword, Column;
        /// The statement, cut at 2,048 bytes or before the first literal that may be a password (…).
        statement: Option<String> = "tds.statement", Keyword, Term;
        /// Bytes of the request.
        request_bytes: Option<u64> = "tds.request_bytes", Long, Stored;
        /// Bytes of the response.
        response_bytes: Option<u64> = "tds.response_bytes", Long, Term;
        /// Rows that came back or were changed, as the server counts them at the end.
        rows: Option<u64> = "tds.rows", Long, Column;
        /// success or failure.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number of the error, or its short name.
        error_code: Option<String> = "error.code", Keyword, Term;
        /// What is said of the error.
        error_message: Option<String> = "error.message", Text, Term;
        /// What the server says besides, of the first such message.
        notice: Option<String> = "tds.notice", Text, Stored;
    }
}
