//! The loss ledger: what every stage of every sensor and of the collector took, gave, holds and dropped, by minute.
//!
//! (Signatures first; the body follows.)

use std::path::Path;

use luytre_collector_api::{LedgerAnswer, StageLine, Visibility};
use serde::Deserialize;

/// How long the ledger is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSettings {
    /// Days that are older are deleted (default 400).
    pub age_days: u32,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        LedgerSettings { age_days: 400 }
    }
}

/// The ledger; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Ledger {}

/// The counters of one collector stage, per sensor. The stage counts an event as `taken` when it enters the stage's
/// input queue, as `given` when it leaves, as `dropped` with a short fixed reason when it is let go of.
#[derive(Clone)]
pub struct StageCounter {}

impl Ledger {
    /// Opens or creates the ledger in `dir`.
    pub fn open(_dir: &Path, _settings: LedgerSettings) -> std::io::Result<Ledger> {
        Ok(Ledger {})
    }

    /// The counter of a stage after the journal (`detect`, `index`), in the order of the data: call once per stage in
    /// that order at start.
    pub fn stage(&self, _name: &'static str) -> StageCounter {
        StageCounter {}
    }

    /// Minutes between two moments (nanoseconds since 1970-01-01 UTC), of one sensor or of all.
    pub fn answer(&self, _from_ns: i64, _to_ns: i64, _sensor: Option<&str>) -> LedgerAnswer {
        LedgerAnswer { minutes: Vec::new(), visibility: Visibility { seen: 0.0, unaccounted: 0, known: false } }
    }

    /// The newest counters of a sensor since its start, its stages and the collector's joined, and the remainder.
    pub fn stages(&self, _sensor: &str) -> (Vec<StageLine>, i64) {
        (Vec::new(), 0)
    }

    /// How much of a sensor's traffic was seen around a moment (the minute it lies in and the one before).
    pub fn visibility(&self, _sensor: &str, _time_ns: i64) -> Visibility {
        Visibility { seen: 0.0, unaccounted: 0, known: false }
    }
}

impl StageCounter {
    /// Events entered the stage.
    pub fn take(&self, _sensor: &str, _count: u64) {}

    /// Events left the stage for the next.
    pub fn give(&self, _sensor: &str, _count: u64) {}

    /// Events were let go of.
    pub fn drop(&self, _sensor: &str, _reason: &'static str, _count: u64) {}
}
