//! Flows that other flows have announced, until they come.
//!
//! Comes in: an [`Expected`] of a parser, and the first packet of each new flow. Goes out: the parser that will follow
//! that flow. Announcements that nobody takes up are forgotten after [`WAIT_NS`]; of more than [`EXPECTED_MAX`] the
//! oldest goes, and is counted.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use luytre_events::Transport;

use crate::protocols::{End, Expected, Parser};

/// How long an announced flow is waited for.
pub const WAIT_NS: i64 = 60_000_000_000;
/// The most flows that are waited for, in one shard.
pub const EXPECTED_MAX: usize = 1024;

/// Who calls, who is called, how.
type Place = (IpAddr, End, Transport);

/// The flows waited for.
#[derive(Default)]
pub struct Waiting {
    flows: HashMap<Place, (u64, &'static str, Box<dyn Parser>)>,
    /// In the order of their announcement: when, number, place.
    order: VecDeque<(i64, u64, Place)>,
    number: u64,
}

impl Waiting {
    /// Waits for a flow from `client`; returns how many others had to be forgotten for it.
    pub fn add(&mut self, time_ns: i64, client: IpAddr, expected: Expected) -> u64 {
        self.forget(time_ns);
        self.number += 1;
        let place = (client, expected.server, expected.transport);
        self.flows.insert(place, (self.number, expected.protocol, expected.parser));
        self.order.push_back((time_ns, self.number, place));
        let mut forgotten = 0;
        while self.order.len() > EXPECTED_MAX {
            forgotten += u64::from(self.drop_oldest());
        }
        forgotten
    }

    /// The protocol and parser for a new flow, if it was announced.
    pub fn take(
        &mut self,
        time_ns: i64,
        client: IpAddr,
        server: End,
        transport: Transport,
    ) -> Option<(&'static str, Box<dyn Parser>)> {
        if self.flows.is_empty() {
            return None;
        }
        self.forget(time_ns);
        self.flows.remove(&(client, server, transport)).map(|(_, protocol, parser)| (protocol, parser))
    }

    fn forget(&mut self, time_ns: i64) {
        while self.order.front().is_some_and(|(since, ..)| time_ns.saturating_sub(*since) > WAIT_NS) {
            self.drop_oldest();
        }
    }

    /// Whether a flow was still waited for under the oldest announcement.
    fn drop_oldest(&mut self) -> bool {
        let Some((_, number, place)) = self.order.pop_front() else { return false };
        let same = self.flows.get(&place).is_some_and(|(announced, ..)| *announced == number);
        same && self.flows.remove(&place).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::{Direction, Output, Progress};

    struct Nothing;
    impl Parser for Nothing {
        fn data(&mut self, _: &mut dyn Output, _: Direction, _: &[u8]) -> Progress {
            Progress::Done
        }
        fn gap(&mut self, _: &mut dyn Output, _: Direction, _: u64) -> Progress {
            Progress::Done
        }
        fn finish(&mut self, _: &mut dyn Output) {}
    }

    fn client() -> IpAddr {
        [192, 0, 2, 1].into()
    }

    fn server(port: u16) -> End {
        ([192, 0, 2, 2].into(), port)
    }

    fn expected(port: u16) -> Expected {
        Expected { server: server(port), transport: Transport::TCP, protocol: "ftp-data", parser: Box::new(Nothing) }
    }

    #[test]
    fn an_announced_flow_is_taken_up_once_and_in_time() {
        let mut waiting = Waiting::default();
        waiting.add(0, client(), expected(2000));
        waiting.add(0, client(), expected(2001));
        assert!(waiting.take(1, client(), server(2002), Transport::TCP).is_none());
        assert!(waiting.take(1, client(), server(2000), Transport::UDP).is_none());
        assert!(waiting.take(1, client(), server(2000), Transport::TCP).is_some());
        assert!(waiting.take(1, client(), server(2000), Transport::TCP).is_none());
        assert!(waiting.take(WAIT_NS + 1, client(), server(2001), Transport::TCP).is_none());
    }

    #[test]
    fn announcements_do_not_pile_up() {
        let mut waiting = Waiting::default();
        let mut forgotten = 0;
        for port in 0..3000 {
            forgotten += waiting.add(0, client(), expected(port));
        }
        assert_eq!(forgotten, 3000 - EXPECTED_MAX as u64);
        assert!(waiting.take(0, client(), server(0), Transport::TCP).is_none());
        assert!(waiting.take(0, client(), server(2999), Transport::TCP).is_some());
        // The same place again and again holds one parser.
        for _ in 0..3000 {
            forgotten = waiting.add(0, client(), expected(7));
        }
        assert_eq!(waiting.flows.len(), 1);
        assert_eq!(forgotten, 0);
    }
}
