//! Makes the lines of one source durable, in their order.
//!
//! Comes in: lines, and parcels of events whose sender waits to hear that they are safe. Goes out: batches in the journal.
//! What waits together becomes durable together, at most [`BATCH_LINES`] events or [`BATCH_BYTES`] at once. A full disk
//! holds up the source, not the collector; a parcel whose sender has given up waiting is left to the sender, who sends it
//! again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use luytre_events::text::read_event;
use luytre_events::wire::Batch;
use luytre_events::{Event, EventId};
use tokio::sync::mpsc;

use super::repeats::Ticket;
use super::{Counts, Line, PREFIX, SourceParts, syslog};
use crate::clock::now_ns;
use crate::health::Problems;
use crate::journal::{Incoming, Journal};

/// Lines that become durable together.
const BATCH_LINES: usize = 1000;
/// Lines of so many bytes become durable together.
const BATCH_BYTES: usize = 4 << 20;
/// A disk that is full is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What a source hands over.
pub enum Arrival {
    /// A line.
    Line(Line),
    /// Events that came together.
    Parcel(Parcel),
}

/// Events whose sender waits.
pub struct Parcel {
    /// The events, without a number yet, and the bytes that each came in.
    pub events: Vec<(Event, usize)>,
    /// Lines that came with them and are none, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// Told when they are durable.
    pub ticket: Ticket,
}

/// The writer of one source.
pub struct Writer {
    sensor: Arc<str>,
    digest: [u8; 32],
    journal: Journal,
    counts: Arc<Counts>,
    problems: Problems,
    next: u64,
    run_first: u64,
    batch: Vec<Event>,
    batch_bytes: usize,
}

impl Writer {
    /// Of the source of this name; goes on behind its last durable number.
    pub fn new(name: &str, digest: [u8; 32], counts: Arc<Counts>, parts: &SourceParts) -> Writer {
        let sensor: Arc<str> = format!("{PREFIX}{name}").into();
        let next = parts.journal.durable(&sensor) + 1;
        let (journal, problems) = (parts.journal.clone(), parts.problems.clone());
        let (batch, batch_bytes) = (Vec::new(), 0);
        Writer { sensor, digest, journal, counts, problems, next, run_first: next, batch, batch_bytes }
    }

    /// Works until nobody can hand over anything any more.
    pub async fn run(mut self, mut waiting: mpsc::Receiver<Arrival>) {
        let mut arrivals = Vec::new();
        while waiting.recv_many(&mut arrivals, BATCH_LINES).await > 0 {
            let mut done: Vec<Ticket> = Vec::new();
            for arrival in arrivals.drain(..) {
                match arrival {
                    Arrival::Line((line, received_ns)) => self.add_line(&line, received_ns).await,
                    Arrival::Parcel(parcel) => done.extend(self.add_parcel(parcel).await),
                }
            }
            self.write().await;
            done.into_iter().for_each(Ticket::durable);
        }
    }

    async fn add_line(&mut self, line: &[u8], received_ns: i64) {
        let id = EventId { sensor: self.sensor.clone(), sequence: self.next };
        match read_event(&syslog::event(line, received_ns), id, received_ns) {
            Ok(read) => self.add(read.event, line.len()).await,
            Err(_) => self.counts.lose("no_event", 1),
        }
    }

    async fn add_parcel(&mut self, parcel: Parcel) -> Option<Ticket> {
        if !parcel.ticket.is_wanted() {
            self.counts.refuse("gave_up");
            return None;
        }
        let lost: u64 = parcel.dropped.iter().map(|(_, lines)| lines).sum();
        self.counts.take(parcel.events.len() as u64 + lost);
        parcel.dropped.iter().for_each(|(reason, lines)| self.counts.lose(reason, *lines));
        for (event, bytes) in parcel.events {
            self.add(event, bytes).await;
        }
        Some(parcel.ticket)
    }

    async fn add(&mut self, mut event: Event, bytes: usize) {
        event.id = EventId { sensor: self.sensor.clone(), sequence: self.next };
        self.next += 1;
        self.batch.push(event);
        self.batch_bytes = self.batch_bytes.saturating_add(bytes);
        if self.batch.len() >= BATCH_LINES || self.batch_bytes >= BATCH_BYTES {
            self.write().await;
        }
    }

    /// Waits until what was added is durable.
    async fn write(&mut self) {
        let events = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let problem = self.sensor.to_string();
        loop {
            let batch = match Batch::pack(&events) {
                Ok(Some(batch)) => batch,
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(source = problem, %error, "lines of a source could not be packed");
                    return self.counts.lose("not_packable", events.len() as u64);
                }
            };
            let (sensor, digest, run_first) = (self.sensor.clone(), self.digest, self.run_first);
            let incoming = Incoming { sensor, digest, received_ns: now_ns(), run_first, batch };
            match self.journal.append(incoming).await {
                Ok(_) => {
                    self.problems.clear(&problem);
                    self.counts.given.fetch_add(events.len() as u64, Ordering::Relaxed);
                    return;
                }
                Err(error) => {
                    self.problems.raise(&problem, format!("its lines cannot be kept: {error}; trying again"));
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
    }
}
