//! What signatures look into of a head: the lines as they were sent and their parts.
//!
//! Values keep their letters' case; fields of the same name are one, their values joined by commas, as receivers read them.

use super::uri;
use crate::protocols::buffer::{self, BufferId};
use crate::protocols::{Direction, Output};

/// The most fields that are told one by one.
const MAX_FIELDS: usize = 256;

/// A head taken apart, letters as they were sent.
struct Head<'r> {
    start: &'r [u8],
    /// Everything after the first line.
    raw: &'r [u8],
    fields: Vec<(&'r [u8], Vec<u8>)>,
}

/// Fields that are buffers of their own, in requests and in responses.
const REQUEST_FIELDS: [(&str, BufferId); 9] = [
    ("user-agent", buffer::HTTP_USER_AGENT),
    ("accept", buffer::HTTP_ACCEPT),
    ("accept-encoding", buffer::HTTP_ACCEPT_ENCODING),
    ("accept-language", buffer::HTTP_ACCEPT_LANGUAGE),
    ("referer", buffer::HTTP_REFERER),
    ("cookie", buffer::HTTP_COOKIE),
    ("content-type", buffer::HTTP_CONTENT_TYPE),
    ("content-length", buffer::HTTP_CONTENT_LENGTH),
    ("connection", buffer::HTTP_CONNECTION),
];
const RESPONSE_FIELDS: [(&str, BufferId); 6] = [
    ("set-cookie", buffer::HTTP_COOKIE),
    ("content-type", buffer::HTTP_CONTENT_TYPE),
    ("content-length", buffer::HTTP_CONTENT_LENGTH),
    ("connection", buffer::HTTP_CONNECTION),
    ("location", buffer::HTTP_LOCATION),
    ("server", buffer::HTTP_SERVER),
];

/// Hands over the head of a request.
pub fn request(out: &mut dyn Output, raw: &[u8]) {
    if !out.inspects() || raw.is_empty() {
        return;
    }
    let head = Head::read(raw);
    let line = super::head::request_line(head.start);
    let mut give = |id, bytes: &[u8]| out.inspect(Direction::ToServer, id, bytes);
    give(buffer::HTTP_REQUEST_LINE, head.start);
    give(buffer::HTTP_METHOD, &line.method);
    give(buffer::HTTP_URI_RAW, &line.target);
    give(buffer::HTTP_URI, &uri::normalized(&line.method, &line.target));
    if line.version.is_some() {
        give(buffer::HTTP_PROTOCOL, last_word(head.start));
    }
    let authority = uri::authority(&line.method, &line.target);
    if let Some(host) = authority.or_else(|| head.get("host").map(<[u8]>::to_vec)) {
        give(buffer::HTTP_HOST_RAW, &host);
        give(buffer::HTTP_HOST, &uri::host_name(&host).to_ascii_lowercase());
    }
    head.give(out, Direction::ToServer, &REQUEST_FIELDS, "cookie");
}

/// Hands over the head of a response.
pub fn response(out: &mut dyn Output, raw: &[u8]) {
    if !out.inspects() || raw.is_empty() {
        return;
    }
    let head = Head::read(raw);
    let mut give = |id, bytes: &[u8]| out.inspect(Direction::ToClient, id, bytes);
    give(buffer::HTTP_RESPONSE_LINE, head.start);
    let mut words = head.start.splitn(3, |b| *b == b' ');
    if let Some(protocol) = words.next() {
        give(buffer::HTTP_PROTOCOL, protocol);
    }
    if let Some(code) = words.next() {
        give(buffer::HTTP_STATUS_CODE, code.trim_ascii());
    }
    if let Some(message) = words.next() {
        give(buffer::HTTP_STATUS_MESSAGE, message.trim_ascii());
    }
    head.give(out, Direction::ToClient, &RESPONSE_FIELDS, "set-cookie");
}

fn last_word(line: &[u8]) -> &[u8] {
    line.rsplit(|b| b.is_ascii_whitespace()).next().unwrap_or(line)
}

impl<'r> Head<'r> {
    fn read(raw: &'r [u8]) -> Head<'r> {
        let end = raw.iter().position(|b| *b == b'\n').map_or(raw.len(), |at| at + 1);
        let (start, rest) = raw.split_at_checked(end).unwrap_or((raw, &[]));
        let mut head = Head { start: without_end(start), raw: rest, fields: Vec::new() };
        for line in rest.split_inclusive(|b| *b == b'\n').map(without_end) {
            head.line(line);
        }
        head
    }

    fn line(&mut self, line: &'r [u8]) {
        let folded = line.first().is_some_and(|b| matches!(b, b' ' | b'\t'));
        if folded && let Some((_, value)) = self.fields.last_mut() {
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
            return;
        }
        if line.is_empty() || self.fields.len() >= MAX_FIELDS {
            return;
        }
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let (name, value) = (name.trim_ascii(), value.get(1..).unwrap_or(&[]).trim_ascii());
        match self.fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, known)) => {
                known.extend_from_slice(b", ");
                known.extend_from_slice(value);
            }
            None => self.fields.push((name, value.to_vec())),
        }
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_slice())
    }

    fn give(&self, out: &mut dyn Output, direction: Direction, own: &[(&str, BufferId)], cookie: &str) {
        for (name, id) in own {
            if let Some(value) = self.get(name) {
                out.inspect(direction, *id, value);
            }
        }
        let (mut header, mut names, mut start) = (Vec::new(), b"\r\n".to_vec(), self.start.to_vec());
        start.extend_from_slice(b"\r\n");
        let each = match direction {
            Direction::ToServer => buffer::HTTP_REQUEST_HEADER,
            Direction::ToClient => buffer::HTTP_RESPONSE_HEADER,
        };
        for (name, value) in &self.fields {
            let line = [name, b": ".as_slice(), value].concat();
            out.inspect(direction, each, &line);
            names.extend_from_slice(name);
            names.extend_from_slice(b"\r\n");
            if !name.eq_ignore_ascii_case(cookie.as_bytes()) {
                header.extend_from_slice(&line);
                header.extend_from_slice(b"\r\n");
            }
            start.extend_from_slice(&line);
            start.extend_from_slice(b"\r\n");
        }
        names.extend_from_slice(b"\r\n");
        start.extend_from_slice(b"\r\n");
        out.inspect(direction, buffer::HTTP_HEADER_RAW, self.raw);
        out.inspect(direction, buffer::HTTP_START, &start);
        if !self.fields.is_empty() {
            out.inspect(direction, buffer::HTTP_HEADER_NAMES, &names);
        }
        if !header.is_empty() {
            out.inspect(direction, buffer::HTTP_HEADER, &header);
        }
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |at| at + 1);
    line.get(..end).unwrap_or(line)
}
