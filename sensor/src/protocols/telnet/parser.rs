//! Follows one flow: negotiation apart from text, text as a log-in.

use super::login::{Login, Step};
use super::options::{self, Token, Tokens};
use super::record::TelnetSession;
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Bytes of a connection after which nobody is expected to log in any more.
pub const MAX_BYTES: u64 = 256 * 1024;
/// Bytes of the greeting that are told.
const MAX_BANNER_BYTES: usize = 512;

const TERMINAL_TYPE: u8 = 24;
const WINDOW_SIZE: u8 = 31;
const AUTHENTICATION: u8 = 37;
const NEW_ENVIRONMENT: u8 = 39;

/// The parser of one flow.
#[derive(Default)]
pub struct TelnetParser {
    client: Tokens,
    server: Tokens,
    login: Login,
    record: TelnetSession,
    banner: Vec<u8>,
    banner_over: bool,
    bytes: u64,
    over: bool,
}

impl Parser for TelnetParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        self.bytes += bytes.len() as u64;
        let tokens = match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        };
        let mut tokens = std::mem::take(tokens);
        tokens.read(bytes, |token| self.token(out, direction, token));
        match direction {
            Direction::ToServer => self.client = tokens,
            Direction::ToClient => self.server = tokens,
        }
        if self.over || self.bytes > MAX_BYTES {
            return Progress::Done;
        }
        Progress::Continue
    }

    fn gap(&mut self, _out: &mut dyn Output, direction: Direction, _length: u64) -> Progress {
        match direction {
            Direction::ToServer => self.client.gap(),
            Direction::ToClient => self.server.gap(),
        }
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        let mut record = std::mem::take(&mut self.record);
        let banner = std::mem::take(&mut self.banner);
        let banner = banner.trim_ascii();
        record.banner = (!banner.is_empty()).then(|| text::text(banner, MAX_BANNER_BYTES));
        out.event(record.into_body());
    }
}

impl TelnetParser {
    fn token(&mut self, out: &mut dyn Output, direction: Direction, token: Token<'_>) {
        match (token, direction) {
            _ if self.over => {}
            (Token::Option(options::WILL, option), Direction::ToServer) => {
                options::add(&mut self.record.client_options, options::name(option));
            }
            (Token::Option(options::WILL, option), Direction::ToClient) => {
                options::add(&mut self.record.server_options, options::name(option));
            }
            (Token::Option(..), _) | (Token::Suboption(_), Direction::ToClient) => {}
            (Token::Suboption(content), Direction::ToServer) => self.suboption(&content),
            (Token::TooLong, _) => out.anomaly("telnet.suboption_too_long"),
            (Token::Text(text), Direction::ToServer) => self.typed(text),
            (Token::Text(text), Direction::ToClient) => self.written(text),
        }
    }

    fn suboption(&mut self, content: &[u8]) {
        let record = &mut self.record;
        match content {
            // IS (RFC 1091, RFC 1572), NAME (RFC 2941).
            [TERMINAL_TYPE, 0, name @ ..] => options::add(&mut record.terminal_types, options::told(name)),
            [WINDOW_SIZE, a, b, c, d] => {
                let (columns, rows) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
                record.window = Some(format!("{columns}x{rows}"));
            }
            [NEW_ENVIRONMENT, 0, variables @ ..] => {
                for (name, value) in options::environment(variables) {
                    if name == "USER" && !value.is_empty() {
                        record.user_name = Some(value.clone());
                    }
                    options::add(&mut record.environment, format!("{name}={value}"));
                }
            }
            [AUTHENTICATION, 3, name @ ..] if !name.is_empty() => record.user_name = Some(options::told(name)),
            _ => {}
        }
    }

    fn typed(&mut self, typed: &[u8]) {
        self.banner_over = true;
        let record = &mut self.record;
        self.login.typed(typed, |step| match step {
            Step::Name(name) => record.user_name = Some(options::told(&name)),
            Step::Password => {
                record.password_seen = Some(true);
                *record.login_attempts.get_or_insert(0) += 1;
            }
            Step::Refused | Step::In => {}
        });
    }

    fn written(&mut self, written: &[u8]) {
        if !self.banner_over {
            let room = MAX_BANNER_BYTES.saturating_sub(self.banner.len());
            self.banner.extend(written.iter().filter(|b| !matches!(b, b'\r' | 0)).take(room));
        }
        match self.login.written(written) {
            Some(Step::Refused) => self.record.login_success = Some(false),
            Some(Step::In) => {
                self.record.login_success = Some(true);
                self.over = true;
            }
            _ => {}
        }
    }
}
