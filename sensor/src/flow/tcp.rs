//! How far a TCP connection has come, seen from beside it.

use super::reassembly::{Budget, Stream, StreamSink};
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
    /// Whether a believable RST was seen.
    pub reset: bool,
    /// Whether the first packet was no SYN.
    pub midstream: bool,
}

impl Tcp {
    /// Takes note of a header before its payload is looked at.
    pub fn note(&mut self, side: Side, header: &TcpHeader, first: bool) {
        *self.flags.of_mut(side) |= header.flags;
        if header.flags & flag::SYN != 0 {
            self.syn.of_mut(side).get_or_insert(header.sequence);
            self.streams.of_mut(side).start(header.sequence);
        } else if first {
            self.midstream = header.flags & flag::RST == 0;
        }
        if header.flags & flag::RST != 0 && self.believable_reset(side, header) {
            self.reset = true;
        }
    }

    /// Whether both sides have closed and all their bytes are through.
    pub fn finished(&self) -> bool {
        self.streams.a.closed() && self.streams.b.closed()
    }

    /// Whether this packet begins a new connection on the addresses and ports of one that is over.
    pub fn is_new_connection(&self, side: Side, header: &TcpHeader) -> bool {
        if header.flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) != flag::SYN {
            return false;
        }
        let over = self.reset || self.finished() || (self.flags.a | self.flags.b) & flag::FIN != 0;
        let other_number = self.syn.of(side).is_some_and(|syn| syn != header.sequence);
        let spoken = (self.flags.a & self.flags.b) & flag::ACK != 0;
        (over && *self.syn.of(side) != Some(header.sequence)) || (other_number && spoken)
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
            let stream = self.streams.of_mut(side);
            stream.segment(sequence, payload, header.payload_length, fin, budget, sinks.of(side));
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
