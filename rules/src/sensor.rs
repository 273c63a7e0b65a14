//! `explain` and `bench`: signatures at work on captures, which only the sensor reads; it runs as a child process.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

/// Which rules on which captures.
#[derive(Args)]
pub(crate) struct AtWork {
    /// A file of signatures, or a folder of them.
    rules: PathBuf,
    /// Captures (pcap or pcapng, also gzipped).
    captures: Vec<PathBuf>,
    /// What is changed about the rules without touching them.
    #[arg(long, value_name = "FILE")]
    tuning: Vec<PathBuf>,
    /// The sensor (default: beside this program).
    #[arg(long, value_name = "PROGRAM")]
    sensor: Option<PathBuf>,
}

/// Says how far a signature comes in captures.
pub(crate) fn explain(at_work: &AtWork, sid: Option<u32>) -> Result<bool> {
    anyhow::ensure!(!at_work.captures.is_empty(), "name a capture behind the rules");
    let sid = sid.map(|sid| sid.to_string());
    run(at_work, "explain", "--sid", sid.as_deref())
}

/// Measures loading, and what each signature costs.
pub(crate) fn bench(at_work: &AtWork, worst: u32) -> Result<bool> {
    run(at_work, "bench", "--worst", Some(&worst.to_string()))
}

fn run(at_work: &AtWork, command: &str, option: &str, value: Option<&str>) -> Result<bool> {
    let program = at_work.sensor.clone().unwrap_or_else(beside);
    let mut child = Command::new(&program);
    child.arg(command).arg("--rules").arg(&at_work.rules);
    if let Some(value) = value {
        child.arg(option).arg(value);
    }
    for tuning in &at_work.tuning {
        child.arg("--tuning").arg(tuning);
    }
    let status = child.arg("--").args(&at_work.captures).status();
    let status = status.with_context(|| format!("start {}; name the sensor with --sensor", program.display()))?;
    Ok(status.success())
}

fn beside() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.parent().unwrap_or(Path::new("")).join("luytre-sensor")
}
