//! The writing end of a log: appends records, makes them durable in groups, begins new segments, removes old ones.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::frame;

/// A place between two records. The default is before everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// Offset within it, in bytes.
    pub offset: u64,
}

/// What was found when a log was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of a torn tail that were cut off.
    pub cut_bytes: u64,
    /// Bytes of damage within the newest segment, which readers will skip.
    pub damaged_bytes: u64,
    /// The newest segment's header, if it has one that checks.
    pub header: Option<Vec<u8>>,
    /// The newest segment's number; 0 for an empty log.
    pub newest: u64,
}

/// What cursors may see; shared with the log.
#[derive(Clone)]
pub struct View {
    pub(crate) disk: Arc<dyn Disk>,
    state: Arc<Mutex<Seen>>,
}

/// Durable sizes of all segments, by number.
#[derive(Debug, Default)]
struct Seen {
    segments: BTreeMap<u64, u64>,
}

/// A log, open for writing. One program at a time.
pub struct Log {
    view: View,
    segment_bytes: u64,
    /// The segment being written and how much of it: 0 before the first.
    current: u64,
    written: u64,
    durable: u64,
    /// Something may lie behind `written` that must be cut before writing.
    rubbish: bool,
}

/// The file of a segment.
pub(crate) fn file_name(segment: u64) -> String {
    format!("{segment:016x}.log")
}

fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

impl View {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place after the last durable record.
    pub fn end(&self) -> Position {
        let last = self.seen().segments.last_key_value().map(|(segment, size)| (*segment, *size));
        last.map_or(Position::default(), |(segment, offset)| Position { segment, offset })
    }

    /// The beginning of the oldest segment.
    pub fn start(&self) -> Position {
        let first = self.seen().segments.first_key_value().map(|(segment, _)| *segment);
        first.map_or(Position::default(), |segment| Position { segment, offset: 0 })
    }

    /// Durable size of all segments, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.seen().segments.values().sum()
    }

    /// All segments with their durable sizes, oldest first.
    pub fn segments(&self) -> Vec<(u64, u64)> {
        self.seen().segments.iter().map(|(segment, size)| (*segment, *size)).collect()
    }

    /// Durable size of a segment, if it exists.
    pub(crate) fn size_of(&self, segment: u64) -> Option<u64> {
        self.seen().segments.get(&segment).copied()
    }

    /// The first segment after `segment`.
    pub(crate) fn following(&self, segment: u64) -> Option<u64> {
        self.seen().segments.range(segment.checked_add(1)?..).next().map(|(next, _)| *next)
    }

    /// Removes all segments before the one `position` lies in, oldest first, but never the newest, for as long as
    /// `wanted` says so of the number and size. Returns how many went.
    pub fn remove_before(&self, position: Position, mut wanted: impl FnMut(u64, u64) -> bool) -> io::Result<usize> {
        let newest = self.end().segment;
        let mut removed = 0;
        for (segment, size) in self.segments() {
            if segment >= position.segment || segment == newest || !wanted(segment, size) {
                break;
            }
            self.disk.remove(&file_name(segment))?;
            self.seen().segments.remove(&segment);
            removed += 1;
        }
        Ok(removed)
    }
}

impl Log {
    /// Opens the log on a disk and recovers its newest segment. A new segment is begun after `segment_bytes` (at most
    /// 4 GiB).
    pub fn open(disk: Arc<dyn Disk>, segment_bytes: u64) -> io::Result<(Log, Recovery)> {
        let mut segments = BTreeMap::new();
        for name in disk.list()? {
            if let Some(number) = segment_number(&name) {
                segments.insert(number, disk.size(&name)?);
            }
        }
        let mut recovery = Recovery::default();
        while let Some((&number, &size)) = segments.last_key_value() {
            let kept = recover(&*disk, number, size, &mut recovery)?;
            if kept > 0 {
                segments.insert(number, kept);
                break;
            }
            disk.remove(&file_name(number))?;
            segments.remove(&number);
        }
        let (current, written) = segments.last_key_value().map_or((0, 0), |(number, size)| (*number, *size));
        recovery.newest = current;
        let view = View { disk, state: Arc::new(Mutex::new(Seen { segments })) };
        let segment_bytes = segment_bytes.min(u64::from(u32::MAX));
        Ok((Log { view, segment_bytes, current, written, durable: written, rubbish: false }, recovery))
    }

    /// What cursors read through.
    pub fn view(&self) -> View {
        self.view.clone()
    }

    /// Bytes in all segments, durable or not.
    pub fn size_bytes(&self) -> u64 {
        self.view.size_bytes() + (self.written - self.durable)
    }

    /// Appends a record; it is durable, and readable, after the next [`Log::sync`] that succeeds. When a new segment
    /// must begin, earlier records are made durable first and `header` says what its header shall be. An error means
    /// that this record was not appended; [`Log::unsynced`] tells whether earlier ones were voided.
    pub fn append(&mut self, record: &[u8], header: impl FnOnce() -> Vec<u8>) -> io::Result<Position> {
        let framed = (frame::HEAD_BYTES + record.len()) as u64;
        if self.current == 0 || self.written + framed > self.segment_bytes {
            self.begin_segment(&header())?;
        }
        self.write(record)?;
        Ok(Position { segment: self.current, offset: self.written })
    }

    /// Whether records were appended that are not durable yet.
    pub fn unsynced(&self) -> bool {
        self.written > self.durable
    }

    /// Makes all records durable. An error voids those since the last success.
    pub fn sync(&mut self) -> io::Result<Position> {
        if self.unsynced() {
            if let Err(error) = self.view.disk.sync(&file_name(self.current)) {
                self.written = self.durable;
                self.rubbish = true;
                // Tried again before the next write if it fails now.
                let _ = self.clean();
                return Err(error);
            }
            self.durable = self.written;
            self.view.seen().segments.insert(self.current, self.durable);
        }
        Ok(Position { segment: self.current, offset: self.durable })
    }

    fn begin_segment(&mut self, header: &[u8]) -> io::Result<()> {
        self.sync()?;
        self.clean()?;
        let next = self.current + 1;
        let name = file_name(next);
        let bytes = frame::write(header, 0).ok_or(io::ErrorKind::InvalidInput)?;
        let disk = self.view.disk.clone();
        let made = disk.write(&name, 0, &bytes).and_then(|()| disk.sync(&name));
        if let Err(error) = made {
            // A half-made segment is removed now or, failing that, by the next recovery or attempt.
            let _ = disk.truncate(&name, 0).and_then(|()| disk.remove(&name));
            return Err(error);
        }
        self.current = next;
        self.written = bytes.len() as u64;
        self.durable = self.written;
        self.view.seen().segments.insert(next, self.durable);
        Ok(())
    }

    fn write(&mut self, record: &[u8]) -> io::Result<()> {
        self.clean()?;
        let durable = u32::try_from(self.durable).unwrap_or(u32::MAX);
        let bytes = frame::write(record, durable)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the record is too large"))?;
        if let Err(error) = self.view.disk.write(&file_name(self.current), self.written, &bytes) {
            self.rubbish = true;
            // Gives the room back at once; if that fails too, it is tried again before the next write.
            let _ = self.clean();
            return Err(error);
        }
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Cuts off what a fault left behind the last record.
    fn clean(&mut self) -> io::Result<()> {
        if self.rubbish {
            self.view.disk.truncate(&file_name(self.current), self.written)?;
            self.rubbish = false;
        }
        Ok(())
    }
}

/// Checks the newest segment and cuts its torn tail. Returns what is left of it, in bytes.
fn recover(disk: &dyn Disk, segment: u64, size: u64, recovery: &mut Recovery) -> io::Result<u64> {
    let name = file_name(segment);
    let bytes = disk.read(&name, 0, usize::try_from(size).unwrap_or(usize::MAX))?;
    let mut at = 0;
    while at < bytes.len() {
        if let Some(frame) = frame::at(&bytes, at) {
            if at == 0 {
                recovery.header = bytes.get(frame.payload.clone()).map(<[u8]>::to_vec);
            }
            at = frame.payload.end;
        } else if let Some(next) = proven(&bytes, at) {
            recovery.damaged_bytes += (next - at) as u64;
            at = next;
        } else {
            recovery.cut_bytes += (bytes.len() - at) as u64;
            disk.truncate(&name, at as u64)?;
            disk.sync(&name)?;
            break;
        }
    }
    Ok(at as u64)
}

/// Whether the broken place `at` was durable once: then where the next good frame begins.
fn proven(bytes: &[u8], at: usize) -> Option<usize> {
    let (next, mut frame) = frame::after(bytes, at)?;
    loop {
        if usize::try_from(frame.durable).is_ok_and(|durable| durable > at) {
            return Some(next);
        }
        let end = frame.payload.end;
        frame = match frame::at(bytes, end) {
            Some(following) => following,
            None => frame::after(bytes, end)?.1,
        };
    }
}
