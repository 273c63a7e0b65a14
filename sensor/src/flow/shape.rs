//! What a flow looks like whatever it says: sizes and pauses of its first packets, and the first bytes of a protocol that
//! nobody knows.
//!
//! Kept small and only for flows that carry data: a flood of empty flows costs nothing here.

use super::{Both, Side};

/// Packets with payload whose size and time are kept.
const STEPS_MAX: usize = 10;
/// Bytes of each side that are kept while the protocol is unknown.
const FIRST_BYTES_MAX: usize = 256;
/// Bytes of those that are told.
const TOLD_BYTES: usize = 32;

/// One packet with payload.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Since the one before, in microseconds.
    gap_us: u32,
    /// Bytes of payload on the wire.
    size: u16,
    side: Side,
}

/// The shape of one flow.
#[derive(Debug, Default)]
pub struct Shape {
    steps: Vec<Step>,
    last_ns: i64,
    first: Option<Box<Both<Vec<u8>>>>,
}

impl Shape {
    /// A packet with so many bytes of payload.
    pub fn packet(&mut self, side: Side, time_ns: i64, payload_bytes: u32) {
        if payload_bytes == 0 || self.steps.len() >= STEPS_MAX {
            return;
        }
        let gap_us = if self.steps.is_empty() {
            self.steps.reserve_exact(STEPS_MAX);
            0
        } else {
            u32::try_from(time_ns.saturating_sub(self.last_ns).max(0) / 1000).unwrap_or(u32::MAX)
        };
        self.last_ns = time_ns;
        self.steps.push(Step { gap_us, size: u16::try_from(payload_bytes).unwrap_or(u16::MAX), side });
    }

    /// Bytes of a side while nobody knows the protocol.
    pub fn unknown(&mut self, side: Side, bytes: &[u8]) {
        let first = self.first.get_or_insert_default().of_mut(side);
        let room = FIRST_BYTES_MAX.saturating_sub(first.len()).min(bytes.len());
        first.extend_from_slice(bytes.get(..room).unwrap_or(&[]));
    }

    /// The protocol is known: its first bytes are of no more interest.
    pub fn known(&mut self) {
        self.first = None;
    }

    /// Payload bytes of the first packets.
    pub fn sizes(&self) -> Vec<u16> {
        self.steps.iter().map(|step| step.size).collect()
    }

    /// Which way each of those packets went: `>` from the side that opened the flow, `<` from the side that was called.
    pub fn directions(&self, client: Side) -> Option<String> {
        let arrows: String = self.steps.iter().map(|s| if s.side == client { '>' } else { '<' }).collect();
        Some(arrows).filter(|arrows| !arrows.is_empty())
    }

    /// Microseconds before each of those packets, since the one before.
    pub fn gaps_us(&self) -> Vec<u32> {
        self.steps.iter().map(|step| step.gap_us).collect()
    }

    /// The first bytes of a side of an unknown protocol in hexadecimal, and their entropy in bits a byte.
    pub fn first_bytes(&self, side: Side) -> Option<(String, f64)> {
        let bytes = self.first.as_ref()?.of(side);
        let told = bytes.get(..TOLD_BYTES).unwrap_or(bytes);
        (!bytes.is_empty()).then(|| (crate::protocols::text::digits(told), crate::protocols::text::entropy(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_packets_tell_size_direction_and_pause() {
        let mut shape = Shape::default();
        shape.packet(Side::B, 1_000_000, 100);
        shape.packet(Side::A, 3_500_000, 0);
        shape.packet(Side::A, 4_000_000, 70_000);
        assert_eq!(shape.sizes(), [100, 65_535]);
        assert_eq!(shape.directions(Side::B).as_deref(), Some("><"));
        assert_eq!(shape.gaps_us(), [0, 3000]);
        for _ in 0..50 {
            shape.packet(Side::A, 5_000_000, 1);
        }
        assert_eq!(shape.gaps_us().len(), STEPS_MAX);
    }

    #[test]
    fn first_bytes_are_kept_within_bounds_until_the_protocol_is_known() {
        let mut shape = Shape::default();
        shape.unknown(Side::A, &[0x41; 40]);
        shape.unknown(Side::A, &[0x42; 4000]);
        let (hex, entropy) = shape.first_bytes(Side::A).unwrap();
        assert_eq!(hex, "41".repeat(32));
        assert!(entropy > 0.5 && entropy < 0.7, "{entropy}");
        assert!(shape.first_bytes(Side::B).is_none());
        shape.known();
        assert!(shape.first_bytes(Side::A).is_none());
    }
}
