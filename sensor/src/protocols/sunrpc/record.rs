//! What is said of remote procedure calls that have no dataset of their own.

luytre_events::record! {
    /// One remote procedure call (ONC RPC) with its answer: of the port mapper, of mounts, of programs that are only known
    /// by name or number.
    pub struct RpcCall in "rpc" {
        /// Name of the program where it is a usual one, else its number: portmapper, mount, nlockmgr, status.
        program: String = "rpc.program", Keyword, Column;
        /// Version of the program.
        version: Option<u64> = "rpc.version", Long, Term;
        /// Name of the procedure where it is known, else its number.
        procedure: String = "rpc.procedure", Keyword, Column;
        /// Number that a call and its answer have in common.
        xid: u64 = "rpc.xid", Long, Term;
        /// How the caller says who it is: none, sys, gss, or a number.
        auth: Option<String> = "rpc.auth", Keyword, Term;
        /// Name of the caller's computer, as it says itself.
        machine: Option<String> = "rpc.machine", Keyword, Term;
        /// Number of the user, as the caller says.
        user_id: Option<String> = "user.id", Keyword, Term;
        /// Number of the user's group, as the caller says.
        group_id: Option<String> = "group.id", Keyword, Term;
        /// success, or why the call was not carried out: program unavailable, version mismatch, too weak and so on.
        status: Option<&'static str> = "rpc.status", Keyword, Column;
        /// Program that the port mapper is asked for.
        mapped_program: Option<String> = "rpc.portmap.program", Keyword, Term;
        /// Version of that program.
        mapped_version: Option<u64> = "rpc.portmap.version", Long, Stored;
        /// Transport that it is wanted over: tcp, udp, or as the caller writes it.
        mapped_transport: Option<String> = "rpc.portmap.transport", Keyword, Term;
        /// Port where it is; 0 where it is not.
        mapped_port: Option<u64> = "rpc.portmap.port", Long, Term;
        /// Address where it is, as newer versions of the port mapper write it.
        mapped_address: Option<String> = "rpc.portmap.address", Keyword, Term;
        /// Programs that a list of the port mapper names, each once.
        mapped_programs: Vec<String> = "rpc.portmap.programs", Keyword list, Term;
        /// Folder that is mounted or given up.
        path: Option<String> = "rpc.mount.path", Keyword, Column;
        /// Result of a mount: OK, or the error.
        mount_status: Option<String> = "rpc.mount.status", Keyword, Term;
        /// Folders that a server offers, as it lists them.
        exports: Vec<String> = "rpc.mount.exports", Keyword list, Term;
        /// Bytes of the call.
        call_bytes: Option<u64> = "rpc.call_bytes", Long, Stored;
        /// Bytes of the answer.
        answer_bytes: Option<u64> = "rpc.answer_bytes", Long, Stored;
        /// True when call or answer was broken and only its readable part is told.
        malformed: Option<bool> = "rpc.malformed", Boolean, Term;
    }
}
