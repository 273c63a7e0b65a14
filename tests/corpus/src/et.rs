//! Compares the alerts of a published set of rules over all captures with those of a reference engine.
//!
//! Comes in: `rules/et`, `captures`, `reference/et-alerts.jsonl` (capture, signature id to count). The rules are loaded once
//! and the captures read in this process, because loading them for each of some 1,500 captures would take hours. Goes out:
//! how many captures agree exactly, recall and precision of alerts, and each difference by rule.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use luytre_rules_engine::signatures::Signatures;
use luytre_sensor::decode::Checksums;
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::read::{Destination, ReadOptions, read};
use luytre_sensor::signatures;
use serde::Deserialize;
use serde_json::Value;

/// Signature id to count.
type Alerts = BTreeMap<String, u64>;

#[derive(Debug, Deserialize)]
struct Expected {
    capture: String,
    alerts: Alerts,
}

/// What the sensor made of a capture.
enum Outcome {
    Alerts(Alerts),
    Crashed,
}

/// Reads all captures; true when every one of them agrees.
pub fn compare(corpus: &Path, jobs: usize, list: usize) -> anyhow::Result<bool> {
    let path = corpus.join("reference/et-alerts.jsonl");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let expected: Vec<Expected> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("read {}", path.display()))?;
    let set = signatures::load(&[corpus.join("rules/et")], &[])?.context("there are no published rules")?;
    println!("{} rules, {} cannot be used", set.len(), set.broken.len());
    let outcomes = outcomes(corpus, &set, &expected, jobs)?;
    let pairs: Vec<(&Expected, &Outcome)> = expected.iter().zip(&outcomes).collect();
    let (mut exact, mut theirs, mut ours, mut both) = (0, 0, 0, 0);
    let mut by_rule: BTreeMap<&str, (i64, Vec<&str>)> = BTreeMap::new();
    for (expected, outcome) in &pairs {
        let alerts = match outcome {
            Outcome::Alerts(alerts) => alerts,
            Outcome::Crashed => {
                println!("the sensor crashed on {}", expected.capture);
                continue;
            }
        };
        exact += usize::from(*alerts == expected.alerts);
        let ids = expected.alerts.keys().chain(alerts.keys().filter(|id| !expected.alerts.contains_key(*id)));
        for id in ids {
            let count = |of: &Alerts| of.get(id).copied().unwrap_or(0);
            let (a, b) = (count(&expected.alerts), count(alerts));
            (theirs, ours, both) = (theirs + a, ours + b, both + a.min(b));
            if a != b {
                let (sum, captures) = by_rule.entry(id).or_default();
                *sum += i64::try_from(b).unwrap_or(i64::MAX) - i64::try_from(a).unwrap_or(i64::MAX);
                captures.push(&expected.capture);
            }
        }
    }
    let percent = |part: u64, whole: u64| if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 };
    println!("{exact} of {} captures agree exactly", pairs.len());
    println!(
        "alerts: reference {theirs}, ours {ours}, both {both}: recall {:.2} %, precision {:.2} %",
        percent(both, theirs),
        percent(both, ours)
    );
    let mut sorted: Vec<_> = by_rule.iter().collect();
    sorted.sort_by_key(|(_, (_, captures))| std::cmp::Reverse(captures.len()));
    println!("{} rules differ somewhere", sorted.len());
    for (id, (sum, captures)) in sorted.iter().take(list) {
        let name = id.parse().ok().and_then(|sid: u32| set.rules().iter().find(|rule| rule.sid == sid));
        let name = name.map_or("it is not loaded", |rule| rule.message.as_str());
        println!("  {id} {sum:+} in {} captures, first {}: {name}", captures.len(), captures.first().unwrap_or(&""));
    }
    Ok(exact == pairs.len())
}

fn outcomes(corpus: &Path, set: &Arc<Signatures>, all: &[Expected], jobs: usize) -> anyhow::Result<Vec<Outcome>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    let folder = Folder::make()?;
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(one) = all.get(number) else { return Ok(()) };
                        let capture = corpus.join(&one.capture);
                        let work = AssertUnwindSafe(|| alerts(&capture, set, &folder.0));
                        let outcome = match std::panic::catch_unwind(work) {
                            Ok(alerts) => Outcome::Alerts(alerts?),
                            Err(_) => Outcome::Crashed,
                        };
                        if let Ok(mut done) = done.lock() {
                            done.insert(number, outcome);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| anyhow::bail!("a reader panicked")))
    })?;
    Ok(done.into_inner().unwrap_or_default().into_values().collect())
}

/// A capture that is broken gives what could be read of it.
fn alerts(capture: &Path, set: &Arc<Signatures>, folder: &Path) -> anyhow::Result<Alerts> {
    let file = folder.join("alert.jsonl");
    let _ = std::fs::remove_file(&file);
    read(ReadOptions {
        files: vec![capture.to_owned()],
        workers: 1,
        destination: Destination::Directory(folder.to_owned()),
        limits: FlowLimits::default(),
        checksums: Checksums::Ignore,
        filter: None,
        rules: Some(set.clone()),
        probe: None,
    })
    .with_context(|| format!("write the events of {}", capture.display()))?;
    let mut alerts = Alerts::new();
    // There is no such file where there is no alert.
    for line in std::fs::read_to_string(&file).unwrap_or_default().lines() {
        let event: Value = serde_json::from_str(line).context("read an alert")?;
        if let Some(id) = event.pointer("/rule/id").and_then(Value::as_str) {
            *alerts.entry(id.to_owned()).or_default() += 1;
        }
    }
    Ok(alerts)
}

/// A folder for the events of one worker; it goes when the worker ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Folder> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("luytre-corpus-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
