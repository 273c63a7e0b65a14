//! Packets (MS-TDS section 2.2.3): a kind, flags, a length, of which one or several make a message. Where encryption has
//! begun, records of TLS stand between them.

use crate::protocols::Direction;
use crate::protocols::framing::{Format, Length};

/// The longest packet.
const MAX_PACKET_BYTES: usize = 32_768;
/// Bytes before what a packet says.
pub const HEADER_BYTES: usize = 8;

/// Kinds of message.
pub mod kind {
    /// Statements.
    pub const BATCH: u8 = 1;
    /// A call of a procedure.
    pub const RPC: u8 = 3;
    /// A server's response.
    pub const RESPONSE: u8 = 4;
    /// The client gives up what runs.
    pub const ATTENTION: u8 = 6;
    /// Rows for a table.
    pub const BULK: u8 = 7;
    /// A token by which the client logs in.
    pub const TOKEN: u8 = 8;
    /// Beginning and end of transactions.
    pub const TRANSACTION: u8 = 14;
    /// A log-in.
    pub const LOGIN: u8 = 16;
    /// A token of Windows by which the client logs in.
    pub const SSPI: u8 = 17;
    /// What comes before a log-in.
    pub const PRELOGIN: u8 = 18;
}

/// How packets are told apart.
pub static FORMAT: Format = Format { length, begins: |bytes| fills(bytes).is_some(), limit_bytes: MAX_PACKET_BYTES };

fn length(bytes: &[u8]) -> Length {
    match *bytes {
        [0x14..=0x17, 3, 0..=4, high, low, ..] => Length::Bytes(5 + usize::from(u16::from_be_bytes([high, low]))),
        [0x14..=0x17, 3, 0..=4, ..] | [0x14..=0x17, 3] | [0x14..=0x17] => Length::Unknown,
        [kind::BATCH..=kind::TOKEN | kind::TRANSACTION..=kind::PRELOGIN, flags, high, low, ..] if flags < 0x20 => {
            match usize::from(u16::from_be_bytes([high, low])) {
                length if (HEADER_BYTES..=MAX_PACKET_BYTES).contains(&length) => Length::Bytes(length),
                _ => Length::Broken,
            }
        }
        [kind::BATCH..=kind::TOKEN | kind::TRANSACTION..=kind::PRELOGIN, ..] if bytes.len() < 4 => Length::Unknown,
        [] => Length::Unknown,
        _ => Length::Broken,
    }
}

/// Whether a record of TLS stands here.
pub fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 3, ..])
}

/// Who speaks, if a prelogin or its answer, or a log-in of version 7 begins here.
pub fn begins_session(bytes: &[u8]) -> Option<Direction> {
    let [kind, flags, high, low, _, _, number, 0, rest @ ..] = bytes else { return None };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if *flags > 1 || *number > 2 || !(HEADER_BYTES..=4096).contains(&length) {
        return None;
    }
    // The first of a prelogin's options is its version, of six bytes behind all options.
    let options =
        matches!(*rest, [0, 0, offset, 0, 6, next, ..] if (6..=64).contains(&offset) && (next < 8 || next == 0xff));
    match *kind {
        kind::PRELOGIN if options => Some(Direction::ToServer),
        kind::RESPONSE if options => Some(Direction::ToClient),
        kind::LOGIN => match *rest {
            [a, b, 0, 0, 0..=4, 0, 0..=0x0b, 0x70..=0x74, ..] => {
                let said = usize::from(u16::from_le_bytes([a, b])) + HEADER_BYTES;
                (said == length || *flags == 0).then_some(Direction::ToServer)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Who speaks, if whole packets of one kind fill these bytes.
pub fn fills(bytes: &[u8]) -> Option<Direction> {
    let kind = *bytes.first()?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (Length::Bytes(length), [this, 0..=9, _, _, _, _, _, 0, ..]) = (length(rest), rest) else { return None };
        if *this != kind || length <= HEADER_BYTES {
            return None;
        }
        rest = rest.get(length..)?;
    }
    match kind {
        kind::RESPONSE => Some(Direction::ToClient),
        kind::BATCH | kind::RPC => Some(Direction::ToServer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_from_other_things() {
        let prelogin = b"\x12\x01\0\x1a\0\0\0\0\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\x09\0\0\0\0\0\0";
        assert_eq!(begins_session(prelogin), Some(Direction::ToServer));
        assert_eq!(begins_session(b"\x12\x01\0\x1a\0\0\0\0\0\0\x0b\0\x07\x01"), None);
        let login = b"\x10\x01\0\x90\0\0\x01\0\x88\0\0\0\x04\0\0\x74\0\x10\0\0";
        assert_eq!(begins_session(login), Some(Direction::ToServer));
        let batch = b"\x01\x01\0\x0a\0\0\x01\0a\0";
        assert_eq!((fills(batch), fills(&batch[..9])), (Some(Direction::ToServer), None));
    }
}
