//! Another rule set for a running pipeline, handed over between two batches.
//!
//! Comes in: an engine that is loaded and checked ([`RuleChanges::put`]). Goes out: the same, to the thread that detects
//! ([`RuleChanges::take`]). There is one place: a newer set replaces one that was not taken yet, whose giver is told by
//! its dropped `taken`.

use std::sync::{Arc, Mutex, PoisonError};

use luytre_rules_engine::Engine;

use super::files::FileScans;

/// A rule set on its way into force.
pub struct RuleChange {
    /// The rules.
    pub engine: Engine,
    /// Scans files with them, where there are YARA rules.
    pub scans: Option<FileScans>,
    /// Called once the rules are in force.
    pub taken: Box<dyn FnOnce() + Send>,
}

/// The place; cheap to clone, all clones are one.
#[derive(Clone, Default)]
pub struct RuleChanges(Arc<Mutex<Option<RuleChange>>>);

impl RuleChanges {
    /// Hands rules over.
    pub fn put(&self, change: RuleChange) {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(change);
        // Outside the lock: ending its scanner takes a while.
        drop(before);
    }

    /// Takes the rules that wait, if there are any.
    pub fn take(&self) -> Option<RuleChange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
