//! The encapsulation: a head of 24 bytes, then items (ODVA, EtherNet/IP specification, chapter 2).

use super::record::EnipRequest;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of the head.
pub const HEADER_BYTES: usize = 24;
/// Items of a message that are looked at; two are usual.
const MAX_ITEMS: u16 = 8;

/// The head of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What is asked for.
    pub command: u16,
    /// Bytes behind the head.
    pub content_bytes: usize,
    /// Number of the session.
    pub session: u32,
    /// Zero in requests.
    pub status: u32,
    /// What the client wants back with the answer.
    pub context: [u8; 8],
}

impl Header {
    /// Reads a head; nothing if it cannot be one.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let mut r = Reader::new(bytes);
        let (command, length) = (u16_le(&mut r).ok()?, u16_le(&mut r).ok()?);
        let (session, status) = (u32_le(&mut r).ok()?, u32_le(&mut r).ok()?);
        let context = r.array().ok()?;
        let options = u32_le(&mut r).ok()?;
        let known = name(command).is_some() && options == 0 && status <= 0xffff;
        known.then_some(Header { command, content_bytes: length.into(), session, status, context })
    }

    /// Whether it begins a session, in the one form that this has.
    pub fn is_session(&self) -> bool {
        self.command == 0x65 && self.content_bytes == 4 && self.status == 0
    }

    /// Bytes of the whole message.
    pub fn message_bytes(&self) -> usize {
        HEADER_BYTES + self.content_bytes
    }
}

/// Name of a command.
pub fn name(command: u16) -> Option<&'static str> {
    Some(match command {
        0x00 => "NOP",
        0x04 => "ListServices",
        0x63 => "ListIdentity",
        0x64 => "ListInterfaces",
        0x65 => "RegisterSession",
        0x66 => "UnRegisterSession",
        0x6f => "SendRRData",
        0x70 => "SendUnitData",
        0x72 => "IndicateStatus",
        0x73 => "Cancel",
        _ => return None,
    })
}

/// A message with its number, where it has one.
type Numbered<'a> = (Option<u16>, &'a [u8]);

/// The message of CIP inside, with the number of its connection's message where it has one.
pub fn inside(command: u16, body: &[u8]) -> Result<Option<Numbered<'_>>, Short> {
    if !matches!(command, 0x6f | 0x70) {
        return Ok(None);
    }
    let mut r = Reader::new(body);
    // Interface and time-out.
    r.skip(6)?;
    for _ in 0..u16_le(&mut r)?.min(MAX_ITEMS) {
        let (kind, length) = (u16_le(&mut r)?, u16_le(&mut r)?);
        let mut item = Reader::new(r.take(length.into())?);
        match kind {
            0xb1 => {
                let number = u16_le(&mut item)?;
                return Ok(Some((Some(number), item.rest())));
            }
            0xb2 => return Ok(Some((None, item.rest()))),
            _ => {}
        }
    }
    Ok(None)
}

/// What a device says of itself in answer to ListIdentity.
pub fn identity(record: &mut EnipRequest, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    if u16_le(&mut r)? == 0 {
        return Ok(());
    }
    // Kind and length of the item, version, address.
    r.skip(4 + 2 + 16)?;
    device(record, &mut r)
}

/// The fields of an identity object: maker, kind, product code, revision, status, serial number, name.
pub fn device(record: &mut EnipRequest, r: &mut Reader<'_>) -> Result<(), Short> {
    record.vendor = Some(u16_le(r)?);
    record.device_type = Some(u16_le(r)?);
    r.skip(2)?;
    record.revision = Some(format!("{}.{}", r.u8()?, r.u8()?));
    r.skip(2)?;
    record.serial = Some(format!("{:08x}", u32_le(r)?));
    record.product = Some(text::text(r.part8()?.rest(), 64));
    Ok(())
}

/// Two bytes, the lowest first.
pub fn u16_le(r: &mut Reader<'_>) -> Result<u16, Short> {
    r.array().map(u16::from_le_bytes)
}

/// Four bytes, the lowest first.
pub fn u32_le(r: &mut Reader<'_>) -> Result<u32, Short> {
    r.array().map(u32::from_le_bytes)
}
