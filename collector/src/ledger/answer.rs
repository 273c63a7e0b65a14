//! What the ledger answers.

use std::collections::BTreeMap;

use luytre_collector_api::{LedgerAnswer, LedgerMinute, StageLine, Visibility};
use luytre_events::ledger::{Snapshot, Stage, Unit};

use super::{Ledger, MINUTE_NS, Minute, State};
use crate::fleet::{now_ns, time_text};

/// The most entries in an answer; the newest are kept.
const ENTRIES_MAX: usize = 50_000;

impl Ledger {
    /// Minutes between two moments (nanoseconds since 1970-01-01 UTC), of one sensor or of all; at most the newest 50,000.
    pub fn answer(&self, from_ns: i64, to_ns: i64, sensor: Option<&str>) -> LedgerAnswer {
        let mut state = self.state();
        self.file_all(&mut state);
        let minutes = state.minutes(from_ns, to_ns, sensor);
        let visibility = visibility(minutes.values(), state.has_seen(sensor, from_ns));
        let skipped = minutes.len().saturating_sub(ENTRIES_MAX);
        let entry = |((number, sensor), minute): ((i64, String), Minute)| LedgerMinute {
            sensor,
            minute: time_text(number * MINUTE_NS),
            stages: minute.stages.iter().map(line).collect(),
            unaccounted: minute.unaccounted,
        };
        LedgerAnswer { minutes: minutes.into_iter().skip(skipped).map(entry).collect(), visibility }
    }

    /// The newest counters of a sensor since its start, its stages and the collector's joined, and the remainder.
    pub fn stages(&self, sensor: &str) -> (Vec<StageLine>, i64) {
        let state = self.state();
        let Some(account) = state.sensors.get(sensor) else { return (Vec::new(), 0) };
        let ours = self.collector(&state, sensor, now_ns());
        let newest = account.newest.as_ref();
        let unaccounted = newest.map_or(0, super::Heard::unaccounted);
        let unaccounted = unaccounted.saturating_add(ours.as_ref().map_or(0, Snapshot::unaccounted));
        let theirs = newest.map(|heard| heard.snapshot.stages.iter()).into_iter().flatten();
        let ours = ours.iter().flat_map(|snapshot| snapshot.stages.iter());
        (theirs.chain(ours).map(line).collect(), unaccounted)
    }

    /// How much of a sensor's traffic was seen around a moment (the minute it lies in and the one before).
    pub fn visibility(&self, sensor: &str, time_ns: i64) -> Visibility {
        let number = time_ns.div_euclid(MINUTE_NS);
        let state = self.state();
        let first = number.saturating_sub(1);
        let minutes = state.sensors.get(sensor).map(|account| account.minutes.range(first..=number));
        let has_seen = state.has_seen(Some(sensor), first.saturating_mul(MINUTE_NS));
        visibility(minutes.into_iter().flatten().map(|(_, minute)| minute), has_seen)
    }

    /// The same over any period, of one sensor or of all.
    pub fn visibility_between(&self, sensor: Option<&str>, from_ns: i64, to_ns: i64) -> Visibility {
        let state = self.state();
        visibility(state.minutes(from_ns, to_ns, sensor).values(), state.has_seen(sensor, from_ns))
    }

    fn file_all(&self, state: &mut State) {
        let names: Vec<String> = state.sensors.keys().cloned().collect();
        for name in names {
            self.file_collector(state, &name, now_ns());
        }
    }
}

impl State {
    /// Whether a packet was ever seen before a moment, by one sensor or by any: from then on silence is known to be one.
    fn has_seen(&self, sensor: Option<&str>, before_ns: i64) -> bool {
        let before = before_ns.div_euclid(MINUTE_NS);
        let wanted = self.sensors.iter().filter(|(name, _)| sensor.is_none_or(|sensor| sensor == name.as_str()));
        let came = |stage: &Stage| stage.name == "capture" && stage.counts.taken > 0;
        wanted
            .flat_map(|(_, account)| account.minutes.range(..before).rev())
            .any(|(_, minute)| minute.stages.iter().any(came))
    }

    /// Minutes in a range, from memory where they are there and else from disk, oldest first.
    fn minutes(&self, from_ns: i64, to_ns: i64, sensor: Option<&str>) -> BTreeMap<(i64, String), Minute> {
        let (first, last) = (from_ns.div_euclid(MINUTE_NS), (to_ns.saturating_sub(1)).div_euclid(MINUTE_NS));
        let wanted = |name: &str| sensor.is_none_or(|sensor| sensor == name);
        let mut found: BTreeMap<(i64, String), Minute> = BTreeMap::new();
        if first > last {
            return found;
        }
        let oldest = now_ns().div_euclid(MINUTE_NS) - super::MINUTES_MAX;
        if first < oldest {
            for line in self.store.read(from_ns, to_ns.min(oldest * MINUTE_NS)) {
                if wanted(&line.sensor) {
                    let key = (line.minute_ns.div_euclid(MINUTE_NS), line.sensor.clone());
                    found.entry(key).or_default().add(&line.stages, line.unaccounted);
                }
            }
        }
        for (name, account) in self.sensors.iter().filter(|(name, _)| wanted(name)) {
            for (number, minute) in account.minutes.range(first.max(oldest).min(last)..=last) {
                found.insert((*number, name.clone()), minute.clone());
            }
        }
        found
    }
}

fn line(stage: &Stage) -> StageLine {
    let unit = match stage.unit {
        Unit::Events if stage.name == super::CONNECTIONS => "connections",
        Unit::Packets => "packets",
        Unit::Events => "events",
    };
    StageLine {
        stage: stage.name.clone(),
        unit: unit.to_owned(),
        taken: stage.counts.taken,
        given: stage.counts.given,
        held: stage.counts.held,
        dropped: stage.counts.dropped.clone(),
    }
}

/// Of the packets that came to the network card, the share that was understood. A packet that is no IP packet is
/// understood well enough to know that it is none of our business. The counters are a sensor's word: whatever they are,
/// nothing here may overflow. Counters that have not seen a packet yet say nothing: the mirror port may not be connected.
fn visibility<'m>(minutes: impl Iterator<Item = &'m Minute>, has_seen: bool) -> Visibility {
    let (mut came, mut lost, mut unaccounted, mut known) = (0u64, 0u64, 0i64, false);
    for minute in minutes {
        unaccounted = unaccounted.saturating_add(minute.unaccounted);
        for stage in minute.stages.iter().filter(|stage| stage.unit == Unit::Packets) {
            known = true;
            let counts = &stage.counts;
            match stage.name.as_str() {
                "capture" => {
                    came = came.saturating_add(counts.taken);
                    lost = lost.saturating_add(counts.dropped_total());
                }
                "decode" => {
                    let not_ip = counts.dropped.get("not_ip").copied().unwrap_or_default();
                    lost = lost.saturating_add(counts.dropped_total().saturating_sub(not_ip));
                }
                _ => {}
            }
        }
    }
    let known = known && (came > 0 || has_seen);
    let seen = match (known, came) {
        (false, _) => 0.0,
        (true, 0) => 1.0,
        (true, came) => 1.0 - lost.min(came) as f64 / came as f64,
    };
    Visibility { seen, unaccounted, known }
}
