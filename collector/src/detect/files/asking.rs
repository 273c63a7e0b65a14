//! Whom to ask for which file, so that no sensor holds up the files of another.
//!
//! Comes in: digests with the sensors that announced them, and how each question ended. Goes out: the next question. A
//! sensor has at most [`PER_SENSOR_MAX`] questions open and all together [`OPEN_MAX`], which also bounds the contents in
//! memory. One that does not answer in time or is away is left alone for a while; a file that several sensors announced
//! is asked of the next one. A file that nobody has, or that was waited for longer than [`PATIENCE`], is given up. Knows
//! no clock and no network.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// The most questions open at one sensor.
pub const PER_SENSOR_MAX: usize = 2;
/// The most questions open at all sensors together.
pub const OPEN_MAX: usize = 8;
/// The most sensors that are remembered for one file.
const SENSORS_MAX: usize = 8;
/// A sensor is asked for one file at most so often, when it does not answer in time.
const LATE_MAX: u32 = 3;
/// A sensor that is away is asked again after this.
pub const AWAY_PAUSE: Duration = Duration::from_secs(15);
/// A sensor that did not answer in time is asked again after this.
pub const LATE_PAUSE: Duration = Duration::from_secs(60);
/// No file is waited for longer than this.
pub const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// SHA-256 of a file.
pub type FileDigest = [u8; 32];

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The sensor is not connected.
    Away,
    /// It did not answer in time.
    Late,
    /// It no longer has the file.
    Gone,
}

struct Wish {
    /// Who announced the file, and how often each was late.
    sensors: VecDeque<(String, u32)>,
    since: Instant,
    is_open: bool,
}

/// The files that are wanted.
#[derive(Default)]
pub struct Asking {
    wishes: HashMap<FileDigest, Wish>,
    order: VecDeque<FileDigest>,
    open: HashMap<String, usize>,
    paused: HashMap<String, Instant>,
}

impl Asking {
    /// A sensor has announced a file that is wanted.
    pub fn want(&mut self, file: FileDigest, sensor: String, now: Instant) {
        let is_new = !self.is_wanted(&file);
        let wish = self.wishes.entry(file).or_insert(Wish { sensors: VecDeque::new(), since: now, is_open: false });
        if wish.sensors.len() < SENSORS_MAX && !wish.sensors.iter().any(|(known, _)| *known == sensor) {
            wish.sensors.push_back((sensor, 0));
        }
        if is_new {
            self.order.push_back(file);
        }
    }

    /// Whether a file is wanted.
    pub fn is_wanted(&self, file: &FileDigest) -> bool {
        self.wishes.contains_key(file)
    }

    /// The next question, if one may be asked now.
    pub fn next(&mut self, now: Instant) -> Option<(FileDigest, String)> {
        self.paused.retain(|_, until| *until > now);
        if self.open.values().sum::<usize>() >= OPEN_MAX {
            return None;
        }
        let is_free = |sensor: &str| {
            !self.paused.contains_key(sensor) && self.open.get(sensor).is_none_or(|open| *open < PER_SENSOR_MAX)
        };
        let (file, sensor) = self.order.iter().find_map(|file| {
            let wish = self.wishes.get(file).filter(|wish| !wish.is_open)?;
            let (sensor, _) = wish.sensors.iter().find(|(sensor, _)| is_free(sensor))?;
            Some((*file, sensor.clone()))
        })?;
        if let Some(wish) = self.wishes.get_mut(&file) {
            wish.is_open = true;
        }
        *self.open.entry(sensor.clone()).or_default() += 1;
        Some((file, sensor))
    }

    /// A question has ended without the file. Answers whether the file must be given up.
    pub fn failed(&mut self, file: &FileDigest, sensor: &str, ended: Ended, now: Instant) -> bool {
        self.close(file, sensor);
        match ended {
            Ended::Away => drop(self.paused.insert(sensor.to_owned(), now + AWAY_PAUSE)),
            Ended::Late => drop(self.paused.insert(sensor.to_owned(), now + LATE_PAUSE)),
            Ended::Gone => {}
        }
        let Some(wish) = self.wishes.get_mut(file) else { return false };
        // The others that announced it come first next time.
        if let Some(at) = wish.sensors.iter().position(|(known, _)| known == sensor)
            && let Some((name, late)) = wish.sensors.remove(at)
        {
            let late = late + u32::from(ended == Ended::Late);
            if ended != Ended::Gone && late < LATE_MAX {
                wish.sensors.push_back((name, late));
            }
        }
        wish.sensors.is_empty()
    }

    /// A question has ended; the file stays wanted.
    pub fn close(&mut self, file: &FileDigest, sensor: &str) {
        if let Some(open) = self.open.get_mut(sensor) {
            *open = open.saturating_sub(1);
        }
        self.open.retain(|_, open| *open > 0);
        if let Some(wish) = self.wishes.get_mut(file) {
            wish.is_open = false;
        }
    }

    /// The file is no longer wanted.
    pub fn forget(&mut self, file: &FileDigest) {
        if self.wishes.remove(file).is_some() {
            self.order.retain(|known| known != file);
        }
    }

    /// A file that was waited for too long, if there is one.
    pub fn outlived(&self, now: Instant) -> Option<FileDigest> {
        let oldest = self.order.front()?;
        let wish = self.wishes.get(oldest)?;
        (!wish.is_open && now.saturating_duration_since(wish.since) >= PATIENCE).then_some(*oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(number: u8) -> FileDigest {
        [number; 32]
    }

    fn all(asking: &mut Asking, now: Instant) -> Vec<(u8, String)> {
        std::iter::from_fn(|| asking.next(now)).map(|(file, sensor)| (file[0], sensor)).collect()
    }

    #[test]
    fn a_sensor_that_never_answers_does_not_hold_up_the_others() {
        let mut asking = Asking::default();
        let mut now = Instant::now();
        for number in 0..100 {
            asking.want(file(number), "mute".into(), now);
        }
        asking.want(file(200), "well".into(), now);
        assert_eq!(all(&mut asking, now), [(0, "mute".into()), (1, "mute".into()), (200, "well".into())]);
        asking.forget(&file(200));
        asking.close(&file(200), "well");
        // Both are late: the sensor is left alone, whatever else it announced.
        for number in 0..2 {
            assert!(!asking.failed(&file(number), "mute", Ended::Late, now));
        }
        assert!(all(&mut asking, now).is_empty());
        now += LATE_PAUSE;
        assert_eq!(all(&mut asking, now), [(0, "mute".into()), (1, "mute".into())]);
    }

    #[test]
    fn a_file_is_asked_of_the_next_sensor_that_announced_it_and_given_up_in_the_end() {
        let mut asking = Asking::default();
        let now = Instant::now();
        for sensor in ["gone", "late", "well"] {
            asking.want(file(1), sensor.into(), now);
        }
        assert_eq!(all(&mut asking, now), [(1, "gone".into())]);
        assert!(!asking.failed(&file(1), "gone", Ended::Gone, now));
        assert_eq!(all(&mut asking, now), [(1, "late".into())]);
        assert!(!asking.failed(&file(1), "late", Ended::Late, now));
        assert_eq!(all(&mut asking, now), [(1, "well".into())]);
        assert!(!asking.failed(&file(1), "well", Ended::Gone, now));
        let mut then = now;
        for last in [false, true] {
            then += LATE_PAUSE;
            assert_eq!(all(&mut asking, then), [(1, "late".into())]);
            assert_eq!(asking.failed(&file(1), "late", Ended::Late, then), last);
        }
    }

    #[test]
    fn questions_are_few_at_a_time_and_no_wish_is_for_ever() {
        let mut asking = Asking::default();
        let now = Instant::now();
        for number in 0..100 {
            asking.want(file(number), format!("sensor-{number}"), now);
        }
        let asked = all(&mut asking, now);
        assert_eq!(asked.len(), OPEN_MAX);
        for (number, sensor) in &asked {
            assert!(!asking.failed(&file(*number), sensor, Ended::Away, now));
        }
        assert_eq!(all(&mut asking, now).len(), OPEN_MAX, "others have their turn");
        assert_eq!(asking.outlived(now), None);
        assert_eq!(asking.outlived(now + PATIENCE), Some(file(0)));
    }
}
