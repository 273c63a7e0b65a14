//! Tells each message.

use luytre_events::Transport;

use super::super::dns::inspection::{self, Names};
use super::super::dns::message::{self, Message};
use super::super::dns::names::{class_name, op_code_name, response_code_name, type_name};
use super::super::dns::rdata;
use super::record::LlmnrMessage;
use crate::protocols::{Direction, Output, Parser, Progress, buffer};

/// What signatures look into.
const NAMES: Names = Names {
    queries: buffer::LLMNR_QUERIES_NAME,
    answers: buffer::LLMNR_ANSWERS_NAME,
    authorities: buffer::LLMNR_AUTHORITIES_NAME,
    additionals: buffer::LLMNR_ADDITIONALS_NAME,
    response: None,
};

/// The parser of one flow.
pub struct LlmnrParser {
    framed: bool,
    /// The unfinished message of each side over TCP; at most 65,537 bytes by the format.
    partial: [Vec<u8>; 2],
}

impl LlmnrParser {
    /// A parser for a flow over UDP or TCP.
    pub fn new(transport: Transport) -> LlmnrParser {
        LlmnrParser { framed: transport == Transport::TCP, partial: Default::default() }
    }
}

impl Parser for LlmnrParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if !self.framed {
            tell(out, direction, bytes);
            return Progress::Continue;
        }
        let [to_server, to_client] = &mut self.partial;
        let partial = if direction == Direction::ToServer { to_server } else { to_client };
        partial.extend_from_slice(bytes);
        let mut rest = partial.as_slice();
        while let Some((message, after)) = framed(rest) {
            tell(out, direction, message);
            rest = after;
        }
        *partial = rest.to_vec();
        Progress::Continue
    }

    /// A question and its answer are all there is to a connection: nothing is looked for behind a gap.
    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if self.partial.iter().any(|partial| !partial.is_empty()) {
            out.anomaly("llmnr.truncated");
        }
    }
}

/// The first whole message and what follows it.
fn framed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

fn tell(out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
    match message::read(bytes) {
        Some(message) => {
            if message.malformed {
                out.anomaly("llmnr.malformed");
            }
            // RFC 4795 section 2.1.1: everything but the standard query is to be ignored.
            if message.header.op_code() != 0 {
                out.anomaly("llmnr.op_code");
            }
            inspection::names(out, direction, &NAMES, &message);
            out.event(record(&message, bytes.len()).into_body());
        }
        None => out.anomaly("llmnr.malformed"),
    }
}

fn record(message: &Message<'_>, size_bytes: usize) -> LlmnrMessage {
    let header = message.header;
    let answers = rdata::lists(&message.answers);
    let question = message.questions.first();
    let flags = [(0x0400, "C"), (0x0200, "TC"), (0x0100, "T")];
    LlmnrMessage {
        id: header.id.to_string(),
        kind: if header.is_answer() { "answer" } else { "query" },
        op_code: op_code_name(header.op_code()),
        header_flags: flags.into_iter().filter(|(bit, _)| header.flags() & bit != 0).map(|(_, name)| name).collect(),
        response_code: header.is_answer().then(|| response_code_name(header.response_code())),
        question_name: question.map(|question| question.name.clone()),
        question_type: question.map(|question| type_name(question.kind)),
        question_class: question.map(|question| class_name(question.class)),
        answer_names: answers.names,
        answer_types: answers.types,
        answer_ttls: message.answers.iter().map(|answer| answer.ttl_s).collect(),
        answer_data: answers.data,
        resolved_ip: message.answers.iter().filter_map(rdata::address).collect(),
        size_bytes: size_bytes as u64,
        malformed: message.malformed.then_some(true),
    }
}
