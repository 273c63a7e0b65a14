//! What is said of SMB: one event a command, reads and writes of a file together.

use luytre_events::value::TimeNs;

luytre_events::record! {
    /// One command of SMB with its answer, or all that was read from or written to a file.
    pub struct SmbCommand in "smb" {
        /// The command: NEGOTIATE, SESSION_SETUP, TREE_CONNECT, CREATE, READ and so on; READ_ANDX and the like in SMB 1.
        command: Option<String> = "smb.command", Keyword, Column;
        /// What of the command is meant: a subcommand, a control code, what is set.
        function: Option<String> = "smb.function", Keyword, Term;
        /// Version that the command belongs to: 1, or 2 for SMB 2 and 3.
        version: Option<u64> = "smb.version", Long, Term;
        /// Dialect that was agreed on: NT LM 0.12, 2.10, 3.11.
        dialect: Option<String> = "smb.dialect", Keyword, Column;
        /// NTSTATUS of the answer by name; missing without an answer.
        status: Option<String> = "smb.status", Keyword, Column;
        /// The same as a number: 0xc0000022.
        status_code: Option<String> = "smb.status_code", Keyword, Term;
        /// Number of the session, hexadecimal.
        session: Option<String> = "smb.session_id", Keyword, Term;
        /// Number of the share in the session.
        tree: Option<u32> = "smb.tree_id", Long, Term;
        /// The share: \\host\name.
        share: Option<String> = "smb.share", Keyword, Column;
        /// What the share is: disk, pipe, print.
        share_kind: Option<&'static str> = "smb.share_type", Keyword, Term;
        /// Path of the file or name of the pipe in the share.
        path: Option<String> = "file.path", Keyword, Column;
        /// dir for a directory, file for anything else.
        kind: Option<&'static str> = "file.type", Keyword, Term;
        /// Bytes of the file when it was opened.
        size: Option<u64> = "file.size", Long, Column;
        /// When the file was made.
        created: Option<TimeNs> = "file.created", Date, Stored;
        /// When the file was read.
        accessed: Option<TimeNs> = "file.accessed", Date, Stored;
        /// When the file was written.
        modified: Option<TimeNs> = "file.mtime", Date, Stored;
        /// When the file was changed in any way.
        changed: Option<TimeNs> = "file.ctime", Date, Stored;
        /// What a CREATE wants: FILE_OPEN, FILE_CREATE, FILE_OVERWRITE_IF and so on.
        disposition: Option<&'static str> = "smb.disposition", Keyword, Term;
        /// What a CREATE did: opened, created, overwritten, superseded.
        action: Option<&'static str> = "smb.action", Keyword, Term;
        /// True when the command deletes the file, or has it deleted when it is closed.
        delete: Option<bool> = "smb.delete", Boolean, Term;
        /// New path of a file that is renamed.
        rename: Option<String> = "smb.rename_to", Keyword, Term;
        /// Bytes of a file that were read or written.
        bytes: Option<u64> = "smb.bytes", Long, Term;
        /// Dialects that the client speaks.
        dialects: Vec<String> = "smb.client.dialects", Keyword list, Term;
        /// Number of the client, a UUID.
        client_guid: Option<String> = "smb.client.guid", Keyword, Term;
        /// Number of the server, a UUID.
        server_guid: Option<String> = "smb.server.guid", Keyword, Term;
        /// True when the server wants every message signed.
        signing_required: Option<bool> = "smb.server.signing_required", Boolean, Term;
        /// Cipher that was agreed on.
        cipher: Option<String> = "smb.cipher", Keyword, Term;
        /// System of the client, as it says.
        client_system: Option<String> = "smb.client.native_os", Keyword, Term;
        /// Program of the client, as it says.
        client_program: Option<String> = "smb.client.native_lan_manager", Keyword, Term;
        /// System of the server, as it says.
        server_system: Option<String> = "smb.server.native_os", Keyword, Term;
        /// Program of the server, as it says.
        server_program: Option<String> = "smb.server.native_lan_manager", Keyword, Term;
        /// NetBIOS name that the client calls.
        called_name: Option<String> = "smb.netbios.called", Keyword, Term;
        /// NetBIOS name that the client gives itself.
        calling_name: Option<String> = "smb.netbios.calling", Keyword, Term;
        /// True when the messages from here on are encrypted.
        encrypted: Option<bool> = "smb.encrypted", Boolean, Column;
        /// True when messages are compressed.
        compressed: Option<bool> = "smb.compressed", Boolean, Term;
        /// True when the user was let in as a guest or as nobody in particular.
        guest: Option<bool> = "smb.guest", Boolean, Term;
        /// Who logs in.
        user: Option<String> = "user.name", Keyword, Column;
        /// Domain of the user.
        domain: Option<String> = "user.domain", Keyword, Term;
        /// Name of the client's computer, as NTLM says it.
        host: Option<String> = "ntlm.host", Keyword, Term;
        /// NTLMv1, NTLMv2 or anonymous.
        ntlm: Option<&'static str> = "ntlm.proof", Keyword, Term;
        /// Version of the client's system, as NTLM says it.
        ntlm_version: Option<String> = "ntlm.version", Keyword, Term;
        /// Name of the server's computer, as NTLM says it.
        server: Option<String> = "ntlm.server.name", Keyword, Term;
        /// Name of the server's domain, as NTLM says it.
        server_domain: Option<String> = "ntlm.server.domain", Keyword, Term;
        /// Version of the server's system, as NTLM says it.
        server_version: Option<String> = "ntlm.server.version", Keyword, Term;
        /// Service that the client's Kerberos ticket is for.
        service: Option<String> = "kerberos.service", Keyword, Term;
        /// Realm that gave the ticket.
        realm: Option<String> = "kerberos.service_realm", Keyword, Term;
        /// Encryption of the ticket.
        ticket_encryption: Option<String> = "kerberos.ticket_encryption", Keyword, Term;
    }
}
