//! The spool: a disk queue between the capture threads and the uplink that survives a crash.
//!
//! Comes in: events, from any thread, in groups. Goes out: numbered batches in the wire form, read by the uplink and kept
//! until the collector says that they are durable there.
//!
//! ```text
//! push --bounded queue--> writer thread: number, pack, append --every 200 ms or 4 MB: fsync--> reader --> uplink
//!                                                                   segments removed <-- acknowledged
//! ```
//!
//! **Numbers.** A run of the program begins at the time of opening in microseconds since 1970, or after the highest
//! number found, whichever is higher; so no number is given twice even if the folder is lost. They rise by one an event;
//! between runs there are gaps.
//!
//! **On overload** the newest is dropped, not the oldest: what is stored stays one unbroken stretch whose beginning is
//! the cause of whatever went wrong, batches on the way to the collector never vanish under the uplink, and the ledger
//! shows one gap at the end. The reasons: `queue_full` (the disk is slower than the network), `spool_full` (the limit on
//! disk is reached; from 90 % on only the dataset to be kept longest goes in), `disk_full` and `disk_error` (the disk said
//! no: tried again with every batch), `too_large`, `damaged` (found unreadable later).
//!
//! **On restart** the torn tail of a crash is cut ([`luytre_segments`]); what was durable is sent. Only durable batches are
//! ever sent, so the collector never acknowledges a number that a crash could make us give again.
//!
//! What the collector has acknowledged is remembered beside the segments, about once a second and without waiting for the
//! disk: if it is lost, some batches are sent again, and the collector knows them.
//!
//! A record is the postcard form of how many events the spool has ever held before it, and the [`Batch`]. A segment's
//! header is the next number and that count.
//!
//! [`Batch`]: luytre_events::wire::Batch

mod acknowledged;
mod counts;
mod reader;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use luytre_events::Event;
use luytre_events::ledger::Stage;
use luytre_segments::{Cursor, Disk, Folder, Log, Position, Recovery, Step};
use serde::{Deserialize, Serialize};

use counts::Shared;
pub use reader::SpoolReader;

/// How much the spool keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolLimits {
    /// The most it may take on disk, in bytes (default 4 GiB).
    pub size_bytes: u64,
    /// The most events that wait in memory for the disk (default 100,000).
    pub queue_events: usize,
    /// The dataset that is let go of last when the disk runs short (default `flow`).
    pub keep_longest: String,
    /// At the latest after this long a written batch is made durable, in milliseconds (default 200).
    pub sync_ms: u64,
    /// At the latest after this many bytes it is made durable (default 4 MiB).
    pub sync_bytes: u64,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        SpoolLimits {
            size_bytes: 4 << 30,
            queue_events: 100_000,
            keep_longest: "flow".into(),
            sync_ms: 200,
            sync_bytes: 4 << 20,
        }
    }
}

/// Why a spool could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct SpoolError {
    /// What was attempted, on what.
    pub what: String,
    /// The cause.
    #[source]
    pub source: std::io::Error,
}

/// Opens spools.
pub struct Spool;

/// The capture threads' end; clone one for each thread. When the last one is gone, what was pushed is made durable and
/// the writer thread ends.
#[derive(Clone)]
pub struct SpoolWriter {
    shared: Arc<Shared>,
    queue: mpsc::Sender<writer::Message>,
    keep_longest: Option<luytre_events::DatasetId>,
}

/// One record of the log.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// How many events the spool had ever held before this batch.
    before: u64,
    batch: luytre_events::wire::Batch,
}

/// A segment's header, and the state of a spool between runs.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Header {
    /// The next sequence number.
    next: u64,
    /// How many events the spool has ever held.
    held_ever: u64,
}

impl Spool {
    /// Opens or creates the spool in `dir` and recovers it.
    pub fn open(dir: &Path, limits: SpoolLimits) -> Result<(SpoolWriter, SpoolReader), SpoolError> {
        let failed = |source| SpoolError { what: format!("open the spool in {}", dir.display()), source };
        let disk = Folder::open(dir).map_err(failed)?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now_us = u64::try_from(now.as_micros()).unwrap_or(u64::MAX / 2);
        Spool::open_on(Arc::new(disk), limits, now_us).map_err(failed)
    }

    /// The same on any disk and at any time (microseconds since 1970-01-01 UTC): for tests and simulations.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        limits: SpoolLimits,
        now_us: u64,
    ) -> std::io::Result<(SpoolWriter, SpoolReader)> {
        let keep_longest = luytre_events::Catalogue::current().dataset_id(&limits.keep_longest);
        let (writer, shared, reader) = assemble(disk, limits, now_us)?;
        let (queue, messages) = mpsc::channel();
        std::thread::Builder::new().name("spool".into()).spawn(move || writer.run(&messages))?;
        Ok((SpoolWriter { shared, queue, keep_longest }, reader))
    }
}

/// The spool's ends without the thread and queue between them.
fn assemble(
    disk: Arc<dyn Disk>,
    limits: SpoolLimits,
    now_us: u64,
) -> std::io::Result<(writer::Writer, Arc<Shared>, SpoolReader)> {
    let segment_bytes = (limits.size_bytes / 16).clamp(64 << 10, 16 << 20);
    let (log, recovery) = Log::open(disk.clone(), segment_bytes)?;
    let acknowledged = acknowledged::load(&*disk);
    let found = survey(&log, &recovery, acknowledged)?;
    let start = Header { next: found.state.next.max(now_us), held_ever: found.state.held_ever };
    let shared = Arc::new(Shared::new(log.view(), start, found.backlog, limits.queue_events));
    let reader = SpoolReader::new(shared.clone(), disk, found.from, found.passed, acknowledged);
    Ok((writer::Writer::new(log, shared.clone(), limits, start), shared, reader))
}

/// What earlier runs left.
struct Survey {
    state: Header,
    /// Events that the collector does not have.
    backlog: u64,
    /// Where the first of them is, and how many events the spool ever held before it.
    from: Position,
    passed: u64,
}

fn survey(log: &Log, recovery: &Recovery, acknowledged: u64) -> std::io::Result<Survey> {
    if recovery.cut_bytes + recovery.damaged_bytes > 0 {
        tracing::warn!(
            cut_bytes = recovery.cut_bytes,
            damaged_bytes = recovery.damaged_bytes,
            "the spool was not closed cleanly: its torn tail was cut"
        );
    }
    let header = recovery.header.as_deref().and_then(|bytes| postcard::from_bytes(bytes).ok());
    let mut state: Header = header.unwrap_or_default();
    let mut first = None;
    let mut cursor = Cursor::new(log.view(), Position::default());
    loop {
        let place = cursor.position();
        match cursor.next()? {
            Step::Record(bytes, _) => {
                // Only the first numbers of the record are read here.
                type Prefix = (u64, u64, u64, u32);
                let Ok(((before, _, last, count), _)) = postcard::take_from_bytes::<Prefix>(&bytes) else { continue };
                if last > acknowledged {
                    first.get_or_insert((place, before));
                }
                state.next = state.next.max(last.saturating_add(1));
                state.held_ever = state.held_ever.max(before.saturating_add(count.into()));
            }
            Step::Damaged { bytes } => tracing::warn!(bytes, "a damaged place in the spool is skipped"),
            Step::End => break,
        }
    }
    state.next = state.next.max(acknowledged.saturating_add(1));
    let (from, passed) = first.unwrap_or((cursor.position(), state.held_ever));
    Ok(Survey { state, backlog: state.held_ever.saturating_sub(passed), from, passed })
}

impl SpoolWriter {
    /// Hands events over without waiting; their sequence numbers are set here (whatever `id.sequence` holds). What does
    /// not fit into the queue is dropped and counted, the dataset that is kept longest last.
    pub fn push(&self, mut events: Vec<Event>) {
        let is_kept = |event: &Event| Some(event.dataset) == self.keep_longest;
        let kept = events.iter().filter(|event| is_kept(event)).count();
        let (kept_fit, others_fit) = self.shared.enter(kept, events.len() - kept);
        if kept_fit + others_fit < events.len() {
            let (mut kept_left, mut others_left) = (kept_fit, others_fit);
            events.retain(|event| {
                let left = if is_kept(event) { &mut kept_left } else { &mut others_left };
                let fits = *left > 0;
                *left -= usize::from(fits);
                fits
            });
        }
        self.send(events);
    }

    /// How full the queue is, in percent.
    pub fn fullness_percent(&self) -> u8 {
        self.shared.fullness_percent()
    }

    /// The same, but waits for room in the queue: for sources that can wait (a capture file replayed at full speed).
    pub fn push_waiting(&self, events: Vec<Event>) {
        self.shared.enter_waiting(events.len());
        self.send(events);
    }

    fn send(&self, events: Vec<Event>) {
        let count = events.len();
        if count > 0 && self.queue.send(writer::Message::Events(events)).is_err() {
            self.shared.dropped_from_queue("writer_gone", count);
        }
    }

    /// Makes everything pushed so far durable and readable; returns when it is. Call before a planned exit.
    pub fn flush(&self) {
        let (done, wait) = mpsc::channel();
        if self.queue.send(writer::Message::Flush(done)).is_ok() {
            // The sender is dropped when the writer has ended, which is as good.
            let _ = wait.recv();
        }
    }

    /// The spool's line for the ledger, to stand after `protocols` (it takes what they gave), and the line of what an
    /// earlier run left behind, to stand before `capture`.
    pub fn stages(&self) -> SpoolStages {
        self.shared.stages()
    }
}

/// The spool's lines in the ledger.
#[derive(Debug, Clone)]
pub struct SpoolStages {
    /// What earlier runs left behind; first in the snapshot, so that it is no neighbour of the other event stages.
    pub backlog: Stage,
    /// What this run took; last in the snapshot. `given` is what the collector has acknowledged.
    pub spool: Stage,
}

#[cfg(test)]
mod tests;
