//! Follows one flow or one pipe: cuts fragments out of it, joins them to calls, and pairs calls with their answers.

use std::collections::VecDeque;

use luytre_events::Transport;

use super::pdu::{self, Body, Datagram, Fragment, Interface, Kind, MAX_INTERFACES};
use super::record::RpcCall;
use super::{inspection, interfaces};
use crate::protocols::framing::{Format, Frames, Step};
use crate::protocols::gss::Login;
use crate::protocols::outstanding::Outstanding;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Bytes of a fragment that are kept: what tells a call stands at its beginning, tokens of log-ins are some thousands.
const FRAGMENT_BYTES: usize = 16 << 10;
/// Calls that wait for their answer.
const MAX_OUTSTANDING: usize = 64;

static FORMAT: Format =
    Format { length: pdu::length, begins: |bytes| pdu::begins(bytes).is_some(), limit_bytes: FRAGMENT_BYTES };

/// What an answer has in common with its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    /// Number of the call.
    Call(u32),
    /// Activity and number of a call by datagram.
    Datagram([u8; 16], u32),
}

/// A call that waits.
#[derive(Debug, Default)]
struct Waiting {
    record: RpcCall,
    interfaces: Vec<Interface>,
    response_bytes: u64,
    response_fragments: u64,
}

/// The parser of one flow, or of one pipe.
pub struct DcerpcParser {
    datagrams: bool,
    pipe: Option<String>,
    to_server: Frames,
    to_client: Frames,
    /// Interfaces that calls may refer to; the oldest makes room.
    contexts: VecDeque<Interface>,
    waiting: Outstanding<Key, Waiting>,
    login: Login,
}

impl DcerpcParser {
    /// A parser for a flow over TCP or UDP.
    pub fn new(transport: Transport) -> Self {
        DcerpcParser {
            datagrams: transport == Transport::UDP,
            pipe: None,
            to_server: Frames::default(),
            to_client: Frames::default(),
            contexts: VecDeque::new(),
            waiting: Outstanding::new(MAX_OUTSTANDING),
            login: Login::default(),
        }
    }

    /// A parser for what is written to and read from a named pipe.
    pub fn pipe(name: Option<String>) -> Self {
        DcerpcParser { pipe: name, ..DcerpcParser::new(Transport::TCP) }
    }

    fn frames(&mut self, direction: Direction) -> &mut Frames {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn fragment(&mut self, out: &mut dyn Output, bytes: &[u8], length: usize) {
        let Ok(fragment) = pdu::fragment(bytes, length) else {
            out.anomaly("dcerpc.malformed");
            return;
        };
        let call = match &fragment.body {
            Body::Request { context, operation, .. } => {
                let known = self.contexts.iter().find(|known| known.context == *context);
                (Some(*operation), known.map(|known| known.uuid.as_str()))
            }
            _ => match self.waiting.get_mut(&Key::Call(fragment.call)) {
                Some(waiting) => (waiting.record.operation, waiting.record.interface.as_deref()),
                None => (None, None),
            },
        };
        inspection::fragment(out, &fragment, bytes, call);
        if fragment.kind.is_request() {
            self.request(out, fragment);
        } else {
            self.response(out, fragment);
        }
    }

    fn request(&mut self, out: &mut dyn Output, fragment: Fragment<'_>) {
        let key = Key::Call(fragment.call);
        let told = self.login.token(fragment.token);
        let mut record = RpcCall {
            request: Some(fragment.kind.name()),
            version: Some("5.0".to_owned()),
            call: Some(fragment.call),
            pipe: self.pipe.clone(),
            security: fragment.security.map(|(kind, _)| security(kind)),
            protection: fragment.security.map(|(_, level)| protection(level)),
            ..RpcCall::default()
        };
        if told && fragment.kind != Kind::REQUEST {
            set_login(&mut record, &self.login);
        }
        let mut interfaces = Vec::new();
        match fragment.body {
            Body::Bind(wanted) => {
                record.interfaces = wanted.iter().map(|one| one.uuid.clone()).collect();
                record.interface_names = wanted.iter().filter_map(|one| interfaces::name(&one.uuid)).collect();
                record.interface_versions = wanted.iter().map(|one| one.version.clone()).collect();
                for one in &wanted {
                    self.contexts.retain(|known| known.context != one.context);
                    self.contexts.push_back(one.clone());
                }
                while self.contexts.len() > MAX_INTERFACES * 4 {
                    self.contexts.pop_front();
                }
                interfaces = wanted;
            }
            Body::Request { context, operation, stub_bytes } => {
                if !fragment.first
                    && let Some(waiting) = self.waiting.get_mut(&key)
                {
                    let bytes = waiting.record.request_bytes.get_or_insert(0);
                    *bytes += stub_bytes;
                    *waiting.record.request_fragments.get_or_insert(1) += 1;
                    return;
                }
                record.operation = Some(operation);
                record.request_bytes = Some(stub_bytes);
                if let Some(interface) = self.contexts.iter().find(|known| known.context == context) {
                    set_interface(&mut record, &interface.uuid, &interface.version, operation);
                }
            }
            // The last message of a log-in has no answer of its own; cancelled calls are told by theirs.
            _ if fragment.kind == Kind::AUTH3 => {
                out.event(record.into_body());
                return;
            }
            _ => return,
        }
        self.wait(out, key, Waiting { record, interfaces, ..Waiting::default() });
    }

    fn wait(&mut self, out: &mut dyn Output, key: Key, waiting: Waiting) {
        if let Some(oldest) = self.waiting.add(key, waiting) {
            out.anomaly("dcerpc.outstanding_limit");
            out.event(oldest.record.into_body());
        }
    }

    fn response(&mut self, out: &mut dyn Output, fragment: Fragment<'_>) {
        let key = Key::Call(fragment.call);
        let stub = match fragment.body {
            Body::Response { stub_bytes } => stub_bytes,
            _ => 0,
        };
        if !fragment.last
            && fragment.kind == Kind::RESPONSE
            && let Some(waiting) = self.waiting.get_mut(&key)
        {
            waiting.response_bytes += stub;
            waiting.response_fragments += 1;
            return;
        }
        let mut waiting = self.waiting.take(&key).unwrap_or_else(|| Waiting {
            // An answer without its call: told by itself.
            record: RpcCall {
                version: Some("5.0".to_owned()),
                call: Some(fragment.call),
                pipe: self.pipe.clone(),
                ..RpcCall::default()
            },
            ..Waiting::default()
        });
        waiting.record.response = Some(fragment.kind.name());
        match fragment.body {
            Body::Response { .. } => {
                waiting.record.response_bytes = Some(waiting.response_bytes + stub);
                let fragments = waiting.response_fragments + 1;
                waiting.record.response_fragments = (fragments > 1).then_some(fragments);
            }
            Body::Fault(status) => waiting.record.status = Some(format!("0x{status:08x}")),
            Body::BindNak(reason) => waiting.record.status = Some(format!("0x{reason:08x}")),
            Body::BindAck(results) => {
                waiting.record.results = results.iter().map(|result| acceptance(*result)).collect();
                for (interface, result) in waiting.interfaces.iter().zip(results) {
                    let known = self.contexts.iter_mut().find(|known| known.context == interface.context);
                    if let Some(known) = known {
                        known.result = Some(result);
                    }
                }
            }
            _ => {}
        }
        if fragment.kind != Kind::RESPONSE && self.login.token(fragment.token) {
            set_login(&mut waiting.record, &self.login);
        }
        out.event(waiting.record.into_body());
    }

    fn datagram(&mut self, out: &mut dyn Output, datagram: Datagram) {
        let key = Key::Datagram(datagram.activity, datagram.sequence);
        match datagram.kind {
            0 => {
                if let Some(waiting) = self.waiting.get_mut(&key) {
                    *waiting.record.request_bytes.get_or_insert(0) += datagram.stub_bytes;
                    *waiting.record.request_fragments.get_or_insert(1) += 1;
                    return;
                }
                let mut record = self.by_datagram(&datagram);
                record.request = Some(Kind::REQUEST.name());
                record.request_bytes = Some(datagram.stub_bytes);
                self.wait(out, key, Waiting { record, ..Waiting::default() });
            }
            2 if datagram.more => {
                if let Some(waiting) = self.waiting.get_mut(&key) {
                    waiting.response_bytes += datagram.stub_bytes;
                    waiting.response_fragments += 1;
                }
            }
            2 | 3 | 6 => {
                let waiting = self.waiting.take(&key);
                let mut waiting =
                    waiting.unwrap_or_else(|| Waiting { record: self.by_datagram(&datagram), ..Waiting::default() });
                if datagram.kind == 2 {
                    waiting.record.response = Some(Kind::RESPONSE.name());
                    waiting.record.response_bytes = Some(waiting.response_bytes + datagram.stub_bytes);
                    let fragments = waiting.response_fragments + 1;
                    waiting.record.response_fragments = (fragments > 1).then_some(fragments);
                } else {
                    waiting.record.response = Some(Kind::FAULT.name());
                    waiting.record.status = datagram.status.map(|status| format!("0x{status:08x}"));
                }
                out.event(waiting.record.into_body());
            }
            // Pings, their answers, acknowledgements.
            _ => {}
        }
    }

    fn by_datagram(&self, datagram: &Datagram) -> RpcCall {
        let mut record = RpcCall {
            version: Some("4.0".to_owned()),
            call: Some(datagram.sequence),
            operation: Some(datagram.operation),
            ..RpcCall::default()
        };
        set_interface(&mut record, &datagram.interface, &datagram.version, datagram.operation);
        record
    }
}

impl Parser for DcerpcParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        if self.datagrams {
            match pdu::datagram(bytes) {
                Some(datagram) => self.datagram(out, datagram),
                None => out.anomaly("dcerpc.malformed"),
            }
            return Progress::Continue;
        }
        while let Some(step) = self.frames(direction).next(&mut bytes, &FORMAT) {
            match step {
                Step::Message(message) => self.fragment(out, &message.bytes, message.length),
                Step::Lost => out.anomaly("dcerpc.framing_lost"),
            }
        }
        if self.to_server.is_lost() && self.to_client.is_lost() { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, _out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        self.frames(direction).gap(length, &FORMAT);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        while let Some(waiting) = self.waiting.pop() {
            out.event(waiting.record.into_body());
        }
    }
}

fn set_interface(record: &mut RpcCall, uuid: &str, version: &str, operation: u16) {
    record.interface = Some(uuid.to_owned());
    record.interface_version = Some(version.to_owned());
    record.interface_name = interfaces::name(uuid);
    record.operation_name = interfaces::operation(uuid, operation);
}

fn set_login(record: &mut RpcCall, login: &Login) {
    record.user = login.user.clone();
    record.domain = login.domain.clone();
    record.host = login.host.clone();
    record.ntlm = login.ntlm_proof;
    record.server = login.server.clone();
    record.server_domain = login.server_domain.clone();
    record.service = login.service.clone();
    record.realm = login.realm.clone();
    record.encryption = login.encryption.clone();
}

/// What a server says of an interface ([C706] section 12.6.3.1).
fn acceptance(result: u16) -> &'static str {
    match result {
        0 => "acceptance",
        1 => "user_rejection",
        2 => "provider_rejection",
        3 => "negotiate_ack",
        _ => "unknown",
    }
}

/// Ways of proving who one is ([MS-RPCE] section 2.2.1.1.7).
fn security(kind: u8) -> String {
    match kind {
        0x09 => "spnego".to_owned(),
        0x0a => "ntlm".to_owned(),
        0x0e => "schannel".to_owned(),
        0x10 => "krb5".to_owned(),
        0x44 => "netlogon".to_owned(),
        other => other.to_string(),
    }
}

/// How far messages are protected ([MS-RPCE] section 2.2.1.1.8).
fn protection(level: u8) -> String {
    match level {
        1 => "none".to_owned(),
        2 => "connect".to_owned(),
        3 => "call".to_owned(),
        4 => "packet".to_owned(),
        5 => "integrity".to_owned(),
        6 => "privacy".to_owned(),
        other => other.to_string(),
    }
}
