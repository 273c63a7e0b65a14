//! What goes on inside a connection that a proxy's protocol has handed over: another protocol, if the table knows it.
//!
//! Comes in: the bytes behind the proxy's words. Goes out: the events of the protocol that is found. A tunnel may lead
//! through another proxy; how deep is bounded, so that nobody can build a tower.

use super::http::HttpParser;
use super::socks::SocksParser;
use super::{Direction, Output, PROTOCOLS, Parser, Probe, Progress, Protocol, http, socks};

/// Bytes of each direction that are looked at before giving up.
const MAX_PROBE_BYTES: usize = 4096;
/// Tunnels in tunnels.
const MAX_LEVEL: u8 = 2;

/// A tunnel through a proxy.
pub struct Tunnel {
    level: u8,
    inner: Option<Box<dyn Parser>>,
    reversed: bool,
    seen: [Vec<u8>; 2],
}

impl Tunnel {
    /// A tunnel in a connection that is itself `level` tunnels deep; nothing when that is deep enough.
    pub fn new(level: u8) -> Option<Tunnel> {
        (level < MAX_LEVEL).then(|| Tunnel { level, inner: None, reversed: false, seen: [Vec::new(), Vec::new()] })
    }

    /// A connection that changed to a protocol which this parser follows.
    pub fn of(inner: Box<dyn Parser>) -> Tunnel {
        Tunnel { level: MAX_LEVEL, inner: Some(inner), reversed: false, seen: [Vec::new(), Vec::new()] }
    }

    /// More bytes of one direction.
    pub fn data(&mut self, out: &mut dyn Output, direction: Direction, bytes: &[u8]) -> Progress {
        let inner_direction = turned(direction, self.reversed);
        if let Some(inner) = &mut self.inner {
            return inner.data(out, inner_direction, bytes);
        }
        let Some(seen) = self.seen.get_mut(usize::from(direction == Direction::ToClient)) else {
            return Progress::Done;
        };
        seen.extend_from_slice(bytes);
        match probe(direction, seen, self.level) {
            Found::Parser(parser, reversed) => {
                (self.inner, self.reversed) = (Some(parser), reversed);
                self.replay(out, direction)
            }
            Found::Nothing => Progress::Done,
            Found::More if seen.len() > MAX_PROBE_BYTES => Progress::Done,
            Found::More => Progress::Continue,
        }
    }

    /// Bytes of one direction are missing.
    pub fn gap(&mut self, out: &mut dyn Output, direction: Direction, length: u64) -> Progress {
        let direction = turned(direction, self.reversed);
        self.inner.as_mut().map_or(Progress::Done, |inner| inner.gap(out, direction, length))
    }

    /// The flow ends.
    pub fn finish(&mut self, out: &mut dyn Output) {
        if let Some(inner) = &mut self.inner {
            inner.finish(out);
        }
    }

    /// Hands what was kept to the parser that was found: first the other side's bytes, which came earlier.
    fn replay(&mut self, out: &mut dyn Output, latest: Direction) -> Progress {
        let [to_server, to_client] = std::mem::take(&mut self.seen);
        let mut parts = [(Direction::ToServer, to_server), (Direction::ToClient, to_client)];
        if latest == Direction::ToServer {
            parts.reverse();
        }
        let Some(inner) = &mut self.inner else { return Progress::Done };
        for (direction, bytes) in parts {
            let done = !bytes.is_empty() && inner.data(out, turned(direction, self.reversed), &bytes) == Progress::Done;
            if done {
                return Progress::Done;
            }
        }
        Progress::Continue
    }
}

enum Found {
    Parser(Box<dyn Parser>, bool),
    More,
    Nothing,
}

fn probe(direction: Direction, bytes: &[u8], level: u8) -> Found {
    let mut found = Found::Nothing;
    for protocol in PROTOCOLS.iter().filter(|p| p.transports.contains(&luytre_events::Transport::TCP)) {
        let reversed = match (protocol.probe)(direction, bytes, false) {
            Probe::Yes => false,
            Probe::YesReversed => true,
            Probe::More => {
                found = Found::More;
                continue;
            }
            Probe::No => continue,
        };
        let parser = inside(protocol, level + 1);
        return Found::Parser(parser, reversed);
    }
    found
}

/// A parser for a protocol inside `level` tunnels. Those that can tunnel themselves must know how deep they are.
fn inside(protocol: &Protocol, level: u8) -> Box<dyn Parser> {
    if protocol.name == http::PROTOCOL.name {
        Box::new(HttpParser::inside(level))
    } else if protocol.name == socks::PROTOCOL.name {
        Box::new(SocksParser::inside(level))
    } else {
        (protocol.parser)(luytre_events::Transport::TCP)
    }
}

fn turned(direction: Direction, reversed: bool) -> Direction {
    match (direction, reversed) {
        (Direction::ToServer, true) => Direction::ToClient,
        (Direction::ToClient, true) => Direction::ToServer,
        (direction, false) => direction,
    }
}
