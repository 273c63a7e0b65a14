//! Names of the numbers of IEEE 1815.

/// A function of the application layer (clause 4.2.2.5).
pub fn function(code: u8) -> String {
    let known = match code {
        0 => "CONFIRM",
        1 => "READ",
        2 => "WRITE",
        3 => "SELECT",
        4 => "OPERATE",
        5 => "DIRECT_OPERATE",
        6 => "DIRECT_OPERATE_NR",
        7 => "IMMED_FREEZE",
        8 => "IMMED_FREEZE_NR",
        9 => "FREEZE_CLEAR",
        10 => "FREEZE_CLEAR_NR",
        11 => "FREEZE_AT_TIME",
        12 => "FREEZE_AT_TIME_NR",
        13 => "COLD_RESTART",
        14 => "WARM_RESTART",
        15 => "INITIALIZE_DATA",
        16 => "INITIALIZE_APPL",
        17 => "START_APPL",
        18 => "STOP_APPL",
        19 => "SAVE_CONFIG",
        20 => "ENABLE_UNSOLICITED",
        21 => "DISABLE_UNSOLICITED",
        22 => "ASSIGN_CLASS",
        23 => "DELAY_MEASURE",
        24 => "RECORD_CURRENT_TIME",
        25 => "OPEN_FILE",
        26 => "CLOSE_FILE",
        27 => "DELETE_FILE",
        28 => "GET_FILE_INFO",
        29 => "AUTHENTICATE_FILE",
        30 => "ABORT_FILE",
        31 => "ACTIVATE_CONFIG",
        32 => "AUTHENTICATE_REQ",
        33 => "AUTH_REQ_NO_ACK",
        129 => "RESPONSE",
        130 => "UNSOLICITED_RESPONSE",
        131 => "AUTHENTICATE_RESP",
        _ => return format!("FUNCTION_{code}"),
    };
    known.to_owned()
}

/// Bits of the internal indications, the first byte in the lower half (clause 4.2.2.6).
const INDICATORS: [(u16, &str); 14] = [
    (0x0001, "all_stations"),
    (0x0002, "class_1_events"),
    (0x0004, "class_2_events"),
    (0x0008, "class_3_events"),
    (0x0010, "need_time"),
    (0x0020, "local_control"),
    (0x0040, "device_trouble"),
    (0x0080, "device_restart"),
    (0x0100, "no_func_code_support"),
    (0x0200, "object_unknown"),
    (0x0400, "parameter_error"),
    (0x0800, "event_buffer_overflow"),
    (0x1000, "already_executing"),
    (0x2000, "config_corrupt"),
];

/// Names of the indications that are set.
pub fn indicators(bits: u16) -> Vec<&'static str> {
    INDICATORS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect()
}

/// The control code of a command to a relay: operation, and what it opens or closes (group 12 variation 1).
pub fn control(code: u8) -> String {
    let operation = match code & 0x0f {
        0 => "NUL",
        1 => "PULSE_ON",
        2 => "PULSE_OFF",
        3 => "LATCH_ON",
        4 => "LATCH_OFF",
        other => return format!("OPERATION_{other}"),
    };
    match code >> 6 {
        1 => format!("{operation} CLOSE"),
        2 => format!("{operation} TRIP"),
        _ => operation.to_owned(),
    }
}
