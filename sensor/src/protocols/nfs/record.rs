//! What is said of calls of the network file system.

luytre_events::record! {
    /// One call of NFS with its answer; reads and writes of one file that succeed are one event.
    pub struct NfsCall in "nfs" {
        /// Version of the protocol: 2, 3, 4.
        version: Option<u64> = "nfs.version", Long, Term;
        /// Second part of version 4's number.
        minor_version: Option<u64> = "nfs.minor_version", Long, Stored;
        /// Name of the procedure: LOOKUP, READ, WRITE, CREATE, REMOVE; of version 4 the operation that matters most.
        procedure: String = "nfs.procedure", Keyword, Column;
        /// Operations of a call of version 4, in order.
        operations: Vec<&'static str> = "nfs.operations", Keyword list, Term;
        /// Number that a call and its answer have in common; of several reads or writes that of the first.
        xid: Option<u64> = "nfs.xid", Long, Term;
        /// How the caller says who it is: none, sys, gss, or a number.
        auth: Option<String> = "nfs.auth", Keyword, Term;
        /// Name of the caller's computer, as it says itself.
        machine: Option<String> = "nfs.machine", Keyword, Term;
        /// Number of the user, as the caller says.
        user_id: Option<String> = "user.id", Keyword, Term;
        /// Number of the user's group, as the caller says.
        group_id: Option<String> = "group.id", Keyword, Term;
        /// OK, or the error: ERR_NOENT, ERR_ACCES; missing without an answer.
        status: Option<String> = "nfs.status", Keyword, Column;
        /// Why the server did not carry out the call at all.
        refusal: Option<&'static str> = "nfs.refusal", Keyword, Term;
        /// Name of the file or folder; of a handle the name under which it was found before, if that was seen.
        file: Option<String> = "nfs.file", Keyword, Column;
        /// Its new name, or what a link leads to.
        target: Option<String> = "nfs.target", Keyword, Term;
        /// Folder in which it is, if its name was seen.
        folder: Option<String> = "nfs.folder", Keyword, Term;
        /// Reads or writes that are told as one.
        requests: Option<u64> = "nfs.requests", Long, Stored;
        /// Bytes that were read.
        read_bytes: Option<u64> = "nfs.read_bytes", Long, Term;
        /// Bytes that were written.
        written_bytes: Option<u64> = "nfs.written_bytes", Long, Term;
        /// Entries of a folder that came back.
        entries: Option<u64> = "nfs.entries", Long, Stored;
        /// How a client of version 4 names itself.
        client: Option<String> = "nfs.client", Keyword, Term;
        /// True when call or answer was broken and only its readable part is told.
        malformed: Option<bool> = "nfs.malformed", Boolean, Term;
    }
}
