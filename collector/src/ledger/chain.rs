//! The arithmetic of the ledger: differences between snapshots, and what nothing explains.

use std::collections::BTreeMap;

use luytre_events::ledger::{Snapshot, Stage, StageCounts, Unit};
use serde::{Deserialize, Serialize};

/// A sensor's snapshot and what the journal had of its run when it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Heard {
    pub snapshot: Snapshot,
    pub run_events: u64,
}

impl Heard {
    /// A snapshot that no journal stands behind: the collector's own.
    pub(super) fn alone(snapshot: Snapshot) -> Heard {
        Heard { snapshot, run_events: 0 }
    }

    /// What cannot be explained: within the snapshot, and between spool and journal.
    pub(super) fn unaccounted(&self) -> i64 {
        self.snapshot.unaccounted().saturating_add(self.on_the_wire())
    }

    /// What is acknowledged must be in the journal; what is in the journal must be or have been in the spool. The sensor
    /// counts before it speaks and the journal before it acknowledges, so in between anything is explained.
    fn on_the_wire(&self) -> i64 {
        let is_last = |stage: &&Stage| stage.name == "spool" || stage.name == super::SOURCE;
        let Some(spool) = self.snapshot.stages.iter().find(is_last) else { return 0 };
        let (low, high) = (spool.counts.given, spool.counts.given.saturating_add(spool.counts.held));
        let lost = low.saturating_sub(self.run_events);
        let surplus = self.run_events.saturating_sub(high);
        i64::try_from(lost.saturating_add(surplus)).unwrap_or(i64::MAX)
    }
}

/// What happened between two snapshots (since the program's start, where they are not of the same run): differences of
/// the counters, what is held at the end, and the change of what is unaccounted.
pub(super) fn difference(before: Option<&Heard>, now: &Heard) -> (Vec<Stage>, i64) {
    let before = before.filter(|before| before.snapshot.since_ns == now.snapshot.since_ns);
    let stages = now.snapshot.stages.iter().map(|stage| {
        let known = before.and_then(|before| before.snapshot.stages.iter().find(|known| known.name == stage.name));
        let counts = known.map_or_else(|| stage.counts.clone(), |known| subtract(&stage.counts, &known.counts));
        Stage { name: stage.name.clone(), unit: stage.unit, counts }
    });
    (stages.collect(), now.unaccounted().saturating_sub(before.map_or(0, Heard::unaccounted)))
}

fn subtract(now: &StageCounts, before: &StageCounts) -> StageCounts {
    let dropped: BTreeMap<String, u64> = now
        .dropped
        .iter()
        .map(|(reason, n)| (reason.clone(), n.saturating_sub(before.dropped.get(reason).copied().unwrap_or_default())))
        .filter(|(_, n)| *n > 0)
        .collect();
    StageCounts {
        taken: now.taken.saturating_sub(before.taken),
        given: now.given.saturating_sub(before.given),
        held: now.held,
        dropped,
    }
}

/// Adds a later difference to an earlier one.
pub(super) fn add(sum: &mut StageCounts, later: &StageCounts) {
    sum.taken = sum.taken.saturating_add(later.taken);
    sum.given = sum.given.saturating_add(later.given);
    sum.held = later.held;
    for (reason, n) in &later.dropped {
        if sum.dropped.len() < super::REASONS_MAX || sum.dropped.contains_key(reason) {
            let total = sum.dropped.entry(reason.clone()).or_default();
            *total = total.saturating_add(*n);
        }
    }
}

/// Whether a difference says nothing.
pub(super) fn idle(counts: &StageCounts) -> bool {
    counts.taken == 0 && counts.given == 0 && counts.dropped.is_empty()
}

/// The collector's stages for one sensor. `rested` says that the index has all that the journal took: then nothing can
/// be held, and whatever is missing is unaccounted.
pub(super) fn collector(taken: u64, counts: Vec<(&str, StageCounts)>, rested: bool) -> Vec<Stage> {
    let given = counts.first().map_or(0, |(_, first)| first.taken);
    let journal = StageCounts { taken, given, ..StageCounts::default() };
    let all = std::iter::once(("journal", journal)).chain(counts);
    let stage = |(name, mut counts): (&str, StageCounts)| {
        if !rested {
            counts.held = counts.taken.saturating_sub(counts.given).saturating_sub(counts.dropped_total());
        }
        Stage { name: name.to_owned(), unit: Unit::Events, counts }
    };
    all.map(stage).collect()
}
