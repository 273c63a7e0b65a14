//! What is said of an SSH connection: one event each.

luytre_events::record! {
    /// One SSH connection, as far as it can be read, and how the log-in seems to have gone.
    pub struct SshConnection in "ssh" {
        /// Version of the protocol that the client speaks: 2.0, or 1.5 from long ago.
        client_version: Option<String> = "ssh.client.version", Keyword, Term;
        /// Program of the client, as it says.
        client_software: Option<String> = "ssh.client.software", Keyword, Column;
        /// What the client says after its program, often the distribution.
        client_comments: Option<String> = "ssh.client.comments", Keyword, Term;
        /// HASSH of the client: MD5 of the algorithms it offers.
        client_hassh: Option<String> = "ssh.client.hassh", Keyword, Column;
        /// Key exchanges that the client offers, the best first.
        client_kex: Vec<String> = "ssh.client.kex_algorithms", Keyword list, Term;
        /// Kinds of host keys that the client offers to check, the best first.
        client_host_keys: Vec<String> = "ssh.client.host_key_algorithms", Keyword list, Stored;
        /// Ciphers that the client offers for what it sends, the best first.
        client_ciphers: Vec<String> = "ssh.client.ciphers", Keyword list, Stored;
        /// Message authentication codes that the client offers for what it sends, the best first.
        client_macs: Vec<String> = "ssh.client.macs", Keyword list, Stored;
        /// Version of the protocol that the server speaks: 2.0, or 1.99 when it knows the old one too.
        server_version: Option<String> = "ssh.server.version", Keyword, Term;
        /// Program of the server, as it says.
        server_software: Option<String> = "ssh.server.software", Keyword, Column;
        /// What the server says after its program, often the distribution.
        server_comments: Option<String> = "ssh.server.comments", Keyword, Term;
        /// HASSH of the server: MD5 of the algorithms it offers.
        server_hassh: Option<String> = "ssh.server.hassh", Keyword, Column;
        /// Key exchanges that the server offers, the best first.
        server_kex: Vec<String> = "ssh.server.kex_algorithms", Keyword list, Term;
        /// Kinds of host keys that the server has, the best first.
        server_host_keys: Vec<String> = "ssh.server.host_key_algorithms", Keyword list, Stored;
        /// Ciphers that the server offers for what it sends, the best first.
        server_ciphers: Vec<String> = "ssh.server.ciphers", Keyword list, Stored;
        /// Message authentication codes that the server offers for what it sends, the best first.
        server_macs: Vec<String> = "ssh.server.macs", Keyword list, Stored;
        /// Lines that the server sent before it named its program.
        pre_banner_lines: Option<u64> = "ssh.server.pre_banner_lines", Long, Term;
        /// Key exchange that both agreed on.
        kex: Option<String> = "ssh.kex.algorithm", Keyword, Term;
        /// True when both are protected against packets being cut out of the key exchange (kex-strict, CVE-2023-48795).
        kex_strict: Option<bool> = "ssh.kex.strict", Boolean, Term;
        /// Kind of host key that both agreed on.
        host_key_algorithm: Option<String> = "ssh.host_key.algorithm", Keyword, Term;
        /// Kind of the host key that the server showed.
        host_key_type: Option<String> = "ssh.host_key.type", Keyword, Term;
        /// SHA-256 of the host key that the server showed, in base64 as ssh-keygen writes it.
        host_key_sha256: Option<String> = "ssh.host_key.sha256", Keyword, Term;
        /// Cipher of what the client sends.
        cipher: Option<String> = "ssh.cipher", Keyword, Term;
        /// Message authentication code of what the client sends; missing where the cipher does it by itself.
        mac: Option<String> = "ssh.mac", Keyword, Term;
        /// Compression of what the client sends.
        compression: Option<String> = "ssh.compression", Keyword, Stored;
        /// True when both sides went over to encryption.
        encrypted: bool = "ssh.encrypted", Boolean, Term;
        /// True when the side that was called is the client of this protocol: somebody calls out to be logged in to.
        reversed: Option<bool> = "ssh.reversed", Boolean, Column;
        /// Whether the client logged in, as guessed from the sizes of encrypted packets; missing where nothing can be said.
        auth_success: Option<bool> = "ssh.auth.success", Boolean, Column;
        /// Attempts to log in, as guessed from the sizes of encrypted packets.
        auth_attempts: Option<u64> = "ssh.auth.attempts", Long, Column;
        /// True when what stands in the clear was broken and only its readable part is told.
        malformed: Option<bool> = "ssh.malformed", Boolean, Term;
    }
}
