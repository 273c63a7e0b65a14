//! Follows one connection: header blocks to streams, streams to events.

use std::collections::BTreeMap;

use super::PREFACE;
use super::frame::{self, Frames, Head, Step};
use super::hpack::Decoder;
use super::http::head::{Fields, RequestLine};
use super::http::odd::Odd;
use super::inspection;
use super::notice::{self, Notices};
use super::stream::{Block, Stream};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress};

/// Streams that may be open; the oldest is told as it is when there are more.
const MAX_STREAMS: usize = 256;
/// Bytes of a header block in all its frames.
const MAX_BLOCK_BYTES: usize = 64 * 1024;
/// CONTINUATION frames of a block: as many as an honest sender needs, few enough not to be kept busy with.
const MAX_CONTINUATIONS: usize = 64;
/// Bytes of names and values kept of one block, which may refer to more than it holds.
const MAX_FIELD_BYTES: usize = 128 * 1024;

/// The parser of one connection.
#[derive(Default)]
pub struct Http2Parser {
    to_server: Side,
    to_client: Side,
    /// Bytes of the preface that were seen.
    preface_bytes: usize,
    streams: BTreeMap<u32, Stream>,
    /// The highest stream begun by the server (even) and by the client (odd): what is not open up to there is over.
    highest: [u32; 2],
    depth: u64,
    notices: Notices,
    /// Settings that the request to change to HTTP/2 brought along, until they are told.
    brought: Option<Vec<u8>>,
    over: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    frames: Frames,
    decoder: Decoder,
    open: Option<OpenBlock>,
}

/// A header block whose end has not come.
struct OpenBlock {
    /// The stream whose frames it stands in.
    stream: u32,
    /// The stream that its fields are about; another one in a promise.
    about: u32,
    end_stream: bool,
    bytes: Vec<u8>,
    continuations: usize,
}

/// The connection cannot be followed; why, as it is counted.
struct Lost(&'static str);

impl From<Short> for Lost {
    fn from(_: Short) -> Self {
        Lost("http2.frame")
    }
}

impl Http2Parser {
    /// A parser for a connection that changed to HTTP/2 on this request, which the first stream answers.
    pub fn upgraded(line: RequestLine, fields: &Fields) -> Http2Parser {
        let brought = fields.get("http2-settings").and_then(notice::brought);
        let mut parser = Http2Parser { highest: [0, 1], brought, ..Http2Parser::default() };
        parser.streams.insert(1, Stream::upgraded(line, fields));
        parser
    }

    /// Passes over the preface.
    fn preface<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Lost> {
        let expected = PREFACE.get(self.preface_bytes..).unwrap_or(&[]);
        let (part, rest) = bytes.split_at_checked(expected.len()).unwrap_or((bytes, &[]));
        if !expected.starts_with(part) {
            return Err(Lost("http2.preface"));
        }
        self.preface_bytes += part.len();
        Ok(rest)
    }

    fn bytes(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Result<(), Lost> {
        if let Some(settings) = self.brought.take() {
            self.notices.settings(out, Direction::ToServer, 0, &settings);
        }
        if direction == Direction::ToServer {
            bytes = self.preface(bytes)?;
        }
        while !bytes.is_empty() {
            let side = self.side(direction);
            let (step, rest) = side.frames.step(bytes);
            bytes = rest;
            match step {
                Step::Nothing => {}
                Step::Data { .. } if side.open.is_some() => return Err(Lost("http2.continuation")),
                Step::Data { stream, bytes, end } => self.data_frame(out, direction, stream, bytes, end),
                Step::Whole(head, payload) => self.frame(out, direction, head, &payload)?,
                Step::Broken => return Err(Lost("http2.frame")),
            }
        }
        Ok(())
    }

    fn data_frame(&mut self, out: &mut dyn Output, direction: Direction, number: u32, bytes: &[u8], end: bool) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        stream.data(out, direction, bytes);
        if end {
            stream.end(out, direction, true);
            self.tell_if_over(out, number);
        }
    }

    fn frame(&mut self, out: &mut dyn Output, direction: Direction, head: Head, payload: &[u8]) -> Result<(), Lost> {
        inspection::frame(out, direction, head, payload);
        if self.side(direction).open.is_some() != (head.kind == frame::CONTINUATION) {
            return Err(Lost("http2.continuation"));
        }
        match head.kind {
            frame::HEADERS | frame::PUSH_PROMISE => self.side(direction).open = Some(begin_block(head, payload)?),
            frame::CONTINUATION => self.side(direction).go_on(head.stream, payload)?,
            frame::SETTINGS => {
                self.notices.settings(out, direction, head.flags, payload);
                return Ok(());
            }
            frame::GOAWAY => return Ok(self.notices.goaway(out, direction, payload)?),
            frame::PRIORITY_FRAME => {
                if self.is_idle(head.stream) {
                    self.notices.priority(out, direction, head.stream, payload);
                }
                return Ok(());
            }
            frame::PING | frame::WINDOW_UPDATE => return Ok(()),
            _ => {
                self.reset(out, direction, head.stream, Reader::new(payload).u32()?);
                return Ok(());
            }
        }
        if head.flags & frame::END_HEADERS != 0
            && let Some(block) = self.side(direction).open.take()
        {
            self.block(out, direction, &block)?;
        }
        Ok(())
    }

    /// A stream is given up. The response may be on its way when the client does so: it is waited for.
    fn reset(&mut self, out: &mut dyn Output, direction: Direction, number: u32, code: u32) {
        if self.is_idle(number) {
            self.notices.reset(out, direction, number, code);
            return;
        }
        if let Some(stream) = self.streams.get_mut(&number) {
            stream.reset(notice::error_name(code));
        }
        if let Some(stream) = self.streams.get_mut(&number)
            && direction == Direction::ToServer
            && !stream.responded()
        {
            stream.end(out, direction, false);
        } else if let Some(stream) = self.streams.remove(&number) {
            stream.tell(out, &mut self.depth);
        }
    }

    /// Whether no frame of a request was seen of this stream, nor of a later one of the same side.
    fn is_idle(&self, number: u32) -> bool {
        let [even, odd] = self.highest;
        number > if number.is_multiple_of(2) { even } else { odd } && !self.streams.contains_key(&number)
    }

    /// A whole header block. It is decoded whatever it is for, because later ones refer to it.
    fn block(&mut self, out: &mut dyn Output, direction: Direction, open: &OpenBlock) -> Result<(), Lost> {
        let mut block = Block::default();
        let mut kept_bytes = 0;
        let mut keep = |name: &[u8], value: &[u8]| {
            kept_bytes += name.len() + value.len();
            if kept_bytes <= MAX_FIELD_BYTES {
                block.field(name, value);
            } else {
                block.fields.odd.note(Odd::LONG);
            }
        };
        let decoded = self.side(direction).decoder.decode(&open.bytes, &mut keep);
        decoded.map_err(|_| Lost("http2.header_block"))?;
        let promised = open.about != open.stream;
        let Some(stream) = self.stream(out, open.about) else { return Ok(()) };
        match direction {
            Direction::ToClient if promised => {
                stream.request(out, block);
                stream.end(out, Direction::ToServer, true);
            }
            Direction::ToServer if !stream.requested() => stream.request(out, block),
            Direction::ToClient if !stream.responded() && !block.is_interim() => stream.response(out, &block),
            // What comes after a body, or before the response.
            _ => {}
        }
        if open.end_stream {
            stream.end(out, direction, true);
        }
        self.tell_if_over(out, open.about);
        Ok(())
    }

    /// The stream of this number: the one that is open, or a new one; none if it is over.
    fn stream(&mut self, out: &mut dyn Output, number: u32) -> Option<&mut Stream> {
        if !self.streams.contains_key(&number) {
            let [even, odd] = &mut self.highest;
            let highest = if number.is_multiple_of(2) { even } else { odd };
            if number <= *highest {
                return None;
            }
            *highest = number;
            self.notices.opened(number);
            if self.streams.len() >= MAX_STREAMS
                && let Some((_, oldest)) = self.streams.pop_first()
            {
                out.anomaly("http2.too_many_streams");
                oldest.tell(out, &mut self.depth);
            }
        }
        Some(self.streams.entry(number).or_insert_with(|| Stream::new(number)))
    }

    fn tell_if_over(&mut self, out: &mut dyn Output, number: u32) {
        if self.streams.get(&number).is_some_and(Stream::is_over)
            && let Some(stream) = self.streams.remove(&number)
        {
            stream.tell(out, &mut self.depth);
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    /// Tells what is open; nothing more is read.
    fn end(&mut self, out: &mut dyn Output) {
        self.over = true;
        (self.to_server, self.to_client) = (Side::default(), Side::default());
        while let Some((_, stream)) = self.streams.pop_first() {
            stream.tell(out, &mut self.depth);
        }
        self.notices.end(out);
    }
}

impl Parser for Http2Parser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if !self.over
            && let Err(Lost(why)) = self.bytes(out, direction, bytes)
        {
            out.anomaly(why);
            self.end(out);
        }
        if self.over { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, _direction: Direction, _length: u64) -> Progress {
        if !self.over {
            out.anomaly("http2.gap");
            self.end(out);
        }
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.end(out);
    }
}

impl Side {
    /// More of the open block.
    fn go_on(&mut self, stream: u32, payload: &[u8]) -> Result<(), Lost> {
        let block = self.open.as_mut().filter(|block| block.stream == stream).ok_or(Lost("http2.continuation"))?;
        block.continuations += 1;
        block.bytes.extend_from_slice(payload);
        if block.bytes.len() > MAX_BLOCK_BYTES || block.continuations > MAX_CONTINUATIONS {
            return Err(Lost("http2.block_limit"));
        }
        Ok(())
    }
}

/// The beginning of a header block: what is left of a HEADERS or PUSH_PROMISE frame without padding and priority.
fn begin_block(head: Head, payload: &[u8]) -> Result<OpenBlock, Lost> {
    let mut r = Reader::new(payload);
    let padding = if head.flags & frame::PADDED != 0 { usize::from(r.u8()?) } else { 0 };
    let promise = head.kind == frame::PUSH_PROMISE;
    let about = if promise { r.u32()? & 0x7fff_ffff } else { head.stream };
    if !promise && head.flags & frame::PRIORITY != 0 {
        r.skip(5)?;
    }
    let length = r.rest().len().checked_sub(padding).ok_or(Short)?;
    Ok(OpenBlock {
        stream: head.stream,
        about,
        end_stream: !promise && head.flags & frame::END_STREAM != 0,
        bytes: r.take(length)?.to_vec(),
        continuations: 0,
    })
}
