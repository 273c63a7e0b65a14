//! What is said of Kerberos: one event a request with its reply.

luytre_events::record! {
    /// One Kerberos request and its reply or error.
    pub struct KerberosExchange in "kerberos" {
        /// Who is asked: AS (log in), TGS (ticket for a service), AP (use of a ticket).
        request: Option<&'static str> = "kerberos.request", Keyword, Column;
        /// Name of the client, as the reply gives it, else the request.
        client: Option<String> = "kerberos.client", Keyword, Column;
        /// Realm of the client.
        realm: Option<String> = "kerberos.realm", Keyword, Column;
        /// The same name: who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// The same realm: domain of the user.
        user_domain: Option<String> = "user.domain", Keyword, Term;
        /// Name of the service: krbtgt/REALM, cifs/host.
        service: Option<String> = "kerberos.service", Keyword, Column;
        /// Realm of the service.
        service_realm: Option<String> = "kerberos.service_realm", Keyword, Term;
        /// True when a reply came that is no error.
        success: Option<bool> = "kerberos.success", Boolean, Column;
        /// Error that came instead of a reply: KDC_ERR_PREAUTH_FAILED.
        error: Option<String> = "kerberos.error", Keyword, Column;
        /// Words of the error.
        error_text: Option<String> = "kerberos.error_text", Keyword, Stored;
        /// Encryption of the reply for the client, which depends on its password when it logs in.
        encryption: Option<String> = "kerberos.encryption", Keyword, Term;
        /// Encryption of the ticket, which depends on the password of the service.
        ticket_encryption: Option<String> = "kerberos.ticket_encryption", Keyword, Term;
        /// True when one of the two can be broken, or the password behind it guessed at speed (DES, RC4).
        weak: Option<bool> = "kerberos.weak_encryption", Boolean, Column;
        /// Kinds of encryption that the client takes.
        offered: Vec<String> = "kerberos.offered_encryption", Keyword list, Term;
        /// Options of the request: forwardable, renewable, constrained-delegation and so on.
        options: Vec<&'static str> = "kerberos.options", Keyword list, Term;
        /// True when the request proves who asks.
        preauthenticated: Option<bool> = "kerberos.preauthenticated", Boolean, Term;
        /// User on whose behalf a service asks (S4U2Self).
        on_behalf_of: Option<String> = "kerberos.on_behalf_of", Keyword, Term;
        /// Time until which the ticket is wanted, as written: 20370913024805Z.
        till: Option<String> = "kerberos.till", Keyword, Stored;
        /// True when something in it could not be read.
        malformed: Option<bool> = "kerberos.malformed", Boolean, Term;
    }
}
