//! Carved files: fetched from the sensor that saw them, kept by content, scanned in the scanner child.
//!
//! Comes in: digests of files that sensors announced ([`FileScans::ask`]). Goes out: what the scanner found
//! ([`FileScans::done`]), once a digest. One plain thread does the work, so that neither a slow sensor nor a hostile file
//! holds up detection. Contents stand in `DIR/ab/<sha256>`, what was found beside them in `<sha256>.json`; beyond
//! `keep_bytes` the oldest go. Who waits for a digest is remembered by [`super::waiting`] over a restart. When more than
//! [`QUEUE_MAX`] digests wait, further ones are let go of and counted; a sensor that is away is asked again later.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use luytre_collector_api::BrokenRule;
use luytre_events::scan::{FileMatch, YaraSource};
use luytre_rules_engine::scanner::{ScannerClient, ScannerError};
use serde::{Deserialize, Serialize};

use crate::health::Problems;
use crate::intake::{FileError, Files};

/// Most digests that wait for their scan.
pub const QUEUE_MAX: usize = 10_000;
/// A file is asked for at most so often when the sensor does not answer in time.
const LATE_MAX: u32 = 3;
/// A sensor that is away is asked again after this.
const AWAY_RETRY: Duration = Duration::from_secs(15);

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
    /// Files that the sensor no longer had, or never sent.
    pub missing: AtomicU64,
    /// Files whose scan failed.
    pub failed: AtomicU64,
    /// Times the scanner died or had to be ended.
    pub restarts: AtomicU64,
    /// Files let go of because too many waited.
    pub dropped: AtomicU64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    rules: String,
    matches: Vec<FileMatch>,
}

struct Wish {
    sha256: [u8; 32],
    sensor: String,
    not_before: Instant,
    late: u32,
}

/// The service; dropping it ends its thread.
pub struct FileScans {
    dir: PathBuf,
    rules: String,
    wishes: SyncSender<Wish>,
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
}

impl FileScans {
    /// Starts the service.
    pub fn start(parts: FileParts) -> io::Result<FileScans> {
        std::fs::create_dir_all(&parts.dir)?;
        let (wishes, wished) = sync_channel(QUEUE_MAX);
        let (tell, done) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let dir = parts.dir.clone();
        let rules = parts.rules.clone();
        let counts = parts.counts.clone();
        let mut worker = Worker::new(parts, tell, stop.clone())?;
        let thread = std::thread::Builder::new().name("files".to_owned()).spawn(move || worker.run(&wished))?;
        Ok(FileScans { dir, rules, wishes, done, counts, stop, thread: Some(thread) })
    }

    /// What is known of a file already, under the rules in force.
    pub fn known(&self, sha256: &[u8; 32]) -> Option<Vec<FileMatch>> {
        let text = std::fs::read(outcome_path(&self.dir, sha256)).ok()?;
        let outcome: Outcome = serde_json::from_slice(&text).ok()?;
        (outcome.rules == self.rules).then_some(outcome.matches)
    }

    /// Wishes a file scanned; answers whether it will be.
    pub fn ask(&self, sha256: [u8; 32], sensor: &str) -> bool {
        let wish = Wish { sha256, sensor: sensor.to_owned(), not_before: Instant::now(), late: 0 };
        match self.wishes.try_send(wish) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
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
    tell: Sender<Scanned>,
    stop: Arc<AtomicBool>,
    scanner: ScannerClient,
    waiting: VecDeque<Wish>,
    kept_bytes: u64,
}

impl Worker {
    fn new(parts: FileParts, tell: Sender<Scanned>, stop: Arc<AtomicBool>) -> io::Result<Worker> {
        let program = parts.settings.scanner.clone().unwrap_or_else(ScannerClient::program_beside);
        let scanner = ScannerClient::new(&program, parts.sources.clone(), parts.settings.timeout_ms);
        let kept_bytes = kept_files(&parts.dir)?.iter().map(|(_, bytes, _)| bytes).sum();
        Ok(Worker { parts, tell, stop, scanner, waiting: VecDeque::new(), kept_bytes })
    }

    fn run(&mut self, wished: &Receiver<Wish>) {
        self.start_scanner();
        while !self.stop.load(Ordering::Relaxed) {
            match wished.recv_timeout(Duration::from_millis(200)) {
                Ok(wish) => self.waiting.push_back(wish),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = Instant::now();
            for _ in 0..self.waiting.len() {
                match self.waiting.pop_front() {
                    Some(wish) if wish.not_before > now => self.waiting.push_back(wish),
                    Some(wish) => self.work(wish),
                    None => {}
                }
                if self.stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
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

    fn work(&mut self, mut wish: Wish) {
        let content = match std::fs::read(content_path(&self.parts.dir, &wish.sha256)) {
            Ok(content) => Ok(content),
            Err(_) => self.parts.runtime.block_on(self.parts.files.fetch(&wish.sensor, wish.sha256)),
        };
        let counts = &self.parts.counts;
        match content {
            Ok(content) => self.scan(&wish, &content),
            Err(FileError::Absent(_)) => {
                wish.not_before = Instant::now() + AWAY_RETRY;
                self.wait_again(wish);
            }
            Err(FileError::Late(_)) if wish.late < LATE_MAX => {
                wish.late += 1;
                wish.not_before = Instant::now() + AWAY_RETRY;
                self.wait_again(wish);
            }
            Err(error) => {
                tracing::warn!(%error, sha256 = hex::encode(wish.sha256), "a file could not be scanned");
                counts.missing.fetch_add(1, Ordering::Relaxed);
                self.finish(&wish, Vec::new());
            }
        }
    }

    fn wait_again(&mut self, wish: Wish) {
        if self.waiting.len() >= QUEUE_MAX {
            self.parts.counts.dropped.fetch_add(1, Ordering::Relaxed);
            self.finish(&wish, Vec::new());
        } else {
            self.waiting.push_back(wish);
        }
    }

    fn scan(&mut self, wish: &Wish, content: &[u8]) {
        let scanned = self.scanner.scan(content);
        let counts = &self.parts.counts;
        counts.restarts.store(self.scanner.restarts(), Ordering::Relaxed);
        match scanned {
            Ok(matches) => {
                self.parts.problems.clear("scanner");
                counts.scanned.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = self.keep(wish, content, &matches) {
                    self.parts
                        .problems
                        .raise("files", format!("keep a carved file: {error}; check the room on the disk"));
                } else {
                    self.parts.problems.clear("files");
                }
                self.finish(wish, matches);
            }
            Err(error @ ScannerError::Start { .. }) => {
                self.parts.problems.raise("scanner", error.to_string());
                let again = Wish {
                    sha256: wish.sha256,
                    sensor: wish.sensor.clone(),
                    not_before: Instant::now() + AWAY_RETRY,
                    late: wish.late,
                };
                self.wait_again(again);
            }
            Err(error) => {
                tracing::warn!(%error, sha256 = hex::encode(wish.sha256), "a file could not be scanned");
                counts.failed.fetch_add(1, Ordering::Relaxed);
                self.finish(wish, Vec::new());
            }
        }
    }

    fn finish(&self, wish: &Wish, matches: Vec<FileMatch>) {
        // The receiver is gone only when everything stops.
        let _ = self.tell.send(Scanned { sha256: wish.sha256, matches });
    }

    fn keep(&mut self, wish: &Wish, content: &[u8], matches: &[FileMatch]) -> io::Result<()> {
        let path = content_path(&self.parts.dir, &wish.sha256);
        if !path.exists() {
            write_whole(&path, content)?;
            self.kept_bytes += content.len() as u64;
        }
        let outcome = Outcome { rules: self.parts.rules.clone(), matches: matches.to_vec() };
        write_whole(&outcome_path(&self.parts.dir, &wish.sha256), &serde_json::to_vec(&outcome)?)?;
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
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, content)?;
    std::fs::rename(&temporary, path)
}

/// Files by digest that somebody waits for.
pub type Waiting = HashMap<[u8; 32], Vec<luytre_events::Event>>;
