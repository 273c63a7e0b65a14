//! Back-off after failures: the first [`Limits::free`] are free, then the wait doubles up to [`Limits::longest_s`].
//!
//! Kept in memory, at most [`MAX_KEYS`] keys; when full, the key that failed longest ago is forgotten. A restart forgets
//! all, which gives away no more than the free tries.
//!
//! [`Doors`] puts three of them before the log-in: who fails is slowed by name and network, by network whatever the name,
//! and, gently, by name wherever from. The last one never holds up a network from which this user has come in before, so
//! that a stranger who guesses at a name cannot keep its owner out.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How many keys are remembered.
pub const MAX_KEYS: usize = 20_000;

/// Failures older than this are forgotten, seconds.
const FORGET_AFTER_S: i64 = 3_600;

/// How patient it is.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many failures cost nothing.
    pub free: u32,
    /// The first wait, in seconds.
    pub first_s: i64,
    /// The longest wait, in seconds.
    pub longest_s: i64,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_us: i64,
    until_us: i64,
}

/// Counts failures by key.
#[derive(Debug)]
pub struct Throttle {
    limits: Limits,
    keys: Mutex<HashMap<String, Failures>>,
}

impl Throttle {
    /// Knows of no failure yet.
    pub fn new(limits: Limits) -> Self {
        Throttle { limits, keys: Mutex::new(HashMap::new()) }
    }

    /// How many seconds the key must wait, or nothing.
    pub fn wait_s(&self, key: &str, now_us: i64) -> Option<u64> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let left_us = keys.get(key)?.until_us - now_us;
        (left_us > 0).then(|| u64::try_from(left_us / 1_000_000 + 1).unwrap_or(1))
    }

    /// A failure; answers the wait that follows, in seconds, or nothing.
    pub fn failed(&self, key: &str, now_us: i64) -> Option<u64> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KEYS && !keys.contains_key(key) {
            forget(&mut keys, now_us);
        }
        let failures = keys.entry(key.to_owned()).or_insert(Failures { count: 0, last_us: now_us, until_us: 0 });
        if now_us - failures.last_us > FORGET_AFTER_S * 1_000_000 {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last_us = now_us;
        let beyond = failures.count.checked_sub(self.limits.free)?;
        let wait_s = self.limits.first_s.saturating_mul(1i64 << beyond.min(20)).min(self.limits.longest_s);
        failures.until_us = now_us + wait_s * 1_000_000;
        u64::try_from(wait_s).ok()
    }

    /// A success: the key begins anew.
    pub fn succeeded(&self, key: &str) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl Throttle {
    /// One failure fewer; with it goes the wait it caused.
    fn took_back(&self, key: &str) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failures) = keys.get_mut(key) {
            failures.count = failures.count.saturating_sub(1);
            if failures.count < self.limits.free {
                failures.until_us = 0;
            }
        }
    }
}

/// Makes room: first what has lapsed, then what failed longest ago.
fn forget(keys: &mut HashMap<String, Failures>, now_us: i64) {
    keys.retain(|_, f| now_us - f.last_us <= FORGET_AFTER_S * 1_000_000);
    if keys.len() >= MAX_KEYS {
        let oldest = keys.iter().min_by_key(|(_, f)| f.last_us).map(|(key, _)| key.clone());
        oldest.and_then(|key| keys.remove(&key));
    }
}

/// How many times more failures a whole network may make than one name from it.
const NETWORK_FACTOR: u32 = 10;

/// How many times more failures a name may collect from everywhere, and the longest wait that follows: a brake, no lock.
const NAME_FACTOR: u32 = 10;
const NAME_LONGEST_S: i64 = 60;

/// How many pairs of name and network are remembered as known.
pub const MAX_KNOWN: usize = 10_000;

/// Who asks to come in: a name and the network it asks from.
#[derive(Debug, Clone)]
pub struct Knock {
    name: String,
    network: String,
}

impl Knock {
    /// Somebody who gives this name, from this address.
    pub fn new(name: &str, address: Option<&str>) -> Self {
        Knock { name: name.to_owned(), network: network(address) }
    }

    fn both(&self) -> String {
        format!("{} {}", self.name, self.network)
    }
}

/// The network of an address as text; empty where there is none.
pub fn network(address: Option<&str>) -> String {
    address.and_then(|a| a.parse().ok()).map(network_of).unwrap_or_default()
}

/// The network an address stands for: an IPv4 address alone, an IPv6 address with all that share its first 64 bits, which
/// one household or office has to itself (RFC 6177).
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// The back-off before the log-in.
#[derive(Debug)]
pub struct Doors {
    by_both: Throttle,
    by_network: Throttle,
    by_name: Throttle,
    /// Names and networks that have come in, the latest at the end.
    known: Mutex<VecDeque<String>>,
}

impl Doors {
    /// So many failures of one name from one network cost nothing; then the wait doubles from 10 seconds to 15 minutes.
    pub fn new(free: u32) -> Self {
        let limits = |factor: u32, longest_s| Limits { free: free.saturating_mul(factor), first_s: 10, longest_s };
        Doors {
            by_both: Throttle::new(limits(1, 900)),
            by_network: Throttle::new(limits(NETWORK_FACTOR, 900)),
            by_name: Throttle::new(limits(NAME_FACTOR, NAME_LONGEST_S)),
            known: Mutex::new(VecDeque::new()),
        }
    }

    /// How many seconds this one must wait, or nothing.
    pub fn wait_s(&self, knock: &Knock, now_us: i64) -> Option<u64> {
        let (both, known) = (knock.both(), self.is_known(knock));
        let by_network = self.by_network.wait_s(&knock.network, now_us).filter(|_| !known);
        let by_name = self.by_name.wait_s(&knock.name, now_us).filter(|_| !known);
        [self.by_both.wait_s(&both, now_us), by_network, by_name].into_iter().flatten().max()
    }

    /// Counts a try as failed before its password is looked at: many at the same time must not all pass
    /// [`Doors::wait_s`]. Answers the wait that follows, in seconds, or nothing.
    pub fn tried(&self, knock: &Knock, now_us: i64) -> Option<u64> {
        let known = self.is_known(knock);
        let by_network = self.by_network.failed(&knock.network, now_us).filter(|_| !known);
        let by_name = self.by_name.failed(&knock.name, now_us).filter(|_| !known);
        [self.by_both.failed(&knock.both(), now_us), by_network, by_name].into_iter().flatten().max()
    }

    /// The try was right after all: it and what failed before it are forgotten, and the network is known for this name.
    /// What others in the same network or elsewhere failed at is not.
    pub fn succeeded(&self, knock: &Knock) {
        self.forgive(knock);
        self.remember(knock);
    }

    /// The try was right after all, and says nothing of who it was.
    pub fn forgive(&self, knock: &Knock) {
        self.by_both.succeeded(&knock.both());
        self.by_network.took_back(&knock.network);
        self.by_name.took_back(&knock.name);
    }

    /// This user has come in from this network.
    pub fn remember(&self, knock: &Knock) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let both = knock.both();
        known.retain(|each| *each != both);
        if known.len() >= MAX_KNOWN {
            known.pop_front();
        }
        known.push_back(both);
    }

    fn is_known(&self, knock: &Knock) -> bool {
        let both = knock.both();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: u32 = 5;

    fn knock(name: &str, address: &str) -> Knock {
        Knock::new(name, Some(address))
    }

    #[test]
    fn a_stranger_slows_only_itself_and_never_somebody_at_a_known_place() {
        let doors = Doors::new(FREE);
        doors.succeeded(&knock("lan", "192.0.2.7"));
        for n in 0..200u32 {
            doors.tried(&knock("lan", &format!("203.0.113.{n}")), 0);
        }
        assert_eq!(doors.wait_s(&knock("lan", "192.0.2.7"), 0), None, "a known place is never held up by others");
        let braked = doors.wait_s(&knock("lan", "198.51.100.1"), 0);
        assert!(braked.is_some_and(|wait_s| wait_s <= 61), "{braked:?}");
        assert_eq!(doors.wait_s(&knock("minh", "198.51.100.1"), 0), None);
    }

    #[test]
    fn a_known_place_is_slowed_by_its_own_failures() {
        let doors = Doors::new(FREE);
        doors.succeeded(&knock("lan", "192.0.2.7"));
        for _ in 0..FREE {
            doors.tried(&knock("lan", "192.0.2.7"), 0);
        }
        assert!(doors.wait_s(&knock("lan", "192.0.2.7"), 0).is_some());
    }

    #[test]
    fn one_network_that_tries_many_names_is_slowed_whatever_the_name() {
        let doors = Doors::new(FREE);
        for n in 0..FREE * NETWORK_FACTOR {
            doors.tried(&knock(&format!("name{n}"), &format!("2001:db8:1:2::{n:x}")), 0);
        }
        assert!(doors.wait_s(&knock("new", "2001:db8:1:2:ffff::1"), 0).is_some(), "the same /64");
        assert_eq!(doors.wait_s(&knock("new", "2001:db8:1:3::1"), 0), None, "another /64");
    }

    #[test]
    fn success_takes_back_its_own_try_and_leaves_what_others_did() {
        let doors = Doors::new(FREE);
        for n in 0..FREE * NETWORK_FACTOR - 1 {
            doors.tried(&knock(&format!("name{n}"), "203.0.113.9"), 0);
        }
        doors.tried(&knock("lan", "203.0.113.9"), 0);
        doors.succeeded(&knock("lan", "203.0.113.9"));
        assert_eq!(doors.wait_s(&knock("name0", "203.0.113.9"), 0), None);
        doors.tried(&knock("minh", "203.0.113.9"), 0);
        assert!(doors.wait_s(&knock("name0", "203.0.113.9"), 0).is_some());
    }

    #[test]
    fn what_is_known_is_bounded() {
        let doors = Doors::new(FREE);
        for n in 0..MAX_KNOWN + 50 {
            doors.succeeded(&knock(&n.to_string(), "192.0.2.1"));
        }
        assert_eq!(doors.known.lock().unwrap().len(), MAX_KNOWN);
    }

    const LIMITS: Limits = Limits { free: 5, first_s: 10, longest_s: 60 };

    #[test]
    fn waits_begin_after_the_free_tries_and_double() {
        let throttle = Throttle::new(LIMITS);
        for _ in 0..4 {
            assert_eq!(throttle.failed("lan", 0), None);
        }
        let waits: Vec<_> = (0..5).map(|_| throttle.failed("lan", 0)).collect();
        assert_eq!(waits, [Some(10), Some(20), Some(40), Some(60), Some(60)]);
        assert_eq!(throttle.wait_s("lan", 59_000_000), Some(2));
        assert_eq!(throttle.wait_s("lan", 60_000_000), None);
        assert_eq!(throttle.wait_s("other", 0), None);
    }

    #[test]
    fn success_and_time_forget() {
        let throttle = Throttle::new(LIMITS);
        for _ in 0..5 {
            throttle.failed("lan", 0);
        }
        throttle.succeeded("lan");
        assert_eq!(throttle.wait_s("lan", 0), None);
        for _ in 0..5 {
            throttle.failed("lan", 0);
        }
        assert_eq!(throttle.failed("lan", 2 * FORGET_AFTER_S * 1_000_000), None);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new(LIMITS);
        for n in 0..(MAX_KEYS as i64 + 50) {
            throttle.failed(&n.to_string(), n);
        }
        assert_eq!(throttle.keys.lock().unwrap().len(), MAX_KEYS);
    }
}
