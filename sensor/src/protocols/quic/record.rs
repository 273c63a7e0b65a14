//! What is said of a QUIC connection: one event each.

luytre_events::record! {
    /// One QUIC connection, as far as its first packets show.
    pub struct QuicConnection in "quic" {
        /// Version that the client speaks: 1, 2, draft-29, Q046.
        version: Option<String> = "quic.version", Keyword, Column;
        /// Versions that the server offered because it does not speak the client's.
        offered_versions: Vec<String> = "quic.offered_versions", Keyword list, Term;
        /// Connection id that the client gave the server at first, in hexadecimal.
        connection_id: Option<String> = "quic.connection_id", Keyword, Term;
        /// True when the server made the client prove its address first.
        retry: Option<bool> = "quic.retry", Boolean, Term;
        /// True when the client sent data before the handshake was over.
        early_data: Option<bool> = "quic.early_data", Boolean, Term;
        /// True when the server answered with its hello.
        established: bool = "quic.established", Boolean, Column;
        /// Why the connection was closed in its first packets: a number of RFC 9000 section 20.
        error_code: Option<u64> = "quic.error_code", Long, Term;
        /// The same in the words of who closed it.
        error_reason: Option<String> = "quic.error_reason", Keyword, Stored;
        /// Name of the server that the client wants (SNI), in lower case.
        server_name: Option<String> = "tls.client.server_name", Keyword, Column;
        /// Version number: 1.3.
        tls_version: Option<String> = "tls.version", Keyword, Column;
        /// Cipher suite that the server chose, by its IANA name where known.
        cipher: Option<String> = "tls.cipher", Keyword, Term;
        /// Curve or group of the key exchange.
        curve: Option<String> = "tls.curve", Keyword, Term;
        /// Protocols that the client offers by ALPN.
        client_alpn: Vec<String> = "tls.client.alpn", Keyword list, Term;
        /// JA3 of the client: MD5 of its hello's numbers.
        ja3: Option<String> = "tls.client.ja3", Keyword, Term;
        /// JA3S of the server.
        ja3s: Option<String> = "tls.server.ja3s", Keyword, Term;
        /// JA4 of the client.
        ja4: Option<String> = "ja4.client", Keyword, Term;
        /// True when the client offers an encrypted hello (ECH, RFC 9849), or pretends to.
        encrypted_hello: Option<bool> = "tls.client.encrypted_hello", Boolean, Term;
        /// True when an earlier session was taken up again.
        resumed: Option<bool> = "tls.resumed", Boolean, Term;
        /// Program of the client, as Google's old QUIC says.
        user_agent: Option<String> = "user_agent.original", Keyword, Column;
    }
}
