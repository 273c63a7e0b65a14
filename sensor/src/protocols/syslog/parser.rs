//! Follows one flow: finds where messages begin and end, and tells each.

use luytre_events::Transport;

use super::message::{self, MAX_MESSAGE_BYTES};
use crate::protocols::{Direction, Output, Parser, Progress};

/// The parser of one flow.
pub struct SyslogParser {
    stream: bool,
    /// Beginning of a message whose end has not come yet; at most one message and the length before it.
    partial: Vec<u8>,
    /// Bytes to pass over: the rest of a message that is too long.
    skip_bytes: usize,
    /// The rest of a line is passed over.
    skip_line: bool,
}

/// A message at the start of what has come.
enum Framed {
    /// From here to here, and how much it takes up altogether.
    Whole(usize, usize, usize),
    /// Not all of it has come.
    Partial,
    /// It is too long: from where, and how many bytes follow those that are kept, if it says.
    TooLong(usize, Option<usize>),
    /// Neither a length nor an angle: these are no messages.
    Lost,
}

impl SyslogParser {
    /// A parser for a flow over UDP or TCP.
    pub fn new(transport: Transport) -> SyslogParser {
        SyslogParser { stream: transport == Transport::TCP, partial: Vec::new(), skip_bytes: 0, skip_line: false }
    }

    fn messages(&mut self, out: &mut dyn Output) -> Progress {
        let kept = std::mem::take(&mut self.partial);
        let mut rest = kept.as_slice();
        while !rest.is_empty() {
            if let [b'\n' | b'\r' | 0, after @ ..] = rest {
                rest = after;
                continue;
            }
            match framed(rest) {
                Framed::Whole(start, end, all) => {
                    out.event(message::read(rest.get(start..end).unwrap_or(&[])).into_body());
                    rest = rest.get(all..).unwrap_or(&[]);
                }
                Framed::Partial => break,
                Framed::TooLong(start, more) => {
                    out.anomaly("syslog.message_limit");
                    let (message, after) = rest.split_at_checked(start + MAX_MESSAGE_BYTES + 1).unwrap_or((rest, &[]));
                    out.event(message::read(message.get(start..).unwrap_or(&[])).into_body());
                    rest = after;
                    match more {
                        Some(more) => {
                            let now = more.min(rest.len());
                            self.skip_bytes = more - now;
                            rest = rest.get(now..).unwrap_or(&[]);
                        }
                        None => rest = self.rest_of_line(rest),
                    }
                }
                Framed::Lost => {
                    out.anomaly("syslog.framing_lost");
                    return Progress::Done;
                }
            }
        }
        self.partial = rest.to_vec();
        Progress::Continue
    }

    /// What follows the end of a line; nothing, and a note, while it has not come.
    fn rest_of_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|b| matches!(b, b'\n' | 0));
        self.skip_line = end.is_none();
        end.and_then(|end| bytes.get(end + 1..)).unwrap_or(&[])
    }
}

/// A length and a space, or a line (RFC 6587 section 3.4).
fn framed(bytes: &[u8]) -> Framed {
    const LENGTH_MAX: usize = 6;
    if bytes.starts_with(b"<") {
        return match bytes.iter().take(MAX_MESSAGE_BYTES + 1).position(|b| matches!(b, b'\n' | 0)) {
            Some(end) => Framed::Whole(0, end, end + 1),
            None if bytes.len() > MAX_MESSAGE_BYTES => Framed::TooLong(0, None),
            None => Framed::Partial,
        };
    }
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let length = bytes.get(..digits).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
    match (length, bytes.get(digits)) {
        (Some(_), None) if digits <= LENGTH_MAX => Framed::Partial,
        (Some(length), Some(b' ')) if digits <= LENGTH_MAX && length > 0 => {
            let start = digits + 1;
            let there = bytes.len() - start;
            if length > MAX_MESSAGE_BYTES {
                let enough = there > MAX_MESSAGE_BYTES;
                return if enough {
                    Framed::TooLong(start, Some(length - MAX_MESSAGE_BYTES - 1))
                } else {
                    Framed::Partial
                };
            }
            if there >= length { Framed::Whole(start, start + length, start + length) } else { Framed::Partial }
        }
        _ => Framed::Lost,
    }
}

impl Parser for SyslogParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if !self.stream {
            out.event(message::read(bytes).into_body());
            return Progress::Continue;
        }
        // Nobody answers; RELP and others that do are no syslog.
        if direction == Direction::ToClient {
            return Progress::Continue;
        }
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let skipped = self.skip_bytes.min(bytes.len());
            self.skip_bytes -= skipped;
            bytes = bytes.get(skipped..).unwrap_or(&[]);
            if self.skip_line {
                bytes = self.rest_of_line(bytes);
            }
            let room = (2 * MAX_MESSAGE_BYTES).saturating_sub(self.partial.len()).max(1);
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.partial.extend_from_slice(now);
            bytes = later;
            if self.messages(out) == Progress::Done {
                return Progress::Done;
            }
        }
        Progress::Continue
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, _: u64) -> Progress {
        if direction == Direction::ToClient {
            return Progress::Continue;
        }
        out.anomaly("syslog.framing_lost");
        self.partial = Vec::new();
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        let partial = std::mem::take(&mut self.partial);
        let rest = message::without_length(&partial).unwrap_or(&partial);
        if message::begins(rest, true) {
            out.event(message::read(rest).into_body());
        }
    }
}
