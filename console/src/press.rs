//! Has documents typeset: runs `luytre-press` as a child process with the document on its standard input and the PDF on
//! its standard output. The child gets no environment and no files, a memory limit and a time limit; a child that is
//! too slow is killed. At most [`AT_ONCE`] run at once, others wait their turn.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use crate::reports::document::Document;
use crate::settings::PressSettings;

/// How many run at once.
pub const AT_ONCE: usize = 2;

/// The largest PDF that is taken.
pub const MAX_PDF_BYTES: u64 = 64 << 20;

/// How much of the child's complaints is kept for the log.
const MAX_COMPLAINT_BYTES: u64 = 4096;

/// Has documents typeset.
#[derive(Debug)]
pub struct Press {
    program: PathBuf,
    timeout: Duration,
    memory_mib: u64,
    turns: Semaphore,
}

impl Press {
    /// Finds the program; it is started when a document comes.
    pub fn new(settings: &PressSettings) -> Self {
        let beside = || std::env::current_exe().ok().and_then(|me| Some(me.parent()?.join("luytre-press")));
        Press {
            program: settings.program.clone().or_else(beside).unwrap_or_else(|| PathBuf::from("luytre-press")),
            timeout: Duration::from_millis(settings.timeout_ms),
            memory_mib: settings.memory_mib,
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Whether the program is there.
    pub fn is_there(&self) -> bool {
        self.program.is_file()
    }

    /// Where the program should be.
    pub fn program(&self) -> &std::path::Path {
        &self.program
    }

    /// Typesets a document; answers the PDF.
    pub async fn print(&self, document: &Document) -> anyhow::Result<Vec<u8>> {
        let _turn = self.turns.acquire().await?;
        let input = serde_json::to_vec(document)?;
        let mut child = self.start()?;
        let work = talk(&mut child, &input);
        let (pdf, complaint) = tokio::time::timeout(self.timeout, work).await.map_err(|_| {
            anyhow::anyhow!("{} took longer than {} ms", self.program.display(), self.timeout.as_millis())
        })??;
        let status = child.wait().await?;
        if !status.success() || !pdf.starts_with(b"%PDF") {
            anyhow::bail!("{} failed ({status}): {}", self.program.display(), complaint.trim());
        }
        Ok(pdf)
    }

    fn start(&self) -> anyhow::Result<Child> {
        Command::new(&self.program)
            .arg("--memory-mib")
            .arg(self.memory_mib.to_string())
            .env_clear()
            // Threads and arenas cost address space, which is what the limit counts.
            .env("RAYON_NUM_THREADS", "2")
            .env("MALLOC_ARENA_MAX", "2")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", self.program.display()))
    }
}

/// Writes the input and reads both outputs at the same time, so that no full pipe blocks the other.
async fn talk(child: &mut Child, input: &[u8]) -> anyhow::Result<(Vec<u8>, String)> {
    let mut stdin = child.stdin.take().context("talk to the press")?;
    let stdout = child.stdout.take().context("listen to the press")?;
    let stderr = child.stderr.take().context("listen to the press")?;
    let write = async move {
        // A child that has died says why on its standard error; the broken pipe says nothing more.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let read_pdf = async move {
        let mut pdf = Vec::new();
        stdout.take(MAX_PDF_BYTES + 1).read_to_end(&mut pdf).await.map(|_| pdf)
    };
    let read_complaint = async move {
        let mut complaint = Vec::new();
        stderr.take(MAX_COMPLAINT_BYTES).read_to_end(&mut complaint).await.map(|_| complaint)
    };
    let ((), pdf, complaint) = tokio::join!(write, read_pdf, read_complaint);
    let pdf = pdf?;
    anyhow::ensure!(pdf.len() as u64 <= MAX_PDF_BYTES, "the PDF is larger than {MAX_PDF_BYTES} bytes");
    Ok((pdf, String::from_utf8_lossy(&complaint?).into_owned()))
}
