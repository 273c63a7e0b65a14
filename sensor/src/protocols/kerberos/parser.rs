//! Follows one flow: cuts messages out of it and pairs them.

use luytre_events::Transport;

use super::message::{self, Kind, Message};
use super::names;
use super::record::KerberosExchange;
use crate::protocols::framing::{Format, Frames, Length, Step};
use crate::protocols::outstanding::Outstanding;
use crate::protocols::{Direction, Output, Parser, Progress, buffer};

/// Bytes of a message that are kept: tickets with many groups reach some tens of thousands.
const MESSAGE_BYTES: usize = 64 << 10;
/// The longest message that is believed.
const LENGTH_MAX: usize = 1 << 20;
/// Requests that wait for their reply.
const MAX_OUTSTANDING: usize = 16;

/// Messages over TCP: four bytes of length before each (RFC 4120 section 7.2.2).
static FORMAT: Format = Format {
    length: |bytes| match bytes.first_chunk::<4>() {
        None => Length::Unknown,
        Some(_) => framed_length(bytes).map_or(Length::Broken, |length| Length::Bytes(4 + length)),
    },
    begins: |bytes| framed_length(bytes).is_some() && bytes.get(4..).and_then(message::kind).is_some(),
    limit_bytes: MESSAGE_BYTES,
};

/// The length that stands before a message over TCP.
pub fn framed_length(bytes: &[u8]) -> Option<usize> {
    let length = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?;
    (4..LENGTH_MAX).contains(&length).then_some(length)
}

/// The parser of one flow.
pub struct KerberosParser {
    framed: bool,
    to_server: Frames,
    to_client: Frames,
    waiting: Outstanding<&'static str, Message>,
}

impl KerberosParser {
    /// A parser for a flow over UDP or TCP.
    pub fn new(transport: Transport) -> Self {
        KerberosParser {
            framed: transport == Transport::TCP,
            to_server: Frames::default(),
            to_client: Frames::default(),
            waiting: Outstanding::new(MAX_OUTSTANDING),
        }
    }

    fn frames(&mut self, direction: Direction) -> &mut Frames {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn message(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        let Some(message) = message::read(bytes) else {
            out.anomaly("kerberos.malformed");
            return;
        };
        inspect(out, direction, &message, bytes);
        if message.malformed {
            out.anomaly("kerberos.malformed");
        }
        match (message.kind, message.kind.service()) {
            (Kind::Other, _) => {}
            (kind, Some(service)) if kind.is_request() => {
                if let Some(oldest) = self.waiting.add(service, message) {
                    out.anomaly("kerberos.outstanding_limit");
                    tell(out, Some(oldest), None);
                }
            }
            (_, Some(service)) => {
                let request = self.waiting.take(&service);
                tell(out, request, Some(message));
            }
            (_, None) => {
                let request = self.waiting.pop();
                tell(out, request, Some(message));
            }
        }
    }
}

impl Parser for KerberosParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        if !self.framed {
            self.message(out, direction, bytes);
            return Progress::Continue;
        }
        while let Some(step) = self.frames(direction).next(&mut bytes, &FORMAT) {
            match step {
                Step::Message(message) => self.message(out, direction, message.bytes.get(4..).unwrap_or(&[])),
                Step::Lost => out.anomaly("kerberos.framing_lost"),
            }
        }
        if self.to_server.is_lost() && self.to_client.is_lost() { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let damaged = self.frames(direction).gap(length, &FORMAT);
        if let Some(beginning) = damaged.get(4..).filter(|bytes| message::kind(bytes).is_some()) {
            self.message(out, direction, beginning);
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let rest = self.frames(direction).take_rest();
            if let Some(beginning) = rest.get(4..).filter(|bytes| message::kind(bytes).is_some()) {
                self.message(out, direction, beginning);
            }
        }
        while let Some(request) = self.waiting.pop() {
            tell(out, Some(request), None);
        }
    }
}

/// What signatures look into. A message is a transaction.
fn inspect(out: &mut dyn Output, direction: Direction, message: &Message, bytes: &[u8]) {
    // What was agreed upon counts, not what was offered.
    let agreed = [message.encryption, message.ticket_encryption].into_iter().flatten();
    if matches!(message.kind, Kind::AsReply | Kind::TgsReply | Kind::ApRequest)
        && agreed.into_iter().any(names::is_weak)
    {
        out.notice(direction, "kerberos.weak_encryption");
    }
    if !out.inspects() {
        return;
    }
    // The application tag carries the message's number.
    let number = bytes.first().map_or(0, |tag| u64::from(tag & 0x1f));
    out.inspect_number(direction, buffer::KRB5_MESSAGE_TYPE, number);
    // Rules know the names of answers, which have the last word.
    let names = !message.kind.is_request();
    for (id, name) in
        [(buffer::KRB5_CNAME, &message.client), (buffer::KRB5_SNAME, &message.service)].into_iter().filter(|_| names)
    {
        for part in name.iter().flat_map(|name| name.split('/')) {
            out.inspect(direction, id, part.as_bytes());
        }
    }
    if message.kind.is_ticket() {
        let kinds = [message.encryption, message.ticket_encryption];
        if kinds.into_iter().flatten().any(names::is_weak) {
            out.inspect_number(direction, buffer::KRB5_WEAK, 1);
        }
        if let Some(kind) = message.ticket_encryption {
            out.inspect_number(direction, buffer::KRB5_TICKET_ENCRYPTION, kind.cast_unsigned());
        }
    }
    if let Some(Ok(code)) = message.error.map(u64::try_from) {
        out.inspect_number(direction, buffer::KRB5_ERROR_CODE, code);
    }
    out.transaction(direction);
}

/// Emits the event of a request and its reply; the reply knows better, where both say something.
fn tell(out: &mut dyn Output, request: Option<Message>, reply: Option<Message>) {
    let kind = |message: &Option<Message>| message.as_ref().and_then(|message| message.kind.service());
    let mut record = KerberosExchange { request: kind(&request).or(kind(&reply)), ..KerberosExchange::default() };
    let mut weak = None;
    if let Some(request) = request {
        record.client = request.client;
        record.realm = request.client_realm;
        record.service = request.service;
        record.service_realm = request.realm;
        record.offered = request.offered.into_iter().map(names::encryption).collect();
        record.options = names::options(request.options);
        record.preauthenticated = request.preauthenticated.then_some(true);
        record.on_behalf_of = request.on_behalf_of;
        record.till = request.till;
        record.malformed = request.malformed.then_some(true);
        if request.kind == Kind::ApRequest {
            record.encryption = request.encryption.map(names::encryption);
            record.ticket_encryption = request.ticket_encryption.map(names::encryption);
            weak = request.ticket_encryption.map(names::is_weak);
        }
    }
    if let Some(reply) = reply {
        record.success = Some(reply.kind != Kind::Error);
        record.client = reply.client.or(record.client);
        record.realm = reply.client_realm.or(record.realm);
        record.service = reply.service.or(record.service);
        record.service_realm = reply.realm.or(record.service_realm);
        record.error = reply.error.map(names::error);
        record.error_text = reply.error_text;
        let kinds = [reply.encryption, reply.ticket_encryption];
        if reply.kind != Kind::Error && reply.kind != Kind::ApReply {
            record.encryption = reply.encryption.map(names::encryption);
            record.ticket_encryption = reply.ticket_encryption.map(names::encryption);
            weak = Some(kinds.into_iter().flatten().any(names::is_weak));
        }
        record.malformed = record.malformed.or(reply.malformed.then_some(true));
    }
    record.weak = weak;
    (record.user, record.user_domain) = (record.client.clone(), record.realm.clone());
    if record.user.is_none() {
        record.user_domain = None;
    }
    out.event(record.into_body());
}
