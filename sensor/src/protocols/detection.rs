//! Which protocol a flow speaks: every protocol of the table is asked about the first bytes of each side, those first
//! whose port it is.
//!
//! Comes in: bytes of one side as they become contiguous, or datagrams. Goes out: the protocol found, together with what
//! was held back until then. Bytes are held only while it is undecided, at most [`UNDECIDED_MAX_BYTES`] a side.

use std::collections::HashMap;
use std::sync::OnceLock;

use luytre_events::Transport;

use super::{Direction, PROTOCOLS, Probe, Protocol};

/// The most bytes of a side that are looked at.
pub const UNDECIDED_MAX_BYTES: usize = 16 << 10;
/// The most datagrams of a side that are looked at.
const UNDECIDED_MAX_DATAGRAMS: u8 = 4;
/// The most times a side's bytes are looked at: bounds the work on streams that trickle.
const LOOKS_MAX: u8 = 32;
/// The most turns that are held back of both sides together: each takes memory besides its bytes.
const TURNS_MAX: usize = 512;
/// What holding something back takes besides its bytes.
const TURN_BYTES: usize = 64;

/// Something held back until the protocol was known.
#[derive(Debug, PartialEq, Eq)]
pub enum Held {
    /// Bytes of a side.
    Data(Direction, Vec<u8>),
    /// A hole in the bytes of a side.
    Gap(Direction, u64),
}

/// What was found out.
pub enum Finding {
    /// Nothing yet.
    Undecided,
    /// It is this protocol.
    Found {
        /// The protocol.
        protocol: &'static Protocol,
        /// Client and server are the other way round.
        reversed: bool,
        /// What to hand to its parser first: ends with the bytes just given; empty when they alone were enough.
        held: Vec<Held>,
    },
    /// None that we know.
    Unknown,
}

/// The search in one flow.
#[derive(Debug, Default)]
pub struct Detection {
    sides: [SideSearch; 2],
    held: Vec<Held>,
}

#[derive(Debug, Default)]
struct SideSearch {
    /// Protocols that said no, by their place in the table.
    refused: Set,
    /// Bytes from the start, as far as they were contiguous and needed again.
    bytes: Vec<u8>,
    looks: u8,
    over: bool,
}

impl Detection {
    /// Bytes of a TCP stream.
    pub fn stream(&mut self, direction: Direction, bytes: &[u8], ports: (u16, u16)) -> Finding {
        let fresh = self.held.is_empty();
        let side = self.side(direction);
        if side.over {
            self.hold(direction, bytes);
            return Finding::Undecided;
        }
        side.looks += 1;
        // The usual case: the first bytes tell, and nothing is copied.
        let found = if side.bytes.is_empty() {
            side.look(direction, bytes, ports, Transport::TCP)
        } else {
            side.bytes.extend_from_slice(bytes);
            let all = std::mem::take(&mut side.bytes);
            let found = side.look(direction, &all, ports, Transport::TCP);
            side.bytes = all;
            found
        };
        if let Some((protocol, reversed)) = found {
            if !fresh {
                self.hold(direction, bytes);
            }
            return Finding::Found { protocol, reversed, held: std::mem::take(&mut self.held) };
        }
        if side.bytes.is_empty() {
            side.bytes.extend_from_slice(bytes);
        }
        if side.looks >= LOOKS_MAX || side.bytes.len() >= UNDECIDED_MAX_BYTES {
            side.over = true;
        }
        if side.over {
            side.bytes = Vec::new();
        }
        self.hold(direction, bytes);
        self.verdict()
    }

    /// A hole in a TCP stream: what lies behind it cannot be the beginning of anything.
    pub fn gap(&mut self, direction: Direction, length: u64) -> Finding {
        let side = self.side(direction);
        side.over = true;
        side.bytes = Vec::new();
        self.hold_gap(direction, length);
        self.verdict()
    }

    /// One UDP datagram: it tells by itself or not at all.
    pub fn datagram(&mut self, direction: Direction, bytes: &[u8], ports: (u16, u16)) -> Finding {
        let side = self.side(direction);
        if side.over {
            return self.verdict();
        }
        side.looks += 1;
        side.refused = 0;
        if let Some((protocol, reversed)) = side.look(direction, bytes, ports, Transport::UDP) {
            return Finding::Found { protocol, reversed, held: Vec::new() };
        }
        side.over = side.looks >= UNDECIDED_MAX_DATAGRAMS;
        self.verdict()
    }

    /// Bytes that are kept until the protocol is known.
    pub fn kept_bytes(&self) -> usize {
        let looked_at: usize = self.sides.iter().map(|side| side.bytes.len()).sum();
        let held: usize = self.held.iter().map(Held::bytes).sum();
        looked_at + held
    }

    fn verdict(&mut self) -> Finding {
        if self.sides.iter().all(|side| side.over) {
            self.held = Vec::new();
            return Finding::Unknown;
        }
        Finding::Undecided
    }

    fn side(&mut self, direction: Direction) -> &mut SideSearch {
        let [to_server, to_client] = &mut self.sides;
        match direction {
            Direction::ToServer => to_server,
            Direction::ToClient => to_client,
        }
    }

    /// Holds bytes back; beyond the limit only their number is kept.
    fn hold(&mut self, direction: Direction, bytes: &[u8]) {
        let held: usize = self.held.iter().map(|held| held.size(direction)).sum();
        let room = if self.held.len() < TURNS_MAX { UNDECIDED_MAX_BYTES.saturating_sub(held) } else { 0 };
        let (kept, lost) = bytes.split_at(room.min(bytes.len()));
        if !kept.is_empty() {
            match self.held.last_mut() {
                Some(Held::Data(last, data)) if *last == direction => data.extend_from_slice(kept),
                _ => self.held.push(Held::Data(direction, kept.to_vec())),
            }
        }
        if !lost.is_empty() {
            self.hold_gap(direction, lost.len() as u64);
        }
    }

    /// Holds a hole back; one that follows another is the same hole.
    fn hold_gap(&mut self, direction: Direction, gap: u64) {
        match self.held.iter_mut().rev().find(|held| held.is_of(direction)) {
            Some(Held::Gap(_, length)) => *length += gap,
            _ => self.held.push(Held::Gap(direction, gap)),
        }
    }
}

impl Held {
    fn is_of(&self, wanted: Direction) -> bool {
        matches!(self, Held::Data(d, _) | Held::Gap(d, _) if *d == wanted)
    }

    fn bytes(&self) -> usize {
        match self {
            Held::Data(_, bytes) => bytes.len() + TURN_BYTES,
            Held::Gap(..) => TURN_BYTES,
        }
    }

    fn size(&self, wanted: Direction) -> usize {
        match self {
            Held::Data(direction, bytes) if *direction == wanted => bytes.len(),
            _ => 0,
        }
    }
}

impl SideSearch {
    /// Asks every protocol that has not refused yet, those of the port first.
    fn look(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        ports: (u16, u16),
        transport: Transport,
    ) -> Option<(&'static Protocol, bool)> {
        let table = Table::get();
        self.refused |= !table.over(transport);
        let of_port = table.at(ports.0) | table.at(ports.1);
        for (group, on_port) in [(of_port, true), (!of_port, false)] {
            let mut asked = group & !self.refused;
            while asked != 0 {
                let number = asked.trailing_zeros();
                asked &= asked - 1;
                let Some(protocol) = PROTOCOLS.get(number as usize) else { break };
                if bytes.len() < protocol.probe_min_bytes {
                    continue;
                }
                match (protocol.probe)(direction, bytes, on_port) {
                    Probe::Yes => return Some((*protocol, false)),
                    Probe::YesReversed => return Some((*protocol, true)),
                    Probe::No => self.refused |= 1 << number,
                    Probe::More => {}
                }
            }
        }
        self.over = self.refused == Set::MAX;
        None
    }
}

/// Protocols by their place in the table, a bit each.
type Set = u128;

const _: () = assert!(PROTOCOLS.len() <= Set::BITS as usize, "more protocols than bits");

/// Which protocols come into question, found once.
struct Table {
    transports: Vec<(Transport, Set)>,
    ports: HashMap<u16, Set, ahash::RandomState>,
}

impl Table {
    fn get() -> &'static Table {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| {
            let mut table = Table { transports: Vec::new(), ports: HashMap::default() };
            for (number, protocol) in PROTOCOLS.iter().enumerate() {
                let bit: Set = 1 << number;
                for transport in protocol.transports {
                    match table.transports.iter_mut().find(|(known, _)| known == transport) {
                        Some((_, set)) => *set |= bit,
                        None => table.transports.push((*transport, bit)),
                    }
                }
                for port in protocol.ports {
                    *table.ports.entry(*port).or_default() |= bit;
                }
            }
            table
        })
    }

    /// Protocols that are spoken over a transport.
    fn over(&self, transport: Transport) -> Set {
        self.transports.iter().find(|(known, _)| *known == transport).map_or(0, |(_, set)| *set)
    }

    /// Protocols that have a port.
    fn at(&self, port: u16) -> Set {
        self.ports.get(&port).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One side only, of no protocol, with bytes missing again and again: neither the holes nor what lies between them may
    /// grow without end.
    #[test]
    fn many_holes_in_what_is_unknown_take_little() {
        let mut detection = Detection::default();
        for at in 0..100_000u32 {
            assert!(matches!(detection.gap(Direction::ToServer, 10), Finding::Undecided));
            let finding = detection.stream(Direction::ToServer, &[0x80 | at as u8], (40_000, 40_001));
            assert!(matches!(finding, Finding::Undecided));
        }
        assert!(detection.held.len() <= TURNS_MAX + 2, "{} turns are held", detection.held.len());
        assert!(detection.kept_bytes() <= (TURNS_MAX + 2) * (TURN_BYTES + 1));
        // What is not held is still counted, in its place.
        let told: u64 = detection
            .held
            .iter()
            .map(|held| match held {
                Held::Data(_, bytes) => bytes.len() as u64,
                Held::Gap(_, length) => *length,
            })
            .sum();
        assert_eq!(told, 100_000 * 11);
    }
}
