//! Follows one flow: the lines at the start, the packets in the clear, then only sizes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::inspection;
use super::kex::{self, Offer};
use super::record::SshConnection;
use super::shapes::{Layer, Shapes};
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Longest line before the packets; the format allows 255 bytes (RFC 4253 section 4.2).
const MAX_LINE_BYTES: usize = 1024;
/// Lines that a server may send before it names its program.
const MAX_PRE_BANNER_LINES: u64 = 1024;
/// Largest packet in the clear; the format allows 35,000 bytes (RFC 4253 section 6.1).
const MAX_PACKET_BYTES: usize = 64 * 1024;
/// Bytes of what a side says of itself that are told.
const MAX_NAME_BYTES: usize = 255;

/// Types of messages (RFC 4250 section 4.1).
mod message {
    pub const KEXINIT: u8 = 20;
    pub const NEWKEYS: u8 = 21;
    /// First of the messages whose meaning depends on the key exchange.
    pub const KEX_FIRST: u8 = 30;
    pub const KEX_LAST: u8 = 49;
    /// The client asks for a group (RFC 4419).
    pub const GROUP_REQUEST: u8 = 34;
}

/// The parser of one flow.
#[derive(Default)]
pub struct SshParser {
    client: Side,
    server: Side,
    record: SshConnection,
    shapes: Shapes,
    told: bool,
}

/// One direction.
#[derive(Default)]
struct Side {
    stage: Stage,
    /// The unfinished line or packet.
    partial: Vec<u8>,
    offer: Option<Offer>,
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Stage {
    /// Lines of text up to the one with the version.
    #[default]
    Lines,
    /// Packets in the clear.
    Packets,
    Encrypted,
    /// Cannot be followed any more.
    Lost,
}

impl Parser for SshParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let stage = self.side(direction).stage;
        if stage == Stage::Encrypted {
            self.shapes.bytes(direction, bytes.len());
        } else if stage != Stage::Lost {
            let side = self.side(direction);
            let mut buffer = std::mem::take(&mut side.partial);
            buffer.extend_from_slice(bytes);
            let used = self.clear(out, direction, &buffer);
            buffer.drain(..used.min(buffer.len()));
            self.side(direction).partial = buffer;
        }
        self.progress(out)
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, _length: u64) -> Progress {
        self.shapes.blind();
        if self.side(direction).stage != Stage::Encrypted {
            self.lose(direction);
        }
        self.progress(out)
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.shapes.turn();
        self.tell(out);
    }
}

impl SshParser {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::ToServer => &mut self.client,
            Direction::ToClient => &mut self.server,
        }
    }

    fn lose(&mut self, direction: Direction) {
        let side = self.side(direction);
        side.stage = Stage::Lost;
        side.partial = Vec::new();
    }

    fn malformed(&mut self, out: &mut dyn Output, direction: Direction) {
        out.anomaly("ssh.malformed");
        self.record.malformed = Some(true);
        self.lose(direction);
    }

    fn progress(&mut self, out: &mut dyn Output) -> Progress {
        let both = |stage| self.client.stage == stage && self.server.stage == stage;
        if both(Stage::Lost) || (both(Stage::Encrypted) && self.shapes.over()) {
            self.tell(out);
            return Progress::Done;
        }
        Progress::Continue
    }

    /// Reads lines and packets of one side; gives how many bytes of the buffer they were.
    fn clear(&mut self, out: &mut dyn Output, direction: Direction, buffer: &[u8]) -> usize {
        let mut used = 0;
        while let Some(rest) = buffer.get(used..).filter(|rest| !rest.is_empty()) {
            let step = match self.side(direction).stage {
                Stage::Lines => self.line(out, direction, rest),
                Stage::Packets => self.packet(out, direction, rest),
                Stage::Encrypted => {
                    self.shapes.bytes(direction, rest.len());
                    return buffer.len();
                }
                Stage::Lost => return buffer.len(),
            };
            match step {
                0 => break,
                step => used += step,
            }
        }
        used
    }

    /// One line, without which nothing is read; gives its length, zero when it is not whole.
    fn line(&mut self, out: &mut dyn Output, direction: Direction, rest: &[u8]) -> usize {
        let end = rest.iter().position(|&b| b == b'\n');
        // However the stream is cut: a line is too long whether or not its end has come.
        if end.unwrap_or(rest.len()) > MAX_LINE_BYTES {
            self.malformed(out, direction);
            return rest.len();
        }
        let Some(end) = end else { return 0 };
        let line = rest.get(..end).unwrap_or(rest);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"SSH-") {
            self.version(out, direction, line);
        } else if direction == Direction::ToClient {
            let lines = self.record.pre_banner_lines.get_or_insert(0);
            *lines += 1;
            if *lines > MAX_PRE_BANNER_LINES {
                self.malformed(out, direction);
            }
        } else {
            self.malformed(out, direction);
        }
        end + 1
    }

    /// `SSH-protoversion-softwareversion SP comments` (RFC 4253 section 4.2).
    fn version(&mut self, out: &mut dyn Output, direction: Direction, line: &[u8]) {
        let mut words = line.splitn(2, |&b| b == b' ');
        let (name, comments) = (words.next().unwrap_or(&[]), words.next());
        let mut parts = name.splitn(3, |&b| b == b'-').skip(1);
        let told = |bytes: &[u8]| (!bytes.is_empty()).then(|| text::text(bytes, MAX_NAME_BYTES));
        let version = parts.next().and_then(told);
        let software = parts.next().and_then(told);
        let comments = comments.and_then(told);
        inspection::version(out, direction, version.as_deref(), software.as_deref());
        // The first version of the protocol has other packets, of which nothing is read.
        let old = version.as_deref().is_some_and(|v| v.starts_with("1.") && v != "1.99");
        let record = &mut self.record;
        let (to_version, to_software, to_comments) = match direction {
            Direction::ToServer => {
                (&mut record.client_version, &mut record.client_software, &mut record.client_comments)
            }
            Direction::ToClient => {
                (&mut record.server_version, &mut record.server_software, &mut record.server_comments)
            }
        };
        (*to_version, *to_software, *to_comments) = (version, software, comments);
        self.side(direction).stage = if old { Stage::Lost } else { Stage::Packets };
    }

    /// One packet in the clear: length, length of the padding, message, padding (RFC 4253 section 6).
    fn packet(&mut self, out: &mut dyn Output, direction: Direction, rest: &[u8]) -> usize {
        let mut r = Reader::new(rest);
        let Ok(length) = r.u32() else { return 0 };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !(2..=MAX_PACKET_BYTES).contains(&length) {
            // A client of the old version that answers a server of both.
            self.malformed(out, direction);
            return rest.len();
        }
        let Ok(packet) = r.take(length) else { return 0 };
        inspection::packet(out, direction, rest.get(..r.position()).unwrap_or(rest));
        let (padding, content) = packet.split_first().map_or((0, packet), |(p, rest)| (usize::from(*p), rest));
        let message = content.len().checked_sub(padding).and_then(|end| content.get(..end));
        match message.and_then(<[u8]>::split_first) {
            Some((kind, body)) => self.message(out, direction, *kind, body),
            None => self.malformed(out, direction),
        }
        r.position()
    }

    fn message(&mut self, out: &mut dyn Output, direction: Direction, kind: u8, body: &[u8]) {
        match (kind, direction) {
            (message::KEXINIT, _) if self.side(direction).offer.is_none() => match Offer::read(body) {
                Ok(offer) => {
                    inspection::offer(out, direction, &offer);
                    self.offer(direction, offer);
                }
                Err(_) => self.malformed(out, direction),
            },
            (message::NEWKEYS, _) => {
                self.side(direction).stage = Stage::Encrypted;
                self.record.encrypted = self.client.stage == self.server.stage;
            }
            // What only the client of this protocol asks: the side that was called is the client.
            (message::KEX_FIRST | message::GROUP_REQUEST, Direction::ToClient) if !self.by_rsa() => {
                self.record.reversed = Some(true);
                self.shapes.blind();
            }
            (message::KEX_FIRST..=message::KEX_LAST, _) => self.exchange(kind, body),
            _ => {}
        }
    }

    fn offer(&mut self, direction: Direction, offer: Offer) {
        let record = &mut self.record;
        let [ciphers_up, ciphers_down] = &offer.ciphers;
        let [macs_up, macs_down] = &offer.macs;
        match direction {
            Direction::ToServer => {
                record.client_hassh = Some(offer.hassh(0));
                record.client_kex = kex::told(&offer.kex);
                record.client_host_keys = kex::told(&offer.host_keys);
                record.client_ciphers = kex::told(ciphers_up);
                record.client_macs = kex::told(macs_up);
            }
            Direction::ToClient => {
                record.server_hassh = Some(offer.hassh(1));
                record.server_kex = kex::told(&offer.kex);
                record.server_host_keys = kex::told(&offer.host_keys);
                record.server_ciphers = kex::told(ciphers_down);
                record.server_macs = kex::told(macs_down);
            }
        }
        self.side(direction).offer = Some(offer);
        if let (Some(client), Some(server)) = (&self.client.offer, &self.server.offer) {
            agree(&mut self.record, client, server);
            self.shapes.set_layer(server_layer(client, server));
        }
    }

    fn by_rsa(&self) -> bool {
        self.record.kex.as_deref().is_some_and(|kex| kex.starts_with("rsa"))
    }

    /// The server's key, in the message where this key exchange has it.
    fn exchange(&mut self, kind: u8, body: &[u8]) {
        let kex = self.record.kex.as_deref().unwrap_or("");
        // RFC 4419 (group exchange), RFC 4432 (RSA), all others as RFC 4253 section 8.
        let reply = match kex {
            _ if kex.contains("group-exchange") => 33,
            _ if self.by_rsa() => 30,
            _ => 31,
        };
        let Ok(key) = kex::string(&mut Reader::new(body)) else { return };
        if kind == reply && self.record.host_key_sha256.is_none() && !key.is_empty() {
            let name = kex::string(&mut Reader::new(key)).ok();
            self.record.host_key_type = name.map(|name| text::text(name, MAX_NAME_BYTES));
            self.record.host_key_sha256 = Some(STANDARD_NO_PAD.encode(Sha256::digest(key)));
        }
    }

    fn tell(&mut self, out: &mut dyn Output) {
        let mut record = std::mem::take(&mut self.record);
        let anything = record.client_version.is_some() || record.server_version.is_some();
        if std::mem::replace(&mut self.told, true) || !anything {
            return;
        }
        if record.encrypted {
            record.auth_success = self.shapes.success();
            record.auth_attempts = self.shapes.attempts();
        }
        out.event(record.into_body());
    }
}

/// What both sides come to (RFC 4253 section 7.1).
fn agree(record: &mut SshConnection, client: &Offer, server: &Offer) {
    let strict = client.has_kex(b"kex-strict-c-v00@openssh.com") && server.has_kex(b"kex-strict-s-v00@openssh.com");
    record.kex_strict = Some(strict);
    record.kex = kex::agreed(&client.kex, &server.kex);
    record.host_key_algorithm = kex::agreed(&client.host_keys, &server.host_keys);
    let ([ciphers, _], [others, _]) = (&client.ciphers, &server.ciphers);
    record.cipher = kex::agreed(ciphers, others);
    let alone = record.cipher.as_deref().is_some_and(|c| c.contains("gcm") || c.starts_with("chacha20-poly1305"));
    let ([macs, _], [others, _]) = (&client.macs, &server.macs);
    record.mac = kex::agreed(macs, others).filter(|_| !alone);
    let ([compressions, _], [others, _]) = (&client.compressions, &server.compressions);
    record.compression = kex::agreed(compressions, others);
}

/// How the server will pack what it sends.
fn server_layer(client: &Offer, server: &Offer) -> Option<Layer> {
    let ([_, ciphers], [_, others]) = (&client.ciphers, &server.ciphers);
    let cipher = kex::agreed(ciphers, others)?;
    let ([_, macs], [_, others]) = (&client.macs, &server.macs);
    Layer::of(&cipher, kex::agreed(macs, others).as_deref())
}
