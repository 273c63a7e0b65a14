//! Follows one flow: pairs operations with their results.

use luytre_events::Transport;

use super::inspection;
use super::message::{self, Message, Operation};
use super::record::LdapOperation;
use super::tls;
use crate::protocols::asn1;
use crate::protocols::framing::{Format, Frames, Length, Step};
use crate::protocols::gss::Login;
use crate::protocols::outstanding::Outstanding;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Bytes of a message that are kept.
const MESSAGE_BYTES: usize = 32 << 10;
/// Operations that wait for their result.
const MAX_OUTSTANDING: usize = 64;
/// Names of found entries that are told.
const MAX_FOUND: usize = 8;
/// The longest token of a security layer (RFC 4752 allows a server to take 2^24 bytes).
const MAX_TOKEN_BYTES: usize = 1 << 24;
/// Changes the connection to TLS (RFC 4511 section 4.14).
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

static FORMAT: Format = Format { length, begins: |bytes| message::begins(bytes).is_some(), limit_bytes: MESSAGE_BYTES };

/// A message, or a token of a security layer: four bytes of length before it (RFC 4422 section 3.7).
fn length(bytes: &[u8]) -> Length {
    match *bytes {
        [0, b, c, d, ..] => Length::Bytes(4 + usize::from(b) * 65_536 + usize::from(c) * 256 + usize::from(d)),
        [0, ..] => Length::Unknown,
        _ => match asn1::length(bytes, asn1::SEQUENCE) {
            Length::Bytes(length) if length > MAX_TOKEN_BYTES => Length::Broken,
            other => other,
        },
    }
}

/// The parser of one flow.
pub struct LdapParser {
    datagrams: bool,
    to_server: Frames,
    to_client: Frames,
    waiting: Outstanding<u64, Waiting>,
    login: Login,
    /// Parts of the answer under way, for signatures.
    answers: u64,
    sealed: bool,
    secured: Option<Box<dyn Parser>>,
}

struct Waiting {
    record: LdapOperation,
    operation: Operation,
}

impl LdapParser {
    /// A parser for a flow over TCP or UDP.
    pub fn new(transport: Transport) -> Self {
        LdapParser {
            datagrams: transport == Transport::UDP,
            to_server: Frames::default(),
            to_client: Frames::default(),
            waiting: Outstanding::new(MAX_OUTSTANDING),
            login: Login::default(),
            answers: 0,
            sealed: false,
            secured: None,
        }
    }

    fn frames(&mut self, direction: Direction) -> &mut Frames {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn message(&mut self, out: &mut dyn Output, bytes: &[u8]) {
        if bytes.first() == Some(&0) {
            self.protected(out, bytes.get(4..).unwrap_or(&[]));
            return;
        }
        match message::read(bytes) {
            Ok(message) if message.operation.is_response() => {
                inspection::response(out, &message, &mut self.answers);
                self.response(out, &message);
            }
            Ok(message) => {
                inspection::request(out, &message);
                self.request(out, &message);
            }
            Err(_) => out.anomaly("ldap.malformed"),
        }
    }

    /// A token of a security layer: in one that only signs, messages stand in the clear behind its header, which has 16
    /// bytes in Kerberos (RFC 4121 section 4.2.6.2) and in NTLM.
    fn protected(&mut self, out: &mut dyn Output, token: &[u8]) {
        const HEADER_BYTES: usize = 16;
        let sealed_by_kerberos = matches!(token, [5, 4, flags, ..] if flags & 2 != 0);
        let clear = token.get(HEADER_BYTES..).filter(|rest| !sealed_by_kerberos && message::begins(rest).is_some());
        if let Some(mut rest) = clear {
            while let Length::Bytes(length) = asn1::length(rest, asn1::SEQUENCE) {
                let Some((message, after)) = rest.split_at_checked(length) else { break };
                self.message(out, message);
                rest = after;
            }
            return;
        }
        if !std::mem::replace(&mut self.sealed, true) {
            out.event(LdapOperation { sealed: Some(true), ..LdapOperation::default() }.into_body());
        }
    }

    fn request(&mut self, out: &mut dyn Output, message: &Message<'_>) {
        let Some(name) = message.operation.name() else {
            out.anomaly("ldap.unknown_operation");
            return;
        };
        let request = message::request(message).unwrap_or_else(|_| {
            out.anomaly("ldap.malformed");
            message::Request::default()
        });
        let mut record = LdapOperation {
            operation: Some(name),
            id: Some(message.id),
            name: request.name.filter(|name| !name.is_empty()),
            version: request.version,
            mechanism: request.mechanism,
            password_seen: request.password.then_some(true),
            scope: request.scope,
            filter: request.filter,
            attributes: request.attributes,
            new_name: request.new_name,
            extended_name: request.extended.as_deref().and_then(extended_name),
            extended: request.extended,
            ..LdapOperation::default()
        };
        if !request.token.is_empty() && self.login.token(request.token) {
            set_login(&mut record, &self.login);
        }
        // These two have no result.
        match message.operation {
            Operation::ABANDON => {
                record.abandoned = integer(message.content);
                out.event(record.into_body());
                if let Some(abandoned) = integer(message.content).and_then(|id| self.waiting.take(&id)) {
                    out.event(abandoned.record.into_body());
                }
            }
            Operation::UNBIND => out.event(record.into_body()),
            operation => {
                if let Some(oldest) = self.waiting.add(message.id, Waiting { record, operation }) {
                    out.anomaly("ldap.outstanding_limit");
                    out.event(oldest.record.into_body());
                }
            }
        }
    }

    fn response(&mut self, out: &mut dyn Output, message: &Message<'_>) {
        let part = matches!(
            message.operation,
            Operation::SEARCH_ENTRY | Operation::SEARCH_REFERENCE | Operation::INTERMEDIATE
        );
        if part {
            self.part(out, message);
            return;
        }
        let waiting = self.waiting.take(&message.id);
        if waiting.is_none() {
            out.hint(Direction::ToClient, "ldap.answer_alone");
        }
        let starts = waiting.as_ref().is_some_and(|w| w.record.extended.as_deref() == Some(START_TLS));
        let mut record = waiting.map(|waiting| waiting.record).unwrap_or_else(|| of_response(message));
        match message::outcome(message) {
            Ok(outcome) => {
                record.result = outcome.code.map(message::result);
                record.result_text = outcome.text;
                let told = !outcome.token.is_empty() && self.login.token(outcome.token);
                if told {
                    set_login(&mut record, &self.login);
                } else {
                    record.matched = outcome.matched;
                }
                if starts && outcome.code == Some(0) {
                    self.secured = Some((tls::PROTOCOL.parser)(Transport::TCP));
                }
            }
            Err(_) => out.anomaly("ldap.malformed"),
        }
        out.event(record.into_body());
    }

    /// A part of the result of a search, or of another operation.
    fn part(&mut self, out: &mut dyn Output, message: &Message<'_>) {
        if self.waiting.get_mut(&message.id).is_none() {
            // The search was not seen.
            let waiting = Waiting { record: of_response(message), operation: Operation::SEARCH };
            if let Some(oldest) = self.waiting.add(message.id, waiting) {
                out.anomaly("ldap.outstanding_limit");
                out.event(oldest.record.into_body());
            }
        }
        let Some(waiting) = self.waiting.get_mut(&message.id) else { return };
        if waiting.operation != Operation::SEARCH {
            return;
        }
        match message.operation {
            Operation::SEARCH_ENTRY => {
                *waiting.record.entries.get_or_insert(0) += 1;
                if waiting.record.found.len() < MAX_FOUND {
                    waiting.record.found.extend(message::entry(message));
                }
            }
            Operation::SEARCH_REFERENCE => *waiting.record.references.get_or_insert(0) += 1,
            _ => {}
        }
    }
}

impl Parser for LdapParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        if self.datagrams {
            // The entry that a search found and its result come in one datagram.
            while let Length::Bytes(length) = asn1::length(bytes, asn1::SEQUENCE) {
                let (message, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
                self.message(out, message);
                bytes = rest;
            }
            if !bytes.is_empty() {
                out.anomaly("ldap.malformed");
            }
            return Progress::Continue;
        }
        loop {
            if let Some(secured) = &mut self.secured {
                return if bytes.is_empty() { Progress::Continue } else { secured.data(out, direction, bytes) };
            }
            match self.frames(direction).next(&mut bytes, &FORMAT) {
                Some(Step::Message(message)) => self.message(out, &message.bytes),
                Some(Step::Lost) => out.anomaly("ldap.framing_lost"),
                None => break,
            }
        }
        if self.to_server.is_lost() && self.to_client.is_lost() { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(secured) = &mut self.secured {
            return secured.gap(out, direction, length);
        }
        self.frames(direction).gap(length, &FORMAT);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        while let Some(waiting) = self.waiting.pop() {
            out.event(waiting.record.into_body());
        }
        if let Some(secured) = &mut self.secured {
            secured.finish(out);
        }
    }
}

/// What is known of an operation of which only the result was seen.
fn of_response(message: &Message<'_>) -> LdapOperation {
    let operation = match message.operation.0 {
        0x61 => Some("bind"),
        0x64 | 0x65 | 0x73 => Some("search"),
        0x67 => Some("modify"),
        0x69 => Some("add"),
        0x6b => Some("delete"),
        0x6d => Some("modify_dn"),
        0x6f => Some("compare"),
        0x78 | 0x79 => Some("extended"),
        _ => None,
    };
    LdapOperation { operation, id: Some(message.id), ..LdapOperation::default() }
}

fn integer(content: &[u8]) -> Option<u64> {
    let number = asn1::Element { tag: asn1::INTEGER, content }.integer()?;
    u64::try_from(number).ok()
}

/// Names of extended operations.
fn extended_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        START_TLS => "STARTTLS",
        "1.3.6.1.4.1.4203.1.11.1" => "password modify",
        "1.3.6.1.4.1.4203.1.11.3" => "who am I",
        "1.3.6.1.1.8" => "cancel",
        "1.3.6.1.1.21.1" => "start transaction",
        "1.3.6.1.1.21.3" => "end transaction",
        "1.2.840.113556.1.4.1781" => "fast bind",
        "1.3.6.1.4.1.1466.20036" => "notice of disconnection",
        _ => return None,
    })
}

fn set_login(record: &mut LdapOperation, login: &Login) {
    record.user = login.user.clone();
    record.domain = login.domain.clone();
    record.host = login.host.clone();
    record.ntlm = login.ntlm_proof;
    record.server = login.server.clone();
    record.server_domain = login.server_domain.clone();
    record.service = login.service.clone();
    record.realm = login.realm.clone();
    record.ticket_encryption = login.encryption.clone();
}
