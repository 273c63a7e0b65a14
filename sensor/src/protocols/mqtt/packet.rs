//! Control packets (MQTT 5 section 2): a kind with flags, a length, what it says.

use super::record::MqttMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a packet that are kept.
pub const MAX_KEPT_BYTES: usize = 16 << 10;
/// Bytes of what is published that are told.
const MAX_PAYLOAD_BYTES: usize = 256;
/// Bytes of any name that are told.
const MAX_NAME_BYTES: usize = 512;
/// Topics of one message that are told.
const MAX_TOPICS: usize = 32;

/// Kinds of packet, by number.
pub const CONNECT: u8 = 1;
/// Answer to a log-in.
pub const CONNACK: u8 = 2;
/// A publication.
pub const PUBLISH: u8 = 3;
/// Receipt of a publication of quality 1.
pub const PUBACK: u8 = 4;
/// First receipt of a publication of quality 2.
pub const PUBREC: u8 = 5;
/// The answer to that receipt.
pub const PUBREL: u8 = 6;
/// The last receipt.
pub const PUBCOMP: u8 = 7;
/// A subscription.
pub const SUBSCRIBE: u8 = 8;
/// Its answer.
pub const SUBACK: u8 = 9;
/// The end of a subscription.
pub const UNSUBSCRIBE: u8 = 10;
/// Its answer.
pub const UNSUBACK: u8 = 11;
/// A sign of life.
pub const PINGREQ: u8 = 12;
/// Its answer.
pub const PINGRESP: u8 = 13;

/// The kind's name.
pub fn name(kind: u8) -> &'static str {
    const NAMES: [&str; 16] = [
        "reserved",
        "connect",
        "connack",
        "publish",
        "puback",
        "pubrec",
        "pubrel",
        "pubcomp",
        "subscribe",
        "suback",
        "unsubscribe",
        "unsuback",
        "ping",
        "pingresp",
        "disconnect",
        "auth",
    ];
    NAMES.get(usize::from(kind)).copied().unwrap_or("reserved")
}

/// Kind, flags, length of the header, length of what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The kind, 1 to 15.
    pub kind: u8,
    /// Four flags.
    pub flags: u8,
    /// Bytes of the header.
    pub header_bytes: usize,
    /// Bytes behind the header.
    pub body_bytes: usize,
}

/// The header at the start; `Ok(None)` while it has not come as a whole, an error where there is none.
pub fn header(bytes: &[u8]) -> Result<Option<Header>, Short> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    let (kind, flags) = (first >> 4, first & 0xf);
    let flags_fit = match kind {
        0 => false,
        PUBLISH => flags & 6 != 6,
        PUBREL | SUBSCRIBE | UNSUBSCRIBE => flags == 2,
        // Version 3.1 allowed that a message be marked as sent again.
        _ => flags & 7 == 0,
    };
    if !flags_fit {
        return Err(Short);
    }
    let mut body_bytes = 0usize;
    for (place, byte) in rest.iter().take(4).enumerate() {
        body_bytes |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some(Header { kind, flags, header_bytes: place + 2, body_bytes }));
        }
    }
    if rest.len() >= 4 { Err(Short) } else { Ok(None) }
}

/// Whether a log-in begins here; nothing while that cannot be told.
pub fn begins_login(bytes: &[u8]) -> Option<bool> {
    match bytes.first() {
        None => return None,
        Some(0x10) => {}
        Some(_) => return Some(false),
    }
    let Ok(head) = header(bytes) else { return Some(false) };
    let rest = bytes.get(head?.header_bytes..)?;
    for protocol in [&b"\0\x04MQTT"[..], b"\0\x06MQIsdp"] {
        if rest.starts_with(protocol) {
            return Some(true);
        }
        if protocol.starts_with(rest) {
            return None;
        }
    }
    Some(false)
}

/// Whether whole packets of plausible kinds fill these bytes.
pub fn fills(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let Ok(Some(head)) = header(rest) else { return false };
        let body = rest.get(head.header_bytes..).unwrap_or(&[]);
        let plausible = match head.kind {
            CONNACK => head.body_bytes >= 2,
            PUBLISH => body.first_chunk().is_some_and(|length| {
                let length = usize::from(u16::from_be_bytes(*length));
                length > 0 && body.get(2..2 + length).is_some_and(|topic| std::str::from_utf8(topic).is_ok())
            }),
            PUBACK..=PUBCOMP => head.body_bytes >= 2,
            SUBSCRIBE..=UNSUBACK => head.body_bytes >= 3 || head.kind == UNSUBACK,
            PINGREQ | PINGRESP => head.body_bytes == 0,
            14 => head.body_bytes <= 2,
            _ => false,
        };
        if !plausible {
            return false;
        }
        match body.get(head.body_bytes..) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    !bytes.is_empty()
}

/// Reads a packet; `version5` says that properties are to be expected. `body` may be cut at [`MAX_KEPT_BYTES`].
pub fn read(head: Header, body: &[u8], version5: bool) -> (MqttMessage, Result<(), Short>) {
    let mut record = MqttMessage { kind: name(head.kind), ..MqttMessage::default() };
    let mut r = Reader::new(body);
    let result = match head.kind {
        CONNECT => connect(&mut record, &mut r),
        CONNACK => connack(&mut record, &mut r),
        PUBLISH => publish(&mut record, &mut r, head, version5),
        PUBACK..=PUBCOMP => receipt(&mut record, &mut r),
        SUBSCRIBE | UNSUBSCRIBE => topics(&mut record, &mut r, head.kind == SUBSCRIBE, version5),
        SUBACK | UNSUBACK => results(&mut record, &mut r, version5),
        14 | 15 => {
            record.result = r.u8().ok().map(u64::from);
            Ok(())
        }
        _ => Ok(()),
    };
    (record, result)
}

/// A string with its length before it.
pub fn string<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Short> {
    r.part16().map(|part| part.rest())
}

fn words(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text::text(bytes, MAX_NAME_BYTES))
}

/// MQTT 3.1.1 section 3.1, MQTT 5 section 3.1.
fn connect(record: &mut MqttMessage, r: &mut Reader<'_>) -> Result<(), Short> {
    r.part16()?;
    let version = r.u8()? & 0x7f;
    record.version = Some(match version {
        3 => "3.1".to_owned(),
        4 => "3.1.1".to_owned(),
        other => other.to_string(),
    });
    let flags = r.u8()?;
    record.clean_session = Some(flags & 2 != 0);
    record.keep_alive_s = Some(r.u16()?.into());
    if version == 5 {
        let mut properties = properties(r)?;
        login_properties(record, &mut properties);
    }
    record.client_id = words(string(r)?);
    if flags & 4 != 0 {
        if version == 5 {
            properties(r)?;
        }
        record.will_topic = words(string(r)?);
        r.part16()?;
    }
    if flags & 0x80 != 0 {
        record.user = words(string(r)?);
    }
    record.password_seen = (flags & 0x40 != 0).then_some(true);
    Ok(())
}

/// Properties, whose length stands before them (MQTT 5 section 2.2.2).
pub fn properties<'a>(r: &mut Reader<'a>) -> Result<Reader<'a>, Short> {
    let length = number(r)?;
    r.take(length).map(Reader::new)
}

/// A number of up to four bytes of seven bits, the lowest first.
fn number(r: &mut Reader<'_>) -> Result<usize, Short> {
    let mut value = 0;
    for place in 0..4 {
        let byte = r.u8()?;
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Short)
}

/// Looks for the method by which a client logs in; other properties are passed over (MQTT 5 section 2.2.2.2).
fn login_properties(record: &mut MqttMessage, r: &mut Reader<'_>) {
    while let Ok(kind) = r.u8() {
        let passed = match kind {
            0x15 => string(r).map(|method| record.method = words(method)),
            0x11 | 0x27 => r.skip(4),
            0x21 | 0x22 => r.skip(2),
            0x17 | 0x19 => r.skip(1),
            0x16 => r.part16().map(|_| ()),
            0x26 => r.part16().and_then(|_| r.part16()).map(|_| ()),
            _ => Err(Short),
        };
        if passed.is_err() {
            return;
        }
    }
}

fn connack(record: &mut MqttMessage, r: &mut Reader<'_>) -> Result<(), Short> {
    r.skip(1)?;
    let result = r.u8()?;
    record.result = Some(result.into());
    record.outcome = Some(if result == 0 { "success" } else { "failure" });
    Ok(())
}

fn publish(record: &mut MqttMessage, r: &mut Reader<'_>, head: Header, version5: bool) -> Result<(), Short> {
    let quality = head.flags >> 1 & 3;
    record.quality = Some(quality.into());
    record.retain = (head.flags & 1 != 0).then_some(true);
    record.duplicate = (head.flags & 8 != 0).then_some(true);
    record.topic = words(string(r)?);
    if quality > 0 {
        record.message_id = Some(r.u16()?.into());
    }
    if version5 {
        properties(r)?;
    }
    let payload = r.rest();
    record.payload_bytes = Some(head.body_bytes.saturating_sub(r.position()) as u64);
    let shown = payload.get(..MAX_PAYLOAD_BYTES).unwrap_or(payload);
    let readable = shown.iter().all(|b| *b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r'));
    record.payload = (readable && !payload.is_empty()).then(|| text::text(payload, MAX_PAYLOAD_BYTES));
    Ok(())
}

fn receipt(record: &mut MqttMessage, r: &mut Reader<'_>) -> Result<(), Short> {
    record.message_id = Some(r.u16()?.into());
    record.result = r.u8().ok().map(u64::from);
    Ok(())
}

fn topics(record: &mut MqttMessage, r: &mut Reader<'_>, options: bool, version5: bool) -> Result<(), Short> {
    record.message_id = Some(r.u16()?.into());
    if version5 {
        properties(r)?;
    }
    while !r.is_empty() {
        let topic = string(r)?;
        r.skip(usize::from(options))?;
        if record.topics.len() < MAX_TOPICS {
            record.topics.push(text::text(topic, MAX_NAME_BYTES));
        }
    }
    Ok(())
}

fn results(record: &mut MqttMessage, r: &mut Reader<'_>, version5: bool) -> Result<(), Short> {
    record.message_id = Some(r.u16()?.into());
    if version5 {
        properties(r)?;
    }
    record.result = r.rest().iter().max().map(|worst| u64::from(*worst));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ins_are_told_from_other_things() {
        let login = b"\x10\x12\0\x04MQTT\x04\xc2\0\x3c\0\x02m1\0\0\0\0";
        assert_eq!(begins_login(login), Some(true));
        assert_eq!((begins_login(&login[..5]), begins_login(&login[..1])), (None, None));
        assert_eq!(begins_login(b"\x10\x05hello"), Some(false));
        assert_eq!(begins_login(b"GET /"), Some(false));
    }

    #[test]
    fn lengths_have_at_most_four_bytes() {
        assert_eq!(header(b"\x30\xff\xff\xff\x7f").unwrap().unwrap().body_bytes, 268_435_455);
        assert_eq!(header(b"\x30\xff\xff"), Ok(None));
        assert_eq!(header(b"\x30\xff\xff\xff\xff"), Err(Short));
        assert_eq!((header(b"\x00\x00"), header(b"\x80\x00")), (Err(Short), Err(Short)));
    }

    #[test]
    fn a_publication_is_read() {
        let body = b"\0\x03a/b\0\x07\x00xin chao";
        let head = header(&[&[0x33, body.len() as u8][..], body].concat()).unwrap().unwrap();
        let (record, result) = read(head, body, true);
        assert_eq!(result, Ok(()));
        assert_eq!((record.topic.as_deref(), record.message_id, record.quality), (Some("a/b"), Some(7), Some(1)));
        assert_eq!((record.payload.as_deref(), record.payload_bytes), (Some("xin chao"), Some(8)));
    }
}
