//! WireGuard (whitepaper, section 5.4): noticed, not read; everything but the kind of a message is encrypted.
//!
//! Comes in: datagrams. Goes out: one [`WireguardTunnel`] when a handshake is answered, or when the flow ends without an
//! answer. Of a tunnel that is under way nothing but the flow is told. Nothing is kept but one number.

use luytre_events::Transport;

use super::reader::Reader;
use super::{Direction, Output, Parser, Probe, Progress, Protocol};

luytre_events::record! {
    /// A WireGuard tunnel that two hosts began.
    pub struct WireguardTunnel in "wireguard" {
        /// Whether the handshake was answered.
        answered: bool = "wireguard.answered", Boolean, Column;
        /// The initiator's number of the tunnel.
        sender_index: u64 = "wireguard.sender_index", Long, Term;
        /// Handshakes that were begun until one was answered.
        attempts: u64 = "wireguard.attempts", Long, Term;
        /// True when the responder was under load and sent a cookie first.
        cookie: Option<bool> = "wireguard.cookie", Boolean, Term;
    }
}

/// Lengths of the first two messages.
const INITIATION_BYTES: usize = 148;
const RESPONSE_BYTES: usize = 92;
const COOKIE_BYTES: usize = 64;

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "wireguard",
    transports: &[Transport::UDP],
    ports: &[51820],
    probe_min_bytes: COOKIE_BYTES,
    probe,
    parser: |_| Box::new(WireguardParser::default()),
    datasets: &[WireguardTunnel::DATASET],
};

enum Message {
    Initiation(u32),
    Response(u32),
    Cookie,
}

/// Kind, three zeros, the numbers of sender and receiver.
fn read(bytes: &[u8]) -> Option<Message> {
    let mut r = Reader::new(bytes);
    let kind = r.array::<4>().ok()?;
    let mut index = || r.array().map(u32::from_le_bytes).ok();
    match (kind, bytes.len()) {
        ([1, 0, 0, 0], INITIATION_BYTES) => index().map(Message::Initiation),
        ([2, 0, 0, 0], RESPONSE_BYTES) => index().and_then(|_| index()).map(Message::Response),
        ([3, 0, 0, 0], COOKIE_BYTES) => Some(Message::Cookie),
        _ => None,
    }
}

/// A handshake begins with a message of one length; where it was missed, its answer has another one.
fn probe(direction: Direction, bytes: &[u8], on_port: bool) -> Probe {
    match (read(bytes), direction) {
        (Some(Message::Initiation(_)), Direction::ToServer) => Probe::Yes,
        (Some(Message::Initiation(_)), Direction::ToClient) => Probe::YesReversed,
        (Some(Message::Response(_)), Direction::ToClient) if on_port => Probe::Yes,
        (Some(Message::Response(_)), Direction::ToServer) if on_port => Probe::YesReversed,
        _ => Probe::No,
    }
}

#[derive(Default)]
struct WireguardParser {
    open: Option<WireguardTunnel>,
}

impl Parser for WireguardParser {
    fn data(&mut self, out: &mut dyn Output, _: Direction, bytes: &[u8]) -> Progress {
        match read(bytes) {
            Some(Message::Initiation(index)) => {
                let tunnel = self.open.get_or_insert_default();
                tunnel.sender_index = index.into();
                tunnel.attempts += 1;
            }
            Some(Message::Cookie) => {
                if let Some(tunnel) = &mut self.open {
                    tunnel.cookie = Some(true);
                }
            }
            Some(Message::Response(index)) => {
                let tunnel = self.open.take().unwrap_or_default();
                let record = WireguardTunnel { answered: true, sender_index: index.into(), ..tunnel };
                out.event(record.into_body());
                // The tunnel's keys change every two minutes: more of the same.
                return Progress::Done;
            }
            None => {}
        }
        Progress::Continue
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if let Some(tunnel) = self.open.take() {
            out.event(tunnel.into_body());
        }
    }
}
