//! The uplink's end of the spool: batches in order, and what became of them.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use luytre_events::wire::Batch;
use luytre_segments::{Cursor, Disk, Position, Step};

use super::counts::Shared;
use super::{Record, SpoolStages, acknowledged};

/// How often the acknowledged number is kept.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// The uplink's end: hands out durable batches in order and frees them once they are acknowledged.
pub struct SpoolReader {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    cursor: Cursor,
    /// How many events the spool ever held up to the cursor.
    passed: u64,
    /// Handed out or skipped, not yet settled; oldest first.
    open: VecDeque<Open>,
    /// Highest number that the collector has.
    acknowledged: u64,
    /// Where the oldest record that is not settled begins, and how many events the spool ever held before it.
    settled: (Position, u64),
    /// The acknowledged number that was kept, and when.
    saved: (u64, Option<Instant>),
}

struct Open {
    last: u64,
    before: u64,
    missing: u64,
    count: u64,
    after: Position,
}

impl SpoolReader {
    pub(super) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        from: Position,
        passed: u64,
        acknowledged: u64,
    ) -> SpoolReader {
        let cursor = Cursor::new(shared.view.clone(), from);
        let (settled, saved) = ((from, passed), (acknowledged, None));
        SpoolReader { shared, disk, cursor, passed, open: VecDeque::new(), acknowledged, settled, saved }
    }

    /// The next durable batch that the collector does not have, or nothing for now.
    #[expect(clippy::should_implement_trait, reason = "it may fail, and there may be more later")]
    pub fn next(&mut self) -> io::Result<Option<Batch>> {
        loop {
            match self.cursor.next()? {
                Step::Record(bytes, after) => {
                    let Ok(record) = postcard::from_bytes::<Record>(&bytes) else {
                        tracing::warn!("a record of the spool is not a batch and is skipped");
                        continue;
                    };
                    let count = u64::from(record.batch.count);
                    let missing = record.before.saturating_sub(self.passed);
                    self.passed = record.before.saturating_add(count);
                    let last = record.batch.last;
                    self.open.push_back(Open { last, before: record.before, missing, count, after });
                    if last > self.acknowledged {
                        return Ok(Some(record.batch));
                    }
                    self.settle();
                }
                Step::Damaged { bytes } => tracing::warn!(bytes, "a damaged place in the spool is skipped"),
                Step::End => return Ok(None),
            }
        }
    }

    /// Returns when there may be something new to read.
    pub async fn readable(&self) {
        self.shared.readable.notified().await;
    }

    /// The collector has everything up to `sequence`: frees what is no longer needed.
    pub fn acknowledge(&mut self, sequence: u64) {
        self.acknowledged = self.acknowledged.max(sequence);
        self.settle();
    }

    /// Begins again after what the collector has, on a new connection.
    pub fn resume(&mut self, acknowledged: u64) {
        self.acknowledged = self.acknowledged.max(acknowledged);
        self.shared.raise_floor(acknowledged);
        self.settle();
        self.open.clear();
        self.cursor.seek(self.settled.0);
        self.passed = self.settled.1;
    }

    /// The first number of this run of the program.
    pub fn run_first(&self) -> u64 {
        self.shared.start.next
    }

    /// Whether the collector has everything that is durable.
    pub fn drained(&self) -> bool {
        self.open.is_empty() && self.cursor.position() >= self.shared.view.end()
    }

    /// The spool's lines for the ledger.
    pub fn stages(&self) -> SpoolStages {
        self.shared.stages()
    }

    fn settle(&mut self) {
        let mut moved = false;
        while let Some(done) = self.open.pop_front_if(|open| open.last <= self.acknowledged) {
            self.shared.settled(done.before, done.missing, done.count);
            self.settled = (done.after, done.before + done.count);
            moved = true;
        }
        if moved && let Err(error) = self.shared.view.remove_before(self.settled.0, |_, _| true) {
            tracing::warn!(%error, "a segment of the spool that is no longer needed could not be removed");
        }
        self.save();
    }

    /// Keeps the acknowledged number now and then, and when everything is acknowledged.
    fn save(&mut self) {
        let (saved, when) = self.saved;
        let due = self.drained() || when.is_none_or(|when| when.elapsed() >= SAVE_EVERY);
        if saved < self.acknowledged && due {
            if let Err(error) = acknowledged::save(&*self.disk, self.acknowledged) {
                tracing::debug!(%error, "the acknowledged number could not be kept");
            }
            self.saved = (self.acknowledged, Some(Instant::now()));
        }
    }
}
