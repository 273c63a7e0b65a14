//! The names of IKE's numbers (IANA "Internet Key Exchange (IKE) Attributes", "Internet Key Exchange Version 2 (IKEv2)
//! Parameters").

use crate::protocols::text;

fn known(name: Option<&str>, number: impl std::fmt::Display) -> String {
    name.map_or_else(|| number.to_string(), str::to_owned)
}

/// Kind of exchange, of both versions.
pub fn exchange(number: u8) -> String {
    let name = match number {
        1 => "base",
        2 => "main",
        3 => "authentication only",
        4 => "aggressive",
        5 => "informational",
        6 => "transaction",
        32 => "quick",
        33 => "new group",
        34 => "IKE_SA_INIT",
        35 => "IKE_AUTH",
        36 => "CREATE_CHILD_SA",
        37 => "INFORMATIONAL",
        38 => "IKE_SESSION_RESUME",
        43 => "IKE_INTERMEDIATE",
        44 => "IKE_FOLLOWUP_KE",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// Kind of payload.
pub fn payload(major: u8, number: u8) -> String {
    let one = match number {
        1 => Some("security association"),
        2 => Some("proposal"),
        3 => Some("transform"),
        4 => Some("key exchange"),
        5 => Some("identity"),
        6 => Some("certificate"),
        7 => Some("certificate request"),
        8 => Some("hash"),
        9 => Some("signature"),
        10 => Some("nonce"),
        11 => Some("notification"),
        12 => Some("delete"),
        13 => Some("vendor"),
        14 => Some("attributes"),
        20 | 130 => Some("nat discovery"),
        21 | 131 => Some("original address"),
        132 => Some("fragment"),
        _ => None,
    };
    let two = match number {
        33 => Some("security association"),
        34 => Some("key exchange"),
        35 => Some("initiator identity"),
        36 => Some("responder identity"),
        37 => Some("certificate"),
        38 => Some("certificate request"),
        39 => Some("authentication"),
        40 => Some("nonce"),
        41 => Some("notification"),
        42 => Some("delete"),
        43 => Some("vendor"),
        44 => Some("initiator traffic"),
        45 => Some("responder traffic"),
        46 => Some("encrypted"),
        47 => Some("configuration"),
        48 => Some("eap"),
        53 => Some("encrypted fragment"),
        _ => None,
    };
    known(if major == 1 { one } else { two }, number)
}

/// Encryption of version 2.
pub fn encryption(number: u16) -> String {
    let name = match number {
        1 => "DES_IV64",
        2 => "DES",
        3 => "3DES",
        4 => "RC5",
        5 => "IDEA",
        6 => "CAST",
        7 => "BLOWFISH",
        8 => "3IDEA",
        9 => "DES_IV32",
        11 => "NULL",
        12 => "AES_CBC",
        13 => "AES_CTR",
        14 => "AES_CCM_8",
        15 => "AES_CCM_12",
        16 => "AES_CCM_16",
        18 => "AES_GCM_8",
        19 => "AES_GCM_12",
        20 => "AES_GCM_16",
        21 => "NULL_AES_GMAC",
        23 => "CAMELLIA_CBC",
        24 => "CAMELLIA_CTR",
        25 => "CAMELLIA_CCM_8",
        26 => "CAMELLIA_CCM_12",
        27 => "CAMELLIA_CCM_16",
        28 => "CHACHA20_POLY1305",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// Pseudo-random function of version 2.
pub fn pseudo_random(number: u16) -> String {
    let name = match number {
        1 => "HMAC_MD5",
        2 => "HMAC_SHA1",
        3 => "HMAC_TIGER",
        4 => "AES128_XCBC",
        5 => "HMAC_SHA2_256",
        6 => "HMAC_SHA2_384",
        7 => "HMAC_SHA2_512",
        8 => "AES128_CMAC",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// Integrity of version 2.
pub fn integrity(number: u16) -> String {
    let name = match number {
        0 => "NONE",
        1 => "HMAC_MD5_96",
        2 => "HMAC_SHA1_96",
        3 => "DES_MAC",
        4 => "KPDK_MD5",
        5 => "AES_XCBC_96",
        6 => "HMAC_MD5_128",
        7 => "HMAC_SHA1_160",
        8 => "AES_CMAC_96",
        9 => "AES_128_GMAC",
        10 => "AES_192_GMAC",
        11 => "AES_256_GMAC",
        12 => "HMAC_SHA2_256_128",
        13 => "HMAC_SHA2_384_192",
        14 => "HMAC_SHA2_512_256",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// Diffie-Hellman group, of both versions.
pub fn group(number: u16) -> String {
    let name = match number {
        0 => "NONE",
        1 => "MODP_768",
        2 => "MODP_1024",
        5 => "MODP_1536",
        14 => "MODP_2048",
        15 => "MODP_3072",
        16 => "MODP_4096",
        17 => "MODP_6144",
        18 => "MODP_8192",
        19 => "ECP_256",
        20 => "ECP_384",
        21 => "ECP_521",
        22 => "MODP_1024_160",
        23 => "MODP_2048_224",
        24 => "MODP_2048_256",
        25 => "ECP_192",
        26 => "ECP_224",
        27 => "BRAINPOOL_224",
        28 => "BRAINPOOL_256",
        29 => "BRAINPOOL_384",
        30 => "BRAINPOOL_512",
        31 => "CURVE_25519",
        32 => "CURVE_448",
        35 => "ML_KEM_512",
        36 => "ML_KEM_768",
        37 => "ML_KEM_1024",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// Encryption of version 1.
pub fn encryption1(number: u16) -> String {
    let name = match number {
        1 => "DES",
        2 => "IDEA",
        3 => "BLOWFISH",
        4 => "RC5",
        5 => "3DES",
        6 => "CAST",
        7 => "AES_CBC",
        8 => "CAMELLIA_CBC",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// Hash of version 1.
pub fn hash1(number: u16) -> String {
    let name = match number {
        1 => "MD5",
        2 => "SHA1",
        3 => "TIGER",
        4 => "SHA2_256",
        5 => "SHA2_384",
        6 => "SHA2_512",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// How sites prove who they are in version 1; from 64221 on with a log-in of a person behind it (XAUTH, hybrid).
pub fn authentication1(number: u16) -> String {
    let name = match number {
        1 => "pre-shared key",
        2 => "DSS signatures",
        3 => "RSA signatures",
        4 | 5 => "RSA encryption",
        9..=11 => "ECDSA signatures",
        64221..=64224 => "hybrid",
        65001..=65010 => "XAUTH",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// Notices.
pub fn notification(major: u8, number: u16) -> String {
    let one = match number {
        1 => Some("INVALID_PAYLOAD_TYPE"),
        4 => Some("INVALID_COOKIE"),
        5 => Some("INVALID_MAJOR_VERSION"),
        7 => Some("INVALID_EXCHANGE_TYPE"),
        9 => Some("INVALID_MESSAGE_ID"),
        11 => Some("INVALID_SPI"),
        14 => Some("NO_PROPOSAL_CHOSEN"),
        16 => Some("PAYLOAD_MALFORMED"),
        17 => Some("INVALID_KEY_INFORMATION"),
        18 => Some("INVALID_ID_INFORMATION"),
        24 => Some("AUTHENTICATION_FAILED"),
        24_576 => Some("RESPONDER_LIFETIME"),
        24_577 => Some("REPLAY_STATUS"),
        24_578 => Some("INITIAL_CONTACT"),
        36_136 => Some("R_U_THERE"),
        36_137 => Some("R_U_THERE_ACK"),
        _ => None,
    };
    let two = match number {
        1 => Some("UNSUPPORTED_CRITICAL_PAYLOAD"),
        4 => Some("INVALID_IKE_SPI"),
        5 => Some("INVALID_MAJOR_VERSION"),
        7 => Some("INVALID_SYNTAX"),
        9 => Some("INVALID_MESSAGE_ID"),
        11 => Some("INVALID_SPI"),
        14 => Some("NO_PROPOSAL_CHOSEN"),
        17 => Some("INVALID_KE_PAYLOAD"),
        24 => Some("AUTHENTICATION_FAILED"),
        34 => Some("SINGLE_PAIR_REQUIRED"),
        35 => Some("NO_ADDITIONAL_SAS"),
        36 => Some("INTERNAL_ADDRESS_FAILURE"),
        37 => Some("FAILED_CP_REQUIRED"),
        38 => Some("TS_UNACCEPTABLE"),
        39 => Some("INVALID_SELECTORS"),
        43 => Some("TEMPORARY_FAILURE"),
        44 => Some("CHILD_SA_NOT_FOUND"),
        16_384 => Some("INITIAL_CONTACT"),
        16_385 => Some("SET_WINDOW_SIZE"),
        16_386 => Some("ADDITIONAL_TS_POSSIBLE"),
        16_387 => Some("IPCOMP_SUPPORTED"),
        16_388 => Some("NAT_DETECTION_SOURCE_IP"),
        16_389 => Some("NAT_DETECTION_DESTINATION_IP"),
        16_390 => Some("COOKIE"),
        16_391 => Some("USE_TRANSPORT_MODE"),
        16_393 => Some("REKEY_SA"),
        16_396 => Some("MOBIKE_SUPPORTED"),
        16_404 => Some("MULTIPLE_AUTH_SUPPORTED"),
        16_406 => Some("REDIRECT_SUPPORTED"),
        16_407 => Some("REDIRECT"),
        16_417 => Some("EAP_ONLY_AUTHENTICATION"),
        16_418 => Some("CHILDLESS_IKEV2_SUPPORTED"),
        16_430 => Some("IKEV2_FRAGMENTATION_SUPPORTED"),
        16_431 => Some("SIGNATURE_HASH_ALGORITHMS"),
        16_435 => Some("USE_PPK"),
        16_438 => Some("INTERMEDIATE_EXCHANGE_SUPPORTED"),
        _ => None,
    };
    known(if major == 1 { one } else { two }, number)
}

/// Marks of vendors that are often seen; others as they are.
pub fn vendor(mark: &[u8]) -> String {
    const MARKS: [(&[u8], &str); 8] = [
        (&[0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00], "DPD"),
        (
            &[0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f],
            "NAT-T (RFC 3947)",
        ),
        (
            &[0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3],
            "fragmentation",
        ),
        (&[0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12], "XAUTH"),
        (
            &[0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9, 0x70, 0x2d, 0x9f, 0xe2, 0x74, 0xcc, 0x01, 0x00],
            "Cisco Unity",
        ),
        (&[0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d, 0x7c, 0x96, 0xfc, 0xbf, 0xb5, 0x87, 0xe4, 0x61], "Windows"),
        (
            &[0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb],
            "strongSwan",
        ),
        (&[0x82, 0x99, 0x03, 0x17, 0x57, 0xa3, 0x60, 0x82, 0xc6, 0xa6, 0x21, 0xde], "Fortinet"),
    ];
    if let Some((_, name)) = MARKS.iter().find(|(known, _)| mark.starts_with(known)) {
        return (*name).to_owned();
    }
    let readable = mark.len() >= 4 && mark.iter().all(|b| (0x20..0x7f).contains(b));
    if readable { text::text(mark, 64) } else { text::hex(mark, 64) }
}
