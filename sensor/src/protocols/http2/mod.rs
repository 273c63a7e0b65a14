//! HTTP/2 in the clear (RFC 9113): by prior knowledge, or after an upgrade from HTTP/1.1 (`Upgrade: h2c`). One event a
//! stream in the dataset of HTTP, with HTTP's record: what is asked and answered means the same in both versions.
//!
//! Comes in: both directions of a TCP stream from its first byte. Goes out: an event when a stream has ended in both
//! directions, is reset, or the flow ends; a file for each body; the messages of DNS over HTTPS (RFC 8484) as events of
//! DNS; and one of each frame of settings, of each goodbye, and of each stream that never came to a request
//! ([`notice`]). Bounds: streams that are open, bytes of a header block and its frames, the table of the compression, what is
//! kept of the fields. Too many streams cost the oldest its end; everything else that bites, a gap, and a block that
//! cannot be decoded end the parser, because the compression cannot be followed any further.

mod frame;
mod hpack;
mod huffman;
mod inspection;
mod notice;
mod parser;
mod static_table;
mod stream;

use luytre_events::Transport;

// What the versions of HTTP have in common stands with the older one, messages of DNS with DNS.
use super::{Direction, Probe, Protocol, dns, http};
use frame::Head;
pub use parser::Http2Parser;

/// The entry in the table of protocols. Its events are of HTTP's dataset.
pub static PROTOCOL: Protocol = Protocol {
    name: "http2",
    transports: &[Transport::TCP],
    ports: &[],
    probe_min_bytes: frame::HEAD_BYTES,
    probe,
    parser: |_| Box::new(Http2Parser::default()),
    datasets: &[http::record::Http2Frame::DATASET],
};

/// What a client sends first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of one setting.
const SETTING_BYTES: usize = 6;
/// Settings that a first frame has at most; some ten are in use.
const MAX_SETTINGS: usize = 32;

/// A client begins with the preface, a server with its settings.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    if bytes.starts_with(PREFACE) {
        return if direction == Direction::ToServer { Probe::Yes } else { Probe::YesReversed };
    }
    if PREFACE.starts_with(bytes) {
        return Probe::More;
    }
    if settings(bytes) {
        return if direction == Direction::ToClient { Probe::Yes } else { Probe::YesReversed };
    }
    Probe::No
}

/// The head of a frame of settings that are no acknowledgement.
fn settings(bytes: &[u8]) -> bool {
    let Some(head) = Head::read(bytes) else { return false };
    let whole = head.length % SETTING_BYTES == 0 && head.length <= MAX_SETTINGS * SETTING_BYTES;
    whole && (head.kind, head.flags, head.stream) == (frame::SETTINGS, 0, 0)
}
