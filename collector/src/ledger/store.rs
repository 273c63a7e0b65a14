//! The ledger on disk: a file a UTC day, a JSON line a snapshot; old days go by age and size.
//!
//! Of one sensor at most a line a second is written: what comes faster is joined to the next one, and so is what a full disk
//! did not take. A crash costs what was not written yet, and the sensor's next snapshot brings it again, because counters rise from a program's start.
//!
//! A day that is over (by a day, so that no late snapshot can fall into it) is packed: one line a sensor and minute, zstd.
//! The packed file is put in place by rename before the plain one is removed; where both exist the packed one counts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use luytre_events::ledger::Stage;
use serde::{Deserialize, Serialize};

use super::chain::Heard;
use super::{LedgerSettings, Minute};
use crate::room::Room;

/// A day, in nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;
/// The ending of a packed day.
const PACKED: &str = ".jsonl.zst";
/// The ending of a day that is still written.
const PLAIN: &str = ".jsonl";

/// One line: differences of one sensor within a minute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub sensor: String,
    pub minute_ns: i64,
    pub stages: Vec<Stage>,
    pub unaccounted: i64,
    /// The snapshot that the next difference is taken from; none for the collector's own stages, which begin at zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Heard>,
}

/// The time between two lines of one sensor, in nanoseconds.
const BETWEEN_NS: i64 = 1_000_000_000;

/// Lines of one sensor, its own (true) or the collector's about it.
type Source = (String, bool);

pub(super) struct Store {
    /// Lines that came too fast, or for which there was no room, joined.
    waiting: BTreeMap<Source, Line>,
    /// When a line was last written, by our clock.
    written_ns: BTreeMap<Source, i64>,
    folder: PathBuf,
    settings: LedgerSettings,
    /// Today's file and its day.
    open: Option<(i64, File)>,
    failing: bool,
    pub(super) room: Room,
}

impl Store {
    pub(super) fn open(folder: &Path, settings: LedgerSettings) -> io::Result<Store> {
        std::fs::create_dir_all(folder)?;
        let store = Store {
            waiting: BTreeMap::new(),
            written_ns: BTreeMap::new(),
            folder: folder.to_owned(),
            settings,
            open: None,
            failing: false,
            room: Room::default(),
        };
        store.retain();
        Ok(store)
    }

    /// Takes a line and writes what is due.
    pub(super) fn write(&mut self, line: &Line) {
        let source = (line.sensor.clone(), line.newest.is_some());
        match self.waiting.get_mut(&source) {
            Some(waiting) => join(waiting, line),
            None => drop(self.waiting.insert(source, line.clone())),
        }
        let now_ns = super::now_ns();
        let is_due = |at: &i64| !(*at..at.saturating_add(BETWEEN_NS)).contains(&now_ns);
        let due: Vec<Source> =
            self.waiting.keys().filter(|source| self.written_ns.get(*source).is_none_or(is_due)).cloned().collect();
        for source in due {
            self.written_ns.insert(source.clone(), now_ns);
            // What could not be written waits for what comes next, and then for the disk, joined to it.
            if let Some(line) = self.waiting.remove(&source)
                && !self.put(&line)
            {
                self.waiting.insert(source, line);
            }
        }
    }

    /// Appends a line; answers whether it is written. A failure is logged once; the ledger in memory goes on.
    fn put(&mut self, line: &Line) -> bool {
        let appended = self.append(line);
        match self.room.note(appended) {
            Ok(()) => {
                self.failing = false;
                true
            }
            Err(error) => {
                // A line that is written by half is ended before the next one, and is none.
                self.open = None;
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(%error, "the ledger cannot be written; it goes on in memory");
                }
                false
            }
        }
    }

    fn append(&mut self, line: &Line) -> io::Result<()> {
        let day = line.minute_ns.div_euclid(DAY_NS);
        if self.open.as_ref().is_none_or(|(open, _)| *open != day) {
            let path = self.path(day);
            let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
            // Ends a line that a crash may have cut in half.
            file.write_all(b"\n")?;
            self.open = Some((day, file));
            self.retain();
            self.pack_in_background();
        }
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        match &mut self.open {
            Some((_, file)) => file.write_all(&bytes),
            None => Ok(()),
        }
    }

    /// All lines whose minute lies between two moments, in the order in which they were written.
    pub(super) fn read(&self, from_ns: i64, to_ns: i64) -> Vec<Line> {
        let (first, last) = (from_ns.div_euclid(DAY_NS), to_ns.div_euclid(DAY_NS));
        let mut lines = Vec::new();
        for (_, path) in days(&self.folder).into_iter().filter(|(day, _)| (first..=last).contains(day)) {
            let wanted = |line: &Line| (from_ns..to_ns).contains(&line.minute_ns);
            match parse(&path) {
                Ok(parsed) => lines.extend(parsed.into_iter().filter(wanted)),
                Err(error) => tracing::warn!(path = %path.display(), %error, "a day of the ledger cannot be read"),
            }
        }
        lines
    }

    /// Packs days that are over, on a thread of its own: the ledger goes on meanwhile.
    fn pack_in_background(&self) {
        let folder = self.folder.clone();
        let today = super::now_ns().div_euclid(DAY_NS);
        let spawned = std::thread::Builder::new().name("ledger-pack".into()).spawn(move || pack(&folder, today - 1));
        if let Err(error) = spawned {
            tracing::warn!(%error, "old days of the ledger are not packed; tried again tomorrow");
        }
    }

    fn path(&self, day: i64) -> PathBuf {
        let date = luytre_events::json::time_text(day.saturating_mul(DAY_NS));
        self.folder.join(format!("{}{PLAIN}", date.get(..10).unwrap_or("unknown")))
    }

    /// Removes what is too old or too much; never the newest day.
    fn retain(&self) {
        let days = days(&self.folder);
        let size = |path: &Path| path.metadata().map_or(0, |meta| meta.len());
        let mut total: u64 = days.iter().map(|(_, path)| size(path)).sum();
        let oldest = super::now_ns().div_euclid(DAY_NS) - i64::from(self.settings.age_days);
        let Some((_, removable)) = days.split_last() else { return };
        for (day, path) in removable {
            if *day >= oldest && total <= self.settings.size_bytes {
                break;
            }
            total = total.saturating_sub(size(path));
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!(path = %path.display(), %error, "an old day of the ledger could not be removed");
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        for line in std::mem::take(&mut self.waiting).into_values() {
            self.put(&line);
        }
    }
}

/// Adds a later line to an earlier one of the same sensor.
fn join(earlier: &mut Line, later: &Line) {
    let mut minute = Minute { stages: std::mem::take(&mut earlier.stages), unaccounted: earlier.unaccounted };
    minute.add(&later.stages, later.unaccounted);
    (earlier.stages, earlier.unaccounted) = (minute.stages, minute.unaccounted);
    earlier.newest = later.newest.clone().or(earlier.newest.take());
}

/// Days that there are, oldest first; the packed file where there are two.
fn days(folder: &Path) -> Vec<(i64, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut days: BTreeMap<i64, PathBuf> = BTreeMap::new();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let packed = name.strip_suffix(PACKED);
        let Some(day) = packed.or(name.strip_suffix(PLAIN)).and_then(day_of) else { continue };
        if packed.is_some() || !days.contains_key(&day) {
            days.insert(day, path);
        }
    }
    days.into_iter().collect()
}

fn day_of(date: &str) -> Option<i64> {
    let date: jiff::civil::Date = date.parse().ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_nanosecond();
    Some(i64::try_from(midnight).ok()?.div_euclid(DAY_NS))
}

/// The lines of a day; what is no line (cut in half by a crash) is skipped.
fn parse(path: &Path) -> io::Result<Vec<Line>> {
    let file = File::open(path)?;
    let reader: Box<dyn Read> = match path.extension() {
        Some(extension) if extension == "zst" => Box::new(zstd::Decoder::new(file)?),
        _ => Box::new(file),
    };
    let mut lines = Vec::new();
    for text in BufReader::new(reader).split(b'\n') {
        lines.extend(serde_json::from_slice::<Line>(&text?).ok());
    }
    Ok(lines)
}

/// Packs all plain days before `before`.
pub(super) fn pack(folder: &Path, before: i64) {
    for (day, path) in days(folder).into_iter().filter(|(day, _)| *day < before) {
        let plain =
            path.to_str().and_then(|path| path.strip_suffix(".zst")).map_or_else(|| path.clone(), PathBuf::from);
        let packed = if plain == path { pack_day(&plain) } else { Ok(()) };
        if let Err(error) = packed.and_then(|()| remove(&plain)) {
            tracing::warn!(day, %error, "a day of the ledger could not be packed; tried again tomorrow");
        }
    }
}

fn pack_day(plain: &Path) -> io::Result<()> {
    let mut minutes = Minutes::new();
    for line in parse(plain)? {
        let (minute, newest) = minutes.entry((line.minute_ns, line.sensor)).or_default();
        minute.add(&line.stages, line.unaccounted);
        *newest = line.newest.or(newest.take());
    }
    let beside = plain.with_extension("packing");
    let packed = pack_into(&beside, minutes).and_then(|()| std::fs::rename(&beside, plain.with_extension("jsonl.zst")));
    if packed.is_err() {
        // What was written of it would only take up room.
        let _ = std::fs::remove_file(&beside);
    }
    packed
}

/// A sensor's minutes with the newest snapshot in each.
type Minutes = BTreeMap<(i64, String), (Minute, Option<Heard>)>;

fn pack_into(beside: &Path, minutes: Minutes) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(beside)?;
    let mut out = zstd::Encoder::new(file, 3)?;
    for ((minute_ns, sensor), (minute, newest)) in minutes {
        let line = Line { sensor, minute_ns, stages: minute.stages, unaccounted: minute.unaccounted, newest };
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.finish()?.sync_all()
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
