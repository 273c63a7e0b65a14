//! Data sets apart from the live one: what is imported into them, once and whole.
//!
//! Comes in: events of one file at a time ([`Sets::begin`], [`Sets::add`], [`Sets::finish`]). Goes out: partitions in the
//! index under the set's name, and a list of the files in it (`imports/NAME.json`). All events of a file can be found, and
//! outlive any failure, when its import is finished; of one that broke off, or whose program died, what there is is taken
//! out again before the next one begins. A file that is in the set already (by its SHA-256) is not taken twice. One import
//! at a time runs in a set.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use luytre_collector_api::{DataSet, Import, ImportedFile};
use luytre_events::text::{ReadEvent, read_event};
use luytre_events::{Catalogue, Event, EventId, FieldId, Value};
use serde_json::Value as Json;

use crate::enrich::SharedAgencies;
use crate::fleet::store as files;
use crate::index::{IndexSettings, LIVE, Mark, Store, WriteError, Writer};
use crate::room::Room;

/// An import of which nothing was heard for so long has broken off.
const SILENT_MAX: Duration = Duration::from_secs(60);
/// The longest name of a set.
const NAME_MAX: usize = 64;
/// Of events that could not be taken in, so many are told with their reason.
const TOLD_MAX: usize = 5;

/// Why something could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The name will not do.
    #[error("a data set's name is 1 to 64 small letters, digits, - and _, begins with a letter, and is not {0:?}")]
    Name(String),
    /// No such set.
    #[error("there is no data set called {0:?}")]
    Set(String),
    /// Another import goes on.
    #[error("another import into {0} is under way; try again when it is done")]
    Busy(String),
    /// The file is in the set.
    #[error("{file} is in {set} already, as {known}; nothing was imported")]
    Again {
        /// The file.
        file: String,
        /// The set.
        set: String,
        /// What it was called then.
        known: String,
    },
    /// No such import goes on (any more).
    #[error("this import into {0} is not under way; it may have been silent for too long: begin again")]
    Gone(String),
    /// The index refused.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The list could not be read or written.
    #[error("keep the list of imports {}; check the room on the disk", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// What became of some lines.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Tally {
    events: u64,
    refused: u64,
    told: Vec<String>,
    left_out: u64,
}

/// An import under way.
struct Open {
    number: u64,
    file: ImportedFile,
    writer: Writer,
    next_sequence: u64,
    tally: Tally,
    heard: Instant,
}

/// The files of one set, as written down.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct List {
    files: Vec<ImportedFile>,
    /// An import that was begun: its events have this number and higher ones.
    begun: Option<u64>,
    next_sequence: u64,
    imports: u64,
}

/// All data sets but the live one; cheap to clone.
#[derive(Clone)]
pub struct Sets(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    store: Arc<Store>,
    settings: IndexSettings,
    agencies: SharedAgencies,
    open: Mutex<HashMap<String, Open>>,
    file_path: Option<FieldId>,
    room: Room,
}

impl Sets {
    /// For the lists in `dir`.
    pub fn new(dir: &Path, store: Arc<Store>, settings: IndexSettings, agencies: SharedAgencies) -> Sets {
        // What is imported is kept for as long as it is wanted, whatever its time: the index files it under its own day.
        let settings = IndexSettings { keep_days: u32::MAX, ..settings };
        let file_path = Catalogue::current().field_id("log.file.path");
        let (dir, open, room) = (dir.to_owned(), Mutex::default(), Room::default());
        Sets(Arc::new(Inner { dir, store, settings, agencies, open, file_path, room }))
    }

    /// The room of the lists' folder.
    pub fn room(&self) -> &Room {
        &self.0.room
    }

    /// Begins to import a file of which this is the SHA-256; answers the import's number.
    pub fn begin(&self, set: &str, file: &str, sha256: &str) -> Result<u64, ImportError> {
        checked_name(set)?;
        let mut open = self.lock();
        if let Some(running) = open.get(set)
            && running.heard.elapsed() < SILENT_MAX
        {
            return Err(ImportError::Busy(set.to_owned()));
        }
        open.remove(set);
        let mut list = self.list(set)?;
        if let Some(first) = list.begun {
            self.0.store.forget_from(set, first).map_err(WriteError::from)?;
            list.begun = None;
        }
        if let Some(known) = list.files.iter().find(|known| known.sha256 == sha256) {
            let (file, set) = (file.to_owned(), set.to_owned());
            return Err(ImportError::Again { file, set, known: known.name.clone() });
        }
        list.imports += 1;
        // A program that died may have written any number of events.
        list.next_sequence = list.next_sequence.max(self.0.store.last_sequence(set).map_or(0, |last| last + 1)).max(1);
        list.begun = Some(list.next_sequence);
        self.write(set, &list)?;
        let name = file.chars().filter(|c| !c.is_control()).take(256).collect();
        let file = ImportedFile { name, sha256: sha256.to_owned(), ..ImportedFile::default() };
        open.insert(
            set.to_owned(),
            Open {
                number: list.imports,
                file,
                writer: Writer::named(self.0.store.clone(), set, &self.0.settings),
                next_sequence: list.next_sequence,
                tally: Tally::default(),
                heard: Instant::now(),
            },
        );
        Ok(list.imports)
    }

    /// Takes in events in their text form; answers how many so far.
    pub fn add(&self, set: &str, number: u64, events: &[Json]) -> Result<u64, ImportError> {
        let mut open = self.lock();
        let running = running(&mut open, set, number)?;
        running.heard = Instant::now();
        let agencies = self.0.agencies.get();
        let sensor: Arc<str> = format!("{IMPORTED}{set}").into();
        let mut read = Vec::with_capacity(events.len());
        let now_ns = crate::clock::now_ns();
        for json in events {
            let id = EventId { sensor: sensor.clone(), sequence: running.next_sequence };
            match read_event(json, id, now_ns) {
                Ok(ReadEvent { mut event, left_out }) => {
                    running.next_sequence += 1;
                    running.tally.left_out += left_out.len() as u64;
                    self.complete(&mut event, &running.file.name);
                    agencies.add_to(&mut event);
                    read.push(event);
                }
                Err(error) => {
                    running.tally.refused += 1;
                    if running.tally.told.len() < TOLD_MAX {
                        running.tally.told.push(error.to_string());
                    }
                }
            }
        }
        let mark = Mark { segment: number, offset: running.next_sequence };
        let added = running.writer.add(&read, now_ns, mark);
        // What is in by half must not be finished: the next import takes it out.
        let lost = added.inspect_err(|_| self.broke_off(&mut open, set))?;
        let running = self::running(&mut open, set, number)?;
        running.tally.events += read.len() as u64 - lost;
        running.tally.refused += lost;
        Ok(running.tally.events)
    }

    fn complete(&self, event: &mut Event, file: &str) {
        let Some(id) = self.0.file_path else { return };
        if !event.fields.iter().any(|(field, _)| *field == id) {
            event.fields.push((id, Value::Str(file.into())));
        }
    }

    /// Makes what was taken in durable and visible.
    pub fn finish(&self, set: &str, number: u64) -> Result<Import, ImportError> {
        let mut open = self.lock();
        let running = running(&mut open, set, number)?;
        let committed = running.writer.commit();
        committed.inspect_err(|_| self.broke_off(&mut open, set))?;
        let running = self::running(&mut open, set, number)?;
        let mut list = self.list(set)?;
        running.file.events = running.tally.events;
        running.file.imported = luytre_events::json::time_text(crate::clock::now_ns());
        list.files.push(running.file.clone());
        list.begun = None;
        list.next_sequence = running.next_sequence;
        self.write(set, &list)?;
        let Tally { events, refused, told, left_out } = running.tally.clone();
        open.remove(set);
        Ok(Import { events, refused, reasons: told, left_out })
    }

    /// Every set with its files.
    pub fn all(&self) -> Result<Vec<DataSet>, ImportError> {
        let mut sets = Vec::new();
        for name in self.0.store.sets().into_iter().filter(|name| name != LIVE) {
            let list = self.list(&name)?;
            let (events, bytes) = self.0.store.size_of(&name);
            sets.push(DataSet { name, events, bytes, files: list.files });
        }
        Ok(sets)
    }

    /// Removes a set with all its events.
    pub fn remove(&self, set: &str) -> Result<(), ImportError> {
        checked_name(set)?;
        let mut open = self.lock();
        if open.get(set).is_some_and(|running| running.heard.elapsed() < SILENT_MAX) {
            return Err(ImportError::Busy(set.to_owned()));
        }
        open.remove(set);
        let path = self.path(set);
        let failed = |source| ImportError::List { path: path.clone(), source };
        if !self.0.store.remove_set(set).map_err(failed)? {
            return Err(ImportError::Set(set.to_owned()));
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    fn path(&self, set: &str) -> PathBuf {
        self.0.dir.join(format!("{set}.json"))
    }

    fn list(&self, set: &str) -> Result<List, ImportError> {
        let path = self.path(set);
        let failed = |source| ImportError::List { path: path.clone(), source };
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| failed(error.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(List::default()),
            Err(error) => Err(failed(error)),
        }
    }

    fn write(&self, set: &str, list: &List) -> Result<(), ImportError> {
        let path = self.path(set);
        let text = serde_json::to_vec(list).map_err(std::io::Error::from);
        let written = self.0.room.note(text.and_then(|text| files::replace(&path, &text)));
        written.map_err(|source| ImportError::List { path, source })
    }

    fn broke_off(&self, open: &mut HashMap<String, Open>, set: &str) {
        open.remove(set);
        // The engine's errors do not say whether it was for want of room.
        self.0.store.room.look();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the ids of imported events begin with, before the set's name.
pub const IMPORTED: &str = "import:";

fn running<'o>(open: &'o mut HashMap<String, Open>, set: &str, number: u64) -> Result<&'o mut Open, ImportError> {
    open.get_mut(set).filter(|open| open.number == number).ok_or_else(|| ImportError::Gone(set.to_owned()))
}

/// Names become folders.
fn checked_name(set: &str) -> Result<(), ImportError> {
    let begins = set.starts_with(|c: char| c.is_ascii_lowercase());
    let plain = set.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
    match begins && plain && set.len() <= NAME_MAX && ![LIVE, "damaged"].contains(&set) {
        true => Ok(()),
        false => Err(ImportError::Name(set.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(n: u32) -> Json {
        // Another day each, so that more partitions are touched than can be open.
        let time = format!("2019-01-{:02}T00:00:00Z", n % 28 + 1);
        json!({"@timestamp": time, "event.dataset": "dns", "dns.question.name": format!("n{n}.example")})
    }

    fn sets(folder: &Path) -> (Sets, Arc<Store>) {
        let store = Store::open(&folder.join("index")).unwrap();
        let settings = IndexSettings { memory_mb: 15, ..IndexSettings::default() };
        (Sets::new(&folder.join("imports"), store.clone(), settings, SharedAgencies::default()), store)
    }

    #[test]
    fn an_import_that_died_is_taken_out_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        {
            let (sets, _) = sets(folder.path());
            let whole = sets.begin("old", "whole.json", "aa").unwrap();
            sets.add("old", whole, &(0..10).map(event).collect::<Vec<_>>()).unwrap();
            assert_eq!(sets.finish("old", whole).unwrap().events, 10);
            let dies = sets.begin("old", "dies.json", "bb").unwrap();
            // Far more days than are open at a time: some of it is committed already.
            sets.add("old", dies, &(0..28).map(event).collect::<Vec<_>>()).unwrap();
        }
        let (sets, store) = sets(folder.path());
        assert!(store.size_of("old").0 > 10, "the test needs a part that is committed");
        let again = sets.begin("old", "dies.json", "bb").unwrap();
        assert_eq!(store.size_of("old").0, 10);
        sets.add("old", again, &(0..28).map(event).collect::<Vec<_>>()).unwrap();
        sets.finish("old", again).unwrap();
        assert_eq!(store.size_of("old").0, 38);
        let names: Vec<String> = sets.all().unwrap().remove(0).files.into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["whole.json", "dies.json"]);
    }

    #[test]
    fn one_import_at_a_time_and_each_file_once() {
        let folder = tempfile::tempdir().unwrap();
        let (sets, _) = sets(folder.path());
        let first = sets.begin("old", "a.json", "aa").unwrap();
        assert!(matches!(sets.begin("old", "b.json", "bb"), Err(ImportError::Busy(_))));
        assert!(matches!(sets.remove("old"), Err(ImportError::Busy(_))));
        assert!(matches!(sets.add("old", first + 1, &[]), Err(ImportError::Gone(_))));
        sets.begin("other", "b.json", "bb").unwrap();
        sets.finish("old", first).unwrap();
        assert!(
            matches!(sets.begin("old", "c.json", "aa"), Err(ImportError::Again { known, .. }) if known == "a.json")
        );
        assert!(matches!(sets.finish("old", first), Err(ImportError::Gone(_))));
    }

    #[test]
    fn events_that_cannot_be_are_counted_with_reasons() {
        let folder = tempfile::tempdir().unwrap();
        let (sets, _) = sets(folder.path());
        let number = sets.begin("old", "a.json", "aa").unwrap();
        let wrong = json!({"event.dataset": "weather"});
        let odd = json!({"event.dataset": "dns", "tree.height": 3});
        sets.add("old", number, &[wrong, event(1), odd]).unwrap();
        let told = sets.finish("old", number).unwrap();
        assert_eq!((told.events, told.refused, told.left_out), (2, 1, 1));
        assert_eq!(told.reasons, ["no sensor makes the dataset \"weather\""]);
    }
}
