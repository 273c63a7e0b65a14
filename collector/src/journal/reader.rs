//! Reading the journal: batch by batch, unpacked, from any place.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use luytre_events::Event;
use luytre_events::wire::Translation;
use luytre_segments::{Cursor, Position, Step};

use super::state::Record;
use super::{JournalError, Shared};
use crate::fleet::Catalogues;

/// What a reader hands out: the events of one batch, in sequence.
#[derive(Debug, Clone)]
pub struct Read {
    /// The sensor's name.
    pub sensor: Arc<str>,
    /// When the collector received it, nanoseconds since 1970-01-01 UTC.
    pub received_ns: i64,
    /// The events.
    pub events: Vec<Event>,
    /// Fields and datasets of a newer sensor that this release does not know.
    pub unknown: u64,
    /// The place after this batch: where to go on once these events are safe elsewhere.
    pub position: Position,
}

/// Reads from a place on, in order, each batch once. Several readers may read at the same time.
pub struct Reader {
    shared: Arc<Shared>,
    cursor: Cursor,
    catalogues: Catalogues,
    translations: HashMap<[u8; 32], Arc<Translation>>,
}

/// The next record, whatever damage lies before it.
pub(super) fn step(cursor: &mut Cursor) -> io::Result<Option<(Record, Position)>> {
    loop {
        match cursor.next()? {
            Step::Record(bytes, after) => match postcard::from_bytes(&bytes) {
                Ok(record) => return Ok(Some((record, after))),
                Err(error) => tracing::error!(%error, "a record of the journal is not a batch and is skipped"),
            },
            Step::Damaged { bytes } => tracing::error!(bytes, "a damaged place in the journal is skipped"),
            Step::End => return Ok(None),
        }
    }
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, from: Position, catalogues: Catalogues) -> Reader {
        let cursor = Cursor::new(shared.view.clone(), from);
        Reader { shared, cursor, catalogues, translations: HashMap::new() }
    }

    /// The next durable batch, or nothing when the reader has caught up. Blocks only for the disk. A batch that cannot be
    /// unpacked (the intake lets none in) is skipped and logged.
    #[expect(clippy::should_implement_trait, reason = "it may fail, and there may be more later")]
    pub fn next(&mut self) -> Result<Option<Read>, JournalError> {
        loop {
            let stepped = step(&mut self.cursor);
            let failed = |source| JournalError::Disk { what: "read the journal".into(), source };
            let Some((record, position)) = stepped.map_err(failed)? else { return Ok(None) };
            let Some(translation) = self.translation(&record.digest) else {
                tracing::error!(sensor = %record.sensor, events = record.batch.count,
                    "a batch is skipped: the catalogue that it is numbered by is missing");
                continue;
            };
            match record.batch.unpack(&record.sensor, &translation) {
                Ok((events, unknown)) => {
                    let (sensor, received_ns) = (record.sensor, record.received_ns);
                    return Ok(Some(Read { sensor, received_ns, events, unknown, position }));
                }
                Err(error) => tracing::error!(sensor = %record.sensor, %error, "a batch is skipped"),
            }
        }
    }

    fn translation(&mut self, digest: &[u8; 32]) -> Option<Arc<Translation>> {
        if let Some(known) = self.translations.get(digest) {
            return Some(known.clone());
        }
        let found = self.catalogues.translation(digest)?;
        self.translations.insert(*digest, found.clone());
        Some(found)
    }

    /// Waits, on a plain thread, until there may be something new, at most `timeout`.
    pub fn wait(&self, timeout: Duration) {
        let guard = self.shared.state();
        if self.cursor.position() >= self.shared.view.end() {
            // Woken early or late makes no difference: the caller looks again.
            drop(self.shared.grew.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Where the next read begins.
    pub fn position(&self) -> Position {
        self.cursor.position()
    }
}
