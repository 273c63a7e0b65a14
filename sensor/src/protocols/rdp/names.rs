//! Names of the numbers of MS-RDPBCGR.

/// Kinds of protection (section 2.2.1.1.1): bits of what the client offers, or the one that the server chose.
const PROTOCOLS: [(u32, &str); 5] =
    [(0x1, "ssl"), (0x2, "credssp"), (0x4, "rdstls"), (0x8, "credssp-early"), (0x10, "rdsaad")];

/// What a client offers; the old protection is always possible and has no bit.
pub fn protocols(bits: u32) -> Vec<&'static str> {
    if bits == 0 {
        return vec!["rdp"];
    }
    flags(bits, &PROTOCOLS)
}

/// What a server chose.
pub fn protocol(number: u32) -> Option<&'static str> {
    if number == 0 { Some("rdp") } else { PROTOCOLS.iter().find(|(bit, _)| *bit == number).map(|(_, name)| *name) }
}

/// Flags of a client's request (section 2.2.1.1.1).
pub fn client_flags(bits: u8) -> Vec<&'static str> {
    flags(bits.into(), &[(0x1, "restricted_admin"), (0x2, "redirected_authentication"), (0x8, "correlation_info")])
}

/// Flags of a server's response (section 2.2.1.2.1).
pub fn server_flags(bits: u8) -> Vec<&'static str> {
    let known = [
        (0x1, "extended_client_data"),
        (0x2, "dynvc_gfx"),
        (0x8, "restricted_admin"),
        (0x10, "redirected_authentication"),
    ];
    flags(bits.into(), &known)
}

/// Ways to encrypt (sections 2.2.1.3.3 and 2.2.1.4.3).
pub fn encryption_methods(bits: u32) -> Vec<&'static str> {
    flags(bits, &[(0x1, "40bit"), (0x2, "128bit"), (0x8, "56bit"), (0x10, "fips")])
}

/// Levels of encryption (section 2.2.1.4.3).
pub fn encryption_level(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "none",
        1 => "low",
        2 => "client-compatible",
        3 => "high",
        4 => "fips",
        _ => return None,
    })
}

/// Reasons of a refusal (section 2.2.1.2.2).
pub fn failure(number: u32) -> Option<&'static str> {
    Some(match number {
        1 => "ssl required by server",
        2 => "ssl not allowed by server",
        3 => "ssl certificate not on server",
        4 => "inconsistent flags",
        5 => "hybrid required by server",
        6 => "ssl with user authentication required by server",
        _ => return None,
    })
}

/// Version in the client's core data (section 2.2.1.3.2).
pub fn version(number: u32) -> String {
    match number {
        0x0008_0001 => "4.0".to_owned(),
        0x0008_0004 => "5.x".to_owned(),
        0x0008_0005..=0x0008_0011 => format!("10.{}", number - 0x0008_0005),
        other => format!("0x{other:08x}"),
    }
}

fn flags(bits: u32, known: &[(u32, &'static str)]) -> Vec<&'static str> {
    known.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect()
}
