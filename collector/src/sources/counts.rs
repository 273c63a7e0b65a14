//! What one source counts, and how the ledger hears of it.
//!
//! Lines: taken = given + held + dropped by reason; what is given must be in the journal, which the ledger checks.
//! Connections and requests that are refused have counts of their own: their lines never came.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use luytre_events::ledger::{Snapshot, Stage, StageCounts, Unit};

use super::PREFIX;
use crate::clock::now_ns;
use crate::journal::Journal;
use crate::ledger::{CONNECTIONS, Ledger, SOURCE};

/// The ledger hears of a source this often.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What one source counts.
#[derive(Debug, Default)]
pub struct Counts {
    taken: AtomicU64,
    pub(super) given: AtomicU64,
    pub(super) heard_ns: AtomicI64,
    /// Connections that were let in.
    pub(super) connections: AtomicU64,
    dropped: Mutex<BTreeMap<&'static str, u64>>,
    refused: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counts {
    /// Something came.
    pub fn hear(&self) {
        self.heard_ns.store(now_ns(), Ordering::Relaxed);
    }

    /// Lines came.
    pub fn take(&self, lines: u64) {
        self.taken.fetch_add(lines, Ordering::Relaxed);
        self.hear();
    }

    /// Lines of those that came are let go of.
    pub fn lose(&self, reason: &'static str, lines: u64) {
        *self.dropped.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += lines;
    }

    /// A connection or request is refused: what is in it did not come.
    pub fn refuse(&self, reason: &'static str) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += 1;
    }

    /// Connections and requests that were refused, by reason.
    pub fn refused(&self) -> BTreeMap<String, u64> {
        named(&self.refused)
    }

    /// The lines, consistent with each other.
    pub fn told(&self) -> StageCounts {
        // In this order, so that nothing is given or dropped that was not taken.
        let given = self.given.load(Ordering::Relaxed);
        let dropped = named(&self.dropped);
        let gone = given.saturating_add(dropped.values().sum());
        let taken = self.taken.load(Ordering::Relaxed).max(gone);
        StageCounts { taken, given, held: taken - gone, dropped }
    }
}

fn named(counts: &Mutex<BTreeMap<&'static str, u64>>) -> BTreeMap<String, u64> {
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    counts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
}

/// Tells the ledger for as long as the collector runs.
pub async fn report(name: String, counts: Arc<Counts>, journal: Journal, ledger: Ledger) {
    let (sensor, since_ns) = (format!("{PREFIX}{name}"), now_ns());
    let run_before = journal.totals(&sensor).events;
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        // Lines come while this is asked: what the journal had before is at most what was taken, what it has after is at
        // least what was given, and anything in between is explained.
        let run_events = || journal.totals(&sensor).events.saturating_sub(run_before);
        let before = run_events();
        let told = counts.told();
        let run_events = run_events().min(told.given.saturating_add(told.held).max(before));
        let admitted = counts.connections.load(Ordering::Relaxed);
        let refused = counts.refused();
        let knocks = admitted.saturating_add(refused.values().sum());
        let doors = StageCounts { taken: knocks, given: admitted, held: 0, dropped: refused };
        let stage = |name: &str, counts| Stage { name: name.to_owned(), unit: Unit::Events, counts };
        let mut stages = vec![stage(SOURCE, told)];
        if knocks > 0 {
            stages.insert(0, stage(CONNECTIONS, doors));
        }
        let snapshot = Snapshot { time_ns: now_ns(), since_ns, stages };
        let (ledger, sensor) = (ledger.clone(), sensor.clone());
        // Filing may write to the disk.
        let filed = tokio::task::spawn_blocking(move || ledger.hear(&sensor, snapshot, run_events)).await;
        if let Err(error) = filed {
            tracing::error!(source = name, %error, "tell the ledger of a source");
        }
    }
}
