//! Follows one connection: frames to events, what messages carry to the parsers that know it.

use super::frame::{self, Frames, Head, Step};
use super::inspection::Inspected;
use super::record::WebSocketFrame;
use crate::protocols::reader::Reader;
use crate::protocols::tunnel::Tunnel;
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Frames of a connection that are told.
const MAX_TOLD: u64 = 1024;
/// Bytes told of a text.
const MAX_TEXT_BYTES: usize = 256;
/// Bytes kept of a frame: of the text, and one more to know that it was cut.
const MAX_KEPT_BYTES: usize = MAX_TEXT_BYTES + 1;
/// Longest payload: the highest bit of the length must not be set (RFC 6455 section 5.2).
const MAX_LENGTH: u64 = u64::MAX >> 1;

/// The parser of one connection.
#[derive(Default)]
pub struct WebSocketParser {
    to_server: Side,
    to_client: Side,
    protocol: Option<String>,
    tunnel: Option<Tunnel>,
    told: u64,
    over: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    frames: Frames,
    head: Option<Head>,
    /// Beginning of the payload.
    kept: Vec<u8>,
    /// Kind of the message, which its continuations share.
    message: u8,
    /// The message is compressed.
    packed: bool,
    inspected: Inspected,
}

impl WebSocketParser {
    /// A parser for a connection that speaks this protocol inside, and is itself `level` tunnels deep.
    pub fn new(protocol: Option<String>, level: u8) -> WebSocketParser {
        WebSocketParser { protocol, tunnel: Tunnel::new(level), ..WebSocketParser::default() }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn begin(&mut self, out: &mut dyn Output, direction: Direction, head: Head) {
        if head.length > MAX_LENGTH {
            out.anomaly("websocket.length");
            self.over = true;
            return;
        }
        let known = head.opcode <= frame::BINARY || (frame::CLOSE..=frame::PONG).contains(&head.opcode);
        if !known || head.reserved & 3 != 0 {
            out.anomaly("websocket.opcode");
        }
        if head.mask.is_some() != (direction == Direction::ToServer) {
            out.anomaly("websocket.masking");
        }
        let side = self.side(direction);
        if matches!(head.opcode, frame::TEXT | frame::BINARY) {
            (side.message, side.packed) = (head.opcode, head.compressed());
        }
        side.head = Some(head);
        side.kept.clear();
        if out.inspects() {
            side.inspected.begin();
        }
    }

    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        let side = self.side(direction);
        let room = MAX_KEPT_BYTES.saturating_sub(side.kept.len());
        side.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        side.inspected.data(out, bytes);
        let carried = side.head.is_some_and(|head| head.opcode <= frame::BINARY) && !side.packed;
        if carried
            && let Some(tunnel) = &mut self.tunnel
            && tunnel.data(out, direction, bytes) == Progress::Done
            && let Some(mut tunnel) = self.tunnel.take()
        {
            tunnel.finish(out);
        }
    }

    fn end(&mut self, out: &mut dyn Output, direction: Direction) {
        let side = self.side(direction);
        let missing = side.frames.left;
        let (kept, message, packed) = (std::mem::take(&mut side.kept), side.message, side.packed);
        let Some(head) = side.head.take() else { return };
        side.inspected.end(out, direction, head);
        self.told += 1;
        if self.told > MAX_TOLD {
            out.anomaly("websocket.too_many_frames");
            return;
        }
        let data = head.opcode <= frame::BINARY;
        let mut record = WebSocketFrame {
            sender: Some(if direction == Direction::ToServer { "client" } else { "server" }),
            opcode: Some(opcode(head.opcode)),
            last: Some(head.last),
            masked: Some(head.mask.is_some()),
            compressed: (data && packed).then_some(true),
            length: Some(head.length),
            missing: (missing > 0).then_some(missing),
            protocol: self.protocol.clone(),
            ..WebSocketFrame::default()
        };
        if data && message == frame::TEXT && !packed && !kept.is_empty() {
            record.text = Some(text::text(&kept, MAX_TEXT_BYTES));
        }
        if head.opcode == frame::CLOSE {
            let mut r = Reader::new(&kept);
            record.close_code = r.u16().ok();
            record.close_reason = (!r.is_empty()).then(|| text::text(r.rest(), MAX_TEXT_BYTES));
        }
        out.event(record.into_body());
    }
}

impl Parser for WebSocketParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        out.dialect(super::PROTOCOL.name);
        while !self.over {
            let (step, rest) = self.side(direction).frames.step(bytes);
            bytes = rest;
            match step {
                Step::Begin(head) => self.begin(out, direction, head),
                Step::Data(part) => WebSocketParser::data(self, out, direction, &part),
                Step::End => self.end(out, direction),
                Step::Nothing => break,
            }
        }
        if self.over { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if !self.side(direction).frames.gap(length) {
            out.anomaly("websocket.gap");
            self.over = true;
            return Progress::Done;
        }
        if let Some(mut tunnel) = self.tunnel.take() {
            tunnel.finish(out);
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            self.end(out, direction);
        }
        if let Some(mut tunnel) = self.tunnel.take() {
            tunnel.finish(out);
        }
    }
}

fn opcode(number: u8) -> String {
    match number {
        frame::CONTINUATION => "continuation".to_owned(),
        frame::TEXT => "text".to_owned(),
        frame::BINARY => "binary".to_owned(),
        frame::CLOSE => "close".to_owned(),
        frame::PING => "ping".to_owned(),
        frame::PONG => "pong".to_owned(),
        other => format!("0x{other:x}"),
    }
}
