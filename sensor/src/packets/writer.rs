//! The thread behind one capture thread: seals blocks and appends them to segments.
//!
//! Nothing that happens here can hold up the capture: the queue in between is bounded, and what does not fit into it is
//! dropped there. A disk that says no costs the block at hand; the segment ends before it, and the next block tries again.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant, SystemTime};

use super::block::{Block, SEGMENT_HEAD_BYTES};
use super::index::Index;
use super::seal::SegmentKeys;
use super::shelf::{Loss, Shelf};

/// A segment is finished when it has been open for so long, so that it can grow old.
const OPEN_MAX: Duration = Duration::from_secs(3600);
/// A segment is finished when its index has so many entries, whatever its size: that is what it costs in memory.
const ENTRIES_MAX: usize = 1 << 19;
/// How often what is too old is looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// What became of the blocks.
#[derive(Debug, Default)]
pub struct Written {
    /// Packets on disk.
    pub given: AtomicU64,
    /// Packets that found no room on the disk.
    pub disk_full: AtomicU64,
    /// Packets that the disk did not take for another reason.
    pub disk_error: AtomicU64,
    /// Packets that did not fit into the quota.
    pub quota: AtomicU64,
}

struct Segment {
    number: u64,
    file: std::fs::File,
    keys: SegmentKeys,
    index: Index,
    offset: u64,
    since: Instant,
}

/// The thread's state.
pub struct Writer {
    shelf: Arc<Shelf>,
    name: String,
    written: Arc<Written>,
    segment: Option<Segment>,
    /// The disk said no and has not yet said yes again.
    failing: bool,
}

impl Writer {
    /// For a capture thread of this name.
    pub fn new(shelf: Arc<Shelf>, name: String, written: Arc<Written>) -> Writer {
        Writer { shelf, name, written, segment: None, failing: false }
    }

    /// Works until the capture thread's end of the queue is gone; blocks go back to it by `spare`.
    pub fn run(mut self, blocks: &Receiver<Block>, spare: &SyncSender<Block>) {
        let mut expired = Instant::now();
        self.shelf.expire(SystemTime::now());
        loop {
            match blocks.recv_timeout(EXPIRE_EVERY) {
                Ok(mut block) => {
                    self.take(&block);
                    block.clear();
                    // Whoever has enough of them lets it go.
                    let _ = spare.try_send(block);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if expired.elapsed() >= EXPIRE_EVERY {
                expired = Instant::now();
                self.finish_if(|segment| segment.since.elapsed() >= OPEN_MAX);
                self.shelf.expire(SystemTime::now());
            }
        }
        self.finish_if(|_| true);
    }

    fn take(&mut self, block: &Block) {
        let count = match self.write(block) {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("packets are kept again");
                }
                &self.written.given
            }
            Err((loss, error)) => {
                if !std::mem::replace(&mut self.failing, true) {
                    let folder = self.shelf.root().display();
                    let error = error.map_or_else(String::new, |error| format!(": {error}"));
                    tracing::warn!(%folder, "packets are not kept for now, {}{error}", why(loss));
                }
                match loss {
                    Loss::DiskFull => &self.written.disk_full,
                    Loss::DiskError => &self.written.disk_error,
                    Loss::Quota => &self.written.quota,
                }
            }
        };
        count.fetch_add(block.len(), Ordering::Relaxed);
    }

    fn write(&mut self, block: &Block) -> Result<(), (Loss, Option<io::Error>)> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (Loss::DiskFull, Some(error)),
            _ => (Loss::DiskError, Some(error)),
        };
        // Before the work of sealing: while the disk is full, packets should cost as little as possible.
        self.shelf.reserve(block.size_bytes() as u64).map_err(|loss| (loss, None))?;
        let segment = match &mut self.segment {
            Some(segment) => segment,
            None => {
                let begun = self.shelf.begin().map_err(failed)?;
                self.segment.insert(Segment {
                    number: begun.number,
                    file: begun.file,
                    keys: begun.keys,
                    index: Index::default(),
                    offset: SEGMENT_HEAD_BYTES as u64,
                    since: Instant::now(),
                })
            }
        };
        let number = u32::try_from(segment.index.blocks()).unwrap_or(u32::MAX);
        let (bytes, head) = block.seal(&segment.keys, number, &self.name, self.shelf.limits().level).map_err(failed)?;
        if let Err(error) = segment.file.write_all_at(&bytes, segment.offset) {
            // Neither this block's place nor its nonce is ever used for another one.
            let _ = segment.file.set_len(segment.offset);
            self.finish_if(|_| true);
            return Err(failed(error));
        }
        segment.index.add(&head.head, &head.tags, segment.offset);
        segment.offset += bytes.len() as u64;
        self.shelf.grew(segment.number, bytes.len() as u64);
        let limit = self.shelf.limits().segment_bytes;
        self.finish_if(|segment| segment.offset >= limit || segment.index.entries() >= ENTRIES_MAX);
        Ok(())
    }

    fn finish_if(&mut self, over: impl Fn(&Segment) -> bool) {
        if let Some(mut segment) = self.segment.take_if(|segment| over(segment)) {
            self.shelf.finish(segment.number, &mut segment.index);
        }
    }
}

fn why(loss: Loss) -> &'static str {
    match loss {
        Loss::DiskFull => "the disk has no more room than what must stay free ([packets] free_mb)",
        Loss::DiskError => "the disk does not take them",
        Loss::Quota => "their quota is too small ([packets] quota_mb)",
    }
}
