//! IP fragments (RFC 791, RFC 8200 section 4.5) put together again, within limits.
//!
//! Where fragments overlap the bytes seen first win. A datagram that stays incomplete is let go of after a while, the
//! oldest one first when the table is full, and every packet in it is counted under its reason.

use std::collections::VecDeque;
use std::net::IpAddr;

use ahash::HashMap;
use sha1::{Digest as _, Sha1};

use super::Refusal;

/// The longest datagram there can be, in bytes.
const DATAGRAM_MAX_BYTES: usize = 65_535;
/// The most fragments one datagram may come in.
const PARTS_MAX: usize = 1024;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub struct FragmentLimits {
    /// The most datagrams that may be incomplete at a time.
    pub datagrams: usize,
    /// The most bytes that they may hold together.
    pub size_bytes: usize,
    /// How long a datagram may stay incomplete, in nanoseconds of packet time.
    pub timeout_ns: i64,
}

impl Default for FragmentLimits {
    fn default() -> Self {
        FragmentLimits { datagrams: 4096, size_bytes: 8 << 20, timeout_ns: 30_000_000_000 }
    }
}

/// What the fragments of a datagram have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FragmentKey {
    /// Sender and receiver.
    pub addresses: (IpAddr, IpAddr),
    /// The datagram's number.
    pub identification: u32,
    /// What it carries.
    pub protocol: u8,
    /// VLAN id of the innermost tag.
    pub vlan: Option<u16>,
}

/// One fragment.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Where in the datagram, in bytes.
    pub offset: usize,
    /// Whether more follow behind it.
    pub more: bool,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Length of its packet on the wire.
    pub wire_bytes: u64,
}

/// What became of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined {
    /// It waits for others.
    Waiting,
    /// It completed its datagram.
    Whole {
        /// Packets that it came in.
        packets: u32,
        /// Their bytes on the wire.
        bytes: u64,
    },
    /// It was let go of.
    Refused(Refusal),
}

#[derive(Debug)]
struct Datagram {
    /// Tells a datagram from an earlier one with the same key in the queue.
    number: u64,
    /// Pieces by offset; they do not overlap.
    pieces: Vec<(usize, Box<[u8]>)>,
    length: Option<usize>,
    held_bytes: usize,
    packets: u32,
    wire_bytes: u64,
}

/// The table of incomplete datagrams.
#[derive(Debug, Default)]
pub struct Fragments {
    limits: FragmentLimits,
    datagrams: HashMap<FragmentKey, Datagram>,
    /// In the order of their first fragments.
    queue: VecDeque<(FragmentKey, u64, i64)>,
    next_number: u64,
    held_bytes: usize,
    held_packets: u64,
    lost: Vec<(Refusal, u32)>,
    /// The datagram that the latest packet is a part of, and its number.
    latest: Option<(FragmentKey, u64)>,
    /// What was odd about the latest packet.
    odd: Option<OddFragment>,
}

/// What may be odd about a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddFragment {
    /// It runs past the end of any datagram.
    TooLarge,
    /// It has bytes that others have, too.
    Overlap,
    /// Others follow, and its length is no multiple of eight.
    Length,
}

impl OddFragment {
    /// The name by which rules know it.
    pub fn name(self, version6: bool) -> &'static str {
        match (self, version6) {
            (OddFragment::TooLarge, false) => "ipv4.frag_pkt_too_large",
            (OddFragment::TooLarge, true) => "ipv6.frag_pkt_too_large",
            (OddFragment::Overlap, false) => "ipv4.frag_overlap",
            (OddFragment::Overlap, true) => "ipv6.frag_overlap",
            (OddFragment::Length, false) => "ipv4.frag_invalid_length",
            (OddFragment::Length, true) => "ipv6.frag_invalid_length",
        }
    }
}

impl Fragments {
    /// An empty table.
    pub fn new(limits: FragmentLimits) -> Fragments {
        Fragments { limits, ..Fragments::default() }
    }

    /// Packets that wait.
    pub fn held(&self) -> u64 {
        self.held_packets
    }

    /// Packets that were let go of since the last call.
    pub fn take_lost(&mut self) -> impl Iterator<Item = (Refusal, u32)> + use<> {
        std::mem::take(&mut self.lost).into_iter()
    }

    /// Forgets the latest packet, as another one comes.
    pub fn next_packet(&mut self) {
        self.latest = None;
        self.odd = None;
    }

    /// What was odd about the latest packet.
    pub fn odd(&self) -> Option<OddFragment> {
        self.odd
    }

    /// A name for the datagram that the latest packet is a part of, the same for all its parts.
    pub fn datagram(&self) -> Option<[u8; 20]> {
        let (key, number) = self.latest.as_ref()?;
        let mut hash = Sha1::new();
        hash.update(format!("{} {} {} {number}", key.addresses.0, key.addresses.1, key.identification));
        Some(hash.finalize().into())
    }

    /// Adds a fragment; the datagram that it completes is written to `whole`.
    pub fn add(&mut self, key: FragmentKey, part: Part<'_>, time_ns: i64, whole: &mut Vec<u8>) -> Joined {
        self.expire(time_ns);
        let end = part.offset.saturating_add(part.bytes.len());
        if part.more && !part.bytes.len().is_multiple_of(8) {
            self.odd = Some(OddFragment::Length);
        }
        if end > DATAGRAM_MAX_BYTES {
            self.odd = Some(OddFragment::TooLarge);
        }
        if end > DATAGRAM_MAX_BYTES || (part.more && part.bytes.is_empty()) {
            return Joined::Refused(Refusal::BadFragment);
        }
        if !self.datagrams.contains_key(&key) {
            self.begin(key, time_ns);
        }
        let Some(datagram) = self.datagrams.get_mut(&key) else { return Joined::Refused(Refusal::FragmentLimit) };
        self.latest = Some((key, datagram.number));
        datagram.packets += 1;
        datagram.wire_bytes += part.wire_bytes;
        self.held_packets += 1;
        let before = datagram.held_bytes;
        if datagram.overlaps(part.offset, end) {
            self.odd = Some(OddFragment::Overlap);
        }
        let sound = datagram.add(&part, end);
        self.held_bytes += datagram.held_bytes - before;
        if !sound {
            self.let_go(&key, Refusal::BadFragment);
            return Joined::Waiting;
        }
        if datagram.is_whole() {
            return self.take_whole(&key, whole);
        }
        while self.held_bytes > self.limits.size_bytes {
            self.let_go_of_oldest(Refusal::FragmentLimit);
        }
        Joined::Waiting
    }

    /// Lets go of datagrams that have waited too long.
    pub fn expire(&mut self, time_ns: i64) {
        while let Some((_, _, born_ns)) = self.queue.front() {
            if time_ns.saturating_sub(*born_ns) < self.limits.timeout_ns {
                break;
            }
            self.let_go_of_oldest(Refusal::FragmentTimeout);
        }
    }

    fn begin(&mut self, key: FragmentKey, time_ns: i64) {
        while self.datagrams.len() >= self.limits.datagrams.max(1) {
            self.let_go_of_oldest(Refusal::FragmentLimit);
        }
        // Completed datagrams leave their line in the queue behind: it must not outgrow the table.
        if self.queue.len() > 2 * self.limits.datagrams.max(1) {
            let datagrams = &self.datagrams;
            self.queue.retain(|(key, number, _)| datagrams.get(key).is_some_and(|d| d.number == *number));
        }
        self.next_number += 1;
        self.queue.push_back((key, self.next_number, time_ns));
        let datagram = Datagram {
            number: self.next_number,
            pieces: Vec::new(),
            length: None,
            held_bytes: 0,
            packets: 0,
            wire_bytes: 0,
        };
        self.datagrams.insert(key, datagram);
    }

    fn take_whole(&mut self, key: &FragmentKey, whole: &mut Vec<u8>) -> Joined {
        let Some(datagram) = self.datagrams.remove(key) else { return Joined::Waiting };
        self.forget(&datagram);
        whole.clear();
        for (_, piece) in &datagram.pieces {
            whole.extend_from_slice(piece);
        }
        Joined::Whole { packets: datagram.packets, bytes: datagram.wire_bytes }
    }

    fn let_go_of_oldest(&mut self, reason: Refusal) {
        let Some((key, number, _)) = self.queue.pop_front() else { return };
        if self.datagrams.get(&key).is_some_and(|d| d.number == number) {
            self.let_go(&key, reason);
        }
    }

    fn let_go(&mut self, key: &FragmentKey, reason: Refusal) {
        if let Some(datagram) = self.datagrams.remove(key) {
            self.forget(&datagram);
            self.lost.push((reason, datagram.packets));
        }
    }

    fn forget(&mut self, datagram: &Datagram) {
        self.held_bytes -= datagram.held_bytes;
        self.held_packets -= u64::from(datagram.packets);
    }
}

impl Datagram {
    /// Whether some bytes of a part are there already.
    fn overlaps(&self, start: usize, end: usize) -> bool {
        self.pieces.iter().any(|(at, piece)| start < at + piece.len() && *at < end)
    }

    /// Adds the bytes that are new; says whether the fragment fits those before it.
    fn add(&mut self, part: &Part<'_>, end: usize) -> bool {
        if !part.more {
            if self.length.is_some_and(|length| length != end) {
                return false;
            }
            self.length = Some(end);
        }
        let known_end = self.pieces.last().map_or(0, |(at, piece)| at + piece.len()).max(end);
        if self.length.is_some_and(|length| known_end > length) || self.pieces.len() >= PARTS_MAX {
            return false;
        }
        // Only the holes between the pieces that are there take bytes of the new one.
        let mut at = part.offset;
        let mut new: Vec<(usize, usize)> = Vec::new();
        for (start, piece) in &self.pieces {
            let hole_end = end.min(*start);
            if at < hole_end {
                new.push((at, hole_end));
            }
            at = at.max(start + piece.len());
        }
        if at < end {
            new.push((at, end));
        }
        for (from, to) in new {
            let bytes = part.bytes.get(from - part.offset..to - part.offset).unwrap_or(&[]);
            let place = self.pieces.partition_point(|(start, _)| *start < from);
            self.held_bytes += bytes.len();
            self.pieces.insert(place, (from, bytes.into()));
        }
        true
    }

    fn is_whole(&self) -> bool {
        self.length == Some(self.held_bytes)
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(identification: u32) -> FragmentKey {
        let ip = |last| IpAddr::from([192, 0, 2, last]);
        FragmentKey { addresses: (ip(1), ip(2)), identification, protocol: 17, vlan: None }
    }

    fn part(offset: usize, more: bool, bytes: &[u8]) -> Part<'_> {
        Part { offset, more, bytes, wire_bytes: 100 }
    }

    #[test]
    fn fragments_in_any_order_become_one_datagram() {
        let mut fragments = Fragments::default();
        let mut whole = Vec::new();
        assert_eq!(fragments.add(key(1), part(16, false, b"end"), 0, &mut whole), Joined::Waiting);
        assert_eq!(fragments.add(key(1), part(0, true, b"01234567"), 0, &mut whole), Joined::Waiting);
        assert_eq!(fragments.held(), 2);
        let joined = fragments.add(key(1), part(8, true, b"89abcdef"), 0, &mut whole);
        assert_eq!(joined, Joined::Whole { packets: 3, bytes: 300 });
        assert_eq!(whole, b"0123456789abcdefend");
        assert_eq!(fragments.held(), 0);
    }

    #[test]
    fn what_was_seen_first_wins() {
        let mut fragments = Fragments::default();
        let mut whole = Vec::new();
        fragments.add(key(1), part(8, true, b"FIRSTONE"), 0, &mut whole);
        fragments.add(key(1), part(0, true, b"01234567xxxxxxxx"), 0, &mut whole);
        fragments.add(key(1), part(16, false, b"z"), 0, &mut whole);
        assert_eq!(whole, b"01234567FIRSTONEz");
    }

    #[test]
    fn limits_and_time_let_go_of_the_oldest_and_count_it() {
        let limits = FragmentLimits { datagrams: 2, size_bytes: 1000, timeout_ns: 10 };
        let mut fragments = Fragments::new(limits);
        let mut whole = Vec::new();
        for id in 0..3 {
            fragments.add(key(id), part(0, true, b"01234567"), 0, &mut whole);
        }
        assert_eq!(fragments.take_lost().collect::<Vec<_>>(), [(Refusal::FragmentLimit, 1)]);
        fragments.expire(10);
        assert_eq!(fragments.take_lost().count(), 2);
        assert_eq!(fragments.held(), 0);
    }

    #[test]
    fn a_datagram_with_two_ends_is_refused() {
        let mut fragments = Fragments::default();
        let mut whole = Vec::new();
        fragments.add(key(1), part(8, false, b"end"), 0, &mut whole);
        fragments.add(key(1), part(8, false, b"another"), 0, &mut whole);
        assert_eq!(fragments.take_lost().collect::<Vec<_>>(), [(Refusal::BadFragment, 2)]);
    }
}
