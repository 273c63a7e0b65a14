//! What comes before a log-in, and the log-in (MS-TDS sections 2.2.6.4 and 2.2.6.5).

use super::record::TdsRequest;
use crate::protocols::gss::Login;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Characters of a name that are told.
const MAX_NAME_CHARS: usize = 128;
/// Options of a prelogin that are looked at.
const MAX_OPTIONS: usize = 16;

/// What a prelogin says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prelogin {
    /// Version of the sender's program.
    pub version: Option<String>,
    /// What it wants of encryption.
    pub encryption: Option<&'static str>,
    /// Instance that a client wants.
    pub instance: Option<String>,
}

/// Reads a prelogin or its answer.
pub fn prelogin(bytes: &[u8]) -> Result<Prelogin, Short> {
    let mut prelogin = Prelogin::default();
    let mut r = Reader::new(bytes);
    for _ in 0..MAX_OPTIONS {
        let option = r.u8()?;
        if option == 0xff {
            break;
        }
        let (offset, length) = (usize::from(r.u16()?), usize::from(r.u16()?));
        let value = bytes.get(offset..).and_then(|rest| rest.get(..length)).ok_or(Short)?;
        match (option, value) {
            (0, &[major, minor, high, low, ..]) => {
                prelogin.version = Some(format!("{major}.{minor}.{}", u16::from_be_bytes([high, low])));
            }
            (1, &[wish, ..]) => prelogin.encryption = encryption(wish),
            (2, value) => {
                let name = value.split(|byte| *byte == 0).next().unwrap_or(&[]);
                prelogin.instance = (!name.is_empty()).then(|| text::text(name, MAX_NAME_CHARS));
            }
            _ => {}
        }
    }
    Ok(prelogin)
}

fn encryption(wish: u8) -> Option<&'static str> {
    // A flag says that the client shows a certificate.
    match wish & 0x7f {
        0 => Some("off"),
        1 => Some("on"),
        2 => Some("unsupported"),
        3 => Some("required"),
        _ => None,
    }
}

/// Reads a log-in of version 7. Its password is only turned around, which anybody can undo: it counts as clear.
pub fn login(record: &mut TdsRequest, bytes: &[u8], windows: &mut Login) -> Result<(), Short> {
    let mut r = Reader::new(bytes);
    r.skip(4)?;
    record.version = Some(version(r.u32_le()?));
    r.skip(16)?;
    let [_, second, _, third] = r.array()?;
    r.skip(8)?;
    let mut field = |unit: usize| -> Result<&[u8], Short> {
        let (offset, length) = (usize::from(r.u16_le()?), usize::from(r.u16_le()?));
        bytes.get(offset..).and_then(|rest| rest.get(..length * unit)).ok_or(Short)
    };
    record.host = name(field(2)?);
    record.user = name(field(2)?);
    let password = field(2)?;
    record.application = name(field(2)?);
    record.instance = name(field(2)?);
    let extension = field(1)?;
    let _library = field(2)?;
    let _language = field(2)?;
    record.database = name(field(2)?);
    record.password_seen = (!password.is_empty()).then_some(true);
    record.method = Some(if second & 0x80 != 0 {
        "windows"
    } else if third & 0x10 != 0 && password.is_empty() && !extension.is_empty() {
        "token"
    } else {
        "password"
    });
    // The client's hardware address stands between the names and the token.
    r.skip(6)?;
    let (offset, length) = (usize::from(r.u16_le()?), usize::from(r.u16_le()?));
    if let Some(token) = bytes.get(offset..).and_then(|rest| rest.get(..length)).filter(|token| !token.is_empty()) {
        token_of_windows(record, token, windows);
    }
    Ok(())
}

/// Takes in a token of Windows.
pub fn token_of_windows(record: &mut TdsRequest, token: &[u8], windows: &mut Login) {
    if windows.token(token) {
        record.user = windows.user.clone().or(record.user.take());
        record.domain = windows.domain.clone();
        record.ntlm = windows.ntlm_proof;
    }
}

/// The version's usual name.
pub fn version(number: u32) -> String {
    let [major, minor, ..] = number.to_be_bytes();
    match (major, minor) {
        (0x70, _) => "7.0".to_owned(),
        (0x71, _) => "7.1".to_owned(),
        (0x72, _) => "7.2".to_owned(),
        (0x73, _) => "7.3".to_owned(),
        (0x74, _) => "7.4".to_owned(),
        (8, _) => "8.0".to_owned(),
        (major, minor) => format!("{major}.{minor}"),
    }
}

fn name(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text::utf16(bytes, MAX_NAME_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_stand_anywhere_within_their_message() {
        let bytes = b"\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\x0f\0\x10\x50\0\0\x01";
        let prelogin = prelogin(bytes).unwrap();
        assert_eq!((prelogin.version.as_deref(), prelogin.encryption), (Some("15.0.4176"), Some("on")));
        assert!(super::prelogin(b"\x01\xff\xff\0\x01\xff").is_err());
    }
}
