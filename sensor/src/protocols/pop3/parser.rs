//! Follows one session: commands, their answers, messages in them.

use std::collections::VecDeque;

use super::super::internet_message::Message;
use super::super::internet_message::lines::{Dotted, Lines};
use super::super::internet_message::login::Login;
use super::super::tls;
use super::PROTOCOL;
use super::record::Pop3Command;
use crate::protocols::{Direction, Output, Parser, Progress, text};
use luytre_events::Transport;

/// Commands that may wait for their answers.
const MAX_WAITING: usize = 64;
/// Bytes kept of a value.
const MAX_VALUE_BYTES: usize = 512;
/// Lines told of an answer.
const MAX_LINES: usize = 64;
/// Bytes of a user's name or an argument.
const MAX_ARGUMENT_BYTES: usize = 256;

/// The parser of one session.
#[derive(Default)]
pub struct Pop3Parser {
    client: Lines,
    server: Lines,
    waiting: VecDeque<Waiting>,
    user: Option<String>,
    login: Option<Login>,
    /// The next line of the client answers a log-in.
    answering: bool,
    greeted: bool,
    /// The answer that goes on until a dot.
    body: Option<Body>,
    tls: Option<Box<dyn Parser>>,
}

struct Waiting {
    record: Pop3Command,
    /// What a granted answer is followed by.
    follows: Follows,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Nothing,
    Lines,
    Message,
    Tls,
    Login,
}

struct Body {
    record: Pop3Command,
    dotted: Dotted,
    message: Option<Message>,
    lines: Lines,
}

impl Parser for Pop3Parser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        while !bytes.is_empty() {
            if let Some(tls) = &mut self.tls {
                return tls.data(out, direction, bytes);
            }
            if direction == Direction::ToClient && self.body.is_some() {
                bytes = self.body(out, bytes);
                continue;
            }
            let lines = match direction {
                Direction::ToServer => &mut self.client,
                Direction::ToClient => &mut self.server,
            };
            let Some((line, rest)) = lines.next(bytes) else { break };
            bytes = rest;
            if std::mem::take(&mut lines.cut) {
                out.anomaly("pop3.long_line");
            }
            match direction {
                Direction::ToServer => self.command(out, &line),
                Direction::ToClient => self.answer(out, &line),
            }
        }
        Progress::Continue
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(tls) = &mut self.tls {
            return tls.gap(out, direction, length);
        }
        out.anomaly("pop3.gap");
        match direction {
            Direction::ToServer => self.client.clear(),
            Direction::ToClient => {
                // The body goes on behind the gap until its dot, but is not what was sent.
                self.server.clear();
                if let Some(body) = &mut self.body {
                    if let Some(message) = body.message.take() {
                        message.end(out, false);
                    }
                    body.dotted = Dotted::default();
                }
            }
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if let Some(body) = self.body.take() {
            tell_body(out, body, false);
        }
        while let Some(waiting) = self.waiting.pop_front() {
            out.event(waiting.record.into_body());
        }
        if let Some(mut tls) = self.tls.take() {
            tls.finish(out);
        }
    }
}

impl Pop3Parser {
    fn command(&mut self, out: &mut dyn Output, line: &[u8]) {
        if std::mem::take(&mut self.answering) {
            if let Some(login) = &mut self.login {
                login.answer(line);
            }
            return;
        }
        let end = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let (verb, argument) = line.split_at_checked(end).unwrap_or((line, &[]));
        let (command, argument) = (text::text(verb, 32).to_ascii_uppercase(), argument.trim_ascii());
        let shown = |bytes: &[u8]| Some(text::text(bytes, MAX_ARGUMENT_BYTES)).filter(|shown| !shown.is_empty());
        let mut record = Pop3Command { arguments: shown(argument), ..Pop3Command::default() };
        let alone = argument.is_empty();
        let mut follows = Follows::Nothing;
        match command.as_str() {
            "USER" => self.user = shown(argument),
            "PASS" => (record.arguments, record.password_seen) = (None, (!alone).then_some(true)),
            "APOP" => {
                let user = argument.split(|b| *b == b' ').next().unwrap_or(&[]);
                (self.user, record.arguments) = (shown(user), shown(user));
                record.auth_mechanism = Some(command.clone());
            }
            "AUTH" if alone => follows = Follows::Lines,
            "AUTH" => {
                let login = Login::new(argument);
                record.arguments = Some(login.mechanism.clone());
                (self.login, follows) = (Some(login), Follows::Login);
            }
            "CAPA" => follows = Follows::Lines,
            "LIST" | "UIDL" if alone => follows = Follows::Lines,
            "RETR" | "TOP" => follows = Follows::Message,
            "STLS" => follows = Follows::Tls,
            "STAT" | "LIST" | "UIDL" | "DELE" | "NOOP" | "RSET" | "QUIT" | "UTF8" | "LANG" => {}
            // What nobody knows may be an answer of a log-in that was not followed: it is not kept.
            _ => {
                out.anomaly("pop3.unknown_command");
                record.arguments = None;
                record.command = Some("unknown".to_owned());
            }
        }
        record.command.get_or_insert(command);
        record.user_name.clone_from(&self.user);
        if self.waiting.len() >= MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            out.anomaly("pop3.too_many_waiting");
            out.event(oldest.record.into_body());
        }
        self.waiting.push_back(Waiting { record, follows });
    }

    fn answer(&mut self, out: &mut dyn Output, line: &[u8]) {
        let (success, words) = match (line.strip_prefix(b"+OK"), line.strip_prefix(b"-ERR")) {
            (Some(words), _) => (true, words),
            (_, Some(words)) => (false, words),
            _ if line.starts_with(b"+") && self.login.is_some() => {
                self.answering = true;
                return;
            }
            _ => {
                out.anomaly("pop3.answer");
                return;
            }
        };
        let reply = Some(text::text(words.trim_ascii(), MAX_VALUE_BYTES)).filter(|words| !words.is_empty());
        if !std::mem::replace(&mut self.greeted, true) && self.waiting.is_empty() {
            out.event(Pop3Command { success: Some(success), reply, ..Pop3Command::default() }.into_body());
            return;
        }
        let Some(Waiting { mut record, follows }) = self.waiting.pop_front() else {
            out.anomaly("pop3.answer");
            return;
        };
        (record.success, record.reply) = (Some(success), reply);
        match follows {
            Follows::Lines | Follows::Message if success => {
                let message = (follows == Follows::Message).then(|| Message::new(PROTOCOL.name, Direction::ToClient));
                self.body = Some(Body { record, dotted: Dotted::default(), message, lines: Lines::default() });
                return;
            }
            Follows::Tls if success => {
                self.client.clear();
                self.tls = Some((tls::PROTOCOL.parser)(Transport::TCP));
            }
            Follows::Login => {
                if let Some(login) = self.login.take() {
                    record.auth_mechanism = Some(login.mechanism);
                    record.password_seen = login.password.then_some(true);
                    self.user = login.user;
                    record.user_name.clone_from(&self.user);
                }
            }
            _ => {}
        }
        out.event(record.into_body());
    }

    /// What follows an answer, until its dot; gives what comes after that.
    fn body<'a>(&mut self, out: &mut dyn Output, bytes: &'a [u8]) -> &'a [u8] {
        let Some(body) = &mut self.body else { return bytes };
        let mut plain = Vec::new();
        let rest = body.dotted.take(bytes, &mut plain);
        if let Some(message) = &mut body.message {
            message.data(out, &plain);
        } else {
            let mut left = plain.as_slice();
            while let Some((line, after)) = body.lines.next(left) {
                left = after;
                if body.record.lines.len() < MAX_LINES {
                    body.record.lines.push(text::text(&line, MAX_ARGUMENT_BYTES));
                } else {
                    out.anomaly("pop3.too_many_lines");
                }
            }
        }
        match (rest, self.body.take()) {
            (Some(rest), Some(body)) => {
                tell_body(out, body, true);
                rest
            }
            (_, body) => {
                self.body = body;
                &[]
            }
        }
    }
}

fn tell_body(out: &mut dyn Output, body: Body, complete: bool) {
    let mut record = body.record;
    if let Some(message) = body.message {
        let summary = message.end(out, complete);
        record.bytes = (summary.bytes > 0).then_some(summary.bytes);
        (record.message_id, record.subject) = (summary.message_id, summary.subject);
    }
    out.event(record.into_body());
}
