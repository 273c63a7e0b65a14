//! Connections that are over, as long as rules go on knowing them: what still comes of one (a late reset, the last bytes
//! once more) is no new flow to rules, and what silenced it goes on doing so.
//!
//! Comes in: what is remembered of a connection when it has closed and fallen silent. Goes out: the same, for the first
//! packet that still comes within [`LINGERING_NS`]. At most [`LINGERING_MAX`] of a shard are kept; the oldest makes room.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::flow::FlowInspection;

/// How long a connection is known after its latest packet.
const LINGERING_NS: i64 = 60_000_000_000;
/// The most connections of a shard that are known.
const LINGERING_MAX: usize = 1024;

/// Both ends, the lower one first.
type Ends = ((IpAddr, u16), (IpAddr, u16));

/// What a connection was.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    /// Time of its first packet.
    pub start_ns: i64,
    /// Who called.
    pub client: (IpAddr, u16),
    /// Both sides had agreed.
    pub established: bool,
}

/// Connections that are over.
#[derive(Default)]
pub struct Lingering {
    known: HashMap<Ends, (i64, Box<FlowInspection>)>,
    /// In the order in which they came; some are known no more.
    order: VecDeque<(i64, Ends)>,
}

impl Lingering {
    /// A connection is over; its latest packet came at this time.
    pub fn keep(&mut self, ends: Ends, last_ns: i64, mut inspection: Box<FlowInspection>) {
        inspection.forget_bytes();
        while self.order.len() >= LINGERING_MAX
            && let Some((until_ns, oldest)) = self.order.pop_front()
        {
            if self.known.get(&oldest).is_some_and(|(known_until, _)| *known_until == until_ns) {
                self.known.remove(&oldest);
            }
        }
        let (until_ns, ends) = (last_ns.saturating_add(LINGERING_NS), sorted(ends));
        self.known.insert(ends, (until_ns, inspection));
        self.order.push_back((until_ns, ends));
    }

    /// What is known of the connection between two ends; it is not known any more afterwards.
    pub fn take(&mut self, ends: Ends, time_ns: i64) -> Option<Box<FlowInspection>> {
        if self.known.is_empty() {
            return None;
        }
        let (until_ns, inspection) = self.known.remove(&sorted(ends))?;
        (time_ns < until_ns).then_some(inspection)
    }
}

fn sorted((one, other): Ends) -> Ends {
    (one.min(other), one.max(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_known_for_a_while_and_not_without_end() {
        let host = |last: u8| (IpAddr::from([192, 0, 2, last]), 80);
        let mut lingering = Lingering::default();
        lingering.keep((host(2), host(1)), 0, Box::default());
        assert!(lingering.take((host(1), host(2)), LINGERING_NS - 1).is_some());
        assert!(lingering.take((host(1), host(2)), 1).is_none(), "it was given back");
        lingering.keep((host(2), host(1)), 0, Box::default());
        assert!(lingering.take((host(2), host(1)), LINGERING_NS).is_none(), "that was too long ago");
        for port in 0..u16::try_from(LINGERING_MAX).unwrap() + 5 {
            lingering.keep((host(1), (host(3).0, port)), 0, Box::default());
        }
        assert_eq!(lingering.known.len(), LINGERING_MAX);
        assert!(lingering.take((host(1), (host(3).0, 0)), 1).is_none(), "the oldest made room");
    }
}
