//! The names of RADIUS's numbers (IANA "RADIUS Types").

/// Kind of message; nothing for a number that does not exist.
pub fn code(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "access-request",
        2 => "access-accept",
        3 => "access-reject",
        4 => "accounting-request",
        5 => "accounting-response",
        11 => "access-challenge",
        12 => "status-server",
        13 => "status-client",
        40 => "disconnect-request",
        41 => "disconnect-ack",
        42 => "disconnect-nak",
        43 => "coa-request",
        44 => "coa-ack",
        45 => "coa-nak",
        _ => return None,
    })
}

/// Kind of port (attribute 61).
pub fn port_type(number: u32) -> String {
    let name = match number {
        0 => "async",
        1 => "sync",
        5 => "virtual",
        15 => "ethernet",
        16 => "xdsl",
        17 => "cable",
        18 => "wireless",
        19 => "wireless 802.11",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// Kind of service (attribute 6).
pub fn service_type(number: u32) -> String {
    let name = match number {
        1 => "login",
        2 => "framed",
        3 => "callback login",
        5 => "outbound",
        6 => "administrative",
        7 => "nas prompt",
        8 => "authenticate only",
        10 => "call check",
        17 => "authorize only",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// What is accounted for (attribute 40).
pub fn accounting(number: u32) -> String {
    let name = match number {
        1 => "start",
        2 => "stop",
        3 => "interim-update",
        7 => "accounting-on",
        8 => "accounting-off",
        15 => "failed",
        other => return other.to_string(),
    };
    name.to_owned()
}
