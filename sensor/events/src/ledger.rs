//! The loss ledger's words: what each stage took in, gave out, still holds, and dropped by reason.
//!
//! Within a stage, `taken = given + held + sum of dropped` at every moment. Along a chain of stages that count the same
//! unit, what one gave is what the next one takes. Anything else is *unaccounted*: it is shown, and alarmed when it is
//! not zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a stage counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Packets: from the network card to the flow table.
    Packets,
    /// Events: from the parsers to the index.
    Events,
}

/// The counters of one stage since its program started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCounts {
    /// What came in.
    pub taken: u64,
    /// What went on to the next stage.
    pub given: u64,
    /// What is waiting inside.
    pub held: u64,
    /// What was let go of, by reason.
    pub dropped: BTreeMap<String, u64>,
}

impl StageCounts {
    /// The sum over all reasons.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.values().fold(0u64, |sum, n| sum.saturating_add(*n))
    }

    /// What came in and is nowhere: zero unless a program has a bug.
    pub fn unaccounted(&self) -> i64 {
        let explained = self.given.saturating_add(self.held).saturating_add(self.dropped_total());
        signed(self.taken) - signed(explained)
    }
}

/// One stage of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The stage's name: `capture`, `decode`, `flow`, `protocols`, `spool`, `uplink`, `journal`, `detect`, `index`.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// The counters.
    pub counts: StageCounts,
}

/// The counters of a program at one moment; they rise from its start (`since_ns`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When it was taken, nanoseconds since 1970-01-01 UTC.
    pub time_ns: i64,
    /// When the program began to count; a new value means that it was restarted.
    pub since_ns: i64,
    /// The stages in the order of the data.
    pub stages: Vec<Stage>,
}

impl Snapshot {
    /// What the snapshot cannot explain: inside each stage, and between neighbours that count the same unit.
    pub fn unaccounted(&self) -> i64 {
        let inside = self.stages.iter().map(|s| s.counts.unaccounted().abs()).fold(0, i64::saturating_add);
        let between = self
            .stages
            .windows(2)
            .filter_map(|pair| match pair {
                [a, b] if a.unit == b.unit => Some((signed(a.counts.given) - signed(b.counts.taken)).abs()),
                _ => None,
            })
            .fold(0, i64::saturating_add);
        inside.saturating_add(between)
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(name: &str, taken: u64, given: u64, held: u64, dropped: &[(&str, u64)]) -> Stage {
        let dropped = dropped.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect();
        Stage { name: name.into(), unit: Unit::Packets, counts: StageCounts { taken, given, held, dropped } }
    }

    #[test]
    fn explained_losses_leave_nothing_unaccounted() {
        let stages = vec![stage("capture", 10, 9, 0, &[("ring_full", 1)]), stage("decode", 9, 8, 0, &[("cut", 1)])];
        assert_eq!(Snapshot { stages, ..Snapshot::default() }.unaccounted(), 0);
    }

    #[test]
    fn a_missing_packet_shows_inside_and_between_stages() {
        let stages = vec![stage("capture", 10, 9, 0, &[]), stage("decode", 8, 8, 0, &[])];
        assert_eq!(Snapshot { stages, ..Snapshot::default() }.unaccounted(), 2);
    }

    #[test]
    fn counters_at_their_end_do_not_panic() {
        let stages = vec![stage("capture", u64::MAX, 0, u64::MAX, &[("a", u64::MAX), ("b", u64::MAX)]); 3];
        assert_ne!(Snapshot { stages, ..Snapshot::default() }.unaccounted(), 0);
    }
}
