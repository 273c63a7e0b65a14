//! Contents of files on disk, named by what they are: `ab/abcdef...` after their SHA-256.
//!
//! Comes in: contents that are complete in memory. Goes out: files that the uplink reads when the collector asks. A
//! thread of its own writes, so that packets never wait for the disk; when it falls behind, contents are refused.
//! The store stays below its quota by removing what was written longest ago. A content is written beside its place and
//! moved there, so a crash leaves nothing half-written under a final name; leftovers are removed at the next start.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fs, io};

/// Contents that may wait for the disk.
const QUEUE: usize = 64;
/// What an unfinished file's name ends with.
const PARTIAL: &str = ".partial";

type Digest = [u8; 32];

/// The contents that are kept.
pub struct Store {
    root: PathBuf,
    state: Arc<Mutex<State>>,
    queue: Option<SyncSender<(Digest, Vec<u8>)>>,
    writer: Option<std::thread::JoinHandle<()>>,
}

/// What is on disk, oldest first.
struct State {
    quota_bytes: u64,
    used_bytes: u64,
    order: VecDeque<Digest>,
    sizes: HashMap<Digest, u64>,
}

impl Store {
    /// Opens the store in a folder, which is made if need be.
    pub fn open(root: &Path, quota_bytes: u64) -> io::Result<Store> {
        fs::create_dir_all(root)?;
        let state = Arc::new(Mutex::new(State::scan(root, quota_bytes)?));
        let (queue, contents) = sync_channel(QUEUE);
        let writer = {
            let (root, state) = (root.to_owned(), state.clone());
            std::thread::Builder::new().name("files".into()).spawn(move || write_all(&root, &state, &contents))?
        };
        Ok(Store { root: root.to_owned(), state, queue: Some(queue), writer: Some(writer) })
    }

    /// Keeps a content; says whether it is, or will be, there.
    pub fn keep(&self, sha256: Digest, content: &[u8]) -> bool {
        let room = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.sizes.contains_key(&sha256) {
                return true;
            }
            content.len() as u64 <= state.quota_bytes
        };
        room && self.queue.as_ref().is_some_and(|queue| queue.try_send((sha256, content.to_vec())).is_ok())
    }

    /// Where a content is, or would be.
    pub fn path(&self, sha256: &Digest) -> PathBuf {
        path(&self.root, sha256)
    }
}

impl Drop for Store {
    /// Waits until what was accepted is on disk.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so on standard error.
            let _ = writer.join();
        }
    }
}

fn path(root: &Path, sha256: &Digest) -> PathBuf {
    let name = hex::encode(sha256);
    root.join(name.get(..2).unwrap_or("")).join(name)
}

fn write_all(root: &Path, state: &Mutex<State>, contents: &Receiver<(Digest, Vec<u8>)>) {
    while let Ok((sha256, content)) = contents.recv() {
        let doomed = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            if !state.add(sha256, content.len() as u64) {
                continue;
            }
            state.over_quota()
        };
        for old in doomed {
            // One that is gone already is as good as removed.
            let _ = fs::remove_file(path(root, &old));
        }
        if let Err(error) = write(&path(root, &sha256), &content) {
            tracing::warn!(%error, folder = %root.display(), "could not keep a file: free some space or lower the quota");
            state.lock().unwrap_or_else(PoisonError::into_inner).forget(&sha256);
        }
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let partial = path.with_extension(PARTIAL.trim_start_matches('.'));
    let written = fs::write(&partial, content).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // What there is of it must not count against the disk.
        let _ = fs::remove_file(&partial);
    }
    written
}

impl State {
    /// What an earlier run left, by age.
    fn scan(root: &Path, quota_bytes: u64) -> io::Result<State> {
        let mut found: Vec<(SystemTime, Digest, u64)> = Vec::new();
        for folder in fs::read_dir(root)?.flatten().filter(|f| f.path().is_dir()) {
            for file in fs::read_dir(folder.path())?.flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                if name.ends_with(PARTIAL) {
                    let _ = fs::remove_file(file.path());
                    continue;
                }
                let digest = hex::decode(&name).ok().and_then(|bytes| Digest::try_from(bytes).ok());
                if let (Some(digest), Ok(meta)) = (digest, file.metadata()) {
                    found.push((meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), digest, meta.len()));
                }
            }
        }
        found.sort_unstable();
        let mut state = State { quota_bytes, used_bytes: 0, order: VecDeque::new(), sizes: HashMap::new() };
        for (_, digest, size_bytes) in found {
            state.add(digest, size_bytes);
        }
        Ok(state)
    }

    fn add(&mut self, digest: Digest, size_bytes: u64) -> bool {
        if self.sizes.contains_key(&digest) {
            return false;
        }
        self.sizes.insert(digest, size_bytes);
        self.order.push_back(digest);
        self.used_bytes += size_bytes;
        true
    }

    /// What must go so that the rest fits; it is forgotten here.
    fn over_quota(&mut self) -> Vec<Digest> {
        let mut doomed = Vec::new();
        while self.used_bytes > self.quota_bytes {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(size_bytes) = self.sizes.remove(&oldest) {
                self.used_bytes = self.used_bytes.saturating_sub(size_bytes);
                doomed.push(oldest);
            }
        }
        doomed
    }

    fn forget(&mut self, digest: &Digest) {
        if let Some(size_bytes) = self.sizes.remove(digest) {
            self.used_bytes = self.used_bytes.saturating_sub(size_bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(n: u8) -> Digest {
        [n; 32]
    }

    #[test]
    fn contents_are_found_again_and_the_oldest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        {
            let store = Store::open(folder.path(), 25).unwrap();
            for n in 1..=3 {
                assert!(store.keep(digest(n), &[n; 10]));
            }
            assert!(!store.keep(digest(9), &[0; 26]));
        }
        let store = Store::open(folder.path(), 25).unwrap();
        assert!(!store.path(&digest(1)).exists());
        assert_eq!(fs::read(store.path(&digest(3))).unwrap(), [3; 10]);
        assert_eq!(store.state.lock().unwrap().used_bytes, 20);
    }

    #[test]
    fn leftovers_of_a_crash_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join("ab").join("abc.partial");
        fs::create_dir_all(partial.parent().unwrap()).unwrap();
        fs::write(&partial, b"half").unwrap();
        Store::open(folder.path(), 100).unwrap();
        assert!(!partial.exists());
    }
}
