//! Events on which the rules failed: a panic in an engine must not stop detection for ever.
//!
//! Comes in: the id of an event in whose processing something panicked. Goes out: whether an event is one of them; no rule
//! looks at it again. At most [`POISON_MAX`] are remembered, the lowest ids are forgotten first; nothing is kept over a
//! restart, where the same event would be found again.

use std::collections::BTreeSet;

use luytre_events::EventId;

/// The most events that are remembered.
const POISON_MAX: usize = 1000;

/// The events that no rule looks at.
#[derive(Debug, Default)]
pub struct Poison(BTreeSet<EventId>);

impl Poison {
    /// Remembers an event.
    pub fn add(&mut self, event: EventId) {
        if self.0.len() >= POISON_MAX {
            self.0.pop_first();
        }
        self.0.insert(event);
    }

    /// Whether no rule may look at the event.
    pub fn contains(&self, event: &EventId) -> bool {
        !self.0.is_empty() && self.0.contains(event)
    }
}
