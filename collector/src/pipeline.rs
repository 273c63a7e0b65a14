//! The pipeline: journal, enrichment, detection, index, in this order; nothing else knows it.
//!
//! Comes in: durable batches of the journal. Goes out: alerts (durable in the fan-out) and searchable events. Two threads
//! with one bounded queue of [`QUEUE_BATCHES`] between them: one reads, enriches and detects, the other indexes. When the
//! index is slow the queue fills, reading stops, and the journal holds the rest.
//!
//! One way back from every failure, be it a full disk or `kill -9`: begin again at what is committed. The index says how
//! far it has come, detection from where its windows must be fed; events in between run through detection only. Alerts
//! are durable before the index may reach their events, and recognise what they had counted, so a replay loses nothing
//! and doubles nothing. An event on which the rules panic is found, named in the health and indexed without being looked
//! at; an event that cannot be indexed is dropped and counted. So neither comes back for ever.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use luytre_events::{Event, EventId};

use crate::detect::change::RuleChanges;
use crate::detect::poison::Poison;
use crate::detect::{self, Detection, Snapshot};
use crate::enrich::Enricher;
use crate::fleet::Catalogues;
use crate::health::Problems;
use crate::index::{IndexSettings, Store, Writer};
use crate::journal::{Journal, Position};
use crate::ledger::StageCounter;
use crate::room::{Room, is_full};
use crate::tail::Tail;

/// Batches between detection and index.
const QUEUE_BATCHES: usize = 8;
/// Events that are processed together.
const BATCH_EVENTS: usize = 2000;
/// A quiet journal is looked at again after this, and a stop is noticed.
const IDLE: Duration = Duration::from_millis(100);
/// Processed events wait at most this long for the alerts they changed to be written together; a new alert never waits.
const HOLD: Duration = Duration::from_millis(300);
/// No more processed events wait than this.
const HOLD_EVENTS: usize = 8000;
/// Between two snapshots of the windows.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(30);
/// Between two looks for partitions that have outlived their time.
const RETIRE_EVERY: Duration = Duration::from_secs(600);
/// Before beginning again after a failure.
const AGAIN_AFTER: Duration = Duration::from_secs(3);

/// Makes the stage of detection with the state it had: called at start and after each failure.
pub type MakeDetection = Box<dyn FnMut() -> anyhow::Result<Detection> + Send>;

/// What the pipeline works with.
pub struct PipelineParts {
    /// Where events come from.
    pub journal: Journal,
    /// How to read them.
    pub catalogues: Catalogues,
    /// Adds agencies.
    pub enricher: Enricher,
    /// Detection.
    pub detection: MakeDetection,
    /// Other rules for it.
    pub changes: RuleChanges,
    /// Detection's folder, for snapshots.
    pub detection_dir: PathBuf,
    /// Where events go.
    pub store: Arc<Store>,
    /// How.
    pub index: IndexSettings,
    /// The ledger's counter of detection.
    pub detect_counter: StageCounter,
    /// The ledger's counter of the index.
    pub index_counter: StageCounter,
    /// Events that no rule looked at, because the rules failed on them.
    pub poisoned: Arc<AtomicU64>,
    /// Who follows events as they come.
    pub tail: Tail,
    /// Where trouble is told.
    pub problems: Problems,
    /// Whether there is room in detection's folder.
    pub detection_room: Room,
}

/// What outlives a failure.
#[derive(Default)]
struct Kept {
    /// What the ledger has counted.
    counted: Position,
    poison: Poison,
}

/// The rules panicked on an event; everything begins again without it.
#[derive(Debug, thiserror::Error)]
#[error("the rules failed on the event {0}")]
struct Poisoned(EventId);

/// The running pipeline; dropping it finishes what is queued and ends it.
pub struct Pipeline {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Pipeline {
    /// Starts the threads.
    pub fn start(mut parts: PipelineParts) -> std::io::Result<Pipeline> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("pipeline".to_owned()).spawn(move || {
            let mut kept = Kept::default();
            while !stopped.load(Ordering::Relaxed) {
                // A panic must not end detection while the intake goes on acknowledging.
                let ran = std::panic::catch_unwind(AssertUnwindSafe(|| run(&mut parts, &stopped, &mut kept)));
                match ran.unwrap_or_else(|_| Err(anyhow::anyhow!("the pipeline panicked; the log says where"))) {
                    Ok(()) => return,
                    Err(error) if error.is::<Poisoned>() => {}
                    Err(error) => {
                        parts.problems.raise("pipeline", format!("{error:#}; beginning again at what is committed"));
                        // Whichever of them it was: the engine's errors do not say.
                        parts.store.room.look();
                        parts.detection_room.look();
                        let since = Instant::now();
                        while since.elapsed() < AGAIN_AFTER && !stopped.load(Ordering::Relaxed) {
                            std::thread::sleep(IDLE);
                        }
                    }
                }
            }
        })?;
        Ok(Pipeline { stop, thread: Some(thread) })
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported where it happened.
            let _ = thread.join();
        }
    }
}

/// Several journal records on their way to the index.
struct Batch {
    events: Vec<Event>,
    records: Vec<Record>,
    /// How many of each sensor.
    sensors: BTreeMap<Arc<str>, u64>,
    /// The place behind it.
    position: Position,
}

/// One record of the journal within a batch: the index takes records one by one, because a replay may batch them
/// differently.
struct Record {
    received_ns: i64,
    /// The place behind it.
    position: Position,
    /// How many of the batch's events are up to its end.
    end: usize,
}

/// Runs until stopped or until something fails.
fn run(parts: &mut PipelineParts, stop: &AtomicBool, kept: &mut Kept) -> anyhow::Result<()> {
    let mut detection = (parts.detection)()?;
    let writer = Writer::live(parts.store.clone(), &parts.index);
    let indexed = writer.resume_from();
    parts.journal.indexed(indexed);
    kept.counted = kept.counted.max(indexed);
    if !detection.is_resumed() {
        // From here on no window misses an event, even if this program dies before the first snapshot is due.
        detect::save_snapshot(&parts.detection_dir, &detection.snapshot(indexed)).context("keep empty windows")?;
    }
    let committed = Arc::new(Mutex::new(indexed));
    let (queue, batches) = sync_channel(QUEUE_BATCHES);
    let reader = parts.journal.reader(detection.resume_from(indexed), parts.catalogues.clone());
    let indexing = Indexing {
        writer,
        settings: parts.index.clone(),
        store: parts.store.clone(),
        journal: parts.journal.clone(),
        counter: parts.index_counter.clone(),
        committed: committed.clone(),
        problems: parts.problems.clone(),
    };
    std::thread::scope(|scope| {
        let index = std::thread::Builder::new()
            .name("index".to_owned())
            .spawn_scoped(scope, move || indexing.run(&batches))
            .context("start the index thread")?;
        let mut feed = Feed {
            parts,
            reader,
            queue: Some(queue),
            indexed,
            kept,
            committed: &committed,
            waiting: None,
            held: Vec::new(),
            held_since: None,
        };
        let fed = feed.run(&mut detection, stop, &|| index.is_finished());
        // Closes the queue, so that the index commits what it has and ends.
        drop(feed.queue.take());
        let written = index.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the index thread panicked")));
        let snapshot = feed.waiting.take();
        written.and(fed)?;
        let position = *lock(&committed);
        if let Some(snapshot) = snapshot.filter(|s| s.position <= position) {
            keep_windows(parts, &snapshot)?;
        }
        Ok(())
    })
}

/// The thread that reads, enriches and detects.
struct Feed<'p> {
    parts: &'p mut PipelineParts,
    reader: crate::journal::Reader,
    queue: Option<SyncSender<Batch>>,
    /// Where the index began: what is before it is fed to detection only.
    indexed: Position,
    kept: &'p mut Kept,
    committed: &'p Mutex<Position>,
    /// A snapshot whose position the index has not reached yet.
    waiting: Option<Snapshot>,
    /// Processed batches whose alerts are not written yet: the index must not have them before.
    held: Vec<Batch>,
    held_since: Option<Instant>,
}

impl Feed<'_> {
    fn run(
        &mut self,
        detection: &mut Detection,
        stop: &AtomicBool,
        has_index_stopped: &dyn Fn() -> bool,
    ) -> anyhow::Result<()> {
        let mut last_snapshot = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            // Noticed here too, because a quiet journal gives nothing to send.
            anyhow::ensure!(!has_index_stopped(), "the index stopped");
            self.change_rules(detection)?;
            let batch = self.read()?;
            if self.is_index_well(batch.is_none()) {
                self.parts.problems.clear("pipeline");
            }
            detection.take_scans().context("take in scanned files")?;
            match batch {
                Some(batch) => self.process(batch, detection)?,
                None => self.reader.wait(IDLE),
            }
            let events: usize = self.held.iter().map(|batch| batch.events.len()).sum();
            let is_due = self.held_since.is_none_or(|since| since.elapsed() >= HOLD);
            if is_due || events >= HOLD_EVENTS || detection.has_new_alerts() {
                self.release(detection)?;
            }
            self.keep_snapshot()?;
            if last_snapshot.elapsed() >= SNAPSHOT_EVERY && self.waiting.is_none() {
                last_snapshot = Instant::now();
                self.waiting = Some(detection.snapshot(self.reader.position()));
            }
        }
        self.release(detection)?;
        self.waiting = Some(detection.snapshot(self.reader.position()));
        Ok(())
    }

    /// Puts other rules in force, where some wait. What the ones before have found is written first.
    fn change_rules(&mut self, detection: &mut Detection) -> anyhow::Result<()> {
        let Some(change) = self.parts.changes.take() else { return Ok(()) };
        self.release(detection)?;
        detection.change_rules(change.engine, change.scans);
        (change.taken)();
        Ok(())
    }

    /// Whether the index has committed something since it began, or, where the journal `is_quiet`, all there is.
    fn is_index_well(&self, is_quiet: bool) -> bool {
        let reached = *lock(self.committed);
        reached > self.indexed || (is_quiet && reached >= self.reader.position())
    }

    /// The next events, several journal records together, but never across the place where the index began or up to
    /// which the ledger has counted.
    fn read(&mut self) -> anyhow::Result<Option<Batch>> {
        let mut batch: Option<Batch> = None;
        let may_go_on = |b: &Batch, seam: [Position; 2]| b.events.len() < BATCH_EVENTS && !seam.contains(&b.position);
        while batch.as_ref().is_none_or(|batch| may_go_on(batch, [self.indexed, self.kept.counted])) {
            let Some(read) = self.reader.next().context("read the journal")? else { break };
            let batch = batch.get_or_insert_with(|| Batch {
                events: Vec::new(),
                records: Vec::new(),
                sensors: BTreeMap::new(),
                position: read.position,
            });
            batch.position = read.position;
            *batch.sensors.entry(read.sensor).or_default() += read.events.len() as u64;
            batch.events.extend(read.events);
            let (received_ns, position, end) = (read.received_ns, read.position, batch.events.len());
            batch.records.push(Record { received_ns, position, end });
        }
        Ok(batch)
    }

    fn process(&mut self, mut batch: Batch, detection: &mut Detection) -> anyhow::Result<()> {
        let is_replay = batch.position <= self.indexed;
        let is_counted = batch.position <= self.kept.counted;
        self.parts.enricher.enrich(&mut batch.events);
        let poison = &self.kept.poison;
        let look = AssertUnwindSafe(|| detection.process(&batch.events, is_replay, poison));
        match std::panic::catch_unwind(look) {
            Ok(looked) => looked.context("detect")?,
            Err(_) => {
                let event = batch.events.get(detection.at()).context("the rules panicked")?;
                return Err(self.set_aside(event.id.clone()));
            }
        }
        // Counted when all of it is done: what fails comes again.
        if !is_counted {
            batch.sensors.iter().for_each(|(sensor, count)| self.parts.detect_counter.take(sensor, *count));
            batch.sensors.iter().for_each(|(sensor, count)| self.parts.detect_counter.give(sensor, *count));
            batch.sensors.iter().for_each(|(sensor, count)| self.parts.index_counter.take(sensor, *count));
            self.kept.counted = batch.position;
            self.parts.tail.tell(&batch.events);
        }
        if !is_replay {
            self.held_since.get_or_insert_with(Instant::now);
            self.held.push(batch);
        }
        Ok(())
    }

    /// Remembers that no rule may look at an event again.
    fn set_aside(&mut self, event: EventId) -> anyhow::Error {
        let count = self.parts.poisoned.fetch_add(1, Ordering::Relaxed) + 1;
        let problem = format!(
            "the rules failed on {count} events, last on {event}: they can be searched, but no rule looked at them; \
             the log says which rule engine failed"
        );
        self.parts.problems.raise("detect", problem);
        self.kept.poison.add(event.clone());
        Poisoned(event).into()
    }

    /// Writes the alerts, then lets the index have the events.
    fn release(&mut self, detection: &mut Detection) -> anyhow::Result<()> {
        detection.flush().context("write alerts; check the room on the disk")?;
        self.held_since = None;
        let queue = self.queue.as_ref().context("the index queue is closed")?;
        for batch in self.held.drain(..) {
            // The index thread tells its own error when it is joined.
            queue.send(batch).ok().context("the index stopped")?;
        }
        Ok(())
    }

    fn keep_snapshot(&mut self) -> anyhow::Result<()> {
        let reached = *lock(self.committed);
        match self.waiting.take() {
            Some(snapshot) if snapshot.position <= reached => keep_windows(self.parts, &snapshot),
            other => {
                self.waiting = other;
                Ok(())
            }
        }
    }
}

/// Keeps the windows. Where there is no room those kept before stay: more of the journal is read again after a restart, and
/// nothing waits for it now.
fn keep_windows(parts: &PipelineParts, snapshot: &Snapshot) -> anyhow::Result<()> {
    match parts.detection_room.note(detect::save_snapshot(&parts.detection_dir, snapshot)) {
        Err(error) if is_full(&error) => Ok(()),
        kept => kept.context("keep the windows of detection"),
    }
}

/// The thread that indexes.
struct Indexing {
    writer: Writer,
    settings: IndexSettings,
    store: Arc<Store>,
    journal: Journal,
    counter: StageCounter,
    committed: Arc<Mutex<Position>>,
    problems: Problems,
}

impl Indexing {
    fn run(mut self, batches: &Receiver<Batch>) -> anyhow::Result<()> {
        let commit_every = Duration::from_millis(self.settings.commit_ms.max(10));
        let mut waiting: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let mut last_commit = Instant::now();
        let mut last_retire: Option<Instant> = None;
        loop {
            let patience = if waiting.is_empty() { IDLE } else { commit_every.saturating_sub(last_commit.elapsed()) };
            let received = batches.recv_timeout(patience);
            if let Ok(batch) = &received {
                if waiting.is_empty() {
                    last_commit = Instant::now();
                }
                batch.sensors.iter().for_each(|(sensor, n)| *waiting.entry(sensor.clone()).or_default() += n);
                let mut from = 0;
                for record in &batch.records {
                    let events = batch.events.get(from..record.end).unwrap_or_default();
                    let lost = self.writer.add(events, record.received_ns, record.position)?;
                    from = record.end;
                    if let (1.., Some(event)) = (lost, events.first()) {
                        self.drop_events(&event.id.sensor, lost, &mut waiting);
                    }
                }
            }
            let is_over = matches!(received, Err(RecvTimeoutError::Disconnected));
            let is_due = last_commit.elapsed() >= commit_every
                || self.writer.waiting_events() >= self.settings.commit_events
                || is_over;
            if is_due && !waiting.is_empty() {
                self.commit(&mut waiting)?;
                last_commit = Instant::now();
            }
            if is_over {
                return Ok(());
            }
            if last_retire.is_none_or(|at| at.elapsed() >= RETIRE_EVERY) {
                last_retire = Some(Instant::now());
                let gone = self.store.retire(&self.settings, crate::clock::now_ns());
                if gone > 0 {
                    tracing::info!(partitions = gone, "removed partitions that have outlived their time");
                }
            }
        }
    }

    /// Counts events that cannot be indexed.
    fn drop_events(&self, sensor: &Arc<str>, lost: u64, waiting: &mut BTreeMap<Arc<str>, u64>) {
        self.counter.drop(sensor, "not_indexable", lost);
        if let Some(count) = waiting.get_mut(sensor) {
            *count = count.saturating_sub(lost);
        }
        let problem = format!("{lost} events of sensor {sensor} could not be indexed and are lost to searches");
        self.problems.raise("index", problem);
    }

    fn commit(&mut self, waiting: &mut BTreeMap<Arc<str>, u64>) -> anyhow::Result<()> {
        self.writer.commit()?;
        let position = self.writer.resume_from();
        for (sensor, count) in std::mem::take(waiting) {
            self.counter.give(&sensor, count);
        }
        *lock(&self.committed) = position;
        self.journal.indexed(position);
        Ok(())
    }
}

/// A panic elsewhere leaves a whole position behind.
fn lock(position: &Mutex<Position>) -> std::sync::MutexGuard<'_, Position> {
    position.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
