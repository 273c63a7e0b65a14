//! The commands between the text (RFC 854, RFC 855) and what some options carry.

use crate::protocols::text;

/// Bytes of a suboption that are kept.
const MAX_SUBOPTION_BYTES: usize = 1024;
/// Values of a list that are told.
const MAX_VALUES: usize = 32;
/// Bytes of a value that are told.
const MAX_VALUE_BYTES: usize = 128;

const IAC: u8 = 0xff;
const SE: u8 = 0xf0;
const SB: u8 = 0xfa;

/// Something that one side sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text.
    Text(&'a [u8]),
    /// WILL, WONT, DO or DONT, and the option.
    Option(u8, u8),
    /// The content of a suboption: the option and what follows it.
    Suboption(Vec<u8>),
    /// A suboption too long to be kept.
    TooLong,
}

/// WILL: the sender wants to use the option, or agrees to.
pub const WILL: u8 = 0xfb;

/// Takes one direction apart.
#[derive(Debug, Default)]
pub struct Tokens {
    state: State,
    suboption: Vec<u8>,
    too_long: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Text,
    Command,
    Verb(u8),
    Suboption,
    SuboptionCommand,
}

impl Tokens {
    /// Hands what stands in `bytes` to `take`, in order.
    pub fn read(&mut self, mut bytes: &[u8], mut take: impl FnMut(Token<'_>)) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let State::Text = self.state {
                let end = bytes.iter().position(|&b| b == IAC).unwrap_or(bytes.len());
                let (text, command) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
                if !text.is_empty() {
                    take(Token::Text(text));
                }
                if let Some((_, rest)) = command.split_first() {
                    self.state = State::Command;
                    bytes = rest;
                } else {
                    bytes = command;
                }
                continue;
            }
            bytes = rest;
            self.state = self.step(byte, &mut take);
        }
    }

    fn step(&mut self, byte: u8, take: &mut impl FnMut(Token<'_>)) -> State {
        match (self.state, byte) {
            (State::Command, SB) => State::Suboption,
            (State::Command, 0xfb..=0xfe) => State::Verb(byte),
            // A doubled one is a byte of the text; other commands say nothing about it.
            (State::Command, IAC) => {
                take(Token::Text(&[IAC]));
                State::Text
            }
            (State::Verb(verb), option) => {
                take(Token::Option(verb, option));
                State::Text
            }
            (State::Suboption, IAC) => State::SuboptionCommand,
            (State::Suboption, byte) => self.keep(byte),
            (State::SuboptionCommand, SE) => {
                let content = std::mem::take(&mut self.suboption);
                take(if std::mem::take(&mut self.too_long) { Token::TooLong } else { Token::Suboption(content) });
                State::Text
            }
            (State::SuboptionCommand, byte) => self.keep(byte),
            (State::Command | State::Text, _) => State::Text,
        }
    }

    fn keep(&mut self, byte: u8) -> State {
        if self.suboption.len() < MAX_SUBOPTION_BYTES {
            self.suboption.push(byte);
        } else {
            self.too_long = true;
        }
        State::Suboption
    }

    /// Bytes are missing: what follows is taken for text.
    pub fn gap(&mut self) {
        *self = Tokens::default();
    }
}

/// Adds a value to a list that is told, once.
pub fn add(list: &mut Vec<String>, value: String) {
    if list.len() < MAX_VALUES && !list.contains(&value) {
        list.push(value);
    }
}

/// What is said of a value.
pub fn told(bytes: &[u8]) -> String {
    text::text(bytes, MAX_VALUE_BYTES)
}

/// The variables of NEW-ENVIRON (RFC 1572 section 2): VAR (0) or USERVAR (3), a name, VALUE (1), a value; ESC (2) makes
/// the next byte an ordinary one.
pub fn environment(content: &[u8]) -> Vec<(String, String)> {
    let mut variables: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let (mut in_value, mut escaped) = (false, false);
    for &byte in content {
        match (escaped, byte) {
            (false, 0 | 3) if variables.len() >= MAX_VALUES => break,
            (false, 0 | 3) => {
                variables.push(Default::default());
                in_value = false;
            }
            (false, 1) => in_value = true,
            (false, 2) => escaped = true,
            _ => {
                escaped = false;
                if let Some((name, value)) = variables.last_mut() {
                    if in_value { value.push(byte) } else { name.push(byte) }
                }
            }
        }
    }
    variables.iter().map(|(name, value)| (told(name), told(value))).collect()
}

/// Name of an option, by the registry of telnet options.
pub fn name(option: u8) -> String {
    let known = match option {
        0 => "BINARY",
        1 => "ECHO",
        3 => "SUPPRESS-GO-AHEAD",
        5 => "STATUS",
        6 => "TIMING-MARK",
        23 => "SEND-LOCATION",
        24 => "TERMINAL-TYPE",
        25 => "END-OF-RECORD",
        31 => "NAWS",
        32 => "TERMINAL-SPEED",
        33 => "REMOTE-FLOW-CONTROL",
        34 => "LINEMODE",
        35 => "X-DISPLAY-LOCATION",
        36 => "ENVIRON",
        37 => "AUTHENTICATION",
        38 => "ENCRYPT",
        39 => "NEW-ENVIRON",
        40 => "TN3270E",
        42 => "CHARSET",
        44 => "COM-PORT",
        46 => "START-TLS",
        _ => return format!("OPTION-{option}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_between_the_text() {
        let bytes = b"a\xff\xfd\x18b\xff\xffc\xff\xfa\x18\0xterm\xff\xf0d\xff\xf1e";
        for size in 1..bytes.len() {
            let mut tokens = Tokens::default();
            let (mut text, mut others) = (Vec::new(), Vec::new());
            for part in bytes.chunks(size) {
                tokens.read(part, |token| match token {
                    Token::Text(part) => text.extend_from_slice(part),
                    Token::Option(verb, option) => others.push((verb, vec![option])),
                    Token::Suboption(content) => others.push((SB, content)),
                    Token::TooLong => others.push((0, Vec::new())),
                });
            }
            assert_eq!(text, b"ab\xffcde");
            assert_eq!(others, [(0xfd, vec![0x18]), (SB, b"\x18\0xterm".to_vec())]);
        }
    }

    #[test]
    fn variables_have_names_and_values() {
        let told = environment(b"\0USER\x01an\x03TEN\x01a\x02\x01b\0TRONG");
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(told, [pair("USER", "an"), pair("TEN", "a\\x01b"), pair("TRONG", "")]);
    }
}
