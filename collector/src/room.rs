//! The room on the disks: which directories the collector could not write into because their disk was full.
//!
//! Comes in: how each write of a part ended ([`Room::note`]). Goes out: a problem in the health that names the directory and
//! says what to do, a count of writes that found no room, and, by itself, word that there is room again. Every part that
//! writes has a [`Room`] of its own; [`Rooms::watch`] gives it a name and a directory, and until then it counts nothing.
//!
//! A directory is full from the first write that finds no room until [`TRIED_BYTES`] can be written into it, which
//! [`Rooms::run`] tries every [`TRY_EVERY`]. Only full ones are tried, so that this costs nothing while all is well. What
//! a part does meanwhile is the part's own (waits, refuses, goes on in memory); nothing here decides it. Nothing is kept
//! over a restart: a part that still finds no room says so again.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use luytre_collector_api::RoomLine;

use crate::health::Problems;

/// There is room again when so much can be written.
const TRIED_BYTES: usize = 256 << 10;
/// Between two tries.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// What the file is called that is tried with.
const TRIED: &str = ".new-room";

/// The room of one part; cheap to clone, all clones are one. By itself it passes on what it is told.
#[derive(Debug, Clone, Default)]
pub struct Room(Arc<OnceLock<Watched>>);

#[derive(Debug)]
struct Watched {
    name: &'static str,
    dir: PathBuf,
    /// What becomes of what cannot be written.
    meanwhile: &'static str,
    problems: Problems,
    refused: AtomicU64,
    is_full: AtomicBool,
}

impl Room {
    /// Passes on how a write ended, and remembers when it found no room.
    pub fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let (Some(watched), Err(error)) = (self.0.get(), &done)
            && is_full(error)
        {
            watched.refuse();
        }
        done
    }

    /// Tries whether there is room, when something failed and nobody knows in which directory.
    pub fn look(&self) {
        if let Some(watched) = self.0.get() {
            match watched.tried() {
                Err(error) if is_full(&error) => watched.refuse(),
                _ => watched.clear(),
            }
        }
    }
}

impl Watched {
    fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.is_full.store(true, Ordering::Relaxed);
        let (dir, meanwhile) = (self.dir.display(), self.meanwhile);
        let problem = format!("the disk of {dir} is full; {meanwhile}; free some space on it, the rest goes by itself");
        self.problems.raise(&self.problem(), problem);
    }

    fn clear(&self) {
        if self.is_full.swap(false, Ordering::Relaxed) {
            self.problems.clear(&self.problem());
        }
    }

    /// Parts may have problems of their own under their own name.
    fn problem(&self) -> String {
        format!("room for {}", self.name)
    }

    fn tried(&self) -> io::Result<()> {
        let path = self.dir.join(TRIED);
        let written = OpenOptions::new().create(true).write(true).truncate(true).open(&path).and_then(|mut file| {
            file.write_all(&vec![0; TRIED_BYTES])?;
            // Some file systems find out only now.
            file.sync_all()
        });
        let removed = std::fs::remove_file(&path);
        written.and(removed)
    }
}

/// All rooms; cheap to clone, all clones are one.
#[derive(Debug, Clone)]
pub struct Rooms {
    data: PathBuf,
    problems: Problems,
    all: Arc<Mutex<Vec<Room>>>,
}

impl Rooms {
    /// Of the parts of a data directory.
    pub fn new(data: &Path, problems: Problems) -> Rooms {
        Rooms { data: data.to_owned(), problems, all: Arc::default() }
    }

    /// Names a part's room: `name` is also its folder in the data directory. `meanwhile` says what becomes of what cannot
    /// be written.
    pub fn watch(&self, room: &Room, name: &'static str, meanwhile: &'static str) {
        let (dir, problems) = (self.data.join(name), self.problems.clone());
        let (refused, is_full) = (AtomicU64::new(0), AtomicBool::new(false));
        if room.0.set(Watched { name, dir, meanwhile, problems, refused, is_full }).is_ok() {
            self.lock().push(room.clone());
        }
    }

    /// A room of its own under this name.
    pub fn named(&self, name: &'static str, meanwhile: &'static str) -> Room {
        let room = Room::default();
        self.watch(&room, name, meanwhile);
        room
    }

    /// Each with how many writes found no room.
    pub fn list(&self) -> Vec<RoomLine> {
        let line = |watched: &Watched| RoomLine {
            name: watched.name.to_owned(),
            directory: watched.dir.display().to_string(),
            full: watched.is_full.load(Ordering::Relaxed),
            refused: watched.refused.load(Ordering::Relaxed),
        };
        self.lock().iter().filter_map(|room| room.0.get()).map(line).collect()
    }

    /// Tries those that are full; blocks the thread.
    pub fn try_again(&self) {
        let all = self.lock().clone();
        for watched in all.iter().filter_map(|room| room.0.get()).filter(|w| w.is_full.load(Ordering::Relaxed)) {
            if watched.tried().is_ok() {
                watched.clear();
            }
        }
    }

    /// Tries those that are full for as long as the collector runs.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(TRY_EVERY).await;
            let rooms = self.clone();
            if let Err(error) = tokio::task::spawn_blocking(move || rooms.try_again()).await {
                tracing::error!(%error, "look for room on the disks");
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Room>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a write found no room.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_directory_is_named_and_counted_until_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let problems = Problems::default();
        let rooms = Rooms::new(folder.path(), problems.clone());
        let room = rooms.named("evidence", "nothing more is sealed");
        let full = || Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull));
        assert!(room.note(Ok(())).is_ok() && room.note(full()).is_err() && room.note(full()).is_err());
        assert!(room.note(Err::<(), _>(io::Error::from(io::ErrorKind::NotFound))).is_err(), "that is another matter");
        let line = rooms.list().remove(0);
        assert_eq!((&*line.name, line.full, line.refused), ("evidence", true, 2));
        let told = problems.list().join("\n");
        assert!(told.contains(&folder.path().join("evidence").display().to_string()), "{told}");
        assert!(told.contains("nothing more is sealed"), "{told}");
        // The directory is not even there: it cannot be tried, so the problem stays.
        rooms.try_again();
        assert_eq!(problems.list().len(), 1);
        std::fs::create_dir(folder.path().join("evidence")).unwrap();
        rooms.try_again();
        assert!(problems.list().is_empty() && !rooms.list()[0].full);
        assert_eq!(std::fs::read_dir(folder.path().join("evidence")).unwrap().count(), 0, "nothing is left of the try");
    }

    #[test]
    fn a_room_that_nobody_watches_passes_on_what_it_is_told() {
        let room = Room::default();
        assert!(room.note(Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull))).is_err());
        room.look();
    }
}
