//! Names of the numbers of the Modbus application protocol (version 1.1b3).

/// Functions of the public part (section 6).
const FUNCTIONS: [(u8, &str); 19] = [
    (1, "READ_COILS"),
    (2, "READ_DISCRETE_INPUTS"),
    (3, "READ_HOLDING_REGISTERS"),
    (4, "READ_INPUT_REGISTERS"),
    (5, "WRITE_SINGLE_COIL"),
    (6, "WRITE_SINGLE_REGISTER"),
    (7, "READ_EXCEPTION_STATUS"),
    (8, "DIAGNOSTICS"),
    (11, "GET_COMM_EVENT_COUNTER"),
    (12, "GET_COMM_EVENT_LOG"),
    (15, "WRITE_MULTIPLE_COILS"),
    (16, "WRITE_MULTIPLE_REGISTERS"),
    (17, "REPORT_SERVER_ID"),
    (20, "READ_FILE_RECORD"),
    (21, "WRITE_FILE_RECORD"),
    (22, "MASK_WRITE_REGISTER"),
    (23, "READ_WRITE_MULTIPLE_REGISTERS"),
    (24, "READ_FIFO_QUEUE"),
    (43, "ENCAPSULATED_INTERFACE"),
];

/// Whether a function is a public one, or one that a large maker uses (90).
pub fn is_known(code: u8) -> bool {
    code == 90 || FUNCTIONS.iter().any(|(known, _)| *known == code)
}

/// Name of a function.
pub fn function(code: u8) -> String {
    match FUNCTIONS.iter().find(|(known, _)| *known == code) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("FUNCTION_{code}"),
    }
}

/// Whether a function reads or writes.
pub fn access(code: u8) -> Option<&'static str> {
    match code {
        1..=4 | 20 | 24 => Some("read"),
        5 | 6 | 15 | 16 | 21 | 22 => Some("write"),
        23 => Some("read-write"),
        _ => None,
    }
}

/// Name of an exception (section 7).
pub fn exception(code: u8) -> String {
    let known = match code {
        1 => "ILLEGAL_FUNCTION",
        2 => "ILLEGAL_DATA_ADDRESS",
        3 => "ILLEGAL_DATA_VALUE",
        4 => "SERVER_DEVICE_FAILURE",
        5 => "ACKNOWLEDGE",
        6 => "SERVER_DEVICE_BUSY",
        8 => "MEMORY_PARITY_ERROR",
        10 => "GATEWAY_PATH_UNAVAILABLE",
        11 => "GATEWAY_TARGET_FAILED_TO_RESPOND",
        other => return format!("EXCEPTION_{other}"),
    };
    known.to_owned()
}

/// Name of a diagnostic (section 6.8).
pub fn diagnostic(code: u16) -> String {
    let known = match code {
        0 => "RETURN_QUERY_DATA",
        1 => "RESTART_COMMUNICATIONS",
        2 => "RETURN_DIAGNOSTIC_REGISTER",
        3 => "CHANGE_ASCII_DELIMITER",
        4 => "FORCE_LISTEN_ONLY_MODE",
        10 => "CLEAR_COUNTERS",
        11 => "RETURN_BUS_MESSAGE_COUNT",
        12 => "RETURN_BUS_ERROR_COUNT",
        13 => "RETURN_BUS_EXCEPTION_COUNT",
        14 => "RETURN_SERVER_MESSAGE_COUNT",
        15 => "RETURN_SERVER_NO_RESPONSE_COUNT",
        16 => "RETURN_SERVER_NAK_COUNT",
        17 => "RETURN_SERVER_BUSY_COUNT",
        18 => "RETURN_BUS_OVERRUN_COUNT",
        20 => "CLEAR_OVERRUN_COUNTER",
        other => return format!("DIAGNOSTIC_{other}"),
    };
    known.to_owned()
}

/// Name of what an encapsulated interface carries (section 6.19).
pub fn encapsulated(code: u8) -> String {
    match code {
        13 => "CANOPEN".to_owned(),
        14 => "READ_DEVICE_IDENTIFICATION".to_owned(),
        other => format!("INTERFACE_{other}"),
    }
}

/// Name of an object of a device's identification (section 6.21).
pub fn identification(code: u8) -> String {
    let known = match code {
        0 => "vendor",
        1 => "product_code",
        2 => "revision",
        3 => "vendor_url",
        4 => "product_name",
        5 => "model",
        6 => "application",
        other => return format!("object_{other}"),
    };
    known.to_owned()
}
