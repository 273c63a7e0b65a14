//! The store of evidence: contents under their SHA-256, who holds them and why, and a log of everything that was done.
//!
//! Comes in: files to keep ([`Store::add`]), holds, reads. Goes out: contents, each read written down first.
//!
//! ```text
//! DIR/objects/ab/SHA256    the content, readable by its owner only
//! DIR/items/SHA256.json    what it is, since when, who holds it
//! DIR/log.jsonl            a line for everything that was done, each with the digest of the one before
//! ```
//!
//! What nobody holds goes when it is older than `keep_days`, the oldest first when the store is full; what is held never
//! goes by itself. When held items alone fill the store, nothing more is taken and the error says so. A file is there whole
//! or not at all: written beside, synced, renamed; its item follows. A crash in between leaves an object without an item,
//! which the next start removes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use luytre_collector_api::{EvidenceAnswer, EvidenceItem, EvidenceKind, EvidenceLogLine, Hold};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::log::Log;
use crate::fleet::store as files;
use crate::room::{Room, is_full};

/// How much evidence is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceSettings {
    /// What nobody holds is kept for so many days.
    pub keep_days: u32,
    /// All evidence together takes at most this much.
    pub keep_bytes: u64,
    /// Packets of one bundle, in megabytes.
    pub packets_mb: u32,
}

impl Default for EvidenceSettings {
    fn default() -> Self {
        EvidenceSettings { keep_days: 365, keep_bytes: 20 << 30, packets_mb: 256 }
    }
}

/// What is attempted when somebody's deed is written down.
const LOG: &str = "write the evidence log";
/// What is attempted when a draft grows.
const WRITE: &str = "write a piece of evidence";
/// The most holds of one item.
const HOLDS_MAX: usize = 64;

/// Why the store refuses.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// No such item.
    #[error("no evidence is called {0}; `luytre-collector evidence list` names what there is")]
    Unknown(String),
    /// Full of what is held.
    #[error(
        "the evidence store is full: {held} of {most} bytes are held; release what is no longer needed, or raise \
         [evidence] keep_bytes"
    )]
    Full {
        /// Bytes that are held.
        held: u64,
        /// The limit.
        most: u64,
    },
    /// Too many holds.
    #[error("{0} is held {HOLDS_MAX} times already; release one first")]
    Holds(String),
    /// A content that is no longer what its name says.
    #[error("the content of {0} has changed on the disk: its SHA-256 is another; it is not given out")]
    Changed(String),
    /// There is no room on the disk.
    #[error(
        "{what}: the disk of {dir} is full; free some space on it, or lower [evidence] keep_bytes so that what nobody \
         holds goes in time; then ask again"
    )]
    NoRoom {
        /// What was attempted.
        what: String,
        /// The store's directory.
        dir: String,
    },
    /// The disk failed.
    #[error("{what}; check the disk")]
    Disk {
        /// What was attempted.
        what: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// What the disk said, for whoever asked; the room hears of it too.
fn kept<T>(done: io::Result<T>, place: &Place, what: &str) -> Result<T, EvidenceError> {
    place.room.note(done).map_err(|source| match is_full(&source) {
        true => EvidenceError::NoRoom { what: what.to_owned(), dir: place.dir.display().to_string() },
        false => EvidenceError::Disk { what: what.to_owned(), source },
    })
}

/// Where the store is.
#[derive(Debug, Clone)]
struct Place {
    dir: PathBuf,
    room: Room,
}

/// An item as written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    item: EvidenceItem,
    /// Opens the files of a bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// The store; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    place: Place,
    settings: EvidenceSettings,
    state: Mutex<State>,
    removed: AtomicU64,
    number: AtomicU64,
}

struct State {
    items: BTreeMap<String, Kept>,
    log: Log,
}

/// What is new about something that is added.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What it is.
    pub kind: EvidenceKind,
    /// What it is called.
    pub name: String,
    /// The alert it belongs to.
    pub alert: Option<String>,
    /// Who wants it kept, and why.
    pub hold: Hold,
    /// Opens the files of a bundle.
    pub password: Option<String>,
}

/// Something that may be read.
#[derive(Debug)]
pub struct Opened {
    /// What it is.
    pub item: EvidenceItem,
    /// Its content.
    pub content: File,
    /// Opens the files of a bundle.
    pub password: Option<String>,
}

impl Store {
    /// Opens or makes the store in `dir`.
    pub fn open(dir: &Path, settings: EvidenceSettings) -> Result<Store, EvidenceError> {
        let failed = |source| EvidenceError::Disk { what: format!("open the evidence in {}", dir.display()), source };
        for folder in ["objects", "items", "new"] {
            files::make_folder(&dir.join(folder)).map_err(failed)?;
        }
        let mut items = BTreeMap::new();
        // Damaged items count: what they are about may be held.
        let mut known = BTreeSet::new();
        for entry in std::fs::read_dir(dir.join("items")).map_err(failed)?.flatten() {
            known.extend(entry.path().file_stem().map(ToOwned::to_owned));
            let text = std::fs::read(entry.path()).map_err(failed)?;
            match serde_json::from_slice::<Kept>(&text) {
                Ok(kept) => drop(items.insert(kept.item.id.clone(), kept)),
                Err(error) => {
                    tracing::error!(path = %entry.path().display(), %error, "an item of the evidence is damaged")
                }
            }
        }
        for unfinished in std::fs::read_dir(dir.join("new")).map_err(failed)?.flatten() {
            std::fs::remove_file(unfinished.path()).map_err(failed)?;
        }
        for folder in std::fs::read_dir(dir.join("objects")).map_err(failed)?.flatten() {
            for object in std::fs::read_dir(folder.path()).map_err(failed)?.flatten() {
                if !known.contains(&object.file_name()) {
                    tracing::warn!(path = %object.path().display(), "a content without an item is removed");
                    std::fs::remove_file(object.path()).map_err(failed)?;
                }
            }
        }
        let log = Log::open(&dir.join("log.jsonl")).map_err(failed)?;
        let state = Mutex::new(State { items, log });
        let (removed, number) = (AtomicU64::new(0), AtomicU64::new(0));
        let place = Place { dir: dir.to_owned(), room: Room::default() };
        Ok(Store(Arc::new(Inner { place, settings, state, removed, number })))
    }

    /// The room of its folder.
    pub fn room(&self) -> &Room {
        &self.0.place.room
    }

    /// The limits.
    pub fn settings(&self) -> &EvidenceSettings {
        &self.0.settings
    }

    /// A new file to write into, which is no evidence yet.
    pub fn draft(&self) -> Result<Draft, EvidenceError> {
        let number = self.0.number.fetch_add(1, Ordering::Relaxed);
        let path = self.0.place.dir.join("new").join(format!("{}-{number}", std::process::id()));
        let file = self.kept(files::create(&path), "begin a piece of evidence")?;
        Ok(Draft { path, file, place: self.0.place.clone() })
    }

    /// Keeps a content and holds it. One that is here already gets a further hold.
    pub fn add(&self, draft: Draft, wish: Wish) -> Result<EvidenceItem, EvidenceError> {
        let what = format!("keep {}", wish.name);
        self.kept(draft.file.sync_all(), &what)?;
        let (id, bytes) = self.kept(File::open(&draft.path).and_then(|mut file| digest(&mut file)), &what)?;
        let mut state = self.lock();
        let mut new = None;
        let mut kept = match state.items.get(&id) {
            Some(kept) => kept.clone(),
            None => {
                self.make_room(&mut state, bytes)?;
                new = Some(Unkept(self.object(&id)));
                let path = self.object(&id);
                let moved = path.parent().map_or(Ok(()), files::make_folder).and_then(|()| draft.rename(&path));
                self.kept(moved, &what)?;
                let Wish { kind, name, alert, hold, password } = wish.clone();
                let item = EvidenceItem { id, kind, name, bytes, added: hold.since.clone(), alert, holds: Vec::new() };
                Kept { item, password }
            }
        };
        if kept.item.holds.len() >= HOLDS_MAX {
            return Err(EvidenceError::Holds(kept.item.id));
        }
        kept.item.holds.push(wish.hold.clone());
        let note = format!("{} ({}): {}", kept.item.name, kept.item.kind.name(), wish.hold.reason);
        self.change(&mut state, &kept, ("held", &wish.hold.by, &note))?;
        if let Some(Unkept(path)) = &mut new {
            path.clear();
        }
        state.items.insert(kept.item.id.clone(), kept.clone());
        Ok(kept.item)
    }

    /// Writes down an item and who changed it how: both or neither. The item is durable beside its place before the log
    /// says anything, because after that nothing may need room.
    fn change(&self, state: &mut State, kept: &Kept, (did, by, note): (&str, &str, &str)) -> Result<(), EvidenceError> {
        let id = &kept.item.id;
        let what = format!("write down the evidence {id}");
        let text = serde_json::to_vec_pretty(kept).map_err(io::Error::other);
        let prepared = self.kept(text.and_then(|text| files::Prepared::write(&self.item(id), &text)), &what)?;
        self.kept(state.log.write(did, id, by, note), LOG)?;
        self.kept(prepared.put(), &what)
    }

    /// Ends the holds of an item: from now on its age counts.
    pub fn release(&self, id: &str, by: &str, reason: &str) -> Result<EvidenceItem, EvidenceError> {
        let mut state = self.lock();
        let mut kept = state.items.get(id).cloned().ok_or_else(|| EvidenceError::Unknown(id.to_owned()))?;
        kept.item.holds.clear();
        self.change(&mut state, &kept, ("released", by, reason))?;
        state.items.insert(id.to_owned(), kept.clone());
        Ok(kept.item)
    }

    /// Opens a content that is still what it was, and writes down who reads it.
    pub fn read(&self, id: &str, by: &str) -> Result<Opened, EvidenceError> {
        let unknown = || EvidenceError::Unknown(id.to_owned());
        let Kept { item, password } = self.lock().items.get(id).cloned().ok_or_else(unknown)?;
        let path = self.object(id);
        let what = format!("read the evidence {id}");
        let (found, _) = self.kept(File::open(&path).and_then(|mut file| digest(&mut file)), &what)?;
        if found != id {
            return Err(EvidenceError::Changed(id.to_owned()));
        }
        let content = self.kept(File::open(&path), &what)?;
        let logged = self.lock().log.write("read", id, by, &item.name);
        self.kept(logged, LOG)?;
        Ok(Opened { item, content, password })
    }

    /// A content by its SHA-256, for our own use.
    pub fn content(&self, sha256: &str) -> Option<Vec<u8>> {
        let is_here = self.lock().items.contains_key(sha256);
        is_here.then(|| std::fs::read(self.object(sha256)).ok()).flatten()
    }

    /// The same as a file, for large ones.
    pub fn file(&self, sha256: &str) -> Option<File> {
        let is_here = self.lock().items.contains_key(sha256);
        is_here.then(|| File::open(self.object(sha256)).ok()).flatten()
    }

    /// Everything that is kept, the newest first.
    pub fn answer(&self) -> EvidenceAnswer {
        let state = self.lock();
        let mut items: Vec<EvidenceItem> = state.items.values().map(|kept| kept.item.clone()).collect();
        items.sort_by(|a, b| b.added.cmp(&a.added).then_with(|| a.id.cmp(&b.id)));
        let bytes = items.iter().map(|item| item.bytes).sum();
        let held_bytes = items.iter().filter(|item| !item.holds.is_empty()).map(|item| item.bytes).sum();
        let removed = self.0.removed.load(Ordering::Relaxed);
        EvidenceAnswer { items, bytes, held_bytes, keep_bytes: self.0.settings.keep_bytes, removed }
    }

    /// The newest lines of the log, oldest first, and whether no line before them was changed.
    pub fn log(&self, most: usize) -> Result<(Vec<EvidenceLogLine>, bool), EvidenceError> {
        let read = self.lock().log.read(most);
        self.kept(read, "read the evidence log")
    }

    /// Removes what has outlived its time.
    pub fn tidy(&self) {
        let mut state = self.lock();
        let keep = i64::from(self.0.settings.keep_days) * 86_400;
        let oldest = jiff::Timestamp::now().as_second().saturating_sub(keep);
        let old: Vec<String> = state
            .items
            .values()
            .filter(|kept| kept.item.holds.is_empty())
            .filter(|kept| kept.item.added.parse::<jiff::Timestamp>().is_ok_and(|added| added.as_second() < oldest))
            .map(|kept| kept.item.id.clone())
            .collect();
        for id in old {
            if let Err(error) = self.remove(&mut state, &id, "outlived its time") {
                tracing::warn!(id, %error, "remove evidence that has outlived its time");
            }
        }
    }

    /// Lets the oldest go that nobody holds, until there is room.
    fn make_room(&self, state: &mut State, wanted: u64) -> Result<(), EvidenceError> {
        let most = self.0.settings.keep_bytes;
        loop {
            let bytes: u64 = state.items.values().map(|kept| kept.item.bytes).sum();
            if bytes.saturating_add(wanted) <= most {
                return Ok(());
            }
            let free = state.items.values().filter(|kept| kept.item.holds.is_empty());
            let Some(id) = free.min_by(|a, b| a.item.added.cmp(&b.item.added)).map(|kept| kept.item.id.clone()) else {
                return Err(EvidenceError::Full { held: bytes, most });
            };
            self.kept(self.remove(state, &id, "made room"), "make room in the evidence")?;
        }
    }

    fn remove(&self, state: &mut State, id: &str, why: &str) -> io::Result<()> {
        state.log.write("removed", id, "", why)?;
        std::fs::remove_file(self.item(id))?;
        state.items.remove(id);
        self.0.removed.fetch_add(1, Ordering::Relaxed);
        std::fs::remove_file(self.object(id))
    }

    fn kept<T>(&self, done: io::Result<T>, what: &str) -> Result<T, EvidenceError> {
        kept(done, &self.0.place, what)
    }

    fn object(&self, id: &str) -> PathBuf {
        self.0.place.dir.join("objects").join(id.get(..2).unwrap_or_default()).join(id)
    }

    fn item(&self, id: &str) -> PathBuf {
        self.0.place.dir.join("items").join(format!("{id}.json"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that is written and may become evidence; else it goes when it is dropped.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: File,
    place: Place,
}

impl Draft {
    /// Writes all of it.
    pub fn write(&mut self, content: &[u8]) -> Result<(), EvidenceError> {
        kept(self.file.write_all(content), &self.place, WRITE)
    }

    /// Something to write into.
    pub fn writer(&self) -> Result<io::BufWriter<Noted>, EvidenceError> {
        let file = kept(self.file.try_clone(), &self.place, WRITE)?;
        Ok(io::BufWriter::new(Noted { file, place: self.place.clone() }))
    }

    /// Reads it from its beginning.
    pub fn reader(&self) -> Result<File, EvidenceError> {
        kept(File::open(&self.path), &self.place, "read a piece of evidence")
    }

    fn rename(&self, path: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It is not there any more where it became evidence.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Writes into a draft; that there is no room is said in our own words.
#[derive(Debug)]
pub struct Noted {
    file: File,
    place: Place,
}

impl Write for Noted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        kept(self.file.write(bytes), &self.place, WRITE).map_err(|error| match error {
            EvidenceError::Disk { source, .. } => source,
            error => io::Error::new(io::ErrorKind::StorageFull, error),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A content whose item is not written down yet: it goes when this is dropped, unless the path was cleared.
struct Unkept(PathBuf);

impl Drop for Unkept {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // The next start removes a content without an item, too.
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

/// SHA-256 and length.
pub fn digest(content: &mut impl Read) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let bytes = io::copy(content, &mut hash)?;
    Ok((hex::encode(hash.finalize()), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(reason: &str, since: &str) -> Hold {
        Hold { by: "truc-ban".into(), reason: reason.into(), since: since.into() }
    }

    fn keep(store: &Store, content: &[u8], since: &str) -> Result<EvidenceItem, EvidenceError> {
        let mut draft = store.draft()?;
        draft.write(content)?;
        let (kind, name) = (EvidenceKind::Document, "bien-ban.pdf".to_owned());
        store.add(draft, Wish { kind, name, alert: None, hold: hold("case 7", since), password: None })
    }

    fn open(folder: &Path, keep_bytes: u64) -> Store {
        Store::open(folder, EvidenceSettings { keep_bytes, ..EvidenceSettings::default() }).unwrap()
    }

    #[test]
    fn what_is_held_stays_and_what_is_released_makes_room_the_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), 250);
        let old = keep(&store, &[1; 100], "2026-11-20T00:00:00Z").unwrap();
        let new = keep(&store, &[2; 100], "2026-11-21T00:00:00Z").unwrap();
        assert!(matches!(keep(&store, &[3; 100], "2026-11-22T00:00:00Z"), Err(EvidenceError::Full { held: 200, .. })));
        store.release(&new.id, "truong-ca", "case 7 is closed").unwrap();
        store.release(&old.id, "truong-ca", "case 7 is closed").unwrap();
        keep(&store, &[3; 100], "2026-11-22T00:00:00Z").unwrap();
        assert!(store.content(&old.id).is_none(), "the oldest goes");
        assert_eq!(store.content(&new.id).unwrap(), [2; 100]);
        assert_eq!(store.answer().removed, 1);
    }

    #[test]
    fn each_read_is_in_the_log_over_a_restart_and_a_changed_line_shows() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), 1000);
        let item = keep(&store, b"mot", "2026-11-22T00:00:00Z").unwrap();
        store.read(&item.id, "kiem-toan").unwrap();
        drop(store);
        let store = open(folder.path(), 1000);
        let again = keep(&store, b"mot", "2026-11-22T01:00:00Z").unwrap();
        assert_eq!((again.id.as_str(), again.holds.len()), (item.id.as_str(), 2), "the same content is one item");
        let (lines, is_whole) = store.log(10).unwrap();
        let told: Vec<_> = lines.iter().map(|line| (line.what.as_str(), line.by.as_str())).collect();
        assert_eq!(told, [("held", "truc-ban"), ("read", "kiem-toan"), ("held", "truc-ban")]);
        assert!(is_whole);
        let path = folder.path().join("log.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("kiem-toan", "nguoi-la")).unwrap();
        assert!(!open(folder.path(), 1000).log(10).unwrap().1);
    }

    #[test]
    fn a_content_that_changed_on_the_disk_is_not_given_out() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), 1000);
        let item = keep(&store, b"mot", "2026-11-22T00:00:00Z").unwrap();
        std::fs::write(store.object(&item.id), b"hai").unwrap();
        assert!(matches!(store.read(&item.id, "x"), Err(EvidenceError::Changed(_))));
    }

    #[test]
    fn a_content_without_an_item_goes_at_the_next_start_and_that_of_a_damaged_item_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), 1000);
        let [whole, damaged, lost] =
            [b"mot", b"hai", b"bon"].map(|content| keep(&store, content, "2026-11-22T00:00:00Z").unwrap());
        std::fs::write(store.item(&damaged.id), b"{").unwrap();
        std::fs::remove_file(store.item(&lost.id)).unwrap();
        let store = open(folder.path(), 1000);
        let there = |item: &EvidenceItem| store.object(&item.id).exists();
        assert_eq!((there(&whole), there(&damaged), there(&lost)), (true, true, false));
        assert_eq!(store.answer().items.len(), 1);
    }

    #[test]
    fn what_nobody_holds_goes_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), 1000);
        let held = keep(&store, b"held", "2001-01-01T00:00:00Z").unwrap();
        let released = keep(&store, b"released", "2001-01-01T00:00:00Z").unwrap();
        store.release(&released.id, "x", "over").unwrap();
        store.tidy();
        assert_eq!(store.answer().items.iter().map(|item| &item.id).collect::<Vec<_>>(), [&held.id]);
        assert_eq!(open(folder.path(), 1000).answer().items.len(), 1);
    }
}
