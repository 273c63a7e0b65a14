//! A disk in memory that can crash, flip bits and run full: for tests and simulations of anything built on a log.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;

/// The disk; clones are the same disk, so a test can hold one end and the log the other.
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Content>,
    /// Bytes that can still be written, where the disk is limited.
    room: Option<u64>,
    /// How many of the next syncs fail.
    failing_syncs: u32,
}

#[derive(Debug, Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Option<Vec<u8>>,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many more bytes fit; `None` for as many as you like. A write beyond it writes what fits and fails.
    pub fn set_room(&self, room: Option<u64>) {
        self.state().room = room;
    }

    /// Lets the next `count` syncs fail.
    pub fn fail_syncs(&self, count: u32) {
        self.state().failing_syncs = count;
    }

    /// Power is lost: of what was not synced, each file keeps only some first bytes, `chosen(unsynced)` of them.
    /// Truncations and removals are taken as durable.
    pub fn crash(&self, mut chosen: impl FnMut(usize) -> usize) {
        let mut state = self.state();
        state.failing_syncs = 0;
        state.room = None;
        state.files.retain(|_, content| {
            let durable = content.durable.clone().unwrap_or_default();
            let kept = durable.len() + chosen(content.now.len().saturating_sub(durable.len()));
            content.now.truncate(kept);
            content.durable = Some(content.now.clone());
            !content.now.is_empty()
        });
    }

    /// Flips one bit of a file, durable or not.
    pub fn flip(&self, name: &str, bit: usize) {
        let mut state = self.state();
        let Some(content) = state.files.get_mut(name) else { return };
        for bytes in std::iter::once(&mut content.now).chain(content.durable.as_mut()) {
            if let Some(byte) = bytes.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// All files and their sizes.
    pub fn sizes(&self) -> BTreeMap<String, usize> {
        self.state().files.iter().map(|(name, content)| (name.clone(), content.now.len())).collect()
    }
}

impl Disk for Memory {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        let state = self.state();
        let content = state.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(content.now.len() as u64)
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let fits = state.room.map_or(bytes.len() as u64, |room| room.min(bytes.len() as u64));
        if let Some(room) = state.room.as_mut() {
            *room -= fits;
        }
        let written = bytes.get(..usize::try_from(fits).unwrap_or(usize::MAX)).unwrap_or(bytes);
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let content = state.files.entry(name.to_owned()).or_default();
        if content.now.len() < offset + written.len() {
            content.now.resize(offset + written.len(), 0);
        }
        if let Some(place) = content.now.get_mut(offset..offset + written.len()) {
            place.copy_from_slice(written);
        }
        if written.len() == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            return Err(io::Error::other("sync fails by order of the test"));
        }
        let content = state.files.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        content.durable = Some(content.now.clone());
        Ok(())
    }

    fn truncate(&self, name: &str, size: u64) -> io::Result<()> {
        let mut state = self.state();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let content = state.files.entry(name.to_owned()).or_default();
        let freed = content.now.len().saturating_sub(size) as u64;
        content.now.resize(size, 0);
        if let Some(durable) = content.durable.as_mut() {
            durable.truncate(size);
        }
        if let Some(room) = state.room.as_mut() {
            *room += freed;
        }
        Ok(())
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let state = self.state();
        let content = state.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.now.len());
        let end = start.saturating_add(length).min(content.now.len());
        Ok(content.now.get(start..end).unwrap_or_default().to_vec())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let content = state.files.remove(name).ok_or(io::ErrorKind::NotFound)?;
        if let Some(room) = state.room.as_mut() {
            *room += content.now.len() as u64;
        }
        Ok(())
    }
}
