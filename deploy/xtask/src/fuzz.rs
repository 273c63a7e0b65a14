//! `cargo xtask fuzz`: hostile bytes made up for as long as there is time, one target after the other (docs/FUZZING.md).
//!
//! Builds the programs of `sensor/fuzz` in a target directory of their own, writes the seeds, runs each target at the lowest
//! priority, and prints a row for each: seconds, executions, coverage. A finding stops its target, not the others; the
//! script that led to it is named, and the command fails. `cargo fuzz` understands the folder as well.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::{steps, tools, workspace};

/// The flags that make the compiler note which way a program took (those of cargo-fuzz, without a sanitizer: the sensor's
/// parsers are safe Rust).
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// The longest script that is made up.
const SCRIPT_MAX_BYTES: u32 = 24 << 10;
/// A script that takes longer than this is a finding, in seconds.
const TOO_LONG_S: u32 = 20;
/// More memory than this is a finding, in megabytes.
const TOO_MUCH_MB: u32 = 1500;
/// Where the packets' target puts its stores, if it is there: a folder in memory.
const IN_MEMORY: &str = "/dev/shm";

/// What `cargo xtask fuzz` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The targets; all without any.
    targets: Vec<String>,
    /// How long each target runs in a round.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// How often all targets have their turn.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Afterwards, keep the smallest scripts that take every way found so far in `sensor/fuzz/kept`.
    #[arg(long)]
    keep: bool,
}

/// The folders of one run.
struct Folders {
    /// `sensor/fuzz`.
    home: PathBuf,
    programs: PathBuf,
    logs: PathBuf,
}

/// Fuzzes.
pub fn run(options: &Options) -> Result<()> {
    tools::require(&[("c++", "build-essential"), ("nice", "coreutils")])?;
    let folders = steps::step("build the fuzz targets", build)?;
    steps::show(Command::new(folders.programs.join("seeds")).arg(folders.home.join("corpus")))?;
    let all = targets(&folders.home)?;
    let wanted = if options.targets.is_empty() { all.clone() } else { options.targets.clone() };
    if let Some(unknown) = wanted.iter().find(|target| !all.contains(target)) {
        bail!("there is no target {unknown}; there are: {}", all.join(", "));
    }
    println!("| target | seconds | executions | coverage | features | scripts |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let mut findings = Vec::new();
    for _ in 0..options.rounds.max(1) {
        for target in &wanted {
            findings.extend(fuzz(&folders, target, options.seconds)?);
        }
    }
    if options.keep {
        steps::step("keep the smallest scripts that take every way", || keep(&folders, &wanted))?;
    }
    ensure!(findings.is_empty(), "findings:\n{}", findings.join("\n"));
    Ok(())
}

fn build() -> Result<Folders> {
    let home = workspace::root().join("sensor/fuzz");
    let host = steps::capture(Command::new("rustc").arg("-vV"))?;
    let host = String::from_utf8_lossy(&host).into_owned();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let target = workspace::target()?.join("fuzz");
    // With a target named, build scripts and macros are built without coverage.
    let mut command = workspace::cargo();
    command.args(["build", "--release", "--bins", "--target", host, "--manifest-path"]).arg(home.join("Cargo.toml"));
    command.arg("--target-dir").arg(&target).env("RUSTFLAGS", COVERAGE);
    steps::show(&mut command)?;
    Ok(Folders { home, programs: target.join(host).join("release"), logs: target })
}

/// A target is a file in `fuzz_targets`.
fn targets(home: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(home.join("fuzz_targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// Runs a target for a while; says what it found, if anything.
fn fuzz(folders: &Folders, target: &str, seconds: u32) -> Result<Option<String>> {
    let artifacts = folders.home.join("artifacts").join(target);
    std::fs::create_dir_all(&artifacts)?;
    let log = folders.logs.join(format!("{target}.log"));
    let file = std::fs::File::create(&log).with_context(|| format!("write {}", log.display()))?;
    let began = Instant::now();
    let status = program(folders, target)
        .arg(folders.home.join("corpus").join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={SCRIPT_MAX_BYTES}"))
        .arg(format!("-timeout={TOO_LONG_S}"))
        .arg(format!("-rss_limit_mb={TOO_MUCH_MB}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .stderr(file)
        .status()
        .with_context(|| format!("start the target {target}"))?;
    let took = began.elapsed().as_secs();
    let text = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    println!(
        "| {target} | {took} | {} | {} | {} | {} |",
        after(&text, "stat::number_of_executed_units:"),
        after(&text, "cov:"),
        after(&text, "ft:"),
        after(&text, "corp:")
    );
    if status.success() {
        return Ok(None);
    }
    // A panic says where on one line and why on the next.
    let said = text.lines().skip_while(|line| !line.contains("panicked at") && !line.contains("ERROR:"));
    let said = said.take(2).collect::<Vec<_>>().join(" ");
    let script = after(&text, "Test unit written to");
    Ok(Some(format!("{target}: {said}\n  script: {script}\n  log: {}", log.display())))
}

/// The word behind the last `name` in a text.
fn after<'t>(text: &'t str, name: &str) -> &'t str {
    text.rsplit_once(name).and_then(|(_, rest)| rest.split_whitespace().next()).unwrap_or("-")
}

fn program(folders: &Folders, target: &str) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(folders.programs.join(target)).stdout(Stdio::null());
    if Path::new(IN_MEMORY).is_dir() {
        command.env("TMPDIR", IN_MEMORY);
    }
    command
}

/// Keeps the smallest scripts that take every way that all scripts together take.
fn keep(folders: &Folders, targets: &[String]) -> Result<()> {
    let smallest = folders.logs.join("smallest");
    for target in targets {
        let folder = smallest.join(target);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let corpus = folders.home.join("corpus").join(target);
        let mut command = program(folders, target);
        command.arg("-set_cover_merge=1").arg(&folder).arg(corpus).stderr(Stdio::null());
        steps::show(&mut command)?;
    }
    steps::show(Command::new(folders.programs.join("seeds")).arg("--keep").arg(smallest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_figures_are_read() {
        let text =
            "#2 INITED cov: 7 ft: 8 corp: 1/1b\n#9 DONE cov: 12 ft: 30 corp: 4/9b\nstat::number_of_executed_units: 9\n";
        assert_eq!((after(text, "cov:"), after(text, "corp:")), ("12", "4/9b"));
        assert_eq!(after(text, "stat::number_of_executed_units:"), "9");
        assert_eq!(after(text, "Test unit written to"), "-");
    }
}
