//! Follows one flow: pairs commands with replies.

use std::collections::VecDeque;

use super::command;
use super::record::RedisCommand;
use super::resp::{Item, Step, Values};
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Commands that wait for their reply.
pub const MAX_OPEN: usize = 256;
/// Bytes of a status or error that are told.
const MAX_REPLY_BYTES: usize = 256;

/// The parser of one flow.
#[derive(Default)]
pub struct RedisParser {
    to_server: Values,
    to_client: Values,
    open: VecDeque<Open>,
    silence: Silence,
    /// A reply may have been missed.
    gapped: bool,
    over: bool,
}

/// A command that waits.
struct Open {
    record: RedisCommand,
    /// Replies that are still to come: a subscription is confirmed once for each channel.
    replies: u64,
}

/// Whether the client wants replies (CLIENT REPLY).
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Silence {
    #[default]
    Off,
    /// None for the next command.
    Next,
    On,
}

impl Parser for RedisParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        while !self.over {
            let step = match direction {
                Direction::ToServer => self.to_server.next(&mut bytes, true),
                Direction::ToClient => self.to_client.next(&mut bytes, false),
            };
            match step {
                Some(Step::Item(item)) if direction == Direction::ToServer => self.command(out, &item),
                Some(Step::Item(item)) => self.reply(out, &item),
                Some(Step::Lost) => out.anomaly("redis.framing_lost"),
                None => break,
            }
        }
        let lost = self.to_server.is_lost() && self.to_client.is_lost();
        if self.over || lost { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, _: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        match direction {
            Direction::ToServer => self.to_server.gap(length),
            Direction::ToClient => {
                self.gapped |= self.to_client.gap(length);
                self.gapped
            }
        };
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for open in self.open.drain(..) {
            out.event(open.record.into_body());
        }
    }
}

impl RedisParser {
    fn command(&mut self, out: &mut dyn Output, item: &Item) {
        if item.items == 0 {
            return;
        }
        let record = command::record(item);
        if std::mem::take(&mut self.gapped) {
            self.finish(out);
        }
        let silent = self.silence != Silence::Off;
        let wish = (record.command == "CLIENT REPLY").then(|| record.arguments.first().map(|w| w.to_ascii_uppercase()));
        self.silence = match (wish.flatten().as_deref(), self.silence) {
            (Some("OFF"), _) => Silence::On,
            (Some("ON"), _) => Silence::Off,
            (Some("SKIP"), Silence::Off | Silence::Next) => Silence::Next,
            (_, Silence::Next) => Silence::Off,
            (_, before) => before,
        };
        let asked = record.command == "CLIENT REPLY";
        if asked && self.silence != Silence::Off || silent && !asked {
            out.event(record.into_body());
            return;
        }
        let replies = match record.command.as_str() {
            "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE" => item.items - 1,
            _ => 1,
        };
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            out.anomaly("redis.open_limit");
            out.event(oldest.record.into_body());
        }
        self.open.push_back(Open { record, replies: replies.max(1) });
    }

    fn reply(&mut self, out: &mut dyn Output, item: &Item) {
        let pushed = [&b"message"[..], b"pmessage", b"smessage", b"invalidate"];
        let first = item.parts.first().map_or(&[][..], Vec::as_slice);
        let unasked = item.sign == b'>' && !first.ends_with(b"subscribe");
        if unasked || matches!(item.sign, b'*') && pushed.contains(&first) {
            return;
        }
        let Some(open) = self.open.front_mut() else {
            if matches!(item.sign, b'-' | b'!') {
                let mut record = RedisCommand { command: "REPLY".to_owned(), ..RedisCommand::default() };
                set_reply(&mut record, item);
                out.event(record.into_body());
            }
            return;
        };
        open.replies -= 1;
        if open.replies > 0 && !matches!(item.sign, b'-' | b'!') {
            return;
        }
        set_reply(&mut open.record, item);
        // From here on the server sends what it holds and what changes.
        let replicates = matches!(open.record.command.as_str(), "SYNC" | "PSYNC");
        self.over = replicates && open.record.outcome == Some("success");
        if let Some(open) = self.open.pop_front() {
            out.event(open.record.into_body());
        }
    }
}

fn set_reply(record: &mut RedisCommand, item: &Item) {
    let said = item.parts.first().map_or(&[][..], Vec::as_slice);
    record.reply_bytes = Some(item.bytes);
    record.outcome = Some("success");
    record.reply_type = Some(match item.sign {
        _ if item.null => "null",
        b'+' => "status",
        b'-' | b'!' => "error",
        b':' => "integer",
        b'$' | b'=' => "string",
        b'*' => "list",
        b'>' => "push",
        b'~' => "set",
        b'%' => "map",
        b'#' => "boolean",
        b',' => "double",
        _ => "big number",
    });
    match item.sign {
        b'-' | b'!' => {
            record.outcome = Some("failure");
            let code = said.split(|byte| *byte == b' ').next().unwrap_or(&[]);
            record.error_code = Some(text::text(code, 32));
            record.error_message = Some(text::text(said, MAX_REPLY_BYTES));
        }
        b'+' | b':' | b'#' => record.reply = Some(text::text(said, MAX_REPLY_BYTES)),
        b'*' | b'~' | b'%' => record.reply_items = Some(item.items),
        _ => {}
    }
}
