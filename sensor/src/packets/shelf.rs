//! The folder of all segments: which there are, how much room they take, and which goes when room is needed.
//!
//! `DATA/packets/NUMBER.pkt` is a segment, `NUMBER.idx` its index; numbers rise, so the lowest is the oldest. Segments
//! that are being written are never removed; those that are finished go, oldest first, when the quota would be passed, when
//! the disk has less free room than it must keep, or when their time is over. What was removed is counted.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

use super::block::{BLOCK_HEAD_BYTES, BlockHead, SEGMENT_HEAD_BYTES, SegmentHead};
use super::index::{Index, IndexFile};
use super::seal::{SALT_BYTES, SegmentKeys, StoreKey};
use super::settings::PacketSettings;

/// Of how many segments a full store consists, where their size allows: a look-up costs about the same for each.
const SEGMENTS: u64 = 1024;
/// The smallest size of a segment.
const SEGMENT_MIN_BYTES: u64 = 1 << 20;
/// The largest size of a segment.
const SEGMENT_MAX_BYTES: u64 = 1 << 30;
/// Segments that are being written take at most this part of the quota.
const OPEN_PART: u64 = 4;
/// How much the optional compression tries.
const COMPRESSION_LEVEL: i32 = 1;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How much may be kept, and how.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Room for all segments.
    pub quota_bytes: u64,
    /// A segment is finished at this size.
    pub segment_bytes: u64,
    /// A segment is removed when it was finished so long ago.
    pub age: Duration,
    /// What the disk must keep free.
    pub free_bytes: u64,
    /// How hard to compress, if at all.
    pub level: Option<i32>,
}

impl Limits {
    /// From the configuration, for so many capture threads.
    pub fn new(settings: &PacketSettings, lanes: usize) -> Limits {
        let quota_bytes = settings.quota_mb.saturating_mul(1 << 20);
        let largest = SEGMENT_MAX_BYTES.min(quota_bytes / (OPEN_PART * lanes.max(1) as u64));
        let segment_bytes = (quota_bytes / SEGMENTS).max(SEGMENT_MIN_BYTES).min(largest);
        Limits {
            quota_bytes,
            segment_bytes,
            age: DAY.saturating_mul(settings.keep_days),
            free_bytes: settings.free_mb.saturating_mul(1 << 20),
            level: settings.compress.then_some(COMPRESSION_LEVEL),
        }
    }
}

/// Why packets are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The disk has no room but what must stay free.
    DiskFull,
    /// The disk failed.
    DiskError,
    /// Nothing can be removed to stay within the quota.
    Quota,
}

/// What is on the shelf, and what was removed since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Segments on disk.
    pub segments: u64,
    /// Bytes on disk, indexes not counted.
    pub bytes: u64,
    /// Segments that were removed to make room or because of their age.
    pub removed_segments: u64,
    /// Their bytes.
    pub removed_bytes: u64,
}

struct Entry {
    bytes: u64,
    /// When it was finished; nothing while it is being written.
    finished: Option<SystemTime>,
}

#[derive(Default)]
struct State {
    segments: BTreeMap<u64, Entry>,
    usage: Usage,
    next: u64,
}

/// The shelf; capture threads' writers share it.
pub struct Shelf {
    root: PathBuf,
    key: StoreKey,
    limits: Limits,
    free: fn(&Path) -> io::Result<u64>,
    state: Mutex<State>,
}

/// A segment that was just begun.
pub struct Begun {
    /// Its number.
    pub number: u64,
    /// Its file; the head is written.
    pub file: File,
    /// Its keys.
    pub keys: SegmentKeys,
}

impl Shelf {
    /// Opens the shelf of a data folder, which is made if need be, and finishes what an earlier run left unfinished.
    pub fn open(data: &Path, key: StoreKey, limits: Limits) -> anyhow::Result<Shelf> {
        Shelf::open_on(data, key, limits, |path| fs4::available_space(path))
    }

    /// The same, with another way to ask how much room the disk has.
    pub fn open_on(
        data: &Path,
        key: StoreKey,
        limits: Limits,
        free: fn(&Path) -> io::Result<u64>,
    ) -> anyhow::Result<Shelf> {
        let root = data.join(super::FOLDER);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&root);
        made.with_context(|| format!("make the folder of the packets {}", root.display()))?;
        let mut state = State::default();
        for number in numbers(&root).with_context(|| format!("read {}", root.display()))? {
            state.next = state.next.max(number.saturating_add(1));
            let path = segment_path(&root, number);
            match finish_left_over(&root, number) {
                Ok(bytes) => {
                    let finished =
                        fs::metadata(&path).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                    state.add(number, Entry { bytes, finished: Some(finished) });
                }
                Err(error) => {
                    tracing::warn!(segment = %path.display(), %error, "a segment of packets cannot be used and is removed");
                    remove(&root, number);
                }
            }
        }
        Ok(Shelf { root, key, limits, free, state: Mutex::new(state) })
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The key.
    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// What is there.
    pub fn usage(&self) -> Usage {
        self.state().usage
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a segment.
    pub fn begin(&self) -> io::Result<Begun> {
        let number = {
            let mut state = self.state();
            let number = state.next;
            state.next += 1;
            number
        };
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
        let path = segment_path(&self.root, number);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let head = SegmentHead { number, salt, key_id: self.key.id() };
        let written = file.write_all_at(&head.encode(), 0).and_then(|()| self.key.segment(&salt, number));
        let keys = written.inspect_err(|_| drop(fs::remove_file(&path)))?;
        self.state().add(number, Entry { bytes: SEGMENT_HEAD_BYTES as u64, finished: None });
        Ok(Begun { number, file, keys })
    }

    /// Makes room for so many bytes more, by removing what is oldest.
    pub fn reserve(&self, bytes: u64) -> Result<(), Loss> {
        let mut state = self.state();
        while state.usage.bytes.saturating_add(bytes) > self.limits.quota_bytes {
            self.remove_oldest(&mut state).ok_or(Loss::Quota)?;
        }
        let wanted = self.limits.free_bytes.saturating_add(bytes);
        loop {
            let free = (self.free)(&self.root).map_err(|_| Loss::DiskError)?;
            if free >= wanted {
                return Ok(());
            }
            self.remove_oldest(&mut state).ok_or(Loss::DiskFull)?;
        }
    }

    /// A segment that is being written has grown.
    pub fn grew(&self, number: u64, bytes: u64) {
        let mut state = self.state();
        if let Some(entry) = state.segments.get_mut(&number) {
            entry.bytes += bytes;
            state.usage.bytes += bytes;
        }
    }

    /// A segment is finished: its index is written, and from now on it may be removed. An empty one goes at once.
    pub fn finish(&self, number: u64, index: &mut Index) {
        if index.blocks() == 0 {
            let mut state = self.state();
            state.take(number);
            remove(&self.root, number);
            return;
        }
        if let Err(error) = index.write(&index_path(&self.root, number), number) {
            // Look-ups read the segment itself where there is no index; the next start makes one.
            tracing::warn!(number, %error, "the index of a segment of packets could not be written");
        }
        if let Some(entry) = self.state().segments.get_mut(&number) {
            entry.finished = Some(SystemTime::now());
        }
    }

    /// Removes what is too old at a moment.
    pub fn expire(&self, now: SystemTime) {
        let mut state = self.state();
        let too_old = |entry: &Entry| {
            let age = entry.finished.and_then(|finished| now.duration_since(finished).ok());
            age.is_some_and(|age| age > self.limits.age)
        };
        while state.segments.values().find(|entry| entry.finished.is_some()).is_some_and(too_old) {
            if self.remove_oldest(&mut state).is_none() {
                return;
            }
        }
    }

    fn remove_oldest(&self, state: &mut State) -> Option<()> {
        let oldest = state.segments.iter().find(|(_, entry)| entry.finished.is_some()).map(|(number, _)| *number)?;
        let bytes = state.take(oldest);
        state.usage.removed_segments += 1;
        state.usage.removed_bytes += bytes;
        remove(&self.root, oldest);
        Some(())
    }
}

impl State {
    fn add(&mut self, number: u64, entry: Entry) {
        self.usage.segments += 1;
        self.usage.bytes += entry.bytes;
        self.segments.insert(number, entry);
    }

    fn take(&mut self, number: u64) -> u64 {
        let Some(entry) = self.segments.remove(&number) else { return 0 };
        self.usage.segments -= 1;
        self.usage.bytes -= entry.bytes;
        entry.bytes
    }
}

/// The file of a segment.
pub fn segment_path(root: &Path, number: u64) -> PathBuf {
    root.join(format!("{number:016x}.pkt"))
}

/// The file of its index.
pub fn index_path(root: &Path, number: u64) -> PathBuf {
    root.join(format!("{number:016x}.idx"))
}

/// The segments in a folder, oldest first.
pub fn numbers(root: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == "pkt");
        let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_segment);
        numbers.extend(stem.and_then(|stem| u64::from_str_radix(stem, 16).ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn remove(root: &Path, number: u64) {
    // What is gone already is as good as removed.
    let _ = fs::remove_file(index_path(root, number));
    let _ = fs::remove_file(segment_path(root, number));
}

/// Sees to it that a segment ends with a whole block and has an index; returns its length.
fn finish_left_over(root: &Path, number: u64) -> io::Result<u64> {
    let file = OpenOptions::new().read(true).write(true).open(segment_path(root, number))?;
    if IndexFile::open(&index_path(root, number)).is_ok_and(|index| index.number == number) {
        return Ok(file.metadata()?.len());
    }
    read_head(&file, number)?;
    let (mut index, length) = scan(&file)?;
    if index.blocks() == 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no whole block"));
    }
    file.set_len(length)?;
    index.write(&index_path(root, number), number)?;
    tracing::info!(number, blocks = index.blocks(), "a segment of packets that was left unfinished is finished");
    Ok(length)
}

/// The head of a segment's file.
pub fn read_head(file: &File, number: u64) -> io::Result<SegmentHead> {
    let mut head = [0; SEGMENT_HEAD_BYTES];
    file.read_exact_at(&mut head, 0)?;
    let head = SegmentHead::decode(&head).filter(|head| head.number == number);
    head.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it does not begin like a segment"))
}

/// The index of a segment from its blocks, up to the last whole one, and where that ends.
pub fn scan(file: &File) -> io::Result<(Index, u64)> {
    let length = file.metadata()?.len();
    let (mut index, mut at) = (Index::default(), SEGMENT_HEAD_BYTES as u64);
    let mut bytes = [0; BLOCK_HEAD_BYTES];
    while at + BLOCK_HEAD_BYTES as u64 <= length {
        file.read_exact_at(&mut bytes, at)?;
        let Some(head) = BlockHead::decode(&bytes).filter(|head| head.number as usize == index.blocks()) else { break };
        let end = at + (BLOCK_HEAD_BYTES + head.body_bytes()) as u64;
        if end > length {
            break;
        }
        let mut tags = vec![0; head.tags_bytes()];
        file.read_exact_at(&mut tags, at + BLOCK_HEAD_BYTES as u64)?;
        let Some(tags) = head.tags(&tags) else { break };
        index.add(&head, &tags, at);
        at = end;
    }
    Ok((index, at))
}
