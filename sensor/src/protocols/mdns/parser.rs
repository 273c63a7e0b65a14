//! Tells each datagram.

use super::super::dns::inspection::{self, Names};
use super::super::dns::message::{self, Message, Resource};
use super::super::dns::names::type_name;
use super::super::dns::rdata;
use super::record::MdnsMessage;
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress, buffer, text};

/// Type of a service's own words.
const TXT: u16 = 16;
/// Type of the place of a service.
const SRV: u16 = 33;
/// Type of the EDNS pseudo record.
const OPT: u16 = 41;
/// In the class of a question: the answer is wanted by unicast.
const UNICAST: u16 = 0x8000;
/// Strings kept of a message's TXT records, and bytes of each.
const MAX_STRINGS: usize = 128;
const MAX_STRING_BYTES: usize = 255;

/// What signatures look into.
const NAMES: Names = Names {
    queries: buffer::MDNS_QUERIES_NAME,
    answers: buffer::MDNS_ANSWERS_NAME,
    authorities: buffer::MDNS_AUTHORITIES_NAME,
    additionals: buffer::MDNS_ADDITIONALS_NAME,
    response: Some(buffer::MDNS_RESPONSE_NAME),
};

/// The parser of one flow: nothing is remembered.
pub struct MdnsParser;

impl Parser for MdnsParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        match message::read(bytes) {
            Some(message) => {
                if message.malformed {
                    out.anomaly("mdns.malformed");
                }
                inspection::names(out, direction, &NAMES, &message);
                out.event(record(&message, bytes.len()).into_body());
            }
            None => out.anomaly("mdns.malformed"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, _: &mut dyn Output) {}
}

fn record(message: &Message<'_>, size_bytes: usize) -> MdnsMessage {
    let header = message.header;
    let answers = rdata::lists(&message.answers);
    let additionals = rdata::lists(message.additionals.iter().filter(|r| r.kind != OPT));
    let announced = || message.answers.iter().chain(&message.additionals);
    let first = message.questions.first();
    let mut record = MdnsMessage {
        id: (header.id != 0).then(|| header.id.to_string()),
        kind: if header.is_answer() { "answer" } else { "query" },
        header_flags: header.flag_names().collect(),
        question_name: first.map(|question| question.name.clone()),
        question_type: first.map(|question| type_name(question.kind)),
        questions_count: (header.questions != 1).then_some(header.questions.into()),
        question_names: message.questions.iter().map(|question| question.name.clone()).collect(),
        question_types: message.questions.iter().map(|question| type_name(question.kind)).collect(),
        unicast_wanted: message.questions.iter().any(|question| question.class & UNICAST != 0).then_some(true),
        answer_names: answers.names,
        answer_types: answers.types,
        answer_ttls: message.answers.iter().map(|answer| answer.ttl_s).collect(),
        answer_data: answers.data,
        additional_names: additionals.names,
        additional_types: additionals.types,
        additional_data: additionals.data,
        claimed_names: distinct(message.authorities.iter().map(|record| record.name.clone())),
        resolved_ip: announced().filter_map(rdata::address).collect(),
        hosts: distinct(announced().filter(|r| r.kind == SRV).filter_map(|r| r.data.name_at(6).ok()).map(|(n, _)| n)),
        text: announced().filter(|r| r.kind == TXT).flat_map(strings).take(MAX_STRINGS).collect(),
        size_bytes: size_bytes as u64,
        malformed: message.malformed.then_some(true),
        ..MdnsMessage::default()
    };
    let names = record.question_names.iter().chain(&record.answer_names).chain(&record.additional_names);
    let names = names.chain(&record.answer_data);
    record.services = distinct(names.filter_map(|name| service(name)).map(str::to_owned));
    record
}

/// The kind of service in a name (RFC 6763 section 4.1): `_ipp._tcp` of `Printer._ipp._tcp.local`.
fn service(name: &str) -> Option<&str> {
    let transport = ["._tcp", "._udp"].iter().filter_map(|label| name.rfind(label)).max()?;
    let start = name.get(..transport)?.rfind('.').map_or(0, |dot| dot + 1);
    let kind = name.get(start..transport + "._tcp".len())?;
    let ends = name.get(transport + "._tcp".len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    // The list of all kinds (RFC 6763 section 9) is none of them.
    (ends && kind.starts_with('_') && kind != "_dns-sd._udp").then_some(kind)
}

fn strings(record: &Resource<'_>) -> Vec<String> {
    let mut r = Reader::new(record.data.bytes());
    let mut strings = Vec::new();
    while let Ok(string) = r.part8() {
        if !string.is_empty() {
            strings.push(text::text(string.rest(), MAX_STRING_BYTES));
        }
    }
    strings
}

/// The values in their order, each once.
fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    values.filter(|value| seen.insert(value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_service_is_found_in_names() {
        assert_eq!(service("máy in tầng 2._ipp._tcp.local"), Some("_ipp._tcp"));
        assert_eq!(service("_ipp._tcp.local"), Some("_ipp._tcp"));
        assert_eq!(service("8fb2._sub._apple-mobdev2._tcp.local"), Some("_apple-mobdev2._tcp"));
        assert_eq!(service("_services._dns-sd._udp.local"), None);
        assert_eq!(service("may1.local"), None);
        assert_eq!(service("x._tcpdump.local"), None);
    }
}
