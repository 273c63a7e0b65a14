//! The loss ledger: what every stage of every sensor and of the collector took, gave, holds and dropped, by minute.
//!
//! Comes in: sensors' snapshots (through the intake) and the collector's own counts. Goes out: sums by sensor and minute,
//! the remainder that nothing explains, and how much of a link was seen at a moment.
//!
//! **The chain.** On the sensor `capture -> decode -> flow` count packets and `protocols -> spool` events; what the spool
//! gave must be in the journal; so must what a `source` gave, the lines of another program; in the collector `journal -> detect -> index` count events. *Unaccounted* is
//!
//! 1. what a sensor's own snapshot cannot explain;
//! 2. events that the spool says are acknowledged and the journal does not have, or that the journal has and the spool
//!    never had, in this run of the sensor;
//! 3. what a stage of the collector took and neither gave nor dropped once the index has everything. Before that it is
//!    held.
//!
//! Counters rise from a program's start, so differences are taken between snapshots of the same start; after a restart
//! counting begins at zero. What a sensor counted while it could not reach us arrives with its next snapshot.
//!
//! **Bounds.** Two days are kept in memory, a file a day on disk, by age and size ([`LedgerSettings`]). **On restart** the
//! files are read back; a line that a crash cut in half is skipped. A disk that says no is told in the health and
//! counted; the ledger goes on in memory, and what could not be written is written when there is room again.

mod answer;
mod chain;
mod store;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use luytre_events::ledger::{Snapshot, Stage, StageCounts};
use serde::Deserialize;

use crate::fleet::now_ns;
use crate::journal::Journal;
use crate::room::Room;
use chain::Heard;
use store::{Line, Store};

/// A minute, in nanoseconds.
const MINUTE_NS: i64 = 60_000_000_000;
/// How many minutes are kept in memory.
const MINUTES_MAX: i64 = 2 * 24 * 60;
/// A snapshot whose time is further from ours than this is filed under our time.
const CLOCK_TRUST_NS: i64 = 24 * 60 * MINUTE_NS;

/// The stage of a source that counts lines, as a sensor's spool counts events: what it gave must be in the journal.
pub const SOURCE: &str = "source";
/// The stage of a source that counts connections and refused requests.
pub const CONNECTIONS: &str = "connections";

/// The most stages of one sensor in a minute; further ones are ignored. No program of ours has half as many.
const STAGES_MAX: usize = 32;
/// The most reasons of one stage in a minute; further ones are ignored.
const REASONS_MAX: usize = 128;
/// The longest name of a stage or reason, in bytes.
const NAME_MAX_BYTES: usize = 64;

/// How long the ledger is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSettings {
    /// Days that are older are deleted (default 400).
    pub age_days: u32,
    /// The oldest days are deleted beyond this size (default 1 GiB).
    pub size_bytes: u64,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        LedgerSettings { age_days: 400, size_bytes: 1 << 30 }
    }
}

/// The ledger; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    journal: OnceLock<Journal>,
    state: Mutex<State>,
    room: Room,
}

struct State {
    sensors: BTreeMap<String, Account>,
    /// The collector's stages after the journal, in the order of the data.
    stages: Vec<&'static str>,
    store: Store,
    since_ns: i64,
}

/// All about one sensor.
#[derive(Default)]
struct Account {
    newest: Option<Heard>,
    /// Counts of the collector's stages.
    counts: BTreeMap<&'static str, StageCounts>,
    /// The collector's stages when they were last filed.
    filed: Option<Snapshot>,
    /// By the minute's number since 1970.
    minutes: BTreeMap<i64, Minute>,
}

/// Differences within a minute.
#[derive(Debug, Clone, Default, PartialEq)]
struct Minute {
    stages: Vec<Stage>,
    unaccounted: i64,
}

impl Minute {
    fn add(&mut self, stages: &[Stage], unaccounted: i64) {
        for stage in stages {
            let has_room = self.stages.len() < STAGES_MAX;
            match self.stages.iter_mut().find(|known| known.name == stage.name) {
                Some(known) => chain::add(&mut known.counts, &stage.counts),
                None if has_room => self.stages.push(stage.clone()),
                None => {}
            }
        }
        self.unaccounted = self.unaccounted.saturating_add(unaccounted);
    }
}

/// A snapshot without what no program of ours would say: a sensor must not fill our memory and disk with names.
fn bounded(mut snapshot: Snapshot) -> Snapshot {
    snapshot.stages.retain(|stage| stage.name.len() <= NAME_MAX_BYTES);
    snapshot.stages.truncate(STAGES_MAX);
    for stage in &mut snapshot.stages {
        stage.counts.dropped.retain(|reason, _| reason.len() <= NAME_MAX_BYTES);
        while stage.counts.dropped.len() > REASONS_MAX {
            stage.counts.dropped.pop_last();
        }
    }
    snapshot
}

/// The counter of one collector stage, per sensor. The stage counts an event as taken when it enters the stage's input
/// queue, as given when it leaves, as dropped with a short fixed reason when it is let go of.
#[derive(Clone)]
pub struct StageCounter {
    ledger: Ledger,
    name: &'static str,
}

impl Ledger {
    /// Opens or creates the ledger in `dir`.
    pub fn open(dir: &Path, settings: LedgerSettings) -> std::io::Result<Ledger> {
        let store = Store::open(dir, settings)?;
        let mut state = State { sensors: BTreeMap::new(), stages: Vec::new(), store, since_ns: now_ns() };
        let from = now_ns() / MINUTE_NS - MINUTES_MAX;
        for line in state.store.read(from * MINUTE_NS, i64::MAX) {
            state.restore(line);
        }
        let room = state.store.room.clone();
        Ok(Ledger(Arc::new(Inner { journal: OnceLock::new(), state: Mutex::new(state), room })))
    }

    /// The room of its folder.
    pub fn room(&self) -> &Room {
        &self.0.room
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The journal whose intake is counted; the intake says so when it starts.
    pub fn follow(&self, journal: Journal) {
        // The first one stays: there is one journal.
        let _ = self.0.journal.set(journal);
    }

    /// The counter of a stage after the journal (`detect`, `index`), in the order of the data: call once per stage in
    /// that order at start.
    pub fn stage(&self, name: &'static str) -> StageCounter {
        let mut state = self.state();
        if !state.stages.contains(&name) {
            state.stages.push(name);
        }
        StageCounter { ledger: self.clone(), name }
    }

    /// A sensor's snapshot. `run_events` is how many events of the sensor's present run are durable in the journal.
    pub fn hear(&self, sensor: &str, snapshot: Snapshot, run_events: u64) {
        let now_ns = now_ns();
        let time_ns = match snapshot.time_ns {
            time_ns if time_ns.abs_diff(now_ns) < CLOCK_TRUST_NS.unsigned_abs() => time_ns,
            _ => now_ns,
        };
        let heard = Heard { snapshot: bounded(snapshot), run_events };
        let mut state = self.state();
        let account = state.account(sensor);
        let before = account.newest.as_ref();
        let (stages, unaccounted) = chain::difference(before, &heard);
        account.newest = Some(heard.clone());
        let minute_ns = time_ns.div_euclid(MINUTE_NS) * MINUTE_NS;
        let line = Line { sensor: sensor.to_owned(), minute_ns, stages, unaccounted, newest: Some(heard) };
        state.file(line);
        self.file_collector(&mut state, sensor, now_ns);
    }

    /// Files what the collector's stages have counted since the last time.
    fn file_collector(&self, state: &mut State, sensor: &str, now_ns: i64) {
        let Some(snapshot) = self.collector(state, sensor, now_ns) else { return };
        let Some(account) = state.sensors.get_mut(sensor) else { return };
        let before = account.filed.take().map(Heard::alone);
        let (stages, unaccounted) = chain::difference(before.as_ref(), &Heard::alone(snapshot.clone()));
        account.filed = Some(snapshot);
        let minute_ns = now_ns.div_euclid(MINUTE_NS) * MINUTE_NS;
        state.file(Line { sensor: sensor.to_owned(), minute_ns, stages, unaccounted, newest: None });
    }

    /// The collector's stages for one sensor, consistent with each other.
    fn collector(&self, state: &State, sensor: &str, time_ns: i64) -> Option<Snapshot> {
        let journal = self.0.journal.get()?;
        let account = state.sensors.get(sensor)?;
        // Everything is in the index only if nothing came in meanwhile.
        let taken = journal.inflow(sensor);
        let rested = journal.at_rest();
        let counts: Vec<(&str, StageCounts)> =
            state.stages.iter().map(|name| (*name, account.counts.get(name).cloned().unwrap_or_default())).collect();
        let rested = rested && journal.inflow(sensor) == taken && journal.at_rest();
        let stages = chain::collector(taken, counts, rested);
        Some(Snapshot { time_ns, since_ns: state.since_ns, stages })
    }

    fn count(&self, name: &'static str, sensor: &str, change: impl FnOnce(&mut StageCounts)) {
        change(self.state().account(sensor).counts.entry(name).or_default());
    }
}

impl State {
    fn account(&mut self, sensor: &str) -> &mut Account {
        if !self.sensors.contains_key(sensor) {
            self.sensors.insert(sensor.to_owned(), Account::default());
        }
        self.sensors.entry(sensor.to_owned()).or_default()
    }

    /// Adds differences to their minute, in memory and on disk.
    fn file(&mut self, line: Line) {
        if line.newest.is_none() && line.unaccounted == 0 && line.stages.iter().all(|stage| chain::idle(&stage.counts))
        {
            return;
        }
        self.store.write(&line);
        self.add(&line);
    }

    fn restore(&mut self, line: Line) {
        self.add(&line);
        if let Some(newest) = line.newest {
            self.account(&line.sensor).newest = Some(newest);
        }
    }

    fn add(&mut self, line: &Line) {
        let number = line.minute_ns.div_euclid(MINUTE_NS);
        let minutes = &mut self.account(&line.sensor).minutes;
        minutes.entry(number).or_default().add(&line.stages, line.unaccounted);
        while minutes.len() > usize::try_from(MINUTES_MAX).unwrap_or(usize::MAX) {
            minutes.pop_first();
        }
    }
}

impl StageCounter {
    /// Events entered the stage.
    pub fn take(&self, sensor: &str, count: u64) {
        self.ledger.count(self.name, sensor, |counts| counts.taken += count);
    }

    /// Events left the stage for the next.
    pub fn give(&self, sensor: &str, count: u64) {
        self.ledger.count(self.name, sensor, |counts| counts.given += count);
    }

    /// Events were let go of.
    pub fn drop(&self, sensor: &str, reason: &'static str, count: u64) {
        self.ledger.count(self.name, sensor, |counts| *counts.dropped.entry(reason.to_owned()).or_default() += count);
    }
}

#[cfg(test)]
mod tests;
