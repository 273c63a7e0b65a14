//! What does not work at the moment, for people: any stage may raise a problem under its own name and take it back.
//!
//! Comes in: a stage's name and a sentence. Goes out: the list that `/v1/health` shows. One problem a stage, so it is
//! bounded; nothing is kept across a restart, because a stage that still has its problem will say so again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The problems there are; cheap to clone, all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Problems(Arc<Mutex<BTreeMap<String, String>>>);

impl Problems {
    /// Says that `stage` does not work and what to do about it. Logged when it is new.
    pub fn raise(&self, stage: &str, problem: impl Into<String>) {
        let problem = problem.into();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(stage) != Some(&problem) {
            tracing::error!(stage, problem = %problem, "a stage has a problem");
            all.insert(stage.to_owned(), problem);
        }
    }

    /// Says that `stage` works again.
    pub fn clear(&self, stage: &str) {
        let removed = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(stage);
        if removed.is_some() {
            tracing::info!(stage, "the stage works again");
        }
    }

    /// All of them, by stage.
    pub fn list(&self) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(stage, problem)| format!("{stage}: {problem}")).collect()
    }
}
