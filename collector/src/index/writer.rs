//! The one who writes into the index.
//!
//! Comes in: the events of one journal record at a time, with the mark behind it ([`Writer::add`]). Goes out: committed
//! documents. Each partition remembers the last record that it has in its commit, so a replay from any mark adds every
//! record where it is missing and nowhere else. At most [`WRITERS_MAX`] partitions are open for writing; the one used
//! longest ago is committed and closed for another. [`Filing`] keeps the number of days small whatever times events have.
//! When a disk is full the commit fails, the batch is kept out of the index, and the caller tries again later: the
//! writer is thrown away and the journal replayed from the last mark.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use luytre_events::Event;
use tantivy::{IndexWriter, TantivyDocument};

use super::filing::{DAY_NS, Filing};
use super::{IndexSettings, LIVE, Mapping, Mark, Partition, PartitionError, Store};

/// Most partitions open for writing: each costs an arena and a few threads.
const WRITERS_MAX: usize = 3;

/// Why events could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The partition cannot be used.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// The engine refused a document or a commit.
    #[error("write to partition {name}; check the room on the disk")]
    Engine {
        /// The partition.
        name: String,
        /// The cause.
        #[source]
        source: tantivy::TantivyError,
    },
    /// `position.json` could not be written.
    #[error("record the index's position; check the room on the disk")]
    Position(#[source] std::io::Error),
}

struct OpenPartition {
    partition: Arc<Partition>,
    writer: IndexWriter<TantivyDocument>,
    /// Has documents that are not committed.
    is_dirty: bool,
    /// What the last commit before this program's start had reached.
    has_until: Option<Mark>,
    last_used: u64,
}

/// Makes an event's document.
type MakeDocument = fn(&Mapping, &Event) -> TantivyDocument;

/// Writes one data set.
pub struct Writer {
    make: MakeDocument,
    store: Arc<Store>,
    set: String,
    memory_bytes: usize,
    keep_days: u32,
    /// Whether records may come again that a partition has already.
    replayed: bool,
    open: HashMap<String, OpenPartition>,
    /// The mark behind the last batch.
    mark: Mark,
    batches: u64,
    waiting_events: u64,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("set", &self.set).field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer of a set.
    pub fn new(store: Arc<Store>, set: &str, settings: &IndexSettings) -> Writer {
        Writer {
            make: Mapping::document,
            mark: stored_position(&position_path(&store, set)).unwrap_or_default(),
            memory_bytes: settings.memory_mb.max(15) * 1_000_000,
            keep_days: settings.keep_days,
            replayed: true,
            store,
            set: set.to_owned(),
            open: HashMap::new(),
            batches: 0,
            waiting_events: 0,
        }
    }

    /// A writer of a set that no journal can be replayed into: every record that comes is added.
    pub fn named(store: Arc<Store>, set: &str, settings: &IndexSettings) -> Writer {
        Writer { replayed: false, ..Writer::new(store, set, settings) }
    }

    /// A writer of the live set.
    pub fn live(store: Arc<Store>, settings: &IndexSettings) -> Writer {
        Writer::new(store, LIVE, settings)
    }

    /// The mark from which the journal must be read.
    pub fn resume_from(&self) -> Mark {
        self.mark
    }

    /// Events added since the last commit.
    pub fn waiting_events(&self) -> u64 {
        self.waiting_events
    }

    /// Adds the events of one journal record, which was received at `received_ns` and ends at `mark`; they become visible
    /// and durable with the next [`Writer::commit`]. Answers how many of them cannot be indexed at all.
    pub fn add(&mut self, events: &[Event], received_ns: i64, mark: Mark) -> Result<u64, WriteError> {
        let (make, mut lost) = (self.make, 0);
        self.batches += 1;
        // Day by day, so that a partition that must be closed for another has its whole part of the record or none.
        let mut filing = Filing::new(received_ns, self.keep_days);
        let mut days: BTreeMap<i64, Vec<&Event>> = BTreeMap::new();
        for event in events {
            days.entry(filing.day(event.time_ns, &self.store.filed)).or_default().push(event);
        }
        for (day, events) in days {
            let open = self.open_day(&day_name(day), mark)?;
            // This partition had the record before a restart; others of the same record had not.
            if open.has_until.is_some_and(|until| until >= mark) {
                continue;
            }
            open.is_dirty = true;
            for event in events {
                let mapping = &open.partition.mapping;
                // One event that cannot be indexed must not keep all that come after it out of the index.
                let Ok(document) = std::panic::catch_unwind(AssertUnwindSafe(|| make(mapping, event))) else {
                    lost += 1;
                    continue;
                };
                let name = &open.partition.name;
                open.writer
                    .add_document(document)
                    .map_err(|source| WriteError::Engine { name: name.clone(), source })?;
            }
        }
        self.waiting_events += events.len() as u64;
        self.mark = mark;
        Ok(lost)
    }

    /// Makes everything added durable and visible. Does nothing when nothing was added.
    pub fn commit(&mut self) -> Result<(), WriteError> {
        let mark = self.mark;
        for open in self.open.values_mut().filter(|open| open.is_dirty) {
            commit_one(open, mark)?;
        }
        if self.replayed {
            save_position(&position_path(&self.store, &self.set), mark).map_err(WriteError::Position)?;
        }
        self.waiting_events = 0;
        Ok(())
    }

    fn open_day(&mut self, day: &str, mark: Mark) -> Result<&mut OpenPartition, WriteError> {
        if !self.open.contains_key(day) {
            self.make_room(mark)?;
        }
        let last_used = self.batches;
        let open = match self.open.entry(day.to_owned()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let partition = self.store.writable(&self.set, day)?;
                let writer = partition.writer(self.memory_bytes)?;
                let has_until = if self.replayed { partition.mark()? } else { None };
                entry.insert(OpenPartition { partition, writer, is_dirty: false, has_until, last_used })
            }
        };
        open.last_used = last_used;
        Ok(open)
    }

    /// Closes the partition used longest ago when too many are open. What it has is complete up to the running batch's
    /// mark when the batch has been there already, else up to the mark before.
    fn make_room(&mut self, running: Mark) -> Result<(), WriteError> {
        while self.open.len() >= WRITERS_MAX {
            let Some(day) = self.open.iter().min_by_key(|(_, o)| o.last_used).map(|(day, _)| day.clone()) else {
                break;
            };
            let Some(mut open) = self.open.remove(&day) else { break };
            if open.is_dirty {
                let mark = if open.last_used == self.batches { running } else { self.mark };
                commit_one(&mut open, mark)?;
            }
        }
        Ok(())
    }
}

fn commit_one(open: &mut OpenPartition, mark: Mark) -> Result<(), WriteError> {
    let failed = |name: &str, source| WriteError::Engine { name: name.to_owned(), source };
    let payload = serde_json::to_string(&mark).unwrap_or_default();
    let mut prepared = open.writer.prepare_commit().map_err(|e| failed(&open.partition.name, e))?;
    prepared.set_payload(&payload);
    prepared.commit().map_err(|e| failed(&open.partition.name, e))?;
    open.is_dirty = false;
    open.partition.reload()?;
    Ok(())
}

fn position_path(store: &Store, set: &str) -> PathBuf {
    store.root.join(format!("{set}.position.json"))
}

fn stored_position(path: &std::path::Path) -> Option<Mark> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn save_position(path: &std::path::Path, mark: Mark) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, serde_json::to_vec(&mark)?)?;
    std::fs::rename(&temporary, path)
}

/// `2026-11-22`.
fn day_name(day: i64) -> String {
    luytre_events::json::time_text(day.saturating_mul(DAY_NS)).split('T').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use luytre_events::{DatasetId, EventId};

    use super::*;

    #[test]
    fn an_event_that_cannot_be_indexed_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let settings = IndexSettings { memory_mb: 15, ..IndexSettings::default() };
        let mut writer = Writer::live(store.clone(), &settings);
        writer.make = |mapping, event| {
            assert!(event.id.sequence != 3, "this one cannot be indexed");
            mapping.document(event)
        };
        let event = |sequence| Event {
            id: EventId { sensor: "dc".into(), sequence },
            time_ns: 0,
            dataset: DatasetId(0),
            flow: None,
            fields: Vec::new(),
        };
        let events: Vec<Event> = (1..=5).map(event).collect();
        assert_eq!(writer.add(&events, 0, Mark { segment: 1, offset: 1 }).unwrap(), 1);
        writer.commit().unwrap();
        assert_eq!(store.events(), 4);
    }
}
