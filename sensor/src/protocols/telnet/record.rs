//! What is said of a Telnet connection: one event each.

luytre_events::record! {
    /// One Telnet connection up to the log-in, or up to its end.
    pub struct TelnetSession in "telnet" {
        /// Options that the client is willing to use, by name.
        client_options: Vec<String> = "telnet.client.options", Keyword list, Term;
        /// Options that the server is willing to use, by name.
        server_options: Vec<String> = "telnet.server.options", Keyword list, Term;
        /// Kinds of terminal that the client names, the best first.
        terminal_types: Vec<String> = "telnet.client.terminal_types", Keyword list, Term;
        /// Size of the client's window in columns and rows: 80x24.
        window: Option<String> = "telnet.client.window", Keyword, Stored;
        /// Environment variables that the client sends, as NAME=value.
        environment: Vec<String> = "telnet.client.environment", Keyword list, Term;
        /// What the server wrote up to the first prompt.
        banner: Option<String> = "telnet.server.banner", Keyword, Term;
        /// Name that was typed last when the server asked for one.
        user_name: Option<String> = "user.name", Keyword, Column;
        /// True when a password went over the wire in clear.
        password_seen: Option<bool> = "telnet.password_seen", Boolean, Column;
        /// Passwords that were typed.
        login_attempts: Option<u64> = "telnet.login.attempts", Long, Column;
        /// Whether the log-in went well, as guessed from the server's words; missing where nobody tried.
        login_success: Option<bool> = "telnet.login.success", Boolean, Column;
    }
}
