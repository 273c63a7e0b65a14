//! Follows one session: commands by their tags, their answers, messages in literals.

use std::collections::VecDeque;

use super::super::internet_message::Message;
use super::super::internet_message::lines::Lines;
use super::super::internet_message::login::Login;
use super::super::tls;
use super::PROTOCOL;
use super::record::ImapCommand;
use crate::protocols::{Direction, Output, Parser, Progress, text};
use luytre_events::Transport;

/// Commands that may wait for their answers.
const MAX_WAITING: usize = 64;
/// Bytes kept of a value.
const MAX_VALUE_BYTES: usize = 512;
/// Bytes kept of a line with what its small literals hold.
const MAX_COMMAND_BYTES: usize = 8192;
/// Largest literal that is a word of a command (a user, a password, a mailbox) and not a message.
const MAX_WORD_BYTES: u64 = 1024;

/// The parser of one session.
#[derive(Default)]
pub struct ImapParser {
    client: Side,
    server: Side,
    waiting: VecDeque<ImapCommand>,
    user: Option<String>,
    mailbox: Option<String>,
    login: Option<Login>,
    greeted: bool,
    untagged: u64,
    messages: u64,
    tls: Option<Box<dyn Parser>>,
    over: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    lines: Lines,
    /// The line so far, literals in it as quoted strings.
    whole: Vec<u8>,
    /// Bytes of a literal that are still to come.
    left: u64,
    /// What that literal is.
    literal: Literal,
}

#[derive(Default)]
enum Literal {
    #[default]
    None,
    Word(Vec<u8>),
    Message(Box<Message>),
    Skipped,
}

impl Parser for ImapParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        while !bytes.is_empty() && !self.over {
            if let Some(tls) = &mut self.tls {
                return tls.data(out, direction, bytes);
            }
            let side = self.side(direction);
            if side.left > 0 {
                bytes = side.literal(out, bytes);
                continue;
            }
            let Some((line, rest)) = side.lines.next(bytes) else { break };
            bytes = rest;
            if std::mem::take(&mut side.lines.cut) {
                out.anomaly("imap.long_line");
            }
            self.line(out, direction, &line);
        }
        if self.over { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        if let Some(tls) = &mut self.tls {
            return tls.gap(out, direction, length);
        }
        out.anomaly("imap.gap");
        let side = self.side(direction);
        if let Literal::Message(message) = std::mem::take(&mut side.literal) {
            message.end(out, false);
        }
        side.literal = Literal::Skipped;
        side.left = side.left.saturating_sub(length);
        side.lines.clear();
        side.whole.clear();
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for side in [&mut self.client, &mut self.server] {
            if let Literal::Message(message) = std::mem::take(&mut side.literal) {
                message.end(out, false);
            }
        }
        while let Some(record) = self.waiting.pop_front() {
            out.event(record.into_body());
        }
        if let Some(mut tls) = self.tls.take() {
            tls.finish(out);
        }
    }
}

impl Side {
    /// More of a literal; gives what comes after it.
    fn literal<'a>(&mut self, out: &mut dyn Output, bytes: &'a [u8]) -> &'a [u8] {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
        let (part, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.left -= part.len() as u64;
        match &mut self.literal {
            Literal::Word(word) => word.extend_from_slice(part),
            Literal::Message(message) => message.data(out, part),
            Literal::None | Literal::Skipped => {}
        }
        if self.left == 0 {
            match std::mem::take(&mut self.literal) {
                // Many of them do not make the line longer than any other.
                Literal::Word(_) if self.whole.len() >= MAX_COMMAND_BYTES => out.anomaly("imap.long_line"),
                Literal::Word(word) => {
                    let escaped = word.iter().flat_map(|b| match b {
                        b'"' | b'\\' => vec![b'\\', *b],
                        other => vec![*other],
                    });
                    self.whole.push(b'"');
                    self.whole.extend(escaped);
                    self.whole.push(b'"');
                }
                Literal::Message(message) => {
                    message.end(out, true);
                }
                Literal::None | Literal::Skipped => {}
            }
        }
        rest
    }
}

impl ImapParser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }

    /// A line, or what of it stands before a literal.
    fn line(&mut self, out: &mut dyn Output, direction: Direction, line: &[u8]) {
        let side = self.side(direction);
        let room = MAX_COMMAND_BYTES.saturating_sub(side.whole.len());
        let literal = literal_bytes(line);
        let text = literal.map_or(line, |(_, before)| before);
        side.whole.extend_from_slice(text.get(..room).unwrap_or(text));
        if let Some((length, _)) = literal {
            let message = carries_message(&side.whole, direction);
            side.left = length;
            side.literal = match message {
                true => Literal::Message(Box::new(Message::new(PROTOCOL.name, direction))),
                false if length <= MAX_WORD_BYTES => Literal::Word(Vec::new()),
                false => Literal::Skipped,
            };
            self.messages += u64::from(message);
            return;
        }
        let whole = std::mem::take(&mut side.whole);
        match direction {
            Direction::ToServer => self.command(out, &whole),
            Direction::ToClient => self.answer(out, &whole),
        }
    }

    fn command(&mut self, out: &mut dyn Output, line: &[u8]) {
        if let Some(login) = &mut self.login {
            login.answer(line);
            return;
        }
        let mut words = words(line).into_iter();
        let (Some(tag), Some(first)) = (words.next(), words.next()) else {
            // The end of IDLE has no tag; neither has what follows the literal of a message.
            return;
        };
        let mut command = text::text(&first, 32).to_ascii_uppercase();
        if command == "UID"
            && let Some(next) = words.next()
        {
            command = format!("UID {}", text::text(&next, 32).to_ascii_uppercase());
        }
        let arguments: Vec<Vec<u8>> = words.collect();
        let shown = |word: &[u8]| text::text(word, MAX_VALUE_BYTES);
        let mut record = ImapCommand { tag: Some(text::text(&tag, 32)), ..ImapCommand::default() };
        let joined = text::text(arguments.join(&b' ').trim_ascii(), MAX_VALUE_BYTES);
        record.arguments = Some(joined).filter(|joined| !joined.is_empty());
        match command.as_str() {
            "LOGIN" => {
                self.user = arguments.first().map(|user| shown(user));
                record.arguments.clone_from(&self.user);
                record.password_seen = arguments.get(1).is_some_and(|password| !password.is_empty()).then_some(true);
            }
            "AUTHENTICATE" => {
                let login = Login::new(&arguments.join(&b' '));
                record.arguments = Some(login.mechanism.clone());
                self.login = Some(login);
            }
            "SELECT" | "EXAMINE" | "APPEND" | "STATUS" | "CREATE" | "DELETE" | "SUBSCRIBE" | "UNSUBSCRIBE"
            | "RENAME" => {
                record.mailbox = arguments.first().map(|name| shown(name));
            }
            _ => {}
        }
        record.user_name.clone_from(&self.user);
        record.command = Some(command);
        if self.waiting.len() >= MAX_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            out.anomaly("imap.too_many_waiting");
            out.event(oldest.into_body());
        }
        self.waiting.push_back(record);
    }

    fn answer(&mut self, out: &mut dyn Output, line: &[u8]) {
        let end = line.iter().position(|b| *b == b' ').unwrap_or(line.len());
        let (tag, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
        let rest = rest.trim_ascii_start();
        let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
        let (status, words) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let status = text::text(status, 16).to_ascii_uppercase();
        let reply = Some(text::text(words.trim_ascii(), MAX_VALUE_BYTES)).filter(|words| !words.is_empty());
        if tag == b"*" || tag == b"+" {
            let greeting = matches!(status.as_str(), "OK" | "PREAUTH" | "BYE");
            if !std::mem::replace(&mut self.greeted, true) && greeting && self.waiting.is_empty() {
                out.event(ImapCommand { status: Some(status), reply, ..ImapCommand::default() }.into_body());
            } else if tag == b"*" {
                self.untagged += 1;
            }
            return;
        }
        let tag = text::text(tag, 32);
        let Some(at) = self.waiting.iter().position(|record| record.tag.as_ref() == Some(&tag)) else {
            if !tag.is_empty() && matches!(status.as_str(), "OK" | "NO" | "BAD") {
                out.anomaly("imap.answer");
            }
            return;
        };
        let Some(mut record) = self.waiting.remove(at) else { return };
        self.granted(&mut record, &status);
        record.mailbox = record.mailbox.or_else(|| self.mailbox.clone());
        (record.status, record.reply) = (Some(status), reply);
        let count = |number: &mut u64| Some(std::mem::take(number)).filter(|number| *number > 0);
        (record.untagged_count, record.messages_count) = (count(&mut self.untagged), count(&mut self.messages));
        out.event(record.into_body());
    }

    /// What an answer changes in the session.
    fn granted(&mut self, record: &mut ImapCommand, status: &str) {
        let granted = status == "OK";
        match record.command.as_deref() {
            Some("AUTHENTICATE") => {
                if let Some(login) = self.login.take() {
                    record.auth_mechanism = Some(login.mechanism);
                    record.password_seen = login.password.then_some(true);
                    self.user = login.user;
                    record.user_name.clone_from(&self.user);
                }
            }
            // What is refused closes the one that was open (RFC 9051 section 6.3.2).
            Some("SELECT" | "EXAMINE") => self.mailbox = record.mailbox.clone().filter(|_| granted),
            Some("STARTTLS") if granted => {
                self.client.lines.clear();
                self.tls = Some((tls::PROTOCOL.parser)(Transport::TCP));
            }
            Some("COMPRESS") if granted => self.over = true,
            _ => {}
        }
    }
}

/// The length of the literal that a line ends with (`{12}`, `{12+}`, `~{12}`), and what stands before it.
fn literal_bytes(line: &[u8]) -> Option<(u64, &[u8])> {
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|b| *b == b'{')?;
    let (before, digits) = inner.split_at_checked(open)?;
    let digits = digits.get(1..)?;
    let digits = digits.strip_suffix(b"+").or_else(|| digits.strip_suffix(b"-")).unwrap_or(digits);
    let length = std::str::from_utf8(digits).ok()?.parse::<u64>().ok().filter(|length| *length > 0)?;
    Some((length, before.strip_suffix(b"~").unwrap_or(before)))
}

/// Whether the literal after this is a message, or the head of one.
fn carries_message(before: &[u8], direction: Direction) -> bool {
    let upper = before.to_ascii_uppercase();
    if direction == Direction::ToServer {
        return words(&upper).get(1).is_some_and(|command| command == b"APPEND");
    }
    let item = upper.trim_ascii_end();
    let last = item.iter().rposition(|b| matches!(b, b'(' | b')'));
    let fetched = upper.windows(6).any(|window| window == b"FETCH ");
    let named = [&b"BODY[]"[..], b"RFC822", b"RFC822.HEADER", b"BODY[HEADER]", b"BINARY[]"];
    let fields =
        last.is_some() && item.ends_with(b"]") && upper.windows(18).any(|window| window == b"BODY[HEADER.FIELDS");
    fetched && (named.iter().any(|name| item.ends_with(name)) || fields)
}

/// The words of a line; quoted ones without their quotes.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut word) = (Vec::new(), Vec::new());
    let (mut quoted, mut escaped, mut begun) = (false, false, false);
    for byte in line {
        match byte {
            _ if escaped => {
                escaped = false;
                word.push(*byte);
            }
            b'\\' if quoted => escaped = true,
            b'"' => (quoted, begun) = (!quoted, true),
            b' ' if !quoted => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            _ => {
                begun = true;
                word.push(*byte);
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_words() {
        assert_eq!(literal_bytes(b"a LOGIN {4}"), Some((4, &b"a LOGIN "[..])));
        assert_eq!(literal_bytes(b"a APPEND x ~{40+}"), Some((40, &b"a APPEND x "[..])));
        assert_eq!(literal_bytes(b"{x}"), None);
        assert_eq!(words(b"a1 LOGIN \"an \\\"b\" \"\" c"), [&b"a1"[..], b"LOGIN", b"an \"b", b"", b"c"]);
        assert!(carries_message(b"* 1 FETCH (UID 3 BODY[] ", Direction::ToClient));
        assert!(carries_message(b"* 1 FETCH (BODY[HEADER.FIELDS (FROM TO)] ", Direction::ToClient));
        assert!(!carries_message(b"* 1 FETCH (BODY[1] ", Direction::ToClient));
        assert!(carries_message(b"a APPEND INBOX ", Direction::ToServer));
    }
}
