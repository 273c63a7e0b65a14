//! What other commands ask of a running sensor: new settings, its counters, and what became of canaries.
//!
//! `DATA/control.sock`, for the sensor's own user and root. Comes in: one line. Goes out: `ok` or
//! `no`, and the text behind it; then the connection ends. At most [`ASKED_MAX`] are answered at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::metrics;
use super::reload::Reloader;
use crate::canary::{COUNT_MAX, Run};
use crate::capture::datalink::now_ns;

/// Longest question, in bytes.
const LINE_MAX_BYTES: u64 = 1024;
/// Longest answer, in bytes.
const ANSWER_MAX_BYTES: u64 = 64 << 10;
/// Most questions at a time.
const ASKED_MAX: usize = 16;
/// Longest that canaries are waited for.
const WAIT_MAX: Duration = Duration::from_secs(3600);
const PATIENCE: Duration = Duration::from_secs(5);

fn path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Begins to listen, before the sensor becomes another user.
pub fn listen(data: &Path) -> anyhow::Result<UnixListener> {
    let path = path(data);
    // Whatever an earlier run left.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).with_context(|| format!("listen on {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("protect {}", path.display()))?;
    Ok(listener)
}

/// Nobody can ask any more.
pub fn close(data: &Path) {
    // Where it cannot be removed, the next start does it.
    let _ = std::fs::remove_file(path(data));
}

/// Answers as long as the program runs.
pub fn serve(listener: UnixListener, reloader: Arc<Reloader>) -> std::io::Result<()> {
    let asked = Arc::new(AtomicUsize::new(0));
    std::thread::Builder::new().name("control".into()).spawn(move || {
        for peer in listener.incoming().flatten() {
            if asked.fetch_add(1, Ordering::Relaxed) >= ASKED_MAX {
                asked.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (counted, reloader) = (asked.clone(), reloader.clone());
            let answer = std::thread::Builder::new().name("control".into()).spawn(move || {
                if let Err(error) = answer(peer, &reloader) {
                    tracing::debug!(%error, "a question was not heard to its end");
                }
                counted.fetch_sub(1, Ordering::Relaxed);
            });
            if let Err(error) = answer {
                asked.fetch_sub(1, Ordering::Relaxed);
                tracing::warn!(%error, "a question cannot be answered");
            }
        }
    })?;
    Ok(())
}

fn answer(mut peer: UnixStream, reloader: &Reloader) -> std::io::Result<()> {
    peer.set_read_timeout(Some(PATIENCE))?;
    peer.set_write_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new((&peer).take(LINE_MAX_BYTES)).read_line(&mut line)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let answer = match words.as_slice() {
        ["reload"] => {
            let answer = reloader.reload();
            match &answer {
                Ok(text) => tracing::info!("{text}"),
                Err(reason) => tracing::error!("the settings stay as they are: {reason}"),
            }
            answer
        }
        ["status"] => Ok(metrics::everything(reloader)),
        ["canary", run, count, seconds] => canary(reloader, run, count, seconds),
        _ => Err("this sensor does not know that question; is it of another release?".to_owned()),
    };
    let (head, text) = match &answer {
        Ok(text) => ("ok", text),
        Err(text) => ("no", text),
    };
    writeln!(peer, "{head} {text}")
}

/// Announces a run of canaries, waits for it, and says how it ended.
fn canary(reloader: &Reloader, run: &str, count: &str, seconds: &str) -> Result<String, String> {
    let canaries = reloader.canaries.as_ref().ok_or("this sensor has no key for canaries")?;
    let run = run_of(run).ok_or("the run is 32 hexadecimal digits, as `canary send` says")?;
    let count: u32 = count.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count)).ok_or("a count is missing")?;
    let wait = Duration::from_secs(seconds.parse().map_err(|_| "the seconds are missing")?).min(WAIT_MAX);
    let until_ns = now_ns().saturating_add(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX));
    if canaries.report(&run).is_none() && !canaries.expect(run, count, until_ns) {
        return Err("too many runs are waited for".to_owned());
    }
    let began = Instant::now();
    while began.elapsed() < wait + PATIENCE {
        if let Some(report) = canaries.report(&run) {
            let all = report.seen >= count;
            return if all { Ok(report.to_string()) } else { Err(report.to_string()) };
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the sensor has not said how the run ended".to_owned())
}

/// The run of a text.
pub fn run_of(text: &str) -> Option<Run> {
    hex::decode(text).ok()?.try_into().ok()
}

/// Asks the running sensor of a data folder. `Err` inside is its answer that something is wrong.
pub fn ask(data: &Path, question: &str) -> anyhow::Result<Result<String, String>> {
    let path = path(data);
    let mut peer = UnixStream::connect(&path)
        .with_context(|| format!("reach the sensor at {}; is it running with this data folder?", path.display()))?;
    writeln!(peer, "{question}").context("ask the sensor")?;
    let mut answer = String::new();
    (&peer).take(ANSWER_MAX_BYTES).read_to_string(&mut answer).context("hear the sensor's answer")?;
    let answer = answer.trim_end();
    Ok(match answer.split_once(' ') {
        Some(("ok", text)) => Ok(text.to_owned()),
        Some(("no", text)) => Err(text.to_owned()),
        _ => Err(format!("the sensor's answer makes no sense: {answer:?}")),
    })
}
