//! What the journal knows of each sensor, and how it finds that again.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use luytre_events::wire::Batch;
use luytre_segments::{Cursor, Position, Recovery, Step, View};
use serde::{Deserialize, Serialize};

/// One record of the log (postcard).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// How many events the journal had ever taken before this batch.
    pub before: u64,
    pub sensor: Arc<str>,
    pub digest: [u8; 32],
    pub received_ns: i64,
    pub run_first: u64,
    pub batch: Batch,
}

/// What the journal ever took from one sensor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// The highest durable sequence number.
    pub durable: u64,
    /// How many events.
    pub events: u64,
    /// The first number of the sensor's newest run.
    pub run_first: u64,
    /// How many events of that run.
    pub run_events: u64,
}

/// Everything that must survive the removal of old segments: a segment's header (postcard).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// How many events the journal ever took.
    pub events: u64,
    pub sensors: BTreeMap<String, Totals>,
}

/// What a batch is to the journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    New,
    Duplicate,
    Overlap { durable: u64 },
}

impl State {
    pub(super) fn fit(&self, sensor: &str, batch: &Batch) -> Fit {
        let durable = self.sensors.get(sensor).map_or(0, |totals| totals.durable);
        match batch {
            batch if batch.first > durable => Fit::New,
            batch if batch.last <= durable => Fit::Duplicate,
            _ => Fit::Overlap { durable },
        }
    }

    pub(super) fn add(&mut self, record: &Record) {
        let count = u64::from(record.batch.count);
        let totals = match self.sensors.get_mut(&*record.sensor) {
            Some(totals) => totals,
            None => self.sensors.entry(record.sensor.to_string()).or_default(),
        };
        self.events = record.before + count;
        totals.durable = totals.durable.max(record.batch.last);
        totals.events += count;
        if record.run_first > totals.run_first {
            totals.run_first = record.run_first;
            totals.run_events = 0;
        }
        if record.batch.first >= totals.run_first {
            totals.run_events += count;
        }
    }
}

/// The state at the end of the journal: the newest segment's header and the records after it; all records there are if
/// that header is damaged.
pub(super) fn recover(view: &View, recovery: &Recovery) -> io::Result<State> {
    let header = recovery.header.as_deref().and_then(|bytes| postcard::from_bytes::<State>(bytes).ok());
    let from = match header {
        Some(_) => Position { segment: recovery.newest, offset: 0 },
        None => Position::default(),
    };
    let mut state = header.unwrap_or_default();
    walk(view, from, |record, _| state.add(&record))?;
    Ok(state)
}

/// Calls `visit` for each record from a place on. Damage is skipped and logged.
pub(super) fn walk(view: &View, from: Position, mut visit: impl FnMut(Record, Position)) -> io::Result<()> {
    let mut cursor = Cursor::new(view.clone(), from);
    loop {
        match cursor.next()? {
            Step::Record(bytes, after) => match postcard::from_bytes(&bytes) {
                Ok(record) => visit(record, after),
                Err(error) => tracing::error!(%error, "a record of the journal is not a batch and is skipped"),
            },
            Step::Damaged { bytes } => tracing::error!(bytes, "a damaged place in the journal is skipped"),
            Step::End => return Ok(()),
        }
    }
}
