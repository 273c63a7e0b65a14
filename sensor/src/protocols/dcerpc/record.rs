//! What is said of remote procedure calls: one event a bind and one a call.

luytre_events::record! {
    /// One bind, change of context or call of DCE RPC, with its answer.
    pub struct RpcCall in "dcerpc" {
        /// What the client sent: BIND, ALTER_CONTEXT, AUTH3, REQUEST.
        request: Option<&'static str> = "dcerpc.request", Keyword, Column;
        /// What the server answered: BIND_ACK, BIND_NAK, RESPONSE, FAULT and so on; missing without an answer.
        response: Option<&'static str> = "dcerpc.response", Keyword, Term;
        /// Version of the protocol: 5.0 over connections and pipes, 4.0 in datagrams.
        version: Option<String> = "dcerpc.version", Keyword, Stored;
        /// Number that a call and its answer have in common.
        call: Option<u32> = "dcerpc.call_id", Long, Term;
        /// UUID of the interface that is called.
        interface: Option<String> = "dcerpc.interface.uuid", Keyword, Column;
        /// Usual name of that interface: svcctl, samr, drsuapi.
        interface_name: Option<&'static str> = "dcerpc.interface.name", Keyword, Column;
        /// Version of that interface.
        interface_version: Option<String> = "dcerpc.interface.version", Keyword, Term;
        /// Number of the procedure that is called.
        operation: Option<u16> = "dcerpc.opnum", Long, Term;
        /// Name of that procedure, where it is one that matters to defenders.
        operation_name: Option<&'static str> = "dcerpc.operation", Keyword, Column;
        /// UUIDs of the interfaces that a bind asks for.
        interfaces: Vec<String> = "dcerpc.bind.uuid", Keyword list, Term;
        /// Usual names of those of them that have one.
        interface_names: Vec<&'static str> = "dcerpc.bind.name", Keyword list, Term;
        /// Versions of these interfaces, one for each.
        interface_versions: Vec<String> = "dcerpc.bind.version", Keyword list, Stored;
        /// What the server said of them, one for each: acceptance, user_rejection, provider_rejection, negotiate_ack.
        results: Vec<&'static str> = "dcerpc.bind.result", Keyword list, Stored;
        /// Status of a call that failed, or reason of a refused bind: 0x00000005.
        status: Option<String> = "dcerpc.status", Keyword, Term;
        /// Bytes of arguments.
        request_bytes: Option<u64> = "dcerpc.request_stub_bytes", Long, Term;
        /// Bytes of results.
        response_bytes: Option<u64> = "dcerpc.response_stub_bytes", Long, Term;
        /// Fragments of the request, when there were several.
        request_fragments: Option<u64> = "dcerpc.request_fragments", Long, Stored;
        /// Fragments of the answer, when there were several.
        response_fragments: Option<u64> = "dcerpc.response_fragments", Long, Stored;
        /// Named pipe that carries it, where one does.
        pipe: Option<String> = "dcerpc.pipe", Keyword, Term;
        /// How the client proves who it is: ntlm, krb5, spnego, netlogon.
        security: Option<String> = "dcerpc.auth.type", Keyword, Term;
        /// How far messages are protected: connect, packet, integrity, privacy.
        protection: Option<String> = "dcerpc.auth.level", Keyword, Term;
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
        encryption: Option<String> = "kerberos.ticket_encryption", Keyword, Term;
    }
}
