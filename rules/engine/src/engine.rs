//! All detectors behind one call.

use std::sync::Arc;

use luytre_events::Event;
use luytre_events::scan::FileMatch;

use crate::detector::Detector;
use crate::heard::Heard;
use crate::matched::Match;
use crate::ruleset::RuleSet;

/// Every rule of a set, ready to run. One thread feeds it, in packet order.
pub struct Engine {
    rules: Arc<RuleSet>,
    detectors: Vec<Box<dyn Detector>>,
    events: u64,
    matches: u64,
}

/// What an engine did and what it had to let go of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineCounts {
    /// Events processed.
    pub events: u64,
    /// Matches reported.
    pub matches: u64,
    /// Correlation groups kept now.
    pub groups: u64,
    /// Correlation groups dropped because the limit was reached.
    pub groups_dropped: u64,
}

impl Engine {
    /// An engine without rules, for a collector whose rule folder is empty or gone.
    pub fn empty() -> Engine {
        Engine::new(Arc::new(RuleSet::empty()), vec![Box::new(Heard::new())])
    }

    pub(crate) fn new(rules: Arc<RuleSet>, detectors: Vec<Box<dyn Detector>>) -> Engine {
        Engine { rules, detectors, events: 0, matches: 0 }
    }

    /// The engine with one detector more, which comes after the others.
    pub fn with(mut self, detector: Box<dyn Detector>) -> Engine {
        self.detectors.push(detector);
        self
    }

    /// The rules in force: metadata, texts, digest, hits. Cheap to clone and to share with other threads.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// Runs every rule on one event.
    pub fn process(&mut self, event: &Event) -> Vec<Match> {
        let mut found = Vec::new();
        for detector in &mut self.detectors {
            detector.process(event, &mut found);
        }
        self.events += 1;
        self.matches += found.len() as u64;
        found.iter().for_each(|m| m.rule.count_hit());
        found
    }

    /// Turns what the scanner found in the file of a `file` event into a match. Nothing where the rule is not in the
    /// set (any more).
    pub fn file_match(&mut self, event: &Event, found: &FileMatch) -> Option<Match> {
        let made = crate::yara::to_match(&self.rules, event, found)?;
        self.matches += 1;
        made.rule.count_hit();
        Some(made)
    }

    /// What it did so far.
    pub fn counts(&self) -> EngineCounts {
        EngineCounts {
            events: self.events,
            matches: self.matches,
            groups: self.detectors.iter().map(|d| d.groups() as u64).sum(),
            groups_dropped: self.detectors.iter().map(|d| d.groups_dropped()).sum(),
        }
    }

    /// The state of all windows, to be given to [`Engine::restore`] of a later engine (of the same or changed rules).
    pub fn snapshot(&self) -> Vec<u8> {
        let states: Vec<Option<Vec<u8>>> = self.detectors.iter().map(|d| d.snapshot()).collect();
        // A list of byte strings always has a postcard form.
        luytre_events::wire::encode(&states).unwrap_or_default()
    }

    /// Takes the windows of an earlier engine over. Answers whether they could be used; without them, windows start
    /// empty.
    pub fn restore(&mut self, snapshot: &[u8]) -> bool {
        let Ok(states) = luytre_events::wire::decode::<Vec<Option<Vec<u8>>>>(snapshot) else { return false };
        let mut used = true;
        for (detector, state) in self.detectors.iter_mut().zip(&states) {
            if let Some(state) = state {
                used &= detector.restore(state);
            }
        }
        used
    }
}
