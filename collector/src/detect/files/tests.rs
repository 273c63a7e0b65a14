//! Sensors that do not answer and a scanner that dies, hangs or cannot be started: each costs its own file at most.
//!
//! The scanner is played by a small Python program that speaks the scanner's frames and does what a file's content says.

use std::os::unix::fs::PermissionsExt as _;

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::*;
use crate::intake::Wish;

/// Frames are a length (4 bytes, big endian) and a postcard body; `Ready` is 0, `Done` 1, `Scan` 1.
const SCANNER: &str = r#"#!/usr/bin/python3
import os, signal, struct, sys, time

def read(count):
    data = sys.stdin.buffer.read(count)
    if len(data) < count:
        sys.exit(0)
    return data

def number(body, at):
    value, shift = 0, 0
    while True:
        byte = body[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at

def answer(body):
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
    sys.stdout.buffer.flush()

def encoded(value):
    body = b""
    while value >= 0x80:
        body, value = body + bytes([value & 0x7F | 0x80]), value >> 7
    return body + bytes([value])

while True:
    body = read(struct.unpack(">I", read(4))[0])
    if body[0] == 0:
        answer(bytes([0, 0, 0]))
        continue
    file, at = number(body, 1)
    length, at = number(body, at)
    content = body[at:at + length]
    if content.startswith(b"killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if content.startswith(b"hangs"):
        time.sleep(600)
    if content.startswith(b"nonsense"):
        answer(b"\xff" * 40)
        continue
    answer(bytes([1]) + encoded(file) + bytes([0]))
    if content.startswith(b"ends"):
        open(__file__ + ".ended", "w").write(str(os.getpid()))
        sys.exit(0)
"#;

struct Rig {
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    files: Files,
    counts: Arc<ScanCounts>,
    problems: Problems,
}

impl Rig {
    fn new() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Rig { dir, runtime, files: Files::default(), counts: Arc::default(), problems: Problems::default() }
    }

    fn scanner(&self) -> PathBuf {
        self.dir.path().join("scanner.py")
    }

    fn install_scanner(&self) {
        std::fs::write(self.scanner(), SCANNER).unwrap();
        std::fs::set_permissions(self.scanner(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn start(&self) -> FileScans {
        FileScans::start(FileParts {
            dir: self.dir.path().join("files"),
            settings: FileSettings { scanner: Some(self.scanner()), timeout_ms: 1, ..FileSettings::default() },
            files: self.files.clone(),
            runtime: self.runtime.handle().clone(),
            sources: Vec::new(),
            rules: "rules".to_owned(),
            broken: BrokenSources::default(),
            counts: self.counts.clone(),
            problems: self.problems.clone(),
            room: Default::default(),
        })
        .unwrap()
    }

    /// Waits until the scanner has ended by itself: it is dead, and nobody has looked after it yet.
    fn wait_for_its_end(&self) {
        let began = Instant::now();
        let is_dead = || {
            let id = std::fs::read_to_string(self.scanner().with_extension("py.ended")).ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            stat.rsplit(") ").next().map(|rest| rest.starts_with('Z'))
        };
        while is_dead() != Some(true) {
            assert!(began.elapsed() < Duration::from_secs(60), "the scanner does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A sensor that has these files.
    fn sensor(&self, name: &str, contents: &[&str]) {
        let has: HashMap<FileDigest, Vec<u8>> = contents.iter().map(|c| (digest(c), c.as_bytes().to_vec())).collect();
        let mut wishes = self.files.listen(&name.into());
        self.runtime.spawn(async move {
            while let Some(wish) = wishes.recv().await {
                let _ = wish.answer.send(has.get(&wish.sha256).cloned());
            }
        });
    }

    /// A sensor that is connected, takes every question and never answers.
    fn mute(&self, name: &str) -> mpsc::Receiver<Wish> {
        self.files.listen(&name.into())
    }
}

fn digest(content: &str) -> FileDigest {
    Sha256::digest(content.as_bytes()).into()
}

/// The next files that are done, so many of them.
fn done(scans: &FileScans, count: usize) -> Vec<FileDigest> {
    let began = Instant::now();
    let mut done = Vec::new();
    while done.len() < count {
        match scans.done() {
            Some(scanned) => done.push(scanned.sha256),
            None => std::thread::sleep(Duration::from_millis(5)),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{} of {count} files are done", done.len());
    }
    done
}

#[test]
fn a_sensor_that_never_answers_does_not_starve_the_others() {
    let rig = Rig::new();
    rig.install_scanner();
    let mut mute = rig.mute("mute");
    rig.sensor("well", &["a", "b"]);
    let scans = rig.start();
    for number in 0..200 {
        assert!(scans.ask(digest(&format!("never sent {number}")), "mute"));
    }
    assert!(scans.ask(digest("a"), "well") && scans.ask(digest("b"), "well"));
    // Long before the first question to the mute sensor lapses: it is still waiting for its answer.
    assert_eq!(done(&scans, 2), [digest("a"), digest("b")]);
    let asked: Vec<Wish> = std::iter::from_fn(|| mute.try_recv().ok()).collect();
    assert_eq!(asked.len(), asking::PER_SENSOR_MAX);
    assert!(asked.iter().all(|wish| !wish.answer.is_closed()));
}

#[test]
fn a_file_comes_from_whoever_has_it() {
    let rig = Rig::new();
    rig.install_scanner();
    rig.sensor("had it", &[]);
    rig.sensor("has it", &["a"]);
    let scans = rig.start();
    assert!(scans.ask(digest("a"), "had it"));
    scans.also(digest("a"), "has it");
    assert_eq!(done(&scans, 1), [digest("a")]);
    assert!(scans.known(&digest("a")).is_some_and(|matches| matches.is_empty()));
    assert!(scans.ask(digest("nobody's"), "had it"));
    done(&scans, 1);
    assert_eq!((rig.counts.scanned.load(Ordering::Relaxed), rig.counts.missing.load(Ordering::Relaxed)), (1, 1));
}

#[test]
fn a_file_that_kills_or_hangs_the_scanner_costs_only_itself() {
    let rig = Rig::new();
    rig.install_scanner();
    let contents = ["before", "killed by this", "between", "hangs on this", "nonsense from this", "after"];
    rig.sensor("dc", &contents);
    let scans = rig.start();
    for content in contents {
        assert!(scans.ask(digest(content), "dc"));
    }
    let mut finished = done(&scans, contents.len());
    finished.sort_unstable();
    let mut all = contents.map(digest);
    all.sort_unstable();
    assert_eq!(finished, all, "each file once");
    for content in ["before", "between", "after"] {
        assert!(scans.known(&digest(content)).is_some(), "{content}");
    }
    for content in ["killed by this", "hangs on this", "nonsense from this"] {
        assert!(scans.known(&digest(content)).is_none(), "{content}");
    }
    let counted: HashMap<&str, u64> = rig.counts.all().into_iter().collect();
    assert_eq!((counted["scanned"], counted["failed"]), (3, 3));
    assert!(counted["scanner_restarted"] >= 2, "{counted:?}");
    assert!(rig.problems.list().is_empty(), "{:?}", rig.problems.list());
}

#[test]
fn a_scanner_that_dies_between_two_files_costs_neither() {
    let rig = Rig::new();
    rig.install_scanner();
    rig.sensor("dc", &["a", "ends after this"]);
    let scans = rig.start();
    assert!(scans.ask(digest("ends after this"), "dc"));
    done(&scans, 1);
    rig.wait_for_its_end();
    assert!(scans.ask(digest("a"), "dc"));
    done(&scans, 1);
    assert!(scans.known(&digest("a")).is_some());
    let counted: HashMap<&str, u64> = rig.counts.all().into_iter().collect();
    assert_eq!((counted["scanned"], counted["failed"], counted["scanner_restarted"]), (2, 0, 1));
}

#[test]
fn without_a_scanner_files_wait_and_the_problem_is_told() {
    let rig = Rig::new();
    rig.sensor("dc", &["a"]);
    let scans = rig.start();
    assert!(scans.ask(digest("a"), "dc"));
    let began = Instant::now();
    while rig.problems.list().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(rig.problems.list()[0].contains("is luytre-scanner installed"), "{:?}", rig.problems.list());
    assert!(scans.done().is_none(), "the file still waits");
    assert_eq!(rig.counts.failed.load(Ordering::Relaxed), 0);
}
