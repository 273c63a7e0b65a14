//! Follows one flow: pairs commands with answers.

use super::message::{self, FORMAT};
use super::record::MongodbCommand;
use crate::protocols::framing::{Frames, Message, Step};
use crate::protocols::outstanding::Outstanding;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Commands that wait for their answer.
pub const MAX_OPEN: usize = 64;

/// The parser of one flow.
pub struct MongodbParser {
    to_server: Frames,
    to_client: Frames,
    open: Outstanding<u32, MongodbCommand>,
}

impl Default for MongodbParser {
    fn default() -> Self {
        MongodbParser { to_server: Frames::default(), to_client: Frames::default(), open: Outstanding::new(MAX_OPEN) }
    }
}

impl MongodbParser {
    fn frames(&mut self, direction: Direction) -> &mut Frames {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn message(&mut self, out: &mut dyn Output, direction: Direction, message: &Message<'_>) {
        let length = message.length as u64;
        let Ok((header, rest)) = message::header(&message.bytes) else { return };
        if direction == Direction::ToServer {
            match message::request(header, rest) {
                Ok((mut record, answered)) => {
                    record.request_bytes = Some(length);
                    if !answered {
                        out.event(record.into_body());
                    } else if let Some(oldest) = self.open.add(header.id, record) {
                        out.anomaly("mongodb.open_limit");
                        out.event(oldest.into_body());
                    }
                }
                Err(_) => out.anomaly("mongodb.malformed"),
            }
            return;
        }
        let open = self.open.take(&header.answers);
        let seen = open.is_some();
        let mut record =
            open.unwrap_or_else(|| MongodbCommand { command: "reply".to_owned(), ..MongodbCommand::default() });
        record.response_bytes = Some(length);
        if message::answer(&mut record, header, rest).is_err() {
            out.anomaly("mongodb.malformed");
        }
        // An answer without a command says something only if it is an error.
        if seen || record.outcome == Some("failure") {
            out.event(record.into_body());
        }
    }
}

impl Parser for MongodbParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        loop {
            match self.frames(direction).next(&mut bytes, &FORMAT) {
                Some(Step::Message(message)) => self.message(out, direction, &message),
                Some(Step::Lost) => out.anomaly("mongodb.framing_lost"),
                None => break,
            }
        }
        if self.to_server.is_lost() && self.to_client.is_lost() { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, _: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        self.frames(direction).gap(length, &FORMAT);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        while let Some(record) = self.open.pop() {
            out.event(record.into_body());
        }
    }
}
