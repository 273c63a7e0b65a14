//! Minutes of a partition: how many events each minute has, so that a month's timeline is a sum of few numbers.
//!
//! Comes in: a view of the partition. Goes out: minute (since 1970) and count, in order. Counted from the time column when
//! first asked for and kept in `minutes.bin` beside the partition's files, with the names of the segments that they are of:
//! a partition that has changed since is counted anew, and one that still grows is only kept in memory. The file is worth
//! nothing: one that is missing, torn or of other segments is as good as none.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::Searcher;

/// A minute, in nanoseconds.
pub const MINUTE_NS: i64 = 60_000_000_000;
/// The file beside the partition's own.
const FILE: &str = "minutes.bin";
/// The largest file that is believed to be one of ours.
const FILE_MAX_BYTES: u64 = 16 << 20;
/// More minutes than a few days have are not kept: times are forged, and the timeline is counted event by event.
const MINUTES_MAX: usize = 100_000;
/// Events that are read from the column at once.
const BLOCK: usize = 4096;

/// Minutes of some segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minutes {
    segments: Vec<String>,
    minutes: Vec<(i64, u64)>,
}

impl Minutes {
    /// Minute and count, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.minutes.iter().copied()
    }

    /// Whether they are those of this view.
    pub fn are_of(&self, searcher: &Searcher) -> bool {
        self.segments == names(searcher)
    }

    /// Reads them from beside a partition, if they are of this view.
    pub fn load(path: &Path, searcher: &Searcher) -> Option<Arc<Minutes>> {
        let path = path.join(FILE);
        if std::fs::metadata(&path).ok()?.len() > FILE_MAX_BYTES {
            return None;
        }
        let content = std::fs::read(path).ok()?;
        let (sum, body) = content.split_first_chunk::<4>()?;
        if u32::from_le_bytes(*sum) != crc32fast::hash(body) {
            return None;
        }
        let minutes: Minutes = postcard::from_bytes(body).ok()?;
        minutes.are_of(searcher).then(|| Arc::new(minutes))
    }

    /// Writes them beside a partition.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let body = postcard::to_stdvec(self).map_err(std::io::Error::other)?;
        let content = [&crc32fast::hash(&body).to_le_bytes(), &*body].concat();
        let beside = path.join("minutes.tmp");
        std::fs::write(&beside, content)?;
        std::fs::rename(beside, path.join(FILE))
    }

    /// Counts them; nothing where some events were taken out again, or there are more minutes than can be.
    pub fn count(searcher: &Searcher) -> tantivy::Result<Option<Minutes>> {
        let mut minutes: BTreeMap<i64, u64> = BTreeMap::new();
        for segment in searcher.segment_readers() {
            if segment.has_deletes() {
                return Ok(None);
            }
            let times = segment.fast_fields().i64("_time")?;
            let events: Vec<u32> = (0..segment.max_doc()).collect();
            let mut found = Vec::with_capacity(BLOCK);
            for block in events.chunks(BLOCK) {
                found.clear();
                found.resize(block.len(), None);
                times.first_vals(block, &mut found);
                // Nearly all of a block are of one minute.
                let mut run = (0, 0);
                for time_ns in found.iter().flatten() {
                    let minute = time_ns.div_euclid(MINUTE_NS);
                    if run.0 != minute && run.1 > 0 {
                        *minutes.entry(run.0).or_default() += run.1;
                        run.1 = 0;
                    }
                    run = (minute, run.1 + 1);
                }
                if run.1 > 0 {
                    *minutes.entry(run.0).or_default() += run.1;
                }
                if minutes.len() > MINUTES_MAX {
                    return Ok(None);
                }
            }
        }
        Ok(Some(Minutes { segments: names(searcher), minutes: minutes.into_iter().collect() }))
    }
}

fn names(searcher: &Searcher) -> Vec<String> {
    searcher.segment_readers().iter().map(|segment| segment.segment_id().uuid_string()).collect()
}
