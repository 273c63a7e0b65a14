//! Tells each datagram.

use std::net::Ipv4Addr;

use super::super::dns::message::{self, Message, Resource};
use super::super::dns::names::type_name;
use super::record::NbnsMessage;
use super::{NB, NBSTAT, name};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// In the flags: sent to everybody.
const BROADCAST: u16 = 0x0010;
/// In the flags of a name: it is a group's.
const GROUP: u16 = 0x8000;
/// Bytes of a name without its suffix.
const NAME_BYTES: usize = 15;

/// The parser of one flow: nothing is remembered.
pub struct NbnsParser;

impl Parser for NbnsParser {
    fn data(&mut self, out: &mut dyn Output, _: Direction, bytes: &[u8]) -> Progress {
        match message::read(bytes) {
            Some(message) => {
                if message.malformed {
                    out.anomaly("nbns.malformed");
                }
                out.event(record(&message, bytes.len()).into_body());
            }
            None => out.anomaly("nbns.malformed"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, _: &mut dyn Output) {}
}

fn record(message: &Message<'_>, size_bytes: usize) -> NbnsMessage {
    let header = message.header;
    let asked = message.questions.first().map(|question| (&question.name, question.kind));
    let told = message.answers.first().map(|answer| (&answer.name, answer.kind));
    let named = asked.or(told);
    let decoded = named.and_then(|(text, _)| name::decode(text));
    let mut record = NbnsMessage {
        id: header.id.to_string(),
        kind: if header.is_answer() { "answer" } else { "query" },
        operation: operation(header.op_code()),
        name: named.map(|(text, _)| decoded.as_ref().map_or_else(|| text.clone(), |decoded| decoded.text.clone())),
        question_type: named.map(|(_, kind)| match kind {
            NB => "NB".to_owned(),
            NBSTAT => "NBSTAT".to_owned(),
            other => type_name(other),
        }),
        suffix: decoded.as_ref().map(|decoded| format!("{:02x}", decoded.suffix)),
        service: decoded.as_ref().and_then(|decoded| name::service(decoded.suffix)),
        broadcast: (header.flags() & BROADCAST != 0).then_some(true),
        response_code: header.is_answer().then(|| result(header.response_code())),
        size_bytes: size_bytes as u64,
        malformed: message.malformed.then_some(true),
        ..NbnsMessage::default()
    };
    // Who registers a name adds its own addresses.
    for resource in message.answers.iter().chain(&message.additionals) {
        match resource.kind {
            NB => addresses(&mut record, resource),
            // A host may say less than its record promises.
            NBSTAT => status(&mut record, resource).unwrap_or(()),
            _ => {}
        }
    }
    record
}

fn addresses(record: &mut NbnsMessage, resource: &Resource<'_>) {
    let mut r = Reader::new(resource.data.bytes());
    while let (Ok(flags), Ok(address)) = (r.u16(), r.array::<4>()) {
        record.group = (flags & GROUP != 0).then_some(true);
        record.resolved_ip.push(Ipv4Addr::from(address).into());
    }
}

/// All names of a host and its hardware address (RFC 1002 section 4.2.18).
fn status(record: &mut NbnsMessage, resource: &Resource<'_>) -> Result<(), Short> {
    let mut r = Reader::new(resource.data.bytes());
    for _ in 0..r.u8()? {
        let name = name::readable(r.take(NAME_BYTES)?);
        let suffix = r.u8()?;
        r.skip(2)?;
        record.names.push(format!("{name}<{suffix:02x}>"));
    }
    let unit: [u8; 6] = r.array()?;
    record.hardware_address = (unit != [0; 6]).then(|| text::mac(&unit));
    Ok(())
}

fn operation(op_code: u8) -> String {
    match op_code {
        0 => "query".to_owned(),
        5 => "registration".to_owned(),
        6 => "release".to_owned(),
        7 => "wait".to_owned(),
        8 | 9 => "refresh".to_owned(),
        15 => "multihomed registration".to_owned(),
        other => other.to_string(),
    }
}

/// RFC 1002 section 4.2.6.
fn result(code: u16) -> String {
    match code {
        0 => "NOERROR".to_owned(),
        1 => "FORMAT_ERROR".to_owned(),
        2 => "SERVER_ERROR".to_owned(),
        3 => "NAME_ERROR".to_owned(),
        4 => "UNSUPPORTED".to_owned(),
        5 => "REFUSED".to_owned(),
        6 => "ACTIVE_ERROR".to_owned(),
        7 => "CONFLICT".to_owned(),
        other => format!("RCODE{other}"),
    }
}
