//! What a handshake shows: its messages taken in, and what is told of them. The same for streams and datagrams.

use luytre_events::value::TimeNs;

use super::hello::{self, ClientHello, ServerHello};
use super::record::TlsHandshake;
use super::{certificate, fingerprint, inspection, names};
use crate::protocols::reader::{Reader, Short};
use crate::protocols::{Direction, Output, text};

/// Protocols of ALPN that are told.
const MAX_ALPN: usize = 32;

/// What the handshake has shown so far.
#[derive(Default)]
pub struct Seen {
    /// What the client offers.
    pub client: Option<ClientHello>,
    /// What the server chooses.
    pub server: Option<ServerHello>,
    /// Version of a client's hello in the form of SSL 2.0.
    pub sslv2: Option<u16>,
    /// The server's certificate.
    pub server_chain: Vec<certificate::Certificate>,
    /// Certificates that the server sent.
    pub server_chain_length: u64,
    /// The client's certificate.
    pub client_certificate: Option<certificate::Certificate>,
    /// Group of the key exchange, up to TLS 1.2.
    pub group: Option<u16>,
    /// Alerts in the clear: level and description.
    pub alerts: Vec<(u8, u8)>,
    /// One of them ended the connection.
    pub fatal: bool,
    /// Something could not be read.
    pub malformed: bool,
}

/// Takes in one handshake message (RFC 8446 appendix B.3).
pub fn message(out: &mut dyn Output, seen: &mut Seen, direction: Direction, kind: u8, body: &[u8]) {
    let broken = match (kind, direction) {
        (1, _) => {
            let hello = hello::client(body);
            if let (Ok(hello), None) = (&hello, &seen.client) {
                inspection::random(out, Direction::ToServer, body);
                inspection::client(out, hello);
            }
            client_hello(seen, hello)
        }
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
            inspection::state(out, direction, "server_keyx");
            seen.group = key_exchange_group(body);
            false
        }
        (16, Direction::ToServer) => {
            inspection::state(out, direction, "client_keyx");
            false
        }
        _ => false,
    };
    seen.malformed |= broken;
}

/// Keeps a client's hello; says whether it was broken.
pub fn client_hello(seen: &mut Seen, hello: Result<ClientHello, Short>) -> bool {
    match hello {
        Ok(hello) => {
            seen.malformed |= hello.malformed;
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

/// What is told of a handshake; `transport` is the letter that its fingerprint begins with.
pub fn record(seen: Seen, established: bool, time_ns: i64, transport: char) -> TlsHandshake {
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
        record.ja4 = Some(fingerprint::ja4(client, transport));
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

/// TLS 1.3, its drafts, and what stands on it over datagrams (RFC 9147).
fn modern(version: u16) -> bool {
    version == 0xfefc || (0x0304..0xfe00).contains(&version)
}

/// How the client asks to take up an earlier session. The session id of TLS 1.3 is only there for old middle boxes
/// (RFC 8446 appendix D.4).
fn offers(client: &ClientHello) -> Vec<&'static str> {
    let psk = client.extensions.contains(&41);
    let released = client.versions.iter().any(|version| matches!(version, 0x0304 | 0xfefc));
    let all = [(!released && !client.session_id.is_empty(), "id"), (client.ticket, "ticket"), (psk, "psk")];
    all.into_iter().filter(|(offered, _)| *offered).map(|(_, name)| name).collect()
}

/// Up to TLS 1.2 a server that takes up a session repeats its id and sends no certificate; a ticket does the same. In
/// TLS 1.3 it accepts a pre-shared key.
fn resumed(seen: &Seen) -> bool {
    let (Some(client), Some(server)) = (&seen.client, &seen.server) else { return false };
    if modern(server.version) {
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
