//! The ledger on disk: a file a UTC day, a JSON line a snapshot; old days go by age and size.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use luytre_events::ledger::Stage;
use serde::{Deserialize, Serialize};

use super::LedgerSettings;
use super::chain::Heard;

/// A day, in nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;

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

pub(super) struct Store {
    folder: PathBuf,
    settings: LedgerSettings,
    /// Today's file and its day.
    open: Option<(i64, File)>,
    failing: bool,
}

impl Store {
    pub(super) fn open(folder: &Path, settings: LedgerSettings) -> io::Result<Store> {
        std::fs::create_dir_all(folder)?;
        let store = Store { folder: folder.to_owned(), settings, open: None, failing: false };
        store.retain();
        Ok(store)
    }

    /// Appends a line. A failure is logged once; the ledger in memory goes on.
    pub(super) fn write(&mut self, line: &Line) {
        match self.append(line) {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.open = None;
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(%error, "the ledger cannot be written; it goes on in memory");
                }
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
        for (day, path) in self.days() {
            let Some(file) = (first..=last).contains(&day).then(|| File::open(path).ok()).flatten() else { continue };
            let parsed = BufReader::new(file).split(b'\n').map_while(Result::ok);
            let parsed = parsed.filter_map(|text| serde_json::from_slice::<Line>(&text).ok());
            lines.extend(parsed.filter(|line| (from_ns..to_ns).contains(&line.minute_ns)));
        }
        lines
    }

    fn path(&self, day: i64) -> PathBuf {
        let date = luytre_events::json::time_text(day.saturating_mul(DAY_NS));
        self.folder.join(format!("{}.jsonl", date.get(..10).unwrap_or("unknown")))
    }

    /// Days that there are, oldest first.
    fn days(&self) -> Vec<(i64, PathBuf)> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut days: Vec<(i64, PathBuf)> = entries
            .filter_map(|entry| {
                let path = entry.path();
                let date: jiff::civil::Date = path.file_name()?.to_str()?.strip_suffix(".jsonl")?.parse().ok()?;
                let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_nanosecond();
                Some((i64::try_from(midnight).ok()?.div_euclid(DAY_NS), path))
            })
            .collect();
        days.sort();
        days
    }

    /// Removes what is too old or too much; never the newest day.
    fn retain(&self) {
        let days = self.days();
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
