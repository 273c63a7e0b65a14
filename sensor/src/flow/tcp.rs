//! How far a TCP connection has come, seen from beside it.

use super::reassembly::{Budget, Policy, Stream, StreamSink};
use super::{Both, Side};
use crate::decode::TcpHeader;

/// Bits of [`TcpHeader::flags`] (RFC 9293 section 3.1, RFC 3168).
pub mod flag {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Break off.
    pub const RST: u8 = 0x04;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer counts.
    pub const URG: u8 = 0x20;
    /// Names by bit, lowest first.
    pub const NAMES: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
}

/// A connection.
#[derive(Debug, Default)]
pub struct Tcp {
    /// The bytes that each side sent.
    pub streams: Both<Stream>,
    /// Every flag that each side has set.
    pub flags: Both<u8>,
    /// Sequence number of each side's SYN.
    syn: Both<Option<u32>>,
    /// Sender and number of a SYN that came within the connection.
    asked_again: Option<(Side, u32)>,
    /// Whether a believable RST was seen.
    pub reset: bool,
    /// Whether the first packet was no SYN.
    pub midstream: bool,
    /// What happened, in order.
    pub history: History,
    /// How the receiver of what each side sends settles overlaps.
    pub policy: Both<Policy>,
    /// Hops left in each side's first packet.
    hops_left: Both<u8>,
    handshake: Handshake,
}

/// A connection that was silent for so long may be over, although nothing of that was seen.
const END_MISSED_NS: i64 = 10_000_000_000;

/// A side's packet that claims this many hops less than its first may be meant for the sensor only: it dies on the way.
const HOPS_LOST: u8 = 5;

/// The times of the first three packets.
#[derive(Debug, Default)]
struct Handshake {
    syn: Option<(Side, i64)>,
    answered: bool,
    round_trip_ns: Option<u64>,
}

/// What happened in a connection, in order, each letter once a side: `S` SYN, `H` SYN with ACK, `A` bare ACK, `D` data,
/// `F` FIN, `R` reset, `T` data again, `G` a gap, `W` a closed window, `C` data that contradicts data before. Upper case is the side that opened the
/// flow, as in Zeek's `conn.log`.
#[derive(Debug, Default, Clone, Copy)]
pub struct History {
    /// Letters of side A in upper case, of B in lower case.
    letters: [u8; History::LETTERS_MAX],
    length: u8,
}

impl History {
    /// Ten letters for two sides.
    const LETTERS_MAX: usize = 20;

    /// Notes a letter, given in upper case.
    pub fn note(&mut self, side: Side, letter: u8) {
        let letter = if side == Side::A { letter } else { letter.to_ascii_lowercase() };
        let length = usize::from(self.length);
        if self.letters.iter().take(length).any(|known| *known == letter) {
            return;
        }
        if let Some(place) = self.letters.get_mut(length) {
            *place = letter;
            self.length += 1;
        }
    }

    /// The letters as text, upper case for the side that opened the flow.
    pub fn text(&self, client: Side) -> String {
        let letters = self.letters.iter().take(self.length.into()).map(|letter| char::from(*letter));
        match client {
            Side::A => letters.collect(),
            Side::B => letters
                .map(|c| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
                .collect(),
        }
    }
}

impl Tcp {
    /// Takes note of a header before its payload is looked at.
    pub fn note(&mut self, side: Side, header: &TcpHeader, time_ns: i64, first: bool) {
        self.note_history(side, header);
        self.note_handshake(side, header, time_ns);
        let spoken = (self.flags.a & self.flags.b) & flag::ACK != 0;
        *self.flags.of_mut(side) |= header.flags;
        if header.flags & flag::SYN != 0 {
            let number = *self.syn.of_mut(side).get_or_insert(header.sequence);
            if !spoken || number == header.sequence {
                self.streams.of_mut(side).start(header.sequence);
            } else if header.flags & flag::ACK == 0 {
                self.asked_again = Some((side, header.sequence));
            }
        } else if first {
            self.midstream = header.flags & flag::RST == 0;
        }
        if header.flags & flag::RST != 0 && self.believable_reset(side, header) {
            self.reset = true;
        }
    }

    fn note_history(&mut self, side: Side, header: &TcpHeader) {
        let has = |bit: u8| header.flags & bit != 0;
        let mut note = |condition: bool, letter: u8| {
            if condition {
                self.history.note(side, letter);
            }
        };
        note(has(flag::SYN) && !has(flag::ACK), b'S');
        note(has(flag::SYN) && has(flag::ACK), b'H');
        let bare = header.payload_length == 0 && !has(flag::SYN | flag::FIN | flag::RST);
        note(bare && has(flag::ACK), b'A');
        note(bare && header.window == 0, b'W');
        note(header.payload_length > 0, b'D');
        note(has(flag::FIN), b'F');
        note(has(flag::RST), b'R');
    }

    /// From the SYN to the ACK of its answer: the round trip between both ends, whatever the sensor's place. A SYN that
    /// was sent again leaves open which one was answered (Karn and Partridge).
    fn note_handshake(&mut self, side: Side, header: &TcpHeader, time_ns: i64) {
        match (header.flags & (flag::SYN | flag::ACK), self.handshake.syn) {
            (flag::SYN, None) => self.handshake.syn = Some((side, time_ns)),
            (flag::SYN, Some(_)) if !self.handshake.answered => self.handshake.syn = Some((side, i64::MIN)),
            (both, Some((client, _))) if both == flag::SYN | flag::ACK && side != client => {
                self.handshake.answered = true;
            }
            (flag::ACK, Some((client, syn_ns)))
                if side == client && self.handshake.answered && self.handshake.round_trip_ns.is_none() =>
            {
                let known = syn_ns != i64::MIN;
                let nanoseconds = if known { time_ns.saturating_sub(syn_ns).max(0).unsigned_abs() } else { 0 };
                self.handshake.round_trip_ns = Some(nanoseconds);
            }
            _ => {}
        }
    }

    /// Time from the SYN to the acknowledgement of its answer, in nanoseconds.
    pub fn round_trip_ns(&self) -> Option<u64> {
        self.handshake.round_trip_ns.filter(|nanoseconds| *nanoseconds > 0)
    }

    /// Whether a packet has so few hops left that it may not reach the other end, unlike those before it.
    pub fn dies_on_the_way(&mut self, side: Side, hops_left: u8) -> bool {
        let first = self.hops_left.of_mut(side);
        if *first == 0 {
            *first = hops_left;
        }
        hops_left.saturating_add(HOPS_LOST) <= *first
    }

    /// Whether the SYN of the side that called was seen.
    pub fn opened(&self) -> bool {
        self.handshake.syn.is_some()
    }

    /// Whether both sides have closed and all their bytes are through.
    pub fn finished(&self) -> bool {
        self.streams.a.closed() && self.streams.b.closed()
    }

    /// Sender and number of the SYN within this connection that a packet answers.
    pub fn asked_for(&self, header: &TcpHeader) -> Option<(Side, u32)> {
        let answered = header.acknowledgement.wrapping_sub(1);
        self.asked_again.filter(|(_, number)| header.flags & flag::ACK != 0 && *number == answered)
    }

    /// The connection was begun by a SYN that was taken for a part of the one before.
    pub fn opened_by(&mut self, asked: Option<(Side, u32)>) {
        let Some((side, number)) = asked else { return };
        *self.syn.of_mut(side) = Some(number);
        *self.flags.of_mut(side) |= flag::SYN;
        self.streams.of_mut(side).start(number);
        // When it was sent is not known any more.
        self.handshake.syn = Some((side, i64::MIN));
        self.history.note(side, b'S');
    }

    /// Whether this packet begins a new connection on the addresses and ports of one that is over, or that was silent for
    /// so long that its end may have been missed. Within a connection under way a SYN means nothing to its receiver, which
    /// stays with the numbers it knows (RFC 5961 section 4): whoever forges one must not make the rest unreadable.
    pub fn is_new_connection(&self, side: Side, header: &TcpHeader, silent_ns: i64) -> bool {
        match header.flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) {
            flag::SYN => {}
            // Who answers such a SYN has taken it for a new connection: then it is one.
            answer if answer == flag::SYN | flag::ACK => {
                return self.asked_for(header).is_some_and(|(asking, _)| asking != side);
            }
            _ => return false,
        }
        let over = self.reset || self.finished() || (self.flags.a | self.flags.b) & flag::FIN != 0;
        let other_number = self.syn.of(side).is_some_and(|syn| syn != header.sequence);
        let spoken = (self.flags.a & self.flags.b) & flag::ACK != 0;
        (over && *self.syn.of(side) != Some(header.sequence)) || (other_number && spoken && silent_ns >= END_MISSED_NS)
    }

    /// Segments and acknowledgements of a packet, to the sink of each side's bytes.
    pub fn advance(
        &mut self,
        side: Side,
        header: &TcpHeader,
        payload: &[u8],
        budget: &mut Budget,
        sinks: &mut dyn Sinks,
    ) {
        if header.flags & flag::ACK != 0 {
            let peer = self.streams.of_mut(side.other());
            peer.acknowledge(header.acknowledgement, budget, sinks.of(side.other()));
        }
        let fin = header.flags & flag::FIN != 0;
        if (header.payload_length > 0 || fin) && header.flags & flag::RST == 0 {
            let syn = u32::from(header.flags & flag::SYN != 0);
            let sequence = header.sequence.wrapping_add(syn);
            let policy = *self.policy.of(side);
            let stream = self.streams.of_mut(side);
            let before = stream.counts;
            if header.flags & flag::URG != 0 && header.urgent > 0 {
                stream.urgent(sequence.wrapping_add(u32::from(header.urgent) - 1));
            }
            stream.segment(sequence, payload, header.payload_length, fin, policy, budget, sinks.of(side));
            let after = stream.counts;
            for (letter, happened) in [
                (b'T', after.retransmitted > before.retransmitted),
                (b'G', after.missed > before.missed),
                (b'C', after.conflicting > before.conflicting),
            ] {
                if happened {
                    self.history.note(side, letter);
                }
            }
        }
    }

    /// The same when nobody wants the bytes.
    pub fn follow(&mut self, side: Side, header: &TcpHeader) {
        let fin = header.flags & flag::FIN != 0;
        if (header.payload_length > 0 || fin) && header.flags & flag::RST == 0 {
            let syn = u32::from(header.flags & flag::SYN != 0);
            self.streams.of_mut(side).follow(header.sequence.wrapping_add(syn), header.payload_length, fin);
        }
    }

    /// A reset that the receiver would obey: its number is about where the sender is, or it answers a SYN (RFC 5961).
    fn believable_reset(&self, side: Side, header: &TcpHeader) -> bool {
        let unanswered = !self.streams.of(side).started();
        unanswered || header.sequence == 0 || self.streams.of(side).near(header.sequence)
    }
}

/// Finds the sink of a side.
pub trait Sinks {
    /// Where the bytes that this side sent go.
    fn of(&mut self, side: Side) -> &mut dyn StreamSink;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(flags: u8, payload_length: u32) -> TcpHeader {
        TcpHeader { sequence: 1, acknowledgement: 1, flags, window: 1000, urgent: 0, payload_length }
    }

    fn noted(packets: &[(Side, u8, u32, i64)]) -> Tcp {
        let mut tcp = Tcp::default();
        for (number, (side, flags, length, time_ns)) in packets.iter().enumerate() {
            tcp.note(*side, &header(*flags, *length), *time_ns, number == 0);
        }
        tcp
    }

    #[test]
    fn the_history_reads_like_the_connection() {
        let tcp = noted(&[
            (Side::B, flag::SYN, 0, 0),
            (Side::A, flag::SYN | flag::ACK, 0, 10),
            (Side::B, flag::ACK, 0, 30),
            (Side::B, flag::ACK, 100, 40),
            (Side::A, flag::ACK, 200, 50),
            (Side::A, flag::ACK | flag::FIN, 0, 60),
            (Side::B, flag::RST, 0, 70),
        ]);
        assert_eq!(tcp.history.text(Side::B), "ShADdfR");
        assert_eq!(tcp.round_trip_ns(), Some(30));
    }

    #[test]
    fn a_syn_sent_again_leaves_the_round_trip_open() {
        let again = noted(&[
            (Side::A, flag::SYN, 0, 0),
            (Side::A, flag::SYN, 0, 1000),
            (Side::B, flag::SYN | flag::ACK, 0, 1010),
            (Side::A, flag::ACK, 0, 1030),
        ]);
        assert_eq!(again.round_trip_ns(), None);
    }

    #[test]
    fn packets_that_die_on_the_way_are_noticed() {
        let mut tcp = Tcp::default();
        assert!(!tcp.dies_on_the_way(Side::A, 60));
        assert!(!tcp.dies_on_the_way(Side::A, 58));
        assert!(tcp.dies_on_the_way(Side::A, 2));
        assert!(!tcp.dies_on_the_way(Side::B, 2));
    }
}
