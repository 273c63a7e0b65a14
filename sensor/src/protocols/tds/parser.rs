//! Follows one flow: puts packets together to messages, pairs requests with responses.

use std::collections::VecDeque;

use luytre_events::Transport;

use super::packet::{self, FORMAT, HEADER_BYTES, kind};
use super::record::TdsRequest;
use super::{login, request, response, tls};
use crate::protocols::framing::{Frames, Step};
use crate::protocols::gss::Login;
use crate::protocols::{Direction, Output, Parser, Progress};

/// Requests that wait for their response.
pub const MAX_OPEN: usize = 32;
/// Bytes of a message that are kept.
pub const MAX_MESSAGE_BYTES: usize = 32 << 10;

/// The parser of one flow.
#[derive(Default)]
pub struct TdsParser {
    to_server: Side,
    to_client: Side,
    open: VecDeque<TdsRequest>,
    windows: Login,
    /// The version in use counts rows in four bytes.
    old: bool,
    /// What both sides said of encryption.
    wishes: [Option<&'static str>; 2],
    secured: Option<Box<dyn Parser>>,
    /// The handshake is told.
    told: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    frames: Frames,
    /// The message at hand: at most [`MAX_MESSAGE_BYTES`] of it.
    message: Vec<u8>,
    /// The last bytes of a message of which not all is kept.
    tail: Vec<u8>,
    /// Bytes of the whole.
    length: u64,
}

impl Side {
    /// Takes in what a packet says.
    fn add(&mut self, payload: &[u8]) {
        self.length += payload.len() as u64;
        let room = MAX_MESSAGE_BYTES.saturating_sub(self.message.len());
        self.message.extend_from_slice(payload.get(..room).unwrap_or(payload));
        let from = payload.len().saturating_sub(response::DONE_BYTES);
        self.tail.extend_from_slice(payload.get(from..).unwrap_or(&[]));
        self.tail.drain(..self.tail.len().saturating_sub(response::DONE_BYTES));
    }
}

impl Parser for TdsParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, mut bytes: &[u8]) -> Progress {
        loop {
            let step = self.side(direction).frames.next(&mut bytes, &FORMAT);
            match step {
                Some(Step::Message(packet)) => self.packet(out, direction, &packet.bytes),
                Some(Step::Lost) => out.anomaly("tds.framing_lost"),
                None => break,
            }
        }
        let lost = self.to_server.frames.is_lost() && self.to_client.frames.is_lost();
        // Where only the log-in is encrypted, what follows stands in the clear.
        let sealed = self.told && self.wishes != [Some("off"); 2];
        if lost || sealed { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, _: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let side = self.side(direction);
        side.frames.gap(length, &FORMAT);
        // What is at hand has a hole: it ends here, without its end.
        (side.message, side.tail, side.length) = (Vec::new(), Vec::new(), 0);
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        for record in self.open.drain(..) {
            out.event(record.into_body());
        }
        if let Some(secured) = &mut self.secured {
            secured.finish(out);
        }
    }
}

impl TdsParser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    fn packet(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        if packet::is_tls(bytes) {
            let hidden = direction == Direction::ToServer && bytes.first() == Some(&0x17);
            if hidden && self.open.is_empty() && self.wishes == [Some("off"); 2] {
                self.wait(out, TdsRequest { command: "login", ..TdsRequest::default() });
            }
            self.secure(out, direction, bytes);
            return;
        }
        let Some((&[kind, flags, ..], payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return };
        if kind == kind::PRELOGIN && (self.secured.is_some() || packet::is_tls(payload)) {
            self.secure(out, direction, payload);
            return;
        }
        self.side(direction).add(payload);
        if flags & 1 == 0 {
            return;
        }
        let side = self.side(direction);
        let message = std::mem::take(&mut side.message);
        let tail = std::mem::take(&mut side.tail);
        let length = std::mem::take(&mut side.length);
        match direction {
            Direction::ToServer => self.request(out, kind, &message, length),
            Direction::ToClient if kind == kind::RESPONSE => self.response(out, &message, &tail, length),
            Direction::ToClient => out.anomaly("tds.unexpected"),
        }
    }

    /// Hands bytes to the parser of TLS.
    fn secure(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        if self.told {
            return;
        }
        let secured = self.secured.get_or_insert_with(|| (tls::PROTOCOL.parser)(Transport::TCP));
        if secured.data(out, direction, bytes) == Progress::Done {
            self.told = true;
        }
    }

    fn wait(&mut self, out: &mut dyn Output, record: TdsRequest) {
        if self.open.len() >= MAX_OPEN
            && let Some(oldest) = self.open.pop_front()
        {
            out.anomaly("tds.open_limit");
            out.event(oldest.into_body());
        }
        self.open.push_back(record);
    }

    fn request(&mut self, out: &mut dyn Output, kind: u8, message: &[u8], length: u64) {
        let mut record = TdsRequest { request_bytes: Some(length), ..TdsRequest::default() };
        let malformed = match kind {
            kind::PRELOGIN => {
                record.command = "prelogin";
                match login::prelogin(message) {
                    Ok(prelogin) => {
                        self.wishes = [prelogin.encryption, None];
                        record.client_version = prelogin.version;
                        record.client_encryption = prelogin.encryption;
                        record.instance = prelogin.instance;
                        false
                    }
                    Err(_) => true,
                }
            }
            kind::LOGIN => {
                record.command = "login";
                let malformed = login::login(&mut record, message, &mut self.windows).is_err();
                self.old = matches!(record.version.as_deref(), Some("7.0" | "7.1"));
                malformed
            }
            kind::SSPI | kind::TOKEN => {
                let login = self.open.front_mut().filter(|open| open.command == "login");
                if let (Some(open), kind::SSPI) = (login, kind) {
                    login::token_of_windows(open, message, &mut self.windows);
                }
                return;
            }
            kind::BATCH => {
                record.command = "batch";
                request::batch(&mut record, message);
                false
            }
            kind::RPC => {
                record.command = "rpc";
                request::call(&mut record, message).is_err()
            }
            kind::BULK => {
                record.command = "bulk";
                false
            }
            kind::TRANSACTION => {
                record.command = "transaction";
                false
            }
            kind::ATTENTION => {
                record.command = "attention";
                out.event(record.into_body());
                return;
            }
            _ => {
                out.anomaly("tds.unexpected");
                return;
            }
        };
        if malformed {
            out.anomaly("tds.malformed");
        }
        self.wait(out, record);
    }

    fn response(&mut self, out: &mut dyn Output, message: &[u8], tail: &[u8], length: u64) {
        let known = !self.open.is_empty();
        let unasked = TdsRequest { command: "error", ..TdsRequest::default() };
        let mut record = self.open.pop_front().unwrap_or(unasked);
        *record.response_bytes.get_or_insert(0) += length;
        if record.command == "prelogin" {
            match login::prelogin(message) {
                Ok(prelogin) => {
                    self.wishes = [record.client_encryption, prelogin.encryption];
                    record.server_encryption = prelogin.encryption;
                    record.server_version = prelogin.version;
                }
                Err(_) => out.anomaly("tds.malformed"),
            }
            out.event(record.into_body());
            return;
        }
        let done_bytes = if self.old { response::OLD_DONE_BYTES } else { response::DONE_BYTES };
        response::beginning(&mut record, message, &mut self.windows, done_bytes);
        let end = tail.get(tail.len().saturating_sub(done_bytes)..).unwrap_or(&[]);
        if let [0xfd | 0xfe, end @ ..] = end {
            response::done(&mut record, end);
        }
        if record.command == "login" && record.outcome.is_none() {
            // A challenge: the log-in goes on.
            self.open.push_front(record);
        } else if known || record.outcome == Some("failure") {
            out.event(record.into_body());
        }
    }
}
