//! One stream: a request with its response, and what their bodies are.

use super::dns::parser as dns_message;
use super::http::content::Content;
use super::http::head::{Fields, RequestLine, StatusLine};
use super::http::inspection;
use super::http::transaction::Transaction;
use crate::protocols::{Direction, Output, buffer};

/// `http.version` of these events.
pub const VERSION: &str = "2";
/// Bytes of a DNS message by its format; a larger body is none.
const MAX_DNS_BYTES: usize = 65_535;
/// Media type of DNS over HTTPS (RFC 8484 section 6).
const DNS_TYPE: &str = "application/dns-message";

/// The fields of a decoded block, those that stand for a first line (RFC 9113 section 8.3) apart.
#[derive(Debug, Default)]
pub struct Block {
    method: Vec<u8>,
    path: Vec<u8>,
    status: Option<u16>,
    /// `:authority` stands here as `host`, which it replaces.
    pub fields: Fields,
}

impl Block {
    /// Takes in a field.
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b":method" => self.method = value.to_vec(),
            b":path" => self.path = value.to_vec(),
            b":status" => self.status = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok()),
            b":authority" => self.fields.push(b"host", value),
            b":scheme" | b":protocol" => {}
            _ => self.fields.push(name, value),
        }
    }

    /// A response that another one follows.
    pub fn is_interim(&self) -> bool {
        matches!(self.status, Some(100..=199))
    }
}

/// One stream as far as it was seen.
#[derive(Default)]
pub struct Stream {
    transaction: Transaction,
    responded: bool,
    /// The client's and the server's.
    bodies: [Body; 2],
}

/// The body of one direction.
#[derive(Default)]
struct Body {
    content: Option<Content>,
    /// A message of DNS, as far as it came.
    dns: Option<Vec<u8>>,
    bytes: u64,
}

impl Stream {
    /// A stream of this number.
    pub fn new(number: u32) -> Stream {
        let mut stream = Stream::default();
        stream.transaction.record.stream_id = Some(number.into());
        stream
    }

    /// Why it was given up; the first reason counts.
    pub fn reset(&mut self, error: String) {
        self.transaction.record.stream_error.get_or_insert(error);
    }

    /// The stream in which the request is answered that asked for the change to HTTP/2 (RFC 7540 section 3.2).
    pub fn upgraded(mut line: RequestLine, fields: &Fields) -> Stream {
        line.version = Some(VERSION.to_owned());
        let mut stream = Stream::new(1);
        stream.transaction.request_line(line.clone());
        stream.transaction.request_head(&line, fields);
        stream.transaction.request_told(0, None);
        stream
    }

    /// Whether its request was seen.
    pub fn requested(&self) -> bool {
        self.transaction.requested
    }

    /// Whether its response was seen.
    pub fn responded(&self) -> bool {
        self.responded
    }

    /// Whether both directions have ended.
    pub fn is_over(&self) -> bool {
        self.transaction.request_done && self.transaction.response_done
    }

    /// Takes in the fields of a request.
    pub fn request(&mut self, out: &mut dyn Output, block: Block) {
        let Block { method, path, fields, .. } = block;
        let connect = method == b"CONNECT";
        let target = if connect { fields.get("host").unwrap_or(&[]).to_vec() } else { path };
        let line = RequestLine { method, target, version: Some(VERSION.to_owned()) };
        if out.inspects() {
            let first = [&line.method, &b" "[..], &line.target, b" HTTP/2"].concat();
            header_names(out, Direction::ToServer, &[":method", ":path", ":scheme", ":authority"], &fields);
            inspection::request(out, &head_text(&first, &fields));
            // Fields of the version's own (RFC 9113 section 8.3.1).
            let host = fields.get("host").unwrap_or(&[]);
            for (name, value) in [(":method", line.method.as_slice()), (":path", &line.target), (":authority", host)] {
                out.inspect(
                    Direction::ToServer,
                    buffer::HTTP_REQUEST_HEADER,
                    &[name.as_bytes(), b": ", value].concat(),
                );
            }
        }
        let line = self.transaction.request_line(line);
        self.transaction.request_head(&line, &fields);
        self.transaction.odd(out, Direction::ToServer, fields.odd);
        if let Some(query) = self.transaction.record.url_query.as_deref() {
            tell_query(out, query);
        }
        if !connect {
            self.begin_body(Direction::ToServer, &fields);
        }
    }

    /// Takes in the fields of a response.
    pub fn response(&mut self, out: &mut dyn Output, block: &Block) {
        self.responded = true;
        if out.inspects() {
            let first = format!("HTTP/2 {}", block.status.unwrap_or(0));
            header_names(out, Direction::ToClient, &[":status"], &block.fields);
            inspection::response(out, &head_text(first.as_bytes(), &block.fields));
        }
        let status =
            StatusLine { version: Some(VERSION.to_owned()), proper: true, code: block.status, reason: Vec::new() };
        self.transaction.response_head(&status, &block.fields);
        self.transaction.odd(out, Direction::ToClient, block.fields.odd);
        if self.transaction.method != b"CONNECT" {
            self.begin_body(Direction::ToClient, &block.fields);
        }
    }

    fn begin_body(&mut self, direction: Direction, fields: &Fields) {
        let Transaction { record, file_name, .. } = &self.transaction;
        let (url, name) = (record.url_full.clone(), file_name.clone());
        let dns = fields.mime_type().is_some_and(|mime_type| mime_type == DNS_TYPE);
        let body = self.body(direction);
        if dns {
            body.dns = Some(Vec::new());
        } else {
            body.content = Some(Content::new(direction, fields, url, name));
        }
    }

    /// More of a body.
    pub fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        let body = self.body(direction);
        body.bytes += bytes.len() as u64;
        if let Some(content) = &mut body.content {
            content.data(out, bytes);
        }
        if let Some(dns) = &mut body.dns {
            dns.extend_from_slice(bytes);
            if dns.len() > MAX_DNS_BYTES {
                body.dns = None;
                out.notice(
                    direction,
                    match direction {
                        Direction::ToServer => "http2.dns_request_too_long",
                        Direction::ToClient => "http2.dns_response_too_long",
                    },
                );
            }
        }
    }

    /// One direction is over; `complete` says that it ended as it should.
    pub fn end(&mut self, out: &mut dyn Output, direction: Direction, complete: bool) {
        let body = std::mem::take(self.body(direction));
        if let Some(message) = body.dns.filter(|message| !message.is_empty()) {
            dns_message::tell_carried(out, &message);
        }
        let told = body.content.map(|content| content.end(out, complete));
        let (open, over) = match direction {
            Direction::ToServer => (self.requested(), self.transaction.request_done),
            Direction::ToClient => (self.responded, self.transaction.response_done),
        };
        if open && !over {
            out.transaction(direction);
        }
        match direction {
            Direction::ToServer if !self.transaction.request_done => self.transaction.request_told(body.bytes, told),
            Direction::ToClient if !self.transaction.response_done => {
                self.transaction.response_told(body.bytes, told);
            }
            _ => {}
        }
    }

    /// Emits the event of the stream, which ends here if it has not before; `depth` counts those of the connection.
    pub fn tell(mut self, out: &mut dyn Output, depth: &mut u64) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            self.end(out, direction, false);
        }
        if !self.requested() && !self.responded {
            return;
        }
        *depth += 1;
        self.transaction.record.depth = *depth;
        out.event(self.transaction.record.into_body());
    }

    fn body(&mut self, direction: Direction) -> &mut Body {
        let [to_server, to_client] = &mut self.bodies;
        match direction {
            Direction::ToServer => to_server,
            Direction::ToClient => to_client,
        }
    }
}

/// A head as HTTP/1 would write it.
fn head_text(first: &[u8], fields: &Fields) -> Vec<u8> {
    let mut text = [first, b"\r\n"].concat();
    for name in fields.distinct_names() {
        for value in fields.all(name) {
            text.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// For signatures: the names of all fields, those of the version's own first.
fn header_names(out: &mut dyn Output, direction: Direction, own: &[&str], fields: &Fields) {
    for name in own.iter().copied().chain(fields.distinct_names()) {
        out.inspect(direction, buffer::HTTP2_HEADER_NAME, name.as_bytes());
    }
}

/// Tells the DNS query in the query of an address, `dns=` in base64url (RFC 8484 section 4.1), if there is a sound one.
fn tell_query(out: &mut dyn Output, query: &str) {
    use base64::Engine as _;
    let Some(coded) = query.split('&').find_map(|pair| pair.strip_prefix("dns=")) else { return };
    let coded = coded.trim_end_matches('=');
    if let Ok(message) = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(coded)
        && dns_message::is_query(&message)
    {
        dns_message::tell_carried(out, &message);
    }
}
