//! Follows one flow: finds where messages begin and end, and tells each.

use luytre_events::Transport;

use super::inspection;
use super::message::{self, Header, Message, Resource};
use super::names::{class_name, op_code_name, response_code_name, type_name};
use super::rdata;
use super::record::DnsMessage;
use crate::protocols::{Direction, Output, Parser, Progress, text};
use luytre_rules_engine::signatures::domain;

/// Messages that could not be read, one after the other, before a TCP stream is given up.
const MAX_BROKEN: u8 = 3;
/// Type of the EDNS pseudo record (RFC 6891).
const OPT: u16 = 41;

/// The parser of one flow.
pub struct DnsParser {
    framed: bool,
    to_server: Stream,
    to_client: Stream,
}

/// One direction of a TCP flow: messages with two bytes of length before each (RFC 1035 section 4.2.2).
#[derive(Default)]
struct Stream {
    /// Beginning of a message whose end has not come yet, with its length; at most 65,537 bytes by the format.
    partial: Vec<u8>,
    /// Bytes to pass over: the rest of a message that a gap has damaged.
    skip_bytes: u64,
    /// Messages in a row that made no sense.
    broken: u8,
    /// Where messages begin is not known: bytes are passed over until some begin a whole message.
    searching: bool,
    lost: bool,
}

impl DnsParser {
    /// A parser for a flow over UDP or TCP.
    pub fn new(transport: Transport) -> Self {
        DnsParser { framed: transport == Transport::TCP, to_server: Stream::default(), to_client: Stream::default() }
    }

    fn stream(&mut self, direction: Direction) -> &mut Stream {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn progress(&self) -> Progress {
        if self.to_server.lost && self.to_client.lost { Progress::Done } else { Progress::Continue }
    }
}

impl Parser for DnsParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if !self.framed {
            tell(out, bytes);
            return Progress::Continue;
        }
        self.stream(direction).data(out, bytes);
        self.progress()
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        self.stream(direction).gap(out, length);
        self.progress()
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for stream in [&mut self.to_server, &mut self.to_client] {
            // What came of an unfinished message is told, as far as it goes.
            let partial = std::mem::take(&mut stream.partial);
            if let Some(message) = partial.get(2..).filter(|m| m.len() > Header::SIZE_BYTES) {
                tell(out, message);
            }
        }
    }
}

impl Stream {
    fn data(&mut self, out: &mut dyn Output, mut bytes: &[u8]) {
        if self.lost {
            return;
        }
        let skipped = usize::try_from(self.skip_bytes).unwrap_or(usize::MAX).min(bytes.len());
        self.skip_bytes -= skipped as u64;
        bytes = bytes.get(skipped..).unwrap_or(&[]);
        if self.searching && !begins_message(bytes) {
            return;
        }
        self.searching = false;
        // The usual case: whole messages, told without a copy.
        if self.partial.is_empty() {
            bytes = self.messages(out, bytes);
        }
        while !bytes.is_empty() && !self.lost {
            let wanted = wanted_bytes(&self.partial);
            let (head, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
            self.partial.extend_from_slice(head);
            bytes = rest;
            if wanted_bytes(&self.partial) == 0 {
                let whole = std::mem::take(&mut self.partial);
                self.messages(out, &whole);
                bytes = self.messages(out, bytes);
            }
        }
    }

    /// Tells the whole messages at the start of `bytes` and gives back what follows them.
    fn messages<'a>(&mut self, out: &mut dyn Output, mut bytes: &'a [u8]) -> &'a [u8] {
        while let Some((length, rest)) = bytes.split_first_chunk().map(|(l, rest)| (u16::from_be_bytes(*l), rest)) {
            let Some((message, rest)) = rest.split_at_checked(length.into()) else { break };
            bytes = rest;
            if tell(out, message) {
                self.broken = 0;
                continue;
            }
            self.broken += 1;
            if self.broken >= MAX_BROKEN {
                self.lost = true;
                return &[];
            }
        }
        bytes
    }

    /// A gap inside one message costs that message; a larger one costs what follows until a message is found again.
    fn gap(&mut self, out: &mut dyn Output, length: u64) {
        let inside = if self.partial.len() < 2 { self.skip_bytes } else { wanted_bytes(&self.partial) as u64 };
        self.partial = Vec::new();
        match inside.checked_sub(length) {
            Some(rest) if length > 0 => self.skip_bytes = rest,
            _ => {
                out.anomaly("dns.framing_lost");
                (self.searching, self.skip_bytes) = (true, 0);
            }
        }
    }
}

/// Whether a whole and sound message stands here, after its length.
fn begins_message(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else { return false };
    let message = rest.get(..usize::from(u16::from_be_bytes(*length))).and_then(message::read);
    message.is_some_and(|message| !message.malformed && !message.questions.is_empty() && message.trailing_bytes == 0)
}

/// Bytes missing to know the length of a message, or, when that is known, to have all of it.
fn wanted_bytes(partial: &[u8]) -> usize {
    match partial.first_chunk() {
        None => 2 - partial.len(),
        Some(length) => (2 + usize::from(u16::from_be_bytes(*length))).saturating_sub(partial.len()),
    }
}

/// Whether this is a whole and sound query and nothing else.
pub fn is_query(bytes: &[u8]) -> bool {
    let sound = |m: &Message<'_>| !m.malformed && m.trailing_bytes == 0 && !m.questions.is_empty();
    message::read(bytes).is_some_and(|message| sound(&message) && !message.header.is_answer())
}

/// Emits the event of a message that something else carries.
pub fn tell_carried(out: &mut dyn Output, bytes: &[u8]) {
    out.dialect("doh2");
    tell_as(out, bytes, false);
}

/// Emits the event of a message; says whether there was one.
pub fn tell(out: &mut dyn Output, bytes: &[u8]) -> bool {
    tell_as(out, bytes, true)
}

/// `alone`: it is a transaction of its own.
fn tell_as(out: &mut dyn Output, bytes: &[u8], alone: bool) -> bool {
    let Some(message) = message::read(bytes) else {
        out.anomaly("dns.too_short");
        return false;
    };
    if message.malformed {
        out.anomaly("dns.malformed");
        if message.questions.is_empty() {
            return false;
        }
    }
    if message.capped {
        out.anomaly("dns.records_capped");
    }
    out.event(record(&message, bytes.len()).into_body());
    inspection::message(out, &message, alone);
    true
}

fn record(message: &Message<'_>, size_bytes: usize) -> DnsMessage {
    let header = message.header;
    let mut record = DnsMessage {
        id: header.id.to_string(),
        kind: if header.is_answer() { "answer" } else { "query" },
        op_code: op_code_name(header.op_code()),
        header_flags: header.flag_names().collect(),
        questions_count: (header.questions != 1).then_some(header.questions.into()),
        answers_count: header.is_answer().then_some(header.answers.into()),
        resolved_ip: message.answers.iter().filter_map(rdata::address).collect(),
        size_bytes: size_bytes as u64,
        malformed: message.malformed.then_some(true),
        ..DnsMessage::default()
    };
    set_question(&mut record, message);
    set_extension(&mut record, message);
    for answer in &message.answers {
        record.answer_names.push(answer.name.clone());
        record.answer_types.push(type_name(answer.kind));
        record.answer_ttls.push(answer.ttl_s);
        record.answer_data.push(rdata::data_text(answer));
    }
    for authority in &message.authorities {
        record.authority_names.push(authority.name.clone());
        record.authority_types.push(type_name(authority.kind));
        record.authority_data.push(rdata::data_text(authority));
    }
    record
}

/// The first question; several in one message are allowed by the format and used by nobody.
fn set_question(record: &mut DnsMessage, message: &Message<'_>) {
    let Some(question) = message.questions.first() else { return };
    let parts = domain::split(&question.name);
    record.question_type = Some(type_name(question.kind));
    record.question_class = Some(class_name(question.class));
    record.registered_domain = parts.registered.map(str::to_owned);
    record.subdomain = parts.subdomain.map(str::to_owned);
    record.top_level_domain = parts.top_level.map(str::to_owned);
    record.question_length = Some(question.name.chars().count() as u64);
    record.question_labels = Some(question.name.split('.').filter(|label| !label.is_empty()).count() as u64);
    record.longest_label = question.name.split('.').map(|label| label.len() as u64).max();
    record.entropy = parts.subdomain.map(|name| text::entropy(name.as_bytes()));
    record.question_name = Some(question.name.clone());
}

/// What the EDNS record adds: flags, sizes, the upper bits of the result.
fn set_extension(record: &mut DnsMessage, message: &Message<'_>) {
    let mut code = message.header.response_code();
    if let Some(Resource { class, ttl_s, data, .. }) = message.additionals.iter().find(|r| r.kind == OPT) {
        code |= u16::try_from(ttl_s >> 24).unwrap_or(0) << 4;
        if ttl_s & 0x8000 != 0 {
            record.header_flags.push("DO");
        }
        record.udp_size_bytes = Some((*class).into());
        record.client_subnet = rdata::client_subnet(data.bytes());
    }
    record.response_code = message.header.is_answer().then(|| response_code_name(code));
}
