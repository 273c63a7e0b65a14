//! What is said of LDAP: one event an operation.

luytre_events::record! {
    /// One operation of LDAP with its result.
    pub struct LdapOperation in "ldap" {
        /// bind, search, modify, add, delete, modify_dn, compare, extended, abandon, unbind.
        operation: Option<&'static str> = "ldap.operation", Keyword, Column;
        /// Number that a request and its results have in common.
        id: Option<u64> = "ldap.message_id", Long, Term;
        /// Name of the entry that the operation is about; of a bind, who binds; of a search, where it begins.
        name: Option<String> = "ldap.dn", Keyword, Column;
        /// Result of the operation: success, invalidCredentials and so on; missing without one.
        result: Option<String> = "ldap.result", Keyword, Column;
        /// What the server says about the result.
        result_text: Option<String> = "ldap.result_text", Keyword, Term;
        /// Name as far as which an entry was found.
        matched: Option<String> = "ldap.matched_dn", Keyword, Term;
        /// Version of the protocol, of a bind.
        version: Option<u64> = "ldap.version", Long, Term;
        /// How the client proves who it is: simple, NTLM, or a mechanism of SASL.
        mechanism: Option<String> = "ldap.bind.mechanism", Keyword, Term;
        /// True when a password was sent in the clear; it is not kept.
        password_seen: Option<bool> = "ldap.password_seen", Boolean, Column;
        /// How deep a search goes: base, one, sub, children.
        scope: Option<&'static str> = "ldap.search.scope", Keyword, Term;
        /// What entries must fulfil, as people write it (RFC 4515).
        filter: Option<String> = "ldap.search.filter", Keyword, Term;
        /// Attributes that are wanted, added, changed or compared.
        attributes: Vec<String> = "ldap.attributes", Keyword list, Term;
        /// Entries that a search found.
        entries: Option<u64> = "ldap.search.entries", Long, Term;
        /// Names of the first of them.
        found: Vec<String> = "ldap.search.found", Keyword list, Term;
        /// References to other servers that a search gave.
        references: Option<u64> = "ldap.search.references", Long, Stored;
        /// New name of an entry.
        new_name: Option<String> = "ldap.new_dn", Keyword, Term;
        /// Object identifier of an extended operation.
        extended: Option<String> = "ldap.extended.oid", Keyword, Term;
        /// Its name, where it is a usual one: STARTTLS, password modify, who am I.
        extended_name: Option<&'static str> = "ldap.extended.name", Keyword, Term;
        /// Number of the operation that is given up.
        abandoned: Option<u64> = "ldap.abandoned_id", Long, Term;
        /// True when the messages from here on are encrypted by the mechanism of the bind.
        sealed: Option<bool> = "ldap.sealed", Boolean, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// Domain of the user.
        domain: Option<String> = "user.domain", Keyword, Term;
        /// Name of the client's computer, as NTLM says it.
        host: Option<String> = "ntlm.host", Keyword, Term;
        /// NTLMv1, NTLMv2 or anonymous.
        ntlm: Option<&'static str> = "ntlm.proof", Keyword, Term;
        /// Name of the server's computer, as NTLM says it.
        server: Option<String> = "ntlm.server.name", Keyword, Term;
        /// Name of the server's domain, as NTLM says it.
        server_domain: Option<String> = "ntlm.server.domain", Keyword, Term;
        /// Service that the client's Kerberos ticket is for.
        service: Option<String> = "kerberos.service", Keyword, Term;
        /// Realm that gave the ticket.
        realm: Option<String> = "kerberos.service_realm", Keyword, Term;
        /// Encryption of the ticket.
        ticket_encryption: Option<String> = "kerberos.ticket_encryption", Keyword, Term;
    }
}
