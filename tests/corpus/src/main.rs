//! Compares what `luytre-sensor read` says of a collection of captures with what a reference engine said (EVE JSON, one
//! object a line with the capture's path under `capture`): recall, precision, and every difference.
//!
//! Events are compared as multisets of keys per capture ([`key`]). Recall is the share of the reference's events that
//! we have, precision the share of ours that the reference has.

mod et;
mod generated;
mod key;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use clap::Parser;
use serde_json::Value;

/// Compare the sensor's events with a reference engine's, capture by capture.
#[derive(Parser)]
struct Arguments {
    /// Folder with captures/ and reference/eve.jsonl.gz.
    #[arg(required_unless_present_any = ["captures", "generated"])]
    corpus: Option<PathBuf>,
    /// Folder of the captures; the reference names them relative to the folder above it [default: captures in CORPUS].
    #[arg(long)]
    captures: Option<PathBuf>,
    /// Events of the reference engine, gzipped JSON lines [default: reference/eve.jsonl.gz beside the captures].
    #[arg(long)]
    reference: Option<PathBuf>,
    /// The sensor [default: the one built last, beside this program or in release].
    #[arg(long)]
    sensor: Option<PathBuf>,
    /// Protocols to compare [default: all].
    #[arg(long, value_delimiter = ',')]
    protocol: Vec<String>,
    /// Compare alerts instead: run the tests of reference/rule-tests.jsonl.
    #[arg(long)]
    rules: bool,
    /// Compare alerts instead: those of rules/et over all captures with reference/et-alerts.jsonl.
    #[arg(long)]
    et: bool,
    /// Instead make traffic from each rule of these files and folders, and near misses, and see what the rules say.
    #[arg(long, value_name = "RULES")]
    generated: Vec<PathBuf>,
    /// Print up to this many differences of each protocol.
    #[arg(long, default_value_t = 0)]
    list_differences: usize,
    /// Captures read at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Fail when recall of any protocol is below this share.
    #[arg(long, default_value_t = 0.0)]
    min_recall: f64,
}

/// How often each key was seen in one capture, by protocol.
type Counts = BTreeMap<&'static str, BTreeMap<String, usize>>;

/// Captures by name with what was seen in them.
type PerCapture = BTreeMap<String, Counts>;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("luytre-corpus-check: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    if !arguments.generated.is_empty() {
        return generated::run(&arguments.generated, arguments.list_differences);
    }
    let folder = match (&arguments.captures, &arguments.corpus) {
        (Some(captures), _) => captures.clone(),
        (None, corpus) => corpus.clone().unwrap_or_default().join("captures"),
    };
    let base = folder.parent().unwrap_or(Path::new(""));
    let reference = arguments.reference.clone().unwrap_or_else(|| base.join("reference/eve.jsonl.gz"));
    let sensor = match &arguments.sensor {
        Some(sensor) => sensor.clone(),
        None => newest_sensor(&std::env::current_exe()?)?,
    };
    if arguments.et {
        return et::compare(base, arguments.jobs.max(1), arguments.list_differences);
    }
    if arguments.rules {
        return rules::compare(&sensor, base, arguments.jobs.max(1), arguments.list_differences);
    }
    let theirs = reference_events(&reference)?;
    let mut names = captures(&folder, base)?;
    let found = names.len();
    // A capture of which the reference says nothing at all was not read by it (gzipped ones, for example).
    names.retain(|name| theirs.contains_key(name));
    println!("{found} captures, {} of which the reference could read", names.len());
    let ours = sensor_events(&sensor, base, &names, arguments.jobs.max(1))?;
    let mut good = true;
    let all: Vec<String> = key::names().map(str::to_owned).collect();
    for protocol in if arguments.protocol.is_empty() { &all } else { &arguments.protocol } {
        good &= report(protocol, &names, &theirs, &ours, arguments);
    }
    Ok(good)
}

/// The sensor that was built last, beside this program or in the release folder next to it.
fn newest_sensor(program: &Path) -> anyhow::Result<PathBuf> {
    let beside = program.with_file_name("luytre-sensor");
    let release = program.parent().and_then(Path::parent).map(|target| target.join("release/luytre-sensor"));
    let built = |path: &PathBuf| path.metadata().and_then(|meta| meta.modified()).ok();
    let found = [Some(beside), release].into_iter().flatten().filter(|path| built(path).is_some()).max_by_key(built);
    found.context("find luytre-sensor: build it first, or name it with --sensor")
}

fn reference_events(path: &Path) -> anyhow::Result<PerCapture> {
    let file = File::open(path).with_context(|| format!("open the reference {}", path.display()))?;
    let mut all = PerCapture::new();
    for line in BufReader::new(flate2::read::MultiGzDecoder::new(file)).lines() {
        let event: Value = serde_json::from_str(&line?).context("read an event of the reference")?;
        let capture = event.get("capture").and_then(Value::as_str).unwrap_or("");
        let counts = all.entry(capture.to_owned()).or_default();
        for (protocol, key, weight) in key::of_eve(&event) {
            count(counts, protocol, key, weight);
        }
    }
    Ok(all)
}

fn count(counts: &mut Counts, protocol: &'static str, key: String, weight: usize) {
    let seen = counts.entry(protocol).or_default().entry(key).or_default();
    if *seen == 0 || !key::ONCE.contains(&protocol) {
        *seen += weight;
    }
}

/// All files below a folder, named relative to `base`, in name order.
fn captures(folder: &Path, base: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(name) = path.strip_prefix(base) {
                names.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    Ok(names)
}

fn sensor_events(sensor: &Path, base: &Path, names: &BTreeSet<String>, jobs: usize) -> anyhow::Result<PerCapture> {
    let names: Vec<&String> = names.iter().collect();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(PerCapture::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let counts = read(sensor, &base.join(name))?;
                        if let Ok(mut all) = all.lock() {
                            all.insert((*name).clone(), counts);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| anyhow::bail!("a reader panicked")))
    })?;
    Ok(all.into_inner().unwrap_or_default())
}

/// Events of one capture. A capture that is broken gives what could be read of it.
fn read(sensor: &Path, capture: &Path) -> anyhow::Result<Counts> {
    let mut child = Command::new(sensor)
        .args(["read", "--workers", "1"])
        .arg(capture)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}: build it first", sensor.display()))?;
    let mut counts = Counts::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let event: Value =
                serde_json::from_str(&line?).with_context(|| format!("read an event of {}", capture.display()))?;
            for (protocol, key, weight) in key::of_ours(&event) {
                count(&mut counts, protocol, key, weight);
            }
        }
    }
    let status = child.wait()?;
    if status.code().is_none() {
        println!("the sensor crashed on {}", capture.display());
    }
    Ok(counts)
}

/// One capture's events of one protocol, compared.
#[derive(Default)]
struct Compared {
    reference: usize,
    ours: usize,
    both: usize,
    /// Keys, and how often more the reference has them.
    missing: Vec<(String, usize)>,
    /// Keys, and how often more we have them.
    extra: Vec<(String, usize)>,
}

impl Compared {
    fn differences(&self) -> usize {
        self.missing.iter().chain(&self.extra).map(|(_, times)| times).sum()
    }
}

fn compare(theirs: Option<&BTreeMap<String, usize>>, ours: Option<&BTreeMap<String, usize>>) -> Compared {
    let empty = BTreeMap::new();
    let (theirs, ours) = (theirs.unwrap_or(&empty), ours.unwrap_or(&empty));
    let mut compared = Compared::default();
    for key in theirs.keys().chain(ours.keys().filter(|key| !theirs.contains_key(*key))) {
        let (a, b) = (theirs.get(key).copied().unwrap_or(0), ours.get(key).copied().unwrap_or(0));
        compared.reference += a;
        compared.ours += b;
        compared.both += a.min(b);
        if a > b {
            compared.missing.push((key.clone(), a - b));
        }
        if b > a {
            compared.extra.push((key.clone(), b - a));
        }
    }
    compared
}

fn report(
    protocol: &str,
    names: &BTreeSet<String>,
    theirs: &PerCapture,
    ours: &PerCapture,
    arguments: &Arguments,
) -> bool {
    let of = |all: &PerCapture, name: &str| all.get(name).and_then(|counts| counts.get(protocol)).cloned();
    let mut per_capture: Vec<(&String, Compared)> = names
        .iter()
        .map(|name| (name, compare(of(theirs, name).as_ref(), of(ours, name).as_ref())))
        .filter(|(_, compared)| compared.reference + compared.ours > 0)
        .collect();
    let sum = |part: fn(&Compared) -> usize| per_capture.iter().map(|(_, c)| part(c)).sum::<usize>();
    let (reference, own, both) = (sum(|c| c.reference), sum(|c| c.ours), sum(|c| c.both));
    let recall = share(both, reference);
    println!(
        "{protocol}: reference {reference}, ours {own}, both {both}: recall {:.2} %, precision {:.2} %",
        recall * 100.0,
        share(both, own) * 100.0
    );
    per_capture.sort_by_key(|(_, c)| std::cmp::Reverse(c.differences()));
    let mut left = arguments.list_differences;
    for (name, compared) in per_capture.iter().filter(|(_, c)| c.differences() > 0) {
        if left == 0 {
            break;
        }
        let times = |keys: &[(String, usize)]| keys.iter().map(|(_, times)| times).sum::<usize>();
        println!("  {name}: {} missing, {} extra", times(&compared.missing), times(&compared.extra));
        let lines = compared.missing.iter().map(|k| ('-', k)).chain(compared.extra.iter().map(|k| ('+', k)));
        for (mark, (key, times)) in lines.take(left) {
            let times = if *times > 1 { format!(" ({times} times)") } else { String::new() };
            println!("    {mark} {key}{times}");
            left -= 1;
        }
    }
    recall >= arguments.min_recall
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}
