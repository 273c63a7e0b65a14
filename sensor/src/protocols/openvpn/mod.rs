//! OpenVPN (protocol of versions 2.x): noticed, not read; its first messages tell it and how it is protected.
//!
//! Comes in: datagrams, or a TCP stream with two bytes of length before each message. Goes out: one [`OpenvpnTunnel`]
//! when the server answers, or when the flow ends without an answer. Of a stream only its first bytes are kept.

use luytre_events::Transport;

use super::reader::Reader;
use super::{Direction, Output, Parser, Probe, Progress, Protocol, text};

luytre_events::record! {
    /// An OpenVPN tunnel that two hosts began.
    pub struct OpenvpnTunnel in "openvpn" {
        /// Whether the server answered.
        answered: bool = "openvpn.answered", Boolean, Column;
        /// How the first messages are protected: none, authenticated (tls-auth), encrypted (tls-crypt) or encrypted with a
        /// key of the client's own (tls-crypt-v2).
        protection: &'static str = "openvpn.protection", Keyword, Column;
        /// The client's number of the session, in hexadecimal.
        client_session: Option<String> = "openvpn.client_session", Keyword, Term;
        /// The server's number of the session, in hexadecimal.
        server_session: Option<String> = "openvpn.server_session", Keyword, Term;
    }
}

/// Kinds of message, in the upper five bits of the first byte.
const RESET_CLIENT: u8 = 7;
const RESET_SERVER: u8 = 8;
const RESET_CLIENT_V3: u8 = 10;
/// The shortest first message: kind, session, no acknowledgements, number.
const PLAIN_BYTES: usize = 14;
/// What protection adds besides the digest: a number and a time.
const REPLAY_BYTES: usize = 8;
/// Lengths of the digests in use: MD5, SHA-1, SHA-256, SHA-384, SHA-512.
const DIGESTS: [usize; 5] = [16, 20, 32, 48, 64];

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "openvpn",
    transports: &[Transport::UDP, Transport::TCP],
    ports: &[1194],
    probe_min_bytes: PLAIN_BYTES,
    probe,
    parser: |transport| Box::new(OpenvpnParser { stream: transport == Transport::TCP, ..OpenvpnParser::default() }),
    datasets: &[OpenvpnTunnel::DATASET],
};

/// Session and protection of a client's first message, which has nothing but them (in version 3 a key follows).
fn first(bytes: &[u8]) -> Option<([u8; 8], &'static str)> {
    let mut r = Reader::new(bytes);
    let kind = r.u8().ok()?;
    let session = r.array().ok()?;
    // The first key of a session has number zero.
    if kind & 7 != 0 || session == [0; 8] {
        return None;
    }
    // No acknowledgements, and the first number there is.
    let begins_anew = bytes.ends_with(&[0; 5]);
    let numbered = |r: &mut Reader<'_>| r.u32() == Ok(1);
    let protection = match kind >> 3 {
        RESET_CLIENT if bytes.len() == PLAIN_BYTES && begins_anew => "none",
        RESET_CLIENT if begins_anew => {
            let digest =
                bytes.len().checked_sub(PLAIN_BYTES + REPLAY_BYTES).filter(|length| DIGESTS.contains(length))?;
            r.skip(digest).ok().filter(|()| numbered(&mut r))?;
            "authenticated"
        }
        RESET_CLIENT if bytes.len() == PLAIN_BYTES + REPLAY_BYTES + 32 && numbered(&mut r) => "encrypted",
        RESET_CLIENT_V3 if ends_with_key(bytes) => "encrypted with a key of the client's own",
        _ => return None,
    };
    Some((session, protection))
}

/// Whether a wrapped key stands behind the first message: its last two bytes are its length (tls-crypt-v2).
fn ends_with_key(bytes: &[u8]) -> bool {
    /// A digest, a key of 256 bytes, the length.
    const KEY_MIN_BYTES: usize = 32 + 256 + 2;
    let key_bytes = bytes.len().saturating_sub(PLAIN_BYTES + REPLAY_BYTES + 32);
    let length = bytes.last_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
    key_bytes >= KEY_MIN_BYTES && length == Some(key_bytes)
}

/// The message that two bytes of length stand before.
fn framed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.get(..usize::from(u16::from_be_bytes(*length)))
}

fn probe(direction: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    let found = first(bytes).is_some() || framed(bytes).is_some_and(|message| first(message).is_some());
    match (found, direction) {
        (false, _) => Probe::No,
        (true, Direction::ToServer) => Probe::Yes,
        (true, Direction::ToClient) => Probe::YesReversed,
    }
}

#[derive(Default)]
struct OpenvpnParser {
    stream: bool,
    open: Option<OpenvpnTunnel>,
    /// First bytes of each side of a stream, until they hold a kind and a session.
    partial: [Vec<u8>; 2],
    done: bool,
}

impl OpenvpnParser {
    fn message(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if direction == Direction::ToServer {
            if let Some((session, protection)) = first(bytes).filter(|_| self.open.is_none()) {
                let client_session = Some(text::hex(&session, 8));
                self.open = Some(OpenvpnTunnel { protection, client_session, ..OpenvpnTunnel::default() });
            }
            return Progress::Continue;
        }
        let mut r = Reader::new(bytes);
        if let (Ok(kind), Ok(session)) = (r.u8(), r.take(8))
            && kind >> 3 == RESET_SERVER
            && let Some(tunnel) = self.open.take()
        {
            let server_session = Some(text::hex(session, 8));
            out.event(OpenvpnTunnel { answered: true, server_session, ..tunnel }.into_body());
            self.done = true;
            return Progress::Done;
        }
        Progress::Continue
    }
}

impl Parser for OpenvpnParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        /// Enough for the first message with a key of the client's own.
        const MAX_FIRST_BYTES: usize = 2048;
        if !self.stream {
            return self.message(out, direction, bytes);
        }
        let [to_server, to_client] = &mut self.partial;
        let partial = if direction == Direction::ToServer { to_server } else { to_client };
        let room = MAX_FIRST_BYTES.saturating_sub(partial.len()).min(bytes.len());
        partial.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
        match framed(partial).map(<[u8]>::to_vec) {
            Some(message) => self.message(out, direction, &message),
            None if partial.len() >= MAX_FIRST_BYTES => Progress::Done,
            None => Progress::Continue,
        }
    }

    fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        if let Some(tunnel) = self.open.take().filter(|_| !self.done) {
            out.event(tunnel.into_body());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_messages_tell_their_protection() {
        let plain = [&[7 << 3][..], &[9; 8], &[0; 5]].concat();
        let authenticated = [&[7 << 3][..], &[9; 8], &[5; 20], &[0, 0, 0, 1, 1, 2, 3, 4], &[0; 5]].concat();
        let encrypted = [&[7 << 3][..], &[9; 8], &[0, 0, 0, 1, 1, 2, 3, 4], &[5; 37]].concat();
        let protection = |bytes: &[u8]| first(bytes).map(|(_, protection)| protection);
        assert_eq!(protection(&plain), Some("none"));
        assert_eq!(protection(&authenticated), Some("authenticated"));
        assert_eq!(protection(&encrypted), Some("encrypted"));
        let own_key = [&[10 << 3][..], &[9; 8], &[0, 0, 0, 1, 1, 2, 3, 4], &[5; 37], &[6; 300], &[0x01, 0x2e]].concat();
        assert_eq!(protection(&own_key), Some("encrypted with a key of the client's own"));
        assert_eq!(protection(&own_key[..350]), None);
        assert_eq!(protection(&[7 << 3; 14]), None);
        assert_eq!(protection(&[&[8 << 3][..], &[9; 8], &[0; 5]].concat()), None);
    }
}
