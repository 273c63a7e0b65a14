//! What signatures look into of a message: its first line and fields. A message is a transaction.

use super::message::{lines, request_line};
use crate::protocols::buffer::{self, BufferId};
use crate::protocols::{Direction, Output};

/// Fields that are buffers, with their short forms (RFC 3261 section 7.3.3).
const FIELDS: [(&[u8], &[u8], BufferId); 6] = [
    (b"from", b"f", buffer::SIP_FROM),
    (b"to", b"t", buffer::SIP_TO),
    (b"via", b"v", buffer::SIP_VIA),
    (b"user-agent", b"", buffer::SIP_USER_AGENT),
    (b"content-type", b"c", buffer::SIP_CONTENT_TYPE),
    (b"content-length", b"l", buffer::SIP_CONTENT_LENGTH),
];

/// Hands over a message that goes this way. Its buffers are those of a request or a response, whoever sends it: phones call
/// each other over one flow. Frames go the way of their bytes.
pub fn message(out: &mut dyn Output, way: Direction, head: &[u8], body: &[u8]) {
    if !out.inspects() {
        return;
    }
    let lines = lines(head);
    let Some((first, fields)) = lines.split_first() else { return };
    let direction = match request_line(first) {
        Some((method, target, version)) => {
            let to_server = Direction::ToServer;
            out.inspect(to_server, buffer::SIP_REQUEST_LINE, first);
            out.inspect(to_server, buffer::SIP_METHOD, method);
            out.inspect(to_server, buffer::SIP_URI, target);
            out.inspect(to_server, buffer::SIP_PROTOCOL, version);
            to_server
        }
        None => {
            let to_client = Direction::ToClient;
            out.inspect(to_client, buffer::SIP_RESPONSE_LINE, first);
            let words = [buffer::SIP_PROTOCOL, buffer::SIP_STATUS_CODE, buffer::SIP_STATUS_MESSAGE];
            for (id, word) in words.into_iter().zip(first.splitn(3, |b| *b == b' ')) {
                out.inspect(to_client, id, word);
            }
            to_client
        }
    };
    for line in fields {
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or((line, &[]));
        let name = name.trim_ascii().to_ascii_lowercase();
        for (long, short, id) in FIELDS {
            if name == long || (name == short && !short.is_empty()) {
                out.inspect(direction, id, value.get(1..).unwrap_or(&[]).trim_ascii());
            }
        }
    }
    if fields.iter().any(|line| line.to_ascii_lowercase().ends_with(b"application/sdp")) {
        description(out, direction, body);
    }
    frames(out, way, direction, head, body);
    out.transaction(direction);
}

/// The lines of the description of a call (RFC 8866): those of the session, then those of each stream.
fn description(out: &mut dyn Output, direction: Direction, body: &[u8]) {
    let mut of_stream = false;
    for line in body.split(|b| *b == b'\n').map(|line| line.trim_ascii_end()) {
        let [kind, b'=', value @ ..] = line else { continue };
        of_stream |= *kind == b'm';
        let id = match (kind, of_stream) {
            (b'm', _) => buffer::SDP_MEDIA,
            (b'o', _) => buffer::SDP_ORIGIN,
            (b's', _) => buffer::SDP_SESSION_NAME,
            (b'u', _) => buffer::SDP_URI,
            (b'e', _) => buffer::SDP_EMAIL,
            (b'p', _) => buffer::SDP_PHONE,
            (b't', _) => buffer::SDP_TIME,
            (b'r', _) => buffer::SDP_REPEAT_TIME,
            (b'z', _) => buffer::SDP_TIMEZONE,
            (b'i', false) => buffer::SDP_SESSION_INFO,
            (b'i', true) => buffer::SDP_MEDIA_INFO,
            (b'c', false) => buffer::SDP_CONNECTION,
            (b'c', true) => buffer::SDP_MEDIA_CONNECTION,
            (b'b', false) => buffer::SDP_BANDWIDTH,
            (b'b', true) => buffer::SDP_MEDIA_BANDWIDTH,
            (b'k', false) => buffer::SDP_ENCRYPTION_KEY,
            (b'k', true) => buffer::SDP_MEDIA_ENCRYPTION_KEY,
            (b'a', false) => buffer::SDP_ATTRIBUTE,
            (b'a', true) => buffer::SDP_MEDIA_ATTRIBUTE,
            _ => continue,
        };
        out.inspect(direction, id, value);
    }
}

/// The whole message, its first line, its fields without the empty line behind them, and its body.
fn frames(out: &mut dyn Output, way: Direction, kind: Direction, head: &[u8], body: &[u8]) {
    let [line, headers, behind] = match kind {
        Direction::ToServer => {
            [buffer::FRAME_SIP_REQUEST_LINE, buffer::FRAME_SIP_REQUEST_HEADERS, buffer::FRAME_SIP_REQUEST_BODY]
        }
        Direction::ToClient => {
            [buffer::FRAME_SIP_RESPONSE_LINE, buffer::FRAME_SIP_RESPONSE_HEADERS, buffer::FRAME_SIP_RESPONSE_BODY]
        }
    };
    out.frame(way, buffer::FRAME_SIP_PDU, &[head, body].concat());
    let end = head.iter().position(|b| *b == b'\n').map_or(head.len(), |at| at + 1);
    let (first, fields) = head.split_at_checked(end).unwrap_or((head, &[]));
    out.frame(way, line, first);
    let fields = [&b"\r\n"[..], b"\n"].into_iter().find_map(|end| fields.strip_suffix(end)).unwrap_or(fields);
    out.frame(way, headers, fields);
    if !body.is_empty() {
        out.frame(way, behind, body);
    }
}
