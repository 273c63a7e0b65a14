//! Tells each datagram.

use std::net::Ipv4Addr;

use super::ber::{self, IP_ADDRESS, OBJECT_ID, OCTETS, SEQUENCE};
use super::inspection;
use super::record::SnmpMessage;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Variables of one message that are told.
pub const MAX_VARIABLES: usize = 64;
/// Bytes of a name that are told.
const MAX_NAME_BYTES: usize = 128;
/// Passwords that devices are delivered with.
const COMMON: [&[u8]; 2] = [b"public", b"private"];

const TRAP_V1: u8 = 0xa4;

/// Who sends such a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Who asks.
    Question,
    /// Who was asked.
    Answer,
    /// Not told by the outside of the message.
    Either,
}

/// The parser of one flow: nothing is remembered.
pub struct SnmpParser;

impl Parser for SnmpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        // A message that cannot be read to its end is shown as far as it goes.
        let _ = inspection::message(out, direction, bytes);
        let mut record = SnmpMessage::default();
        if message(&mut record, bytes).is_err() {
            out.anomaly("snmp.malformed");
            record.malformed = Some(true);
        }
        if !record.version.is_empty() {
            out.event(record.into_body());
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, _: &mut dyn Output) {}
}

/// Whether a message begins here: a sequence that fits, a version, then community and question or answer, or the header
/// of version 3.
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let mut r = Reader::new(bytes);
    let mut whole = ber::expect(&mut r, SEQUENCE).ok().filter(|_| r.is_empty())?;
    match ber::integer(&mut whole).ok()? {
        0 | 1 => {
            ber::expect(&mut whole, OCTETS).ok()?;
            match whole.rest().first()? {
                0xa2 | 0xa8 => Some(Kind::Answer),
                0xa0 | 0xa1 | 0xa3 | 0xa5 => Some(Kind::Question),
                0xa4 | 0xa6 | 0xa7 => Some(Kind::Either),
                _ => None,
            }
        }
        3 => {
            let mut header = ber::expect(&mut whole, SEQUENCE).ok()?;
            ber::integer(&mut header).and_then(|_| ber::integer(&mut header)).ok()?;
            let flags = ber::expect(&mut header, OCTETS).ok()?;
            ber::integer(&mut header).ok()?;
            // Who asks wants to be told of errors (RFC 3412 section 6.4).
            let reportable = flags.rest().first()? & 4 != 0;
            Some(if reportable { Kind::Question } else { Kind::Either })
        }
        _ => None,
    }
}

fn message(record: &mut SnmpMessage, bytes: &[u8]) -> Result<(), Short> {
    let mut whole = ber::expect(&mut Reader::new(bytes), SEQUENCE)?;
    record.version = match ber::integer(&mut whole)? {
        0 => "1",
        1 => "2c",
        3 => "3",
        _ => return Err(Short),
    };
    if record.version == "3" {
        return version3(record, whole);
    }
    let community = ber::expect(&mut whole, OCTETS)?.rest();
    record.community_seen = Some(true);
    record.community_common = COMMON.contains(&community).then_some(true);
    let (tag, pdu) = ber::element(&mut whole)?;
    body(record, tag, pdu)
}

/// RFC 3412 section 6.
fn version3(record: &mut SnmpMessage, mut whole: Reader<'_>) -> Result<(), Short> {
    let mut header = ber::expect(&mut whole, SEQUENCE)?;
    ber::integer(&mut header)?;
    ber::integer(&mut header)?;
    let flags = ber::expect(&mut header, OCTETS)?.u8()?;
    let model = ber::integer(&mut header)?;
    record.security_level = Some(match flags & 3 {
        0 => "noAuthNoPriv",
        1 => "authNoPriv",
        _ => "authPriv",
    });
    let mut security = ber::expect(&mut whole, OCTETS)?;
    if model == 3 {
        user(record, &mut security)?;
    }
    let (tag, mut scoped) = ber::element(&mut whole)?;
    if tag == OCTETS {
        record.pdu_type = "encrypted";
        return Ok(());
    }
    ber::expect(&mut scoped, OCTETS)?;
    record.context = name(ber::expect(&mut scoped, OCTETS)?.rest());
    let (tag, pdu) = ber::element(&mut scoped)?;
    body(record, tag, pdu)
}

/// The parameters of the user-based security model (RFC 3414 section 2.4).
fn user(record: &mut SnmpMessage, security: &mut Reader<'_>) -> Result<(), Short> {
    let mut parameters = ber::expect(security, SEQUENCE)?;
    let engine = ber::expect(&mut parameters, OCTETS)?.rest();
    record.engine_id = (!engine.is_empty()).then(|| text::hex(engine, 32));
    ber::integer(&mut parameters)?;
    ber::integer(&mut parameters)?;
    record.user = name(ber::expect(&mut parameters, OCTETS)?.rest());
    Ok(())
}

fn name(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| text::text(bytes, MAX_NAME_BYTES))
}

fn body(record: &mut SnmpMessage, tag: u8, mut pdu: Reader<'_>) -> Result<(), Short> {
    record.pdu_type = pdu_type(tag).ok_or(Short)?;
    if tag == TRAP_V1 {
        trap(record, &mut pdu)?;
    } else {
        record.request_id = Some(ber::integer(&mut pdu)?);
        let (first, _) = (ber::integer(&mut pdu)?, ber::integer(&mut pdu)?);
        // In a bulk request these are the numbers of variables wanted.
        record.error = (tag != 0xa5 && first != 0).then(|| error(first));
    }
    variables(record, ber::expect(&mut pdu, SEQUENCE)?)
}

/// RFC 1157 section 4.1.6.
fn trap(record: &mut SnmpMessage, pdu: &mut Reader<'_>) -> Result<(), Short> {
    record.trap_enterprise = Some(ber::object_id(ber::expect(pdu, OBJECT_ID)?.rest())?);
    let agent = ber::expect(pdu, IP_ADDRESS)?.array::<4>()?;
    record.trap_agent = Some(Ipv4Addr::from(agent).into());
    let (generic, specific) = (ber::integer(pdu)?, ber::integer(pdu)?);
    record.trap_type = Some(match generic {
        0 => "coldStart".to_owned(),
        1 => "warmStart".to_owned(),
        2 => "linkDown".to_owned(),
        3 => "linkUp".to_owned(),
        4 => "authenticationFailure".to_owned(),
        5 => "egpNeighborLoss".to_owned(),
        _ => format!("enterpriseSpecific {specific}"),
    });
    ber::element(pdu).map(|_| ())
}

fn variables(record: &mut SnmpMessage, mut list: Reader<'_>) -> Result<(), Short> {
    let mut count = 0u64;
    while !list.is_empty() {
        let mut variable = ber::expect(&mut list, SEQUENCE)?;
        let id = ber::object_id(ber::expect(&mut variable, OBJECT_ID)?.rest())?;
        let (tag, value) = ber::element(&mut variable)?;
        count += 1;
        if record.object_ids.len() < MAX_VARIABLES {
            record.object_ids.push(id);
            record.values.push(ber::value_text(tag, value.rest()));
        }
    }
    record.variables_count = (count > MAX_VARIABLES as u64).then_some(count);
    if record.values.iter().all(String::is_empty) {
        record.values.clear();
    }
    Ok(())
}

fn pdu_type(tag: u8) -> Option<&'static str> {
    Some(match tag {
        0xa0 => "get_request",
        0xa1 => "get_next_request",
        0xa2 => "response",
        0xa3 => "set_request",
        0xa4 => "trap_v1",
        0xa5 => "get_bulk_request",
        0xa6 => "inform_request",
        0xa7 => "trap_v2",
        0xa8 => "report",
        _ => return None,
    })
}

/// RFC 3416 section 3.
fn error(number: i64) -> String {
    const NAMES: [&str; 18] = [
        "tooBig",
        "noSuchName",
        "badValue",
        "readOnly",
        "genErr",
        "noAccess",
        "wrongType",
        "wrongLength",
        "wrongEncoding",
        "wrongValue",
        "noCreation",
        "inconsistentValue",
        "resourceUnavailable",
        "commitFailed",
        "undoFailed",
        "authorizationError",
        "notWritable",
        "inconsistentName",
    ];
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    place.and_then(|place| NAMES.get(place)).map_or_else(|| number.to_string(), |name| (*name).to_owned())
}
