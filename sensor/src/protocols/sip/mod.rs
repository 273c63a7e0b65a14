//! SIP (RFC 3261) with the descriptions of calls in it (SDP, RFC 8866): who calls whom, by what, and how it went.
//!
//! Comes in: datagrams, or a TCP stream. Goes out: one [`record`] a message, requests and responses alike, joined by
//! `sip.call_id` and `sip.cseq`: one request has many responses, and both sides ask. A message's head is kept up to
//! [`parser::MAX_HEAD_BYTES`] and its body up to [`parser::MAX_BODY_BYTES`]; a stream with a longer head is given up,
//! a longer body is passed over. Passwords are never in clear in SIP; who logs in is told.

mod inspection;
mod message;
mod parser;
pub mod record;
mod sdp;

use luytre_events::Transport;

use super::{Direction, Probe, Protocol};

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "sip",
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[5060, 5061],
    probe_min_bytes: 8,
    probe,
    parser: |transport| Box::new(parser::SipParser::new(transport)),
    datasets: &[record::SipMessage::DATASET],
};

/// The version stands first in a response and last in the first line of a request.
fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let bytes = message::without_leading_breaks(bytes);
    if bytes.starts_with(b"SIP/2.0 ") {
        return if direction == Direction::ToClient { Probe::Yes } else { Probe::YesReversed };
    }
    if !message::may_begin_request(bytes) {
        return Probe::No;
    }
    match bytes.iter().position(|b| *b == b'\n') {
        Some(end) if message::request_line(bytes.get(..end).unwrap_or(&[])).is_some() => Probe::Yes,
        None if bytes.len() < parser::MAX_HEAD_BYTES => Probe::More,
        _ => Probe::No,
    }
}
