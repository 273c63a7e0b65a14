//! What becomes of the canaries that a sensor sees, and of those that it waits for in vain.
//!
//! Comes in: payloads from the capture threads, and the time once a second. Goes out: a [`Report`] of each run when all of
//! it was seen or its time is over; one when an announced run, or any canary at all, does not come. At most [`RUNS_MAX`]
//! runs are followed at a time; of further ones nothing is noted but that they were too many.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use luytre_events::FlowContext;
use serde::Deserialize;

use super::{COUNT_MAX, Canary, CanaryKey, Run};

/// Most runs that are followed at a time.
const RUNS_MAX: usize = 64;
/// How many finished runs are remembered, so that what comes late opens none anew.
const FINISHED_MAX: usize = 1024;
/// How old a canary may be, or how far ahead of our clock.
const AGE_MAX_NS: i64 = 600 * SECOND_NS;
/// Longest that a run is waited for beyond the latest of its canaries.
const RUN_MAX_NS: i64 = 3600 * SECOND_NS;
/// How long the last canaries of a run are waited for after their time.
const PATIENCE_NS: i64 = 5 * SECOND_NS;
const SECOND_NS: i64 = 1_000_000_000;

/// `[canary]` of the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CanarySettings {
    /// It is told when no canary was seen for so many seconds; 0: none is expected unless one is announced.
    pub every_s: u32,
}

/// What became of a payload that begins like a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It is one of ours.
    Seen,
    /// It is one of ours that was seen before.
    Repeated,
    /// It was sent too long ago, or its sender's clock is wrong.
    Stale,
    /// It was not made with our key.
    Forged,
    /// More runs at a time than are followed.
    TooMany,
}

impl Sight {
    /// The name of the anomaly that it is, if it is one.
    pub fn anomaly(self) -> Option<&'static str> {
        match self {
            Sight::Seen => None,
            Sight::Repeated => Some("canary.repeated"),
            Sight::Stale => Some("canary.stale"),
            Sight::Forged => Some("canary.forged"),
            Sight::TooMany => Some("canary.too_many"),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The run; none where it is only known that no canary came.
    pub run: Option<Run>,
    /// The flow of the first that was seen.
    pub flow: Option<FlowContext>,
    /// How many there should have been, where it is known.
    pub expected: Option<u32>,
    /// How many were seen.
    pub seen: u32,
    /// Shortest, mean and longest delay, nanoseconds; negative where the clocks differ.
    pub delays_ns: Option<(i64, i64, i64)>,
}

impl Report {
    /// all, some or none.
    pub fn outcome(&self) -> &'static str {
        match self.expected {
            _ if self.seen == 0 => "missing",
            Some(expected) if self.seen < expected => "lossy",
            _ => "arrived",
        }
    }

    /// How many were lost.
    pub fn lost(&self) -> Option<u32> {
        self.expected.map(|expected| expected.saturating_sub(self.seen))
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let expected = self.expected.map(|expected| format!(" of {expected}")).unwrap_or_default();
        write!(f, "{}{expected} canaries were seen", self.seen)?;
        if let Some((shortest, mean, longest)) = self.delays_ns {
            let ms = |ns: i64| ns as f64 / 1e6;
            write!(f, ", after {:.3} to {:.3} ms, {:.3} ms on average", ms(shortest), ms(longest), ms(mean))?;
        }
        Ok(())
    }
}

luytre_events::record! {
    /// What became of a run of canaries: marked packets that are sent to show that the sensor sees what passes.
    pub struct CanaryRun in "canary" {
        /// The run, as its sender names it.
        run: Option<String> = "canary.run", Keyword, Term;
        /// arrived (all that were sent were seen), lossy (some were not) or missing (none came though it was expected).
        outcome: &'static str = "canary.outcome", Keyword, Column;
        /// How many were sent.
        expected: Option<u32> = "canary.expected", Long, Column;
        /// How many were seen.
        seen: u32 = "canary.seen", Long, Column;
        /// How many were not.
        lost: Option<u32> = "canary.lost", Long, Column;
        /// Shortest time from sending to capture, in nanoseconds; negative where the clocks differ.
        delay_shortest_ns: Option<i64> = "canary.delay.shortest", Long, Term;
        /// Mean time from sending to capture, in nanoseconds.
        delay_mean_ns: Option<i64> = "canary.delay.mean", Long, Column;
        /// Longest time from sending to capture, in nanoseconds.
        delay_longest_ns: Option<i64> = "canary.delay.longest", Long, Term;
    }
}

impl From<&Report> for CanaryRun {
    fn from(report: &Report) -> CanaryRun {
        CanaryRun {
            run: report.run.map(hex::encode),
            outcome: report.outcome(),
            expected: report.expected,
            seen: report.seen,
            lost: report.lost(),
            delay_shortest_ns: report.delays_ns.map(|(shortest, ..)| shortest),
            delay_mean_ns: report.delays_ns.map(|(_, mean, _)| mean),
            delay_longest_ns: report.delays_ns.map(|(.., longest)| longest),
        }
    }
}

/// What is counted over all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CanaryCounts {
    /// Canaries of ours that were seen.
    pub seen: u64,
    /// Those of finished runs that were not.
    pub lost: u64,
    /// Payloads that only looked like one.
    pub forged: u64,
    /// Times that none came though it was expected.
    pub missing: u64,
}

#[derive(Debug, Default)]
struct Open {
    flow: Option<FlowContext>,
    expected: Option<u32>,
    seen: std::collections::HashSet<u32>,
    delays: (i64, i64, i128),
    until_ns: i64,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<Run, Open>,
    finished: std::collections::VecDeque<(Run, Report)>,
    counts: CanaryCounts,
    /// When the latest canary was seen, or watching began.
    latest_ns: Option<i64>,
    every_ns: i64,
}

/// Follows runs; shared by all capture threads.
pub struct Watch {
    key: CanaryKey,
    state: Mutex<State>,
}

impl Watch {
    /// For canaries of this key.
    pub fn new(key: CanaryKey) -> Watch {
        Watch { key, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this is expected.
    pub fn configure(&self, settings: &CanarySettings) {
        self.state().every_ns = i64::from(settings.every_s) * SECOND_NS;
    }

    /// What was counted so far.
    pub fn counts(&self) -> CanaryCounts {
        self.state().counts
    }

    /// A payload that [begins](super::begins) like a canary, seen at a time in a flow.
    pub fn see(&self, time_ns: i64, payload: &[u8], flow: impl FnOnce() -> FlowContext) -> Sight {
        let Some(canary) = Canary::verify(payload, &self.key) else {
            self.state().counts.forged += 1;
            return Sight::Forged;
        };
        let delay_ns = time_ns.saturating_sub(canary.sent_ns);
        if delay_ns.saturating_abs() > AGE_MAX_NS {
            return Sight::Stale;
        }
        let mut state = self.state();
        if state.finished.iter().any(|(run, _)| *run == canary.run) {
            return Sight::Repeated;
        }
        if state.open.len() >= RUNS_MAX && !state.open.contains_key(&canary.run) {
            return Sight::TooMany;
        }
        let open = state.open.entry(canary.run).or_default();
        if !open.seen.insert(canary.number) {
            return Sight::Repeated;
        }
        let left = i64::from(canary.count - canary.number) * i64::from(canary.interval_us) * 1000;
        let left = left.min(RUN_MAX_NS);
        open.until_ns = open.until_ns.max(time_ns.saturating_add(left).saturating_add(PATIENCE_NS));
        open.expected = Some(canary.count);
        open.flow.get_or_insert_with(flow);
        let (shortest, longest, sum) = &mut open.delays;
        let first = open.seen.len() == 1;
        *shortest = if first { delay_ns } else { delay_ns.min(*shortest) };
        *longest = if first { delay_ns } else { delay_ns.max(*longest) };
        *sum += i128::from(delay_ns);
        state.counts.seen += 1;
        state.latest_ns = state.latest_ns.max(Some(time_ns));
        Sight::Seen
    }

    /// Waits for a run that is about to be sent, until a time. False when there are too many already.
    pub fn expect(&self, run: Run, count: u32, until_ns: i64) -> bool {
        let mut state = self.state();
        if state.open.len() >= RUNS_MAX && !state.open.contains_key(&run) {
            return false;
        }
        let open = state.open.entry(run).or_default();
        open.expected = Some(count.min(COUNT_MAX));
        open.until_ns = open.until_ns.max(until_ns);
        true
    }

    /// How a run ended, once it has.
    pub fn report(&self, run: &Run) -> Option<Report> {
        self.state().finished.iter().find(|(known, _)| known == run).map(|(_, report)| report.clone())
    }

    /// Runs that have ended by now, and a report without a run where none came for too long.
    pub fn tick(&self, now_ns: i64) -> Vec<Report> {
        let mut state = self.state();
        let over = |open: &Open| {
            let all = open.expected.is_some_and(|expected| open.seen.len() >= expected as usize);
            all || now_ns >= open.until_ns
        };
        let ended: Vec<Run> = state.open.iter().filter(|(_, open)| over(open)).map(|(run, _)| *run).collect();
        let mut reports = Vec::new();
        for run in ended {
            let Some(open) = state.open.remove(&run) else { continue };
            let seen = u32::try_from(open.seen.len()).unwrap_or(u32::MAX);
            let (shortest, longest, sum) = open.delays;
            let mean = i64::try_from(sum / i128::from(seen.max(1))).unwrap_or(i64::MAX);
            let delays_ns = (seen > 0).then_some((shortest, mean, longest));
            let report = Report { run: Some(run), flow: open.flow, expected: open.expected, seen, delays_ns };
            state.counts.lost += u64::from(report.lost().unwrap_or(0));
            state.counts.missing += u64::from(seen == 0);
            state.finished.push_back((run, report.clone()));
            if state.finished.len() > FINISHED_MAX {
                state.finished.pop_front();
            }
            reports.push(report);
        }
        let latest_ns = *state.latest_ns.get_or_insert(now_ns);
        if state.every_ns > 0 && now_ns.saturating_sub(latest_ns) >= state.every_ns {
            state.latest_ns = Some(now_ns);
            state.counts.missing += 1;
            reports.push(Report { run: None, flow: None, expected: None, seen: 0, delays_ns: None });
        }
        reports
    }
}

#[cfg(test)]
mod tests {
    use luytre_events::{CommunityId, Transport};

    use super::*;
    use crate::packets::StoreKey;

    const NOW: i64 = 1_800_000_000 * SECOND_NS;

    fn flow() -> FlowContext {
        let end = ([192, 0, 2, 1].into(), 9);
        let (transport, community_id) = (Transport::UDP, CommunityId([0; 20]));
        FlowContext { source: end, destination: end, transport, vlan: None, community_id, protocol: None }
    }

    fn rig() -> (CanaryKey, Watch) {
        let key = CanaryKey::of(&StoreKey::generate().unwrap()).unwrap();
        (key.clone(), Watch::new(key))
    }

    fn canary(run: u8, number: u32, sent_ns: i64) -> Canary {
        Canary { run: [run; 16], number, count: 4, sent_ns, interval_us: 1000 }
    }

    #[test]
    fn a_run_is_reported_with_its_loss_and_delays() {
        let (key, watch) = rig();
        for (number, delay_ns) in [(0, 10), (2, 40), (1, 40)] {
            let payload = canary(1, number, NOW).sign(&key);
            assert_eq!(watch.see(NOW + delay_ns, &payload, flow), Sight::Seen);
            assert_eq!(watch.see(NOW + delay_ns, &payload, flow), Sight::Repeated);
        }
        assert!(watch.tick(NOW + SECOND_NS).is_empty(), "the last one may still come");
        let reports = watch.tick(NOW + 10 * SECOND_NS);
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert_eq!((report.outcome(), report.seen, report.lost()), ("lossy", 3, Some(1)));
        assert_eq!(report.delays_ns, Some((10, 30, 40)));
        assert_eq!(watch.report(&[1; 16]).as_ref(), Some(report));
        // What comes after the end opens nothing anew.
        assert_eq!(watch.see(NOW + 11 * SECOND_NS, &canary(1, 3, NOW).sign(&key), flow), Sight::Repeated);
        assert!(watch.tick(NOW + 99 * SECOND_NS).is_empty());
        assert_eq!(watch.counts(), CanaryCounts { seen: 3, lost: 1, forged: 0, missing: 0 });
    }

    #[test]
    fn what_is_forged_or_recorded_long_ago_counts_for_nothing() {
        let (key, watch) = rig();
        let other = CanaryKey::of(&StoreKey::generate().unwrap()).unwrap();
        assert_eq!(watch.see(NOW, &canary(1, 0, NOW).sign(&other), flow), Sight::Forged);
        assert_eq!(watch.see(NOW, b"LTCANARY", flow), Sight::Forged);
        assert_eq!(watch.see(NOW, &canary(1, 0, NOW - 700 * SECOND_NS).sign(&key), flow), Sight::Stale);
        assert_eq!(watch.counts(), CanaryCounts { forged: 2, ..CanaryCounts::default() });
        assert!(watch.tick(NOW + 100 * SECOND_NS).is_empty());
    }

    #[test]
    fn an_announced_run_that_does_not_come_is_missing() {
        let (_, watch) = rig();
        assert!(watch.expect([7; 16], 4, NOW + SECOND_NS));
        assert!(watch.tick(NOW).is_empty());
        let report = watch.tick(NOW + SECOND_NS).remove(0);
        assert_eq!((report.outcome(), report.lost(), report.run), ("missing", Some(4), Some([7; 16])));
    }

    #[test]
    fn silence_is_told_once_a_period_and_ends_with_the_next_canary() {
        let (key, watch) = rig();
        watch.configure(&CanarySettings { every_s: 60 });
        let missing = |seconds: i64| watch.tick(NOW + seconds * SECOND_NS).iter().filter(|r| r.run.is_none()).count();
        assert_eq!([0, 59, 60, 61, 119, 120].map(missing), [0, 0, 1, 0, 0, 1]);
        watch.see(NOW + 170 * SECOND_NS, &canary(1, 0, NOW + 170 * SECOND_NS).sign(&key), flow);
        assert_eq!([180, 229, 230].map(missing), [0, 0, 1]);
    }

    #[test]
    fn runs_that_are_too_many_are_not_followed() {
        let (key, watch) = rig();
        for run in 0..=u8::try_from(RUNS_MAX).unwrap() {
            let sight = watch.see(NOW, &canary(run, 0, NOW).sign(&key), flow);
            assert_eq!(sight == Sight::TooMany, usize::from(run) == RUNS_MAX);
        }
    }
}
