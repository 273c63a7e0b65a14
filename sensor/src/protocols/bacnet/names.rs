//! Names of the numbers of ASHRAE 135.

/// A confirmed service (clause 21).
pub fn confirmed(code: u8) -> String {
    const NAMES: [&str; 34] = [
        "acknowledge-alarm",
        "confirmed-cov-notification",
        "confirmed-event-notification",
        "get-alarm-summary",
        "get-enrollment-summary",
        "subscribe-cov",
        "atomic-read-file",
        "atomic-write-file",
        "add-list-element",
        "remove-list-element",
        "create-object",
        "delete-object",
        "read-property",
        "read-property-conditional",
        "read-property-multiple",
        "write-property",
        "write-property-multiple",
        "device-communication-control",
        "confirmed-private-transfer",
        "confirmed-text-message",
        "reinitialize-device",
        "vt-open",
        "vt-close",
        "vt-data",
        "authenticate",
        "request-key",
        "read-range",
        "life-safety-operation",
        "subscribe-cov-property",
        "get-event-information",
        "subscribe-cov-property-multiple",
        "confirmed-cov-notification-multiple",
        "confirmed-audit-notification",
        "audit-log-query",
    ];
    pick(&NAMES, code, "service")
}

/// An unconfirmed service (clause 21).
pub fn unconfirmed(code: u8) -> String {
    const NAMES: [&str; 12] = [
        "i-am",
        "i-have",
        "unconfirmed-cov-notification",
        "unconfirmed-event-notification",
        "unconfirmed-private-transfer",
        "unconfirmed-text-message",
        "time-synchronization",
        "who-has",
        "who-is",
        "utc-time-synchronization",
        "write-group",
        "unconfirmed-cov-notification-multiple",
    ];
    pick(&NAMES, code, "service")
}

/// A function of the layer that carries BACnet over IP (annex J.2).
pub fn link(code: u8) -> &'static str {
    const NAMES: [&str; 12] = [
        "result",
        "write-broadcast-table",
        "read-broadcast-table",
        "broadcast-table",
        "forwarded",
        "register-foreign-device",
        "read-foreign-devices",
        "foreign-devices",
        "delete-foreign-device",
        "distribute-broadcast",
        "unicast",
        "broadcast",
    ];
    NAMES.get(usize::from(code)).copied().unwrap_or("other")
}

/// A kind of object (clause 21, the commoner ones).
pub fn object(code: u32) -> String {
    const NAMES: [&str; 24] = [
        "analog-input",
        "analog-output",
        "analog-value",
        "binary-input",
        "binary-output",
        "binary-value",
        "calendar",
        "command",
        "device",
        "event-enrollment",
        "file",
        "group",
        "loop",
        "multi-state-input",
        "multi-state-output",
        "notification-class",
        "program",
        "schedule",
        "averaging",
        "multi-state-value",
        "trend-log",
        "life-safety-point",
        "life-safety-zone",
        "accumulator",
    ];
    u8::try_from(code).map_or_else(|_| format!("object-{code}"), |code| pick(&NAMES, code, "object"))
}

/// A property (clause 21, the commoner ones).
pub fn property(code: u32) -> String {
    let known = match code {
        8 => "all",
        12 => "application-software-version",
        28 => "description",
        44 => "firmware-revision",
        58 => "location",
        62 => "max-apdu-length-accepted",
        70 => "model-name",
        75 => "object-identifier",
        76 => "object-list",
        77 => "object-name",
        79 => "object-type",
        81 => "out-of-service",
        85 => "present-value",
        87 => "priority-array",
        96 => "protocol-object-types-supported",
        97 => "protocol-services-supported",
        98 => "protocol-version",
        103 => "reliability",
        104 => "relinquish-default",
        111 => "status-flags",
        112 => "system-status",
        117 => "units",
        120 => "vendor-identifier",
        121 => "vendor-name",
        139 => "protocol-revision",
        other => return format!("property-{other}"),
    };
    known.to_owned()
}

/// A reason of a reject (clause 18.9).
pub fn reject(code: u8) -> String {
    const NAMES: [&str; 10] = [
        "other",
        "buffer-overflow",
        "inconsistent-parameters",
        "invalid-parameter-data-type",
        "invalid-tag",
        "missing-required-parameter",
        "parameter-out-of-range",
        "too-many-arguments",
        "undefined-enumeration",
        "unrecognized-service",
    ];
    pick(&NAMES, code, "reason")
}

/// A class of errors (clause 18.1).
pub fn error_class(code: u32) -> String {
    const NAMES: [&str; 8] =
        ["device", "object", "property", "resources", "security", "services", "vt", "communication"];
    u8::try_from(code).map_or_else(|_| format!("class-{code}"), |code| pick(&NAMES, code, "class"))
}

/// A code of an error (clause 18, the commoner ones).
pub fn error_code(code: u32) -> String {
    let known = match code {
        0 => "other",
        25 => "operational-problem",
        26 => "password-failure",
        27 => "read-access-denied",
        29 => "service-request-denied",
        31 => "unknown-object",
        32 => "unknown-property",
        37 => "value-out-of-range",
        40 => "write-access-denied",
        42 => "invalid-array-index",
        other => return format!("code-{other}"),
    };
    known.to_owned()
}

fn pick(names: &[&str], code: u8, what: &str) -> String {
    names.get(usize::from(code)).map_or_else(|| format!("{what}-{code}"), |name| (*name).to_owned())
}
