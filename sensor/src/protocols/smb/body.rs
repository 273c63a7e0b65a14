//! What commands say, whatever the version: the reading files make these of bytes, the parser makes events of them.

/// The number under which a server knows an open file: 16 bytes in SMB 2, two in SMB 1.
pub type FileId = [u8; 16];

/// Where the bytes of a file stand in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From the first byte of the command.
    pub start: usize,
    /// How many.
    pub length: usize,
}

/// What a command is about, however it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// 1 or 2.
    pub version: u8,
    /// Number of the command.
    pub command: u16,
    /// An answer.
    pub response: bool,
    /// NTSTATUS of an answer.
    pub status: u32,
    /// What an answer has in common with its request.
    pub id: u64,
    /// The share.
    pub tree: u32,
    /// The session.
    pub session: u64,
    /// Several commands about the same file in one message.
    pub related: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Request<'a> {
    /// Nothing that is told.
    #[default]
    Plain,
    /// To agree on a dialect.
    Negotiate {
        /// Those that the client speaks.
        dialects: Vec<String>,
        /// Who the client is.
        guid: Option<[u8; 16]>,
    },
    /// To log in.
    Session {
        /// Token of the log-in.
        token: &'a [u8],
        /// Name and domain, where they stand in the clear.
        user: Option<(String, String)>,
        /// System and program of the client.
        system: Option<(String, String)>,
    },
    /// To use a share.
    Tree {
        /// Its name: \\host\share.
        path: String,
        /// What it is used as.
        service: Option<String>,
    },
    /// To open or make a file.
    Create {
        /// Its path in the share.
        path: String,
        /// What to do if it exists or not.
        disposition: &'static str,
        /// It must be a directory.
        directory: bool,
        /// It goes when it is closed.
        delete: bool,
    },
    /// To read from a file.
    Read {
        /// Which.
        file: FileId,
        /// From where.
        offset: u64,
    },
    /// To write to a file.
    Write {
        /// Which.
        file: FileId,
        /// To where.
        offset: u64,
        /// What.
        data: Span,
    },
    /// To close a file.
    Close {
        /// Which.
        file: FileId,
    },
    /// To ask something of a pipe: written and read at once.
    Pipe {
        /// Which; unknown where the pipe is named instead.
        file: FileId,
        /// What is written.
        data: Span,
        /// Name of what is asked for.
        function: String,
    },
    /// To do something else with a file.
    File {
        /// Which, where it is open.
        file: Option<FileId>,
        /// Which, where it is named.
        path: Option<String>,
        /// What is done: FSCTL_DFS_GET_REFERRALS, TRANS2_QUERY_PATH_INFORMATION and so on.
        function: Option<String>,
        /// Its new name.
        rename: Option<String>,
        /// It is deleted.
        delete: bool,
    },
}

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Response<'a> {
    /// Nothing that is told.
    #[default]
    Plain,
    /// A dialect was agreed on.
    Negotiate {
        /// Which, or its place in the client's list.
        dialect: Dialect,
        /// Who the server is.
        guid: Option<[u8; 16]>,
        /// Every message must be signed.
        signing_required: bool,
        /// Cipher that messages will be encrypted with, by its name.
        cipher: Option<String>,
        /// Token that says how to log in.
        token: &'a [u8],
    },
    /// The log-in goes on, or is done.
    Session {
        /// Token of the log-in.
        token: &'a [u8],
        /// System and program of the server.
        system: Option<(String, String)>,
        /// The user is a guest, or nobody.
        guest: bool,
    },
    /// The share may be used.
    Tree {
        /// disk, pipe, print.
        kind: Option<&'static str>,
    },
    /// The file is open.
    Create(Opened),
    /// Bytes of a file.
    Data(Span),
}

/// What was agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dialect {
    /// By name.
    Name(String),
    /// By its place in the client's list.
    Place(usize),
    /// None.
    None,
}

/// A file that was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Number by which it is known from now on.
    pub file: FileId,
    /// What was done: opened, created, overwritten, superseded.
    pub action: Option<&'static str>,
    /// Times in the 100 nanoseconds since 1601 of Windows: made, read, written, changed.
    pub times: [u64; 4],
    /// Bytes of the file.
    pub size: u64,
    /// It is a directory.
    pub directory: bool,
}
