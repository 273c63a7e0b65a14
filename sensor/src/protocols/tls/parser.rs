//! Follows one flow: takes records and handshake messages apart and keeps what the event will say.

use luytre_events::value::TimeNs;

use super::hello::{self, ClientHello, ServerHello};
use super::record::TlsHandshake;
use super::{certificate, fingerprint, inspection, names};
use crate::protocols::reader::Reader;
use crate::protocols::{Direction, Output, Parser, Progress, text};

/// Largest handshake message that is kept; chains of certificates are some thousands of bytes.
const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// Longest record that is believed: 2^14 plus the 2,048 that encryption may add (RFC 5246 section 6.2.3).
const MAX_RECORD_BYTES: usize = 18_432;
/// Protocols of ALPN that are told.
const MAX_ALPN: usize = 32;
/// Alerts that are told.
const MAX_ALERTS: usize = 8;

/// The parser of one flow.
#[derive(Default)]
pub struct TlsParser {
    to_server: Side,
    to_client: Side,
    seen: Seen,
    told: bool,
}

/// One direction: where in the record layer it stands.
#[derive(Default)]
struct Side {
    /// Beginning of a record's header.
    header: Vec<u8>,
    /// Type of the record that is being read.
    kind: u8,
    /// Bytes of that record that are still to come.
    left: usize,
    /// Unfinished handshake message, with its four bytes of header.
    handshake: Vec<u8>,
    /// Bytes of a handshake message too large to keep that are still to come.
    skip: usize,
    /// Unfinished alert.
    alert: Vec<u8>,
    /// From here on the records are encrypted.
    encrypted: bool,
    /// The record layer cannot be followed any more.
    lost: bool,
    /// A first byte was seen.
    begun: bool,
    /// The connection began as text; the last byte of it, until TLS begins.
    preface: Option<u8>,
}

/// Where TLS begins in a stream that began as text: after a line end, with a handshake record. `last` is the byte before.
pub fn after_preface(last: Option<u8>, bytes: &[u8]) -> Option<usize> {
    let before = last.into_iter().chain(bytes.iter().copied());
    let offset = usize::from(last.is_none());
    let begins = |at: &usize| match bytes.get(*at..) {
        Some([0x16, 0x03, ..]) => true,
        Some([only]) => *only == 0x16,
        _ => false,
    };
    before.zip(offset..).filter(|(byte, _)| *byte == b'\n').map(|(_, at)| at).find(begins)
}

/// What the handshake has shown so far.
#[derive(Default)]
struct Seen {
    client: Option<ClientHello>,
    server: Option<ServerHello>,
    sslv2: Option<u16>,
    server_chain: Vec<certificate::Certificate>,
    server_chain_length: u64,
    client_certificate: Option<certificate::Certificate>,
    group: Option<u16>,
    alerts: Vec<(u8, u8)>,
    fatal: bool,
    malformed: bool,
}

/// Types of records (RFC 8446 appendix B.1).
mod kind {
    pub const CHANGE_CIPHER_SPEC: u8 = 20;
    pub const ALERT: u8 = 21;
    pub const HANDSHAKE: u8 = 22;
    pub const APPLICATION_DATA: u8 = 23;
    pub const HEARTBEAT: u8 = 24;
}

impl Parser for TlsParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let (side, seen) = match direction {
            Direction::ToServer => (&mut self.to_server, &mut self.seen),
            Direction::ToClient => (&mut self.to_client, &mut self.seen),
        };
        side.data(out, seen, direction, bytes);
        self.progress(out)
    }

    fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let side = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        side.gap(&mut self.seen, length);
        self.progress(out)
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.tell(out);
    }
}

impl TlsParser {
    /// Tells the handshake once there is nothing more to learn of it.
    fn progress(&mut self, out: &mut dyn Output) -> Progress {
        let over = |side: &Side| side.encrypted || side.lost;
        let answered = self.seen.server.is_some() || self.to_client.lost;
        let done = over(&self.to_server) && over(&self.to_client) && answered;
        if !done && !self.seen.fatal {
            return Progress::Continue;
        }
        self.tell(out);
        Progress::Done
    }

    fn tell(&mut self, out: &mut dyn Output) {
        let seen = &self.seen;
        let anything = seen.client.is_some() || seen.server.is_some() || seen.sslv2.is_some();
        if self.told || !anything {
            return;
        }
        self.told = true;
        if seen.malformed {
            out.anomaly("tls.malformed");
        }
        inspection::done(out, seen.server_chain_length);
        let established = self.to_server.encrypted && self.to_client.encrypted && seen.server.is_some();
        let time_ns = out.time_ns();
        out.event(record(std::mem::take(&mut self.seen), established, time_ns).into_body());
    }
}

impl Side {
    fn data(&mut self, out: &mut dyn Output, seen: &mut Seen, direction: Direction, mut bytes: &[u8]) {
        if !self.begun && !bytes.is_empty() {
            self.begun = true;
            if direction == Direction::ToServer
                && let Some(version) = hello::sslv2_client(bytes)
            {
                seen.sslv2 = Some(version);
                let length = usize::from(u16::from_be_bytes(*bytes.first_chunk().unwrap_or(&[0, 0])) & 0x7fff) + 2;
                bytes = bytes.get(length..).unwrap_or(&[]);
            }
            let record = bytes.first().is_none_or(|b| (kind::CHANGE_CIPHER_SPEC..=kind::HEARTBEAT).contains(b));
            self.preface = if record { None } else { Some(b' ') };
        }
        if let Some(last) = self.preface {
            let Some(start) = after_preface(Some(last), bytes) else {
                self.preface = bytes.last().copied().or(self.preface);
                return;
            };
            self.preface = None;
            bytes = bytes.get(start..).unwrap_or(&[]);
        }
        while !bytes.is_empty() && !self.lost {
            bytes = if self.left == 0 { self.header(bytes, seen) } else { self.body(out, seen, direction, bytes) };
        }
    }

    /// Reads on in a record's header; gives what follows it.
    fn header<'a>(&mut self, bytes: &'a [u8], seen: &mut Seen) -> &'a [u8] {
        let wanted = 5 - self.header.len();
        let (head, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.header.extend_from_slice(head);
        if let [record_kind, major, _, high, low] = *self.header {
            self.header.clear();
            self.kind = record_kind;
            self.left = usize::from(u16::from_be_bytes([high, low]));
            let known = (kind::CHANGE_CIPHER_SPEC..=kind::HEARTBEAT).contains(&record_kind);
            if !known || major != 3 || self.left > MAX_RECORD_BYTES {
                seen.malformed |= !self.encrypted;
                self.lost = true;
            }
            self.encrypted |= record_kind == kind::APPLICATION_DATA;
        }
        rest
    }

    /// Reads on in a record's body; gives what follows it.
    fn body<'a>(&mut self, out: &mut dyn Output, seen: &mut Seen, direction: Direction, bytes: &'a [u8]) -> &'a [u8] {
        let (part, rest) = bytes.split_at_checked(self.left).unwrap_or((bytes, &[]));
        self.left -= part.len();
        match self.kind {
            kind::CHANGE_CIPHER_SPEC => self.encrypted = true,
            // The hello that answers a request for another one comes after a ChangeCipherSpec that means nothing
            // (RFC 8446 appendix D.4).
            kind::HANDSHAKE if self.encrypted && !clear_hello(part, seen, direction) => {}
            kind::HANDSHAKE => {
                self.encrypted = false;
                self.handshake(out, seen, direction, part);
            }
            kind::ALERT if !self.encrypted => self.alert(seen, part),
            _ => {}
        }
        rest
    }

    fn alert(&mut self, seen: &mut Seen, part: &[u8]) {
        self.alert.extend_from_slice(part.get(..2).unwrap_or(part));
        if let [level, description, ..] = *self.alert {
            if seen.alerts.len() < MAX_ALERTS {
                seen.alerts.push((level, description));
            }
            seen.fatal |= level == 2;
            self.alert.clear();
        }
    }

    fn handshake(&mut self, out: &mut dyn Output, seen: &mut Seen, direction: Direction, part: &[u8]) {
        let skipped = self.skip.min(part.len());
        self.skip -= skipped;
        self.handshake.extend_from_slice(part.get(skipped..).unwrap_or(&[]));
        let mut buffer = std::mem::take(&mut self.handshake);
        let mut r = Reader::new(&buffer);
        let mut used = 0;
        while let (Ok(message_kind), Ok(length)) = (r.u8(), r.u24()) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if let Ok(body) = r.take(length) {
                message(out, seen, direction, message_kind, body);
                used = r.position();
                continue;
            }
            if length > MAX_MESSAGE_BYTES {
                out.anomaly("tls.message_too_large");
                seen.malformed = true;
                self.skip = length - r.rest().len();
                used = buffer.len();
            }
            break;
        }
        buffer.drain(..used.min(buffer.len()));
        self.handshake = buffer;
    }

    /// A gap inside one record can be passed over when the record says nothing; else this side is lost.
    fn gap(&mut self, seen: &mut Seen, length: u64) {
        let silent = self.encrypted || self.kind != kind::HANDSHAKE;
        match usize::try_from(length).ok().and_then(|length| self.left.checked_sub(length)) {
            Some(left) if silent && self.begun => self.left = left,
            _ => {
                seen.malformed |= !self.encrypted;
                self.lost = true;
            }
        }
    }
}

/// Whether a handshake record after ChangeCipherSpec is a hello in the clear all the same.
fn clear_hello(part: &[u8], seen: &Seen, direction: Direction) -> bool {
    match direction {
        Direction::ToServer => part.starts_with(&[1, 0]) && seen.server.as_ref().is_none_or(|s| s.retry),
        Direction::ToClient => part.starts_with(&[2, 0]) && seen.server.as_ref().is_none_or(|s| s.retry),
    }
}

/// Takes in one handshake message (RFC 8446 appendix B.3).
fn message(out: &mut dyn Output, seen: &mut Seen, direction: Direction, kind: u8, body: &[u8]) {
    let broken = match (kind, direction) {
        (1, _) => client_hello(out, seen, body),
        (2, _) => match hello::server(body) {
            Ok(hello) => {
                inspection::random(out, direction, body);
                inspection::server(out, &hello);
                seen.server = Some(hello);
                false
            }
            Err(_) => true,
        },
        (11, Direction::ToClient) => server_chain(out, seen, body),
        (11, Direction::ToServer) => {
            let first = certificates(body).next();
            seen.client_certificate = first.and_then(certificate::read);
            if let Some(der) = first {
                inspection::certificate(out, direction, der, seen.client_certificate.as_ref());
            }
            false
        }
        (12, Direction::ToClient) => {
            seen.group = key_exchange_group(body);
            false
        }
        _ => false,
    };
    seen.malformed |= broken;
}

fn client_hello(out: &mut dyn Output, seen: &mut Seen, body: &[u8]) -> bool {
    match hello::client(body) {
        Ok(hello) => {
            seen.malformed |= hello.malformed;
            if seen.client.is_none() {
                inspection::random(out, Direction::ToServer, body);
                inspection::client(out, &hello);
            }
            // The first one is the client's own idea; a second one does what the server asked for.
            seen.client.get_or_insert(hello);
            false
        }
        Err(_) => true,
    }
}

fn server_chain(out: &mut dyn Output, seen: &mut Seen, body: &[u8]) -> bool {
    if seen.server_chain_length > 0 {
        return false;
    }
    let mut broken = false;
    for der in certificates(body) {
        seen.server_chain_length += 1;
        let mut first = None;
        if seen.server_chain.is_empty() {
            match certificate::read(der) {
                Some(read) => first = Some(read),
                None => broken = true,
            }
        }
        inspection::certificate(out, Direction::ToClient, der, first.as_ref());
        seen.server_chain.extend(first);
    }
    broken
}

/// The certificates of a Certificate message up to TLS 1.2 (later ones are encrypted).
fn certificates(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Reader::new(body).part24().unwrap_or_else(|_| Reader::new(body.get(3..).unwrap_or(&[])));
    std::iter::from_fn(move || list.part24().ok().map(|der| der.rest()))
}

/// The named group of a ServerKeyExchange with elliptic curves (RFC 8422 section 5.4).
fn key_exchange_group(body: &[u8]) -> Option<u16> {
    let mut r = Reader::new(body);
    (r.u8().ok()? == 3).then(|| r.u16().ok())?
}

fn record(seen: Seen, established: bool, time_ns: i64) -> TlsHandshake {
    let mut record = TlsHandshake { established, malformed: seen.malformed.then_some(true), ..TlsHandshake::default() };
    record.alerts = seen.alerts.iter().map(|&(_, description)| names::alert(description)).collect();
    record.alert_levels = seen.alerts.iter().map(|&(level, _)| names::alert_level(level)).collect();
    let offered = seen.client.as_ref().map(|c| c.version).or(seen.sslv2);
    if let Some(version) = seen.server.as_ref().map(|s| s.version).or(offered) {
        let (number, protocol) = names::version(version);
        (record.version, record.version_protocol) = (Some(number), Some(protocol));
    }
    record.resumed = resumed(&seen).then_some(true);
    if let Some(client) = &seen.client {
        record.server_name = client.server_name.clone();
        record.client_alpn = client.alpn.iter().take(MAX_ALPN).map(|name| text::text(name, 255)).collect();
        record.ja3 = Some(fingerprint::ja3(client));
        record.ja4 = Some(fingerprint::ja4(client, 't'));
        record.encrypted_hello = client.encrypted_hello().then_some(true);
        record.resumption_offers = offers(client);
    }
    if let Some(server) = &seen.server {
        record.cipher = Some(names::cipher(server.cipher));
        record.curve = server.group.or(seen.group).map(names::group);
        record.next_protocol = server.alpn.as_ref().map(|name| text::text(name, 255));
        record.ja3s = Some(fingerprint::ja3s(server));
    }
    if let Some(read) = seen.server_chain.into_iter().next() {
        set_certificate(&mut record, read, time_ns);
        record.chain_length = Some(seen.server_chain_length);
    }
    if let Some(read) = seen.client_certificate {
        record.client_subject = Some(read.subject);
        record.client_issuer = Some(read.issuer);
        record.client_sha256 = Some(read.sha256);
    }
    record
}

/// How the client asks to take up an earlier session. The session id of TLS 1.3 is only there for old middle boxes
/// (RFC 8446 appendix D.4).
fn offers(client: &ClientHello) -> Vec<&'static str> {
    let psk = client.extensions.contains(&41);
    let modern = client.versions.contains(&0x0304);
    let all = [(!modern && !client.session_id.is_empty(), "id"), (client.ticket, "ticket"), (psk, "psk")];
    all.into_iter().filter(|(offered, _)| *offered).map(|(_, name)| name).collect()
}

/// Up to TLS 1.2 a server that takes up a session repeats its id and sends no certificate; a ticket does the same. In
/// TLS 1.3 it accepts a pre-shared key.
fn resumed(seen: &Seen) -> bool {
    let (Some(client), Some(server)) = (&seen.client, &seen.server) else { return false };
    if server.version >= 0x0304 {
        return server.pre_shared_key;
    }
    let same_session = !client.session_id.is_empty() && client.session_id == server.session_id;
    seen.server_chain_length == 0 && (same_session || (client.ticket && !server.extensions.contains(&35)))
}

fn set_certificate(record: &mut TlsHandshake, read: certificate::Certificate, time_ns: i64) {
    let now = TimeNs(time_ns);
    let begun = read.not_before.is_none_or(|begin| begin <= now);
    let over = read.not_after.is_some_and(|end| end < now);
    record.expired = (!begun || over).then_some(true);
    record.self_signed = Some(read.self_signed);
    record.subject = Some(read.subject);
    record.issuer = Some(read.issuer);
    record.not_before = read.not_before;
    record.not_after = read.not_after;
    record.sha1 = Some(read.sha1);
    record.sha256 = Some(read.sha256);
    record.serial_number = Some(read.serial_number);
    record.alternative_names = read.alternative_names;
    record.common_name = read.common_name;
    record.key_algorithm = read.key_algorithm;
    record.key_size_bits = read.key_size_bits;
}
