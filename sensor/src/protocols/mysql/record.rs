//! What is said of MySQL: one event a log-in and a command.

luytre_events::record! {
    /// One command of a client to a MySQL or MariaDB server with its result.
    pub struct MysqlCommand in "mysql" {
        /// login, change_user, query, stmt_prepare, stmt_execute, init_db, ping and so on; connect, when the server refuses
        /// before a log-in.
        command: &'static str = "mysql.command", Keyword, Column;
        /// Version of the server, as it greets.
        server_version: Option<String> = "mysql.server_version", Keyword, Term;
        /// Number of the connection at the server.
        connection_id: Option<u64> = "mysql.connection_id", Long, Stored;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// Database that the client wants.
        database: Option<String> = "mysql.database", Keyword, Column;
        /// Program of the client, as it says itself.
        program: Option<String> = "mysql.client.program", Keyword, Term;
        /// Library of the client with its version.
        library: Option<String> = "mysql.client.library", Keyword, Term;
        /// User of the client's computer under whom the program runs, as it says itself.
        os_user: Option<String> = "mysql.client.user", Keyword, Term;
        /// How the client proves who it is: caching_sha2_password, mysql_native_password and so on.
        method: Option<String> = "mysql.auth_method", Keyword, Term;
        /// True when a password was sent in the clear, or stood in a statement; it is not kept.
        password_seen: Option<bool> = "mysql.password_seen", Boolean, Column;
        /// True when the connection turns to TLS before the log-in, of which nothing more is seen.
        encrypted: Option<bool> = "mysql.encrypted", Boolean, Term;
        /// How the connection is packed from here on, after which it is not followed: zlib, zstd.
        compressed: Option<&'static str> = "mysql.compressed", Keyword, Term;
        /// The statement, cut at 2,048 bytes or before the first literal that may be a password (…); of other commands what
        /// they are about.
        statement: Option<String> = "mysql.statement", Keyword, Term;
        /// Bytes of the whole statement.
        statement_bytes: Option<u64> = "mysql.statement_bytes", Long, Stored;
        /// Columns of what came back.
        columns: Option<u64> = "mysql.columns", Long, Stored;
        /// Rows that came back.
        rows: Option<u64> = "mysql.rows", Long, Column;
        /// Bytes of these rows.
        row_bytes: Option<u64> = "mysql.row_bytes", Long, Term;
        /// Rows that were changed.
        affected: Option<u64> = "mysql.affected_rows", Long, Term;
        /// File that the server asks the client for (LOAD DATA LOCAL).
        local_file: Option<String> = "mysql.local_file", Keyword, Term;
        /// Bytes of it that the client sent.
        local_bytes: Option<u64> = "mysql.local_file_bytes", Long, Term;
        /// success or failure.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number of the error, or its short name.
        error_code: Option<String> = "error.code", Keyword, Term;
        /// Class of the error (SQLSTATE).
        sql_state: Option<String> = "mysql.sql_state", Keyword, Term;
        /// What is said of the error.
        error_message: Option<String> = "error.message", Text, Term;
    }
}
