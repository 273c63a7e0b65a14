//! Follows one session: commands and their replies, messages between them.

use std::collections::VecDeque;

use super::super::internet_message::lines::{Dotted, Lines};
use super::super::internet_message::login::Login;
use super::super::internet_message::{Message, Summary};
use super::super::tls;
use super::PROTOCOL;
use super::inspection::{self, Inspected};
use super::record::SmtpTransaction;
use crate::protocols::{Direction, Output, Parser, Progress, text};
use luytre_events::Transport;

/// Commands that may wait for their replies.
const MAX_WAITING: usize = 64;
/// Recipients told of a transaction.
const MAX_RECIPIENTS: usize = 128;
/// Bytes kept of an address or a name (RFC 5321 section 4.5.3.1 allows 256 and 255).
const MAX_NAME_BYTES: usize = 320;
/// Bytes kept of a reply.
const MAX_REPLY_BYTES: usize = 512;

/// The parser of one session.
#[derive(Default)]
pub struct SmtpParser {
    client: Lines,
    server: Lines,
    mode: Mode,
    waiting: VecDeque<Command>,
    /// What the session has told so far; each transaction takes a copy.
    session: SmtpTransaction,
    transaction: Option<SmtpTransaction>,
    message: Option<Message>,
    login: Option<Login>,
    body: Vec<u8>,
    /// First line of a reply that goes on.
    reply: Option<(u16, String)>,
    greeted: bool,
    tls: Option<Box<dyn Parser>>,
    told: u64,
    over: bool,
    inspected: Inspected,
}

/// What the client's bytes are.
#[derive(Default)]
enum Mode {
    #[default]
    Commands,
    /// A message that ends with a dot.
    Dotted(Dotted),
    /// A piece of a message of this many bytes; whether it is the last (RFC 3030).
    Chunk(u64, bool),
    /// An answer of a log-in.
    Answer,
    /// Bytes are missing: lines are passed over until one is a command.
    Lost,
}

/// A command that waits for its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Command {
    Recipient(String),
    Data,
    /// The dot that ends a message, or its last chunk; how many transactions were told before.
    End(u64),
    Tls,
    Login,
    Other,
}

impl Parser for SmtpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        if self.tls.is_none() {
            self.inspected.stream(out, direction, bytes);
        }
        while !bytes.is_empty() && !self.over {
            if let Some(tls) = &mut self.tls {
                return tls.data(out, direction, bytes);
            }
            bytes = match direction {
                Direction::ToServer => self.client_step(out, bytes),
                Direction::ToClient => {
                    let Some((line, rest)) = self.server.next(bytes) else { break };
                    self.server_line(out, &line);
                    rest
                }
            };
        }
        if self.over { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(tls) = &mut self.tls {
            return tls.gap(out, direction, length);
        }
        out.anomaly("smtp.gap");
        match direction {
            Direction::ToServer => {
                self.client.clear();
                match &mut self.mode {
                    Mode::Chunk(left, last) if *left >= length => {
                        let (left, last) = (left.saturating_sub(length), *last);
                        self.cut_message(out);
                        self.mode = if left == 0 { Mode::Commands } else { Mode::Chunk(left, last) };
                    }
                    Mode::Dotted(_) => {
                        self.cut_message(out);
                        self.mode = Mode::Dotted(Dotted::default());
                    }
                    _ => self.mode = Mode::Lost,
                }
            }
            Direction::ToClient => {
                // Which replies are missing cannot be known.
                self.server.clear();
                self.waiting.clear();
                self.reply = None;
            }
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.inspected.finish(out);
        self.cut_message(out);
        self.tell(out);
        let begun = self.session.helo.is_some() || self.session.banner.is_some();
        if self.told == 0 && begun {
            self.transaction = Some(SmtpTransaction::default());
            self.tell(out);
        }
        if let Some(mut tls) = self.tls.take() {
            tls.finish(out);
        }
    }
}

/// The client's side.
impl SmtpParser {
    fn client_step<'a>(&mut self, out: &mut dyn Output, bytes: &'a [u8]) -> &'a [u8] {
        match &mut self.mode {
            Mode::Dotted(dotted) => {
                self.body.clear();
                let rest = dotted.take(bytes, &mut self.body);
                self.inspected.data(out, &self.body);
                if let Some(message) = &mut self.message {
                    message.data(out, &self.body);
                }
                let Some(rest) = rest else { return &[] };
                self.end_message(out);
                rest
            }
            Mode::Chunk(left, last) => {
                let wanted = usize::try_from(*left).unwrap_or(usize::MAX);
                let (part, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
                *left -= part.len() as u64;
                let (over, last) = (*left == 0, *last);
                self.inspected.data(out, part);
                if let Some(message) = &mut self.message {
                    message.data(out, part);
                }
                if over {
                    self.chunk_over(out, last);
                }
                rest
            }
            Mode::Commands | Mode::Answer | Mode::Lost => {
                let Some((line, rest)) = self.client.next(bytes) else { return &[] };
                inspection::command_line(out, &line);
                if std::mem::take(&mut self.client.cut) {
                    out.anomaly("smtp.long_line");
                }
                if matches!(self.mode, Mode::Answer) {
                    self.mode = Mode::Commands;
                    if let Some(login) = &mut self.login {
                        login.answer(&line);
                    }
                    self.wait(out, Command::Login);
                } else {
                    self.command(out, &line);
                }
                rest
            }
        }
    }

    fn command(&mut self, out: &mut dyn Output, line: &[u8]) {
        let end = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let (verb, argument) = line.split_at_checked(end).unwrap_or((line, &[]));
        let verb = verb.to_ascii_uppercase();
        let argument = argument.trim_ascii();
        let known = [
            &b"HELO"[..],
            b"EHLO",
            b"LHLO",
            b"MAIL",
            b"RCPT",
            b"DATA",
            b"BDAT",
            b"RSET",
            b"QUIT",
            b"NOOP",
            b"VRFY",
            b"EXPN",
            b"HELP",
            b"AUTH",
            b"STARTTLS",
            b"XCLIENT",
            b"ETRN",
            b"SEND",
            b"TURN",
        ];
        let is_known = known.contains(&verb.as_slice());
        if matches!(self.mode, Mode::Lost) && !is_known {
            return;
        }
        self.mode = Mode::Commands;
        if !is_known {
            out.anomaly("smtp.unknown_command");
        }
        match verb.as_slice() {
            b"HELO" | b"EHLO" | b"LHLO" => {
                self.inspected.helo(argument);
                if self.session.helo.is_some() {
                    out.anomaly("smtp.repeated_command");
                }
                self.session.helo = Some(text::text(argument, MAX_NAME_BYTES));
                self.wait(out, Command::Other);
            }
            b"MAIL" => {
                // Nothing has come of the one before, not even a recipient.
                if self.transaction.as_ref().is_some_and(|t| t.mail_from.is_some() && t.rcpt_to.is_empty()) {
                    out.anomaly("smtp.repeated_command");
                }
                self.tell(out);
                let from = path(argument);
                self.inspected.sender(out, argument);
                // The replies to what came before say nothing of this transaction.
                (self.session.status_code, self.session.reply) = (None, None);
                self.transaction = Some(SmtpTransaction { mail_from: from, ..SmtpTransaction::default() });
                self.wait(out, Command::Other);
            }
            b"RCPT" => {
                let recipient = path(argument).unwrap_or_default();
                inspection::recipient(out, argument);
                let transaction = self.transaction.get_or_insert_default();
                if transaction.rcpt_to.len() < MAX_RECIPIENTS {
                    transaction.rcpt_to.push(recipient.clone());
                } else {
                    out.anomaly("smtp.too_many_recipients");
                }
                self.wait(out, Command::Recipient(recipient));
            }
            b"DATA" => {
                self.wait(out, Command::Data);
                self.message = Some(Message::new(PROTOCOL.name, Direction::ToServer));
                self.mode = Mode::Dotted(Dotted::default());
            }
            b"BDAT" => self.chunk(out, argument),
            b"RSET" => {
                self.cut_message(out);
                self.tell(out);
                self.wait(out, Command::Other);
            }
            b"STARTTLS" => self.wait(out, Command::Tls),
            b"AUTH" => {
                self.login = Some(Login::new(argument));
                self.wait(out, Command::Login);
            }
            _ => self.wait(out, Command::Other),
        }
    }

    fn chunk(&mut self, out: &mut dyn Output, argument: &[u8]) {
        let mut words = argument.split(|b| *b == b' ').filter(|word| !word.is_empty());
        let size = words.next().and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
        let last = words.next().is_some_and(|word| word.eq_ignore_ascii_case(b"LAST"));
        let Some(size) = size else {
            out.anomaly("smtp.chunk_size");
            self.wait(out, Command::Other);
            return;
        };
        self.message.get_or_insert_with(|| Message::new(PROTOCOL.name, Direction::ToServer));
        if size == 0 {
            self.chunk_over(out, last);
        } else {
            self.mode = Mode::Chunk(size, last);
        }
    }

    fn chunk_over(&mut self, out: &mut dyn Output, last: bool) {
        self.mode = Mode::Commands;
        if last { self.end_message(out) } else { self.wait(out, Command::Other) }
    }

    fn end_message(&mut self, out: &mut dyn Output) {
        self.mode = Mode::Commands;
        let summary = self.message.take().map(|message| message.end(out, true)).unwrap_or_default();
        self.describe(&summary);
        self.inspected.end(out);
        self.wait(out, Command::End(self.told));
    }

    /// The message ends where it is.
    fn cut_message(&mut self, out: &mut dyn Output) {
        if let Some(message) = self.message.take() {
            let summary = message.end(out, false);
            self.describe(&summary);
            self.inspected.end(out);
        }
    }

    fn describe(&mut self, summary: &Summary) {
        if summary.bytes > 0 {
            let transaction = self.transaction.get_or_insert_default();
            transaction.message_id.clone_from(&summary.message_id);
            transaction.subject.clone_from(&summary.subject);
            transaction.bytes = Some(summary.bytes);
        }
    }

    fn wait(&mut self, out: &mut dyn Output, command: Command) {
        if self.waiting.len() >= MAX_WAITING {
            out.anomaly("smtp.too_many_waiting");
            self.waiting.pop_front();
        }
        self.waiting.push_back(command);
    }
}

/// The server's side.
impl SmtpParser {
    fn server_line(&mut self, out: &mut dyn Output, line: &[u8]) {
        inspection::response_line(out, line);
        let code = line.get(..3).and_then(|code| std::str::from_utf8(code).ok()?.parse::<u16>().ok());
        let Some(code) = code else {
            out.anomaly("smtp.reply");
            return;
        };
        if !is_reply(code) {
            out.anomaly("smtp.reply");
        }
        let words = text::text(line.get(4..).unwrap_or(&[]).trim_ascii(), MAX_REPLY_BYTES);
        let first = self.reply.take().unwrap_or((code, words));
        if line.get(3) == Some(&b'-') {
            self.reply = Some(first);
            return;
        }
        self.reply(out, first.0, first.1);
    }

    /// A whole reply.
    fn reply(&mut self, out: &mut dyn Output, code: u16, words: String) {
        if !self.greeted && (self.waiting.is_empty() || matches!(code, 220 | 554)) {
            self.greeted = true;
            self.session.banner = Some(words.clone());
            (self.session.status_code, self.session.reply) = (Some(code), Some(words));
            return;
        }
        if !self.greeted {
            out.anomaly("smtp.no_greeting");
        }
        self.greeted = true;
        let command = self.waiting.pop_front();
        let good = (200..400).contains(&code);
        (self.session.status_code, self.session.reply) = (Some(code), Some(words.clone()));
        match command {
            Some(Command::Recipient(recipient)) if !good => {
                let transaction = self.transaction.get_or_insert_default();
                if transaction.rejected.len() < MAX_RECIPIENTS {
                    transaction.rejected.push(recipient);
                }
            }
            // What follows is no message.
            Some(Command::Data) if !good && matches!(self.mode, Mode::Dotted(_)) => {
                out.anomaly("smtp.data_refused");
                self.message = None;
                self.mode = Mode::Commands;
            }
            // The client may have gone on to the next one.
            Some(Command::End(told)) if told == self.told => {
                let transaction = self.transaction.get_or_insert_default();
                (transaction.status_code, transaction.reply) = (Some(code), Some(words));
                self.tell(out);
            }
            Some(Command::Tls) if code == 220 => {
                self.session.starttls = Some(true);
                self.tell(out);
                self.client.clear();
                self.tls = Some((tls::PROTOCOL.parser)(Transport::TCP));
            }
            Some(Command::Login) => match code {
                334 => self.mode = Mode::Answer,
                _ => self.logged_in(good),
            },
            _ => {}
        }
    }

    fn logged_in(&mut self, good: bool) {
        let Some(login) = self.login.take() else { return };
        self.session.auth_success = Some(good);
        self.note(login);
    }

    fn note(&mut self, login: Login) {
        self.session.auth_mechanism = Some(login.mechanism).filter(|name| !name.is_empty());
        self.session.user_name = login.user;
        self.session.password_seen = login.password.then_some(true);
    }

    /// Tells the transaction, if there is one.
    fn tell(&mut self, out: &mut dyn Output) {
        let Some(transaction) = self.transaction.take() else { return };
        if let Some(login) = self.login.take() {
            self.note(login);
        }
        self.told += 1;
        let session = self.session.clone();
        let record = SmtpTransaction {
            banner: session.banner,
            helo: session.helo,
            status_code: transaction.status_code.or(session.status_code),
            reply: transaction.reply.or(session.reply),
            auth_mechanism: session.auth_mechanism,
            auth_success: session.auth_success,
            user_name: session.user_name,
            password_seen: session.password_seen,
            starttls: session.starttls,
            depth: self.told,
            ..transaction
        };
        out.event(record.into_body());
    }
}

/// Whether a number is a reply's (RFC 5321 section 4.2.3, RFC 4954 section 6, RFC 7504, RFC 1870, RFC 2034).
fn is_reply(code: u16) -> bool {
    matches!(
        code,
        211 | 214 | 220 | 221 | 235 | 250..=252 | 334 | 354
            | 401 | 402 | 421 | 422 | 430..=435 | 441..=459 | 471
            | 500..=504 | 510..=515 | 521 | 523 | 525 | 530 | 533..=535 | 538 | 541 | 543 | 550..=556 | 571
    )
}

/// The address of `FROM:<a@b> PARAMETERS` without its brackets; nothing when there is no colon.
fn path(argument: &[u8]) -> Option<String> {
    let colon = argument.iter().position(|b| *b == b':')?;
    let rest = argument.get(colon + 1..)?.trim_ascii_start();
    let inner = match rest.strip_prefix(b"<") {
        Some(inner) => inner.split(|b| *b == b'>').next()?,
        None => rest.split(|b| *b == b' ').next()?,
    };
    Some(text::text(inner, MAX_NAME_BYTES))
}
