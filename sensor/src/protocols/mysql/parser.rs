//! Follows one flow: the log-in, then commands with their results.

use std::collections::VecDeque;

use luytre_events::Transport;

use super::login::{self, can};
use super::packet::{self, COMMANDS, RESULTS};
use super::record::MysqlCommand;
use super::tls;
use crate::protocols::framing::{Frames, Message, Step};
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress, sql, text};

/// Commands that wait for their result; a client waits for each, but nothing forces it to.
pub const MAX_OPEN: usize = 64;
/// Prepared statements that are remembered; the oldest goes first.
pub const MAX_STATEMENTS: usize = 64;

/// The parser of one flow.
#[derive(Default)]
pub struct MysqlParser {
    to_server: Frames,
    to_client: Frames,
    stage: Stage,
    /// What the server said of itself, until the log-in is told.
    login: MysqlCommand,
    server_can: u64,
    client_can: u64,
    open: VecDeque<MysqlCommand>,
    reply: Reply,
    /// A result may have been missed.
    gapped: bool,
    statements: VecDeque<(u32, MysqlCommand)>,
    secured: Option<Box<dyn Parser>>,
    over: bool,
}

/// How far the connection is.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Greeting,
    Answer,
    Proof,
    Commands,
}

/// What comes next of a result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reply {
    /// Its first packet: the one whose number follows the command's, or, within a reply, whatever comes.
    First { within: bool },
    /// So many descriptions of columns.
    Columns(u64),
    /// The end of the descriptions, or the first row.
    Rows { first: bool },
}

impl Default for Reply {
    fn default() -> Self {
        Reply::First { within: false }
    }
}

impl Parser for MysqlParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        loop {
            if let Some(secured) = &mut self.secured {
                return if bytes.is_empty() { Progress::Continue } else { secured.data(out, direction, bytes) };
            }
            if self.over {
                return Progress::Done;
            }
            let step = match direction {
                Direction::ToServer => self.to_server.next(&mut bytes, &COMMANDS),
                Direction::ToClient => self.to_client.next(&mut bytes, &RESULTS),
            };
            match step {
                Some(Step::Message(message)) => self.packet(out, direction, &message),
                Some(Step::Lost) => out.anomaly("mysql.framing_lost"),
                None => return Progress::Continue,
            }
        }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(secured) = &mut self.secured {
            return secured.gap(out, direction, length);
        }
        match direction {
            Direction::ToServer => self.to_server.gap(length, &COMMANDS),
            Direction::ToClient => {
                self.gapped = true;
                self.to_client.gap(length, &RESULTS)
            }
        };
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if matches!(self.stage, Stage::Answer | Stage::Proof) && !self.over {
            self.tell_login(out);
        }
        for record in self.open.drain(..) {
            out.event(record.into_body());
        }
        if let Some(secured) = &mut self.secured {
            secured.finish(out);
        }
    }
}

impl MysqlParser {
    fn packet(&mut self, out: &mut dyn Output, direction: Direction, message: &Message<'_>) {
        let Some((&[_, _, _, number], payload)) = message.bytes.split_first_chunk() else { return };
        match (direction, self.stage) {
            (Direction::ToClient, Stage::Greeting) => self.greeting(out, number, payload),
            (Direction::ToServer, Stage::Answer) => self.answer(out, payload),
            (Direction::ToServer, Stage::Greeting) if number == 1 && login::answers(&message.bytes) == Some(true) => {
                self.answer(out, payload);
            }
            // A command: the server took the proof, unseen.
            (Direction::ToServer, Stage::Proof) if number == 0 => {
                self.tell_login(out);
                self.command(out, number, message, payload);
            }
            (Direction::ToServer, Stage::Proof) => login::clear(&mut self.login, payload),
            (Direction::ToClient, Stage::Proof) => self.verdict(out, payload),
            (Direction::ToServer, _) => {
                self.stage = Stage::Commands;
                self.command(out, number, message, payload);
            }
            (Direction::ToClient, _) => self.reply(out, number, message.length.saturating_sub(4), payload),
        }
    }

    fn greeting(&mut self, out: &mut dyn Output, number: u8, payload: &[u8]) {
        match payload.split_first() {
            Some((10, rest)) if number == 0 => {
                let greeting = login::greeting(&mut self.login, Reader::new(rest));
                (self.server_can, self.login.method) = (greeting.can, greeting.method);
                self.login.command = "login";
                self.stage = Stage::Answer;
            }
            Some((0xff, rest)) if number == 0 => {
                let mut record = MysqlCommand { command: "connect", ..MysqlCommand::default() };
                set_error(&mut record, Reader::new(rest));
                out.event(record.into_body());
                self.over = true;
            }
            _ => self.stage = Stage::Commands,
        }
    }

    /// The client's answer to the greeting, or its wish for TLS, which is the same without a name.
    fn answer(&mut self, out: &mut dyn Output, payload: &[u8]) {
        let short = payload.len() == 32;
        let wishes = Reader::new(payload).u32_le().is_ok_and(|can| u64::from(can) & can::SSL != 0);
        self.login.command = "login";
        if short && wishes {
            self.login.encrypted = Some(true);
            self.login.method = None;
            self.tell_login(out);
            self.secured = Some((tls::PROTOCOL.parser)(Transport::TCP));
            return;
        }
        match login::answer(&mut self.login, Reader::new(payload)) {
            Ok(can) => self.client_can = can,
            Err(_) => out.anomaly("mysql.malformed"),
        }
        self.stage = Stage::Proof;
    }

    /// What the server says to the client's proof.
    fn verdict(&mut self, out: &mut dyn Output, payload: &[u8]) {
        match payload.split_first() {
            Some((0, _)) => {
                self.login.outcome = Some("success");
                // Where the greeting was not seen, the client's word has to do.
                let both = if self.server_can == 0 { self.client_can } else { self.client_can & self.server_can };
                self.login.compressed = match both {
                    can if can & can::COMPRESS != 0 => Some("zlib"),
                    can if can & can::ZSTD != 0 => Some("zstd"),
                    _ => None,
                };
                self.over = self.login.compressed.is_some();
            }
            Some((0xff, rest)) => set_error(&mut self.login, Reader::new(rest)),
            Some((0xfe, rest)) => {
                let method = packet::name(packet::string(&mut Reader::new(rest)));
                self.login.method = method.or(Some("mysql_old_password".to_owned()));
                return;
            }
            _ => return,
        }
        self.tell_login(out);
    }

    fn tell_login(&mut self, out: &mut dyn Output) {
        self.stage = Stage::Commands;
        out.event(std::mem::take(&mut self.login).into_body());
    }

    fn command(&mut self, out: &mut dyn Output, number: u8, message: &Message<'_>, payload: &[u8]) {
        if number != 0 {
            // What follows a command: the client's file, or more of a long one.
            let file = self.open.front_mut().filter(|record| record.local_file.is_some());
            if let Some(record) = file {
                *record.local_bytes.get_or_insert(0) += message.length.saturating_sub(4) as u64;
            }
            return;
        }
        let Some((&first, content)) = payload.split_first() else { return };
        let Some(command) = packet::command(first) else {
            out.anomaly("mysql.unknown_command");
            return;
        };
        let mut record = MysqlCommand { command, ..MysqlCommand::default() };
        match first {
            1 => {
                self.over = self.open.is_empty();
                return;
            }
            // What has no result.
            24 => return,
            25 => {
                let id = Reader::new(content).u32_le().ok();
                self.statements.retain(|(known, _)| Some(*known) != id);
                return;
            }
            3 | 22 => {
                let attributes = first == 3 && self.client_can & self.server_can & can::QUERY_ATTRIBUTES != 0;
                let behind = if attributes { packet::behind_attributes(content) } else { Ok(content) };
                let Ok(statement) = behind else {
                    out.anomaly("mysql.malformed");
                    self.wait(out, record);
                    return;
                };
                let before = content.len() - statement.len();
                set_statement(&mut record, statement, message.length.saturating_sub(5 + before));
            }
            2 | 5 | 6 => record.database = packet::name(content),
            4 => record.statement = packet::name(packet::string(&mut Reader::new(content))),
            12 => record.statement = Reader::new(content).u32_le().ok().map(|id| id.to_string()),
            17 => {
                record.method = None;
                if login::change(&mut record, Reader::new(content), self.client_can).is_err() {
                    out.anomaly("mysql.malformed");
                }
                self.login = record;
                self.stage = Stage::Proof;
                return;
            }
            23 => {
                let id = Reader::new(content).u32_le().ok();
                if let Some((_, known)) = self.statements.iter().find(|(known, _)| Some(*known) == id) {
                    record = MysqlCommand { command, ..known.clone() };
                }
            }
            // From here on the server sends what it has changed, without end.
            18 | 30 => {
                out.event(record.into_body());
                self.over = true;
                return;
            }
            _ => {}
        }
        self.wait(out, record);
    }

    fn wait(&mut self, out: &mut dyn Output, record: MysqlCommand) {
        if std::mem::take(&mut self.gapped) {
            for record in self.open.drain(..) {
                out.event(record.into_body());
            }
        }
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            out.anomaly("mysql.open_limit");
            out.event(oldest.into_body());
        }
        self.open.push_back(record);
    }

    /// One packet of a result; `length` bytes are its own, of which `payload` were kept.
    fn reply(&mut self, out: &mut dyn Output, number: u8, length: usize, payload: &[u8]) {
        // A result begins with the number after its command's.
        if number == 1 {
            self.reply = Reply::default();
        }
        let Some(&first) = payload.first() else { return };
        let Some(record) = self.open.front_mut() else { return };
        let rest = payload.get(1..).unwrap_or(&[]);
        let ends = first == 0xfe && length < 0xff_ffff;
        match self.reply {
            Reply::First { within: false } if number != 1 => {}
            // How far a long statement has come, as MariaDB says unasked.
            _ if payload.starts_with(&[0xff, 0xff, 0xff]) => {}
            _ if first == 0xff => {
                set_error(record, Reader::new(rest));
                self.done(out);
            }
            Reply::First { .. } if first == 0 && record.command == "stmt_prepare" => {
                record.outcome = Some("success");
                if let Ok(id) = Reader::new(rest).u32_le() {
                    self.remember(out, id);
                }
                self.done(out);
            }
            Reply::First { .. } if first == 0 || ends => self.ended(out, payload),
            Reply::First { .. } if first == 0xfb => {
                record.local_file = packet::name(rest);
                self.reply = Reply::First { within: true };
            }
            Reply::First { .. } if record.command == "statistics" => self.ended(out, &[0]),
            Reply::First { .. } if record.command == "field_list" => self.reply = Reply::Rows { first: false },
            Reply::First { .. } => match packet::number(&mut Reader::new(payload)) {
                Ok(columns) => {
                    record.columns = Some(columns);
                    self.reply = Reply::Columns(columns);
                }
                Err(_) => {
                    out.anomaly("mysql.malformed");
                    self.done(out);
                }
            },
            Reply::Columns(left) => {
                self.reply = if left > 1 { Reply::Columns(left - 1) } else { Reply::Rows { first: true } };
            }
            // The short form between descriptions and rows, which newer programs leave out.
            Reply::Rows { first: true } if ends && length < 7 => {
                record.rows.get_or_insert(0);
                self.reply = Reply::Rows { first: false };
            }
            Reply::Rows { .. } if ends => self.ended(out, payload),
            Reply::Rows { .. } => {
                *record.rows.get_or_insert(0) += 1;
                *record.row_bytes.get_or_insert(0) += length as u64;
                self.reply = Reply::Rows { first: false };
            }
        }
    }

    /// A result is over; another one of the same command may follow.
    fn ended(&mut self, out: &mut dyn Output, payload: &[u8]) {
        let ending = packet::ending(payload);
        let Some(record) = self.open.front_mut() else { return };
        record.outcome = Some("success");
        let changed = ending.affected.filter(|_| payload.first() == Some(&0));
        record.affected = match (record.affected, changed) {
            (Some(before), Some(now)) => Some(before.saturating_add(now)),
            (before, now) => now.or(before),
        };
        if ending.more {
            // The next result begins with whatever number comes next.
            self.reply = Reply::First { within: true };
        } else {
            self.done(out);
        }
    }

    fn done(&mut self, out: &mut dyn Output) {
        self.reply = Reply::default();
        if let Some(record) = self.open.pop_front() {
            out.event(record.into_body());
        }
    }

    /// Remembers the statement that was just prepared.
    fn remember(&mut self, out: &mut dyn Output, id: u32) {
        let Some(record) = self.open.front() else { return };
        let known = MysqlCommand {
            statement: record.statement.clone(),
            statement_bytes: record.statement_bytes,
            password_seen: record.password_seen,
            ..MysqlCommand::default()
        };
        if self.statements.len() >= MAX_STATEMENTS {
            out.anomaly("mysql.statement_limit");
            self.statements.pop_front();
        }
        self.statements.push_back((id, known));
    }
}

fn set_statement(record: &mut MysqlCommand, bytes: &[u8], length: usize) {
    let statement = sql::statement(bytes, b"'\"\\");
    record.statement = Some(statement.text);
    record.password_seen = statement.secret.then_some(true);
    record.statement_bytes = Some(length as u64);
}

fn set_error(record: &mut MysqlCommand, r: Reader<'_>) {
    record.outcome = Some("failure");
    if let Some(error) = packet::error(r) {
        record.error_code = Some(text::text(error.code.as_bytes(), 8));
        record.sql_state = error.state;
        record.error_message = error.message;
    }
}
