//! Names of the numbers of S7comm.

/// A function of a job.
pub fn function(code: u8) -> String {
    let known = match code {
        0x00 => "CPU_SERVICES",
        0xf0 => "SETUP_COMMUNICATION",
        0x04 => "READ_VAR",
        0x05 => "WRITE_VAR",
        0x1a => "REQUEST_DOWNLOAD",
        0x1b => "DOWNLOAD_BLOCK",
        0x1c => "DOWNLOAD_ENDED",
        0x1d => "START_UPLOAD",
        0x1e => "UPLOAD",
        0x1f => "END_UPLOAD",
        0x28 => "PI_SERVICE",
        0x29 => "PLC_STOP",
        other => return format!("FUNCTION_{other:02X}"),
    };
    known.to_owned()
}

/// A function of user data: its group and what it does in it.
pub fn user_data(group: u8, sub_function: u8) -> String {
    let known = match (group & 0x0f, sub_function) {
        (1, _) => "PROGRAMMER",
        (2, _) => "CYCLIC_DATA",
        (3, 1) => "LIST_BLOCKS",
        (3, 2) => "LIST_BLOCKS_OF_TYPE",
        (3, 3) => "BLOCK_INFO",
        (3, _) => "BLOCKS",
        (4, 1) => "READ_SZL",
        (4, 2) => "MESSAGE_SERVICE",
        (4, _) => "CPU",
        (5, 1) => "PASSWORD_SET",
        (5, 2) => "PASSWORD_CLEAR",
        (5, _) => "SECURITY",
        (7, 1) => "READ_CLOCK",
        (7, 2) => "SET_CLOCK",
        (7, _) => "TIME",
        (group, sub) => return format!("USERDATA_{group}_{sub}"),
    };
    known.to_owned()
}

/// An area of memory, as programmers write it.
pub fn area(code: u8) -> Option<&'static str> {
    Some(match code {
        0x1c => "C",
        0x1d => "T",
        0x80 => "P",
        0x81 => "I",
        0x82 => "Q",
        0x83 => "M",
        0x84 => "DB",
        0x85 => "DI",
        0x86 => "L",
        _ => return None,
    })
}

/// A type of variables.
pub fn kind(code: u8) -> String {
    let known = match code {
        1 => "BIT",
        2 => "BYTE",
        3 => "CHAR",
        4 => "WORD",
        5 => "INT",
        6 => "DWORD",
        7 => "DINT",
        8 => "REAL",
        0x1c => "COUNTER",
        0x1d => "TIMER",
        other => return format!("TYPE_{other:02X}"),
    };
    known.to_owned()
}

/// What came of a variable.
pub fn result(code: u8) -> String {
    let known = match code {
        0xff => "success",
        0x01 => "hardware fault",
        0x03 => "access denied",
        0x05 => "invalid address",
        0x06 => "type not supported",
        0x07 => "type inconsistent",
        0x0a => "does not exist",
        other => return format!("result-{other:02x}"),
    };
    known.to_owned()
}
