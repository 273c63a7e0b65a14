//! What is said of Redis: one event a command.

luytre_events::record! {
    /// One command of a client to a Redis server, or one of its kind, with its reply.
    pub struct RedisCommand in "redis" {
        /// The command in upper case; where it has subcommands, both words: SET, CONFIG GET. REPLY, where no command was
        /// seen for an error.
        command: String = "redis.command", Keyword, Column;
        /// The first of its arguments, each cut at 128 bytes (scripts at 512); passwords are `…`.
        arguments: Vec<String> = "redis.arguments", Keyword list, Term;
        /// How many arguments there are.
        argument_count: Option<u64> = "redis.argument_count", Long, Stored;
        /// Bytes of the command.
        request_bytes: Option<u64> = "redis.request_bytes", Long, Stored;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// True when a password was sent in the clear; it is not kept.
        password_seen: Option<bool> = "redis.password_seen", Boolean, Column;
        /// Kind of the reply: status, error, integer, string, list, map, set, null and others.
        reply_type: Option<&'static str> = "redis.reply.type", Keyword, Term;
        /// A status or a number that came back; other replies are not told.
        reply: Option<String> = "redis.reply.text", Keyword, Term;
        /// Items of a list that came back.
        reply_items: Option<u64> = "redis.reply.items", Long, Stored;
        /// Bytes of the reply.
        reply_bytes: Option<u64> = "redis.reply.bytes", Long, Term;
        /// success or failure.
        outcome: Option<&'static str> = "event.outcome", Keyword, Column;
        /// Number of the error, or its short name.
        error_code: Option<String> = "error.code", Keyword, Term;
        /// What is said of the error.
        error_message: Option<String> = "error.message", Text, Term;
    }
}
