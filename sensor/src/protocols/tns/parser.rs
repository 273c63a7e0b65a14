//! Follows one flow as far as the listener's answer.

use super::packet::{self, FORMAT, kind};
use super::record::TnsConnect;
use crate::protocols::framing::{Frames, Step};
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Bytes of a description that are kept.
const MAX_DESCRIPTION_BYTES: usize = 8 << 10;
/// Bytes of a name that are told.
const MAX_NAME_BYTES: usize = 256;

/// The parser of one flow.
#[derive(Default)]
pub struct TnsParser {
    to_server: Frames,
    to_client: Frames,
    record: TnsConnect,
    /// A wish or an answer was seen.
    begun: bool,
    /// What is still to come of a description, by direction, and what there is of it.
    left: [usize; 2],
    words: [Vec<u8>; 2],
    over: bool,
}

impl Parser for TnsParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        while !self.over {
            let frames = if direction == Direction::ToServer { &mut self.to_server } else { &mut self.to_client };
            match frames.next(&mut bytes, &FORMAT) {
                Some(Step::Message(packet)) => self.packet(out, direction, &packet.bytes),
                Some(Step::Lost) => {
                    out.anomaly("tns.framing_lost");
                    self.finish(out);
                }
                None => return Progress::Continue,
            }
        }
        Progress::Done
    }

    fn gap(&mut self, out: &mut dyn Output, _: Direction, _: u64) -> Progress {
        self.finish(out);
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if self.begun && !self.over {
            for direction in [Direction::ToServer, Direction::ToClient] {
                self.described(direction);
            }
            out.event(std::mem::take(&mut self.record).into_body());
        }
        self.over = true;
    }
}

impl TnsParser {
    fn packet(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        let side = usize::from(direction == Direction::ToClient);
        match (direction, bytes.get(4).copied()) {
            (Direction::ToServer, Some(kind::CONNECT)) => {
                self.begun = true;
                match packet::connect(bytes) {
                    Ok(connect) => {
                        self.record.version = Some(connect.version.into());
                        self.begin(side, connect.description, connect.length);
                    }
                    Err(_) => self.malformed(out),
                }
            }
            // More of a description stands behind two bytes of flags.
            (_, Some(kind::DATA)) if self.left.get(side).is_some_and(|left| *left > 0) => {
                self.add(side, bytes.get(10..).unwrap_or(&[]));
                if direction == Direction::ToClient && self.left.get(side) == Some(&0) {
                    self.finish(out);
                }
            }
            (Direction::ToClient, Some(kind @ (kind::ACCEPT | kind::REFUSE | kind::REDIRECT))) => {
                self.begun = true;
                self.answer(out, side, kind, bytes);
            }
            (Direction::ToClient, Some(kind::RESEND)) => {}
            _ => self.finish(out),
        }
    }

    fn answer(&mut self, out: &mut dyn Output, side: usize, kind: u8, bytes: &[u8]) {
        let (answer, outcome) = match kind {
            kind::ACCEPT => ("accept", Some("success")),
            kind::REFUSE => ("refuse", Some("failure")),
            _ => ("redirect", None),
        };
        (self.record.answer, self.record.outcome) = (Some(answer), outcome);
        if kind == kind::ACCEPT {
            let version = bytes.get(8..10).and_then(|version| version.first_chunk());
            self.record.server_version = version.map(|version| u16::from_be_bytes(*version).into());
        } else {
            match packet::words(bytes, kind) {
                Ok((words, length)) => self.begin(side, words, length),
                Err(_) => self.malformed(out),
            }
        }
        if self.left.get(side) == Some(&0) {
            self.finish(out);
        }
    }

    fn malformed(&mut self, out: &mut dyn Output) {
        self.record.malformed = Some(true);
        out.anomaly("tns.malformed");
    }

    /// Begins a description of `length` bytes, of which these stand here.
    fn begin(&mut self, side: usize, bytes: &[u8], length: usize) {
        if let (Some(left), Some(words)) = (self.left.get_mut(side), self.words.get_mut(side)) {
            *left = length;
            words.clear();
        }
        self.add(side, bytes);
    }

    fn add(&mut self, side: usize, bytes: &[u8]) {
        if let (Some(left), Some(words)) = (self.left.get_mut(side), self.words.get_mut(side)) {
            let bytes = bytes.get(..*left).unwrap_or(bytes);
            *left -= bytes.len();
            let room = MAX_DESCRIPTION_BYTES.saturating_sub(words.len());
            words.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// Takes from a description what is told.
    fn described(&mut self, direction: Direction) {
        let [to_server, to_client] = &self.words;
        let record = &mut self.record;
        let told = |value: &[u8]| Some(text::text(value, MAX_NAME_BYTES));
        if direction == Direction::ToServer {
            packet::pairs(to_server, |outer, name, value| {
                let (outer, name) = (outer.to_ascii_uppercase(), name.to_ascii_uppercase());
                match (outer.as_slice(), name.as_slice()) {
                    (_, b"SERVICE_NAME") => record.service = told(value),
                    (_, b"SID") => record.sid = told(value),
                    (_, b"COMMAND") => record.command = told(value),
                    (b"CID", b"PROGRAM") => record.program = told(value),
                    (b"CID", b"HOST") => record.host = told(value),
                    (b"CID", b"USER") => record.os_user = told(value),
                    (_, b"PASSWORD") => record.password_seen = Some(true),
                    _ => {}
                }
            });
            return;
        }
        let (mut host, mut port) = (None, None);
        packet::pairs(to_client, |_, name, value| match name.to_ascii_uppercase().as_slice() {
            b"ERR" | b"CODE" if record.error_code.is_none() => record.error_code = told(value),
            b"HOST" => host = told(value),
            b"PORT" => port = told(value),
            _ => {}
        });
        if let (Some("redirect"), Some(host)) = (record.answer, host) {
            record.redirect = Some(port.map_or(host.clone(), |port| format!("{host}:{port}")));
        }
    }
}
