//! Detection: rules run over every event, what they find becomes alerts.
//!
//! Comes in: enriched events in journal order ([`Detection::process`]). Goes out: alerts, durable in the fan-out before
//! the events' place in the journal counts as reached. On overload the queue before it fills. After a restart the windows
//! of correlations come from a snapshot ([`Detection::resume_from`] says from where the journal must be read again) and
//! the open alerts from the fan-out, so nothing is alerted twice and no window is lost; without a snapshot windows start
//! empty. Files are scanned aside ([`files`]); what is found there joins the same alerts. Rules may be changed between two
//! batches ([`change`]); an event on which they fail is left out ([`poison`]).

pub mod alert;
pub mod change;
pub mod files;
pub mod groups;
pub mod poison;
mod waiting;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use luytre_collector_api::Visibility;
use luytre_events::{Catalogue, Event, FieldId, Value};
use luytre_rules_engine::{Engine, Match};
use serde::{Deserialize, Serialize};

use self::files::{FileScans, Waiting};
use self::groups::{GROUPS_MAX, GroupSettings, Groups, Outcome, Surroundings};
use self::poison::Poison;
use crate::fanout::Fanout;
use crate::journal::Position;
use crate::ledger::Ledger;

/// Newest alerts that are read back at start, to go on with them: all that could have been open.
const RESTORE_MAX: usize = GROUPS_MAX;

/// The state of all windows at a place in the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Snapshot {
    /// Every event before it is in the windows.
    pub position: Position,
    windows: Vec<u8>,
}

/// The stage.
pub struct Detection {
    engine: Engine,
    groups: Groups,
    fanout: Fanout,
    ledger: Ledger,
    scans: Option<FileScans>,
    waiting: Waiting,
    waiting_dir: PathBuf,
    waiting_count: usize,
    /// How many of each sensor.
    waiting_of: HashMap<std::sync::Arc<str>, usize>,
    finished: Vec<([u8; 32], Event)>,
    ruleset: String,
    digest_field: Option<FieldId>,
    stamps: HashMap<(String, i64), Visibility>,
    resume: Option<Position>,
    has_new: bool,
    /// Which event of a batch is looked at.
    at: usize,
}

/// What detection works with.
pub struct DetectionParts {
    /// The rules.
    pub engine: Engine,
    /// Where alerts go.
    pub fanout: Fanout,
    /// Who knows what was seen.
    pub ledger: Ledger,
    /// Scans files, where there are YARA rules.
    pub scans: Option<FileScans>,
    /// Grouping.
    pub groups: GroupSettings,
    /// Its folder.
    pub dir: PathBuf,
}

impl Detection {
    /// Opens the stage with the state it had.
    pub fn open(parts: DetectionParts) -> io::Result<Detection> {
        let DetectionParts { mut engine, fanout, ledger, scans, groups, dir } = parts;
        std::fs::create_dir_all(&dir)?;
        let resume =
            load_snapshot(&dir).and_then(|snapshot| engine.restore(&snapshot.windows).then_some(snapshot.position));
        let waiting_dir = dir.join("waiting");
        let waiting = waiting::load(&waiting_dir)?;
        let mut detection = Detection {
            ruleset: engine.rules().digest().to_owned(),
            groups: Groups::restore(&groups, fanout.recent(RESTORE_MAX)?),
            engine,
            fanout,
            ledger,
            scans,
            waiting: Waiting::new(),
            waiting_count: 0,
            waiting_of: HashMap::new(),
            waiting_dir,
            finished: Vec::new(),
            digest_field: Catalogue::current().field_id("file.hash.sha256"),
            stamps: HashMap::new(),
            resume,
            has_new: false,
            at: 0,
        };
        for (sha256, events) in waiting {
            events.into_iter().for_each(|event| detection.wait(sha256, event));
        }
        detection.ask_all();
        Ok(detection)
    }

    /// Puts other rules in force, between two batches: windows and open alerts go on.
    pub fn change_rules(&mut self, engine: Engine, scans: Option<FileScans>) {
        let windows = self.engine.snapshot();
        self.engine = engine;
        if !self.engine.restore(&windows) {
            tracing::warn!("some windows could not be carried over to the new rules; they start empty");
        }
        self.ruleset = self.engine.rules().digest().to_owned();
        self.scans = scans;
        self.ask_all();
    }

    /// Has every file scanned that events wait for.
    fn ask_all(&self) {
        let Some(scans) = &self.scans else { return };
        for (sha256, events) in &self.waiting {
            let mut sensors: Vec<&str> = events.iter().map(|event| &*event.id.sensor).collect();
            sensors.dedup();
            if let Some((first, others)) = sensors.split_first() {
                scans.ask(*sha256, first);
                others.iter().for_each(|sensor| scans.also(*sha256, sensor));
            }
        }
    }

    /// Whether the windows came from a snapshot.
    pub fn is_resumed(&self) -> bool {
        self.resume.is_some()
    }

    /// Which event of the batch in [`Detection::process`] is looked at.
    pub fn at(&self) -> usize {
        self.at
    }

    /// From where the journal must be read so that no window misses an event: at most `indexed`.
    pub fn resume_from(&self, indexed: Position) -> Position {
        self.resume.map_or(indexed, |position| position.min(indexed))
    }

    /// Looks at events. `is_replay` says that they were processed before a restart: their files were asked for then.
    pub fn process(&mut self, events: &[Event], is_replay: bool, poison: &Poison) -> io::Result<()> {
        self.stamps.clear();
        for (at, event) in events.iter().enumerate() {
            self.at = at;
            if poison.contains(&event.id) {
                continue;
            }
            for found in self.engine.process(event) {
                self.take(&found, event)?;
            }
            if !is_replay {
                self.announce(event)?;
            }
        }
        Ok(())
    }

    /// Takes in what the scanner found meanwhile.
    pub fn take_scans(&mut self) -> io::Result<()> {
        while let Some(scanned) = self.scans.as_ref().and_then(FileScans::done) {
            for event in self.waited(&scanned.sha256) {
                for file_match in &scanned.matches {
                    if let Some(found) = self.engine.file_match(&event, file_match) {
                        self.take(&found, &event)?;
                    }
                }
                self.finished.push((scanned.sha256, event));
            }
        }
        Ok(())
    }

    /// Makes all new and changed alerts durable.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut changed = self.groups.changed();
        self.fanout.append(&mut changed)?;
        self.has_new = false;
        for (sha256, event) in self.finished.drain(..) {
            waiting::forget(&self.waiting_dir, &sha256, &event);
        }
        Ok(())
    }

    /// Whether an alert waits that nobody has seen yet.
    pub fn has_new_alerts(&self) -> bool {
        self.has_new
    }

    /// The state of all windows, when everything before `position` was processed.
    pub fn snapshot(&self, position: Position) -> Snapshot {
        Snapshot { position, windows: self.engine.snapshot() }
    }

    fn take(&mut self, found: &Match, event: &Event) -> io::Result<()> {
        let visibility = self.visibility(event);
        let surroundings = Surroundings { ruleset: &self.ruleset, visibility, now_ns: crate::clock::now_ns() };
        let fanout = &self.fanout;
        let mut failure = None;
        let outcome = self.groups.take(found, event, &surroundings, |id| {
            fanout.get(id).unwrap_or_else(|error| {
                failure = Some(error);
                None
            })
        });
        if outcome == Outcome::Raised {
            self.has_new = true;
            tracing::info!(rule = found.rule.id, sensor = %event.id.sensor, event = %event.id, "raised an alert");
        }
        failure.map_or(Ok(()), Err)
    }

    /// The ledger's stamp; asked once a sensor and minute in a batch.
    fn visibility(&mut self, event: &Event) -> Visibility {
        let minute = event.time_ns.div_euclid(60_000_000_000);
        let ledger = &self.ledger;
        *self
            .stamps
            .entry((event.id.sensor.to_string(), minute))
            .or_insert_with(|| ledger.visibility(&event.id.sensor, event.time_ns))
    }

    /// Has the file of an event scanned, where it has one.
    fn announce(&mut self, event: &Event) -> io::Result<()> {
        let Some(sha256) = self.digest_of(event) else { return Ok(()) };
        let Some(scans) = &self.scans else { return Ok(()) };
        // Behind those that wait for the same file already, so that an alert takes its events in their order.
        if !self.waiting.contains_key(&sha256)
            && let Some(matches) = scans.known(&sha256)
        {
            for file_match in &matches {
                if let Some(found) = self.engine.file_match(event, file_match) {
                    self.take(&found, event)?;
                }
            }
            return Ok(());
        }
        let of_sensor = self.waiting_of.get(&event.id.sensor).copied().unwrap_or_default();
        if self.waiting_count >= waiting::WAITING_MAX || of_sensor >= waiting::PER_SENSOR_MAX {
            scans.dropped();
            tracing::debug!(event = %event.id, "too many files wait for their scan; let go of this one");
            return Ok(());
        }
        let is_first = !self.waiting.contains_key(&sha256);
        if is_first && !scans.ask(sha256, &event.id.sensor) {
            return Ok(());
        }
        if !is_first {
            scans.also(sha256, &event.id.sensor);
        }
        waiting::remember(&self.waiting_dir, &sha256, event)?;
        self.wait(sha256, event.clone());
        Ok(())
    }

    fn wait(&mut self, sha256: [u8; 32], event: Event) {
        *self.waiting_of.entry(event.id.sensor.clone()).or_default() += 1;
        self.waiting_count += 1;
        self.waiting.entry(sha256).or_default().push(event);
    }

    fn waited(&mut self, sha256: &[u8; 32]) -> Vec<Event> {
        let events = self.waiting.remove(sha256).unwrap_or_default();
        for event in &events {
            if let Some(count) = self.waiting_of.get_mut(&event.id.sensor) {
                *count = count.saturating_sub(1);
            }
        }
        self.waiting_count = self.waiting_count.saturating_sub(events.len());
        events
    }

    fn digest_of(&self, event: &Event) -> Option<[u8; 32]> {
        let id = self.digest_field?;
        let (_, value) = event.fields.iter().find(|(field, _)| *field == id)?;
        let Value::Str(text) = value else { return None };
        let mut sha256 = [0; 32];
        hex::decode_to_slice(text.as_bytes(), &mut sha256).ok()?;
        Some(sha256)
    }
}

fn snapshot_path(dir: &Path) -> PathBuf {
    dir.join("windows.bin")
}

/// Keeps a snapshot. Call only once the index has reached its position.
pub fn save_snapshot(dir: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let body = luytre_events::wire::encode(snapshot).map_err(io::Error::other)?;
    let mut bytes = crc32fast::hash(&body).to_le_bytes().to_vec();
    bytes.extend(body);
    files::write_whole(&snapshot_path(dir), &bytes)
}

fn load_snapshot(dir: &Path) -> Option<Snapshot> {
    let bytes = std::fs::read(snapshot_path(dir)).ok()?;
    let (crc, body) = bytes.split_first_chunk::<4>()?;
    (crc32fast::hash(body) == u32::from_le_bytes(*crc)).then(|| luytre_events::wire::decode(body).ok())?
}
