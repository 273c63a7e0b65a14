//! Follows one flow: opens the first packets of both sides, reads the hellos, tells the connection.

use super::super::tls::{fingerprint, hello as tls, names};
use super::crypto::Keys;
use super::google;
use super::hello::Hello;
use super::packet::{self, Kind, Packet};
use super::record::QuicConnection;
use crate::protocols::{Direction, Output, Parser, Progress, buffer, text};

/// Datagrams of a flow that are looked at before it is told as it is.
const MAX_DATAGRAMS: u32 = 64;
/// Ids for which keys are made in one flow: each retry and each new connection has one.
const MAX_KEYS: u32 = 8;
/// Protocols of ALPN that are told.
const MAX_ALPN: usize = 32;

/// The parser of one flow.
#[derive(Default)]
pub struct QuicParser {
    record: QuicConnection,
    keys: Option<Keys>,
    keys_made: u32,
    client: Hello,
    server: Hello,
    client_read: bool,
    server_read: bool,
    datagrams: u32,
    seen: bool,
    told: bool,
}

impl Parser for QuicParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        self.datagrams += 1;
        self.datagram(out, direction, bytes);
        let over = self.client_read && self.server_read || self.datagrams >= MAX_DATAGRAMS;
        if over || self.told {
            self.tell(out);
            return Progress::Done;
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Continue
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.tell(out);
    }
}

impl QuicParser {
    fn datagram(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) {
        if let Some(version) = google::version(bytes) {
            self.google(out, direction, version, bytes);
            return;
        }
        if let Some((header, list)) = packet::long_header(bytes)
            && header.version == 0
        {
            if direction == Direction::ToClient {
                self.seen = true;
                let offered = packet::offered(list).into_iter().filter(|version| !packet::is_probing(*version));
                self.record.offered_versions = offered.map(packet::version_name).collect();
            }
            return;
        }
        let mut rest = bytes;
        while let Some((packet, after)) = packet::next(rest) {
            rest = after;
            self.packet(out, direction, &packet);
        }
        if rest.len() < bytes.len() {
            out.transaction(direction);
        }
    }

    fn packet(&mut self, out: &mut dyn Output, direction: Direction, packet: &Packet<'_>) {
        self.seen = true;
        let of_client = direction == Direction::ToServer;
        if of_client && !self.client_read {
            self.record.version = Some(packet::version_name(packet.header.version));
        }
        // Signatures look at a datagram as a transaction.
        out.inspect(direction, buffer::QUIC_VERSION, &packet.header.version.to_be_bytes());
        match packet.kind {
            Kind::Initial => self.initial(out, of_client, packet),
            Kind::EarlyData if of_client => self.record.early_data = Some(true),
            Kind::Retry if !of_client => {
                self.record.retry = Some(true);
                // The client begins again, with other keys.
                (self.keys, self.client, self.client_read) = (None, Hello::default(), false);
            }
            _ => {}
        }
    }

    fn initial(&mut self, out: &mut dyn Output, of_client: bool, packet: &Packet<'_>) {
        let version = packet.header.version;
        let opened = self.keys.as_ref().and_then(|keys| keys.open(packet, of_client));
        let frames = match opened {
            Some(frames) => frames,
            // Only the client's first id makes keys.
            None if of_client && self.keys_made < MAX_KEYS => {
                self.keys_made += 1;
                let Some(keys) = Keys::new(version, packet.header.destination) else { return };
                let Some(frames) = keys.open(packet, true) else {
                    out.anomaly("quic.not_opened");
                    return;
                };
                if self.client_read && self.keys.is_some() {
                    // Another connection between the same ends, whose server has not answered the first one.
                    self.tell(out);
                    return;
                }
                self.record.connection_id.get_or_insert_with(|| hex::encode(packet.header.destination));
                (self.keys, self.client) = (Some(keys), Hello::default());
                frames
            }
            None => return,
        };
        let side = if of_client { &mut self.client } else { &mut self.server };
        if side.frames(&frames).is_err() {
            out.anomaly("quic.frames");
        }
        if side.overflown {
            out.anomaly("quic.hello_limit");
        }
        if let Some(closed) = side.closed.take() {
            (self.record.error_code, self.record.error_reason) = (Some(closed.code), closed.reason);
        }
        if of_client { self.client_hello(out) } else { self.server_hello(out) }
    }

    fn client_hello(&mut self, out: &mut dyn Output) {
        if self.client_read {
            return;
        }
        if let Some(hello) = google::hello(self.client.bytes()) {
            self.google_hello(out, hello);
            return;
        }
        let Some((1, body)) = self.client.message() else { return };
        self.client_read = true;
        let Ok(hello) = tls::client(body) else {
            out.anomaly("quic.hello");
            return;
        };
        self.record.server_name = hello.server_name.clone();
        self.record.client_alpn = hello.alpn.iter().take(MAX_ALPN).map(|name| text::text(name, 255)).collect();
        self.record.encrypted_hello = hello.encrypted_hello().then_some(true);
        self.record.ja3 = Some(fingerprint::ja3(&hello));
        self.record.ja4 = Some(fingerprint::ja4(&hello, 'q'));
        inspect_client(out, &hello);
    }

    fn server_hello(&mut self, out: &mut dyn Output) {
        let Some((2, body)) = self.server.message() else { return };
        let Ok(hello) = tls::server(body) else {
            self.server_read = true;
            out.anomaly("quic.hello");
            return;
        };
        self.server_read = true;
        self.record.established = true;
        self.record.tls_version = Some(names::version(hello.version).0);
        self.record.cipher = Some(names::cipher(hello.cipher));
        self.record.curve = hello.group.map(names::group);
        self.record.ja3s = Some(fingerprint::ja3s(&hello));
        if out.inspects() {
            out.inspect(Direction::ToClient, buffer::JA3S_HASH, fingerprint::ja3s(&hello).as_bytes());
            out.inspect(Direction::ToClient, buffer::JA3S_STRING, fingerprint::ja3s_text(&hello).as_bytes());
        }
        self.record.resumed = hello.pre_shared_key.then_some(true);
    }

    /// A packet of Google's, whose hello is in the clear.
    fn google(&mut self, out: &mut dyn Output, direction: Direction, version: u32, bytes: &[u8]) {
        self.seen = true;
        if direction == Direction::ToClient {
            self.record.established = true;
            return;
        }
        if !self.client_read {
            self.record.version = Some(packet::version_name(version));
        }
        if let Some(hello) = google::hello(bytes) {
            self.google_hello(out, hello);
        }
    }

    /// A client says hello twice when the server does not know it yet; the second one says more.
    fn google_hello(&mut self, out: &mut dyn Output, hello: google::GoogleHello) {
        self.client_read = true;
        self.record.server_name = hello.server_name.or(self.record.server_name.take());
        if let Some(agent) = hello.user_agent.as_deref().filter(|_| out.inspects()) {
            out.inspect(Direction::ToServer, buffer::QUIC_UA, agent.as_bytes());
            out.transaction(Direction::ToServer);
        }
        self.record.user_agent = hello.user_agent.or(self.record.user_agent.take());
    }

    fn tell(&mut self, out: &mut dyn Output) {
        if self.told || !self.seen {
            return;
        }
        self.told = true;
        out.event(std::mem::take(&mut self.record).into_body());
    }
}

/// What signatures look into of a client's hello. A packet is a transaction.
fn inspect_client(out: &mut dyn Output, hello: &tls::ClientHello) {
    if !out.inspects() {
        return;
    }
    let to_server = Direction::ToServer;
    if let Some(name) = &hello.server_name {
        out.inspect(to_server, buffer::QUIC_SNI, name.as_bytes());
    }
    out.inspect(to_server, buffer::JA3_HASH, fingerprint::ja3(hello).as_bytes());
    out.inspect(to_server, buffer::JA3_STRING, fingerprint::ja3_text(hello).as_bytes());
    out.inspect(to_server, buffer::JA4_HASH, fingerprint::ja4(hello, 'q').as_bytes());
}
