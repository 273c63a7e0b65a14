//! What signatures look into of a packet. A packet is a transaction, and a frame.

use super::packet::{self, CONNACK, CONNECT, Header, PUBLISH, SUBSCRIBE, UNSUBSCRIBE};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, buffer};

/// Hands over a packet; `body` may be cut.
pub fn packet(out: &mut dyn Output, direction: Direction, head: Header, body: &[u8], version5: bool) {
    if !out.inspects() {
        return;
    }
    let header = head_bytes(head);
    let (fixed, _) = header.split_at_checked(1).unwrap_or((&header, &[]));
    out.frame(direction, buffer::FRAME_MQTT_PDU, &[&header, body].concat());
    out.frame(direction, buffer::FRAME_MQTT_HEADER, fixed);
    if !body.is_empty() {
        out.frame(direction, buffer::FRAME_MQTT_DATA, body);
    }
    out.inspect_number(direction, buffer::MQTT_TYPE, head.kind.into());
    out.inspect_number(direction, buffer::MQTT_FLAGS, u64::from(head.flags & 9));
    out.inspect_number(direction, buffer::MQTT_QOS, u64::from(head.flags >> 1 & 3));
    // What cannot be read is left out.
    let _ = match head.kind {
        CONNECT => connect(out, &mut Reader::new(body)),
        PUBLISH => publish(out, direction, head, &mut Reader::new(body), version5),
        SUBSCRIBE | UNSUBSCRIBE => topics(out, head.kind == SUBSCRIBE, &mut Reader::new(body), version5),
        _ => reason(out, direction, head.kind, &mut Reader::new(body)),
    };
    out.transaction(direction);
}

/// The header as it was sent.
fn head_bytes(head: Header) -> Vec<u8> {
    let mut bytes = vec![head.kind << 4 | head.flags];
    let mut left = head.body_bytes;
    for _ in 1..head.header_bytes {
        let more = if bytes.len() + 1 < head.header_bytes { 0x80 } else { 0 };
        bytes.push(u8::try_from(left & 0x7f).unwrap_or(0) | more);
        left >>= 7;
    }
    bytes
}

fn connect(out: &mut dyn Output, r: &mut Reader<'_>) -> Result<(), Short> {
    let to_server = Direction::ToServer;
    out.inspect(to_server, buffer::MQTT_PROTOCOL, packet::string(r)?);
    let version = r.u8()? & 0x7f;
    out.inspect_number(to_server, buffer::MQTT_PROTOCOL_VERSION, version.into());
    let flags = r.u8()?;
    out.inspect_number(to_server, buffer::MQTT_CONNECT_FLAGS, flags.into());
    r.u16()?;
    if version == 5 {
        packet::properties(r)?;
    }
    out.inspect(to_server, buffer::MQTT_CLIENT_ID, packet::string(r)?);
    if flags & 4 != 0 {
        if version == 5 {
            packet::properties(r)?;
        }
        out.inspect(to_server, buffer::MQTT_WILL_TOPIC, packet::string(r)?);
        out.inspect(to_server, buffer::MQTT_WILL_MESSAGE, packet::string(r)?);
    }
    if flags & 0x80 != 0 {
        out.inspect(to_server, buffer::MQTT_USERNAME, packet::string(r)?);
    }
    if flags & 0x40 != 0 {
        out.inspect(to_server, buffer::MQTT_PASSWORD, packet::string(r)?);
    }
    Ok(())
}

fn publish(
    out: &mut dyn Output,
    direction: Direction,
    head: Header,
    r: &mut Reader<'_>,
    version5: bool,
) -> Result<(), Short> {
    out.inspect(direction, buffer::MQTT_PUBLISH_TOPIC, packet::string(r)?);
    if head.flags >> 1 & 3 != 0 {
        r.u16()?;
    }
    if version5 {
        packet::properties(r)?;
    }
    out.inspect(direction, buffer::MQTT_PUBLISH_MESSAGE, r.rest());
    Ok(())
}

fn topics(out: &mut dyn Output, options: bool, r: &mut Reader<'_>, version5: bool) -> Result<(), Short> {
    let id = if options { buffer::MQTT_SUBSCRIBE_TOPIC } else { buffer::MQTT_UNSUBSCRIBE_TOPIC };
    r.u16()?;
    if version5 {
        packet::properties(r)?;
    }
    while !r.is_empty() {
        out.inspect(Direction::ToServer, id, packet::string(r)?);
        r.skip(usize::from(options))?;
    }
    Ok(())
}

/// What a receipt says of success. A goodbye that says nothing is an ordinary one (MQTT 5 section 3.14.2.1).
fn reason(out: &mut dyn Output, direction: Direction, kind: u8, r: &mut Reader<'_>) -> Result<(), Short> {
    match kind {
        CONNACK => {
            out.inspect_number(direction, buffer::MQTT_SESSION_PRESENT, u64::from(r.u8()? & 1));
            out.inspect_number(direction, buffer::MQTT_REASON_CODE, r.u8()?.into());
        }
        4..=7 => {
            r.skip(2)?;
            out.inspect_number(direction, buffer::MQTT_REASON_CODE, r.u8().unwrap_or(0).into());
        }
        14 | 15 => out.inspect_number(direction, buffer::MQTT_REASON_CODE, r.u8().unwrap_or(0).into()),
        _ => {}
    }
    Ok(())
}
