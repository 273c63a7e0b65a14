//! The layers of a datagram: the link's head (annex J.2), the network's head (clause 6), the application's message with
//! its tagged values (clause 20).

use super::names;
use super::record::BacnetMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of a name that are told.
const MAX_NAME_BYTES: usize = 64;

/// What stands around a message.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// Number of the link's function.
    pub function: u8,
    /// Network that is meant, and that it comes from.
    pub networks: (Option<u16>, Option<u16>),
    /// What is inside.
    pub content: Content<'a>,
}

/// What is inside.
#[derive(Debug)]
pub enum Content<'a> {
    /// Nothing for devices: the link talks about itself.
    Link,
    /// Routers talk to each other.
    Network,
    /// A message of the application.
    Application(&'a [u8]),
}

impl Envelope<'_> {
    /// Whether it is an answer to a request.
    pub fn answers(&self) -> bool {
        matches!(self.content, Content::Application([head, ..]) if (2..=7).contains(&(head >> 4)))
    }
}

/// Opens a datagram; nothing if it is not one of this protocol.
pub fn envelope(bytes: &[u8]) -> Option<Envelope<'_>> {
    let mut r = Reader::new(bytes);
    let (mark, function, length) = (r.u8().ok()?, r.u8().ok()?, r.u16().ok()?);
    if mark != 0x81 || function > 0x0b || usize::from(length) != bytes.len() {
        return None;
    }
    match function {
        0x04 => r.skip(6).ok()?,
        0x09..=0x0b => {}
        _ => return Some(Envelope { function, networks: (None, None), content: Content::Link }),
    }
    let (version, control) = (r.u8().ok()?, r.u8().ok()?);
    if version != 1 {
        return None;
    }
    let mut network = |present: bool| -> Option<Option<u16>> {
        if !present {
            return Some(None);
        }
        let number = r.u16().ok()?;
        r.part8().ok()?;
        Some(Some(number))
    };
    let networks = (network(control & 0x20 != 0)?, network(control & 0x08 != 0)?);
    if control & 0x20 != 0 {
        // Hops that are left.
        r.skip(1).ok()?;
    }
    let content = if control & 0x80 != 0 { Content::Network } else { Content::Application(r.rest()) };
    Some(Envelope { function, networks, content })
}

/// A message of the application.
pub enum Message<'a> {
    /// A request that wants an answer: number, service, what follows.
    Confirmed(u8, u8, &'a [u8]),
    /// One that wants none: service, what follows.
    Unconfirmed(u8, &'a [u8]),
    /// An answer: number, what it is, its service, what follows.
    Answer(u8, &'static str, Option<u8>, &'a [u8]),
    /// A part of a longer one was received.
    Segment,
}

/// Reads a message of the application (clause 20.1).
pub fn message(bytes: &[u8]) -> Result<Message<'_>, Short> {
    let mut r = Reader::new(bytes);
    let head = r.u8()?;
    let segmented = head & 0x08 != 0;
    match head >> 4 {
        0 => {
            r.skip(1)?;
            let invoke = r.u8()?;
            r.skip(if segmented { 2 } else { 0 })?;
            Ok(Message::Confirmed(invoke, r.u8()?, r.rest()))
        }
        1 => Ok(Message::Unconfirmed(r.u8()?, r.rest())),
        2 => Ok(Message::Answer(r.u8()?, "ack", Some(r.u8()?), r.rest())),
        3 => {
            let invoke = r.u8()?;
            if segmented && r.u8()? != 0 {
                return Ok(Message::Segment);
            }
            r.skip(usize::from(segmented))?;
            Ok(Message::Answer(invoke, "ack", Some(r.u8()?), r.rest()))
        }
        4 => Ok(Message::Segment),
        5 => Ok(Message::Answer(r.u8()?, "error", Some(r.u8()?), r.rest())),
        6 => Ok(Message::Answer(r.u8()?, "reject", None, r.rest())),
        7 => Ok(Message::Answer(r.u8()?, "abort", None, r.rest())),
        _ => Err(Short),
    }
}

/// A tagged value: number of the tag, whether it belongs to the service, the bytes.
fn tagged<'a>(r: &mut Reader<'a>) -> Result<(u8, bool, &'a [u8]), Short> {
    let head = r.u8()?;
    let (mut tag, context, short) = (head >> 4, head & 0x08 != 0, head & 0x07);
    if tag == 15 {
        tag = r.u8()?;
    }
    let length = match short {
        5 => match r.u8()? {
            254 => usize::from(r.u16()?),
            255 => usize::try_from(r.u32()?).map_err(|_| Short)?,
            length => length.into(),
        },
        // Opening and closing tags, and truth values, have nothing behind them.
        6 | 7 => 0,
        length => length.into(),
    };
    Ok((tag, context, if !context && tag == 1 { &[] } else { r.take(length)? }))
}

fn unsigned(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |value, byte| value << 8 | u32::from(*byte))
}

/// Ten bits of kind, twenty-two of instance.
fn object(bytes: &[u8]) -> Option<String> {
    let [_, _, _, _] = bytes else { return None };
    let number = unsigned(bytes);
    Some(format!("{},{}", names::object(number >> 22), number & 0x3f_ffff))
}

/// Takes in what follows a confirmed service.
pub fn confirmed(record: &mut BacnetMessage, service: u8, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    match service {
        // Object, property.
        12 | 15 | 26 => {
            record.object = object(tagged(&mut r)?.2);
            record.property = Some(names::property(unsigned(tagged(&mut r)?.2)));
        }
        // The first object of several.
        10 | 14 | 16 => record.object = object(tagged(&mut r)?.2),
        6 | 7 | 11 => record.object = object(tagged(&mut r)?.2),
        _ => {}
    }
    Ok(())
}

/// Takes in what follows an unconfirmed service.
pub fn unconfirmed(record: &mut BacnetMessage, service: u8, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    match service {
        // I-Am: device, size, segmentation, maker.
        0 => {
            record.object = object(tagged(&mut r)?.2);
            tagged(&mut r)?;
            tagged(&mut r)?;
            record.vendor_id = Some(unsigned(tagged(&mut r)?.2).into());
        }
        // I-Have: device, object, name.
        1 => {
            tagged(&mut r)?;
            record.object = object(tagged(&mut r)?.2);
        }
        8 if !body.is_empty() => {
            let (low, high) = (unsigned(tagged(&mut r)?.2), unsigned(tagged(&mut r)?.2));
            record.looked_for = Some(format!("{low}-{high}"));
        }
        // Who-Has: limits that may be missing, then an object (2) or a name (3).
        7 => {
            while !r.is_empty() {
                match tagged(&mut r)? {
                    (2, _, value) => record.object = object(value),
                    // The first byte says how the name is written; 0 is UTF-8.
                    (3, _, value) => record.looked_for = value.get(1..).map(|name| text::text(name, MAX_NAME_BYTES)),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Takes in what an answer says when it is not the wanted one.
pub fn refusal(record: &mut BacnetMessage, kind: &'static str, body: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(body);
    match kind {
        "error" => {
            let (class, code) = (unsigned(tagged(&mut r)?.2), unsigned(tagged(&mut r)?.2));
            record.error = Some(format!("{}, {}", names::error_class(class), names::error_code(code)));
        }
        "reject" => record.error = Some(names::reject(r.u8()?)),
        "abort" => record.error = Some(format!("reason-{}", r.u8()?)),
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_tags() {
        let mut record = BacnetMessage::default();
        confirmed(&mut record, 12, &[0x0c, 0x02, 0, 0x04, 0xd2, 0x19, 77]).unwrap();
        assert_eq!((record.object.as_deref(), record.property.as_deref()), (Some("device,1234"), Some("object-name")));
        unconfirmed(&mut record, 8, &[0x09, 10, 0x1a, 1, 0]).unwrap();
        assert_eq!(record.looked_for.as_deref(), Some("10-256"));
        refusal(&mut record, "error", &[0x91, 1, 0x91, 31]).unwrap();
        assert_eq!(record.error.as_deref(), Some("object, unknown-object"));
        assert!(confirmed(&mut record, 12, &[0x0c, 2]).is_err());
    }

    #[test]
    fn an_envelope_says_its_length() {
        let who_is = [0x81, 0x0b, 0, 12, 1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8];
        let opened = envelope(&who_is).unwrap();
        assert_eq!((opened.networks, opened.answers()), ((Some(0xffff), None), false));
        assert!(envelope(&who_is[..11]).is_none());
    }
}
