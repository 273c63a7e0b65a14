//! The names of SMB's numbers ([MS-SMB2], [MS-CIFS], [MS-FSCC], [MS-ERREF] section 2.3).

/// Control code of a pipe that is written and read at once (FSCTL_PIPE_TRANSCEIVE).
pub const PIPE_TRANSCEIVE: u32 = 0x0011_c017;
/// Class of information that gives a file a new name.
pub const RENAME: u8 = 10;
/// Class of information that deletes a file.
pub const DISPOSITION: u8 = 13;
/// The same with flags.
pub const DISPOSITION_EX: u8 = 64;
/// The operation was done.
pub const SUCCESS: u32 = 0;
/// The answer comes later.
pub const PENDING: u32 = 0x103;
/// A part of a larger answer, or of a longer message of a pipe.
pub const BUFFER_OVERFLOW: u32 = 0x8000_0005;
/// There is nothing behind the end of a file.
pub const END_OF_FILE: u32 = 0xc000_0011;
/// The log-in goes on.
pub const MORE_PROCESSING: u32 = 0xc000_0016;

/// Name of a command of SMB 2.
pub fn command2(number: u16) -> Option<&'static str> {
    const NAMES: [&str; 19] = [
        "NEGOTIATE",
        "SESSION_SETUP",
        "LOGOFF",
        "TREE_CONNECT",
        "TREE_DISCONNECT",
        "CREATE",
        "CLOSE",
        "FLUSH",
        "READ",
        "WRITE",
        "LOCK",
        "IOCTL",
        "CANCEL",
        "ECHO",
        "QUERY_DIRECTORY",
        "CHANGE_NOTIFY",
        "QUERY_INFO",
        "SET_INFO",
        "OPLOCK_BREAK",
    ];
    NAMES.get(usize::from(number)).copied()
}

/// Name of a command of SMB 1.
pub fn command1(number: u16) -> Option<&'static str> {
    Some(match number {
        0x00 => "CREATE_DIRECTORY",
        0x01 => "DELETE_DIRECTORY",
        0x02 => "OPEN",
        0x03 => "CREATE",
        0x04 => "CLOSE",
        0x05 => "FLUSH",
        0x06 => "DELETE",
        0x07 => "RENAME",
        0x08 => "QUERY_INFORMATION",
        0x09 => "SET_INFORMATION",
        0x0a => "READ",
        0x0b => "WRITE",
        0x0c => "LOCK_BYTE_RANGE",
        0x0d => "UNLOCK_BYTE_RANGE",
        0x0e => "CREATE_TEMPORARY",
        0x0f => "CREATE_NEW",
        0x10 => "CHECK_DIRECTORY",
        0x11 => "PROCESS_EXIT",
        0x12 => "SEEK",
        0x13 => "LOCK_AND_READ",
        0x14 => "WRITE_AND_UNLOCK",
        0x1a => "READ_RAW",
        0x1d => "WRITE_RAW",
        0x22 => "SET_INFORMATION2",
        0x23 => "QUERY_INFORMATION2",
        0x24 => "LOCKING_ANDX",
        0x25 => "TRANSACTION",
        0x26 => "TRANSACTION_SECONDARY",
        0x27 => "IOCTL",
        0x29 => "COPY",
        0x2a => "MOVE",
        0x2b => "ECHO",
        0x2c => "WRITE_AND_CLOSE",
        0x2d => "OPEN_ANDX",
        0x2e => "READ_ANDX",
        0x2f => "WRITE_ANDX",
        0x32 => "TRANSACTION2",
        0x33 => "TRANSACTION2_SECONDARY",
        0x34 => "FIND_CLOSE2",
        0x70 => "TREE_CONNECT",
        0x71 => "TREE_DISCONNECT",
        0x72 => "NEGOTIATE",
        0x73 => "SESSION_SETUP_ANDX",
        0x74 => "LOGOFF_ANDX",
        0x75 => "TREE_CONNECT_ANDX",
        0x80 => "QUERY_INFORMATION_DISK",
        0x81 => "SEARCH",
        0x82 => "FIND",
        0x83 => "FIND_UNIQUE",
        0x84 => "FIND_CLOSE",
        0xa0 => "NT_TRANSACT",
        0xa1 => "NT_TRANSACT_SECONDARY",
        0xa2 => "NT_CREATE_ANDX",
        0xa4 => "NT_CANCEL",
        0xa5 => "NT_RENAME",
        0xc0 => "OPEN_PRINT_FILE",
        0xc1 => "WRITE_PRINT_FILE",
        0xc2 => "CLOSE_PRINT_FILE",
        _ => return None,
    })
}

/// Name of a subcommand of TRANSACTION2.
pub fn transaction2(number: u16) -> String {
    const NAMES: [&str; 18] = [
        "OPEN2",
        "FIND_FIRST2",
        "FIND_NEXT2",
        "QUERY_FS_INFORMATION",
        "SET_FS_INFORMATION",
        "QUERY_PATH_INFORMATION",
        "SET_PATH_INFORMATION",
        "QUERY_FILE_INFORMATION",
        "SET_FILE_INFORMATION",
        "FSCTL",
        "IOCTL2",
        "FIND_NOTIFY_FIRST",
        "FIND_NOTIFY_NEXT",
        "CREATE_DIRECTORY",
        "SESSION_SETUP",
        "UNKNOWN_0F",
        "GET_DFS_REFERRAL",
        "REPORT_DFS_INCONSISTENCY",
    ];
    let name = NAMES.get(usize::from(number));
    name.map_or_else(|| format!("TRANS2_0x{number:04x}"), |name| format!("TRANS2_{name}"))
}

/// Name of a subcommand of NT_TRANSACT.
pub fn nt_transaction(number: u16) -> String {
    const NAMES: [&str; 8] = [
        "UNKNOWN_00",
        "CREATE",
        "IOCTL",
        "SET_SECURITY_DESC",
        "NOTIFY_CHANGE",
        "RENAME",
        "QUERY_SECURITY_DESC",
        "QUERY_QUOTA",
    ];
    let name = NAMES.get(usize::from(number)).filter(|_| number > 0);
    name.map_or_else(|| format!("NT_TRANSACT_0x{number:04x}"), |name| format!("NT_TRANSACT_{name}"))
}

/// Name of a subcommand of TRANSACTION on a named pipe.
pub fn transaction(number: u16) -> String {
    let name = match number {
        0x01 => "TRANS_SET_NMPIPE_STATE",
        0x11 => "TRANS_RAW_READ_NMPIPE",
        0x21 => "TRANS_QUERY_NMPIPE_STATE",
        0x22 => "TRANS_QUERY_NMPIPE_INFO",
        0x23 => "TRANS_PEEK_NMPIPE",
        0x26 => "TRANS_TRANSACT_NMPIPE",
        0x31 => "TRANS_RAW_WRITE_NMPIPE",
        0x36 => "TRANS_READ_NMPIPE",
        0x37 => "TRANS_WRITE_NMPIPE",
        0x53 => "TRANS_WAIT_NMPIPE",
        0x54 => "TRANS_CALL_NMPIPE",
        _ => return format!("TRANS_0x{number:04x}"),
    };
    name.to_owned()
}

/// Name of a control code.
pub fn control(code: u32) -> String {
    let name = match code {
        0x0006_0194 => "FSCTL_DFS_GET_REFERRALS",
        0x0006_01b0 => "FSCTL_DFS_GET_REFERRALS_EX",
        0x0009_0040 => "FSCTL_SET_COMPRESSION",
        0x0009_00a4 => "FSCTL_SET_REPARSE_POINT",
        0x0009_00a8 => "FSCTL_GET_REPARSE_POINT",
        0x0009_00c4 => "FSCTL_SET_SPARSE",
        0x0009_4064 => "FSCTL_SRV_ENUMERATE_SNAPSHOTS_NTFS",
        0x0009_8208 => "FSCTL_FILE_LEVEL_TRIM",
        0x0011_0018 => "FSCTL_PIPE_WAIT",
        0x0011_400c => "FSCTL_PIPE_PEEK",
        PIPE_TRANSCEIVE => "FSCTL_PIPE_TRANSCEIVE",
        0x0014_0078 => "FSCTL_SRV_REQUEST_RESUME_KEY",
        0x0014_01bb => "FSCTL_SRV_READ_HASH",
        0x0014_01d4 => "FSCTL_LMR_REQUEST_RESILIENCY",
        0x0014_01fc => "FSCTL_QUERY_NETWORK_INTERFACE_INFO",
        0x0014_0204 => "FSCTL_VALIDATE_NEGOTIATE_INFO",
        0x0014_4064 => "FSCTL_SRV_ENUMERATE_SNAPSHOTS",
        0x0014_40f2 => "FSCTL_SRV_COPYCHUNK",
        0x0014_80f2 => "FSCTL_SRV_COPYCHUNK_WRITE",
        _ => return format!("FSCTL_0x{code:08x}"),
    };
    name.to_owned()
}

/// Name of what SET_INFO sets.
pub fn set_class(kind: u8, class: u8) -> String {
    let name = match (kind, class) {
        (1, 4) => "FILE_BASIC_INFORMATION",
        (1, RENAME) => "FILE_RENAME_INFORMATION",
        (1, 11) => "FILE_LINK_INFORMATION",
        (1, DISPOSITION) => "FILE_DISPOSITION_INFORMATION",
        (1, 15) => "FILE_FULL_EA_INFORMATION",
        (1, 19) => "FILE_ALLOCATION_INFORMATION",
        (1, 20) => "FILE_END_OF_FILE_INFORMATION",
        (1, DISPOSITION_EX) => "FILE_DISPOSITION_INFORMATION_EX",
        (2, _) => "FILE_SYSTEM_INFORMATION",
        (3, _) => "SECURITY_INFORMATION",
        (4, _) => "QUOTA_INFORMATION",
        _ => return format!("INFORMATION_{kind}_{class}"),
    };
    name.to_owned()
}

/// Name of a dialect of SMB 2 and 3.
pub fn dialect(number: u16) -> String {
    let name = match number {
        0x0202 => "2.02",
        0x0210 => "2.10",
        0x0222 => "2.22",
        0x0224 => "2.24",
        // Some dialect of SMB 2, to be agreed on in a second negotiation.
        0x02ff => "2.??",
        0x0300 => "3.00",
        0x0302 => "3.02",
        0x0310 => "3.10",
        0x0311 => "3.11",
        _ => return format!("0x{number:04x}"),
    };
    name.to_owned()
}

/// Name of a cipher of SMB 3.
pub fn cipher(number: u16) -> Option<String> {
    let name = match number {
        0 => return None,
        1 => "AES-128-CCM",
        2 => "AES-128-GCM",
        3 => "AES-256-CCM",
        4 => "AES-256-GCM",
        _ => return Some(format!("0x{number:04x}")),
    };
    Some(name.to_owned())
}

/// What to do when a file that shall be opened exists, or does not.
pub fn disposition(number: u32) -> &'static str {
    match number {
        0 => "FILE_SUPERSEDE",
        1 => "FILE_OPEN",
        2 => "FILE_CREATE",
        3 => "FILE_OPEN_IF",
        4 => "FILE_OVERWRITE",
        5 => "FILE_OVERWRITE_IF",
        _ => "unknown",
    }
}

/// What was done to open a file.
pub fn action(number: u32) -> Option<&'static str> {
    match number {
        0 => Some("superseded"),
        1 => Some("opened"),
        2 => Some("created"),
        3 => Some("overwritten"),
        _ => None,
    }
}

/// What a share of SMB 2 is.
pub fn share_kind(number: u8) -> Option<&'static str> {
    match number {
        1 => Some("disk"),
        2 => Some("pipe"),
        3 => Some("print"),
        _ => None,
    }
}

/// What a share of SMB 1 is.
pub fn service_kind(name: &str) -> Option<&'static str> {
    match name {
        "A:" => Some("disk"),
        "IPC" => Some("pipe"),
        "LPT1:" => Some("print"),
        "COMM" => Some("device"),
        _ => None,
    }
}

/// Name of an NTSTATUS, or its number.
pub fn status(number: u32) -> String {
    let name = match number {
        SUCCESS => "STATUS_SUCCESS",
        PENDING => "STATUS_PENDING",
        0x0000_010b => "STATUS_NOTIFY_CLEANUP",
        0x0000_010c => "STATUS_NOTIFY_ENUM_DIR",
        0x8000_0005 => "STATUS_BUFFER_OVERFLOW",
        0x8000_0006 => "STATUS_NO_MORE_FILES",
        0x8000_002d => "STATUS_STOPPED_ON_SYMLINK",
        0xc000_0001 => "STATUS_UNSUCCESSFUL",
        0xc000_0002 => "STATUS_NOT_IMPLEMENTED",
        0xc000_0003 => "STATUS_INVALID_INFO_CLASS",
        0xc000_0004 => "STATUS_INFO_LENGTH_MISMATCH",
        0xc000_0008 => "STATUS_INVALID_HANDLE",
        0xc000_000d => "STATUS_INVALID_PARAMETER",
        0xc000_000e => "STATUS_NO_SUCH_DEVICE",
        0xc000_000f => "STATUS_NO_SUCH_FILE",
        0xc000_0010 => "STATUS_INVALID_DEVICE_REQUEST",
        END_OF_FILE => "STATUS_END_OF_FILE",
        MORE_PROCESSING => "STATUS_MORE_PROCESSING_REQUIRED",
        0xc000_0017 => "STATUS_NO_MEMORY",
        0xc000_0022 => "STATUS_ACCESS_DENIED",
        0xc000_0023 => "STATUS_BUFFER_TOO_SMALL",
        0xc000_0033 => "STATUS_OBJECT_NAME_INVALID",
        0xc000_0034 => "STATUS_OBJECT_NAME_NOT_FOUND",
        0xc000_0035 => "STATUS_OBJECT_NAME_COLLISION",
        0xc000_0039 => "STATUS_OBJECT_PATH_INVALID",
        0xc000_003a => "STATUS_OBJECT_PATH_NOT_FOUND",
        0xc000_003b => "STATUS_OBJECT_PATH_SYNTAX_BAD",
        0xc000_0043 => "STATUS_SHARING_VIOLATION",
        0xc000_0054 => "STATUS_FILE_LOCK_CONFLICT",
        0xc000_0055 => "STATUS_LOCK_NOT_GRANTED",
        0xc000_0056 => "STATUS_DELETE_PENDING",
        0xc000_0061 => "STATUS_PRIVILEGE_NOT_HELD",
        0xc000_0064 => "STATUS_NO_SUCH_USER",
        0xc000_006a => "STATUS_WRONG_PASSWORD",
        0xc000_006b => "STATUS_ILL_FORMED_PASSWORD",
        0xc000_006c => "STATUS_PASSWORD_RESTRICTION",
        0xc000_006d => "STATUS_LOGON_FAILURE",
        0xc000_006e => "STATUS_ACCOUNT_RESTRICTION",
        0xc000_006f => "STATUS_INVALID_LOGON_HOURS",
        0xc000_0070 => "STATUS_INVALID_WORKSTATION",
        0xc000_0071 => "STATUS_PASSWORD_EXPIRED",
        0xc000_0072 => "STATUS_ACCOUNT_DISABLED",
        0xc000_007e => "STATUS_RANGE_NOT_LOCKED",
        0xc000_007f => "STATUS_DISK_FULL",
        0xc000_0098 => "STATUS_FILE_INVALID",
        0xc000_009a => "STATUS_INSUFFICIENT_RESOURCES",
        0xc000_00a2 => "STATUS_MEDIA_WRITE_PROTECTED",
        0xc000_00ab => "STATUS_INSTANCE_NOT_AVAILABLE",
        0xc000_00ac => "STATUS_PIPE_NOT_AVAILABLE",
        0xc000_00ad => "STATUS_INVALID_PIPE_STATE",
        0xc000_00ae => "STATUS_PIPE_BUSY",
        0xc000_00b0 => "STATUS_PIPE_DISCONNECTED",
        0xc000_00b1 => "STATUS_PIPE_CLOSING",
        0xc000_00b5 => "STATUS_IO_TIMEOUT",
        0xc000_00ba => "STATUS_FILE_IS_A_DIRECTORY",
        0xc000_00bb => "STATUS_NOT_SUPPORTED",
        0xc000_00c9 => "STATUS_NETWORK_NAME_DELETED",
        0xc000_00ca => "STATUS_NETWORK_ACCESS_DENIED",
        0xc000_00cc => "STATUS_BAD_NETWORK_NAME",
        0xc000_00d0 => "STATUS_REQUEST_NOT_ACCEPTED",
        0xc000_00d9 => "STATUS_PIPE_EMPTY",
        0xc000_00e3 => "STATUS_INVALID_OPLOCK_PROTOCOL",
        0xc000_00e5 => "STATUS_INTERNAL_ERROR",
        0xc000_0101 => "STATUS_DIRECTORY_NOT_EMPTY",
        0xc000_0103 => "STATUS_NOT_A_DIRECTORY",
        0xc000_0120 => "STATUS_CANCELLED",
        0xc000_0121 => "STATUS_CANNOT_DELETE",
        0xc000_0128 => "STATUS_FILE_CLOSED",
        0xc000_014b => "STATUS_PIPE_BROKEN",
        0xc000_0133 => "STATUS_TIME_DIFFERENCE_AT_DC",
        0xc000_015b => "STATUS_LOGON_TYPE_NOT_GRANTED",
        0xc000_018b => "STATUS_NO_TRUST_SAM_ACCOUNT",
        0xc000_018d => "STATUS_TRUSTED_RELATIONSHIP_FAILURE",
        0xc000_0193 => "STATUS_ACCOUNT_EXPIRED",
        0xc000_019c => "STATUS_FS_DRIVER_REQUIRED",
        0xc000_0203 => "STATUS_USER_SESSION_DELETED",
        0xc000_0205 => "STATUS_INSUFF_SERVER_RESOURCES",
        0xc000_020c => "STATUS_CONNECTION_DISCONNECTED",
        0xc000_020d => "STATUS_CONNECTION_RESET",
        0xc000_0224 => "STATUS_PASSWORD_MUST_CHANGE",
        0xc000_0225 => "STATUS_NOT_FOUND",
        0xc000_0234 => "STATUS_ACCOUNT_LOCKED_OUT",
        0xc000_0257 => "STATUS_PATH_NOT_COVERED",
        0xc000_035c => "STATUS_NETWORK_SESSION_EXPIRED",
        0xc000_0413 => "STATUS_AUTHENTICATION_FIREWALL_FAILED",
        0xc05d_0000 => "STATUS_SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP",
        // Errors of DOS, which have a class and a number ([MS-CIFS] section 2.2.2.4).
        _ if number >> 30 == 0 && number >> 16 != 0 && number & 0xff00 == 0 => {
            let class = match number & 0xff {
                1 => "ERRDOS",
                2 => "ERRSRV",
                3 => "ERRHRD",
                _ => "ERRCMD",
            };
            return format!("{class}/{}", number >> 16);
        }
        _ => return format!("0x{number:08x}"),
    };
    name.to_owned()
}
