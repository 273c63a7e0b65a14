//! One request with its response, and the event it becomes.

use super::super::onvif::{self, record::OnvifCall};
use super::body::Framing;
use super::content::Told;
use super::form;
use super::head::{Fields, RequestLine, StatusLine};
use super::odd::Odd;
use super::record::HttpTransaction;
use super::url::{self, Target};
use crate::protocols::{Direction, Output, buffer, text};

/// Bytes kept of a field's value.
const MAX_VALUE_BYTES: usize = 2048;
/// Field names told of one head.
const MAX_NAMES: usize = 64;
/// Addresses told of X-Forwarded-For.
const MAX_FORWARDED: usize = 16;

/// What is known of a transaction so far.
#[derive(Default)]
pub struct Transaction {
    /// What the event will say.
    pub record: HttpTransaction,
    /// Method as sent.
    pub method: Vec<u8>,
    /// Last part of the path: the name of a file that comes back.
    pub file_name: Option<String>,
    /// The client waits for `100 Continue` before it sends its body.
    pub expects_continue: bool,
    /// The whole request was seen, or there is none.
    pub request_done: bool,
    /// The whole response was seen.
    pub response_done: bool,
    /// A request was seen.
    pub requested: bool,
    /// Envelopes of SOAP that were asked and answered with.
    pub envelopes: [Option<Vec<u8>>; 2],
}

impl Transaction {
    /// Takes in the first line of a request.
    pub fn request_line(&mut self, line: RequestLine) -> RequestLine {
        self.requested = true;
        self.method = line.method.clone();
        self.record.method = (!line.method.is_empty()).then(|| text::text(&line.method, 64));
        self.record.version = Some(line.version.clone().unwrap_or_else(|| "0.9".into()));
        line
    }

    /// Takes in the head of a request.
    pub fn request_head(&mut self, line: &RequestLine, fields: &Fields) {
        let Target { original, path, query, extension, file_name, domain, port, full, decoded } =
            url::target(&line.method, &line.target, fields.get("host"));
        let record = &mut self.record;
        record.url_original = (!original.is_empty()).then_some(original);
        (record.url_path, record.url_query, record.url_extension) = (path, query, extension);
        (record.url_domain, record.url_port, record.url_full) = (domain, port, full);
        record.url_decoded = decoded;
        record.referrer = fields.text("referer", MAX_VALUE_BYTES);
        record.user_agent = fields.text("user-agent", MAX_VALUE_BYTES);
        record.request_mime_type = fields.mime_type();
        record.request_headers = fields.names().take(MAX_NAMES).map(str::to_owned).collect();
        record.forwarded_for = forwarded_for(fields);
        self.file_name = file_name;
        self.expects_continue = fields.has("expect", "100-continue");
        self.credentials(fields);
        if self.record.url_query.as_deref().is_some_and(names_a_password) {
            self.record.cleartext_password = Some(true);
        }
    }

    fn credentials(&mut self, fields: &Fields) {
        let Some(value) = fields.get("authorization").or_else(|| fields.get("proxy-authorization")) else { return };
        let space = value.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(value.len());
        let (scheme, rest) = value.split_at_checked(space).unwrap_or((value, &[]));
        if scheme.eq_ignore_ascii_case(b"basic") {
            self.record.user_name = form::basic_user(rest);
            self.record.cleartext_password = Some(true);
        }
        self.record.auth_scheme = Some(text::text(scheme, 32).to_ascii_lowercase());
    }

    /// Takes in what the request's body told.
    pub fn request_told(&mut self, bytes: u64, told: Option<Told>) {
        self.record.request_body_bytes = (bytes > 0).then_some(bytes);
        self.request_done = true;
        if let Some(told) = told {
            self.record.request_body = told.text;
            self.record.upload_names = told.names;
            let [question, _] = &mut self.envelopes;
            *question = told.soap;
            if told.password {
                self.record.cleartext_password = Some(true);
            }
        }
    }

    /// Takes in the size of the response's body and what it told.
    pub fn response_told(&mut self, bytes: u64, told: Option<Told>) {
        self.record.response_body_bytes = (bytes > 0).then_some(bytes);
        self.response_done = true;
        let [_, answer] = &mut self.envelopes;
        *answer = told.and_then(|told| told.soap);
    }

    /// The call of ONVIF that it carries, if it does.
    pub fn onvif(&self) -> Option<OnvifCall> {
        let [question, answer] = self.envelopes.each_ref().map(|envelope| envelope.as_deref().unwrap_or(&[]));
        onvif::call(question, answer)
    }

    /// Takes in the head of a response.
    pub fn response_head(&mut self, line: &StatusLine, fields: &Fields) {
        let record = &mut self.record;
        record.status_code = line.code;
        record.version = record.version.take().filter(|_| self.requested).or_else(|| line.version.clone());
        record.reason = unusual_reason(line);
        record.response_mime_type = fields.mime_type();
        record.server = fields.text("server", MAX_VALUE_BYTES);
        record.location = fields.text("location", MAX_VALUE_BYTES);
        record.response_headers = fields.names().take(MAX_NAMES).map(str::to_owned).collect();
        if line.code == Some(101) {
            record.upgrade = Some(fields.text("upgrade", 64).unwrap_or_default().to_ascii_lowercase());
        }
    }

    /// Notes what is odd about a head, and for rules also what is too common for people.
    pub fn odd_head(&mut self, out: &mut dyn Output, direction: Direction, odd: Odd, fields: &Fields) {
        self.odd(out, direction, odd);
        if out.wants(buffer::APP_EVENT) && !odd.has(Odd::REPEATED) && fields.repeats() {
            Odd::REPEATED.names(direction).for_each(|name| out.hint(direction, name));
        }
    }

    /// Notes what is odd, each thing once, in the event and for rules.
    pub fn odd(&mut self, out: &mut dyn Output, direction: Direction, odd: Odd) {
        if odd.is_empty() {
            return;
        }
        for name in odd.names(direction) {
            let short = name.strip_prefix("http.").unwrap_or(name);
            if !self.record.anomalies.contains(&short) {
                self.record.anomalies.push(short);
                out.notice(direction, name);
            }
        }
    }

    /// How the body of the request is framed.
    pub fn request_framing(&self, fields: &Fields) -> Framing {
        if fields.mentions("transfer-encoding", "chunked") {
            return Framing::Chunked(super::body::Chunked::default());
        }
        fields.content_length().map_or(Framing::Empty, Framing::Length)
    }

    /// How the body of the response is framed (RFC 9112 section 6.3).
    pub fn response_framing(&self, line: &StatusLine, fields: &Fields) -> Framing {
        // A server that closes may send a body where there should be none, and receivers take it.
        let closes = matches!(line.code, Some(204 | 304)) && fields.has("connection", "close");
        let bodiless = self.method == b"HEAD" || (matches!(line.code, Some(100 | 102..=199 | 204 | 304)) && !closes);
        let tunnel = self.method == b"CONNECT" && matches!(line.code, Some(200..=299));
        if bodiless || tunnel {
            return Framing::Empty;
        }
        if fields.mentions("transfer-encoding", "chunked") {
            return Framing::Chunked(super::body::Chunked::default());
        }
        match fields.content_length() {
            Some(length) => Framing::Length(length),
            None if closes || line.code == Some(101) => Framing::Empty,
            None => Framing::UntilClose,
        }
    }
}

fn names_a_password(query: &str) -> bool {
    query.split('&').any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        !value.is_empty() && form::secret_name(name.as_bytes())
    })
}

fn forwarded_for(fields: &Fields) -> Vec<String> {
    let values = fields.all("x-forwarded-for").flat_map(|value| value.split(|&b| b == b','));
    let texts = values.map(|item| text::text(item.trim_ascii(), 64)).filter(|item| !item.is_empty());
    texts.take(MAX_FORWARDED).collect()
}

/// Words that servers put after the code when nobody changed them are not worth keeping.
fn unusual_reason(line: &StatusLine) -> Option<String> {
    const USUAL: [&[u8]; 16] = [
        b"",
        b"OK",
        b"Not Found",
        b"Moved Permanently",
        b"Found",
        b"Not Modified",
        b"Partial Content",
        b"No Content",
        b"Bad Request",
        b"Unauthorized",
        b"Forbidden",
        b"Created",
        b"Internal Server Error",
        b"Service Unavailable",
        b"Switching Protocols",
        b"Moved Temporarily",
    ];
    (!USUAL.contains(&line.reason.as_slice())).then(|| text::text(&line.reason, 128))
}
