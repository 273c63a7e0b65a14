//! Follows one connection: takes requests and responses apart and pairs them.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::super::http2::Http2Parser;
use super::super::websocket::{self, WebSocketParser};
use super::body::{Framing, Step};
use super::content::{Content, Told};
use super::head::{self, Fields, MAX_HEAD_BYTES, RequestLine, StatusLine};
use super::inspection;
use super::odd::{self, Odd};
use super::transaction::Transaction;
use crate::protocols::tunnel::Tunnel;
use crate::protocols::{Direction, Output, Parser, Progress, buffer};

/// Lines before a status line that are passed over: what is more is taken for a body.
const MAX_STRAY_LINES: u8 = 3;
/// Bytes of such lines together.
const MAX_STRAY_BYTES: usize = 512;
/// Bytes of a body that signatures are shown as part of a frame.
const MAX_FRAME_BYTES: usize = 64 << 10;
/// Requests that may wait for a response; the oldest is told without one when there are more.
const MAX_WAITING: usize = 64;

/// Name of HTTP/2 without TLS in the Upgrade field (RFC 7540 section 3.1).
const CLEAR_HTTP2: &str = "h2c";

/// The parser of one connection.
#[derive(Default)]
pub struct HttpParser {
    request: Side,
    request_line: RequestLine,
    response: Side,
    status_line: StatusLine,
    /// Lines that came where a status line should.
    stray: Vec<u8>,
    stray_lines: u8,
    /// A request was seen.
    asked: bool,
    waiting: VecDeque<Transaction>,
    depth: u64,
    level: u8,
    tunnel: Option<Tunnel>,
    over: bool,
}

/// One direction: where in a message it stands.
#[derive(Default)]
struct Side {
    state: State,
    /// Beginning of a line.
    line: Vec<u8>,
    /// The head as it was sent, where signatures look into it.
    raw: Option<Vec<u8>>,
    /// The body as it was sent, without what frames it, where signatures look into it.
    raw_body: Vec<u8>,
    /// The latest line of a head had blanks only.
    blank_line: bool,
    /// Bytes of the head so far.
    head_bytes: usize,
    fields: Fields,
    content: Option<Content>,
    body_bytes: u64,
    /// Bytes of the body are missing.
    holed: bool,
    /// Bytes are missing: lines are passed over until one begins a message.
    resync: bool,
}

#[derive(Default)]
enum State {
    #[default]
    Start,
    Fields,
    Body(Framing),
    /// CONNECT was asked for; what comes next depends on the response.
    Handover,
    Lost,
}

impl HttpParser {
    /// A parser for a connection inside `level` tunnels.
    pub fn inside(level: u8) -> HttpParser {
        HttpParser { level, ..HttpParser::default() }
    }
}

impl Parser for HttpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        while !bytes.is_empty() && !self.over {
            if let Some(tunnel) = &mut self.tunnel {
                return tunnel.data(out, direction, bytes);
            }
            bytes = match direction {
                Direction::ToServer => self.request_step(out, bytes),
                Direction::ToClient => self.response_step(out, bytes),
            };
        }
        if self.over { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(tunnel) = &mut self.tunnel {
            return tunnel.gap(out, direction, length);
        }
        let side = match direction {
            Direction::ToServer => &mut self.request,
            Direction::ToClient => &mut self.response,
        };
        if side.gap(out, length) {
            return Progress::Continue;
        }
        match direction {
            Direction::ToServer => self.cut_request(out),
            Direction::ToClient => self.cut_response(out, false),
        }
        if self.over { Progress::Done } else { Progress::Continue }
    }

    fn finish(&mut self, out: &mut dyn Output) {
        // Lines whose end never came.
        let line = std::mem::take(&mut self.request.line);
        self.request_text(out, line.trim_ascii_end());
        self.cut_request(out);
        let line = std::mem::take(&mut self.response.line);
        if matches!(self.response.state, State::Start) && !line.is_empty() {
            self.response_text(out, line.trim_ascii_end());
            // Where it was kept as a line, it got an end that it never had.
            self.stray.pop_if(|last| *last == b'\n');
        }
        self.stray_body(out);
        let until_close = matches!(self.response.state, State::Body(Framing::UntilClose));
        self.cut_response(out, until_close);
        while let Some(transaction) = self.waiting.pop_front() {
            tell(out, transaction, &mut self.depth);
        }
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.finish(out);
        }
    }
}

/// The client's side.
impl HttpParser {
    fn request_step<'a>(&mut self, out: &mut dyn Output, bytes: &'a [u8]) -> &'a [u8] {
        if out.inspects() {
            self.request.raw.get_or_insert_default();
        }
        match &mut self.request.state {
            State::Start | State::Fields => {
                let Some((line, rest)) = self.request.line(bytes) else { return &[] };
                self.request_text(out, &line);
                rest
            }
            State::Body(framing) => {
                let (step, rest) = framing.step(bytes);
                match step {
                    Step::Data(part) => {
                        self.request.body(out, part);
                        if self.request.whole() {
                            self.request_end(out, true);
                        }
                    }
                    Step::Nothing => {}
                    Step::End => self.request_end(out, true),
                    Step::Broken => {
                        self.latest(|t| t.odd(out, Direction::ToServer, Odd::CHUNK));
                        self.request_end(out, false);
                    }
                }
                rest
            }
            State::Handover => {
                // The response was not seen, yet the client goes on: it must have been granted.
                self.hand_over();
                bytes
            }
            State::Lost => &[],
        }
    }

    fn request_text(&mut self, out: &mut dyn Output, line: &[u8]) {
        let in_head = match self.request.state {
            State::Start => false,
            State::Fields => true,
            _ => return,
        };
        match (in_head, line.is_empty()) {
            (false, _) if line.trim_ascii().is_empty() => {}
            (false, _) => self.request_start(out, line),
            (true, false) if line.iter().all(|b| *b == b'\r') => {}
            (true, false) => self.request.fields.line(line),
            (true, true) => {
                self.request_head(out);
                if self.request.whole() {
                    self.request_end(out, true);
                }
            }
        }
    }

    fn request_start(&mut self, out: &mut dyn Output, line: &[u8]) {
        let parsed = head::request_line(line);
        if self.request.resync && parsed.version.is_none() {
            return;
        }
        if !plausible(&parsed) {
            if self.asked {
                // The body of a request that announced none.
                out.inspect_part(Direction::ToServer, buffer::HTTP_REQUEST_BODY, line);
                Odd::BODY.names(Direction::ToServer).for_each(|name| out.notice(Direction::ToServer, name));
                out.transaction(Direction::ToServer);
            } else {
                out.anomaly("http.request_line");
            }
            self.request.state = State::Lost;
            return;
        }
        self.request.begin();
        if self.waiting.len() >= MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            out.anomaly("http.too_many_waiting");
            tell(out, oldest, &mut self.depth);
        }
        self.asked = true;
        let mut transaction = Transaction::default();
        self.request_line = transaction.request_line(parsed);
        self.waiting.push_back(transaction);
        self.request.state = State::Fields;
    }

    /// The head of a request is complete (or the flow ends in it).
    fn request_head(&mut self, out: &mut dyn Output) {
        let Some(transaction) = self.waiting.back_mut() else { return };
        inspection::request(out, self.request.raw.as_deref().unwrap_or(&[]));
        transaction.request_head(&self.request_line, &self.request.fields);
        let odd = odd::of_request(&self.request_line, &self.request.fields);
        transaction.odd_head(out, Direction::ToServer, odd, &self.request.fields);
        if transaction.method == b"CONNECT" {
            transaction.request_told(0, None);
            out.transaction(Direction::ToServer);
            self.request.state = State::Handover;
            return;
        }
        let framing = transaction.request_framing(&self.request.fields);
        let url = transaction.record.url_full.clone();
        let name = transaction.file_name.clone();
        self.request.content = Some(Content::new(Direction::ToServer, &self.request.fields, url, name));
        self.request.state = State::Body(framing);
    }

    fn request_end(&mut self, out: &mut dyn Output, complete: bool) {
        out.frame(Direction::ToServer, buffer::FRAME_HTTP1_REQUEST, &self.request.frame());
        let (bytes, told) = self.request.end(out, complete);
        self.latest(|t| t.request_told(bytes, told));
        out.transaction(Direction::ToServer);
        self.tell_done(out);
    }

    /// The request ends where it is.
    fn cut_request(&mut self, out: &mut dyn Output) {
        if matches!(self.request.state, State::Fields) {
            self.request_head(out);
        }
        if matches!(self.request.state, State::Body(_)) {
            let complete = self.request.whole();
            self.request_end(out, complete);
        }
    }

    /// The transaction whose request is being read.
    fn latest(&mut self, change: impl FnOnce(&mut Transaction)) {
        if let Some(transaction) = self.waiting.back_mut().filter(|t| t.requested && !t.request_done) {
            change(transaction);
        }
    }
}

/// The server's side.
impl HttpParser {
    fn response_step<'a>(&mut self, out: &mut dyn Output, bytes: &'a [u8]) -> &'a [u8] {
        if matches!(self.response.state, State::Start) && self.bare_body(bytes) {
            self.response_begin(out, StatusLine::default());
            self.start_response_body(Framing::UntilClose);
        }
        if out.inspects() {
            self.response.raw.get_or_insert_default();
        }
        if matches!(self.response.state, State::Fields)
            && std::mem::take(&mut self.response.blank_line)
            && !head::goes_on(bytes)
        {
            self.response.head_bytes = 0;
            self.response_text(out, &[]);
            return bytes;
        }
        match &mut self.response.state {
            State::Start | State::Fields => {
                let Some((line, rest)) = self.response.line(bytes) else { return &[] };
                self.response_text(out, &line);
                rest
            }
            State::Body(framing) => {
                let (step, rest) = framing.step(bytes);
                match step {
                    Step::Data(part) => {
                        self.response.body(out, part);
                        if self.response.whole() {
                            self.response_end(out, true);
                        }
                    }
                    Step::Nothing => {}
                    Step::End => self.response_end(out, true),
                    Step::Broken => {
                        // Receivers take it for a body that nothing frames.
                        let line = match framing {
                            Framing::Chunked(chunked) => chunked.take_line(),
                            _ => Vec::new(),
                        };
                        self.answered(|t| t.odd(out, Direction::ToClient, Odd::CHUNK));
                        self.response.state = State::Body(Framing::UntilClose);
                        self.response.body(out, &line);
                    }
                }
                rest
            }
            State::Handover | State::Lost => &[],
        }
    }

    /// Whether a response begins with its body, as those of HTTP/0.9 do.
    fn bare_body(&self, bytes: &[u8]) -> bool {
        if self.response.resync || !self.response.line.is_empty() {
            return false;
        }
        let simple =
            self.waiting.iter().find(|t| !t.response_done).is_some_and(|t| t.record.version.as_deref() == Some("0.9"));
        let text = bytes.trim_ascii_start();
        let status = [&b"HTTP/"[..], b"http/"].iter().any(|s| text.starts_with(s) || s.starts_with(text));
        simple && !status
    }

    fn response_text(&mut self, out: &mut dyn Output, line: &[u8]) {
        if matches!(self.response.state, State::Fields) {
            if !line.is_empty() && line.trim_ascii().is_empty() {
                // What follows tells whether this ends the head.
                self.response.blank_line = true;
                self.response.fields.odd.note_if(line.contains(&b'\r'), Odd::LINE_END);
                return;
            }
            if !line.is_empty() {
                // Some receivers take a carriage return for the end of a line.
                line.split(|b| *b == b'\r')
                    .filter(|part| !part.is_empty())
                    .for_each(|part| self.response.fields.line(part));
                return;
            }
            self.response_head(out);
            if self.response.whole() {
                self.response_end(out, true);
            }
            return;
        }
        let mut parts = line.split(|b| *b == b'\r').filter(|part| !part.trim_ascii().is_empty());
        match head::status_line(parts.next().unwrap_or(&[])) {
            Some(status) => {
                self.response_begin(out, status);
                self.response.state = State::Fields;
                parts.for_each(|part| self.response.fields.line(part));
            }
            None if line.trim_ascii().is_empty() || self.response.resync => {}
            None => {
                self.stray.extend_from_slice(line);
                self.stray.push(b'\n');
                self.stray_lines += 1;
                if self.stray_lines > MAX_STRAY_LINES || self.stray.len() > MAX_STRAY_BYTES {
                    self.stray_body(out);
                }
            }
        }
    }

    /// What came is no response in form: it is taken for the body of one that has no head.
    fn stray_body(&mut self, out: &mut dyn Output) {
        let stray = std::mem::take(&mut self.stray);
        if stray.is_empty() {
            return;
        }
        if self.waiting.iter().all(|t| t.response_done) {
            Odd::BODY.names(Direction::ToClient).for_each(|name| out.anomaly(name));
            return;
        }
        self.response_begin(out, StatusLine::default());
        self.answered(|t| t.odd(out, Direction::ToClient, Odd::VERSION));
        self.start_response_body(Framing::UntilClose);
        self.response.body(out, &stray);
    }

    fn response_begin(&mut self, out: &mut dyn Output, status: StatusLine) {
        self.response.begin();
        self.status_line = status;
        let stray = !std::mem::take(&mut self.stray).is_empty();
        self.stray_lines = 0;
        if self.waiting.iter().all(|t| t.response_done) {
            if self.waiting.len() >= MAX_WAITING
                && let Some(oldest) = self.waiting.pop_front()
            {
                out.anomaly("http.too_many_waiting");
                tell(out, oldest, &mut self.depth);
            }
            let mut unseen = Transaction { request_done: true, ..Transaction::default() };
            if self.asked {
                unseen.odd(out, Direction::ToClient, Odd::ALONE);
            }
            self.waiting.push_back(unseen);
        }
        if stray {
            self.answered(|t| t.odd(out, Direction::ToClient, Odd::VERSION));
        }
    }

    fn response_head(&mut self, out: &mut dyn Output) {
        let (status, fields) = (&self.status_line, &self.response.fields);
        let Some(transaction) = self.waiting.iter_mut().find(|t| !t.response_done) else { return };
        transaction.response_head(status, fields);
        transaction.odd_head(out, Direction::ToClient, odd::of_response(status, fields), fields);
        inspection::response(out, self.response.raw.as_deref().unwrap_or(&[]));
        let framing = transaction.response_framing(status, fields);
        let upgraded = status.code == Some(101)
            && (transaction.record.upgrade.as_ref().is_some_and(|to| !to.is_empty())
                || fields.get("upgrade").is_some()
                || fields.content_length().is_none());
        let handed_over = upgraded || (transaction.method == b"CONNECT" && matches!(status.code, Some(200..=299)));
        if handed_over {
            if transaction.method == b"CONNECT" {
                transaction.record.upgrade = transaction.record.url_original.clone();
            }
            transaction.response_done = true;
            transaction.request_done = true;
            // The first stream of HTTP/2 answers the request that asked for it.
            if transaction.requested && transaction.record.upgrade.as_deref() == Some(CLEAR_HTTP2) {
                let line = std::mem::take(&mut self.request_line);
                self.tunnel = Some(Tunnel::of(Box::new(Http2Parser::upgraded(line, &self.request.fields))));
            }
            if transaction.record.upgrade.as_ref().is_some_and(|token| token == websocket::PROTOCOL.name) {
                let spoken = fields.text("sec-websocket-protocol", 128);
                self.tunnel = Some(Tunnel::of(Box::new(WebSocketParser::new(spoken, self.level))));
            }
            self.response.state = State::Start;
            out.transaction(Direction::ToClient);
            self.tell_done(out);
            self.hand_over();
            return;
        }
        if matches!(status.code, Some(100 | 102..=199)) {
            // The real response is still to come.
            self.response.state = State::Start;
            return;
        }
        let refused = transaction.expects_continue && !transaction.request_done && self.request.body_bytes == 0;
        if refused && status.code.is_some_and(|code| code >= 300) {
            let (bytes, told) = self.request.end(out, true);
            transaction.request_told(bytes, told);
        }
        self.start_response_body(framing);
    }

    fn start_response_body(&mut self, framing: Framing) {
        let (url, name) = match self.waiting.iter().find(|t| !t.response_done) {
            Some(t) => (t.record.url_full.clone(), t.file_name.clone()),
            None => (None, None),
        };
        self.response.content = Some(Content::new(Direction::ToClient, &self.response.fields, url, name));
        self.response.state = State::Body(framing);
    }

    fn response_end(&mut self, out: &mut dyn Output, complete: bool) {
        out.frame(Direction::ToClient, buffer::FRAME_HTTP1_RESPONSE, &self.response.frame());
        let (bytes, told) = self.response.end(out, complete);
        let refused = matches!(self.request.state, State::Handover);
        self.answered(|t| {
            t.response_told(bytes, told);
        });
        out.transaction(Direction::ToClient);
        if refused {
            // CONNECT was not granted: ordinary requests go on.
            self.request.state = State::Start;
        }
        self.tell_done(out);
    }

    /// The response ends where it is.
    fn cut_response(&mut self, out: &mut dyn Output, complete: bool) {
        if matches!(self.response.state, State::Fields) {
            self.response_head(out);
        }
        if matches!(self.response.state, State::Body(_)) {
            let complete = complete || self.response.whole();
            self.response_end(out, complete);
        }
    }

    /// The transaction that is being answered.
    fn answered(&mut self, change: impl FnOnce(&mut Transaction)) {
        if let Some(transaction) = self.waiting.iter_mut().find(|t| !t.response_done) {
            change(transaction);
        }
    }
}

impl HttpParser {
    /// Tells the transactions that are complete, in order.
    fn tell_done(&mut self, out: &mut dyn Output) {
        while self.waiting.front().is_some_and(|t| t.request_done && t.response_done) {
            if let Some(transaction) = self.waiting.pop_front() {
                tell(out, transaction, &mut self.depth);
            }
        }
    }

    /// From here on the connection speaks something else.
    fn hand_over(&mut self) {
        if self.tunnel.is_none() {
            self.tunnel = Tunnel::new(self.level);
            self.over = self.tunnel.is_none();
        }
    }
}

/// Emits the event of a transaction.
fn tell(out: &mut dyn Output, transaction: Transaction, depth: &mut u64) {
    *depth += 1;
    if let Some(call) = transaction.onvif() {
        out.event(call.into_body());
    }
    let mut record = transaction.record;
    record.depth = *depth;
    out.event(record.into_body());
}

/// Whether a line may be a request: it ends with a version, or is a word and a target of printable characters (which
/// only GET is believed to have forgotten).
fn plausible(line: &RequestLine) -> bool {
    let word = line.method.iter().all(u8::is_ascii_alphanumeric);
    let target =
        (!line.target.is_empty() || line.method == b"GET") && line.target.iter().all(|b| *b >= b' ' && *b < 0x7f);
    line.method.len() <= 64 && (line.version.is_some() || (word && target))
}

impl Side {
    /// A message begins.
    fn begin(&mut self) {
        self.fields = Fields::default();
        (self.body_bytes, self.holed, self.resync) = (0, false, false);
    }

    /// The next whole line without its end, and what follows it; nothing until its end has come.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> Option<(Cow<'a, [u8]>, &'a [u8])> {
        let end = memchr::memchr(b'\n', bytes);
        let (part, rest) = bytes.split_at_checked(end.map_or(bytes.len(), |at| at + 1)).unwrap_or((bytes, &[]));
        self.head_bytes += part.len();
        let fits = self.head_bytes <= MAX_HEAD_BYTES;
        self.fields.odd.note_if(!fits, Odd::LONG);
        // The usual case: the line came in one piece, and nothing is copied.
        let mut line = if end.is_some() && fits && self.line.is_empty() {
            Cow::Borrowed(part)
        } else {
            self.line.extend_from_slice(if fits { part } else { &[] });
            end?;
            Cow::Owned(std::mem::take(&mut self.line))
        };
        if let Some(raw) = &mut self.raw {
            if matches!(self.state, State::Start) {
                raw.clear();
            }
            raw.extend_from_slice(&line);
        }
        let kept = line.len() - line.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        // Several carriage returns alone do not end a head.
        let kept = if kept == 0 && line.len() > 2 { line.len() - 1 } else { kept };
        match &mut line {
            Cow::Borrowed(line) => *line = line.get(..kept).unwrap_or(line),
            Cow::Owned(line) => line.truncate(kept),
        }
        if line.is_empty() {
            self.head_bytes = 0;
        }
        Some((line, rest))
    }

    fn body(&mut self, out: &mut dyn Output, part: &[u8]) {
        self.body_bytes += part.len() as u64;
        if out.inspects() {
            let room = MAX_FRAME_BYTES.saturating_sub(self.raw_body.len());
            self.raw_body.extend_from_slice(part.get(..room).unwrap_or(part));
        }
        if let Some(content) = self.content.as_mut() {
            content.data(out, part);
        }
    }

    /// The message as a frame that signatures can ask for.
    fn frame(&mut self) -> Vec<u8> {
        let body = std::mem::take(&mut self.raw_body);
        [self.raw.as_deref().unwrap_or(&[]), &body].concat()
    }

    /// Whether nothing is missing of a body of known length: it ends with its last byte, not with the next message.
    fn whole(&self) -> bool {
        matches!(self.state, State::Body(Framing::Empty | Framing::Length(0)))
    }

    /// Ends a message's body: gives its size and what it told.
    fn end(&mut self, out: &mut dyn Output, complete: bool) -> (u64, Option<Told>) {
        self.state = State::Start;
        let whole = complete && !self.holed;
        let told = self.content.take().map(|content| content.end(out, whole));
        (std::mem::take(&mut self.body_bytes), told)
    }

    /// Passes over lost bytes; says whether the message they were in can be followed.
    fn gap(&mut self, out: &mut dyn Output, length: u64) -> bool {
        if let State::Body(framing) = &mut self.state
            && framing.gap(length)
        {
            self.holed = true;
            if let Some(content) = self.content.as_mut() {
                content.gap(out);
            }
            return true;
        }
        let in_message = matches!(self.state, State::Body(_) | State::Fields);
        self.line.clear();
        self.resync = true;
        !in_message
    }
}
