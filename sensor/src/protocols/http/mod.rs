//! HTTP/1 (RFC 9112) with what real clients and servers make of it: one event a transaction, bodies become files.
//!
//! Comes in: both directions of a TCP stream. Goes out: a [`record`] when a response is done, or when the flow ends
//! without one; a file for each body and each part of a form that has a file name. Inside a CONNECT tunnel the other
//! protocols are looked for. RTSP (RFC 2326), which has the same form, has a folder of its own.
//! Bounds: the lines and fields of a head, the transactions that wait for a response, what is unpacked; each bites
//! with an anomaly, and the rest of the flow is still followed.

mod body;
pub(super) mod content;
mod form;
pub(super) mod head;
mod inflate;
pub(super) mod inspection;
mod multipart;
pub(super) mod odd;
mod parser;
pub mod record;
pub(super) mod transaction;
mod unpack;
mod uri;
pub(super) mod url;

use luytre_events::Transport;
pub use parser::HttpParser;

use super::onvif::record::OnvifCall;
use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "http",
    transports: &[Transport::TCP],
    ports: &[80, 81, 591, 3128, 8000, 8008, 8080, 8081, 8088, 8888],
    probe_min_bytes: 5,
    probe,
    parser: |_| Box::new(HttpParser::default()),
    datasets: &[record::HttpTransaction::DATASET, OnvifCall::DATASET],
};

/// Methods that open a connection in practice (RFC 9110, RFC 4918 WebDAV, RFC 3253, UPnP).
const METHODS: [&str; 29] = [
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "SEARCH",
    "REPORT",
    "CHECKOUT",
    "CHECKIN",
    "MERGE",
    "MKACTIVITY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "NOTIFY",
    "BPROPFIND",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
    "SOURCE",
];
/// How far the first line is looked into.
const MAX_PROBE_LINE_BYTES: usize = 256;

fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n' | b' ' | b'\t'));
    let Some(bytes) = start.and_then(|at| bytes.get(at..)) else { return Probe::More };
    if let Some(found) = begins(bytes, b"HTTP/") {
        return if found { sided(direction, Direction::ToClient) } else { Probe::More };
    }
    match request_line(bytes) {
        Probe::Yes => sided(direction, Direction::ToServer),
        other => other,
    }
}

fn sided(direction: Direction, speaker: Direction) -> Probe {
    if direction == speaker { Probe::Yes } else { Probe::YesReversed }
}

/// `Some(true)`: begins so. `Some(false)`: may begin so, when more comes.
fn begins(bytes: &[u8], with: &[u8]) -> Option<bool> {
    if bytes.starts_with(with) {
        return Some(true);
    }
    with.starts_with(bytes).then_some(false)
}

/// A known method and something like a target after it; an unknown method only if the line ends as a request does.
fn request_line(bytes: &[u8]) -> Probe {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or(bytes);
    let line = line.get(..MAX_PROBE_LINE_BYTES).unwrap_or(line);
    let Some(space) = line.iter().position(|&b| b == b' ' || b == b'\t') else {
        let method = METHODS.iter().any(|m| m.as_bytes().starts_with(line));
        return if method && line.len() == bytes.len() { Probe::More } else { Probe::No };
    };
    let (method, rest) = line.split_at(space);
    let token = method.len() <= 32
        && !method.is_empty()
        && method.iter().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
    let target = rest.trim_ascii_start();
    if !token
        || target.starts_with(b"sip:")
        || contains(line, b" SIP/2.0")
        || contains(line, b" HTTP/2.0")
        || contains(line, b" RTSP/")
    {
        return Probe::No;
    }
    if contains(line, b" HTTP/") {
        return Probe::Yes;
    }
    let known = METHODS.iter().any(|m| m.as_bytes() == method);
    match target.first() {
        // A request of HTTP/0.9 that forgot what it wants.
        None if method == b"GET" && line.len() < bytes.len() => Probe::Yes,
        None if known => Probe::More,
        Some(b'/' | b'*' | b'.' | b'?' | b'%') if known => Probe::Yes,
        Some(b) if known && b.is_ascii_alphanumeric() => Probe::Yes,
        _ => Probe::No,
    }
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}
