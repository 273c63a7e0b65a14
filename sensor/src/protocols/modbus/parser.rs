//! Follows one flow: messages out of the stream, responses to their requests.

use std::collections::VecDeque;

use super::record::ModbusTransaction;
use super::{function, names};
use crate::protocols::buffer;
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Bytes before the body: number, protocol, length, unit, function.
pub const HEADER_BYTES: usize = 8;
/// Longest message behind its length (Modbus messaging on TCP/IP, section 3.1.3).
const MAX_LENGTH: usize = 254;
/// Requests that may wait for a response.
const MAX_OUTSTANDING: usize = 64;
/// Bytes that make no sense, one after the other, before a side is given up.
const MAX_BROKEN: u32 = 1024;

/// What stands before the body of a message.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    transaction: u16,
    /// The device.
    pub unit: u8,
    /// The function, if its byte has come.
    pub function: Option<u8>,
    /// Bytes of the body.
    pub content_bytes: usize,
}

impl Header {
    /// Reads a header; nothing if it cannot be one.
    pub fn read(bytes: &[u8]) -> Option<Header> {
        let mut r = Reader::new(bytes);
        let (transaction, protocol, length) = (r.u16().ok()?, r.u16().ok()?, usize::from(r.u16().ok()?));
        let unit = r.u8().ok()?;
        let sound = protocol == 0 && (2..=MAX_LENGTH).contains(&length);
        sound.then(|| Header { transaction, unit, function: r.u8().ok(), content_bytes: length - 2 })
    }

    /// Bytes of the whole message.
    pub fn message_bytes(&self) -> usize {
        HEADER_BYTES + self.content_bytes
    }
}

/// The parser of one flow.
#[derive(Default)]
pub struct ModbusParser {
    client: Side,
    server: Side,
    outstanding: VecDeque<ModbusTransaction>,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// The unfinished message.
    partial: Vec<u8>,
    broken: u32,
    lost: bool,
}

impl Parser for ModbusParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let mut buffer = std::mem::take(&mut self.side(direction).partial);
        if !self.side(direction).lost {
            buffer.extend_from_slice(bytes);
        }
        let mut used = 0;
        while let Some(rest) = buffer.get(used..).filter(|rest| rest.len() >= HEADER_BYTES) {
            let Some(header) = Header::read(rest) else {
                // Looks for a header from the next byte on.
                used += 1;
                self.broken(out, direction);
                if self.side(direction).lost {
                    // What follows is not looked at, in whatever pieces it comes.
                    break;
                }
                continue;
            };
            let Some(body) = rest.get(HEADER_BYTES..header.message_bytes()) else { break };
            used += header.message_bytes();
            self.side(direction).broken = 0;
            match direction {
                Direction::ToServer => self.request(out, &header, body),
                Direction::ToClient => self.response(out, &header, body),
            }
        }
        buffer.drain(..used.min(buffer.len()));
        if !self.side(direction).lost {
            self.side(direction).partial = buffer;
        }
        if self.client.lost && self.server.lost { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, _length: u64) -> Progress {
        out.anomaly("modbus.gap");
        self.side(direction).partial = Vec::new();
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for record in std::mem::take(&mut self.outstanding) {
            out.event(record.into_body());
        }
    }
}

impl ModbusParser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }

    fn broken(&mut self, out: &mut dyn Output, direction: Direction) {
        let side = self.side(direction);
        if side.broken == 0 {
            out.anomaly("modbus.no_message");
        }
        side.broken += 1;
        side.lost |= side.broken > MAX_BROKEN;
    }

    fn request(&mut self, out: &mut dyn Output, header: &Header, body: &[u8]) {
        let mut record = begin(header, header.function.unwrap_or(0));
        if out.inspects() {
            let asked = [&[header.unit, record.function_code][..], body].concat();
            out.inspect(Direction::ToServer, buffer::MODBUS_REQUEST, &asked);
            out.transaction(Direction::ToServer);
        }
        let fits = function::request_bytes(record.function_code, body).is_none_or(|length| length == body.len());
        if function::request(&mut record, body).is_err() || !fits {
            malformed(out, &mut record);
        }
        if self.outstanding.len() >= MAX_OUTSTANDING {
            out.anomaly("modbus.outstanding_limit");
            if let Some(oldest) = self.outstanding.pop_front() {
                out.event(oldest.into_body());
            }
        }
        self.outstanding.push_back(record);
    }

    fn response(&mut self, out: &mut dyn Output, header: &Header, body: &[u8]) {
        const EXCEPTION: u8 = 0x80;
        let code = header.function.unwrap_or(0);
        let function = code & !EXCEPTION;
        let asked = |one: &ModbusTransaction| {
            one.transaction == header.transaction && one.unit == header.unit && one.function_code == function
        };
        let found = self.outstanding.iter().position(asked).and_then(|at| self.outstanding.remove(at));
        let mut record = found.unwrap_or_else(|| {
            out.anomaly("modbus.response_alone");
            begin(header, function)
        });
        record.answered = true;
        if code & EXCEPTION != 0 {
            record.exception = body.first().map(|code| names::exception(*code));
        } else if function::response(&mut record, body).is_err() {
            malformed(out, &mut record);
        }
        out.event(record.into_body());
    }
}

fn begin(header: &Header, function_code: u8) -> ModbusTransaction {
    ModbusTransaction {
        transaction: header.transaction,
        unit: header.unit,
        function: names::function(function_code),
        function_code,
        access: names::access(function_code),
        ..ModbusTransaction::default()
    }
}

fn malformed(out: &mut dyn Output, record: &mut ModbusTransaction) {
    out.anomaly("modbus.malformed");
    record.malformed = Some(true);
}
