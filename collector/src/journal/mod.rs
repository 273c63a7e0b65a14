//! The journal: batches become durable here, and only then are they acknowledged.
//!
//! Comes in: batches of sensors, already checked by the intake. Goes out: the same batches, in one order, to any number of
//! readers, again and again until retention removes them; the index is the reader whose progress counts.
//!
//! ```text
//! intake --bounded queue--> writer thread: append a group, one fsync --> durable --> acknowledgement to the sensor
//!                                                                    \-> readers (pipeline, replay)
//! ```
//!
//! A batch whose last number is not above the sensor's highest durable one is a duplicate: acknowledged, not appended.
//!
//! **On overload** the queue fills and intakes wait, so sensors are not acknowledged and keep their events. **On a full
//! disk** nothing is acknowledged, the problem is shown by `/v1/health`, and the writer tries again twice a second until
//! there is room. **On restart** a torn tail, which was never acknowledged, is cut ([`luytre_segments`]); the state of all
//! sensors stands in the newest segment's header, so that retention may remove older segments.

mod reader;
mod state;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use luytre_events::wire::Batch;
use luytre_segments::{Cursor, Disk, Folder, Log, View};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use crate::fleet::Catalogues;
use crate::health::Problems;

pub use luytre_segments::Position;
pub use reader::{Read, Reader};
use state::State;
pub use state::Totals;

/// The most batches that wait for the disk.
const QUEUE_BATCHES: usize = 256;

/// How much the journal keeps.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalSettings {
    /// Size of a segment, in bytes (default 64 MiB).
    pub segment_bytes: u64,
    /// Indexed segments are deleted, oldest first, beyond this size (default 8 GiB).
    pub size_bytes: u64,
    /// Indexed segments older than this are deleted (default 7 days).
    pub age_days: u32,
}

impl Default for JournalSettings {
    fn default() -> Self {
        JournalSettings { segment_bytes: 64 << 20, size_bytes: 8 << 30, age_days: 7 }
    }
}

/// Why the journal could not do something.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk did not do what was asked.
    #[error("{what}")]
    Disk {
        /// What was attempted, on what.
        what: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A batch that begins at or below, and ends above, what is durable: no sensor of ours makes one.
    #[error("the batch {first}..={last} overlaps what is durable (up to {durable})")]
    Overlap {
        /// The batch's first number.
        first: u64,
        /// The batch's last number.
        last: u64,
        /// The sensor's highest durable number.
        durable: u64,
    },
    /// The journal is shutting down.
    #[error("the journal is closed")]
    Closed,
}

/// A batch on its way into the journal.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The sensor's name, from its certificate.
    pub sensor: Arc<str>,
    /// Digest of the catalogue that the batch is numbered by.
    pub digest: [u8; 32],
    /// When it was received, nanoseconds since 1970-01-01 UTC.
    pub received_ns: i64,
    /// The first number of the sensor's present run.
    pub run_first: u64,
    /// The batch.
    pub batch: Batch,
}

/// The journal; cheap to clone, all clones are one. When the last clone goes, what was handed over is made durable first
/// (unless the disk says no).
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    thread: Arc<Thread>,
}

/// The writer thread and the way to it.
struct Thread {
    queue: Option<mpsc::Sender<writer::Job>>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Without a way to it the thread ends.
        self.queue.take();
        if let Some(handle) = self.handle.take()
            && handle.join().is_err()
        {
            tracing::error!("the journal's writer thread failed");
        }
    }
}

struct Shared {
    view: View,
    settings: JournalSettings,
    problems: Problems,
    state: Mutex<Public>,
    /// Signalled when something more is durable.
    grew: Condvar,
}

/// What is durable, and how far the index has come.
struct Public {
    durable: State,
    indexed: Position,
    /// How many events of each sensor were in the index when it was first heard of: the ledger counts from there.
    base: Option<BTreeMap<String, u64>>,
    /// When each segment was begun.
    began: BTreeMap<u64, SystemTime>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Public> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal {
    /// Opens or creates the journal in `dir` and recovers it.
    pub fn open(dir: &Path, settings: JournalSettings, problems: Problems) -> Result<Journal, JournalError> {
        let failed = |source| JournalError::Disk { what: format!("open the journal in {}", dir.display()), source };
        let disk = Folder::open(dir).map_err(failed)?;
        Journal::open_on(Arc::new(disk), settings, problems).map_err(failed)
    }

    /// The same on any disk: for tests and simulations.
    pub fn open_on(disk: Arc<dyn Disk>, settings: JournalSettings, problems: Problems) -> std::io::Result<Journal> {
        let (log, recovery) = Log::open(disk, settings.segment_bytes)?;
        if recovery.cut_bytes + recovery.damaged_bytes > 0 {
            tracing::warn!(
                cut_bytes = recovery.cut_bytes,
                damaged_bytes = recovery.damaged_bytes,
                "the journal was not closed cleanly: its torn tail, which was never acknowledged, was cut"
            );
        }
        let view = log.view();
        let durable = state::recover(&view, &recovery)?;
        let now = SystemTime::now();
        // Segments of earlier runs count their age from now: they are kept a little longer, never shorter.
        let began = view.segments().into_iter().map(|(segment, _)| (segment, now)).collect();
        let public = Public { durable: durable.clone(), indexed: Position::default(), base: None, began };
        let shared = Arc::new(Shared { view, settings, problems, state: Mutex::new(public), grew: Condvar::new() });
        let (queue, jobs) = mpsc::channel(QUEUE_BATCHES);
        let writer = writer::Writer::new(log, shared.clone(), durable);
        let handle = std::thread::Builder::new().name("journal".into()).spawn(move || writer.run(jobs))?;
        Ok(Journal { shared, thread: Arc::new(Thread { queue: Some(queue), handle: Some(handle) }) })
    }

    /// Hands a batch over, waiting for room in the queue. The answer comes when the batch is durable: the sensor's
    /// highest durable number.
    pub async fn submit(&self, incoming: Incoming) -> oneshot::Receiver<Result<u64, JournalError>> {
        let (answer, receiver) = oneshot::channel();
        if let Some(queue) = &self.thread.queue {
            // If the thread is gone the answer's sender is too, which says so.
            let _ = queue.send(writer::Job { incoming, answer }).await;
        }
        receiver
    }

    /// Hands a batch over and waits until it is durable.
    pub async fn append(&self, incoming: Incoming) -> Result<u64, JournalError> {
        self.submit(incoming).await.await.unwrap_or(Err(JournalError::Closed))
    }

    /// The place after the last durable record.
    pub fn end(&self) -> Position {
        self.shared.view.end()
    }

    /// The oldest place that can still be read.
    pub fn start(&self) -> Position {
        self.shared.view.start()
    }

    /// The highest durable sequence number of a sensor; 0 for an unknown one.
    pub fn durable(&self, sensor: &str) -> u64 {
        self.totals(sensor).durable
    }

    /// What the journal ever took from a sensor.
    pub fn totals(&self, sensor: &str) -> Totals {
        self.shared.state().durable.sensors.get(sensor).copied().unwrap_or_default()
    }

    /// A reader from `from` on (or from the oldest place that still exists, if `from` is older).
    pub fn reader(&self, from: Position, catalogues: Catalogues) -> Reader {
        Reader::new(self.shared.clone(), from, catalogues)
    }

    /// Says that everything before `position` is safe in the index: segments before it may be deleted by age or size.
    /// Call after each commit of the index, and once at start with the place from which the index goes on.
    pub fn indexed(&self, position: Position) {
        if self.shared.state().base.is_none() {
            self.find_base(position);
        }
        self.shared.state().indexed = position;
        if let Err(error) = self.retain(position) {
            tracing::warn!(%error, "an old segment of the journal could not be removed");
        }
    }

    /// How many events of a sensor came in since this program began to count: those that are not in the index yet when
    /// it starts, and all after.
    pub fn inflow(&self, sensor: &str) -> u64 {
        let state = self.shared.state();
        let events = state.durable.sensors.get(sensor).map_or(0, |totals| totals.events);
        let base = state.base.as_ref().and_then(|base| base.get(sensor)).copied().unwrap_or_default();
        events.saturating_sub(base)
    }

    /// Counts what lies after the place from which the index goes on.
    fn find_base(&self, indexed: Position) {
        let (all, mut base) = {
            let state = self.shared.state();
            let events = state.durable.sensors.iter().map(|(name, totals)| (name.clone(), totals.events));
            (state.durable.events, events.collect::<BTreeMap<String, u64>>())
        };
        let walked = state::walk(&self.shared.view, indexed, |record, _| {
            if let Some(events) = base.get_mut(&*record.sensor).filter(|_| record.before < all) {
                *events = events.saturating_sub(record.batch.count.into());
            }
        });
        match walked {
            Ok(()) => self.shared.state().base = Some(base),
            Err(error) => {
                tracing::warn!(%error, "the journal's backlog could not be counted: the ledger counts it as new")
            }
        }
    }

    /// Whether the index has everything before a place.
    pub fn has_indexed(&self, place: Position) -> bool {
        self.shared.state().indexed >= place
    }

    /// Whether the index has everything.
    pub fn at_rest(&self) -> bool {
        self.shared.state().indexed >= self.end()
    }

    /// How many events lie after the place last given to [`Journal::indexed`].
    pub fn lag_events(&self) -> u64 {
        let (indexed, all) = {
            let state = self.shared.state();
            (state.indexed, state.durable.events)
        };
        let mut cursor = Cursor::new(self.shared.view.clone(), indexed);
        match reader::step(&mut cursor) {
            Ok(Some((record, _))) => all.saturating_sub(record.before),
            _ => 0,
        }
    }

    /// Size of the journal on disk, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.shared.view.size_bytes()
    }

    fn retain(&self, position: Position) -> std::io::Result<()> {
        let settings = &self.shared.settings;
        let mut size = self.shared.view.size_bytes();
        let began = self.shared.state().began.clone();
        let age_limit = Duration::from_secs(u64::from(settings.age_days) * 86_400);
        let old = |segment| began.get(&segment).and_then(|t| t.elapsed().ok()).is_some_and(|age| age > age_limit);
        self.shared.view.remove_before(position, |segment, bytes| {
            let wanted = size > settings.size_bytes || old(segment);
            size = size.saturating_sub(bytes);
            wanted
        })?;
        let kept = self.shared.view.start().segment;
        self.shared.state().began.retain(|segment, _| *segment >= kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
