//! Carved files: fetched from the sensor that saw them, kept by content, scanned in the scanner child.
//!
//! Comes in: digests of files that sensors announced ([`FileScans::ask`]). Goes out: what the scanner found
//! ([`FileScans::done`]), once a digest. Files are fetched on the runtime, a few at a time ([`asking`] says from whom), and
//! scanned one after the other on a plain thread, so that neither a slow sensor nor a hostile file holds up detection or
//! the files of others. Contents stand in `DIR/ab/<sha256>`, what was found beside them in `<sha256>.json`; beyond
//! `keep_bytes` the oldest go. Who waits for a digest is remembered by [`super::waiting`] over a restart. When more than
//! [`QUEUE_MAX`] digests wait, further ones are let go of and counted; a sensor that is away is asked again later.

mod asking;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use luytre_collector_api::BrokenRule;
use luytre_events::scan::{FileMatch, YaraSource};
use luytre_rules_engine::scanner::ScannerClient;
use serde::{Deserialize, Serialize};

use self::asking::{Asking, Ended, FileDigest};
use crate::health::Problems;
use crate::intake::{FileError, Files};
use crate::room::{Room, is_full};

/// Most digests that wait for their scan.
pub const QUEUE_MAX: usize = 10_000;
/// A scanner that cannot be started is tried again after this; no file is fetched meanwhile.
const SCANNER_RETRY: Duration = Duration::from_secs(15);
/// How often the service looks whether something may be asked again.
const TICK: Duration = Duration::from_millis(200);

/// How files are kept and scanned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileSettings {
    /// The scanner; nothing means the one beside the collector.
    pub scanner: Option<PathBuf>,
    /// One scan may take this long, in milliseconds.
    pub timeout_ms: u32,
    /// Kept files take at most this much; the oldest go first.
    pub keep_bytes: u64,
}

impl Default for FileSettings {
    fn default() -> Self {
        FileSettings { scanner: None, timeout_ms: 10_000, keep_bytes: 2 << 30 }
    }
}

/// What became of a file.
#[derive(Debug)]
pub struct Scanned {
    /// The file.
    pub sha256: [u8; 32],
    /// The rules that matched; empty when none did or the file could not be had.
    pub matches: Vec<FileMatch>,
}

/// What was counted.
#[derive(Debug, Default)]
pub struct ScanCounts {
    /// Files scanned.
    pub scanned: AtomicU64,
    /// Files that no sensor had any more, or that never came.
    pub missing: AtomicU64,
    /// Times a sensor did not send a file in time; it is left alone for a while.
    pub late: AtomicU64,
    /// Files whose scan failed.
    pub failed: AtomicU64,
    /// Times the scanner died or had to be ended.
    pub restarts: AtomicU64,
    /// Files let go of because too many waited, of one sensor or of all.
    pub dropped: AtomicU64,
}

impl ScanCounts {
    /// Name and number of each.
    pub fn all(&self) -> [(&'static str, u64); 6] {
        [
            ("scanned", &self.scanned),
            ("missing", &self.missing),
            ("late", &self.late),
            ("failed", &self.failed),
            ("scanner_restarted", &self.restarts),
            ("dropped", &self.dropped),
        ]
        .map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    rules: String,
    matches: Vec<FileMatch>,
}

/// What the service's thread is told.
enum Told {
    Announced { sha256: FileDigest, sensor: String, is_first: bool },
    Fetched { sha256: FileDigest, sensor: String, content: Result<Vec<u8>, FileError> },
}

/// The service; dropping it ends its thread.
pub struct FileScans {
    dir: PathBuf,
    rules: String,
    tell: Sender<Told>,
    /// Digests that wait.
    queued: Arc<AtomicUsize>,
    done: Receiver<Scanned>,
    counts: Arc<ScanCounts>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// YARA sources that the scanner could not use, for the rules page.
pub type BrokenSources = Arc<Mutex<Vec<BrokenRule>>>;

/// What the service works with.
pub struct FileParts {
    /// Where files are kept.
    pub dir: PathBuf,
    /// How.
    pub settings: FileSettings,
    /// Who has the files.
    pub files: Files,
    /// The runtime on which sensors are asked.
    pub runtime: tokio::runtime::Handle,
    /// The YARA rules.
    pub sources: Vec<YaraSource>,
    /// Digest of the rule set: results of other rules do not count.
    pub rules: String,
    /// Where broken sources are told.
    pub broken: BrokenSources,
    /// What was counted.
    pub counts: Arc<ScanCounts>,
    /// Where trouble is told.
    pub problems: Problems,
    /// Whether there is room in `dir`.
    pub room: Room,
}

impl FileScans {
    /// Starts the service.
    pub fn start(parts: FileParts) -> io::Result<FileScans> {
        std::fs::create_dir_all(&parts.dir)?;
        let (tell, told) = channel();
        let (tell_done, done) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let queued = Arc::new(AtomicUsize::new(0));
        let dir = parts.dir.clone();
        let rules = parts.rules.clone();
        let counts = parts.counts.clone();
        let mut worker = Worker::new(parts, tell.clone(), tell_done, queued.clone(), stop.clone())?;
        let thread = std::thread::Builder::new().name("files".to_owned()).spawn(move || worker.run(&told))?;
        Ok(FileScans { dir, rules, tell, queued, done, counts, stop, thread: Some(thread) })
    }

    /// What is known of a file already, under the rules in force.
    pub fn known(&self, sha256: &[u8; 32]) -> Option<Vec<FileMatch>> {
        let text = std::fs::read(outcome_path(&self.dir, sha256)).ok()?;
        let outcome: Outcome = serde_json::from_slice(&text).ok()?;
        (outcome.rules == self.rules).then_some(outcome.matches)
    }

    /// Wishes a file scanned that was not wished for before; answers whether it will be.
    pub fn ask(&self, sha256: [u8; 32], sensor: &str) -> bool {
        if self.queued.fetch_add(1, Ordering::Relaxed) >= QUEUE_MAX || !self.announce(sha256, sensor, true) {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            self.dropped();
            return false;
        }
        true
    }

    /// Another sensor has announced a file that was wished for: it can be asked too.
    pub fn also(&self, sha256: [u8; 32], sensor: &str) {
        self.announce(sha256, sensor, false);
    }

    fn announce(&self, sha256: FileDigest, sensor: &str, is_first: bool) -> bool {
        self.tell.send(Told::Announced { sha256, sensor: sensor.to_owned(), is_first }).is_ok()
    }

    /// Counts a file that nobody will scan, because too many wait.
    pub fn dropped(&self) {
        self.counts.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// The next finished scan, if there is one.
    pub fn done(&self) -> Option<Scanned> {
        self.done.try_recv().ok()
    }
}

impl Drop for FileScans {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported where it happened.
            let _ = thread.join();
        }
    }
}

struct Worker {
    parts: FileParts,
    tell: Sender<Told>,
    tell_done: Sender<Scanned>,
    queued: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    scanner: ScannerClient,
    /// How many restarts of it are counted.
    restarts: u64,
    /// Until when the scanner is not tried again.
    resting: Option<Instant>,
    asking: Asking,
    kept_bytes: u64,
}

impl Worker {
    fn new(
        parts: FileParts,
        tell: Sender<Told>,
        tell_done: Sender<Scanned>,
        queued: Arc<AtomicUsize>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Worker> {
        let program = parts.settings.scanner.clone().unwrap_or_else(ScannerClient::program_beside);
        let scanner = ScannerClient::new(&program, parts.sources.clone(), parts.settings.timeout_ms);
        let kept_bytes = kept_files(&parts.dir)?.iter().map(|(_, bytes, _)| bytes).sum();
        let asking = Asking::default();
        Ok(Worker { parts, tell, tell_done, queued, stop, scanner, restarts: 0, resting: None, asking, kept_bytes })
    }

    fn run(&mut self, told: &Receiver<Told>) {
        self.start_scanner();
        loop {
            match told.recv_timeout(TICK) {
                Ok(first) => std::iter::once(first).chain(told.try_iter()).for_each(|one| self.hear(one)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.is_over() {
                return;
            }
            let now = Instant::now();
            while let Some(sha256) = self.asking.outlived(now) {
                self.give_up(sha256);
            }
            if self.resting.is_none_or(|until| until <= now) {
                self.ask_sensors(now);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn hear(&mut self, told: Told) {
        // What is still to be heard when everything stops is remembered by whoever waits for it.
        if self.is_over() {
            return;
        }
        match told {
            // What was found in it is on its way already.
            Told::Announced { sha256, is_first: false, .. } if !self.asking.is_wanted(&sha256) => {}
            Told::Announced { sha256, sensor, is_first } => {
                self.asking.want(sha256, sensor, Instant::now());
                if is_first {
                    self.scan_kept(sha256);
                }
            }
            Told::Fetched { sha256, sensor, content } => self.fetched(sha256, &sensor, content),
        }
    }

    fn ask_sensors(&mut self, now: Instant) {
        while let Some((sha256, sensor)) = self.asking.next(now) {
            if self.scan_kept(sha256) {
                self.asking.close(&sha256, &sensor);
                if self.resting.is_some() {
                    return;
                }
                continue;
            }
            let (files, tell) = (self.parts.files.clone(), self.tell.clone());
            self.parts.runtime.spawn(async move {
                let content = files.fetch(&sensor, sha256).await;
                // The service may have ended meanwhile.
                let _ = tell.send(Told::Fetched { sha256, sensor, content });
            });
        }
    }

    /// Scans a file that is here from an earlier scan under other rules. Answers whether it is.
    fn scan_kept(&mut self, sha256: FileDigest) -> bool {
        let kept = std::fs::read(content_path(&self.parts.dir, &sha256));
        kept.is_ok_and(|content| {
            self.scan(sha256, &content);
            true
        })
    }

    fn fetched(&mut self, sha256: FileDigest, sensor: &str, content: Result<Vec<u8>, FileError>) {
        let ended = match content {
            Ok(content) => {
                self.asking.close(&sha256, sensor);
                return self.scan(sha256, &content);
            }
            Err(FileError::Absent(_)) => Ended::Away,
            Err(FileError::Gone(_)) => Ended::Gone,
            Err(error @ FileError::Late(_)) => {
                tracing::warn!(%error, sha256 = hex::encode(sha256), "a file did not come; others come first");
                self.parts.counts.late.fetch_add(1, Ordering::Relaxed);
                Ended::Late
            }
        };
        if self.asking.failed(&sha256, sensor, ended, Instant::now()) {
            self.give_up(sha256);
        }
    }

    fn give_up(&mut self, sha256: FileDigest) {
        tracing::warn!(sha256 = hex::encode(sha256), "a file could not be scanned: no sensor sent it");
        self.parts.counts.missing.fetch_add(1, Ordering::Relaxed);
        self.finish(sha256, Vec::new());
    }

    fn start_scanner(&mut self) {
        match self.scanner.start() {
            Ok(()) => self.parts.problems.clear("scanner"),
            Err(error) => self.parts.problems.raise("scanner", error.to_string()),
        }
        let broken = self.scanner.broken().iter().map(|b| BrokenRule {
            file: b.file.clone(),
            line: b.line,
            reason: b.reason.clone(),
        });
        *self.parts.broken.lock().unwrap_or_else(PoisonError::into_inner) = broken.collect();
    }

    fn scan(&mut self, sha256: FileDigest, content: &[u8]) {
        // Not the file's fault: it is fetched again once there is a scanner.
        if let Err(error) = self.scanner.start() {
            self.parts.problems.raise("scanner", error.to_string());
            self.resting = Some(Instant::now() + SCANNER_RETRY);
            return;
        }
        self.resting = None;
        self.parts.problems.clear("scanner");
        let scanned = self.scanner.scan(content);
        let counts = &self.parts.counts;
        let restarts = self.scanner.restarts();
        counts.restarts.fetch_add(restarts - std::mem::replace(&mut self.restarts, restarts), Ordering::Relaxed);
        let matches = match scanned {
            Ok(matches) => {
                counts.scanned.fetch_add(1, Ordering::Relaxed);
                let kept = self.keep(sha256, content, &matches);
                match self.parts.room.note(kept) {
                    Ok(()) => self.parts.problems.clear("files"),
                    Err(error) if is_full(&error) => {}
                    Err(error) => {
                        let dir = self.parts.dir.display();
                        self.parts.problems.raise("files", format!("keep a carved file in {dir}: {error}"));
                    }
                }
                matches
            }
            Err(error) => {
                tracing::warn!(%error, sha256 = hex::encode(sha256), "a file could not be scanned");
                counts.failed.fetch_add(1, Ordering::Relaxed);
                Vec::new()
            }
        };
        self.finish(sha256, matches);
    }

    fn finish(&mut self, sha256: FileDigest, matches: Vec<FileMatch>) {
        self.asking.forget(&sha256);
        self.queued.fetch_sub(1, Ordering::Relaxed);
        // The receiver is gone only when everything stops.
        let _ = self.tell_done.send(Scanned { sha256, matches });
    }

    fn keep(&mut self, sha256: FileDigest, content: &[u8], matches: &[FileMatch]) -> io::Result<()> {
        let path = content_path(&self.parts.dir, &sha256);
        if !path.exists() {
            write_whole(&path, content)?;
            self.kept_bytes += content.len() as u64;
        }
        let outcome = Outcome { rules: self.parts.rules.clone(), matches: matches.to_vec() };
        write_whole(&outcome_path(&self.parts.dir, &sha256), &serde_json::to_vec(&outcome)?)?;
        if self.kept_bytes > self.parts.settings.keep_bytes {
            self.make_room()?;
        }
        Ok(())
    }

    fn make_room(&mut self) -> io::Result<()> {
        let mut files = kept_files(&self.parts.dir)?;
        files.sort_by_key(|(_, _, modified)| *modified);
        let wanted = self.parts.settings.keep_bytes / 10 * 9;
        for (path, bytes, _) in files {
            if self.kept_bytes <= wanted {
                break;
            }
            std::fs::remove_file(&path)?;
            self.kept_bytes = self.kept_bytes.saturating_sub(bytes);
        }
        Ok(())
    }
}

type KeptFile = (PathBuf, u64, std::time::SystemTime);

/// Every content and outcome with its size and age.
fn kept_files(dir: &Path) -> io::Result<Vec<KeptFile>> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(dir)?.flatten().filter(|e| e.file_name().len() == 2) {
        for file in std::fs::read_dir(folder.path())?.flatten() {
            let meta = file.metadata()?;
            files.push((file.path(), meta.len(), meta.modified()?));
        }
    }
    Ok(files)
}

fn content_path(dir: &Path, sha256: &[u8; 32]) -> PathBuf {
    let name = hex::encode(sha256);
    dir.join(name.get(..2).unwrap_or_default()).join(name)
}

fn outcome_path(dir: &Path, sha256: &[u8; 32]) -> PathBuf {
    content_path(dir, sha256).with_extension("json")
}

/// Writes a file that is there whole or not at all.
pub(in crate::detect) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension("tmp");
    let written = std::fs::write(&temporary, content).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // What was written of it would only take up room.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Files by digest that somebody waits for.
pub type Waiting = HashMap<[u8; 32], Vec<luytre_events::Event>>;

#[cfg(test)]
mod tests;
