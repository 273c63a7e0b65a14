//! Follows one flow: frames out of the stream, messages out of frames (IEEE 1815 clauses 8 and 9).

use super::frame::{self, HEADER_BYTES, Header};
use super::names;
use super::objects::{self, Objects};
use super::record::Dnp3Message;
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress, buffer};

/// Largest message that is put together: its parts have 64 numbers. Stations are made for 2,048 bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 249;
/// Requests without an answer that are nothing out of the ordinary.
const MAX_UNANSWERED: u32 = 32;
/// Frames one after the other that make no sense, before a side is given up.
const MAX_BROKEN: u32 = 1000;

/// The parser of one flow.
#[derive(Default)]
pub struct Dnp3Parser {
    to_server: Side,
    to_client: Side,
    /// Requests since the latest answer.
    unanswered: u32,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// The unfinished frame: at most 292 bytes.
    partial: Vec<u8>,
    /// The unfinished message, with the number and header of its last part.
    message: Option<(u8, Header, Vec<u8>)>,
    broken: u32,
    lost: bool,
}

impl Parser for Dnp3Parser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let side = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        let messages = side.data(out, bytes);
        match direction {
            Direction::ToServer => {
                let before = self.unanswered;
                self.unanswered = before.saturating_add(messages);
                if before <= MAX_UNANSWERED && self.unanswered > MAX_UNANSWERED {
                    out.anomaly("dnp3.flooded");
                }
            }
            Direction::ToClient if messages > 0 => self.unanswered = 0,
            Direction::ToClient => {}
        }
        if self.to_server.lost && self.to_client.lost { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, _length: u64) -> Progress {
        let side = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        // The next frame is found by its mark.
        out.anomaly("dnp3.gap");
        (side.partial, side.message) = (Vec::new(), None);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        // What came of an unfinished message is told, as far as it goes.
        for side in [&mut self.to_server, &mut self.to_client] {
            if let Some((_, header, message)) = side.message.take()
                && tell(out, &header, &message, true).is_err()
            {
                out.anomaly("dnp3.malformed");
            }
        }
    }
}

impl Side {
    /// Takes in bytes; returns how many messages they completed.
    fn data(&mut self, out: &mut dyn Output, bytes: &[u8]) -> u32 {
        if self.lost {
            return 0;
        }
        let mut messages = 0;
        let mut buffer = std::mem::take(&mut self.partial);
        buffer.extend_from_slice(bytes);
        let mut used = 0;
        while let Some(rest) = buffer.get(used..).filter(|rest| !rest.is_empty()) {
            let begins = rest.iter().zip([0x05, 0x64]).all(|(byte, mark)| *byte == mark);
            if begins && rest.len() < HEADER_BYTES {
                break;
            }
            let Some(header) = Header::read(rest) else {
                // Passes over what begins no frame, up to the next mark.
                let next = rest.iter().skip(1).position(|&b| b == 0x05);
                used += next.map_or(rest.len(), |at| at + 1);
                self.broken(out, "dnp3.no_frame");
                if self.lost {
                    return messages;
                }
                continue;
            };
            let Some(whole) = rest.get(..header.frame_bytes()) else { break };
            used += whole.len();
            match frame::content(&header, whole) {
                Some(content) => messages += u32::from(self.frame(out, &header, &content)),
                None => self.broken(out, "dnp3.wrong_sum"),
            }
        }
        buffer.drain(..used.min(buffer.len()));
        self.partial = buffer;
        messages
    }

    fn broken(&mut self, out: &mut dyn Output, what: &'static str) {
        out.anomaly(what);
        self.broken += 1;
        self.lost = self.broken >= MAX_BROKEN;
    }

    /// Adds a frame to its message: the first byte says whether it is the first part, the last, and which (clause 8.2).
    /// Says whether the message is complete.
    fn frame(&mut self, out: &mut dyn Output, header: &Header, content: &[u8]) -> bool {
        self.broken = 0;
        let Some((head, part)) = content.split_first().filter(|_| header.user_data) else { return false };
        let (last, first, number) = (head & 0x80 != 0, head & 0x40 != 0, head & 0x3f);
        let message = match (first, self.message.take()) {
            (true, None) => part.to_vec(),
            (true, Some(_)) => {
                out.anomaly("dnp3.message_unfinished");
                part.to_vec()
            }
            (false, Some((before, _, mut message))) if (before + 1) & 0x3f == number => {
                message.extend_from_slice(part);
                message
            }
            (false, _) => {
                out.anomaly("dnp3.part_missing");
                return false;
            }
        };
        let too_large = message.len() > MAX_MESSAGE_BYTES;
        if too_large {
            // What has come is told; the rest has no beginning any more.
            out.anomaly("dnp3.message_too_large");
        } else if !last {
            self.message = Some((number, *header, message));
            return false;
        }
        if tell(out, header, &message, too_large).is_err() {
            out.anomaly("dnp3.malformed");
        }
        true
    }
}

/// One message: control, function, in answers the indications, then objects (clause 4.2.2).
fn tell(out: &mut dyn Output, header: &Header, message: &[u8], cut: bool) -> Result<(), Short> {
    let mut r = Reader::new(message);
    let (control, function) = (r.u8()?, r.u8()?);
    let kind = match function {
        129 | 131 => "response",
        130 => "unsolicited-response",
        _ => "request",
    };
    let indicators = if kind == "request" { 0 } else { u16::from_le_bytes(r.array()?) };
    let Objects { names, counts, operations, files, incomplete, odd } = objects::read(function, r.rest());
    // Of what did not come whole nothing can be said.
    if let Some(odd) = odd.filter(|_| !cut) {
        out.anomaly(odd);
    }
    inspect(out, kind, function, indicators, message, &names);
    let record = Dnp3Message {
        kind,
        source: header.source,
        destination: header.destination,
        function: names::function(function),
        function_code: function,
        sequence: control & 0x0f,
        confirm: (control & 0x20 != 0).then_some(true),
        indicators: names::indicators(indicators),
        objects: names,
        object_counts: counts,
        operations,
        file_paths: files,
        size_bytes: message.len() as u64,
        incomplete: (incomplete || cut).then_some(true),
    };
    out.event(record.into_body());
    Ok(())
}

/// What signatures look into; a message is a transaction.
fn inspect(out: &mut dyn Output, kind: &str, function: u8, indicators: u16, message: &[u8], objects: &[String]) {
    if !out.inspects() {
        return;
    }
    let direction = if kind == "request" { Direction::ToServer } else { Direction::ToClient };
    out.inspect_number(direction, buffer::DNP3_FUNCTION, function.into());
    if direction == Direction::ToClient {
        // Rules count the first byte as the higher one.
        out.inspect_number(direction, buffer::DNP3_INDICATORS, indicators.swap_bytes().into());
    }
    for object in objects {
        let parts = object.strip_prefix('g').and_then(|rest| rest.split_once('v'));
        if let Some((Ok(group), Ok(variation))) = parts.map(|(g, v)| (g.parse::<u64>(), v.parse::<u64>())) {
            out.inspect_number(direction, buffer::DNP3_OBJECT, group << 8 | variation);
        }
    }
    out.inspect(direction, buffer::DNP3_DATA, message);
    out.transaction(direction);
}
