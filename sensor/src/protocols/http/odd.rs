//! What is odd about a message (RFC 9110, RFC 9112), under the names that rules know it by.

use super::head::{Fields, RequestLine, StatusLine};
use super::{content, uri, url};
use crate::protocols::Direction;

/// More layers of packing than this are odd.
const LAYERS_MANY: usize = 2;
/// Longer fields are odd.
const FIELD_LONG_BYTES: usize = 18_000;

/// A set of oddities.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Odd(u32);

impl Odd {
    /// A line of the head without a colon.
    pub const COLON: Odd = Odd(1);
    /// A field's name with bytes that no token has.
    pub const NAME: Odd = Odd(1 << 1);
    /// A blank between a field's name and its colon.
    pub const BLANK: Odd = Odd(1 << 2);
    /// A field twice that may stand there once.
    pub const REPEATED: Odd = Odd(1 << 3);
    /// Two lengths.
    pub const LENGTHS: Odd = Odd(1 << 4);
    /// A length that is no number.
    pub const LENGTH: Odd = Odd(1 << 5);
    /// More fields than are kept.
    pub const MANY: Odd = Odd(1 << 6);
    /// A head, or a line of it, that is longer than any.
    pub const LONG: Odd = Odd(1 << 7);
    /// The size of a chunk that is none.
    pub const CHUNK: Odd = Odd(1 << 8);
    /// Transfer-Encoding that is not just `chunked`.
    pub const TRANSFER: Odd = Odd(1 << 9);
    /// Chunks in a version that has none.
    pub const OLD_CHUNKS: Odd = Odd(1 << 10);
    /// A coding of the body that nobody knows.
    pub const CODING: Odd = Odd(1 << 11);
    /// More layers of packing than anybody needs.
    pub const LAYERS: Odd = Odd(1 << 12);
    /// The first line names no version, or one that is none.
    pub const VERSION: Odd = Odd(1 << 13);
    /// A status that is none.
    pub const STATUS: Odd = Odd(1 << 14);
    /// No Host, which version 1.1 wants.
    pub const NO_HOST: Odd = Odd(1 << 15);
    /// A host that can be none.
    pub const HOST: Odd = Odd(1 << 16);
    /// The target names another host than the field.
    pub const OTHER_HOST: Odd = Odd(1 << 17);
    /// A way to log in that nobody knows.
    pub const LOG_IN: Odd = Odd(1 << 18);
    /// A body where there is none.
    pub const BODY: Odd = Odd(1 << 19);
    /// A response to no request.
    pub const ALONE: Odd = Odd(1 << 20);
    /// A range that cannot be.
    pub const RANGE: Odd = Odd(1 << 21);
    /// Percent-encoding of percent signs.
    pub const TWICE: Odd = Odd(1 << 22);
    /// A line that ends with something else than it should.
    pub const LINE_END: Odd = Odd(1 << 23);

    /// Adds what is in the other set.
    pub fn note(&mut self, other: Odd) {
        self.0 |= other.0;
    }

    /// Adds it where it holds.
    pub fn note_if(&mut self, holds: bool, other: Odd) {
        if holds {
            self.note(other);
        }
    }

    /// Whether some of the other set is in this one.
    pub fn has(self, other: Odd) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing is odd.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of what is in the set, for a message in this direction.
    pub fn names(self, direction: Direction) -> impl Iterator<Item = &'static str> {
        let found = NAMES.iter().filter(move |(odd, ..)| self.0 & odd.0 != 0);
        found.map(move |(_, request, response)| if direction == Direction::ToServer { *request } else { *response })
    }
}

/// Names in requests and in responses.
static NAMES: [(Odd, &str, &str); 24] = [
    (Odd::COLON, "http.request_field_missing_colon", "http.response_field_missing_colon"),
    (Odd::NAME, "http.request_header_name_not_token", "http.response_header_name_not_token"),
    (Odd::BLANK, "http.request_invalid_lws_after_name", "http.response_invalid_lws_after_name"),
    (Odd::REPEATED, "http.request_header_repetition", "http.response_header_repetition"),
    (Odd::LENGTHS, "http.duplicate_content_length_field_in_request", "http.duplicate_content_length_field_in_response"),
    (Odd::LENGTH, "http.invalid_content_length_field_in_request", "http.invalid_content_length_field_in_response"),
    (Odd::MANY, "http.request_too_many_headers", "http.response_too_many_headers"),
    (Odd::LONG, "http.request_field_too_long", "http.response_field_too_long"),
    (Odd::CHUNK, "http.invalid_request_chunk_len", "http.invalid_response_chunk_len"),
    (Odd::TRANSFER, "http.invalid_transfer_encoding_value_in_request", "http.response_abnormal_transfer_encoding"),
    (Odd::OLD_CHUNKS, "http.request_chunked_old_proto", "http.response_chunked_old_proto"),
    (Odd::CODING, "http.abnormal_ce_header", "http.abnormal_ce_header"),
    (Odd::LAYERS, "http.too_many_encoding_layers", "http.too_many_encoding_layers"),
    (Odd::VERSION, "http.request_line_missing_protocol", "http.response_invalid_protocol"),
    (Odd::STATUS, "http.request_line_invalid", "http.response_invalid_status"),
    (Odd::NO_HOST, "http.missing_host_header", "http.missing_host_header"),
    (Odd::HOST, "http.request_header_host_invalid", "http.request_header_host_invalid"),
    (Odd::OTHER_HOST, "http.host_header_ambiguous", "http.host_header_ambiguous"),
    (Odd::LOG_IN, "http.request_auth_unrecognized", "http.request_auth_unrecognized"),
    (Odd::BODY, "http.request_body_unexpected", "http.response_body_unexpected"),
    (Odd::ALONE, "http.unable_to_match_response_to_request", "http.unable_to_match_response_to_request"),
    (Odd::RANGE, "http.range_invalid", "http.range_invalid"),
    (Odd::LINE_END, "http.deformed_eol", "http.deformed_eol"),
    (Odd::TWICE, "http.target_encoded_twice", "http.target_encoded_twice"),
];

/// What is odd about the head of a request.
pub fn of_request(line: &RequestLine, fields: &Fields) -> Odd {
    let mut odd = of_fields(fields);
    let host = fields.get("host");
    odd.note_if(line.version.is_none() && !fields.is_empty(), Odd::VERSION);
    odd.note_if(host.is_none() && line.version.as_deref() == Some("1.1"), Odd::NO_HOST);
    if let Some(host) = host {
        odd.note_if(!may_be_host(host), Odd::HOST);
        let named = uri::authority(&line.method, &line.target);
        let other = |named: Vec<u8>| !uri::host_name(&named).eq_ignore_ascii_case(uri::host_name(host));
        odd.note_if(named.is_some_and(other), Odd::OTHER_HOST);
    }
    if let Some(value) = fields.get("authorization") {
        let known = |scheme: &&[u8]| value.get(..scheme.len()).is_some_and(|first| first.eq_ignore_ascii_case(scheme));
        odd.note_if(![&b"basic"[..], b"digest", b"bearer"].iter().any(known), Odd::LOG_IN);
    }
    odd.note_if(url::is_encoded_twice(&line.target), Odd::TWICE);
    odd.note_if(chunks(fields) && is_old(line.version.as_deref()), Odd::OLD_CHUNKS);
    odd
}

/// What is odd about the head of a response.
pub fn of_response(line: &StatusLine, fields: &Fields) -> Odd {
    let mut odd = of_fields(fields);
    let version = line.version.as_deref().unwrap_or("");
    odd.note_if(line.code.is_none_or(|code| code > 599), Odd::STATUS);
    odd.note_if(!line.proper || !matches!(version, "1.1" | "1.0" | "0.9"), Odd::VERSION);
    odd.note_if(chunks(fields) && is_old(line.version.as_deref()), Odd::OLD_CHUNKS);
    let open = |range: &[u8]| range.contains(&b'*');
    odd.note_if(
        fields.get("content-range").is_some_and(|range| !open(range)) && content::range(fields).is_none(),
        Odd::RANGE,
    );
    odd
}

/// What is odd about fields that both have.
fn of_fields(fields: &Fields) -> Odd {
    let mut odd = fields.odd;
    odd.note_if(fields.longest() > FIELD_LONG_BYTES, Odd::LONG);
    if let Some(value) = fields.get("content-length") {
        odd.note_if(value.is_empty() || !value.iter().all(u8::is_ascii_digit), Odd::LENGTH);
    }
    for value in fields.all("transfer-encoding") {
        odd.note_if(!value.eq_ignore_ascii_case(b"chunked"), Odd::TRANSFER);
    }
    if fields.get("content-encoding").is_some() {
        let codings: Vec<&[u8]> = fields
            .all("content-encoding")
            .flat_map(|value| value.split(|b| *b == b','))
            .map(<[u8]>::trim_ascii)
            .collect();
        odd.note_if(codings.len() > LAYERS_MANY, Odd::LAYERS);
        let known = |coding: &&[u8]| CODINGS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(coding));
        odd.note_if(!codings.iter().all(known), Odd::CODING);
    }
    odd
}

/// Codings of a body that programs use (the registry of RFC 9110 section 8.4.1 and what is older than it).
const CODINGS: [&str; 13] = [
    "",
    "gzip",
    "x-gzip",
    "deflate",
    "x-deflate",
    "inflate",
    "br",
    "zstd",
    "identity",
    "lzma",
    "compress",
    "x-compress",
    "dcb",
];

fn chunks(fields: &Fields) -> bool {
    fields.mentions("transfer-encoding", "chunked")
}

fn is_old(version: Option<&str>) -> bool {
    version != Some("1.1")
}

/// Whether bytes may be a host with or without a port.
fn may_be_host(host: &[u8]) -> bool {
    host.iter().all(|b| {
        b.is_ascii_alphanumeric() || !b.is_ascii() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']' | b'%' | b'*')
    })
}

#[cfg(test)]
mod tests {
    use super::super::head;
    use super::*;

    #[test]
    fn names_are_those_of_the_direction() {
        let mut odd = Odd::default();
        assert!(odd.is_empty());
        odd.note(Odd::COLON);
        odd.note_if(false, Odd::CHUNK);
        odd.note_if(true, Odd::STATUS);
        let names: Vec<_> = odd.names(Direction::ToClient).collect();
        assert_eq!(names, ["http.response_field_missing_colon", "http.response_invalid_status"]);
    }
    fn fields(lines: &[&str]) -> Fields {
        let mut fields = Fields::default();
        lines.iter().for_each(|line| fields.line(line.as_bytes()));
        fields
    }

    fn said(first: &str, lines: &[&str]) -> Vec<&'static str> {
        let fields = fields(lines);
        match head::status_line(first.as_bytes()) {
            Some(status) => of_response(&status, &fields).names(Direction::ToClient).collect(),
            None => of_request(&head::request_line(first.as_bytes()), &fields).names(Direction::ToServer).collect(),
        }
    }

    #[test]
    fn ordinary_messages_have_nothing_odd() {
        let request = ["Host: web.example:8080", "Accept: */*", "X-A: 1", "X-A: 2", "Authorization: Basic QTpC"];
        assert!(said("GET http://web.example:8080/a%20b HTTP/1.1", &request).is_empty());
        assert!(said("GET /old", &[]).is_empty());
        let response = ["Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Encoding: br", "Transfer-Encoding: chunked"];
        assert!(said("HTTP/1.1 200 OK", &response).is_empty());
        assert!(said("HTTP/1.0 206 x", &["Content-Range: bytes 0-9/*", "Content-Length: 10"]).is_empty());
    }

    #[test]
    fn each_oddity_has_its_name() {
        for (first, line, name) in [
            ("HTTP/1.1 200 OK", "Server web", "http.response_field_missing_colon"),
            ("HTTP/1.1 200 OK", "Server : web", "http.response_invalid_lws_after_name"),
            ("HTTP/1.1 200 OK", "Ser(ver: web", "http.response_header_name_not_token"),
            ("HTTP/1.1 200 OK", "Content-Length: 34 68", "http.invalid_content_length_field_in_response"),
            ("HTTP/1.1 200 OK", "Transfer-Encoding: xchunked", "http.response_abnormal_transfer_encoding"),
            ("HTTP/1.0 200 OK", "Transfer-Encoding: chunked", "http.response_chunked_old_proto"),
            ("HTTP/1.1 200 OK", "Content-Encoding: zip", "http.abnormal_ce_header"),
            ("HTTP/1.1 200 OK", "Content-Encoding: gzip, gzip, gzip", "http.too_many_encoding_layers"),
            ("HTTP/1.1x 200 OK", "Server: web", "http.response_invalid_protocol"),
            ("HTTP/1.1 20 OK", "Server: web", "http.response_invalid_status"),
            ("HTTP/1.1 206 OK", "Content-Range: bytes 9-2/30", "http.range_invalid"),
            ("GET / HTTP/1.1", "Accept: text/html", "http.missing_host_header"),
            ("GET / HTTP/1.1", "Host: a b", "http.request_header_host_invalid"),
            ("GET http://a.example/ HTTP/1.1", "Host: b.example", "http.host_header_ambiguous"),
            ("GET /%2527 HTTP/1.1", "Host: a.example", "http.target_encoded_twice"),
            ("GET /", "Host: a.example", "http.request_line_missing_protocol"),
        ] {
            assert_eq!(said(first, &[line]), [name], "{first} with {line}");
        }
    }

    #[test]
    fn what_may_stand_once_is_odd_twice() {
        assert_eq!(said("HTTP/1.1 200 OK", &["Location: a", "location: b"]), ["http.response_header_repetition"]);
        let lengths = ["Content-Length: 1", "Content-Length: 2"];
        assert_eq!(said("HTTP/1.1 200 OK", &lengths), ["http.duplicate_content_length_field_in_response"]);
    }
}
