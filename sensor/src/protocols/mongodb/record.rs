//! What is said of MongoDB: one event a command.

luytre_events::record! {
    /// One command of a client to a MongoDB server with its answer.
    pub struct MongodbCommand in "mongodb" {
        /// The command: find, insert, aggregate, saslStart, hello; of the old messages query, get_more, kill_cursors; compressed, where
        /// the message was packed; reply, where an error has no command that was seen.
        command: String = "mongodb.command", Keyword, Column;
        /// Database that it is about.
        database: Option<String> = "mongodb.database", Keyword, Column;
        /// Collection that it is about.
        collection: Option<String> = "mongodb.collection", Keyword, Column;
        /// Names of the fields and operators in it ($where, $regex); values are not told.
        fields: Vec<String> = "mongodb.fields", Keyword list, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// How: SCRAM-SHA-256, PLAIN, MONGODB-X509 and so on.
        mechanism: Option<String> = "mongodb.auth_mechanism", Keyword, Term;
        /// True when a password was sent in the clear; it is not kept.
        password_seen: Option<bool> = "mongodb.password_seen", Boolean, Column;
        /// Program of the client, as it says itself.
        application: Option<String> = "mongodb.client.application", Keyword, Term;
        /// Library of the client with its version.
        driver: Option<String> = "mongodb.client.driver", Keyword, Term;
        /// System of the client.
        system: Option<String> = "mongodb.client.os", Keyword, Term;
        /// Documents that were sent, or came back in the first part of a result.
        documents: Option<u64> = "mongodb.documents", Long, Column;
        /// How a message was packed: snappy, zlib, zstd.
        compressor: Option<&'static str> = "mongodb.compressor", Keyword, Term;
        /// Bytes of the command.
        request_bytes: Option<u64> = "mongodb.request_bytes", Long, Stored;
        /// Bytes of the answer.
        response_bytes: Option<u64> = "mongodb.response_bytes", Long, Term;
        /// success or failure.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number of the error, or its short name.
        error_code: Option<String> = "error.code", Keyword, Term;
        /// Name of the error: AuthenticationFailed, Unauthorized.
        error_name: Option<String> = "mongodb.error_name", Keyword, Term;
        /// What is said of the error.
        error_message: Option<String> = "error.message", Text, Term;
    }
}
