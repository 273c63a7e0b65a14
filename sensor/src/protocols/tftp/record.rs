//! What is said of TFTP: one event a request, one a transfer.

luytre_events::record! {
    /// One TFTP request.
    pub struct TftpRequest in "tftp" {
        /// read (the client fetches) or write (the client sends).
        operation: &'static str = "tftp.operation", Keyword, Column;
        /// Path of the file, as the client names it.
        path: String = "file.path", Keyword, Column;
        /// How the file is to be carried: octet, netascii or mail.
        mode: String = "tftp.mode", Keyword, Term;
        /// Options that the client asks for, as name=value.
        options: Vec<String> = "tftp.options", Keyword list, Term;
    }
}

luytre_events::record! {
    /// One TFTP transfer. Its source is the host that called, which is the server when it answers from another port.
    pub struct TftpTransfer in "tftp_data" {
        /// read (the client fetches) or write (the client sends).
        operation: &'static str = "tftp.operation", Keyword, Column;
        /// Path of the file, as the client named it.
        path: String = "file.path", Keyword, Column;
        /// Bytes of the file that were carried.
        size_bytes: u64 = "tftp.data.bytes", Long, Column;
        /// Blocks that were carried, repeated ones once.
        blocks: u64 = "tftp.data.blocks", Long, Term;
        /// Options that the server granted, as name=value.
        granted: Vec<String> = "tftp.granted_options", Keyword list, Term;
        /// True when the last block was seen.
        complete: bool = "tftp.complete", Boolean, Column;
        /// Number of the error that ended it.
        error_code: Option<u16> = "tftp.error.code", Long, Term;
        /// Words of the error that ended it.
        error_message: Option<String> = "tftp.error.message", Keyword, Term;
    }
}
