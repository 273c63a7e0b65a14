//! What the spool's ends know of each other: counters under one lock, so that every snapshot adds up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use luytre_events::ledger::{Stage, StageCounts, Unit};
use luytre_segments::View;
use tokio::sync::Notify;

use super::{Header, SpoolStages};

pub(super) struct Shared {
    counts: Mutex<Counts>,
    /// Signalled when the queue has more room.
    room: Condvar,
    queue_events: usize,
    /// Signalled when something more is durable.
    pub(super) readable: Notify,
    pub(super) view: View,
    /// Where this run began.
    pub(super) start: Header,
    /// Numbers below this must not be given any more.
    floor: AtomicU64,
}

#[derive(Default)]
struct Counts {
    taken: u64,
    given: u64,
    /// Waiting in memory.
    queued: usize,
    /// Written, not acknowledged.
    stored: u64,
    dropped: BTreeMap<&'static str, u64>,
    backlog: StageCounts,
}

impl Shared {
    pub(super) fn new(view: View, start: Header, backlog: u64, queue_events: usize) -> Shared {
        let backlog = StageCounts { taken: backlog, held: backlog, ..StageCounts::default() };
        Shared {
            counts: Mutex::new(Counts { backlog, ..Counts::default() }),
            room: Condvar::new(),
            queue_events,
            readable: Notify::new(),
            view,
            start,
            floor: AtomicU64::new(start.next),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How full the queue is, in percent.
    pub(super) fn fullness_percent(&self) -> u8 {
        u8::try_from(self.counts().queued.saturating_mul(100) / self.queue_events.max(1)).unwrap_or(100).min(100)
    }

    /// Counts events that arrive, `kept` of them of the dataset that is kept longest; returns how many of those and of the
    /// others fit into the queue. The last eighth of the queue is for the former alone.
    pub(super) fn enter(&self, kept: usize, others: usize) -> (usize, usize) {
        let mut counts = self.counts();
        let kept_fit = kept.min(self.queue_events.saturating_sub(counts.queued));
        let room = (self.queue_events - self.queue_events / 8).saturating_sub(counts.queued + kept_fit);
        let others_fit = others.min(room);
        let (count, fits) = (kept + others, kept_fit + others_fit);
        counts.taken += count as u64;
        counts.queued += fits;
        if fits < count {
            *counts.dropped.entry("queue_full").or_default() += (count - fits) as u64;
        }
        (kept_fit, others_fit)
    }

    /// Counts events that arrive, once the queue has room (or is empty, for a group larger than the queue).
    pub(super) fn enter_waiting(&self, count: usize) {
        let full = |counts: &mut Counts| counts.queued > 0 && counts.queued + count > self.queue_events;
        let mut counts = self.room.wait_while(self.counts(), full).unwrap_or_else(PoisonError::into_inner);
        counts.taken += count as u64;
        counts.queued += count;
    }

    pub(super) fn dropped_from_queue(&self, reason: &'static str, count: usize) {
        let mut counts = self.counts();
        counts.queued -= count;
        *counts.dropped.entry(reason).or_default() += count as u64;
        self.room.notify_all();
    }

    pub(super) fn stored(&self, count: usize) {
        let mut counts = self.counts();
        counts.queued -= count;
        counts.stored += count as u64;
        self.room.notify_all();
    }

    /// Written events that turned out not to be durable.
    pub(super) fn voided(&self, reason: &'static str, count: u64) {
        let mut counts = self.counts();
        counts.stored -= count;
        *counts.dropped.entry(reason).or_default() += count;
    }

    /// The collector has events that the spool held ever from `before` on; `missing` before them could not be read.
    pub(super) fn settled(&self, before: u64, missing: u64, count: u64) {
        let mut counts = self.counts();
        if before < self.start.held_ever {
            counts.backlog.held = counts.backlog.held.saturating_sub(count + missing);
            counts.backlog.given += count;
            if missing > 0 {
                *counts.backlog.dropped.entry("damaged".into()).or_default() += missing;
            }
        } else {
            counts.stored = counts.stored.saturating_sub(count + missing);
            counts.given += count;
            if missing > 0 {
                *counts.dropped.entry("damaged").or_default() += missing;
            }
        }
    }

    /// From now on only numbers above `sequence` are given.
    pub(super) fn raise_floor(&self, sequence: u64) {
        self.floor.fetch_max(sequence.saturating_add(1), Ordering::Relaxed);
    }

    pub(super) fn floor(&self) -> u64 {
        self.floor.load(Ordering::Relaxed)
    }

    pub(super) fn stages(&self) -> SpoolStages {
        let counts = self.counts();
        let spool = StageCounts {
            taken: counts.taken,
            given: counts.given,
            held: counts.stored + counts.queued as u64,
            dropped: counts.dropped.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect(),
        };
        let stage = |name: &str, counts| Stage { name: name.into(), unit: Unit::Events, counts };
        SpoolStages { backlog: stage("backlog", counts.backlog.clone()), spool: stage("spool", spool) }
    }
}
