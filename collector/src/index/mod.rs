//! The index: every event searchable within a second or two, in partitions of one UTC day.
//!
//! Comes in: enriched events with the journal mark they end at ([`Writer`]). Goes out: partitions to search ([`Store`]).
//! On overload the pipeline's queue fills and the journal holds what the index has not reached. On restart the writer
//! resumes from [`Writer::resume_from`]: `position.json` names the mark up to which every partition is committed, and
//! each partition's own commit names the mark it has reached, so a record that some partitions already have is added only
//! to the others. A damaged partition is moved to `damaged/`, reported, and the others go on.

pub mod filing;
pub mod mapping;
pub mod partition;
pub mod rollup;
pub mod words;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub use filing::FilingCounts;
pub use mapping::{Column, Mapping};
pub use partition::{Mark, Partition, PartitionError};
pub use writer::{WriteError, Writer};

use crate::room::Room;

/// The data set of live events.
pub const LIVE: &str = "live";

/// How the index may grow and work.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IndexSettings {
    /// Days for which events are kept; a partition goes when its last event and its last write are both older.
    pub keep_days: u32,
    /// Bytes that all partitions together may take; the oldest go first. 0 means no limit.
    pub keep_bytes: u64,
    /// Memory of the writer of one partition, in MB; at most three are open.
    pub memory_mb: usize,
    /// Events wait at most this long before they can be found, in milliseconds.
    pub commit_ms: u64,
    /// A commit is made when this many events wait.
    pub commit_events: u64,
}

impl Default for IndexSettings {
    fn default() -> Self {
        IndexSettings { keep_days: 180, keep_bytes: 0, memory_mb: 40, commit_ms: 1000, commit_events: 20_000 }
    }
}

/// All partitions of all data sets.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    sets: RwLock<BTreeMap<String, BTreeMap<String, Arc<Partition>>>>,
    problems: Mutex<Vec<String>>,
    /// Events that were filed under the day received.
    pub filed: FilingCounts,
    /// The room of its folder.
    pub room: Room,
}

impl Store {
    /// Opens every partition below `root`, setting aside those that cannot be opened.
    pub fn open(root: &Path) -> std::io::Result<Arc<Store>> {
        std::fs::create_dir_all(root.join(LIVE))?;
        let store = Store {
            root: root.to_owned(),
            sets: RwLock::default(),
            problems: Mutex::default(),
            filed: FilingCounts::default(),
            room: Room::default(),
        };
        for set in directories(root)?.iter().filter(|name| name.as_str() != "damaged") {
            let mut partitions = BTreeMap::new();
            for name in directories(&root.join(set))? {
                let path = root.join(set).join(&name);
                // A directory without a meta file was being made when the program died: nothing is in it.
                if !path.join("meta.json").exists() {
                    std::fs::remove_dir_all(&path)?;
                    continue;
                }
                match std::panic::catch_unwind(|| Partition::open(&path, &name)) {
                    Ok(Ok(partition)) => {
                        partitions.insert(name, partition);
                    }
                    Ok(Err(error)) => store.move_aside(set, &name, &error.to_string()),
                    Err(_) => store.move_aside(set, &name, "its files are damaged"),
                }
            }
            write(&store.sets).insert(set.clone(), partitions);
        }
        Ok(Arc::new(store))
    }

    /// The partitions of a set, oldest first; nothing when there is no such set.
    pub fn partitions(&self, set: &str) -> Option<Vec<Arc<Partition>>> {
        let sets = read(&self.sets);
        Some(sets.get(set)?.values().cloned().collect())
    }

    /// Number of live events that can be found.
    pub fn events(&self) -> u64 {
        self.size_of(LIVE).0
    }

    /// Events and bytes of a set.
    pub fn size_of(&self, set: &str) -> (u64, u64) {
        let sets = read(&self.sets);
        let partitions = || sets.get(set).into_iter().flat_map(|set| set.values());
        (partitions().map(|p| p.events()).sum(), partitions().map(|p| p.size_bytes()).sum())
    }

    /// Names of all sets.
    pub fn sets(&self) -> Vec<String> {
        read(&self.sets).keys().cloned().collect()
    }

    /// The highest number of an event in a set.
    pub fn last_sequence(&self, set: &str) -> Option<u64> {
        self.partitions(set)?.iter().filter_map(|partition| partition.last_sequence()).max()
    }

    /// Takes events out of a set again: those with this number or a higher one. Nobody may be writing into it.
    pub fn forget_from(&self, set: &str, sequence: u64) -> Result<(), PartitionError> {
        for partition in self.partitions(set).unwrap_or_default() {
            partition.forget_from(sequence)?;
        }
        Ok(())
    }

    /// Removes a set; false if there was none. Nobody may be writing into it.
    pub fn remove_set(&self, set: &str) -> std::io::Result<bool> {
        let removed = write(&self.sets).remove(set);
        if removed.is_some() {
            std::fs::remove_dir_all(self.root.join(set))?;
        }
        Ok(removed.is_some())
    }

    /// Bytes on disk.
    pub fn size_bytes(&self) -> u64 {
        read(&self.sets).values().flat_map(|set| set.values()).map(|p| p.size_bytes()).sum()
    }

    /// What is wrong with the index, for people.
    pub fn problems(&self) -> Vec<String> {
        lock(&self.problems).clone()
    }

    /// The partition to write a day's events into: an existing one of the current catalogue, or a new one.
    fn writable(&self, set: &str, day: &str) -> Result<Arc<Partition>, PartitionError> {
        let existing: Vec<Arc<Partition>> = {
            let sets = read(&self.sets);
            sets.get(set)
                .into_iter()
                .flatten()
                .filter(|(name, _)| name.starts_with(day))
                .map(|(_, p)| p.clone())
                .collect()
        };
        if let Some(partition) = existing.iter().rev().find(|p| !p.is_damaged() && p.is_current()) {
            return Ok(partition.clone());
        }
        let name = (0..)
            .map(|n| if n == 0 { day.to_owned() } else { format!("{day}.{n}") })
            .find(|name| !self.root.join(set).join(name).exists())
            .unwrap_or_else(|| day.to_owned());
        let partition = Partition::create(&self.root.join(set).join(&name), &name)?;
        write(&self.sets).entry(set.to_owned()).or_default().insert(name, partition.clone());
        Ok(partition)
    }

    /// Compares every partition with its checksums and sets the damaged ones aside. Reads all files: run it aside.
    pub fn verify(&self) {
        let all: Vec<(String, Arc<Partition>)> = {
            let sets = read(&self.sets);
            sets.iter().flat_map(|(set, ps)| ps.values().map(move |p| (set.clone(), p.clone()))).collect()
        };
        for (set, partition) in all {
            let verified = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| partition.verify()));
            let reason = match verified {
                Ok(Ok(damaged)) if damaged.is_empty() => continue,
                Ok(Ok(damaged)) => format!("{} of its files are damaged", damaged.len()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "its files are damaged".to_owned(),
            };
            self.set_aside(&set, &partition, &reason);
        }
    }

    /// Takes a partition that cannot be read out of service. Its files go to `damaged/`.
    pub fn set_aside(&self, set: &str, partition: &Partition, reason: &str) {
        partition.mark_damaged();
        let removed = write(&self.sets).get_mut(set).and_then(|partitions| partitions.remove(&partition.name));
        if removed.is_some() {
            self.move_aside(set, &partition.name, reason);
        }
    }

    fn move_aside(&self, set: &str, name: &str, reason: &str) {
        let aside = self.root.join("damaged");
        let target = (0..)
            .map(|n| aside.join(format!("{set}-{name}-{n}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| aside.join(name));
        let moved =
            std::fs::create_dir_all(&aside).and_then(|()| std::fs::rename(self.root.join(set).join(name), &target));
        let problem = match moved {
            Ok(()) => {
                format!("events of {name} ({set}) cannot be searched: {reason}; set aside in {}", target.display())
            }
            Err(error) => {
                format!("events of {name} ({set}) cannot be searched: {reason}; setting aside failed: {error}")
            }
        };
        tracing::error!(set, partition = name, reason, "set a damaged partition aside");
        lock(&self.problems).push(problem);
    }

    /// Removes partitions that are older or more than the settings allow; answers how many went.
    pub fn retire(&self, settings: &IndexSettings, now_ns: i64) -> usize {
        let keep_ns = i64::from(settings.keep_days).saturating_mul(86_400_000_000_000);
        let mut by_age: Vec<(i64, String, Arc<Partition>)> = {
            let sets = read(&self.sets);
            sets.iter()
                .flat_map(|(set, partitions)| partitions.values().map(move |p| (set, p)))
                .map(|(set, p)| (last_ns(p), set.clone(), p.clone()))
                .collect()
        };
        by_age.sort_by_key(|(last_ns, ..)| *last_ns);
        let mut size_bytes: u64 = by_age.iter().map(|(.., p)| p.size_bytes()).sum();
        // The newest partition is being written and always stays.
        by_age.pop();
        let mut gone = 0;
        for (last_ns, set, partition) in by_age {
            let too_old = now_ns.saturating_sub(last_ns) > keep_ns;
            let too_much = settings.keep_bytes > 0 && size_bytes > settings.keep_bytes;
            if !too_old && !too_much {
                break;
            }
            size_bytes = size_bytes.saturating_sub(partition.size_bytes());
            write(&self.sets).get_mut(&set).map(|partitions| partitions.remove(&partition.name));
            match std::fs::remove_dir_all(&partition.path) {
                Ok(()) => gone += 1,
                Err(error) => tracing::warn!(partition = partition.name, %error, "remove an outlived partition"),
            }
        }
        gone
    }
}

/// When a partition's last event happened or was written. Events filed here that claim to be of a later day do not keep
/// it for longer.
fn last_ns(partition: &Partition) -> i64 {
    let end_ns = filing::day_of(&partition.name).map_or(i64::MAX, |day| (day + 1).saturating_mul(filing::DAY_NS));
    partition.max_ns().min(end_ns).max(written_ns(&partition.path))
}

/// When a partition was last committed.
fn written_ns(path: &Path) -> i64 {
    std::fs::metadata(path.join("meta.json"))
        .and_then(|meta| meta.modified())
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .unwrap_or(i64::MIN)
}

fn directories(path: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A poisoned lock means that a reader panicked over a damaged file; the table itself is only ever swapped whole.
fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
