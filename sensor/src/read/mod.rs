//! `luytre-sensor read`: capture files in, events as JSON lines out.
//!
//! Files are read one after the other as one capture, so that a rotated capture keeps its flows; a file that begins
//! earlier than the one before it ended starts afresh. What comes out is the same for any number of workers: with one,
//! everything happens in this thread; with more, [`threads`] spreads the shards and brings the lines back into order.
//! A damaged file is read as far as it goes, reported at the end, and the others are still read.

mod lines;
mod threads;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use luytre_events::ledger::{Snapshot, Stage};
use luytre_rules_engine::signatures::Signatures;
use luytre_rules_engine::signatures::probe::Probe;

use crate::capture::filter::Filter;
use crate::capture::{CaptureError, FileSource, Next, PacketSource, SourceCounts};
use crate::decode::Checksums;
use crate::flow::FlowLimits;
use crate::pipeline::{Back, Front, Inline, Shards, worker_stages};
use crate::worker::{SHARDS, WorkerCounts, WorkerSettings};

pub use lines::Destination;
use lines::{LineSink, Lines};

/// What to read and how.
#[derive(Debug)]
pub struct ReadOptions {
    /// The capture files, in order.
    pub files: Vec<PathBuf>,
    /// Threads besides the one that reads and decodes; 1 works without any.
    pub workers: usize,
    /// Where events go.
    pub destination: Destination,
    /// Limits of the flow table.
    pub limits: FlowLimits,
    /// What is done about wrong checksums.
    pub checksums: Checksums,
    /// Which packets are looked at, if not all.
    pub filter: Option<Arc<Filter>>,
    /// What signatures look for, if there are any.
    pub rules: Option<Arc<Signatures>>,
    /// Who wants to know what rules cost and how far they come.
    pub probe: Option<Arc<Probe>>,
}

/// What was read.
#[derive(Debug)]
pub struct Summary {
    /// Lines of the ledger.
    pub stages: Vec<Stage>,
    /// What the shards counted.
    pub counts: WorkerCounts,
    /// Files that could not be read to their end.
    pub errors: Vec<CaptureError>,
    /// Whether the reader of the events went away, which ends the work quietly.
    pub cut_short: bool,
}

impl Summary {
    /// Packets and events that are nowhere: always zero unless the program has a bug.
    pub fn unaccounted(&self) -> i64 {
        Snapshot { stages: self.stages.clone(), ..Snapshot::default() }.unaccounted()
    }
}

/// Reads all files. The error is about writing events, for example a full disk.
pub fn read(options: ReadOptions) -> std::io::Result<Summary> {
    let settings =
        WorkerSettings { rules: options.rules, probe: options.probe, ..WorkerSettings::reading(options.limits) };
    let stop = Arc::new(AtomicBool::new(false));
    let lines = Lines::open(&options.destination)?;
    let workers = options.workers.clamp(1, SHARDS);
    let mut front = Front::new(SHARDS, 0, options.checksums);
    front.set_rules(settings.rules.is_some());
    front.set_filter(options.filter);
    let mut run = Run { front, source: SourceCounts::default(), errors: Vec::new() };
    let (counts, written) = if workers == 1 {
        let shards = Shards::new(&settings, 0, 1);
        let mut back = Inline { shards, sink: LineSink::new(lines, stop.clone()) };
        run.files(&options.files, &mut back, &stop);
        (back.shards.counts(), back.sink.close())
    } else {
        let mut back = threads::Threads::start(&settings, workers, lines, &stop);
        run.files(&options.files, &mut back, &stop);
        back.join()
    };
    let cut_short = match written {
        Ok(()) => false,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => true,
        Err(error) => return Err(error),
    };
    let mut stages: Vec<Stage> = run.front.stages(run.source);
    stages.extend(worker_stages(&counts, 0));
    Ok(Summary { stages, counts, errors: run.errors, cut_short })
}

struct Run {
    front: Front,
    source: SourceCounts,
    errors: Vec<CaptureError>,
}

impl Run {
    fn files(&mut self, files: &[PathBuf], back: &mut dyn Back, stop: &AtomicBool) {
        for file in files {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if let Err(error) = self.file(file, back, stop) {
                self.errors.push(error);
            }
        }
        self.front.finish(back);
    }

    fn file(&mut self, file: &Path, back: &mut dyn Back, stop: &AtomicBool) -> Result<(), CaptureError> {
        let mut source = FileSource::open(file)?;
        let result = self.packets(&mut source, back, stop);
        let counts = source.counts();
        self.source.damaged += counts.damaged;
        result
    }

    fn packets(&mut self, source: &mut FileSource, back: &mut dyn Back, stop: &AtomicBool) -> Result<(), CaptureError> {
        const LOOK_UP_EVERY: u64 = 1024;
        let mut first = true;
        while let Next::Packet(packet) = source.next()? {
            if std::mem::take(&mut first) && packet.time_ns < self.front.clock_ns() {
                self.front.finish(back);
            }
            self.front.packet(&packet, back);
            if self.front.packets().is_multiple_of(LOOK_UP_EVERY) && stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(())
    }
}
