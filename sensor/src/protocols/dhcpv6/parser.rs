//! Tells each datagram: a kind, a number, options that may hold options.

use std::net::Ipv6Addr;

use super::record::Dhcpv6Message;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Most relays that may have wrapped a message (RFC 8415 section 7.6).
pub const MAX_RELAYS: usize = 8;
/// Values kept of each list.
const MAX_ITEMS: usize = 32;
/// Bytes of text kept of one option.
const MAX_TEXT_BYTES: usize = 512;

const RELAY_FORWARD: u8 = 12;
const RELAY_REPLY: u8 = 13;
/// The option that holds the message that a relay has wrapped.
const RELAY_MESSAGE: u16 = 9;

/// The parser of one flow: nothing is remembered.
pub struct Dhcpv6Parser;

impl Parser for Dhcpv6Parser {
    fn data(&mut self, out: &mut dyn Output, _: Direction, bytes: &[u8]) -> Progress {
        let mut record = Dhcpv6Message::default();
        if message(&mut record, bytes).is_err() {
            record.malformed = Some(true);
            out.anomaly("dhcpv6.malformed");
        }
        out.event(record.into_body());
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, _: &mut dyn Output) {}
}

/// Whether a kind that exists stands here, and options behind it to the last byte.
pub fn is_message(bytes: &[u8]) -> bool {
    let Some((kind, rest)) = bytes.split_first() else { return false };
    let fixed = match *kind {
        1..=11 => 3,
        RELAY_FORWARD | RELAY_REPLY => 33,
        _ => return false,
    };
    let mut r = Reader::new(rest);
    let mut sound = r.skip(fixed).is_ok() && !r.is_empty();
    while sound && !r.is_empty() {
        sound = r.u16().is_ok() && r.part16().is_ok();
    }
    sound
}

fn message(record: &mut Dhcpv6Message, bytes: &[u8]) -> Result<(), Short> {
    let mut r = Reader::new(bytes);
    for _ in 0..=MAX_RELAYS {
        let kind = r.u8()?;
        record.message_type = message_type(kind);
        if !matches!(kind, RELAY_FORWARD | RELAY_REPLY) {
            record.transaction_id = Some(r.u24()?.into());
            return options(record, r);
        }
        r.skip(1)?;
        let (link, peer) = (Ipv6Addr::from(r.array::<16>()?), Ipv6Addr::from(r.array::<16>()?));
        record.relays.push(link.into());
        record.peer_ip = Some(peer.into());
        r = wrapped(r)?;
    }
    Err(Short)
}

fn wrapped(mut r: Reader<'_>) -> Result<Reader<'_>, Short> {
    loop {
        let (number, value) = (r.u16()?, r.part16()?);
        if number == RELAY_MESSAGE {
            return Ok(value);
        }
    }
}

fn options(record: &mut Dhcpv6Message, mut r: Reader<'_>) -> Result<(), Short> {
    while !r.is_empty() {
        let (number, value) = (r.u16()?, r.part16()?);
        option(record, number, value)?;
    }
    Ok(())
}

fn option(record: &mut Dhcpv6Message, number: u16, mut r: Reader<'_>) -> Result<(), Short> {
    match number {
        1 => {
            record.client_id = Some(text::hex(r.rest(), 130));
            record.client_mac = hardware_address(r.rest());
        }
        2 => record.server_id = Some(text::hex(r.rest(), 130)),
        // Addresses and prefixes for an association: its number and times, then options of its own.
        3 | 25 => {
            r.skip(12)?;
            inner(record, r)?;
        }
        4 => {
            r.skip(4)?;
            inner(record, r)?;
        }
        6 => {
            let mut wanted = Vec::new();
            while let Ok(number) = r.u16() {
                wanted.push(number.to_string());
            }
            record.parameters = Some(wanted.join(","));
        }
        13 => status(record, r)?,
        16 => {
            record.enterprise = Some(r.u32()?.into());
            record.vendor_class = Some(text::text(r.part16()?.rest(), MAX_TEXT_BYTES));
        }
        23 => {
            while let Ok(address) = r.array::<16>() {
                keep(&mut record.dns_servers, Ipv6Addr::from(address).into());
            }
        }
        24 => {
            while let Some(name) = labels(&mut r) {
                keep(&mut record.domains, name);
            }
        }
        39 => {
            r.skip(1)?;
            record.fqdn = labels(&mut r);
        }
        _ => {}
    }
    Ok(())
}

/// The options of an association: no option in them holds options that are looked at.
fn inner(record: &mut Dhcpv6Message, mut r: Reader<'_>) -> Result<(), Short> {
    while !r.is_empty() {
        let (number, mut value) = (r.u16()?, r.part16()?);
        match number {
            5 => {
                let address = Ipv6Addr::from(value.array::<16>()?);
                value.skip(4)?;
                record.valid_s.get_or_insert(value.u32()?.into());
                keep(&mut record.addresses, address.into());
            }
            26 => {
                value.skip(4)?;
                let valid_s = value.u32()?;
                record.valid_s.get_or_insert(valid_s.into());
                let (width, prefix) = (value.u8()?, Ipv6Addr::from(value.array::<16>()?));
                keep(&mut record.prefixes, format!("{prefix}/{width}"));
            }
            13 => status(record, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn status(record: &mut Dhcpv6Message, mut r: Reader<'_>) -> Result<(), Short> {
    let name = match r.u16()? {
        0 => "success",
        1 => "unspecified failure",
        2 => "no addresses available",
        3 => "no binding",
        4 => "not on link",
        5 => "use multicast",
        6 => "no prefixes available",
        other => {
            record.status = Some(other.to_string());
            return Ok(());
        }
    };
    record.status = Some(name.to_owned());
    Ok(())
}

/// Labels of a name as DNS writes them, without pointers (RFC 8415 section 10); nothing at the end.
fn labels(r: &mut Reader<'_>) -> Option<String> {
    let mut name = Vec::new();
    while let Ok(label) = r.part8() {
        if label.is_empty() {
            break;
        }
        name.push(text::text(label.rest(), 63));
    }
    (!name.is_empty()).then(|| name.join("."))
}

/// The link-layer address in identifiers of kinds 1 and 3 (RFC 8415 section 11).
fn hardware_address(id: &[u8]) -> Option<String> {
    let mut r = Reader::new(id);
    match (r.u16().ok()?, r.u16().ok()?) {
        (1, 1) => r.skip(4).ok()?,
        (3, 1) => {}
        _ => return None,
    }
    (r.rest().len() == 6).then(|| text::mac(r.rest()))
}

fn keep<T>(list: &mut Vec<T>, item: T) {
    if list.len() < MAX_ITEMS {
        list.push(item);
    }
}

/// RFC 8415 section 7.3.
fn message_type(kind: u8) -> String {
    let name = match kind {
        1 => "solicit",
        2 => "advertise",
        3 => "request",
        4 => "confirm",
        5 => "renew",
        6 => "rebind",
        7 => "reply",
        8 => "release",
        9 => "decline",
        10 => "reconfigure",
        11 => "information-request",
        12 => "relay-forward",
        13 => "relay-reply",
        other => return other.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relayed_reply_is_told_of_the_innermost_message() {
        let address = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        let given = [&[0, 5, 0, 24][..], &address, &[0, 0, 0, 1, 0, 0, 0, 2]].concat();
        let association = [&[0, 3, 0, 40][..], &[0; 12], &given].concat();
        let reply = [&[7, 0, 0, 5][..], &[0, 1, 0, 10, 0, 3, 0, 1, 0, 0, 0x5e, 0, 0x53, 1], &association].concat();
        let relayed =
            [&[13, 0][..], &address, &address, &[0, 9, 0, u8::try_from(reply.len()).unwrap()], &reply].concat();
        assert!(is_message(&relayed) && is_message(&reply));
        let mut record = Dhcpv6Message::default();
        message(&mut record, &relayed).unwrap();
        assert_eq!((record.message_type.as_str(), record.transaction_id), ("reply", Some(5)));
        assert_eq!(record.addresses, [std::net::IpAddr::from(address)]);
        assert_eq!(record.client_mac.as_deref(), Some("00-00-5E-00-53-01"));
        assert_eq!((record.valid_s, record.relays.len()), (Some(2), 1));
    }

    #[test]
    fn wrappings_are_taken_off_only_so_often() {
        let mut message_bytes = vec![1, 0, 0, 1];
        for _ in 0..=MAX_RELAYS {
            let length = u16::try_from(message_bytes.len()).unwrap().to_be_bytes();
            message_bytes = [&[12, 0][..], &[0; 32], &[0, 9], &length, &message_bytes].concat();
        }
        assert_eq!(message(&mut Dhcpv6Message::default(), &message_bytes), Err(Short));
    }
}
