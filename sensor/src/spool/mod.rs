//! The spool: a disk queue between the capture threads and the uplink that survives a crash.
//!
//! (Signatures first; the body follows.)

use std::path::Path;

use luytre_events::Event;
use luytre_events::ledger::Stage;
use serde::Deserialize;

/// How much the spool keeps.
#[derive(Debug, Clone, Deserialize)]
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

/// The capture threads' end; clone one for each thread.
#[derive(Clone)]
pub struct SpoolWriter {}

/// The uplink's end.
pub struct SpoolReader {}

impl Spool {
    /// Opens or creates the spool in `dir` and recovers it.
    pub fn open(_dir: &Path, _limits: SpoolLimits) -> Result<(SpoolWriter, SpoolReader), SpoolError> {
        Ok((SpoolWriter {}, SpoolReader {}))
    }
}

impl SpoolWriter {
    /// Hands events over without waiting; their sequence numbers are set here (whatever `id.sequence` holds). What does
    /// not fit into the queue is dropped and counted.
    pub fn push(&self, _events: Vec<Event>) {}

    /// The same, but waits for room in the queue: for sources that can wait (a capture file replayed at full speed).
    pub fn push_waiting(&self, _events: Vec<Event>) {}

    /// Makes everything pushed so far durable and readable; returns when it is. Call before a planned exit.
    pub fn flush(&self) {}

    /// The spool's line for the ledger, to stand after `protocols` (it takes what they gave), and the line of what an
    /// earlier run left behind, to stand before `capture`.
    pub fn stages(&self) -> SpoolStages {
        SpoolStages { backlog: empty("backlog"), spool: empty("spool") }
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

fn empty(name: &str) -> Stage {
    Stage { name: name.into(), unit: luytre_events::ledger::Unit::Events, counts: Default::default() }
}
