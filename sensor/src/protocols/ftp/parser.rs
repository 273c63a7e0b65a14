//! Follows the control connection: commands, their replies, and what they say of data connections.

use std::collections::VecDeque;
use std::net::IpAddr;

use luytre_events::Transport;

use super::super::tls;
use super::address;
use super::data::{DataParser, Shared, Transfer};
use super::line::{Line, Lines};
use super::record::FtpExchange;
use crate::protocols::{Direction, End, Expected, Output, Parser, Progress, buffer, text};

/// Commands that may wait for a reply.
const MAX_OUTSTANDING: usize = 32;
/// Bytes of an argument that are told.
const MAX_ARGUMENT_BYTES: usize = 1024;
/// Lines of the replies to one command that are told.
const MAX_REPLY_LINES: usize = 32;
/// Bytes of such a line.
const MAX_REPLY_LINE_BYTES: usize = 512;
/// Codes of the replies to one command that are told.
const MAX_CODES: usize = 16;
/// Letters of a command; the longest that are known have four, some clients make up longer ones.
const MAX_COMMAND_BYTES: usize = 12;

/// The parser of one flow.
#[derive(Default)]
pub struct FtpParser {
    client: Lines,
    server: Lines,
    outstanding: VecDeque<Exchange>,
    /// The reply that is being read.
    reply: Reply,
    /// A reply was seen.
    greeted: bool,
    user_name: Option<String>,
    /// What the next data connection will carry.
    transfer: Shared,
    /// What follows after AUTH TLS.
    inner: Option<Box<dyn Parser>>,
}

/// Numbers of the ways of opening a data connection, as rules name them.
const ACTIVE: u64 = 1;
const PASSIVE: u64 = 0;

/// A command that waits for its last reply.
#[derive(Default)]
struct Exchange {
    record: FtpExchange,
    /// The argument as it was sent, for what is done with it.
    argument: String,
}

/// Lines of replies that belong together.
#[derive(Default)]
struct Reply {
    /// Code of a reply of several lines, until its last line.
    open: Option<u16>,
    codes: Vec<u16>,
    lines: Vec<String>,
    left_out: u64,
    cut: bool,
}

impl Parser for FtpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        while !bytes.is_empty() {
            if let Some(inner) = &mut self.inner {
                return inner.data(out, direction, bytes);
            }
            let lines = match direction {
                Direction::ToServer => &mut self.client,
                Direction::ToClient => &mut self.server,
            };
            let (line, rest) = lines.next(bytes);
            bytes = rest;
            if let Some(line) = line {
                self.line(out, direction, &line);
            }
        }
        Progress::Continue
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(inner) = &mut self.inner {
            return inner.gap(out, direction, length);
        }
        match direction {
            Direction::ToServer => self.client.gap(),
            Direction::ToClient => self.server.gap(),
        }
        // Which reply belongs to which command is not known any more.
        self.give_up_waiting(out);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if let Some(inner) = &mut self.inner {
            inner.finish(out);
            return;
        }
        for direction in [Direction::ToServer, Direction::ToClient] {
            let lines = if direction == Direction::ToServer { &mut self.client } else { &mut self.server };
            if let Some(line) = lines.take().filter(|line| !line.bytes.is_empty()) {
                self.line(out, direction, &line);
            }
        }
        self.give_up_waiting(out);
    }
}

impl FtpParser {
    fn line(&mut self, out: &mut dyn Output, direction: Direction, line: &Line) {
        if line.cut {
            out.anomaly(match direction {
                Direction::ToServer => "ftp.line_too_long",
                Direction::ToClient => "ftp.reply_too_long",
            });
        }
        match direction {
            Direction::ToServer => self.command(out, line),
            Direction::ToClient => self.reply(out, line),
        }
    }

    fn command(&mut self, out: &mut dyn Output, line: &Line) {
        let bytes = without_telnet(&line.bytes);
        let end = bytes.iter().position(|&b| b == b' ').unwrap_or(bytes.len());
        let (word, argument) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        if word.is_empty() {
            return;
        }
        out.inspect(Direction::ToServer, buffer::FTP_COMMAND, word);
        if let Some(argument) = argument.strip_prefix(b" ") {
            out.inspect(Direction::ToServer, buffer::FTP_COMMAND_DATA, argument);
        }
        inspect_called(out, word, argument);
        out.transaction(Direction::ToServer);
        let command = text::text(word, MAX_COMMAND_BYTES).to_ascii_uppercase();
        let argument = argument.strip_prefix(b" ").unwrap_or(argument);
        let secret = matches!(command.as_str(), "PASS" | "ACCT");
        let told = (!secret && !argument.is_empty()).then(|| text::text(argument, MAX_ARGUMENT_BYTES));
        let argument = if secret { String::new() } else { String::from_utf8_lossy(argument).trim().to_owned() };
        if command == "USER" {
            self.user_name = Some(text::text(argument.as_bytes(), MAX_ARGUMENT_BYTES)).filter(|name| !name.is_empty());
        }
        let mut record = FtpExchange {
            password_seen: (command == "PASS" && bytes.len() > end + 1).then_some(true),
            command: Some(command),
            argument: told,
            user_name: self.user_name.clone(),
            cut: line.cut.then_some(true),
            ..FtpExchange::default()
        };
        self.prepare(out, &mut record, &argument);
        if self.outstanding.len() >= MAX_OUTSTANDING {
            out.anomaly("ftp.outstanding_limit");
            if let Some(oldest) = self.outstanding.pop_front() {
                tell(out, oldest.record, Reply::default());
            }
        }
        self.outstanding.push_back(Exchange { record, argument });
    }

    /// What a command says of the data connection before it is answered.
    fn prepare(&mut self, out: &mut dyn Output, record: &mut FtpExchange, argument: &str) {
        let command = record.command.as_deref().unwrap_or("");
        let (client, _) = out.ends();
        match command {
            "PORT" | "EPRT" | "LPRT" => {
                record.data_mode = Some("active");
                let at = if command == "PORT" { address::six_numbers(argument) } else { address::extended(argument) };
                (record.data_ip, record.data_port) = at.unzip();
                match at {
                    // The client has the server call somebody else (RFC 2577).
                    Some((ip, _)) if ip != client.0 => out.anomaly("ftp.bounce"),
                    Some(at) => self.expect(out, at, "active"),
                    None => {}
                }
            }
            "PASV" | "EPSV" => record.data_mode = Some("passive"),
            "REST" => self.with_transfer(|transfer| transfer.offset_bytes = argument.parse().unwrap_or(0)),
            "RETR" | "STOR" | "STOU" | "APPE" | "LIST" | "NLST" | "MLSD" => {
                let listing = matches!(command, "LIST" | "NLST" | "MLSD");
                let path =
                    (!listing && !argument.is_empty()).then(|| text::text(argument.as_bytes(), MAX_ARGUMENT_BYTES));
                let (command, user_name) = (command.to_owned(), self.user_name.clone());
                self.with_transfer(|transfer| {
                    (transfer.command, transfer.path, transfer.user_name) = (Some(command), path, user_name);
                });
            }
            _ => {}
        }
    }

    /// Announces a data connection. What is known of its transfer fills up as the commands come.
    fn expect(&mut self, out: &mut dyn Output, server: End, mode: &'static str) {
        let offset_bytes = self.transfer.lock().map(|transfer| transfer.offset_bytes).unwrap_or_default();
        self.transfer = Shared::default();
        self.with_transfer(|transfer| transfer.offset_bytes = offset_bytes);
        let parser = Box::new(DataParser::new(self.transfer.clone(), mode));
        out.expect(Expected { server, transport: Transport::TCP, protocol: "ftp-data", parser });
    }

    fn with_transfer(&self, change: impl FnOnce(&mut Transfer)) {
        if let Ok(mut transfer) = self.transfer.lock() {
            change(&mut transfer);
        }
    }

    fn reply(&mut self, out: &mut dyn Output, line: &Line) {
        let parts = code(&line.bytes);
        let (number, last, words) = match (self.reply.open, parts) {
            (Some(open), Some((number, true, words))) if number == open => (Some(number), true, words),
            (Some(_), Some((_, _, words))) if line.bytes.get(3) == Some(&b'-') => (None, false, words),
            (Some(_), _) => (None, false, line.bytes.as_slice()),
            (None, Some((number, last, words))) => (Some(number), last, words),
            // No code where one must stand.
            (None, None) => {
                out.anomaly("ftp.reply_without_code");
                (None, true, line.bytes.as_slice())
            }
        };
        self.reply.push(words, line.cut);
        out.inspect(Direction::ToClient, buffer::FTP_REPLY, line.bytes.trim_ascii_end());
        if let Some(code) = line.bytes.get(..3).filter(|_| number.is_some()) {
            out.inspect(Direction::ToClient, buffer::FTP_COMPLETION_CODE, code);
        }
        if last {
            out.inspect_number(Direction::ToClient, buffer::FTP_REPLY_RECEIVED, 1);
            inspect_waiting(out, number, words);
            out.transaction(Direction::ToClient);
        }
        if !last {
            self.reply.open = self.reply.open.or(number);
            return;
        }
        self.reply.open = None;
        if self.reply.codes.len() < MAX_CODES {
            self.reply.codes.extend(number);
        }
        self.answered(out, number, words);
    }

    /// A reply is whole: ends the command that it answers, unless it only says that it began (RFC 959 section 4.2.1).
    fn answered(&mut self, out: &mut dyn Output, number: Option<u16>, words: &[u8]) {
        // The greeting may be late, but no command is answered by it.
        let first = !std::mem::replace(&mut self.greeted, true);
        let greeting = self.outstanding.is_empty() || (first && number == Some(220));
        let words = String::from_utf8_lossy(words);
        if greeting {
            let record = FtpExchange { user_name: self.user_name.clone(), ..FtpExchange::default() };
            tell(out, record, std::mem::take(&mut self.reply));
            return;
        }
        if let Some(100..=199) = number {
            self.with_transfer(|transfer| transfer.size_bytes = promised(&words));
            return;
        }
        let Some(mut exchange) = self.outstanding.pop_front() else { return };
        let command = exchange.record.command.clone().unwrap_or_default();
        match (command.as_str(), number.unwrap_or(0)) {
            ("PASV", 227) => self.passive(out, &mut exchange.record, address::six_numbers(&words)),
            ("EPSV", 229) => {
                let port = address::extended_port(&words);
                let (_, server) = out.ends();
                self.passive(out, &mut exchange.record, port.map(|port| (server.0, port)));
                exchange.record.data_ip = None;
            }
            ("AUTH", 234) if is_tls(&exchange.argument) => self.inner = Some((tls::PROTOCOL.parser)(Transport::TCP)),
            ("RETR" | "STOR" | "STOU" | "APPE", 400..=599) => self.with_transfer(|transfer| transfer.failed = true),
            ("RETR" | "STOR" | "STOU" | "APPE", 200..=299) => {
                self.transfer_over();
            }
            ("REIN", 220) => self.user_name = None,
            _ => {}
        }
        tell(out, exchange.record, std::mem::take(&mut self.reply));
    }

    /// The transfer is over; what comes next has its own place. The data connection keeps what it knows.
    fn transfer_over(&mut self) {
        self.transfer = Shared::default();
    }

    /// The server waits for a call. Clients call it where they have reached it already, whatever address it names: it
    /// may not know the one under which it is seen.
    fn passive(&mut self, out: &mut dyn Output, record: &mut FtpExchange, at: Option<(IpAddr, u16)>) {
        (record.data_ip, record.data_port) = at.unzip();
        let (_, server) = out.ends();
        if let Some((_, port)) = at {
            self.expect(out, (server.0, port), "passive");
        }
    }

    fn give_up_waiting(&mut self, out: &mut dyn Output) {
        let mut reply = std::mem::take(&mut self.reply);
        for exchange in std::mem::take(&mut self.outstanding) {
            tell(out, exchange.record, std::mem::take(&mut reply));
        }
        if !reply.lines.is_empty() {
            tell(out, FtpExchange { user_name: self.user_name.clone(), ..FtpExchange::default() }, reply);
        }
    }
}

/// For signatures: the client waits for a call, and where.
fn inspect_called(out: &mut dyn Output, word: &[u8], argument: &[u8]) {
    if !out.inspects() {
        return;
    }
    let argument = String::from_utf8_lossy(argument);
    let at = match word.to_ascii_uppercase().as_slice() {
        b"PORT" => address::six_numbers(argument.trim()),
        b"EPRT" | b"LPRT" => address::extended(argument.trim()),
        _ => return,
    };
    out.inspect_number(Direction::ToServer, buffer::FTP_MODE, ACTIVE);
    if let Some((_, port)) = at {
        out.inspect_number(Direction::ToServer, buffer::FTP_DYNAMIC_PORT, port.into());
    }
}

/// For signatures: the server waits for a call, and where.
fn inspect_waiting(out: &mut dyn Output, number: Option<u16>, words: &[u8]) {
    if !out.inspects() || !matches!(number, Some(227 | 229)) {
        return;
    }
    let words = String::from_utf8_lossy(words);
    let port = match number {
        Some(227) => address::six_numbers(&words).map(|(_, port)| port),
        _ => address::extended_port(&words),
    };
    out.inspect_number(Direction::ToClient, buffer::FTP_MODE, PASSIVE);
    if let Some(port) = port {
        out.inspect_number(Direction::ToClient, buffer::FTP_DYNAMIC_PORT, port.into());
    }
}

impl Reply {
    fn push(&mut self, words: &[u8], cut: bool) {
        self.cut |= cut;
        if self.lines.len() < MAX_REPLY_LINES {
            self.lines.push(text::text(words, MAX_REPLY_LINE_BYTES));
        } else {
            self.left_out += 1;
        }
    }
}

fn tell(out: &mut dyn Output, mut record: FtpExchange, reply: Reply) {
    record.reply_codes = reply.codes;
    record.reply_lines = reply.lines;
    record.reply_lines_left_out = Some(reply.left_out).filter(|count| *count > 0);
    record.cut = record.cut.or(reply.cut.then_some(true));
    out.event(record.into_body());
}

/// The code of a reply's line, whether it is the last line, and the words behind it (RFC 959 section 4.2).
fn code(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let number = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    match rest.split_first() {
        None => Some((number, true, rest)),
        Some((b' ', words)) => Some((number, true, words)),
        Some((b'-', words)) => Some((number, false, words)),
        Some(_) => None,
    }
}

/// Commands of Telnet, which stand before ABOR (RFC 959 section 4.1.3), are left out.
fn without_telnet(mut bytes: &[u8]) -> &[u8] {
    while let [0xff, 0xf0..=0xfa, rest @ ..] | [0xff, 0xfb..=0xfe, _, rest @ ..] | [0xf2, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Mechanisms of AUTH that mean TLS (RFC 4217 section 4 and what came before it).
fn is_tls(argument: &str) -> bool {
    ["TLS", "TLS-C", "TLS-P", "SSL"].iter().any(|name| argument.eq_ignore_ascii_case(name))
}

/// The size in `Opening BINARY mode data connection for x (123 bytes).`, as most servers write it.
fn promised(words: &str) -> Option<u64> {
    let before = words.rsplit_once(" bytes)")?.0;
    before.rsplit_once('(')?.1.parse().ok()
}
