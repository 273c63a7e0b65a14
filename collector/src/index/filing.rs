//! Under which day an event is filed: its own, unless that cannot be.
//!
//! Comes in: the times of a batch's events and when the batch was received. Goes out: a day for each event. An event
//! keeps the time that its sensor gave it; only the partition that it stands in is chosen here, so that wrong clocks and
//! forged times do not make partitions without end. The choice follows from what the journal holds and nothing else: a
//! replay files every event where it was filed before.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// A day, in nanoseconds.
pub const DAY_NS: i64 = 86_400_000_000_000;
/// An event may be this much younger than its receipt: the sensor's clock is ahead.
const AHEAD_MAX_NS: i64 = DAY_NS;
/// The most days that one batch of a sensor is filed under, besides the day received.
pub const DAYS_MAX: usize = 8;

/// Events that were filed under the day received instead of their own, by reason.
#[derive(Debug, Default)]
pub struct FilingCounts {
    ahead: AtomicU64,
    outlived: AtomicU64,
    days: AtomicU64,
}

impl FilingCounts {
    /// Reason and number.
    pub fn all(&self) -> [(&'static str, u64); 3] {
        [("ahead", &self.ahead), ("outlived", &self.outlived), ("days", &self.days)]
            .map(|(reason, count)| (reason, count.load(Ordering::Relaxed)))
    }
}

/// Files the events of one batch.
pub struct Filing {
    received_ns: i64,
    oldest_ns: i64,
    days: BTreeSet<i64>,
}

impl Filing {
    /// For a batch that was received at a moment (nanoseconds since 1970-01-01 UTC), where events are kept for so long.
    pub fn new(received_ns: i64, keep_days: u32) -> Filing {
        let keep_ns = i64::from(keep_days).saturating_mul(DAY_NS);
        Filing { received_ns, oldest_ns: received_ns.saturating_sub(keep_ns), days: BTreeSet::new() }
    }

    /// The number of the day, counted from 1970-01-01, that an event of this time is filed under. Call it for the events
    /// of the batch in their order.
    pub fn day(&mut self, time_ns: i64, counts: &FilingCounts) -> i64 {
        let (own, received) = (time_ns.div_euclid(DAY_NS), self.received_ns.div_euclid(DAY_NS));
        let reason = if time_ns > self.received_ns.saturating_add(AHEAD_MAX_NS) {
            &counts.ahead
        } else if time_ns < self.oldest_ns {
            &counts.outlived
        } else if own == received || self.days.contains(&own) {
            return own;
        } else if self.days.len() < DAYS_MAX {
            self.days.insert(own);
            return own;
        } else {
            &counts.days
        };
        reason.fetch_add(1, Ordering::Relaxed);
        received
    }
}

/// The number of the day that a partition of this name holds (`2026-11-22`, `2026-11-22.1`).
pub fn day_of(name: &str) -> Option<i64> {
    let date: jiff::civil::Date = name.get(..10)?.parse().ok()?;
    let midnight_ns = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_nanosecond();
    Some(i64::try_from(midnight_ns).ok()?.div_euclid(DAY_NS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_NS: i64 = 20_779 * DAY_NS + 5;

    fn file(filing: &mut Filing, counts: &FilingCounts, days: i64) -> i64 {
        filing.day(NOW_NS.saturating_add(days.saturating_mul(DAY_NS)), counts) - 20_779
    }

    #[test]
    fn times_that_cannot_be_are_filed_under_the_day_received() {
        let counts = FilingCounts::default();
        let mut filing = Filing::new(NOW_NS, 180);
        let filed = [0, 1, -1, -180, 2, -181].map(|days| file(&mut filing, &counts, days));
        assert_eq!(filed, [0, 1, -1, -180, 0, 0]);
        assert_eq!(filing.day(i64::MIN, &counts), 20_779);
        assert_eq!(filing.day(i64::MAX, &counts), 20_779);
        assert_eq!(counts.all(), [("ahead", 2), ("outlived", 2), ("days", 0)]);
    }

    #[test]
    fn a_partitions_name_says_its_day() {
        assert_eq!(day_of("2026-11-22"), Some(20_779));
        assert_eq!(day_of("2026-11-22.3"), Some(20_779));
        assert_eq!(day_of("damaged"), None);
    }

    #[test]
    fn a_batch_touches_few_days_and_a_replay_the_same_ones() {
        let counts = FilingCounts::default();
        let file_all = || {
            let mut filing = Filing::new(NOW_NS, 180);
            (0..100).map(|n| file(&mut filing, &counts, -n % 50)).collect::<Vec<i64>>()
        };
        let filed = file_all();
        assert_eq!(filed.iter().collect::<BTreeSet<_>>().len(), DAYS_MAX + 1);
        assert_eq!(file_all(), filed);
        assert_eq!(counts.all()[2].1, 2 * 2 * (50 - 9));
    }
}
