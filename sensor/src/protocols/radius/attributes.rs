//! The attributes of a message (RFC 2865 section 5, RFC 2866 section 5): kind, length, value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::names;
use super::record::RadiusExchange;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::text;

/// Bytes of one value that are told: the longest there can be.
const MAX_VALUE_BYTES: usize = 253;

/// Kind and value of the next attribute.
pub fn next<'a>(r: &mut Reader<'a>) -> Result<(u8, &'a [u8]), Short> {
    let kind = r.u8()?;
    let length = usize::from(r.u8()?).checked_sub(2).ok_or(Short)?;
    Ok((kind, r.take(length)?))
}

/// Adds what the attributes say.
pub fn tell(record: &mut RadiusExchange, mut r: Reader<'_>) -> Result<(), Short> {
    while !r.is_empty() {
        let (kind, value) = next(&mut r)?;
        attribute(record, kind, value);
    }
    Ok(())
}

fn attribute(record: &mut RadiusExchange, kind: u8, value: &[u8]) {
    match kind {
        1 => first(&mut record.user, words(value)),
        2 => noted(record, "pap"),
        3 => noted(record, "chap"),
        4 => record.nas_ip = record.nas_ip.or(address(value)),
        5 => record.nas_port = number(value).map(u64::from),
        6 => record.service_type = number(value).map(names::service_type),
        8 => record.framed_ip = address(value),
        11 => record.filter = words(value),
        18 => record.reply_message = words(value),
        26 => vendor(record, value),
        30 => first(&mut record.called_station, words(value)),
        31 => first(&mut record.calling_station, words(value)),
        32 => first(&mut record.nas_identifier, words(value)),
        40 => record.accounting = number(value).map(names::accounting),
        42 => record.input_bytes = number(value).map(|low| record.input_bytes.unwrap_or(0) + u64::from(low)),
        43 => record.output_bytes = number(value).map(|low| record.output_bytes.unwrap_or(0) + u64::from(low)),
        44 => first(&mut record.session_id, words(value)),
        46 => record.session_s = number(value).map(u64::from),
        49 => record.terminate_cause = number(value).map(u64::from),
        // Upper halves of the bytes (RFC 2869 section 5.1).
        52 => record.input_bytes = number(value).map(|high| record.input_bytes.unwrap_or(0) + (u64::from(high) << 32)),
        53 => {
            record.output_bytes = number(value).map(|high| record.output_bytes.unwrap_or(0) + (u64::from(high) << 32))
        }
        61 => record.nas_port_type = number(value).map(names::port_type),
        79 => {
            record.method = Some("eap");
            let identity = eap_identity(value);
            record.user = record.user.take().or(identity);
        }
        // A tag of one byte may stand first (RFC 2868 section 3.6).
        81 => record.private_group = words(value.strip_prefix(&[0]).unwrap_or(value)),
        87 => first(&mut record.nas_port_id, words(value)),
        95 => record.nas_ip = record.nas_ip.or_else(|| address6(value)),
        _ => {}
    }
}

fn noted(record: &mut RadiusExchange, method: &'static str) {
    record.password_seen = Some(true);
    record.method = Some(method);
}

/// Microsoft's challenges and responses (RFC 2548).
fn vendor(record: &mut RadiusExchange, value: &[u8]) {
    if let Some((&[0, 0, 1, 0x37], rest)) = value.split_first_chunk::<4>()
        && matches!(rest.first(), Some(1 | 25))
    {
        noted(record, "ms-chap");
    }
}

/// An identity in EAP (RFC 3748 section 5.1): response, number, length, kind 1.
fn eap_identity(value: &[u8]) -> Option<String> {
    match value {
        [2, _, _, _, 1, identity @ ..] => words(identity),
        _ => None,
    }
}

fn first(place: &mut Option<String>, value: Option<String>) {
    if place.is_none() {
        *place = value;
    }
}

fn words(value: &[u8]) -> Option<String> {
    (!value.is_empty()).then(|| text::text(value, MAX_VALUE_BYTES))
}

fn number(value: &[u8]) -> Option<u32> {
    <[u8; 4]>::try_from(value).ok().map(u32::from_be_bytes)
}

fn address(value: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(value).ok().map(|octets| Ipv4Addr::from(octets).into())
}

fn address6(value: &[u8]) -> Option<IpAddr> {
    <[u8; 16]>::try_from(value).ok().map(|octets| Ipv6Addr::from(octets).into())
}
