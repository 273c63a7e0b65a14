//! BitTorrent (BEP 3, BEP 5, BEP 15): noticed, with what is exchanged and by which program.
//!
//! Comes in: a TCP stream that begins with a handshake of peers, or datagrams of the distributed table or of a tracker.
//! Goes out: one [`BittorrentSeen`] a flow. Of a stream only the handshake is kept.

use luytre_events::Transport;

use super::{Direction, Output, Parser, Probe, Progress, Protocol, text};

luytre_events::record! {
    /// A conversation of BitTorrent.
    pub struct BittorrentSeen in "bittorrent" {
        /// peer (exchange of a file), table (search for peers) or tracker.
        kind: &'static str = "bittorrent.type", Keyword, Column;
        /// What is exchanged or searched for, in hexadecimal.
        info_hash: Option<String> = "bittorrent.info_hash", Keyword, Column;
        /// The program, by the letters that it puts into its name: -TR4050-.
        client: Option<String> = "bittorrent.client", Keyword, Term;
        /// The program of the other side.
        server: Option<String> = "bittorrent.server", Keyword, Term;
        /// What is asked of the table: ping, find_node, get_peers, announce_peer.
        query: Option<String> = "bittorrent.query", Keyword, Term;
    }
}

/// How a peer begins.
const HANDSHAKE: &[u8; 20] = b"\x13BitTorrent protocol";
/// Length of a handshake: its mark, eight bytes of flags, what is exchanged, who speaks.
const HANDSHAKE_BYTES: usize = 68;
/// How a client begins with a tracker (BEP 15).
const CONNECT: [u8; 12] = [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0];

/// The entry in the table of protocols.
pub static PROTOCOL: Protocol = Protocol {
    name: "bittorrent",
    transports: &[Transport::TCP, Transport::UDP],
    ports: &[6881],
    probe_min_bytes: 16,
    probe,
    parser: |transport| {
        let stream = transport == Transport::TCP;
        Box::new(BittorrentParser { stream, ..BittorrentParser::default() })
    },
    datasets: &[BittorrentSeen::DATASET],
};

fn probe(_: Direction, bytes: &[u8], _on_port: bool) -> Probe {
    if bytes.starts_with(HANDSHAKE) || is_table(bytes) || (bytes.len() == 16 && bytes.starts_with(&CONNECT)) {
        return Probe::Yes;
    }
    if HANDSHAKE.starts_with(bytes) { Probe::More } else { Probe::No }
}

/// A dictionary with the number of a node, and what every message of the table ends with (BEP 5).
fn is_table(bytes: &[u8]) -> bool {
    let begins = [&b"d1:ad2:id20:"[..], b"d1:rd2:id20:", b"d2:ip6:", b"d2:ip18:"];
    let ends = [&b"1:y1:qe"[..], b"1:y1:re"];
    begins.iter().any(|begin| bytes.starts_with(begin)) && ends.iter().any(|end| bytes.ends_with(end))
}

/// The string behind a key: `9:info_hash20:` and twenty bytes.
fn string<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(key.len()).position(|window| window == key)? + key.len();
    let rest = bytes.get(at..)?;
    let colon = rest.iter().take(4).position(|b| *b == b':')?;
    let length: usize = std::str::from_utf8(rest.get(..colon)?).ok()?.parse().ok()?;
    rest.get(colon + 1..)?.get(..length)
}

#[derive(Default)]
struct BittorrentParser {
    stream: bool,
    seen: BittorrentSeen,
    /// The handshake of each side, as far as it has come.
    partial: [Vec<u8>; 2],
    told: bool,
}

impl BittorrentParser {
    fn datagram(&mut self, bytes: &[u8]) {
        if is_table(bytes) {
            self.seen.kind = "table";
            let query = || string(bytes, b"1:q").map(|query| text::text(query, 32));
            self.seen.query = self.seen.query.take().or_else(query);
            let hash = || string(bytes, b"9:info_hash").map(|hash| text::hex(hash, 20));
            self.seen.info_hash = self.seen.info_hash.take().or_else(hash);
            let client = || string(bytes, b"1:v").map(|version| text::text(version, 8));
            self.seen.client = self.seen.client.take().or_else(client);
        } else if self.seen.kind.is_empty() {
            self.seen.kind = "tracker";
        } else if self.seen.kind == "tracker" && bytes.get(8..12) == Some(&[0, 0, 0, 1]) {
            // Announce: after the two numbers what is exchanged and who asks.
            self.seen.info_hash = bytes.get(16..36).map(|hash| text::hex(hash, 20));
            self.seen.client = bytes.get(36..44).map(|name| text::text(name, 8));
        }
    }

    fn handshake(&mut self, direction: Direction, bytes: &[u8]) {
        let [to_server, to_client] = &mut self.partial;
        let partial = if direction == Direction::ToServer { to_server } else { to_client };
        let room = HANDSHAKE_BYTES.saturating_sub(partial.len()).min(bytes.len());
        partial.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
        if !partial.starts_with(HANDSHAKE) {
            return;
        }
        self.seen.kind = "peer";
        if let Some(hash) = partial.get(28..48) {
            self.seen.info_hash.get_or_insert_with(|| text::hex(hash, 20));
        }
        if let Some(name) = partial.get(48..56) {
            let place = if direction == Direction::ToServer { &mut self.seen.client } else { &mut self.seen.server };
            place.get_or_insert_with(|| text::text(name, 8));
        }
    }

    fn tell(&mut self, out: &mut dyn Output) {
        if !self.told && !self.seen.kind.is_empty() {
            self.told = true;
            out.event(std::mem::take(&mut self.seen).into_body());
        }
    }
}

impl Parser for BittorrentParser {
    fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        if !self.stream {
            self.datagram(bytes);
            return Progress::Continue;
        }
        self.handshake(direction, bytes);
        if self.partial.iter().all(|side| side.len() >= HANDSHAKE_BYTES) {
            self.tell(out);
            return Progress::Done;
        }
        Progress::Continue
    }

    fn gap(&mut self, out: &mut dyn Output, _: Direction, _: u64) -> Progress {
        self.tell(out);
        Progress::Done
    }

    fn finish(&mut self, out: &mut dyn Output) {
        self.tell(out);
    }
}
