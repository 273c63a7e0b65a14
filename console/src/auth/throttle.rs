//! Back-off after failures: the first [`Limits::free`] are free, then the wait doubles up to [`Limits::longest_s`].
//!
//! Kept in memory, at most [`MAX_KEYS`] keys; when full, the key that failed longest ago is forgotten. A restart forgets
//! all, which gives away no more than the free tries.

use std::collections::HashMap;
use std::sync::Mutex;

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
        let keys = self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let left_us = keys.get(key)?.until_us - now_us;
        (left_us > 0).then(|| u64::try_from(left_us / 1_000_000 + 1).unwrap_or(1))
    }

    /// A failure; answers the wait that follows, in seconds, or nothing.
    pub fn failed(&self, key: &str, now_us: i64) -> Option<u64> {
        let mut keys = self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
        self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(key);
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

#[cfg(test)]
mod tests {
    use super::*;

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
