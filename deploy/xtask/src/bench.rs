//! `cargo xtask bench`: speed and size, as rows of docs/BENCHMARKS.md: the sensor on captures, on many copies of them, under a
//! flood and on a wire; its instructions by function; the collector from journal to searchable.
//!
//! Only release builds are measured. CPU time is user and system time as the kernel counts it for the child process, the
//! median of several runs, with the start-up taken off.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{steps, tools, workspace};

mod flood;
mod instructions;
mod live;
mod pcap;
mod replicas;

/// How large a capture made of copies is.
const REPLICAS_BYTES: u64 = 1_000_000_000;

/// What `cargo xtask bench` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Captures to read (plain, or gzipped: unpacked first, outside the measurement); without any, those of the corpus.
    captures: Vec<PathBuf>,
    /// How many times each is read; the median counts.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// What is measured.
    #[arg(long, value_delimiter = ',', default_value = "sensor,collector")]
    parts: Vec<Part>,
    /// Keep the instructions that are counted as those to compare with.
    #[arg(long)]
    keep: bool,
    /// Events that the collector is given (without it 200,000, and 10,000,000 of history).
    #[arg(long)]
    events: Option<u64>,
    /// Sensors that connect at once.
    #[arg(long, default_value_t = 1000)]
    sensors: u32,
    /// Where the history is kept between runs; without it, it is removed.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// `luytre-sensor read` on captures.
    Sensor,
    /// The collector from journal to searchable, with our rules.
    Collector,
    /// A thousand sensors that all connect to the collector at once, or `--sensors`.
    Sensors,
    /// Questions to a month of history in the collector's index, and to SQLite and zgrep over a tenth of it.
    History,
    /// `luytre-sensor read` on a gigabyte of copies of each capture, with other addresses.
    Replicas,
    /// `luytre-sensor read` on five million SYNs and resets of four million flows.
    Flood,
    /// Instructions a packet by function: of the demo's capture, compared with docs/instructions.txt; of captures that are
    /// named, only shown.
    Instructions,
    /// The highest rate without loss on a virtual cable (root).
    Live,
}

/// One reading of a capture.
#[derive(Debug, Clone, Copy)]
struct Reading {
    cpu_s: f64,
    wall_s: f64,
    peak_mb: f64,
    events: u64,
}

/// Measures what is asked for.
pub fn run(options: &Options) -> Result<()> {
    for part in &options.parts {
        match part {
            Part::Sensor => captures(options)?.iter().try_for_each(|capture| row(capture, options.runs))?,
            Part::Collector => collector(options.events.unwrap_or(200_000))?,
            Part::Sensors => sensors(options.sensors)?,
            Part::History => history(options)?,
            Part::Replicas => copies(options)?,
            Part::Flood => flood(options)?,
            Part::Instructions => instructions(options)?,
            Part::Live => live::run(&sensor()?)?,
        }
    }
    Ok(())
}

/// The head of the table, and the captures that are asked for.
fn captures(options: &Options) -> Result<Vec<PathBuf>> {
    head()?;
    if options.captures.is_empty() { of_the_corpus() } else { Ok(options.captures.clone()) }
}

/// Many copies of each capture, made on the way and removed.
fn copies(options: &Options) -> Result<()> {
    for capture in captures(options)? {
        let name = capture.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        with_capture(&format!("copies-of-{name}"), |made| {
            let plain = unpacked(&capture)?;
            let copies = replicas::write(&plain, made, REPLICAS_BYTES)?;
            eprintln!("{copies} copies of {name}");
            row(made, options.runs)
        })?;
    }
    Ok(())
}

fn flood(options: &Options) -> Result<()> {
    head()?;
    with_capture("flood.pcap", |made| {
        flood::write(made, flood::FLOWS)?;
        row(made, options.runs)?;
        println!("{}", summary(made)?.trim_end());
        Ok(())
    })
}

fn instructions(options: &Options) -> Result<()> {
    let sensor = sensor()?;
    if options.captures.is_empty() {
        return instructions::compare(&sensor, count_packets, options.keep);
    }
    for capture in &options.captures {
        let plain = unpacked(capture)?;
        instructions::of(&sensor, &plain, count_packets(&plain)?)?;
    }
    Ok(())
}

/// A capture that is there only while it is measured.
fn with_capture(name: &str, work: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let folder = workspace::target()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    let outcome = work(&path);
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    outcome
}

/// The release build of the sensor.
fn sensor() -> Result<PathBuf> {
    let path = workspace::target()?.join("release/luytre-sensor");
    steps::step("build the sensor (release)", || {
        steps::show(workspace::cargo().args(["build", "--release", "-p", "luytre-sensor"]))
    })?;
    Ok(path)
}

/// The collector's own benchmark with the rules of this checkout.
fn collector(events: u64) -> Result<()> {
    let rules = workspace::root().join("rules");
    let events = events.to_string();
    steps::step("measure the collector (release)", || {
        let bench = ["bench", "--quiet", "-p", "luytre-collector", "--bench", "ingest", "--", events.as_str()];
        steps::show(workspace::cargo().args(bench).arg(&rules))
    })
}

/// Many sensors at once, against the collector as a process of its own.
fn sensors(count: u32) -> Result<()> {
    let count = count.to_string();
    steps::step("let many sensors connect at once (release)", || {
        let bench = ["bench", "--quiet", "-p", "luytre-collector", "--bench", "sensors", "--", count.as_str()];
        steps::show(workspace::cargo().args(bench))
    })
}

/// A month of history, asked by us and by others. Ten million events take 3 GB.
fn history(options: &Options) -> Result<()> {
    let made = std::env::temp_dir().join(format!("luytre-history-{}", std::process::id()));
    let folder = options.folder.as_ref().unwrap_or(&made);
    let events = options.events.unwrap_or(10_000_000);
    let (count, lines) = (events.to_string(), (events / 10).to_string());
    let asked = steps::step("ask a month of history (release)", || {
        let bench = ["bench", "--quiet", "-p", "luytre-collector", "--bench", "history", "--"];
        steps::show(workspace::cargo().args(bench).arg(folder).args([&count, "30", &lines]))?;
        steps::show(Command::new("python3").arg(workspace::root().join("collector/benches/others.py")).arg(folder))
    });
    if options.folder.is_none() && made.exists() {
        std::fs::remove_dir_all(&made).context("remove the history")?;
    }
    asked
}

/// What the rows mean, and what they are made with.
fn head() -> Result<()> {
    tools::require(&[("time", "time"), ("gzip", "gzip")])?;
    sensor()?;
    println!(
        "| capture | packets | MB | CPU s | wall s | packets per CPU second | Gbit per CPU second | peak MB | events |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    Ok(())
}

fn of_the_corpus() -> Result<Vec<PathBuf>> {
    let folder = workspace::require_corpus()?.join("bench");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
    let mut captures = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    captures.retain(|path| path.to_string_lossy().contains(".pcap"));
    captures.sort();
    Ok(captures)
}

/// Measures a capture and prints its row.
fn row(capture: &Path, runs: usize) -> Result<()> {
    let sensor = workspace::target()?.join("release/luytre-sensor");
    let plain = unpacked(capture)?;
    let packets = count_packets(&plain)?;
    let bytes = std::fs::metadata(&plain)?.len();
    let mut median = median(&sensor, &plain, runs)?;
    median.cpu_s -= self::median(&sensor, &nothing()?, runs)?.cpu_s;
    let name = capture.file_name().unwrap_or_default().to_string_lossy();
    println!(
        "| {name} | {packets} | {:.1} | {:.3} | {:.3} | {:.0} | {:.2} | {:.0} | {} |",
        bytes as f64 / 1e6,
        median.cpu_s,
        median.wall_s,
        packets as f64 / median.cpu_s,
        bytes as f64 * 8.0 / 1e9 / median.cpu_s,
        median.peak_mb,
        median.events
    );
    Ok(())
}

/// The reading with the middle CPU time.
fn median(sensor: &Path, capture: &Path, runs: usize) -> Result<Reading> {
    let mut readings = (0..runs.max(1)).map(|_| reading(sensor, capture)).collect::<Result<Vec<_>>>()?;
    readings.sort_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    readings.get(readings.len() / 2).copied().context("no reading")
}

/// A capture without a packet: what reading it takes is the start-up.
fn nothing() -> Result<PathBuf> {
    let folder = workspace::target()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("nothing.pcap");
    let magic_and_version = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    let rest = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    std::fs::write(&path, [&magic_and_version[..], &rest].concat())?;
    Ok(path)
}

/// The capture itself, or an unpacked copy in the target directory.
fn unpacked(capture: &Path) -> Result<PathBuf> {
    if capture.extension().is_none_or(|extension| extension != "gz") {
        return Ok(capture.to_owned());
    }
    let folder = workspace::target()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    let plain = folder.join(capture.file_stem().context("a capture's name")?);
    let file = std::fs::File::create(&plain).with_context(|| format!("write {}", plain.display()))?;
    steps::show(Command::new("gzip").arg("-dc").arg(capture).stdout(file))?;
    Ok(plain)
}

/// What the sensor says of a capture when it has read it.
fn summary(capture: &Path) -> Result<String> {
    let sensor = workspace::target()?.join("release/luytre-sensor");
    let output = Command::new(sensor).arg("read").arg(capture).stdout(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// How many packets the sensor's summary says came in.
fn count_packets(capture: &Path) -> Result<u64> {
    let summary = summary(capture)?;
    let words: Vec<&str> = summary.split_whitespace().collect();
    words
        .windows(2)
        .find_map(|pair| match pair {
            [number, word] if word.starts_with("packets") => number.replace([',', '.'], "").parse().ok(),
            [word, number] if word.starts_with("packets") => number.replace([',', '.'], "").parse().ok(),
            _ => None,
        })
        .with_context(|| format!("the sensor's summary names no packets: {summary}"))
}

fn reading(sensor: &Path, capture: &Path) -> Result<Reading> {
    // The shell's own times have milliseconds, those of the program of that name hundredths; that knows the memory.
    let lines = workspace::target()?.join("bench/events.jsonl");
    let done = Command::new("bash")
        .env("TIMEFORMAT", "TIME %3U %3S %3R")
        .args(["-c", r#"time /usr/bin/time -f "PEAK %M" "$0" read "$1" > "$2""#])
        .args([sensor, capture, &lines])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .context("start the sensor under time")?;
    let text = String::from_utf8_lossy(&done.stderr);
    let numbers: Vec<f64> = ["TIME ", "PEAK "]
        .iter()
        .filter_map(|word| text.lines().find_map(|line| line.strip_prefix(word)))
        .flat_map(|line| line.split(' ').filter_map(|number| number.parse().ok()))
        .collect();
    let [user, system, wall_s, peak_kb] = numbers[..] else { bail!("time said {text}") };
    let events = count_lines(&mut std::fs::File::open(&lines)?)?;
    std::fs::remove_file(&lines)?;
    Ok(Reading { cpu_s: user + system, wall_s, peak_mb: peak_kb / 1024.0, events })
}

fn count_lines(output: &mut impl std::io::Read) -> Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let mut lines = 0;
    loop {
        match output.read(&mut buffer)? {
            0 => return Ok(lines),
            read => lines += buffer.iter().take(read).filter(|byte| **byte == b'\n').count() as u64,
        }
    }
}
