//! Follows one flow: the two messages of X.224, then TLS or the first two messages of MCS.

use luytre_events::Transport;

use super::super::tls;
use super::record::RdpConnection;
use super::{client, names};
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Bytes of a name or token that are told.
const MAX_NAME_BYTES: usize = 256;

/// The parser of one flow.
#[derive(Default)]
pub struct RdpParser {
    client: Side,
    server: Side,
    record: RdpConnection,
    begun: bool,
    told: bool,
    inner: Option<Box<dyn Parser>>,
}

/// One direction.
#[derive(Default)]
struct Side {
    /// The unfinished packet; at most 64 KiB by its format.
    partial: Vec<u8>,
    /// The first message was seen.
    connected: bool,
    lost: bool,
}

impl Parser for RdpParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if let Some(inner) = &mut self.inner {
            return inner.data(out, direction, bytes);
        }
        let mut buffer = std::mem::take(&mut self.side(direction).partial);
        buffer.extend_from_slice(bytes);
        let mut used = 0;
        while let Some(rest) = buffer.get(used..).filter(|rest| !rest.is_empty() && !self.side(direction).lost) {
            if let Some(inner) = &mut self.inner {
                return inner.data(out, direction, rest);
            }
            if rest.starts_with(&[0x16, 3]) && self.side(direction).connected {
                return self.encrypted(out, direction, rest);
            }
            let mut r = Reader::new(rest);
            let (Ok(3), Ok(_), Ok(length)) = (r.u8(), r.u8(), r.u16()) else {
                if rest.len() >= 4 || rest.first() != Some(&3) {
                    self.lose(out, direction);
                }
                break;
            };
            let Some(length) = usize::from(length).checked_sub(4).filter(|length| *length > 1) else {
                self.lose(out, direction);
                break;
            };
            let Ok(packet) = r.take(length) else { break };
            used += r.position();
            self.packet(out, direction, packet);
        }
        buffer.drain(..used.min(buffer.len()));
        if !self.side(direction).lost {
            self.side(direction).partial = buffer;
        }
        if self.told || (self.client.lost && self.server.lost) { Progress::Done } else { Progress::Continue }
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        self.inner.as_mut().map_or(Progress::Done, |inner| inner.gap(out, direction, length))
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.tell(out);
        if let Some(inner) = &mut self.inner {
            inner.finish(out);
        }
    }
}

impl RdpParser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }

    fn lose(&mut self, out: &mut dyn Output, direction: Direction) {
        self.side(direction).lost = true;
        self.record.malformed = Some(true);
        out.anomaly("rdp.malformed");
    }

    fn tell(&mut self, out: &mut dyn Output) {
        if self.begun && !self.told {
            self.told = true;
            out.event(std::mem::take(&mut self.record).into_body());
        }
    }

    /// TLS begins on one side: both are followed as TLS from here on.
    fn encrypted(&mut self, out: &mut dyn Output, direction: Direction, rest: &[u8]) -> Progress {
        self.tell(out);
        let inner = self.inner.insert((tls::PROTOCOL.parser)(Transport::TCP));
        inner.data(out, direction, rest)
    }

    /// One packet without its TPKT header: length and type of X.224, then the rest.
    fn packet(&mut self, out: &mut dyn Output, direction: Direction, packet: &[u8]) {
        let mut r = Reader::new(packet);
        let (length, kind) = (r.u8().unwrap_or(0), r.u8().unwrap_or(0));
        let fixed = usize::from(length).saturating_sub(1);
        match kind & 0xf0 {
            // References and class, then what is RDP's own.
            0xe0 | 0xd0 => {
                self.begun = true;
                self.side(direction).connected = true;
                let header = r.take(fixed).unwrap_or_else(|_| r.rest());
                let variable = header.get(5..).unwrap_or(&[]);
                let sound = if kind & 0xf0 == 0xe0 { self.request(variable) } else { self.confirm(variable) };
                if !sound || header.len() < fixed {
                    self.record.malformed = Some(true);
                    out.anomaly("rdp.malformed");
                }
            }
            // Data: the connect messages of MCS, of which the server's ends what can be read.
            0xf0 => {
                let message = r.rest().get(fixed..).unwrap_or(&[]);
                match message {
                    [0x7f, 0x65, ..] => self.told(out, client::client, message),
                    [0x7f, 0x66, ..] => {
                        self.told(out, client::server, message);
                        self.tell(out);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, out: &mut dyn Output, read: fn(&mut RdpConnection, &[u8]) -> bool, message: &[u8]) {
        if !read(&mut self.record, message) {
            self.record.malformed = Some(true);
            out.anomaly("rdp.malformed");
        }
    }

    /// A cookie or token up to a line end, then a request to negotiate (section 2.2.1.1); says whether it was sound.
    fn request(&mut self, mut variable: &[u8]) -> bool {
        if let Some(end) = variable.windows(2).position(|pair| pair == b"\r\n") {
            let (line, rest) = variable.split_at_checked(end).unwrap_or((variable, &[]));
            variable = rest.get(2..).unwrap_or(&[]);
            let told = |bytes: &[u8]| Some(text::text(bytes, MAX_NAME_BYTES));
            if let Some(name) = line.strip_prefix(b"Cookie: mstshash=") {
                self.record.cookie = told(name);
            } else {
                self.record.routing_token = told(line.strip_prefix(b"Cookie: msts=").unwrap_or(line));
            }
        }
        match variable {
            [1, flags, 8, 0, a, b, c, d, ..] => {
                self.record.client_flags = names::client_flags(*flags);
                self.record.requested_protocols = names::protocols(u32::from_le_bytes([*a, *b, *c, *d]));
                true
            }
            _ => variable.is_empty(),
        }
    }

    /// The server's choice or refusal (section 2.2.1.2); an old server says nothing.
    fn confirm(&mut self, variable: &[u8]) -> bool {
        match variable {
            [2, flags, 8, 0, a, b, c, d, ..] => {
                self.record.server_flags = names::server_flags(*flags);
                self.record.protocol = names::protocol(u32::from_le_bytes([*a, *b, *c, *d]));
                true
            }
            [3, _, 8, 0, a, b, c, d, ..] => {
                self.record.failure = names::failure(u32::from_le_bytes([*a, *b, *c, *d]));
                true
            }
            [] => {
                self.record.protocol = Some("rdp");
                true
            }
            _ => false,
        }
    }
}
