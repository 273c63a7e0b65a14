//! Follows one flow: finds where messages begin and end, and tells each.

use luytre_events::Transport;

use super::{inspection, message, sdp};
use crate::protocols::{Direction, Output, Parser, Progress};

/// The longest head of a message, and the most that is looked at to find the first one.
pub const MAX_HEAD_BYTES: usize = 16 << 10;
/// The longest body that is kept.
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// The parser of one flow.
pub struct SipParser {
    stream: bool,
    sides: [Side; 2],
}

/// One direction of a TCP flow.
#[derive(Default)]
struct Side {
    /// Beginning of a message whose end has not come yet.
    partial: Vec<u8>,
    /// Bytes to pass over: the rest of a body that is too long, or that a gap has damaged.
    skip_bytes: u64,
    /// How much of `partial` was looked through for the end of the head.
    searched: usize,
    /// How long `partial` must be for its first message to be whole, where that is known.
    wanted: usize,
    lost: bool,
}

impl SipParser {
    /// A parser for a flow over UDP or TCP.
    pub fn new(transport: Transport) -> SipParser {
        SipParser { stream: transport == Transport::TCP, sides: Default::default() }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        let [to_server, to_client] = &mut self.sides;
        if direction == Direction::ToServer { to_server } else { to_client }
    }

    fn progress(&self) -> Progress {
        if self.sides.iter().all(|side| side.lost) { Progress::Done } else { Progress::Continue }
    }
}

impl Parser for SipParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if !self.stream {
            datagram(out, direction, bytes);
            return Progress::Continue;
        }
        self.side(direction).data(out, direction, bytes);
        self.progress()
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let side = self.side(direction);
        match side.skip_bytes.checked_sub(length) {
            Some(rest) if side.partial.is_empty() => side.skip_bytes = rest,
            _ => {
                out.anomaly("sip.framing_lost");
                *side = Side { lost: true, ..Side::default() };
            }
        }
        self.progress()
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for (side, direction) in self.sides.iter_mut().zip([Direction::ToServer, Direction::ToClient]) {
            let partial = std::mem::take(&mut side.partial);
            // A body that did not come to its end is no reason to say nothing of its head.
            if head_end(&partial, 0).is_some() {
                datagram(out, direction, &partial);
            }
        }
    }
}

/// Ends of a head: where the body begins. Both kinds of line ends are understood.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let windows = |mark: &[u8]| rest.windows(mark.len()).position(|w| w == mark).map(|at| from + at + mark.len());
    match (windows(b"\r\n\r\n"), windows(b"\n\n")) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// One datagram holds one message; one that keeps a path open holds none.
fn datagram(out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
    let bytes = message::without_leading_breaks(bytes);
    let first = bytes.split(|b| *b == b'\n').next().unwrap_or(bytes);
    if !first.starts_with(b"SIP/2.0 ") && message::request_line(first).is_none() {
        if bytes.len() > 4 {
            out.anomaly("sip.malformed");
        }
        return;
    }
    let end = head_end(bytes, 0).unwrap_or(bytes.len());
    let (head, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let body = match message::read(head).1 {
        Some(length) => usize::try_from(length).ok().and_then(|length| rest.get(..length)).unwrap_or(rest),
        None => rest,
    };
    tell(out, direction, head, body.get(..MAX_BODY_BYTES).unwrap_or(body));
}

fn tell(out: &mut dyn Output, direction: Direction, head: &[u8], body: &[u8]) {
    let (mut record, _) = message::read(head);
    if record.malformed.is_some() {
        out.anomaly("sip.malformed");
    }
    // Descriptions also come as one part among several (multipart/mixed).
    if record
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.starts_with("application/sdp") || kind.starts_with("multipart/"))
    {
        sdp::tell(&mut record, body);
    }
    out.event(record.into_body());
    inspection::message(out, direction, head, body);
}

impl Side {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.lost {
            let skipped = usize::try_from(self.skip_bytes).unwrap_or(usize::MAX).min(bytes.len());
            self.skip_bytes -= skipped as u64;
            bytes = bytes.get(skipped..).unwrap_or(&[]);
            // Never more than one head and one body at a time, however much comes.
            let room = (MAX_HEAD_BYTES + MAX_BODY_BYTES).saturating_sub(self.partial.len()).max(1);
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.partial.extend_from_slice(now);
            bytes = later;
            self.messages(out, direction);
        }
    }

    /// Tells the whole messages at the start of what was kept.
    fn messages(&mut self, out: &mut dyn Output, direction: Direction) {
        if self.partial.len() < self.wanted {
            return;
        }
        self.wanted = 0;
        let mut kept = std::mem::take(&mut self.partial);
        let mut rest = kept.as_slice();
        loop {
            let message = message::without_leading_breaks(rest);
            self.searched = if message.len() == rest.len() { self.searched } else { 0 };
            rest = message;
            // Bytes that begin no message end the framing, whether or not an empty line comes with them.
            if !begins(rest) {
                break;
            }
            let Some(end) = head_end(rest, self.searched.saturating_sub(3)) else {
                self.searched = rest.len();
                break;
            };
            self.searched = 0;
            if end > MAX_HEAD_BYTES {
                break;
            }
            let (head, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let length = message::read(head).1.unwrap_or(0);
            let there = behind.len() as u64;
            if length > MAX_BODY_BYTES as u64 {
                out.anomaly("sip.body_limit");
                tell(out, direction, head, &[]);
                self.skip_bytes = length.saturating_sub(there);
                rest = usize::try_from(length).ok().and_then(|length| behind.get(length..)).unwrap_or(&[]);
                continue;
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some((body, next)) = behind.split_at_checked(length) else {
                self.wanted = end.saturating_add(length);
                break;
            };
            tell(out, direction, head, body);
            rest = next;
        }
        let head_too_long = rest.len() > MAX_HEAD_BYTES && head_end(rest, 0).is_none_or(|end| end > MAX_HEAD_BYTES);
        if head_too_long || !begins(rest) {
            out.anomaly("sip.framing_lost");
            *self = Side { lost: true, ..Side::default() };
            return;
        }
        let consumed = kept.len() - rest.len();
        kept.drain(..consumed);
        self.partial = kept;
    }
}

/// Whether a message may begin here, as far as one can see.
fn begins(bytes: &[u8]) -> bool {
    let Some(line) = bytes.split(|b| *b == b'\n').next().filter(|line| line.len() < bytes.len()) else {
        return bytes.is_empty()
            || b"SIP/2.0 ".starts_with(bytes.get(..8).unwrap_or(bytes))
            || message::may_begin_request(bytes);
    };
    line.starts_with(b"SIP/2.0 ") || message::request_line(line).is_some()
}
