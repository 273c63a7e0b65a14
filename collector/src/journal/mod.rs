//! The journal: batches become durable here, and only then are they acknowledged.
//!
//! (Signatures first; the body follows.)

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use luytre_events::Event;
use serde::{Deserialize, Serialize};

use crate::fleet::Catalogues;
use crate::health::Problems;

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

/// A place between two records of the journal. The default is its very beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// Offset within it, in bytes.
    pub offset: u64,
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
    /// The journal is shutting down.
    #[error("the journal is closed")]
    Closed,
}

/// The journal; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Journal {}

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
pub struct Reader {}

impl Journal {
    /// Opens or creates the journal in `dir` and recovers it.
    pub fn open(_dir: &Path, _settings: JournalSettings, _problems: Problems) -> Result<Journal, JournalError> {
        Ok(Journal {})
    }

    /// The place after the last durable record.
    pub fn end(&self) -> Position {
        Position::default()
    }

    /// The oldest place that can still be read.
    pub fn start(&self) -> Position {
        Position::default()
    }

    /// The highest durable sequence number of a sensor; 0 for an unknown one.
    pub fn durable(&self, _sensor: &str) -> u64 {
        0
    }

    /// A reader from `from` on (or from the oldest place that still exists, if `from` is older).
    pub fn reader(&self, _from: Position, _catalogues: Catalogues) -> Reader {
        Reader {}
    }

    /// Says that everything before `position` is safe in the index: segments before it may be deleted by age or size.
    /// Call after each commit of the index. It also tells the ledger when everything has come to rest.
    pub fn indexed(&self, _position: Position) {}

    /// How many events lie after the place last given to [`Journal::indexed`].
    pub fn lag_events(&self) -> u64 {
        0
    }
}

impl Reader {
    /// The next durable batch, or nothing when the reader has caught up. Blocks only for the disk.
    pub fn next(&mut self) -> Result<Option<Read>, JournalError> {
        Ok(None)
    }

    /// Waits, on a plain thread, until there may be something new, at most `timeout`.
    pub fn wait(&self, timeout: Duration) {
        std::thread::sleep(timeout);
    }

    /// Where the next read begins.
    pub fn position(&self) -> Position {
        Position::default()
    }
}
