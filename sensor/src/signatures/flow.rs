//! What signatures remember of one flow: bytes of its streams that are not looked at yet, buffers of open transactions.

use std::collections::VecDeque;

use luytre_rules_engine::signatures::buffer::BufferId;
use luytre_rules_engine::signatures::inspect::{Buffers, FlowNotes};

use crate::flow::Side as FlowSide;
use crate::protocols::{Direction, FileToken};

/// A stream is looked at in pieces of at least so many bytes, unless something tells that a piece is complete.
const PIECE_MIN_BYTES: usize = 2560;
/// Bytes of a stream that are looked at at most.
const STREAM_MAX_BYTES: u64 = 1 << 20;
/// The most bytes of one buffer.
pub const BUFFER_MAX_BYTES: usize = 100 * 1024;
/// Bytes of a stream that are kept beside a transaction.
const RECENT_MAX_BYTES: usize = 32 << 10;
/// Holes in what is pending of a stream; what is beyond counts as if there were none.
const CUTS_MAX: usize = 64;
/// The most buffers of one transaction in one direction.
const BUFFERS_MAX: usize = 1024;
/// The most transactions that are completed by one packet.
const TRANSACTIONS_MAX: usize = 256;

/// One flow.
#[derive(Debug, Default)]
pub struct FlowInspection {
    /// Of which set of rules its notes are.
    pub generation: u64,
    /// What rules remember.
    pub notes: FlowNotes,
    /// By direction: to the server, to the client.
    pub sides: [Side; 2],
    /// Transactions that are complete and not looked at yet.
    pub complete: Vec<Complete>,
    /// What is spoken, as far as rules have been told.
    pub told_protocol: [bool; 2],
    /// Files that are open, with the direction they travel in.
    pub files: Vec<(FileToken, Direction)>,
    /// What rules call the protocol, where they have a name of their own for what is spoken inside.
    pub dialect: Option<&'static str>,
    /// The protocol as rules may know it: once the receiver has acknowledged what told it.
    pub visible: Option<&'static str>,
    /// The latest request, where rules look into both directions of a transaction.
    pub request: Option<Buffers>,
    /// Which way the bytes go that are being worked on.
    pub feeding: Option<Direction>,
    /// Packets that were looked at.
    pub packets: u64,
    /// The connection was established with the packet before.
    pub followed: bool,
    /// It goes on after a connection that was over.
    pub past: Option<super::lingering::Past>,
    /// Who sent the first packet that was seen.
    pub first: Option<FlowSide>,
    /// What is odd about its streams.
    pub odd_streams: super::odd_streams::Seen,
    /// Things that found no room.
    pub refused: u64,
}

/// A transaction that is complete in one direction.
#[derive(Debug)]
pub struct Complete {
    /// Which.
    pub direction: Direction,
    /// Its buffers.
    pub buffers: Buffers,
    /// The receiver has acknowledged it.
    pub ready: bool,
    /// It went the other way: only rules that name a direction are asked.
    pub turned: bool,
    /// It is not over, but more files will come with it: only rules that look into files are asked.
    pub of_files: bool,
    /// What rules call the protocol at that time.
    pub dialect: Option<&'static str>,
}

/// What one side sends.
#[derive(Debug, Default)]
pub struct Side {
    /// A packet of this direction was seen.
    pub seen: bool,
    /// Bytes of the stream that were not looked at.
    pub pending: Vec<u8>,
    /// How many of them the receiver has acknowledged.
    pub acknowledged: usize,
    /// Bytes of the stream before those.
    pub before: u64,
    /// Holes: how many of the pending bytes come before each, and how long it is.
    cuts: VecDeque<(usize, u64)>,
    /// Bytes of the stream since the latest transaction, where rules look into both.
    pub recent: Vec<u8>,
    /// So much of what is pending is to be looked at as soon as the receiver has it: up to the first place, and to the last.
    flush: Option<(usize, usize)>,
    /// What told that came after a hole, where the latest of those places is one.
    flush_after_hole: bool,
    /// The buffers of the transaction under way.
    pub buffers: Buffers,
    /// The packet in which the latest file of the transaction under way began.
    latest_file: Option<u64>,
    /// Buffers that come in parts.
    growing: Vec<(BufferId, Vec<u8>)>,
}

/// Which of two places a direction has.
pub fn place(direction: Direction) -> usize {
    match direction {
        Direction::ToServer => 0,
        Direction::ToClient => 1,
    }
}

impl FlowInspection {
    /// The side that sends in a direction.
    pub fn side(&mut self, direction: Direction) -> &mut Side {
        let [to_server, to_client] = &mut self.sides;
        match direction {
            Direction::ToServer => to_server,
            Direction::ToClient => to_client,
        }
    }

    /// Lets go of everything but what rules remember.
    pub fn forget_bytes(&mut self) {
        (self.complete, self.files, self.request) = (Vec::new(), Vec::new(), None);
        for side in &mut self.sides {
            *side = Side { seen: side.seen, ..Side::default() };
        }
    }

    /// The receiver of a direction has everything that was sent so far.
    pub fn acknowledge(&mut self, direction: Direction, protocol: Option<&'static str>) {
        let side = self.side(direction);
        side.acknowledged = side.pending.len();
        if side.before > 0 || !side.pending.is_empty() {
            self.visible = protocol;
        }
        for complete in self.complete.iter_mut().filter(|complete| complete.direction == direction) {
            complete.ready = true;
        }
    }

    /// A buffer that is a transaction of its own.
    pub fn alone(&mut self, direction: Direction, id: BufferId, bytes: &[u8]) {
        if self.complete.len() >= TRANSACTIONS_MAX {
            self.refused += 1;
            return;
        }
        let mut buffers = Buffers::default();
        buffers.add(id, bytes.get(..BUFFER_MAX_BYTES).unwrap_or(bytes));
        self.side(direction).flush();
        self.complete.push(Complete {
            direction,
            buffers,
            ready: false,
            turned: false,
            of_files: false,
            dialect: self.dialect,
        });
    }

    /// What was odd is a matter of the whole transaction: rules for the other direction may ask for it, too.
    pub fn turned(&mut self, direction: Direction, id: BufferId, bytes: &[u8]) {
        self.alone(direction, id, bytes);
        if let Some(complete) = self.complete.last_mut() {
            complete.turned = true;
        }
    }

    /// A file begins. Rules ask for each of the files that come with a transaction one after the other.
    pub fn file_begins(&mut self, direction: Direction) {
        let (packets, dialect) = (self.packets, self.dialect);
        let side = self.side(direction);
        let before = side.latest_file.replace(packets);
        if before.is_some_and(|before| before != packets) && self.complete.len() < TRANSACTIONS_MAX {
            let buffers = self.side(direction).buffers.part_with_files();
            let of_files = true;
            self.complete.push(Complete { direction, buffers, ready: false, turned: false, of_files, dialect });
        }
    }

    /// A transaction is complete in one direction.
    pub fn complete(&mut self, direction: Direction) {
        let side = self.side(direction);
        side.finish_all();
        side.flush();
        let buffers = std::mem::take(&mut side.buffers);
        side.latest_file = None;
        if self.complete.len() < TRANSACTIONS_MAX {
            self.complete.push(Complete {
                direction,
                buffers,
                ready: false,
                turned: false,
                of_files: false,
                dialect: self.dialect,
            });
        } else {
            self.refused += 1;
        }
    }
}

impl Side {
    /// More of the stream.
    pub fn data(&mut self, bytes: &[u8], keep_recent: bool) {
        if keep_recent {
            let room = RECENT_MAX_BYTES.saturating_sub(self.recent.len());
            self.recent.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
        let so_far = self.before + self.pending.len() as u64;
        let room = usize::try_from(STREAM_MAX_BYTES.saturating_sub(so_far)).unwrap_or(usize::MAX);
        self.pending.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// What is pending is to be looked at as soon as the receiver has it.
    fn flush(&mut self) {
        let place = self.pending.len();
        self.flush = Some((self.flush.map_or(place, |(first, _)| first), place));
        self.flush_after_hole = self.cuts.back().is_some_and(|(at, _)| *at == place);
    }

    /// Bytes are missing: what is before them is looked at by itself.
    pub fn gap(&mut self, length: u64) {
        if self.pending.is_empty() {
            self.before += length;
        } else if self.cuts.len() < CUTS_MAX {
            self.cuts.push_back((self.pending.len(), length));
        }
    }

    /// The next piece of the stream and how many bytes came before it, if it is time to look at one.
    pub fn due(&mut self, over: bool) -> Option<(Vec<u8>, u64)> {
        if over {
            self.acknowledged = self.pending.len();
        }
        // Nobody will ever see what was in a hole: what is before it is looked at by itself.
        let cut = self.cuts.pop_front_if(|(at, _)| *at <= self.acknowledged);
        let ready = cut.map_or(self.acknowledged, |(at, _)| at);
        if let (0, Some((_, length))) = (ready, cut) {
            self.before += length;
            return self.due(over);
        }
        let asked = cut.is_some() || self.flush.is_some_and(|(first, _)| first <= ready);
        if ready == 0 || !(over || asked || ready >= PIECE_MIN_BYTES) {
            return None;
        }
        // What is told by a hole is a reason to look at what comes after it, too.
        let beyond = cut.is_some() && std::mem::take(&mut self.flush_after_hole);
        let later = |place: usize| place.checked_sub(ready).filter(|place| *place > 0 || beyond);
        self.flush = self.flush.and_then(|(first, last)| later(first).or(later(last)).zip(later(last)));
        self.acknowledged -= ready;
        let rest = self.pending.split_off(ready);
        let piece = std::mem::replace(&mut self.pending, rest);
        let before = self.before;
        self.before += piece.len() as u64 + cut.map_or(0, |(_, length)| length);
        for (at, _) in &mut self.cuts {
            *at = at.saturating_sub(ready);
        }
        Some((piece, before))
    }

    /// A buffer of the transaction under way.
    pub fn buffer(&mut self, id: BufferId, bytes: &[u8]) -> bool {
        if self.buffers.len() >= BUFFERS_MAX {
            return false;
        }
        self.buffers.add(id, bytes.get(..BUFFER_MAX_BYTES).unwrap_or(bytes));
        true
    }

    /// More of a buffer that comes in parts.
    pub fn grow(&mut self, id: BufferId, bytes: &[u8]) {
        let at = match self.growing.iter().position(|(growing, _)| *growing == id) {
            Some(at) => at,
            None => {
                self.growing.push((id, Vec::new()));
                self.growing.len() - 1
            }
        };
        if let Some((_, grown)) = self.growing.get_mut(at) {
            let room = BUFFER_MAX_BYTES.saturating_sub(grown.len());
            grown.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        }
    }

    /// A buffer that came in parts is whole.
    pub fn finish(&mut self, id: BufferId) {
        if let Some(at) = self.growing.iter().position(|(growing, _)| *growing == id) {
            let (_, bytes) = self.growing.remove(at);
            self.buffer(id, &bytes);
        }
    }

    /// All that came in parts is whole.
    fn finish_all(&mut self) {
        for (id, bytes) in std::mem::take(&mut self.growing) {
            self.buffer(id, &bytes);
        }
    }
}
