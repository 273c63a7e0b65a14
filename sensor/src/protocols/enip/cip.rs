//! The Common Industrial Protocol: services of objects and where these are (ODVA, CIP volume 1, chapter 2 and appendix C).

use super::message::{u16_le, u32_le};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a path that are told.
const MAX_PATH_BYTES: usize = 256;
/// The service by which the connection manager sends something on.
const UNCONNECTED_SEND: u8 = 0x52;
/// Where the connection manager is.
const MANAGER: &str = "class 0x6 ";

/// A request: its service and where it goes. One that the connection manager is to send on is told as what it carries.
pub fn request(message: &[u8]) -> Result<(u8, String), Short> {
    let mut r = Reader::new(message);
    let (service, path) = head(&mut r)?;
    if service != UNCONNECTED_SEND || !path.starts_with(MANAGER) {
        return Ok((service, path));
    }
    // How long it may take, then the length of what it carries.
    r.skip(2)?;
    let length = u16_le(&mut r)?;
    head(&mut Reader::new(r.take(length.into())?))
}

fn head(r: &mut Reader<'_>) -> Result<(u8, String), Short> {
    let (service, words) = (r.u8()?, usize::from(r.u8()?));
    Ok((service, path(r.take(2 * words)?)?))
}

/// An answer: its service, general status, and what follows.
pub fn answer(message: &[u8]) -> Result<(u8, u8, &[u8]), Short> {
    let mut r = Reader::new(message);
    let service = r.u8()? & 0x7f;
    r.skip(1)?;
    let (status, words) = (r.u8()?, usize::from(r.u8()?));
    r.skip(2 * words)?;
    Ok((service, status, r.rest()))
}

/// Segments of a path: classes, instances and attributes by number, tags by name.
fn path(bytes: &[u8]) -> Result<String, Short> {
    let mut r = Reader::new(bytes);
    let mut told = String::new();
    while !r.is_empty() && told.len() < MAX_PATH_BYTES {
        let kind = r.u8()?;
        let segment = match kind {
            0x20 | 0x24 | 0x28 | 0x2c | 0x30 => numbered(kind, r.u8()?.into()),
            0x21 | 0x25 | 0x29 | 0x2d | 0x31 => {
                r.skip(1)?;
                numbered(kind & !3, u16_le(&mut r)?.into())
            }
            0x26 | 0x2a => {
                r.skip(1)?;
                numbered(kind & !3, u32_le(&mut r)?)
            }
            0x91 => {
                let name = r.part8()?;
                // Filled up to whole words.
                if name.rest().len() % 2 == 1 {
                    r.skip(1)?;
                }
                text::text(name.rest(), MAX_PATH_BYTES)
            }
            // Ports to other devices and the like: what follows is not looked into.
            other => {
                told.push_str(&format!("{}segment-{other:02x}", if told.is_empty() { "" } else { " " }));
                break;
            }
        };
        if !told.is_empty() {
            told.push(' ');
        }
        told.push_str(&segment);
    }
    Ok(told)
}

fn numbered(kind: u8, number: u32) -> String {
    let what = match kind {
        0x20 => "class",
        0x24 => "instance",
        0x28 => "member",
        0x2c => "point",
        _ => "attribute",
    };
    format!("{what} {number:#x}")
}

/// Name of a service. Some numbers mean one thing to the connection manager (class 6) and another to tags.
pub fn service(code: u8, path: &str) -> String {
    let manager = path.starts_with(MANAGER);
    let known = match (code, manager) {
        (0x01, _) => "Get_Attributes_All",
        (0x02, _) => "Set_Attributes_All",
        (0x03, _) => "Get_Attribute_List",
        (0x04, _) => "Set_Attribute_List",
        (0x05, _) => "Reset",
        (0x06, _) => "Start",
        (0x07, _) => "Stop",
        (0x08, _) => "Create",
        (0x09, _) => "Delete",
        (0x0a, _) => "Multiple_Service_Packet",
        (0x0d, _) => "Apply_Attributes",
        (0x0e, _) => "Get_Attribute_Single",
        (0x10, _) => "Set_Attribute_Single",
        (0x4b, _) => "Execute_PCCC",
        (0x4c, _) => "Read_Tag",
        (0x4d, _) => "Write_Tag",
        (0x4e, true) => "Forward_Close",
        (0x4e, false) => "Read_Modify_Write_Tag",
        (0x52, true) => "Unconnected_Send",
        (0x52, false) => "Read_Tag_Fragmented",
        (0x53, _) => "Write_Tag_Fragmented",
        (0x54, true) => "Forward_Open",
        (0x55, false) => "Get_Instance_Attribute_List",
        (0x5b, true) => "Large_Forward_Open",
        (code, _) => return format!("Service_{code:02X}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_objects_and_tags() {
        assert_eq!(
            request(b"\x0e\x03\x20\x01\x24\x01\x30\x07").unwrap(),
            (14, "class 0x1 instance 0x1 attribute 0x7".into())
        );
        assert_eq!(request(b"\x4c\x03\x91\x03bom\0rest").unwrap(), (0x4c, "bom".into()));
        let sent_on = b"\x52\x02\x20\x06\x24\x01\x05\x9d\x08\0\x4c\x03\x91\x03bom\0rest";
        assert_eq!(request(sent_on).unwrap(), (0x4c, "bom".into()));
        assert!(request(b"\x4c\x09\x91").is_err());
        assert_eq!(service(0x4e, "class 0x6 instance 0x1"), "Forward_Close");
        assert_eq!(service(0x4e, "bom"), "Read_Modify_Write_Tag");
    }
}
