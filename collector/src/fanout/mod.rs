//! The fan-out: every alert, and every change of one, in a durable log with a rising sequence number.
//!
//! Comes in: alerts from detection, a few at a time ([`Fanout::append`], durable when it returns). Goes out: the lines
//! after any sequence number ([`Fanout::after`]), so that a listener with a cursor misses nothing and sees some lines
//! twice at worst. A changed alert is a new line with the same id. Beside each alert its [`Tracking`] is kept, so that
//! after a crash detection knows what it had counted already and alerts nothing twice.
//!
//! Files: `DIR/<first sequence, 20 digits>.alerts`, each a run of records, oldest segments deleted beyond
//! `keep_bytes`. A record is
//!
//! ```text
//! length u32 LE | crc32 u32 LE over the payload | payload = alert length u32 LE | alert JSON | tracking JSON
//! ```
//! When the disk is full an append fails as a whole and leaves nothing behind. On restart a torn tail is cut; damage
//! before the tail ends that segment early and is reported.

mod segment;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use luytre_collector_api::Alert;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use self::segment::Segment;
use crate::health::Problems;
use crate::room::Room;

/// How much the fan-out keeps.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FanoutSettings {
    /// Size of a segment, in bytes.
    pub segment_bytes: u64,
    /// Beyond this size the oldest segments are deleted.
    pub keep_bytes: u64,
}

impl Default for FanoutSettings {
    fn default() -> Self {
        FanoutSettings { segment_bytes: 16 << 20, keep_bytes: 1 << 30 }
    }
}

/// What detection must remember of an alert that may still grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Rule, subject and sensor: what belongs to one alert.
    pub key: String,
    /// Time of its first event, nanoseconds.
    pub first_ns: i64,
    /// Time of its newest event, nanoseconds.
    pub last_ns: i64,
    /// The sensor's highest sequence number that is counted in it.
    pub sequence: u64,
}

/// An alert and what detection remembers of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The alert as the world sees it.
    pub alert: Alert,
    /// The rest.
    pub tracking: Tracking,
}

/// The log; cheap to clone, all clones are one.
#[derive(Debug, Clone)]
pub struct Fanout {
    inner: Arc<Mutex<Inner>>,
    newest: watch::Sender<u64>,
    room: Room,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    settings: FanoutSettings,
    segments: VecDeque<Segment>,
    /// The newest line of each alert, by id.
    by_id: HashMap<String, u64>,
    next: u64,
}

impl Fanout {
    /// Opens or creates the log in `dir` and recovers it.
    pub fn open(dir: &Path, settings: FanoutSettings, problems: &Problems) -> io::Result<Fanout> {
        std::fs::create_dir_all(dir)?;
        let mut names: Vec<u64> = std::fs::read_dir(dir)?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".alerts")?.parse().ok())
            .collect();
        names.sort_unstable();
        let mut inner =
            Inner { dir: dir.to_owned(), settings, segments: VecDeque::new(), by_id: HashMap::new(), next: 1 };
        let last = names.last().copied();
        for first in names {
            let (segment, ids, damage) = Segment::open(&path(dir, first), first, Some(first) == last)?;
            if let Some(damage) = damage {
                problems.raise("fanout", damage);
            }
            inner.next = segment.next();
            inner.by_id.extend((first..).zip(ids).map(|(sequence, id)| (id, sequence)));
            inner.segments.push_back(segment);
        }
        let newest = watch::Sender::new(inner.next - 1);
        Ok(Fanout { inner: Arc::new(Mutex::new(inner)), newest, room: Room::default() })
    }

    /// The room of its folder.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Makes alerts durable, giving each its sequence number. All or none.
    pub fn append(&self, entries: &mut [Entry]) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut inner = self.lock();
        let first = inner.next;
        let mut records = Vec::with_capacity(entries.len());
        for (sequence, entry) in (first..).zip(entries.iter_mut()) {
            entry.alert.sequence = sequence;
            records.push(segment::payload(entry)?);
        }
        self.room.note(inner.roll())?;
        let segment = inner.segments.back_mut().ok_or(io::ErrorKind::NotFound)?;
        self.room.note(segment.append(&records))?;
        for entry in entries.iter() {
            inner.by_id.insert(entry.alert.id.clone(), entry.alert.sequence);
        }
        inner.next = first + entries.len() as u64;
        let newest = inner.next - 1;
        inner.retire();
        drop(inner);
        self.newest.send_replace(newest);
        Ok(())
    }

    /// Lines of alerts (JSON without newline) with a sequence number above `sequence`, oldest first, at most `limit`.
    pub fn after(&self, sequence: u64, limit: usize) -> io::Result<Vec<(u64, Vec<u8>)>> {
        let inner = self.lock();
        let mut lines = Vec::new();
        for segment in inner.segments.iter().filter(|segment| segment.next() > sequence.saturating_add(1)) {
            for at in segment.first.max(sequence.saturating_add(1))..segment.next() {
                if lines.len() >= limit {
                    return Ok(lines);
                }
                lines.push((at, segment.alert_json(at)?));
            }
        }
        Ok(lines)
    }

    /// The newest form of an alert.
    pub fn get(&self, id: &str) -> io::Result<Option<Entry>> {
        let inner = self.lock();
        let Some(sequence) = inner.by_id.get(id).copied() else { return Ok(None) };
        let holds = |segment: &&Segment| (segment.first..segment.next()).contains(&sequence);
        inner.segments.iter().find(holds).map(|segment| segment.entry(sequence)).transpose()
    }

    /// The newest forms of the alerts that changed last, at most `limit`.
    pub fn recent(&self, limit: usize) -> io::Result<Vec<Entry>> {
        let mut newest: Vec<(u64, String)> =
            self.lock().by_id.iter().map(|(id, sequence)| (*sequence, id.clone())).collect();
        newest.sort_unstable_by(|a, b| b.cmp(a));
        newest.truncate(limit);
        newest.iter().filter_map(|(_, id)| self.get(id).transpose()).collect()
    }

    /// The highest sequence number, changing as alerts come.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// The highest sequence number.
    pub fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// An appender that panicked left the file as it was or longer by whole records; the next open sorts it out.
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Begins a new segment when there is none or the last one is full.
    fn roll(&mut self) -> io::Result<()> {
        if self.segments.back().is_none_or(|segment| segment.size_bytes() >= self.settings.segment_bytes) {
            self.segments.push_back(Segment::create(&path(&self.dir, self.next), self.next)?);
        }
        Ok(())
    }

    /// Deletes the oldest segments beyond the size that is kept.
    fn retire(&mut self) {
        let mut size_bytes: u64 = self.segments.iter().map(Segment::size_bytes).sum();
        while self.segments.len() > 1 && size_bytes > self.settings.keep_bytes {
            let Some(oldest) = self.segments.pop_front() else { return };
            size_bytes -= oldest.size_bytes();
            let next = oldest.next();
            self.by_id.retain(|_, sequence| *sequence >= next);
            if let Err(error) = oldest.delete() {
                tracing::warn!(%error, "delete an outlived alert segment");
            }
        }
    }
}

fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.alerts"))
}

#[cfg(test)]
mod tests;
