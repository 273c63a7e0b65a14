//! Follows one flow: messages out of the stream, answers to their requests.

use std::collections::VecDeque;

use luytre_events::Transport;

use super::message::{self, HEADER_BYTES, Header};
use super::record::EnipRequest;
use super::{cip, inspection};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, Parser, Progress};

/// Requests that may wait for an answer.
const MAX_OUTSTANDING: usize = 64;

/// How an answer is known: command, context, number of the connection's message.
type Key = (u16, [u8; 8], Option<u16>);

/// The parser of one flow.
pub struct EnipParser {
    /// Each datagram begins with a head.
    datagrams: bool,
    client: Side,
    server: Side,
    outstanding: VecDeque<(Key, EnipRequest)>,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// The unfinished message.
    partial: Vec<u8>,
    lost: bool,
}

impl Parser for EnipParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let mut buffer = std::mem::take(&mut self.side(direction).partial);
        if !self.side(direction).lost {
            buffer.extend_from_slice(bytes);
        }
        let mut used = 0;
        while let Some(rest) = buffer.get(used..).filter(|rest| rest.len() >= HEADER_BYTES) {
            let Some(header) = Header::read(rest) else {
                out.anomaly("enip.framing_lost");
                self.side(direction).lost = true;
                break;
            };
            let Some(body) = rest.get(HEADER_BYTES..header.message_bytes()) else { break };
            used += header.message_bytes();
            inspection::message(out, direction, &header, body);
            let told = match direction {
                Direction::ToServer => self.request(out, &header, body),
                Direction::ToClient => self.answer(out, &header, body),
            };
            if told.is_err() {
                out.anomaly("enip.malformed");
            }
        }
        if self.datagrams {
            self.side(direction).lost = false;
            return Progress::Continue;
        }
        buffer.drain(..used.min(buffer.len()));
        if !self.side(direction).lost {
            self.side(direction).partial = buffer;
        }
        if self.client.lost && self.server.lost { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, _length: u64) -> Progress {
        out.anomaly("enip.gap");
        let side = self.side(direction);
        (side.partial, side.lost) = (Vec::new(), true);
        if self.client.lost && self.server.lost { Progress::Done } else { Progress::Continue }
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for (_, record) in std::mem::take(&mut self.outstanding) {
            out.event(record.into_body());
        }
    }
}

impl EnipParser {
    /// A parser for a flow over UDP or TCP.
    pub fn new(transport: Transport) -> EnipParser {
        EnipParser {
            datagrams: transport == Transport::UDP,
            client: Side::default(),
            server: Side::default(),
            outstanding: VecDeque::new(),
        }
    }

    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }

    fn request(&mut self, out: &mut dyn Output, header: &Header, body: &[u8]) -> Result<(), Short> {
        let mut record = begin(header);
        let mut number = None;
        if let Some((connected, message)) = message::inside(header.command, body)? {
            number = connected;
            let (service, path) = cip::request(message)?;
            record.service = Some(cip::service(service, &path));
            record.path = Some(path).filter(|path| !path.is_empty());
        }
        // What nobody answers.
        if matches!(header.command, 0x00 | 0x66) {
            out.event(record.into_body());
            return Ok(());
        }
        if self.outstanding.len() >= MAX_OUTSTANDING {
            out.anomaly("enip.outstanding_limit");
            if let Some((_, oldest)) = self.outstanding.pop_front() {
                out.event(oldest.into_body());
            }
        }
        self.outstanding.push_back(((header.command, header.context, number), record));
        Ok(())
    }

    fn answer(&mut self, out: &mut dyn Output, header: &Header, body: &[u8]) -> Result<(), Short> {
        // A refusal has nothing behind its head.
        let inside = if body.is_empty() { None } else { message::inside(header.command, body)? };
        let key = (header.command, header.context, inside.and_then(|(number, _)| number));
        let at = self.outstanding.iter().position(|(asked, _)| *asked == key);
        let found = at.and_then(|at| self.outstanding.remove(at)).map(|(_, record)| record);
        let mut record = found.unwrap_or_else(|| begin(header));
        record.answered = true;
        record.session = header.session;
        record.status = (header.status != 0).then(|| format!("{:08x}", header.status));
        let read = take_in(&mut record, header, inside.map(|(_, message)| message), body);
        out.event(record.into_body());
        read
    }
}

fn take_in(record: &mut EnipRequest, header: &Header, inside: Option<&[u8]>, body: &[u8]) -> Result<(), Short> {
    if header.command == 0x63 && header.status == 0 {
        message::identity(record, body)?;
    }
    let Some(message) = inside.filter(|message| !message.is_empty()) else { return Ok(()) };
    let (service, status, content) = cip::answer(message)?;
    record.service.get_or_insert_with(|| cip::service(service, ""));
    record.service_status = (status != 0).then(|| format!("{status:02x}"));
    // The identity object, read as a whole.
    let identity = record.path.as_deref() == Some("class 0x1 instance 0x1") && service == 1;
    if identity && status == 0 {
        message::device(record, &mut Reader::new(content))?;
    }
    Ok(())
}

fn begin(header: &Header) -> EnipRequest {
    EnipRequest {
        command: message::name(header.command).unwrap_or("NOP"),
        session: header.session,
        ..EnipRequest::default()
    }
}
