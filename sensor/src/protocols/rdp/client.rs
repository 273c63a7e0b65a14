//! What client and server say of themselves in the clear: the blocks inside the first messages of MCS (MS-RDPBCGR
//! sections 2.2.1.3 and 2.2.1.4).
//!
//! The layers around them (BER of T.125, PER of T.124) are passed over: the key of the blocks stands right before them.

use super::names;
use super::record::RdpConnection;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// What stands before a client's blocks, and before a server's (T.124, h221NonStandard).
const CLIENT_KEY: &[u8] = b"Duca";
const SERVER_KEY: &[u8] = b"McDn";
/// Channels that are told; the format allows 31.
const MAX_CHANNELS: usize = 31;

/// Kinds of blocks.
mod block {
    pub const CLIENT_CORE: u16 = 0xc001;
    pub const CLIENT_SECURITY: u16 = 0xc002;
    pub const CLIENT_NETWORK: u16 = 0xc003;
    pub const SERVER_SECURITY: u16 = 0x0c02;
}

/// Takes in the client's message; says whether its blocks were found and whole.
pub fn client(record: &mut RdpConnection, message: &[u8]) -> bool {
    blocks(message, CLIENT_KEY, |kind, body| match kind {
        block::CLIENT_CORE => core(record, body),
        block::CLIENT_SECURITY => {
            record.encryption_methods = names::encryption_methods(u32_le(&mut Reader::new(body))?);
            Ok(())
        }
        block::CLIENT_NETWORK => network(record, body),
        _ => Ok(()),
    })
}

/// Takes in the server's message; says whether its blocks were found and whole.
pub fn server(record: &mut RdpConnection, message: &[u8]) -> bool {
    blocks(message, SERVER_KEY, |kind, body| {
        if kind == block::SERVER_SECURITY {
            let mut r = Reader::new(body);
            record.encryption_method = names::encryption_methods(u32_le(&mut r)?).first().copied();
            record.encryption_level = names::encryption_level(u32_le(&mut r)?);
        }
        Ok(())
    })
}

/// Hands each block behind the key to `take`.
fn blocks(message: &[u8], key: &[u8], mut take: impl FnMut(u16, &[u8]) -> Result<(), Short>) -> bool {
    let Some(at) = message.windows(key.len()).position(|window| window == key) else { return false };
    let mut r = Reader::new(message.get(at + key.len()..).unwrap_or(&[]));
    // The length of all blocks, in one byte or in two with the upper bit set.
    let long = r.u8().is_ok_and(|length| length & 0x80 != 0);
    if long && r.skip(1).is_err() {
        return false;
    }
    let mut found = false;
    while !r.is_empty() {
        let one = u16_le(&mut r).and_then(|kind| {
            let length = usize::from(u16_le(&mut r)?).checked_sub(4).ok_or(Short)?;
            take(kind, r.take(length)?)
        });
        if one.is_err() {
            return false;
        }
        found = true;
    }
    found
}

/// Section 2.2.1.3.2: fixed fields, of which the later ones may be missing.
fn core(record: &mut RdpConnection, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    record.client_version = Some(names::version(u32_le(&mut r)?));
    record.desktop_width = Some(u16_le(&mut r)?);
    record.desktop_height = Some(u16_le(&mut r)?);
    // Depth of colours and a fixed number.
    r.skip(4)?;
    record.keyboard_layout = Some(format!("{:08x}", u32_le(&mut r)?));
    record.client_build = Some(u32_le(&mut r)?);
    record.client_name = utf16(r.take(32)?);
    // Keyboard, input method, colours, product, serial number, colours again.
    if r.skip(12 + 64 + 2 + 2 + 4 + 2 + 2 + 2).is_ok() {
        record.client_product = r.take(64).ok().and_then(utf16);
    }
    Ok(())
}

/// Section 2.2.1.3.4: names of eight bytes with their options.
fn network(record: &mut RdpConnection, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    let count = usize::try_from(u32_le(&mut r)?).unwrap_or(usize::MAX);
    for _ in 0..count.min(MAX_CHANNELS) {
        let name = r.take(8)?;
        r.skip(4)?;
        let name = name.split(|&b| b == 0).next().unwrap_or(name);
        record.channels.push(text::text(name, 8));
    }
    Ok(())
}

fn u16_le(r: &mut Reader<'_>) -> Result<u16, Short> {
    r.array().map(u16::from_le_bytes)
}

fn u32_le(r: &mut Reader<'_>) -> Result<u32, Short> {
    r.array().map(u32::from_le_bytes)
}

/// Text in UTF-16 up to its zero.
fn utf16(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.first_chunk().map(|pair| u16::from_le_bytes(*pair)));
    let decoded: String =
        char::decode_utf16(units.take_while(|unit| *unit != 0)).map(|c| c.unwrap_or('\u{fffd}')).collect();
    (!decoded.is_empty()).then(|| text::text(decoded.as_bytes(), 256))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_behind_their_key() {
        let mut core = vec![4, 0, 8, 0, 0, 4, 0, 3, 1, 0xca, 3, 0xaa, 0x2a, 4, 0, 0, 0x63, 0x45, 0, 0];
        let mut name: Vec<u8> = "MAY-7".encode_utf16().flat_map(u16::to_le_bytes).collect();
        name.resize(32, 0);
        core.extend(name);
        let mut message = b"around\0Duca\x80\x4c".to_vec();
        message.extend([0x01, 0xc0, core.len() as u8 + 4, 0]);
        message.extend(&core);
        message.extend([0x03, 0xc0, 20, 0, 1, 0, 0, 0]);
        message.extend(b"rdpdr\0\0\0\0\0\0\0");
        let mut record = RdpConnection::default();
        assert!(client(&mut record, &message));
        assert_eq!(record.client_name.as_deref(), Some("MAY-7"));
        assert_eq!((record.desktop_width, record.desktop_height), (Some(1024), Some(768)));
        assert_eq!(record.keyboard_layout.as_deref(), Some("0000042a"));
        assert_eq!((record.client_build, record.channels), (Some(17763), vec!["rdpdr".to_owned()]));
        message.truncate(message.len() - 3);
        assert!(!client(&mut RdpConnection::default(), &message));
    }
}
