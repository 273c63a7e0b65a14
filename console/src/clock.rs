//! The clock, injected so that tests can move it; and the two forms time takes here: integer microseconds since 1970 in
//! the database, RFC 3339 UTC text at the API.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970-01-01 UTC.
    fn now_us(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        Timestamp::now().as_microsecond()
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows this moment.
    pub fn at(now_us: i64) -> Self {
        ManualClock(AtomicI64::new(now_us))
    }

    /// Moves it.
    pub fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// RFC 3339 UTC text, with milliseconds at most where there are any (`2026-11-22T03:04:05.678Z`).
pub fn to_text(time_us: i64) -> String {
    let time = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_string()
}

/// Microseconds from RFC 3339 text, or nothing when it is no such text.
pub fn from_text(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|time| time.as_microsecond())
}

/// The named time zone. Viet Nam's own works on machines without a time zone database too.
pub fn zone(name: &str) -> Option<TimeZone> {
    match TimeZone::get(name) {
        Ok(zone) => Some(zone),
        Err(_) if name == "Asia/Ho_Chi_Minh" => Some(TimeZone::fixed(jiff::tz::offset(7))),
        Err(_) => None,
    }
}

/// The Monday of the week of a day, `YYYY-MM-DD`.
pub fn monday(day: &str) -> Option<Date> {
    let day: Date = day.parse().ok()?;
    day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok()
}

/// A time of day, `HH:MM`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_microseconds_agree() {
        let time_us = from_text("2026-11-22T10:00:00.5+07:00").unwrap();
        assert_eq!(to_text(time_us), "2026-11-22T03:00:00.5Z");
        assert_eq!(from_text(&to_text(time_us)), Some(time_us));
        assert_eq!(from_text("yesterday"), None);
    }

    #[test]
    fn a_zone_that_does_not_exist_is_nothing() {
        assert!(zone("Asia/Ho_Chi_Minh").is_some());
        assert!(zone("Asia/Nowhere").is_none());
    }
}
