//! One side of a TCP connection, byte after byte (RFC 9293).
//!
//! Comes in: segments as they were captured, in any order, again, overlapping, with holes. Goes out through
//! [`StreamSink`]: bytes in order, each once, and holes by their length. In-order data passes through without being
//! copied; what comes too early waits. Where segments overlap with different bytes, the [`Policy`] of the receiver decides,
//! and what loses is counted. A byte that was sent as urgent data reaches no reader of the stream (RFC 6093: receivers hand it
//! over apart), so it is left out. A hole is given up when the receiver has acknowledged what lies behind it (so the sensor, not the
//! receiver, missed it), when too much waits and nobody acknowledges anything, or at the end.

use std::collections::VecDeque;

/// Memory that a waiting piece takes besides its bytes: its place in the queue and its allocation.
const PIECE_OVERHEAD_BYTES: usize = 64;
/// The most pieces that wait in one stream.
const PIECES_MAX: usize = 2048;
/// The most urgent bytes that are known of ahead of the place where the stream is.
const URGENT_MAX: usize = 32;
/// A segment or acknowledgement further away than this belongs to no sane connection (the largest window is 1 GiB).
const DISTANCE_MAX: i64 = 1 << 30;

/// Which bytes a receiver takes where segments that wait for a hole to be filled overlap. What was in order has been
/// taken already and never changes. (Novak and Sturges, "Target-Based TCP Stream Reassembly", 2007; Linux:
/// `tcp_data_queue_ofo`.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// A later segment wins where it begins earlier, or at the same byte and is longer: Linux.
    #[default]
    Linux,
    /// A later segment wins only where it begins earlier and ends later: Windows.
    Windows,
    /// A later segment wins where it begins earlier: BSD and what descends from it.
    Bsd,
    /// What came first stays.
    First,
}

impl Policy {
    /// Whether a later segment takes the place of an earlier one; both from their first byte to behind their last.
    pub fn replaces(self, later: (u64, u64), earlier: (u64, u64)) -> bool {
        match self {
            Policy::Linux => later.0 < earlier.0 || (later.0 == earlier.0 && later.1 > earlier.1),
            Policy::Windows => later.0 < earlier.0 && later.1 > earlier.1,
            Policy::Bsd => later.0 < earlier.0,
            Policy::First => false,
        }
    }
}

/// Where the bytes go.
pub trait StreamSink {
    /// The next bytes.
    fn data(&mut self, bytes: &[u8]);
    /// So many bytes were never seen.
    fn gap(&mut self, length: u64);
}

/// How many bytes may wait: shared by the streams of a shard.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Memory of what waits now.
    pub used_bytes: usize,
    /// The most that may wait.
    pub limit_bytes: usize,
    /// The most that may wait in one stream.
    pub stream_limit_bytes: usize,
}

/// What a stream counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamCounts {
    /// Bytes that were stated as gaps.
    pub missed: u64,
    /// Bytes that had been seen before.
    pub retransmitted: u64,
    /// Bytes that contradicted what was seen before.
    pub conflicting: u64,
    /// Bytes let go of because too much was waiting; they end as gaps.
    pub refused: u64,
    /// Segments whose sequence number belongs to no sane window.
    pub out_of_window: u64,
    /// Bytes of urgent data, which were left out.
    pub urgent: u64,
}

/// Bytes that came too early.
#[derive(Debug)]
struct Piece {
    position: u64,
    bytes: Box<[u8]>,
    /// First byte and end of the segment that these bytes are part of.
    segment: (u64, u64),
}

impl Piece {
    /// What it counts against the ceilings: its bytes and what keeping them takes, so that a flood of tiny pieces
    /// cannot hold many times what is counted.
    fn cost(&self) -> usize {
        self.bytes.len() + PIECE_OVERHEAD_BYTES
    }

    fn end(&self) -> u64 {
        self.position + self.bytes.len() as u64
    }
}

/// One side of a connection. Positions count bytes from the start of the stream (or from where it was picked up).
#[derive(Debug, Default)]
pub struct Stream {
    started: bool,
    /// The sequence number of the byte at `position`.
    next_sequence: u32,
    /// What was handed over or given up so far.
    position: u64,
    /// The highest position that the receiver acknowledged.
    acknowledged: Option<u64>,
    /// Where a FIN says that the stream ends.
    end: Option<u64>,
    /// In order; they neither overlap nor begin at or before `position`.
    waiting: VecDeque<Piece>,
    waiting_bytes: usize,
    /// Positions of urgent bytes that were announced and have not come yet, in order.
    urgent: Vec<u64>,
    /// What happened so far.
    pub counts: StreamCounts,
}

impl Stream {
    /// Begins at a SYN: the first byte follows its sequence number. A repeated SYN may still move the beginning.
    pub fn start(&mut self, sequence: u32) {
        if !self.started || (self.position == 0 && self.waiting.is_empty()) {
            self.started = true;
            self.next_sequence = sequence.wrapping_add(1);
        }
    }

    /// Bytes that were handed over or given up so far.
    pub fn handed_over(&self) -> u64 {
        self.position
    }

    /// Whether anything is known of the sequence numbers.
    pub fn started(&self) -> bool {
        self.started
    }

    /// Whether the end was seen and everything before it was handed over or given up.
    pub fn closed(&self) -> bool {
        self.end.is_some_and(|end| self.position >= end)
    }

    /// Whether a sequence number is where the receiver would expect the next one, give or take a window.
    pub fn near(&self, sequence: u32) -> bool {
        !self.started || (-1..DISTANCE_MAX / 16).contains(&self.distance(sequence))
    }

    /// The byte with this sequence number is urgent data: it will be left out. Announced by the segment itself or by one
    /// before it; what has been handed over stays. More than can be remembered go the ordinary way.
    pub fn urgent(&mut self, sequence: u32) {
        let distance = self.distance(sequence);
        if !self.started || !(0..DISTANCE_MAX).contains(&distance) || self.urgent.len() >= URGENT_MAX {
            return;
        }
        let position = self.position.saturating_add_signed(distance);
        if let Err(place) = self.urgent.binary_search(&position) {
            self.urgent.insert(place, position);
        }
    }

    /// A segment; `length` is what its payload had on the wire.
    #[expect(clippy::too_many_arguments, reason = "what a segment is, and what it meets")]
    pub fn segment(
        &mut self,
        sequence: u32,
        bytes: &[u8],
        length: u32,
        fin: bool,
        policy: Policy,
        budget: &mut Budget,
        sink: &mut dyn StreamSink,
    ) {
        if !self.started {
            self.started = true;
            self.next_sequence = sequence;
        }
        let distance = self.distance(sequence);
        if distance.abs() > DISTANCE_MAX {
            self.counts.out_of_window += 1;
            return;
        }
        if fin {
            let end = self.position.saturating_add_signed(distance + i64::from(length));
            self.end.get_or_insert(end);
        }
        if distance <= 0 {
            let seen = usize::try_from(-distance).unwrap_or(usize::MAX).min(bytes.len());
            self.counts.retransmitted += seen as u64;
            let new = bytes.get(seen..).unwrap_or(&[]);
            if self.waiting.is_empty() {
                self.hand_over(new, sink);
            } else if !new.is_empty() {
                // Where it began counts against what waits.
                let start = self.position.saturating_add_signed(distance);
                self.keep(self.position, new, (start, start + bytes.len() as u64), policy, budget);
                self.settle(budget, sink);
                self.enforce(budget, sink);
            }
        } else if !bytes.is_empty() {
            let start = self.position.saturating_add_signed(distance);
            self.keep(start, bytes, (start, start + bytes.len() as u64), policy, budget);
            self.settle(budget, sink);
            self.enforce(budget, sink);
        }
    }

    /// The receiver has everything before this sequence number.
    pub fn acknowledge(&mut self, sequence: u32, budget: &mut Budget, sink: &mut dyn StreamSink) {
        if !self.started {
            return;
        }
        let distance = self.distance(sequence);
        if !(0..=DISTANCE_MAX).contains(&distance) {
            self.acknowledged.get_or_insert(self.position);
            return;
        }
        let position = self.position.saturating_add_signed(distance);
        self.acknowledged = self.acknowledged.max(Some(position));
        if !self.waiting.is_empty() {
            self.settle(budget, sink);
        }
    }

    /// Follows the sequence numbers only: nobody wants the bytes any more.
    pub fn follow(&mut self, sequence: u32, length: u32, fin: bool) {
        if !self.started {
            self.started = true;
            self.next_sequence = sequence;
        }
        let distance = self.distance(sequence);
        if distance.abs() > DISTANCE_MAX {
            return;
        }
        let end = self.position.saturating_add_signed(distance + i64::from(length));
        if fin {
            self.end.get_or_insert(end);
        }
        if distance < 0 {
            self.counts.retransmitted += distance.unsigned_abs().min(length.into());
        }
        if end > self.position {
            self.next_sequence = sequence.wrapping_add(length);
            self.position = end;
        }
    }

    /// Forgets what waits: nobody wants the bytes any more.
    pub fn forget(&mut self, budget: &mut Budget) {
        budget.used_bytes -= self.waiting_bytes;
        self.waiting_bytes = 0;
        self.waiting = VecDeque::new();
    }

    /// Hands over what waits, holes stated: nothing more will come.
    pub fn finish(&mut self, budget: &mut Budget, sink: &mut dyn StreamSink) {
        while let Some(first) = self.waiting.front() {
            let hole = first.position.saturating_sub(self.position);
            self.give_up(hole, sink);
            self.drain(budget, sink);
        }
        let end = self.end.or(self.acknowledged).unwrap_or(0);
        // An acknowledgement may count a FIN that was not seen.
        let slack = if self.end.is_some() { 0 } else { 1 };
        let missing = end.saturating_sub(self.position);
        if missing > slack {
            self.give_up(missing, sink);
        }
    }

    /// How far a sequence number lies ahead of the next byte; modulo 2^32 it is the nearer way round.
    fn distance(&self, sequence: u32) -> i64 {
        i64::from(sequence.wrapping_sub(self.next_sequence).cast_signed())
    }

    /// Keeps bytes of a segment: those that no piece has yet, and those that the policy prefers to what a piece has.
    fn keep(&mut self, position: u64, bytes: &[u8], segment: (u64, u64), policy: Policy, budget: &mut Budget) {
        let end = position + bytes.len() as u64;
        let part = |from: u64, to: u64| {
            let (from, to) = (usize::try_from(from - position), usize::try_from(to - position));
            bytes.get(from.unwrap_or(usize::MAX)..to.unwrap_or(0)).unwrap_or(&[])
        };
        let mut at = position;
        let mut place = self.waiting.partition_point(|piece| piece.end() <= position);
        while at < end {
            let next = self.waiting.get(place).map(|piece| (piece.position, piece.end()));
            let (piece_start, piece_end) = next.unwrap_or((u64::MAX, u64::MAX));
            let hole_end = end.min(piece_start);
            if at < hole_end {
                let piece = Piece { position: at, bytes: part(at, hole_end).into(), segment };
                self.waiting_bytes += piece.cost();
                budget.used_bytes += piece.cost();
                self.waiting.insert(place, piece);
                place += 1;
                at = hole_end;
            }
            if at < end {
                let both_end = end.min(piece_end);
                let overlap = part(at, both_end);
                self.counts.retransmitted += overlap.len() as u64;
                if let Some(piece) = self.waiting.get(place) {
                    let skip = usize::try_from(at - piece.position).unwrap_or(usize::MAX);
                    self.counts.conflicting += differing(overlap, piece.bytes.get(skip..).unwrap_or(&[]));
                    if policy.replaces(segment, piece.segment) {
                        place += self.replace(place, at, overlap, segment, budget);
                    }
                }
                at = both_end;
                place += 1;
            }
        }
    }

    /// Puts the bytes of a later segment in the place of those that a piece has; returns how many pieces now lie before
    /// the last part of it.
    fn replace(&mut self, place: usize, at: u64, new: &[u8], segment: (u64, u64), budget: &mut Budget) -> usize {
        let Some(old) = self.waiting.remove(place) else { return 0 };
        let cut = |from: u64, to: u64| {
            let within = |position: u64| usize::try_from(position - old.position).unwrap_or(usize::MAX);
            let bytes: Box<[u8]> = old.bytes.get(within(from)..within(to)).unwrap_or(&[]).into();
            Piece { position: from, bytes, segment: old.segment }
        };
        let end = at + new.len() as u64;
        let parts = [cut(old.position, at), Piece { position: at, bytes: new.into(), segment }, cut(end, old.end())];
        self.waiting_bytes -= old.cost();
        budget.used_bytes -= old.cost();
        let mut added = 0;
        for part in parts.into_iter().filter(|part| !part.bytes.is_empty()) {
            self.waiting_bytes += part.cost();
            budget.used_bytes += part.cost();
            self.waiting.insert(place + added, part);
            added += 1;
        }
        added.saturating_sub(1)
    }

    /// Hands over what has become contiguous; gives up holes that the receiver does not have.
    fn settle(&mut self, budget: &mut Budget, sink: &mut dyn StreamSink) {
        loop {
            self.drain(budget, sink);
            match self.waiting.front() {
                Some(first) if self.acknowledged.is_some_and(|a| a >= first.position) => {
                    let hole = first.position - self.position;
                    self.give_up(hole, sink);
                }
                _ => return,
            }
        }
    }

    /// Brings what waits back under its limits. Where the receiver's acknowledgements are seen, a hole that it has not
    /// acknowledged may still be filled, so the furthest bytes go; else nothing will ever tell, so the hole is given up.
    fn enforce(&mut self, budget: &mut Budget, sink: &mut dyn StreamSink) {
        while self.waiting_bytes > budget.stream_limit_bytes
            || self.waiting.len() > PIECES_MAX
            || (budget.used_bytes > budget.limit_bytes && self.waiting_bytes > 0)
        {
            if self.acknowledged.is_none() {
                let hole = self.waiting.front().map_or(0, |first| first.position - self.position);
                self.give_up(hole, sink);
                self.drain(budget, sink);
            } else if let Some(last) = self.waiting.pop_back() {
                self.waiting_bytes -= last.cost();
                budget.used_bytes -= last.cost();
                self.counts.refused += last.bytes.len() as u64;
            }
        }
    }

    fn drain(&mut self, budget: &mut Budget, sink: &mut dyn StreamSink) {
        while self.drain_one(budget, sink) {}
    }

    /// Hands over the first piece if it is its turn.
    fn drain_one(&mut self, budget: &mut Budget, sink: &mut dyn StreamSink) -> bool {
        let position = self.position;
        let Some(piece) = self.waiting.pop_front_if(|piece| piece.position <= position) else { return false };
        self.waiting_bytes -= piece.cost();
        budget.used_bytes -= piece.cost();
        self.hand_over(&piece.bytes, sink);
        true
    }

    fn hand_over(&mut self, bytes: &[u8], sink: &mut dyn StreamSink) {
        if bytes.is_empty() {
            return;
        }
        let start = self.position;
        self.position += bytes.len() as u64;
        self.next_sequence = self.next_sequence.wrapping_add(low_bits(bytes.len() as u64));
        if self.urgent.first().is_some_and(|urgent| *urgent < self.position) {
            self.hand_over_around_urgent(start, bytes, sink);
        } else {
            sink.data(bytes);
        }
    }

    /// Hands over what lies between urgent bytes.
    fn hand_over_around_urgent(&mut self, start: u64, bytes: &[u8], sink: &mut dyn StreamSink) {
        let passed = self.urgent.partition_point(|urgent| *urgent < self.position);
        let mut from = 0;
        for urgent in self.urgent.drain(..passed) {
            // What was given up as a hole had its urgent bytes in it.
            let Some(at) = urgent.checked_sub(start).and_then(|at| usize::try_from(at).ok()) else { continue };
            if let Some(before) = bytes.get(from..at).filter(|before| !before.is_empty()) {
                sink.data(before);
            }
            self.counts.urgent += 1;
            from = at + 1;
        }
        if let Some(rest) = bytes.get(from..).filter(|rest| !rest.is_empty()) {
            sink.data(rest);
        }
    }

    fn give_up(&mut self, length: u64, sink: &mut dyn StreamSink) {
        if length > 0 {
            self.position += length;
            self.next_sequence = self.next_sequence.wrapping_add(low_bits(length));
            self.counts.missed += length;
            sink.gap(length);
        }
    }
}

/// A length as sequence numbers count it: modulo 2^32.
fn low_bits(length: u64) -> u32 {
    (length & u64::from(u32::MAX)) as u32
}

fn differing(one: &[u8], other: &[u8]) -> u64 {
    if one.len() <= other.len() && other.starts_with(one) {
        return 0;
    }
    one.iter().zip(other).filter(|(a, b)| a != b).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What came out: bytes, with `None` for each byte of a gap.
    #[derive(Default)]
    struct Seen(Vec<Option<u8>>);

    impl StreamSink for Seen {
        fn data(&mut self, bytes: &[u8]) {
            assert!(!bytes.is_empty());
            self.0.extend(bytes.iter().copied().map(Some));
        }

        fn gap(&mut self, length: u64) {
            assert!(length > 0);
            self.0.extend(std::iter::repeat_n(None, length.try_into().unwrap()));
        }
    }

    #[test]
    fn urgent_bytes_are_left_out_however_they_come() {
        // "GET !/a? b": the bytes at 4 and 7 are urgent.
        let whole = b"GET !/a? b";
        let cuts: [&[(usize, usize)]; 4] =
            [&[(0, 10)], &[(0, 4), (4, 5), (5, 10)], &[(5, 10), (0, 5)], &[(0, 6), (2, 8), (7, 8), (8, 10)]];
        for cut in cuts {
            let (mut stream, mut budget, mut seen) = (Stream::default(), budget(), Seen::default());
            stream.start(ISN);
            stream.urgent(ISN.wrapping_add(1 + 7));
            for (from, to) in cut {
                stream.urgent(ISN.wrapping_add(1 + 4));
                let sequence = ISN.wrapping_add(1).wrapping_add(u32::try_from(*from).unwrap());
                let length = u32::try_from(to - from).unwrap();
                let bytes = &whole[*from..*to];
                stream.segment(sequence, bytes, length, false, Policy::Linux, &mut budget, &mut seen);
            }
            stream.finish(&mut budget, &mut seen);
            let text: Vec<u8> = seen.0.iter().map(|byte| byte.unwrap()).collect();
            assert_eq!(text, b"GET /a b", "{cut:?}");
            assert_eq!(stream.counts.urgent, 2, "{cut:?}");
        }
    }

    #[test]
    fn announcing_urgent_bytes_without_end_keeps_few() {
        let (mut stream, mut budget, mut seen) = (Stream::default(), budget(), Seen::default());
        stream.start(ISN);
        for at in 0..100_000 {
            stream.urgent(ISN.wrapping_add(1 + at));
        }
        assert_eq!(stream.urgent.len(), URGENT_MAX);
        stream.segment(ISN.wrapping_add(1), &[7; 100], 100, false, Policy::Linux, &mut budget, &mut seen);
        assert_eq!(seen.0.len(), 100 - URGENT_MAX);
    }

    fn budget() -> Budget {
        Budget { used_bytes: 0, limit_bytes: 1 << 20, stream_limit_bytes: 1 << 20 }
    }

    const ISN: u32 = u32::MAX - 100;

    fn begun() -> Stream {
        let mut stream = Stream::default();
        stream.start(ISN);
        stream
    }

    fn send(stream: &mut Stream, at: u32, bytes: &[u8], budget: &mut Budget, seen: &mut Seen) {
        let length = u32::try_from(bytes.len()).unwrap();
        stream.segment(ISN.wrapping_add(1 + at), bytes, length, false, Policy::First, budget, seen);
    }

    #[test]
    fn segments_in_any_order_come_out_in_order() {
        let (mut stream, mut budget, mut seen) = (begun(), budget(), Seen::default());
        for at in [200, 0, 100, 100, 300] {
            send(&mut stream, at, &[at as u8; 100], &mut budget, &mut seen);
        }
        assert_eq!(seen.0.len(), 400);
        assert!(seen.0.chunks(100).zip([0u8, 100, 200, 44]).all(|(c, b)| c.iter().all(|x| *x == Some(b))));
        assert_eq!((stream.counts.retransmitted, budget.used_bytes), (100, 0));
    }

    #[test]
    fn a_hole_is_stated_once_the_receiver_has_acknowledged_past_it() {
        let (mut stream, mut budget, mut seen) = (begun(), budget(), Seen::default());
        send(&mut stream, 10, b"after", &mut budget, &mut seen);
        stream.acknowledge(ISN.wrapping_add(1), &mut budget, &mut seen);
        assert!(seen.0.is_empty());
        stream.acknowledge(ISN.wrapping_add(1 + 15), &mut budget, &mut seen);
        assert_eq!(seen.0.len(), 15);
        assert_eq!((stream.counts.missed, budget.used_bytes), (10, 0));
    }

    #[test]
    fn the_first_bytes_seen_win_and_others_are_counted() {
        let (mut stream, mut budget, mut seen) = (begun(), budget(), Seen::default());
        send(&mut stream, 4, b"GOOD", &mut budget, &mut seen);
        send(&mut stream, 2, b"..evil..", &mut budget, &mut seen);
        send(&mut stream, 0, b"ab", &mut budget, &mut seen);
        let bytes: Vec<u8> = seen.0.iter().map(|b| b.unwrap()).collect();
        assert_eq!(bytes, b"ab..GOOD..");
        assert_eq!(stream.counts.conflicting, 4);
    }

    /// What each receiver makes of the overlaps that tell systems apart: a later segment that begins earlier, one that
    /// begins at the same byte and is longer, and one that covers the earlier one on both sides.
    #[test]
    fn overlaps_are_decided_as_the_receiver_does() {
        let told = |policy: Policy, earlier: (u32, &[u8]), later: (u32, &[u8])| {
            let (mut stream, mut budget, mut seen) = (begun(), budget(), Seen::default());
            for (at, bytes) in [earlier, later, (0, b"^".as_slice())] {
                let length = u32::try_from(bytes.len()).unwrap();
                let sequence = ISN.wrapping_add(1 + at);
                stream.segment(sequence, bytes, length, false, policy, &mut budget, &mut seen);
            }
            String::from_utf8(seen.0.iter().map(|b| b.unwrap_or(b'?')).collect()).unwrap()
        };
        let before = |policy| told(policy, (2, b"1111"), (1, b"222"));
        assert_eq!(before(Policy::First), "^21111");
        assert_eq!(before(Policy::Windows), "^21111");
        assert_eq!(before(Policy::Bsd), "^22211");
        assert_eq!(before(Policy::Linux), "^22211");
        let longer = |policy| told(policy, (1, b"11"), (1, b"222"));
        assert_eq!(longer(Policy::Windows), "^112");
        assert_eq!(longer(Policy::Bsd), "^112");
        assert_eq!(longer(Policy::Linux), "^222");
        let around = |policy| told(policy, (2, b"11"), (1, b"2222"));
        assert_eq!(around(Policy::First), "^2112");
        assert_eq!(around(Policy::Windows), "^2222");
        let behind = |policy| told(policy, (1, b"111"), (2, b"2222"));
        assert_eq!(behind(Policy::Linux), "^11122");
        assert_eq!(behind(Policy::Windows), "^11122");
    }

    #[test]
    fn without_acknowledgements_the_ceiling_gives_up_the_hole() {
        let mut budget = Budget { stream_limit_bytes: 100 + PIECE_OVERHEAD_BYTES, ..budget() };
        let (mut stream, mut seen) = (begun(), Seen::default());
        send(&mut stream, 10, &[1; 80], &mut budget, &mut seen);
        send(&mut stream, 90, &[2; 80], &mut budget, &mut seen);
        assert_eq!((seen.0.len(), budget.used_bytes), (170, 0));
    }

    #[test]
    fn with_acknowledgements_the_ceiling_lets_the_furthest_bytes_go() {
        let mut budget = Budget { stream_limit_bytes: 100 + PIECE_OVERHEAD_BYTES, ..budget() };
        let (mut stream, mut seen) = (begun(), Seen::default());
        stream.acknowledge(ISN.wrapping_add(1), &mut budget, &mut seen);
        send(&mut stream, 10, &[1; 80], &mut budget, &mut seen);
        send(&mut stream, 90, &[2; 80], &mut budget, &mut seen);
        send(&mut stream, 0, &[0; 10], &mut budget, &mut seen);
        assert_eq!((seen.0.len(), stream.counts.refused), (90, 80));
    }

    #[test]
    fn a_stream_is_closed_when_everything_before_its_fin_is_through() {
        let (mut stream, mut budget, mut seen) = (begun(), budget(), Seen::default());
        stream.segment(ISN.wrapping_add(6), b"", 0, true, Policy::First, &mut budget, &mut seen);
        assert!(!stream.closed());
        send(&mut stream, 0, b"hello", &mut budget, &mut seen);
        assert!(stream.closed());
    }

    /// The rules of the receivers once more, in the model's own words: by first byte and length of both segments.
    fn prefers_later(policy: Policy, later: (u64, u64), earlier: (u64, u64)) -> bool {
        let begins_before = later.0 < earlier.0;
        let ends_behind = later.1 > earlier.1;
        let begins_there_too = later.0 == earlier.0;
        match policy {
            Policy::First => false,
            Policy::Bsd => begins_before,
            Policy::Windows => begins_before && ends_behind,
            Policy::Linux => begins_before || (begins_there_too && ends_behind),
        }
    }

    proptest! {
        /// Any order, duplicates, overlaps and loss against a plain model: each byte belongs to the first segment that
        /// had it, until a later one that the policy prefers to that segment has it too; what is in order is taken.
        #[test]
        fn agrees_with_a_plain_model(
            length in 1usize..2000,
            pieces in prop::collection::vec((0usize..2000, 1usize..300, any::<bool>()), 1..60),
            policy in prop::sample::select(vec![Policy::Linux, Policy::Windows, Policy::Bsd, Policy::First]),
        ) {
            let stream_bytes: Vec<u8> = (0..length).map(|i| (i * 7 % 251) as u8).collect();
            let mut model: Vec<Option<u8>> = vec![None; length];
            let mut owners: Vec<Option<(u64, u64)>> = vec![None; length];
            let mut taken = 0;
            let (mut stream, mut budget, mut seen) = (begun(), budget(), Seen::default());
            for (at, size, other) in pieces {
                let at = at % length;
                let end = (at + size).min(length);
                // Some segments contradict the stream in every byte.
                let bytes: Vec<u8> =
                    stream_bytes[at..end].iter().map(|b| if other { b ^ 0xff } else { *b }).collect();
                let segment = (at as u64, end as u64);
                for place in at.max(taken)..end {
                    if owners[place].is_none_or(|owner| prefers_later(policy, segment, owner)) {
                        owners[place] = Some(segment);
                        model[place] = Some(bytes[place - at]);
                    }
                }
                taken = owners.iter().position(Option::is_none).unwrap_or(length);
                let sequence = ISN.wrapping_add(1 + u32::try_from(at).unwrap());
                let size = u32::try_from(bytes.len()).unwrap();
                stream.segment(sequence, &bytes, size, false, policy, &mut budget, &mut seen);
            }
            stream.finish(&mut budget, &mut seen);
            while model.last() == Some(&None) {
                model.pop();
            }
            prop_assert_eq!(seen.0, model);
            prop_assert_eq!(budget.used_bytes, 0);
        }

        /// However small the ceilings, memory stays within them and what comes out is in the right place.
        #[test]
        fn stays_within_its_ceilings(
            pieces in prop::collection::vec((0u32..5000, 1usize..200, any::<bool>()), 1..80),
        ) {
            let mut budget = Budget { used_bytes: 0, limit_bytes: 500, stream_limit_bytes: 300 };
            let (mut stream, mut seen) = (begun(), Seen::default());
            for (at, size, acknowledge) in pieces {
                let bytes: Vec<u8> = (at..).take(size).map(|i| (i % 251) as u8).collect();
                send(&mut stream, at, &bytes, &mut budget, &mut seen);
                if acknowledge {
                    stream.acknowledge(ISN.wrapping_add(1 + at), &mut budget, &mut seen);
                }
                prop_assert!(budget.used_bytes <= 300);
            }
            stream.finish(&mut budget, &mut seen);
            prop_assert_eq!(budget.used_bytes, 0);
            let right = seen.0.iter().enumerate().all(|(i, b)| b.is_none_or(|b| b == (i % 251) as u8));
            prop_assert!(right);
        }
    }
}
