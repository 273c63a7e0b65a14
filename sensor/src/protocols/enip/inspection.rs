//! What signatures look into of a message: its head, what a device says of itself, what is asked of its objects. A message
//! is a transaction. What cannot be read is left out.

use super::message::{self, Header, u16_le, u32_le};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, buffer};

const LIST_SERVICES: u16 = 0x04;
const LIST_IDENTITY: u16 = 0x63;
const REGISTER_SESSION: u16 = 0x65;
/// Segments of a path that are looked at.
const SEGMENTS_MAX: usize = 16;

/// Hands over a message.
pub fn message(out: &mut dyn Output, direction: Direction, header: &Header, body: &[u8]) {
    if !out.inspects() {
        return;
    }
    out.inspect_number(direction, buffer::ENIP_COMMAND, header.command.into());
    out.inspect_number(direction, buffer::ENIP_STATUS, header.status.into());
    // What is cut is told as far as it goes.
    let _ = content(out, direction, header, body);
    out.transaction(direction);
}

fn content(out: &mut dyn Output, direction: Direction, header: &Header, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    match (header.command, direction) {
        (REGISTER_SESSION, _) => out.inspect_number(direction, buffer::ENIP_VERSION, u16_le(&mut r)?.into()),
        (LIST_SERVICES, Direction::ToClient) => services(out, &mut r)?,
        (LIST_IDENTITY, Direction::ToClient) => identity(out, &mut r)?,
        _ => {
            if let Some((_, message)) = message::inside(header.command, body)? {
                cip(out, direction, message)?;
            }
        }
    }
    Ok(())
}

/// Number of items; of the first kind, length, version, capabilities, name.
fn services(out: &mut dyn Output, r: &mut Reader<'_>) -> Result<(), Short> {
    let to_client = Direction::ToClient;
    r.skip(6)?;
    out.inspect_number(to_client, buffer::ENIP_VERSION, u16_le(r)?.into());
    out.inspect_number(to_client, buffer::ENIP_CAPABILITIES, u16_le(r)?.into());
    let name = r.take(16)?;
    out.inspect(to_client, buffer::ENIP_SERVICE_NAME, name.split(|b| *b == 0).next().unwrap_or(&[]));
    Ok(())
}

/// Number of items; of the first kind, length, version, address, then the fields of an identity object.
fn identity(out: &mut dyn Output, r: &mut Reader<'_>) -> Result<(), Short> {
    let to_client = Direction::ToClient;
    r.skip(6)?;
    out.inspect_number(to_client, buffer::ENIP_VERSION, u16_le(r)?.into());
    r.skip(16)?;
    for id in [buffer::ENIP_VENDOR, buffer::ENIP_DEVICE_TYPE, buffer::ENIP_PRODUCT_CODE] {
        out.inspect_number(to_client, id, u16_le(r)?.into());
    }
    out.inspect_number(to_client, buffer::ENIP_REVISION, r.u16()?.into());
    out.inspect_number(to_client, buffer::ENIP_IDENTITY_STATUS, u16_le(r)?.into());
    out.inspect_number(to_client, buffer::ENIP_SERIAL, u32_le(r)?.into());
    out.inspect(to_client, buffer::ENIP_PRODUCT_NAME, r.part8()?.rest());
    out.inspect_number(to_client, buffer::ENIP_STATE, r.u8()?.into());
    Ok(())
}

/// A request has its service and a path; an answer its service, status and more of the status.
fn cip(out: &mut dyn Output, direction: Direction, message: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(message);
    let service = r.u8()?;
    out.inspect_number(direction, buffer::CIP_SERVICE, u64::from(service & 0x7f));
    if service & 0x80 == 0 {
        let words = usize::from(r.u8()?);
        return path(out, direction, Reader::new(r.take(2 * words)?));
    }
    r.skip(1)?;
    out.inspect_number(direction, buffer::ENIP_CIP_STATUS, r.u8()?.into());
    if r.u8()? > 0 {
        out.inspect_number(direction, buffer::ENIP_CIP_EXTENDED_STATUS, u16_le(&mut r)?.into());
    }
    Ok(())
}

fn path(out: &mut dyn Output, direction: Direction, mut r: Reader<'_>) -> Result<(), Short> {
    for _ in 0..SEGMENTS_MAX {
        if r.is_empty() {
            break;
        }
        let kind = r.u8()?;
        let number = match kind & 3 {
            0 => r.u8()?.into(),
            1 => {
                r.skip(1)?;
                u16_le(&mut r)?.into()
            }
            _ => return Ok(()),
        };
        let id = match kind & !3 {
            0x20 => buffer::ENIP_CIP_CLASS,
            0x24 => buffer::ENIP_CIP_INSTANCE,
            0x30 => buffer::ENIP_CIP_ATTRIBUTE,
            0x28 | 0x2c => continue,
            _ => return Ok(()),
        };
        out.inspect_number(direction, id, number);
    }
    Ok(())
}
