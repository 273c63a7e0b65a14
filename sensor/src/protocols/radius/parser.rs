//! Joins requests and answers of one flow.

use std::collections::VecDeque;

use super::attributes;
use super::names;
use super::record::RadiusExchange;
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Length of kind, number, length and authenticator (RFC 2865 section 3).
pub const HEADER_BYTES: usize = 20;
/// The longest message (RFC 2865 section 3; later ones allow it to be longer over other transports only).
const MAX_MESSAGE_BYTES: usize = 4096;
/// Requests of a flow that may wait for their answer: there are as many numbers.
pub const MAX_OPEN: usize = 256;

/// The parser of one flow.
#[derive(Default)]
pub struct RadiusParser {
    open: VecDeque<Request>,
}

struct Request {
    time_ns: i64,
    number: u8,
    authenticator: [u8; 16],
    record: RadiusExchange,
}

/// Kind, number, authenticator and attributes.
struct Message<'a> {
    code: u8,
    number: u8,
    authenticator: [u8; 16],
    attributes: Reader<'a>,
}

fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let mut r = Reader::new(bytes);
    let (code, number, length) = (r.u8().ok()?, r.u8().ok()?, usize::from(r.u16().ok()?));
    let authenticator = r.array().ok()?;
    let rest = length.checked_sub(HEADER_BYTES).filter(|_| length <= MAX_MESSAGE_BYTES)?;
    // What follows the message is padding.
    let attributes = Reader::new(r.take(rest).ok()?);
    names::code(code)?;
    Some(Message { code, number, authenticator, attributes })
}

/// Whether a message stands here, and if so whether it is a request.
pub fn is_message(bytes: &[u8], on_port: bool) -> Option<bool> {
    let message = read(bytes)?;
    let mut attributes = message.attributes;
    let mut who = false;
    while !attributes.is_empty() {
        let (kind, value) = attributes::next(&mut attributes).ok()?;
        who |= matches!(kind, 1 | 32) && !value.is_empty() || kind == 4 && value.len() == 4;
    }
    let request = is_request(message.code);
    (on_port || (who && matches!(message.code, 1 | 4))).then_some(request)
}

fn is_request(code: u8) -> bool {
    matches!(code, 1 | 4 | 12 | 13 | 40 | 43)
}

impl Parser for RadiusParser {
    fn data(&mut self, out: &mut dyn Output, _: Direction, bytes: &[u8]) -> Progress {
        match read(bytes) {
            Some(message) if is_request(message.code) => self.request(out, &message),
            Some(message) => self.answer(out, &message),
            None => out.anomaly("radius.malformed"),
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for request in self.open.drain(..) {
            out.event(request.record.into_body());
        }
    }
}

impl RadiusParser {
    fn request(&mut self, out: &mut dyn Output, message: &Message<'_>) {
        let same = |open: &&mut Request| open.number == message.number && open.authenticator == message.authenticator;
        if let Some(open) = self.open.iter_mut().find(same) {
            open.record.repeated = Some(open.record.repeated.unwrap_or(0) + 1);
            return;
        }
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            out.anomaly("radius.open_limit");
            out.event(oldest.record.into_body());
        }
        let mut record = RadiusExchange {
            request: names::code(message.code).map(str::to_owned),
            identifier: message.number.into(),
            ..RadiusExchange::default()
        };
        tell(out, &mut record, message);
        self.open.push_back(Request {
            time_ns: out.time_ns(),
            number: message.number,
            authenticator: message.authenticator,
            record,
        });
    }

    fn answer(&mut self, out: &mut dyn Output, message: &Message<'_>) {
        // Numbers come again: the latest request is meant.
        let place = self.open.iter().rposition(|open| open.number == message.number);
        let open = place.and_then(|place| self.open.remove(place));
        let mut record = match open {
            Some(open) => {
                let waited_ns = out.time_ns().saturating_sub(open.time_ns).max(0).unsigned_abs();
                RadiusExchange { duration_ns: Some(waited_ns), ..open.record }
            }
            None => RadiusExchange { identifier: message.number.into(), ..RadiusExchange::default() },
        };
        record.answer = names::code(message.code).map(str::to_owned);
        record.outcome = match message.code {
            2 | 41 | 44 => Some("success"),
            3 | 42 | 45 => Some("failure"),
            _ => None,
        };
        tell(out, &mut record, message);
        out.event(record.into_body());
    }
}

fn tell(out: &mut dyn Output, record: &mut RadiusExchange, message: &Message<'_>) {
    if attributes::tell(record, message.attributes).is_err() {
        record.malformed = Some(true);
        out.anomaly("radius.malformed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_that_say_who_asks_are_found_on_other_ports() {
        let message = |code: u8, attributes: &[u8]| {
            let length = u8::try_from(HEADER_BYTES + attributes.len()).unwrap();
            [&[code, 7, 0, length][..], &[9; 16], attributes].concat()
        };
        assert_eq!(is_message(&message(1, &[1, 4, b'a', b'n']), false), Some(true));
        assert_eq!(is_message(&message(1, &[80, 4, b'a', b'n']), false), None);
        assert_eq!(is_message(&message(2, &[]), false), None);
        assert_eq!(is_message(&message(2, &[]), true), Some(false));
        assert_eq!(is_message(&message(1, &[1, 9, b'a', b'n']), true), None);
        assert_eq!(is_message(&message(99, &[]), true), None);
    }
}
