//! What signatures look into of a handshake: names, certificates, fingerprints. A handshake is one transaction.

use luytre_events::value::TimeNs;

use super::certificate::Certificate;
use super::fingerprint;
use super::hello::{ClientHello, ServerHello};
use crate::protocols::buffer::{self, BufferId};
use crate::protocols::{Direction, Output};

/// Hands over the random value of a hello: behind two bytes of version (RFC 8446 section 4.1.2).
pub fn random(out: &mut dyn Output, direction: Direction, body: &[u8]) {
    let Some(random) = body.get(2..34).filter(|_| out.inspects()) else { return };
    let (time, bytes) = random.split_at_checked(4).unwrap_or((random, &[]));
    out.inspect(direction, buffer::TLS_RANDOM, random);
    out.inspect(direction, buffer::TLS_RANDOM_TIME, time);
    out.inspect(direction, buffer::TLS_RANDOM_BYTES, bytes);
}

/// Hands over what a client offers; with it its side of the transaction is complete.
pub fn client(out: &mut dyn Output, hello: &ClientHello) {
    if !out.inspects() {
        return;
    }
    let to_server = Direction::ToServer;
    if let Some(name) = &hello.server_name {
        out.inspect(to_server, buffer::TLS_SNI, name.as_bytes());
    }
    for name in &hello.alpn {
        out.inspect(to_server, buffer::TLS_ALPN, name);
    }
    number(out, to_server, buffer::TLS_VERSION, hello.version.into());
    out.inspect(to_server, buffer::JA3_HASH, fingerprint::ja3(hello).as_bytes());
    out.inspect(to_server, buffer::JA3_STRING, fingerprint::ja3_text(hello).as_bytes());
    out.inspect(to_server, buffer::JA4_HASH, fingerprint::ja4(hello, 't').as_bytes());
    state(out, to_server, "client_hello_done");
    out.transaction(to_server);
}

/// Hands over what a client offers in the hello of SSL 2.0.
pub fn old_client(out: &mut dyn Output, version: u16) {
    if out.inspects() {
        number(out, Direction::ToServer, buffer::TLS_VERSION, version.into());
        state(out, Direction::ToServer, "client_hello_done");
        out.transaction(Direction::ToServer);
    }
}

/// A side has come to a state that rules may ask for.
pub fn state(out: &mut dyn Output, direction: Direction, name: &'static str) {
    out.frame(direction, buffer::APP_STATE, name.as_bytes());
}

/// Hands over what a server has chosen.
pub fn server(out: &mut dyn Output, hello: &ServerHello) {
    if !out.inspects() {
        return;
    }
    let to_client = Direction::ToClient;
    if let Some(name) = &hello.alpn {
        out.inspect(to_client, buffer::TLS_ALPN, name);
    }
    number(out, to_client, buffer::TLS_VERSION, hello.version.into());
    out.inspect(to_client, buffer::JA3S_HASH, fingerprint::ja3s(hello).as_bytes());
    out.inspect(to_client, buffer::JA3S_STRING, fingerprint::ja3s_text(hello).as_bytes());
    state(out, to_client, "server_hello");
}

/// Hands over a certificate, the first of its chain taken apart.
pub fn certificate(out: &mut dyn Output, direction: Direction, der: &[u8], read: Option<&Certificate>) {
    if !out.inspects() {
        return;
    }
    out.inspect(direction, buffer::TLS_CERTS, der);
    let Some(certificate) = read else { return };
    out.inspect(direction, buffer::TLS_CERT_SUBJECT, certificate.subject.as_bytes());
    out.inspect(direction, buffer::TLS_CERT_ISSUER, certificate.issuer.as_bytes());
    out.inspect(direction, buffer::TLS_CERT_SERIAL, with_colons(&certificate.serial_number).as_bytes());
    let fingerprint = with_colons(&certificate.sha1.to_ascii_lowercase());
    out.inspect(direction, buffer::TLS_CERT_FINGERPRINT, fingerprint.as_bytes());
    let seconds = |time: TimeNs| u64::try_from(time.0 / 1_000_000_000).ok();
    let times = [(buffer::TLS_NOT_BEFORE, certificate.not_before), (buffer::TLS_NOT_AFTER, certificate.not_after)];
    for (id, time) in times {
        if let Some(seconds) = time.and_then(seconds) {
            number(out, direction, id, seconds);
        }
    }
    let now = TimeNs(out.time_ns());
    let over = certificate.not_after.is_some_and(|end| end < now);
    let begun = certificate.not_before.is_some_and(|begin| begin <= now);
    if over || begun {
        number(out, direction, buffer::TLS_CERT_VALIDITY, if over { buffer::EXPIRED } else { buffer::VALID });
    }
    state(out, direction, if direction == Direction::ToServer { "client_cert_done" } else { "server_cert_done" });
    for name in &certificate.alternative_names {
        out.inspect(direction, buffer::TLS_ALTERNATIVE_NAME, name.as_bytes());
    }
}

/// The server's side is complete; its chain had so many certificates.
pub fn done(out: &mut dyn Output, chain_length: u64) {
    if out.inspects() {
        number(out, Direction::ToClient, buffer::TLS_CHAIN_LENGTH, chain_length);
        out.transaction(Direction::ToClient);
        // A client may have shown a certificate too.
        out.transaction(Direction::ToServer);
        state(out, Direction::ToServer, "client_finished");
        state(out, Direction::ToClient, "server_finished");
    }
}

/// Whether rules look into records.
pub fn wants_records(out: &dyn Output) -> bool {
    RECORDS.iter().any(|frame| out.wants(*frame))
}

/// A whole record, its header, what it carries.
const RECORDS: [BufferId; 3] = [buffer::FRAME_TLS_PDU, buffer::FRAME_TLS_HEADER, buffer::FRAME_TLS_DATA];
const HEADER_BYTES: usize = 5;

/// The records of one side, for rules alone. One unfinished record is kept.
#[derive(Debug, Default)]
pub struct Records {
    partial: Vec<u8>,
    /// They cannot be told apart any more.
    pub lost: bool,
}

impl Records {
    /// Takes in bytes, and hands over the records that they complete.
    pub fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        if self.lost {
            return;
        }
        self.partial.extend_from_slice(bytes);
        let buffer = std::mem::take(&mut self.partial);
        let mut rest = buffer.as_slice();
        while let [kind, major, _, high, low, ..] = rest {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if !(20..=24).contains(kind) || *major != 3 {
                self.lost = true;
                return;
            }
            let Some((record, after)) = rest.split_at_checked(HEADER_BYTES + length) else { break };
            let (header, data) = record.split_at_checked(HEADER_BYTES).unwrap_or((record, &[]));
            for (frame, bytes) in RECORDS.into_iter().zip([record, header, data]) {
                out.frame(direction, frame, bytes);
            }
            rest = after;
        }
        self.partial = rest.to_vec();
    }
}

fn number(out: &mut dyn Output, direction: Direction, id: BufferId, value: u64) {
    out.inspect(direction, id, &value.to_be_bytes());
}

/// `0A1B` as `0A:1B`.
fn with_colons(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 3 / 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 2 == 0 {
            out.push(':');
        }
        out.push(digit);
    }
    out
}
