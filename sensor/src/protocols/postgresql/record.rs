//! What is said of PostgreSQL: one event a log-in, statement, or other request.

luytre_events::record! {
    /// One request of a client to a PostgreSQL server with its result.
    pub struct PostgresqlRequest in "postgresql" {
        /// login, query (a simple one), execute (a prepared one), prepare (one that was refused), function, cancel,
        /// ssl_request, gss_request; error: what the server says unasked, or to a request that was not seen.
        command: &'static str = "postgresql.command", Keyword, Column;
        /// Version of the protocol that the client asks for.
        version: Option<String> = "postgresql.version", Keyword, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// Database that the client wants.
        database: Option<String> = "postgresql.database", Keyword, Column;
        /// Program of the client, as it says itself.
        application: Option<String> = "postgresql.application", Keyword, Term;
        /// What a connection for replication wants: true (all of the server), database.
        replication: Option<String> = "postgresql.replication", Keyword, Term;
        /// How the client proves who it is: none, password, md5, gss, sspi, SCRAM-SHA-256 and so on.
        method: Option<String> = "postgresql.auth_method", Keyword, Term;
        /// True when a password was sent in the clear, or stood in a statement; it is not kept.
        password_seen: Option<bool> = "postgresql.password_seen", Boolean, Column;
        /// Version of the server.
        server_version: Option<String> = "postgresql.server_version", Keyword, Term;
        /// Number of the server's process, which a request to cancel names.
        process_id: Option<u64> = "postgresql.process_id", Long, Term;
        /// Whether the server agreed to encrypt the connection.
        encrypted: Option<bool> = "postgresql.encrypted", Boolean, Term;
        /// The statement, cut at 2,048 bytes or before the first literal that may be a password (…).
        statement: Option<String> = "postgresql.statement", Keyword, Term;
        /// Bytes of the whole statement.
        statement_bytes: Option<u64> = "postgresql.statement_bytes", Long, Stored;
        /// Values given to a prepared statement; they are not told.
        values: Option<u64> = "postgresql.values", Long, Stored;
        /// What the server says that it did (SELECT 5, CREATE TABLE), one for each statement of the request.
        results: Vec<String> = "postgresql.results", Keyword list, Term;
        /// Columns of what came back.
        columns: Option<u64> = "postgresql.columns", Long, Stored;
        /// Rows that came back, those of COPY among them.
        rows: Option<u64> = "postgresql.rows", Long, Column;
        /// Bytes of these rows.
        row_bytes: Option<u64> = "postgresql.row_bytes", Long, Term;
        /// Rows or pieces that the client sent for COPY.
        copied: Option<u64> = "postgresql.copied", Long, Term;
        /// success or failure.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number of the error, or its short name.
        error_code: Option<String> = "error.code", Keyword, Term;
        /// What is said of the error.
        error_message: Option<String> = "error.message", Text, Term;
    }
}
