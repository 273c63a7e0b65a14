//! One partition: the events of one UTC day in one data set, an index of its own in a directory of its own.
//!
//! Comes in: documents through the one [`tantivy::IndexWriter`] that [`Partition::writer`] hands out. Goes out: readers
//! for search. The commit's payload says how far into the journal the partition has come, so a replay after a crash
//! skips what it already has. On damage, opening (or a search) fails with the reason; the store then sets it aside.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::schema::IndexRecordOption;
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::tokenizer::{RawTokenizer, TextAnalyzer, TokenizerManager};
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyDocument};

use super::mapping::{KEYWORD, Mapping, WORDS};
use super::rollup::Minutes;
use super::words::{KeywordTokenizer, WordTokenizer};

/// Documents of 16 KB are compressed together: small enough to fetch a page of rows quickly, large enough to compress.
const STORE_BLOCK_BYTES: usize = 16 * 1024;
/// The arena of a writer that only takes events out: the smallest there is.
const FORGETTING_BYTES: usize = 15_000_000;
/// A partition whose newest event is older than this hardly changes any more.
const SETTLED_NS: i64 = 3_600_000_000_000;
/// zstd level of the stored events.
const STORE_LEVEL: i32 = 3;

/// A place in the journal, as the index remembers it: everything before it is in the index. The order is the journal's.
pub use crate::journal::Position as Mark;

/// Why a partition cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// The engine refused it.
    #[error("partition {name}: {source}")]
    Engine {
        /// The partition.
        name: String,
        /// The cause.
        #[source]
        source: tantivy::TantivyError,
    },
    /// Its directory could not be made or read.
    #[error("partition {name}: {source}")]
    Io {
        /// The partition.
        name: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// It is not one of ours.
    #[error("partition {name}: {reason}")]
    Shape {
        /// The partition.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// One day's events of a data set.
pub struct Partition {
    /// `2026-11-22`, or `2026-11-22.1` where the catalogue changed during the day.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its fields.
    pub mapping: Mapping,
    index: Index,
    reader: IndexReader,
    events: AtomicU64,
    min_ns: AtomicI64,
    max_ns: AtomicI64,
    damaged: AtomicBool,
    minutes: Mutex<Option<Arc<Minutes>>>,
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partition").field("name", &self.name).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Partition {
    /// Makes a new partition with the mapping of the current catalogue.
    pub fn create(path: &Path, name: &str) -> Result<Arc<Partition>, PartitionError> {
        let mapping = Mapping::current().map_err(|e| shape(name, &e))?;
        std::fs::create_dir_all(path).map_err(|source| PartitionError::Io { name: name.to_owned(), source })?;
        let settings = IndexSettings {
            docstore_compression: Compressor::Zstd(ZstdCompressor { compression_level: Some(STORE_LEVEL) }),
            docstore_blocksize: STORE_BLOCK_BYTES,
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let index = Index::builder()
            .schema(mapping.schema.clone())
            .settings(settings)
            .create_in_dir(path)
            .map_err(|e| engine(name, e))?;
        Partition::with(path, name, index)
    }

    /// Opens a partition that exists.
    pub fn open(path: &Path, name: &str) -> Result<Arc<Partition>, PartitionError> {
        let index = Index::open_in_dir(path).map_err(|e| engine(name, e))?;
        Partition::with(path, name, index)
    }

    fn with(path: &Path, name: &str, mut index: Index) -> Result<Arc<Partition>, PartitionError> {
        let tokenizers = TokenizerManager::new();
        tokenizers.register(KEYWORD, TextAnalyzer::from(KeywordTokenizer));
        tokenizers.register(WORDS, TextAnalyzer::from(WordTokenizer));
        tokenizers.register("raw", TextAnalyzer::from(RawTokenizer::default()));
        // The engine looks this one up for every field that is no text, and fails without it.
        tokenizers.register("default", TextAnalyzer::from(RawTokenizer::default()));
        index.set_tokenizers(tokenizers);
        let mapping = Mapping::from_schema(index.schema()).map_err(|e| shape(name, &e))?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(16)
            .try_into()
            .map_err(|e| engine(name, e))?;
        let partition = Partition {
            name: name.to_owned(),
            path: path.to_owned(),
            mapping,
            index,
            reader,
            events: AtomicU64::new(0),
            min_ns: AtomicI64::new(i64::MAX),
            max_ns: AtomicI64::new(i64::MIN),
            damaged: AtomicBool::new(false),
            minutes: Mutex::default(),
        };
        partition.measure()?;
        Ok(Arc::new(partition))
    }

    /// A view of what is committed.
    pub fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// How many events each minute of a view has; nothing where that cannot be kept.
    pub fn minutes(&self, searcher: &Searcher) -> tantivy::Result<Option<Arc<Minutes>>> {
        let mut known = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(minutes) = known.as_ref().filter(|minutes| minutes.are_of(searcher)) {
            return Ok(Some(minutes.clone()));
        }
        let kept = Minutes::load(&self.path, searcher);
        let minutes = match kept {
            Some(minutes) => minutes,
            None => {
                let Some(counted) = Minutes::count(searcher)? else { return Ok(None) };
                // Today's would be written again with every commit.
                let is_over = self.max_ns().saturating_add(SETTLED_NS) < crate::clock::now_ns();
                if let Err(error) = if is_over { counted.save(&self.path) } else { Ok(()) } {
                    tracing::warn!(partition = self.name, %error, "keep the minutes of a partition");
                }
                Arc::new(counted)
            }
        };
        *known = Some(minutes.clone());
        Ok(Some(minutes))
    }

    /// The one writer; its arena is `memory_bytes`.
    pub fn writer(&self, memory_bytes: usize) -> Result<IndexWriter<TantivyDocument>, PartitionError> {
        self.index.writer_with_num_threads(1, memory_bytes).map_err(|e| engine(&self.name, e))
    }

    /// How far into the journal its last commit has come; nothing for an imported set or before the first commit.
    pub fn mark(&self) -> Result<Option<Mark>, PartitionError> {
        let meta = self.index.load_metas().map_err(|e| engine(&self.name, e))?;
        Ok(meta.payload.as_deref().and_then(|text| serde_json::from_str(text).ok()))
    }

    /// Makes a commit visible to new searchers.
    pub fn reload(&self) -> Result<(), PartitionError> {
        self.reader.reload().map_err(|e| engine(&self.name, e))?;
        self.measure()
    }

    /// The highest number of an event; nothing when empty.
    pub fn last_sequence(&self) -> Option<u64> {
        let searcher = self.searcher();
        let readers = searcher.segment_readers().iter().filter(|segment| segment.num_docs() > 0);
        readers.filter_map(|segment| segment.fast_fields().u64("_sequence").ok()).map(|column| column.max_value()).max()
    }

    /// Takes out the events with this number or a higher one.
    pub fn forget_from(&self, sequence: u64) -> Result<(), PartitionError> {
        if self.last_sequence().is_none_or(|last| last < sequence) {
            return Ok(());
        }
        let failed = |source| engine(&self.name, source);
        let mut writer = self.writer(FORGETTING_BYTES)?;
        let first = tantivy::Term::from_field_u64(self.mapping.sequence, sequence);
        let query = tantivy::query::RangeQuery::new(std::ops::Bound::Included(first), std::ops::Bound::Unbounded);
        writer.delete_query(Box::new(query)).map_err(failed)?;
        writer.commit().map_err(failed)?;
        self.reload()
    }

    /// Compares every file with its checksum; answers what is damaged.
    pub fn verify(&self) -> Result<Vec<PathBuf>, PartitionError> {
        let damaged = self.index.validate_checksum().map_err(|e| engine(&self.name, e))?;
        Ok(damaged.into_iter().collect())
    }

    /// Reads the number of events and their first and last moment from the columns' statistics.
    fn measure(&self) -> Result<(), PartitionError> {
        let searcher = self.searcher();
        let mut span = (i64::MAX, i64::MIN);
        for segment in searcher.segment_readers() {
            let times = segment.fast_fields().i64("_time").map_err(|e| engine(&self.name, e))?;
            span = (span.0.min(times.min_value()), span.1.max(times.max_value()));
        }
        self.events.store(searcher.num_docs(), Ordering::Relaxed);
        self.min_ns.store(span.0, Ordering::Relaxed);
        self.max_ns.store(span.1, Ordering::Relaxed);
        Ok(())
    }

    /// Number of events that can be found.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Time of the first event, nanoseconds; `i64::MAX` when empty.
    pub fn min_ns(&self) -> i64 {
        self.min_ns.load(Ordering::Relaxed)
    }

    /// Time of the last event, nanoseconds; `i64::MIN` when empty.
    pub fn max_ns(&self) -> i64 {
        self.max_ns.load(Ordering::Relaxed)
    }

    /// Whether an event of `from_ns..to_ns` can be in here.
    pub fn overlaps(&self, from_ns: i64, to_ns: i64) -> bool {
        self.min_ns.load(Ordering::Relaxed) < to_ns && self.max_ns.load(Ordering::Relaxed) >= from_ns
    }

    /// Whether it was made with today's catalogue, so that new events lose nothing in it.
    pub fn is_current(&self) -> bool {
        Mapping::current().is_ok_and(|current| current.schema == self.mapping.schema)
    }

    /// Remembers that reading it failed.
    pub fn mark_damaged(&self) {
        self.damaged.store(true, Ordering::Relaxed);
    }

    /// Whether reading it failed.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Bytes on disk.
    pub fn size_bytes(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return 0 };
        entries.flatten().filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum()
    }
}

/// Terms are looked up by presence alone: nothing is ranked.
pub const PRESENCE: IndexRecordOption = IndexRecordOption::Basic;

fn engine(name: &str, source: tantivy::TantivyError) -> PartitionError {
    PartitionError::Engine { name: name.to_owned(), source }
}

fn shape(name: &str, reason: &dyn std::fmt::Display) -> PartitionError {
    PartitionError::Shape { name: name.to_owned(), reason: reason.to_string() }
}
