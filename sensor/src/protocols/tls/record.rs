//! What is said of a TLS handshake: one event each.

use luytre_events::value::TimeNs;

luytre_events::record! {
    /// One TLS handshake, as far as it can be read.
    pub struct TlsHandshake in "tls" {
        /// Name of the server that the client wants (SNI), in lower case.
        server_name: Option<String> = "tls.client.server_name", Keyword, Column;
        /// Version number: 1.2, 1.3.
        version: Option<String> = "tls.version", Keyword, Column;
        /// ssl, tls, or dtls (over datagrams).
        version_protocol: Option<&'static str> = "tls.version_protocol", Keyword, Term;
        /// Cipher suite that the server chose, by its IANA name where known.
        cipher: Option<String> = "tls.cipher", Keyword, Term;
        /// Curve or group of the key exchange.
        curve: Option<String> = "tls.curve", Keyword, Term;
        /// Protocol chosen by ALPN: h2, http/1.1.
        next_protocol: Option<String> = "tls.next_protocol", Keyword, Column;
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
        /// Session tickets or keys that the client presents to take up an earlier session: id, ticket, psk.
        resumption_offers: Vec<&'static str> = "tls.client.resumption_offers", Keyword list, Stored;
        /// True when the handshake came to its end on both sides.
        established: bool = "tls.established", Boolean, Column;
        /// True when an earlier session was taken up again.
        resumed: Option<bool> = "tls.resumed", Boolean, Term;
        /// Alerts seen in the clear, by name.
        alerts: Vec<String> = "tls.alerts", Keyword list, Term;
        /// How grave each of these alerts is: warning, fatal.
        alert_levels: Vec<&'static str> = "tls.alert_levels", Keyword list, Stored;
        /// Subject of the server's certificate.
        subject: Option<String> = "tls.server.subject", Keyword, Column;
        /// Issuer of the server's certificate.
        issuer: Option<String> = "tls.server.issuer", Keyword, Column;
        /// Begin of the certificate's validity.
        not_before: Option<TimeNs> = "tls.server.not_before", Date, Term;
        /// End of the certificate's validity.
        not_after: Option<TimeNs> = "tls.server.not_after", Date, Term;
        /// SHA-1 of the server's certificate, upper-case hexadecimal.
        sha1: Option<String> = "tls.server.hash.sha1", Keyword, Term;
        /// SHA-256 of the server's certificate, upper-case hexadecimal.
        sha256: Option<String> = "tls.server.hash.sha256", Keyword, Term;
        /// Serial number of the server's certificate, upper-case hexadecimal.
        serial_number: Option<String> = "tls.server.x509.serial_number", Keyword, Term;
        /// Other names that the certificate is for.
        alternative_names: Vec<String> = "tls.server.x509.alternative_names", Keyword list, Term;
        /// Common name of the certificate's subject.
        common_name: Option<String> = "tls.server.x509.subject.common_name", Keyword, Term;
        /// Algorithm of the certificate's key: rsa, ecdsa, ed25519 and so on.
        key_algorithm: Option<String> = "tls.server.x509.public_key_algorithm", Keyword, Term;
        /// Size of the certificate's key.
        key_size_bits: Option<u64> = "tls.server.x509.public_key_size", Long, Term;
        /// True when the certificate names itself as its issuer.
        self_signed: Option<bool> = "tls.server.self_signed", Boolean, Column;
        /// True when the certificate's validity was over, or had not begun, at the time of the handshake.
        expired: Option<bool> = "tls.server.expired", Boolean, Column;
        /// Certificates that the server sent.
        chain_length: Option<u64> = "tls.server.chain_length", Long, Term;
        /// Subject of the client's certificate.
        client_subject: Option<String> = "tls.client.subject", Keyword, Term;
        /// Issuer of the client's certificate.
        client_issuer: Option<String> = "tls.client.issuer", Keyword, Term;
        /// SHA-256 of the client's certificate, upper-case hexadecimal.
        client_sha256: Option<String> = "tls.client.hash.sha256", Keyword, Term;
        /// True when the handshake was broken and only its readable part is told.
        malformed: Option<bool> = "tls.malformed", Boolean, Term;
    }
}
