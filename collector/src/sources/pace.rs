//! How fast a source may send: so many lines a second, a second's worth at once.
//!
//! Comes in: how many lines there are. Goes out: leave to take them, or how long to wait. A parcel of many lines is taken
//! whole when there is any room, and what comes after it waits the longer.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The pace of one source.
#[derive(Debug)]
pub struct Pace {
    lines_per_s: f64,
    state: Mutex<(Instant, f64)>,
}

impl Pace {
    /// So many lines a second; 0 means that there is no limit.
    pub fn new(lines_per_s: u32, now: Instant) -> Pace {
        let lines_per_s = f64::from(lines_per_s);
        Pace { lines_per_s, state: Mutex::new((now, lines_per_s)) }
    }

    /// Takes so many lines, or says how long to wait before asking again.
    pub fn take(&self, lines: usize, now: Instant) -> Result<(), Duration> {
        if self.lines_per_s == 0.0 {
            return Ok(());
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, room) = *state;
        let room = (room + now.saturating_duration_since(then).as_secs_f64() * self.lines_per_s).min(self.lines_per_s);
        if room <= 0.0 {
            *state = (now, room);
            return Err(Duration::from_secs_f64((1.0 - room) / self.lines_per_s));
        }
        *state = (now, room - lines as f64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_taken_at_once_and_more_waits() {
        let began = Instant::now();
        let pace = Pace::new(10, began);
        for _ in 0..10 {
            assert_eq!(pace.take(1, began), Ok(()));
        }
        assert_eq!(pace.take(1, began), Err(Duration::from_millis(100)));
        let later = began + Duration::from_millis(200);
        assert_eq!(pace.take(31, later), Ok(()), "a parcel is taken whole");
        let wait = pace.take(1, later).unwrap_err();
        assert!(wait > Duration::from_secs(2), "and paid for afterwards: {wait:?}");
        assert_eq!(pace.take(1, later + wait + Duration::from_millis(1)), Ok(()));
        assert!((0..100_000).all(|_| Pace::new(0, began).take(1, began).is_ok()));
    }
}
