//! Target: one side of a TCP connection.
//!
//! Script: a byte of settings (bits 0 and 1: the policy; bit 2: little room; bit 3: some segments contradict others; bit 4:
//! no SYN), four bytes for the first sequence number, then what happens: a byte (bits 0 to 2: what; the others: how far
//! away) and what that needs.
//!
//! Must hold: what waits stays within its limits and is given back at the end; each byte comes out once, in its place, and
//! nothing that was not sent; what comes out is as long as the counters say.

use luytre_sensor::flow::reassembly::{Budget, Policy, Stream, StreamSink};

use super::input::Input;

/// Plays a script.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let settings = input.u8();
    let policy = [Policy::Linux, Policy::Windows, Policy::Bsd, Policy::First][usize::from(settings & 3)];
    let limit = if settings & 4 == 0 { 1 << 20 } else { 700 };
    let mut budget = Budget { used_bytes: 0, limit_bytes: limit, stream_limit_bytes: limit / 2 };
    let first = input.u32();
    let mut stream = Stream::default();
    if settings & 16 == 0 {
        stream.start(first.wrapping_sub(1));
    }
    let mut sink = Sink { first: None, position: 0, contradicted: settings & 8 != 0, missed: 0 };
    let mut near = first;
    while !input.is_empty() {
        let head = input.u8();
        let sequence = match head >> 3 & 3 {
            0 => near,
            1 => near.wrapping_add(u32::from(input.u8())),
            2 => near.wrapping_sub(u32::from(input.u8())),
            _ => near.wrapping_add(input.u32()),
        };
        match head & 7 {
            0..=3 => {
                let length = if head & 0x20 == 0 { u32::from(input.u8()) } else { u32::from(input.u16()) % 3000 };
                let contradicts = settings & 8 != 0 && head & 0x40 != 0;
                let at = |offset: u32| byte(sequence.wrapping_add(offset)) ^ if contradicts { 0xff } else { 0 };
                let bytes: Vec<u8> = (0..length).map(at).collect();
                sink.first.get_or_insert(if settings & 16 == 0 { first } else { sequence });
                let fin = head & 0x80 != 0;
                stream.segment(sequence, &bytes, length, fin, policy, &mut budget, &mut sink);
                near = sequence.wrapping_add(length);
            }
            4 | 5 => stream.acknowledge(sequence, &mut budget, &mut sink),
            6 => stream.forget(&mut budget),
            // A SYN again; one that comes after the beginning of what was picked up may move it.
            _ if settings & 16 == 0 => stream.start(first.wrapping_sub(1)),
            _ => {}
        }
        assert!(budget.used_bytes <= limit / 2, "{} bytes wait", budget.used_bytes);
        assert_eq!(stream.counts.missed, sink.missed);
    }
    stream.finish(&mut budget, &mut sink);
    assert_eq!(budget.used_bytes, 0, "something waits at the end");
    assert_eq!(stream.counts.missed, sink.missed);
}

/// The byte with this sequence number.
fn byte(sequence: u32) -> u8 {
    (sequence.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

/// Looks at what comes out.
struct Sink {
    /// The sequence number of the stream's first byte, once something was sent.
    first: Option<u32>,
    position: u32,
    contradicted: bool,
    missed: u64,
}

impl StreamSink for Sink {
    fn data(&mut self, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        let first = self.first.expect("bytes come out before any went in");
        for found in bytes {
            let right = byte(first.wrapping_add(self.position));
            assert!(*found == right || (self.contradicted && *found == right ^ 0xff), "a byte is not in its place");
            self.position = self.position.wrapping_add(1);
        }
    }

    fn gap(&mut self, length: u64) {
        assert!(length > 0);
        self.missed += length;
        self.position = self.position.wrapping_add(length as u32);
    }
}
