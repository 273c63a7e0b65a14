//! How often a rule tells (`threshold`, `detection_filter`, `rate_filter`), in packet time.
//!
//! Counters have a ceiling ([`COUNTERS_MAX`]): beyond, those whose time is over go first, and what still finds no room
//! tells as if there were no limit, and is counted.

use std::collections::HashMap;
use std::net::IpAddr;

use super::language::Action;
use super::rule::{Limit, LimitKind, Track};

/// The most counters.
pub const COUNTERS_MAX: usize = 131_072;

/// What is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    rule: u32,
    limit: u8,
    addresses: Option<(IpAddr, IpAddr)>,
    flow: u64,
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    begin_ns: i64,
    end_ns: i64,
    count: u32,
    /// Until then another action holds.
    until_ns: i64,
}

/// The counters of all rules.
#[derive(Debug, Default)]
pub struct Thresholds {
    counters: HashMap<Key, Counter>,
    /// Counters that found no room.
    pub refused: u64,
}

/// What becomes of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// It is told.
    pub told: bool,
    /// The action, where it is not the rule's own.
    pub action: Option<Action>,
}

/// A match that may be told.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// Number of the rule.
    pub rule: u32,
    /// Sender and receiver.
    pub addresses: (IpAddr, IpAddr),
    /// Number of the flow.
    pub flow: u64,
    /// When.
    pub time_ns: i64,
}

impl Thresholds {
    /// Whether all limits of a rule let a match be told, and with which action where that is another one.
    pub fn allow(&mut self, limits: &[Limit], occasion: Occasion) -> Verdict {
        let mut verdict = Verdict { told: true, action: None };
        for (number, limit) in (0u8..).zip(limits) {
            let reached = self.reached(number, limit, occasion);
            match limit.kind {
                LimitKind::Rate { action, .. } if reached => verdict.action = Some(action),
                LimitKind::Rate { .. } => {}
                _ => verdict.told &= reached,
            }
        }
        verdict.told &= verdict.action != Some(Action::Pass);
        verdict
    }

    /// Whether a match is to be told by one limit; of a rate, whether its action holds.
    fn reached(&mut self, number: u8, limit: &Limit, occasion: Occasion) -> bool {
        let Occasion { rule, addresses: (source, destination), flow, time_ns } = occasion;
        let addresses = match limit.track {
            Track::Source => Some((source, source)),
            Track::Destination => Some((destination, destination)),
            // Both ways between two hosts are one.
            Track::Both => Some((source.min(destination), source.max(destination))),
            Track::Rule | Track::Flow => None,
        };
        let flow = if limit.track == Track::Flow { flow } else { 0 };
        let key = Key { rule, limit: number, addresses, flow };
        let window_ns = i64::from(limit.seconds) * 1_000_000_000;
        if self.counters.len() >= COUNTERS_MAX && !self.counters.contains_key(&key) {
            self.counters.retain(|_, counter| counter.end_ns > time_ns);
            if self.counters.len() >= COUNTERS_MAX {
                self.refused += 1;
                return !matches!(limit.kind, LimitKind::Rate { .. });
            }
        }
        let fresh =
            Counter { begin_ns: time_ns, end_ns: time_ns.saturating_add(window_ns), count: 0, until_ns: i64::MIN };
        let counter = self.counters.entry(key).or_insert(fresh);
        if let LimitKind::Rate { seconds, .. } = limit.kind {
            return counter.rate(limit, time_ns, i64::from(seconds) * 1_000_000_000);
        }
        if time_ns.saturating_sub(counter.begin_ns) >= window_ns.max(1) {
            *counter = fresh;
        }
        counter.count = counter.count.saturating_add(1);
        match limit.kind {
            LimitKind::Limit => counter.count <= limit.count,
            LimitKind::Threshold if counter.count >= limit.count => {
                self.counters.remove(&key);
                true
            }
            LimitKind::Threshold => false,
            LimitKind::Both => counter.count == limit.count,
            LimitKind::Filter => counter.count > limit.count,
            LimitKind::Backoff(multiplier) => is_step(counter.count, limit.count, multiplier),
            LimitKind::Rate { .. } => false,
        }
    }
}

impl Counter {
    /// Counts one more for a rate: whether its action holds.
    fn rate(&mut self, limit: &Limit, time_ns: i64, held_ns: i64) -> bool {
        if time_ns < self.until_ns {
            return true;
        }
        let window_ns = i64::from(limit.seconds) * 1_000_000_000;
        if time_ns.saturating_sub(self.begin_ns) >= window_ns.max(1) {
            (self.begin_ns, self.count) = (time_ns, 0);
        }
        self.count = self.count.saturating_add(1);
        let reached = self.count > limit.count;
        if reached {
            self.until_ns = time_ns.saturating_add(held_ns);
            self.count = 0;
        }
        self.end_ns = self.until_ns.max(self.begin_ns.saturating_add(window_ns));
        reached
    }
}

/// Whether a count is `first`, or `first` times a power of the multiplier.
fn is_step(count: u32, first: u32, multiplier: u32) -> bool {
    let mut step = first;
    while step < count && multiplier > 1 {
        step = step.saturating_mul(multiplier);
    }
    step == count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: LimitKind, seconds_between: i64) -> Vec<bool> {
        let mut thresholds = Thresholds::default();
        let limit = Limit { kind, track: Track::Source, count: 2, seconds: 10 };
        let a: IpAddr = "192.0.2.1".parse().unwrap();
        (0..6)
            .map(|n| {
                let occasion =
                    Occasion { rule: 1, addresses: (a, a), flow: 1, time_ns: n * seconds_between * 1_000_000_000 };
                thresholds.allow(&[limit], occasion).told
            })
            .collect()
    }

    #[test]
    fn each_kind_tells_as_its_name_says() {
        assert_eq!(told(LimitKind::Limit, 1), [true, true, false, false, false, false]);
        assert_eq!(told(LimitKind::Threshold, 1), [false, true, false, true, false, true]);
        assert_eq!(told(LimitKind::Both, 1), [false, true, false, false, false, false]);
        assert_eq!(told(LimitKind::Filter, 1), [false, false, true, true, true, true]);
        assert_eq!(told(LimitKind::Limit, 5), [true, true, true, true, true, true]);
    }

    #[test]
    fn a_rate_changes_what_is_done_for_a_while() {
        let mut thresholds = Thresholds::default();
        let kind = LimitKind::Rate { action: Action::Pass, seconds: 20 };
        let limit = Limit { kind, track: Track::Source, count: 2, seconds: 10 };
        let a: IpAddr = "192.0.2.1".parse().unwrap();
        let mut told = |second: i64| {
            let occasion = Occasion { rule: 1, addresses: (a, a), flow: 1, time_ns: second * 1_000_000_000 };
            thresholds.allow(&[limit], occasion).told
        };
        let seen: Vec<bool> = [0, 1, 2, 3, 21, 22, 23].map(&mut told).into();
        assert_eq!(seen, [true, true, false, false, false, true, true]);
    }

    #[test]
    fn a_flood_of_addresses_stays_within_the_ceiling() {
        let mut thresholds = Thresholds::default();
        let limit = Limit { kind: LimitKind::Limit, track: Track::Source, count: 1, seconds: 60 };
        for n in 0..u32::try_from(COUNTERS_MAX + 10).unwrap() {
            let address = IpAddr::from(n.to_be_bytes());
            thresholds.allow(&[limit], Occasion { rule: 1, addresses: (address, address), flow: 0, time_ns: 0 });
        }
        assert_eq!((thresholds.counters.len(), thresholds.refused), (COUNTERS_MAX, 10));
    }
}
