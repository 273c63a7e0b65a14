//! Drives a luytre-scanner child: starts it, gives it the rules, hands it files, and starts it again when it dies or
//! takes too long. Blocking; a collector keeps it on a thread of its own.
//!
//! Nothing a file does to the child reaches the parent: a death or a time-out is an error for that one file and counts in
//! [`ScannerClient::restarts`]. A file that killed the child is not tried again by itself.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use luytre_events::scan::{self, BrokenYara, FileMatch, ScanAnswer, ScanRequest, YaraSource};

/// How long compiling all rules may take: thousands of rules take some ten seconds on a slow machine.
const COMPILE_LIMIT: Duration = Duration::from_secs(180);
/// What is added to the scan's own limit before the child is given up.
const GRACE: Duration = Duration::from_secs(5);

/// Why a file was not scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScannerError {
    /// The program could not be started.
    #[error("start the scanner {program}: {source}; is luytre-scanner installed beside this program?")]
    Start {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The child died or answered nonsense; it is started again for the next file.
    #[error("the scanner ended while working: {0}")]
    Died(String),
    /// The child did not answer in time; it was ended.
    #[error("the scanner did not answer within {0:?}")]
    TimedOut(Duration),
    /// The scan itself failed (its own time limit, say); the child lives.
    #[error("scan the file: {0}")]
    Failed(String),
}

/// A scanner with its rules.
pub struct ScannerClient {
    program: PathBuf,
    sources: Vec<YaraSource>,
    timeout_ms: u32,
    child: Option<Running>,
    next_id: u64,
    broken: Vec<BrokenYara>,
    rules: u32,
    starts: u64,
}

struct Running {
    child: Child,
    input: ChildStdin,
    answers: Receiver<io::Result<ScanAnswer>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl ScannerClient {
    /// A scanner that will be started for the first file. `timeout_ms` limits one scan.
    pub fn new(program: &Path, sources: Vec<YaraSource>, timeout_ms: u32) -> ScannerClient {
        ScannerClient {
            program: program.to_owned(),
            sources,
            timeout_ms,
            child: None,
            next_id: 1,
            broken: Vec::new(),
            rules: 0,
            starts: 0,
        }
    }

    /// The scanner beside the running program, where an installation and a build put it.
    pub fn program_beside() -> PathBuf {
        let beside = std::env::current_exe().ok().and_then(|p| Some(p.parent()?.join("luytre-scanner")));
        beside.unwrap_or_else(|| PathBuf::from("luytre-scanner"))
    }

    /// Starts the child if it is not running and compiles the rules. Scanning does it by itself.
    pub fn start(&mut self) -> Result<(), ScannerError> {
        // One that ended while nobody asked it is started again: that is no file's fault.
        if self.child.as_mut().is_some_and(|running| matches!(running.child.try_wait(), Ok(None))) {
            return Ok(());
        }
        self.child = None;
        let mut running =
            spawn(&self.program).map_err(|source| ScannerError::Start { program: self.program.clone(), source })?;
        self.starts += 1;
        let request = ScanRequest::Rules { sources: self.sources.clone(), timeout_ms: self.timeout_ms };
        match ask(&mut running, &request, COMPILE_LIMIT)? {
            ScanAnswer::Ready { rules, broken } => (self.rules, self.broken) = (rules, broken),
            other => return Err(ScannerError::Died(format!("it answered {other:?} to the rules"))),
        }
        self.child = Some(running);
        Ok(())
    }

    /// Scans one file.
    pub fn scan(&mut self, content: &[u8]) -> Result<Vec<FileMatch>, ScannerError> {
        self.start()?;
        let id = self.next_id;
        self.next_id += 1;
        let Some(running) = &mut self.child else { return Err(ScannerError::Died("it is not running".into())) };
        let limit = Duration::from_millis(self.timeout_ms.into()) + GRACE;
        let answer = ask(running, &ScanRequest::Scan { id, content: content.to_vec() }, limit);
        match answer {
            Ok(ScanAnswer::Done { id: done, matches }) if done == id => Ok(matches),
            Ok(ScanAnswer::Failed { id: done, reason }) if done == id => Err(ScannerError::Failed(reason)),
            Ok(other) => {
                self.child = None;
                Err(ScannerError::Died(format!("it answered {other:?} to file {id}")))
            }
            Err(error) => {
                self.child = None;
                Err(error)
            }
        }
    }

    /// Sources that could not be compiled; known after the start.
    pub fn broken(&self) -> &[BrokenYara] {
        &self.broken
    }

    /// How many rules run; known after the start.
    pub fn rules(&self) -> u32 {
        self.rules
    }

    /// How often the child had to be started again.
    pub fn restarts(&self) -> u64 {
        self.starts.saturating_sub(1)
    }
}

fn spawn(program: &Path) -> io::Result<Running> {
    let mut child = Command::new(program)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let (Some(input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("no pipes"));
    };
    // Answers come one a request, so a place for one is enough for the reader never to wait.
    let (sender, answers) = sync_channel(1);
    std::thread::Builder::new().name("scanner-answers".into()).spawn(move || {
        loop {
            let answer = match scan::read_frame(&mut output) {
                Ok(Some(answer)) => Ok(answer),
                Ok(None) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Err(error),
            };
            let last = answer.is_err();
            if sender.send(answer).is_err() || last {
                return;
            }
        }
    })?;
    Ok(Running { child, input, answers })
}

fn ask(running: &mut Running, request: &ScanRequest, limit: Duration) -> Result<ScanAnswer, ScannerError> {
    scan::write_frame(&mut running.input, request).map_err(|e| ScannerError::Died(e.to_string()))?;
    match running.answers.recv_timeout(limit) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(ScannerError::Died(error.to_string())),
        Err(RecvTimeoutError::Timeout) => Err(ScannerError::TimedOut(limit)),
        Err(RecvTimeoutError::Disconnected) => Err(ScannerError::Died("its output was closed".into())),
    }
}
