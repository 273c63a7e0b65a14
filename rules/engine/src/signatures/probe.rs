//! What authors want to know of rules at work: what each costs, and how far one of them came.
//!
//! A probe is shared by the inspectors of all workers; without one nothing is measured. It keeps a number for each rule
//! and the [`ATTEMPTS_MAX`] attempts of the rule in question that came furthest.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Attempts that are kept.
pub const ATTEMPTS_MAX: usize = 5;
/// Different reasons that are counted.
const REASONS_MAX: usize = 256;

/// What one rule has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// How often it was asked.
    pub asked: u64,
    /// How often all it asks for held.
    pub matched: u64,
    /// Time spent on it.
    pub time: Duration,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The first packet of a direction.
    Flow,
    /// The protocol became known.
    Recognised,
    /// Something odd about a packet.
    Odd,
    /// A packet.
    Packet,
    /// A piece of a stream.
    Stream,
    /// A transaction.
    Transaction,
}

impl Occasion {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Occasion::Flow => "the first packet of a direction",
            Occasion::Recognised => "the protocol became known",
            Occasion::Odd => "something odd about a packet",
            Occasion::Packet => "a packet",
            Occasion::Stream => "a piece of a stream",
            Occasion::Transaction => "a transaction",
        }
    }
}

/// One look at a moment by the rule in question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Packet time, nanoseconds.
    pub time_ns: i64,
    /// What was looked at.
    pub occasion: Occasion,
    /// Sender and receiver.
    pub ends: String,
    /// What held, in order, with its places.
    pub held: Vec<String>,
    /// What failed first; nothing where everything held.
    pub failed: Option<String>,
}

/// What is known of the rule in question.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// The attempts that came furthest, the first of equals first.
    pub attempts: Vec<Attempt>,
    /// How often each thing failed first.
    pub failed: BTreeMap<String, u64>,
    /// How often everything held.
    pub held: u64,
    /// How often it was looked at.
    pub looked: u64,
}

/// The probe.
#[derive(Debug)]
pub struct Probe {
    /// The rule in question, by its place in the set.
    target: Option<u32>,
    costs: Mutex<Vec<Cost>>,
    story: Mutex<Story>,
}

impl Probe {
    /// For a set of so many rules; one of them may be explained.
    pub fn new(rules: usize, target: Option<u32>) -> Probe {
        Probe { target, costs: Mutex::new(vec![Cost::default(); rules]), story: Mutex::default() }
    }

    /// The rule in question.
    pub fn target(&self) -> Option<u32> {
        self.target
    }

    /// A rule was asked.
    pub fn asked(&self, rule: u32, matched: bool, time: Duration) {
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cost) = usize::try_from(rule).ok().and_then(|at| costs.get_mut(at)) {
            cost.asked += 1;
            cost.matched += u64::from(matched);
            cost.time += time;
        }
    }

    /// The rule in question was looked at.
    pub fn tried(&self, attempt: Attempt) {
        let mut story = self.story.lock().unwrap_or_else(PoisonError::into_inner);
        story.looked += 1;
        match &attempt.failed {
            None => story.held += 1,
            Some(why) if story.failed.len() < REASONS_MAX || story.failed.contains_key(why) => {
                *story.failed.entry(why.clone()).or_default() += 1;
            }
            Some(_) => {}
        }
        let rank = |attempt: &Attempt| (attempt.failed.is_none(), attempt.held.len());
        let at = story.attempts.partition_point(|other| rank(other) >= rank(&attempt));
        story.attempts.insert(at, attempt);
        story.attempts.truncate(ATTEMPTS_MAX);
    }

    /// What each rule has cost, by its place in the set.
    pub fn costs(&self) -> Vec<Cost> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of the rule in question.
    pub fn story(&self) -> Story {
        self.story.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
