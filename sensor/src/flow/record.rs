//! The `flow` dataset: one event when a flow ends.

use luytre_events::record;
use luytre_events::value::TimeNs;

record! {
    /// One network flow, reported when it ends.
    pub struct FlowRecord in "flow" {
        /// When its first packet was seen.
        start: Option<TimeNs> = "event.start", Date, Column;
        /// When its last packet was seen.
        end: Option<TimeNs> = "event.end", Date, Column;
        /// Time from first to last packet, in nanoseconds.
        duration_ns: u64 = "event.duration", Long, Column;
        /// Bytes from the side that opened the flow, network headers included.
        source_bytes: u64 = "source.bytes", Long, Column;
        /// Packets from the side that opened the flow.
        source_packets: u64 = "source.packets", Long, Column;
        /// Bytes from the side that was called, network headers included.
        destination_bytes: u64 = "destination.bytes", Long, Column;
        /// Packets from the side that was called.
        destination_packets: u64 = "destination.packets", Long, Column;
        /// Bytes both ways.
        bytes: u64 = "network.bytes", Long, Column;
        /// Packets both ways.
        packets: u64 = "network.packets", Long, Column;
        /// How far the flow came: new (one side only), established (both sides), closed.
        state: &'static str = "flow.state", Keyword, Column;
        /// Why the flow ended: fin, rst, timeout, evicted (table full) or shutdown (capture over).
        end_reason: &'static str = "flow.end_reason", Keyword, Column;
        /// TCP flags seen from the side that opened the flow: fin, syn, rst, psh, ack, urg, ece, cwr.
        source_flags: Vec<&'static str> = "tcp.flags.source", Keyword list, Column;
        /// TCP flags seen from the side that was called.
        destination_flags: Vec<&'static str> = "tcp.flags.destination", Keyword list, Column;
        /// What happened in the TCP connection, in order, each letter once a side, upper case for the side that opened
        /// it: S SYN, H SYN with ACK, A bare ACK, D data, F FIN, R reset, T data again, G a gap, W closed window, C
        /// contradicting data.
        history: Option<String> = "tcp.history", Keyword, Term;
        /// Time from the SYN to the acknowledgement of its answer, in nanoseconds.
        round_trip_ns: Option<u64> = "tcp.rtt", Long, Column;
        /// Payload bytes of the first packets that carry any.
        first_sizes: Vec<u16> = "flow.first_sizes", Long list, Stored;
        /// Which way each of those packets went: > from the side that opened the flow, < from the side that was called.
        first_directions: Option<String> = "flow.first_directions", Keyword, Stored;
        /// Microseconds before each of those packets, since the one before.
        first_gaps_us: Vec<u32> = "flow.first_gaps", Long list, Stored;
        /// First bytes from the side that opened a flow of unknown protocol, in hexadecimal.
        source_first_bytes: Option<String> = "flow.source_first_bytes", Keyword, Term;
        /// First bytes from the side that was called, of a flow of unknown protocol.
        destination_first_bytes: Option<String> = "flow.destination_first_bytes", Keyword, Term;
        /// Shannon entropy of the first bytes (up to 256) from the side that opened a flow of unknown protocol, in bits a byte.
        source_entropy: Option<f64> = "flow.source_entropy", Float, Term;
        /// The same for the side that was called.
        destination_entropy: Option<f64> = "flow.destination_entropy", Float, Term;
        /// Bytes of the stream that were never seen: lost before or at the sensor.
        missed_bytes: Option<u64> = "flow.missed_bytes", Long, Term;
        /// Bytes sent again that were seen before.
        retransmitted_bytes: Option<u64> = "flow.retransmitted_bytes", Long, Term;
        /// Whether the flow was already under way when it was first seen.
        midstream: Option<bool> = "flow.midstream", Boolean, Term;
        /// Outermost tunnel that carried the flow: ipip, gre, vxlan and so on.
        tunnel: Option<&'static str> = "flow.tunnel", Keyword, Column;
        /// How much the sensor looked into the flow, where it could not keep up: part (until some moment) or none; what is
        /// counted is exact all the same.
        detail: Option<&'static str> = "flow.detail", Keyword, Column;
    }
}
