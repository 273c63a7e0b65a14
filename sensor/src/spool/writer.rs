//! The spool's writer thread: numbers events, packs them into batches, appends them and makes them durable in groups.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use luytre_events::wire::{Batch, FRAME_MAX_BYTES};
use luytre_events::{Catalogue, DatasetId, Event};
use luytre_segments::Log;

use super::counts::Shared;
use super::{Header, Record, SpoolLimits};

/// The most events in a batch.
const BATCH_EVENTS: usize = 2_000;
/// The largest batch body, in bytes: half of what a frame may be.
const BODY_MAX_BYTES: usize = FRAME_MAX_BYTES / 2;
/// How long the writer sleeps when there is nothing to make durable.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) enum Message {
    Events(Vec<Event>),
    /// Answer when everything before is durable.
    Flush(Sender<()>),
}

pub(super) struct Writer {
    log: Log,
    shared: Arc<Shared>,
    limits: SpoolLimits,
    keep_longest: Option<DatasetId>,
    state: Header,
    /// Events that wait to be packed.
    waiting: Vec<Event>,
    /// When the first of the events that are not durable came.
    since: Option<Instant>,
    unsynced_events: u64,
    unsynced_bytes: u64,
    /// The disk said no and has not yet said yes again.
    failing: bool,
}

impl Writer {
    pub(super) fn new(log: Log, shared: Arc<Shared>, limits: SpoolLimits, start: Header) -> Writer {
        let keep_longest = Catalogue::current().dataset_id(&limits.keep_longest);
        Writer {
            log,
            shared,
            limits,
            keep_longest,
            state: start,
            waiting: Vec::new(),
            since: None,
            unsynced_events: 0,
            unsynced_bytes: 0,
            failing: false,
        }
    }

    #[cfg(test)]
    pub(super) fn keep_longest(&mut self, dataset: DatasetId) {
        self.keep_longest = Some(dataset);
    }

    /// Works until all writers' ends are gone.
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            match messages.recv_timeout(self.pause()) {
                Ok(Message::Events(events)) => self.take(events),
                Ok(Message::Flush(done)) => {
                    self.write_waiting();
                    self.sync();
                    // Whoever asked may no longer care.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.write_waiting();
                    self.sync();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.write_waiting();
                    self.sync();
                    return;
                }
            }
        }
    }

    /// How long nothing need be done.
    fn pause(&self) -> Duration {
        let limit = Duration::from_millis(self.limits.sync_ms);
        self.since.map_or(IDLE, |since| limit.saturating_sub(since.elapsed()))
    }

    pub(super) fn take(&mut self, mut events: Vec<Event>) {
        self.since.get_or_insert_with(Instant::now);
        self.waiting.append(&mut events);
        if self.waiting.len() >= BATCH_EVENTS {
            self.write_waiting();
        }
        if self.unsynced_bytes >= self.limits.sync_bytes {
            self.sync();
        }
    }

    pub(super) fn write_waiting(&mut self) {
        let mut events = std::mem::take(&mut self.waiting);
        self.shed(&mut events);
        self.state.next = self.state.next.max(self.shared.floor());
        for event in &mut events {
            event.id.sequence = self.state.next;
            self.state.next += 1;
        }
        for group in events.chunks(BATCH_EVENTS) {
            self.write(group);
        }
        // The room is used again for the next events.
        events.clear();
        self.waiting = events;
    }

    /// Lets go of all but the dataset to be kept longest when the disk space is nearly used up.
    fn shed(&mut self, events: &mut Vec<Event>) {
        if self.log.size_bytes() < self.limits.size_bytes / 10 * 9 {
            return;
        }
        let before = events.len();
        events.retain(|event| Some(event.dataset) == self.keep_longest);
        self.drop_queued("spool_full", before - events.len());
    }

    /// Packs and appends a group; one that is too large for a frame is halved.
    fn write(&mut self, events: &[Event]) {
        let batch = match Batch::pack(events) {
            Ok(Some(batch)) => batch,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, events = events.len(), "a batch of events could not be packed");
                return self.drop_queued("unpackable", events.len());
            }
        };
        if batch.body.len() > BODY_MAX_BYTES {
            if events.len() < 2 {
                return self.drop_queued("too_large", events.len());
            }
            let (left, right) = events.split_at(events.len() / 2);
            self.write(left);
            return self.write(right);
        }
        self.append(batch, events.len());
    }

    fn append(&mut self, batch: Batch, count: usize) {
        let record = Record { before: self.state.held_ever, batch };
        let Ok(bytes) = postcard::to_stdvec(&record) else { return self.drop_queued("unpackable", count) };
        if self.log.size_bytes() + bytes.len() as u64 > self.limits.size_bytes {
            return self.drop_queued("spool_full", count);
        }
        let header = self.state;
        let end = self.log.view().end();
        let appended = self.log.append(&bytes, || postcard::to_stdvec(&header).unwrap_or_default());
        if self.log.view().end() != end {
            // A new segment was begun, so everything before is durable.
            self.made_durable();
        } else if !self.log.unsynced() {
            // Making the old segment durable failed, if there was anything to be made durable.
            self.void("disk_error");
        }
        match appended {
            Ok(_) => {
                self.state.held_ever += count as u64;
                self.unsynced_events += count as u64;
                self.unsynced_bytes += bytes.len() as u64;
                self.shared.stored(count);
            }
            Err(error) => {
                self.failed(&error);
                self.drop_queued(reason(&error), count);
            }
        }
    }

    pub(super) fn sync(&mut self) {
        self.since = None;
        if !self.log.unsynced() {
            return;
        }
        match self.log.sync() {
            Ok(_) => self.made_durable(),
            Err(error) => {
                self.failed(&error);
                self.void(reason(&error));
            }
        }
    }

    fn made_durable(&mut self) {
        self.unsynced_events = 0;
        self.unsynced_bytes = 0;
        if std::mem::take(&mut self.failing) {
            tracing::info!("the spool's disk takes events again");
        }
        self.shared.readable.notify_one();
    }

    fn void(&mut self, reason: &'static str) {
        let count = std::mem::take(&mut self.unsynced_events);
        self.unsynced_bytes = 0;
        if count == 0 {
            return;
        }
        self.state.held_ever -= count;
        self.shared.voided(reason, count);
    }

    fn failed(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::error!(%error, "the spool's disk takes no more events: they are dropped and counted until it does");
        }
    }

    fn drop_queued(&mut self, reason: &'static str, count: usize) {
        if count > 0 {
            self.shared.dropped_from_queue(reason, count);
        }
    }
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disk_full",
        _ => "disk_error",
    }
}
