//! Compares the alerts of `luytre-sensor read --rules` with those of a reference engine, test by test.
//!
//! Comes in: `reference/rule-tests.jsonl` (capture, rules, signature id to count). Goes out: how many tests agree exactly,
//! of all and of those whose authors expect the same, then for each keyword how many of the tests that use it differ, so
//! that work goes where most is lost, and every difference where that is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

/// The reference was built without what `reject` needs, so that it refuses such rules: they are out of force here, too.
const AS_THE_REFERENCE: &str = "[[rule]]\naction = [\"reject\"]\ndisable = true\n";

/// One test of the reference.
#[derive(Debug, Deserialize)]
struct Test {
    test: String,
    capture: String,
    rules: String,
    alerts: BTreeMap<String, u64>,
    upstream_agrees: bool,
}

/// What the sensor made of a test.
#[derive(Default)]
struct Outcome {
    alerts: BTreeMap<String, u64>,
    crashed: bool,
}

/// Runs all tests; true when every one of them agrees.
pub fn compare(sensor: &Path, corpus: &Path, jobs: usize, list: usize) -> anyhow::Result<bool> {
    let path = corpus.join("reference/rule-tests.jsonl");
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let tests: Vec<Test> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .with_context(|| format!("read {}", path.display()))?;
    let tuning = tempfile::Builder::new().suffix(".toml").tempfile().context("make a file for the tuning")?;
    std::fs::write(tuning.path(), AS_THE_REFERENCE).context("write the tuning")?;
    let outcomes = outcomes(sensor, corpus, tuning.path(), &tests, jobs)?;
    let pairs: Vec<(&Test, &Outcome)> = tests.iter().zip(&outcomes).collect();
    let agrees = |(test, outcome): &(&Test, &Outcome)| !outcome.crashed && test.alerts == outcome.alerts;
    let share = |name: &str, of: Vec<&(&Test, &Outcome)>| {
        let good = of.iter().filter(|pair| agrees(pair)).count();
        println!("{name}: {good} of {} agree exactly ({:.1} %)", of.len(), percent(good, of.len()));
        good == of.len()
    };
    let all = share("all tests", pairs.iter().collect());
    share("tests whose authors expect the same", pairs.iter().filter(|(test, _)| test.upstream_agrees).collect());
    by_keyword(corpus, &pairs, &agrees)?;
    for (test, outcome) in pairs.iter().filter(|pair| !agrees(pair)).take(list) {
        let crashed = if outcome.crashed { " (the sensor crashed)" } else { "" };
        println!("{}: reference {:?}, ours {:?}{crashed}", test.test, test.alerts, outcome.alerts);
    }
    Ok(all)
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// Keywords, those first of whose tests most differ.
fn by_keyword(
    corpus: &Path,
    pairs: &[(&Test, &Outcome)],
    agrees: &dyn Fn(&(&Test, &Outcome)) -> bool,
) -> anyhow::Result<()> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for pair in pairs {
        let path = corpus.join(&pair.0.rules);
        let text = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        for keyword in keywords(&String::from_utf8_lossy(&text)) {
            let (different, used) = counts.entry(keyword).or_default();
            *different += usize::from(!agrees(pair));
            *used += 1;
        }
    }
    let mut sorted: Vec<_> = counts.into_iter().filter(|(_, (different, _))| *different > 0).collect();
    sorted.sort_by_key(|(_, (different, _))| std::cmp::Reverse(*different));
    println!("keyword: tests that differ, of those that use it");
    for (keyword, (different, used)) in sorted.iter().take(40) {
        println!("  {keyword}: {different} of {used}");
    }
    Ok(())
}

/// The keywords of a rule file, and its protocols with a colon behind them.
fn keywords(text: &str) -> BTreeSet<String> {
    const COMMON: [&str; 7] = ["msg", "sid", "rev", "classtype", "reference", "metadata", "content"];
    let mut found = BTreeSet::new();
    let joined = text.replace("\\\n", " ");
    for line in joined.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((head, body)) = line.split_once('(') else { continue };
        found.extend(head.split_whitespace().nth(1).map(|protocol| format!("{protocol}:")));
        let (mut quoted, mut escaped, mut word) = (false, false, String::new());
        for c in body.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = !quoted,
                ';' if !quoted => {
                    let keyword = word.split(':').next().unwrap_or("").trim().to_owned();
                    if !keyword.is_empty() && !COMMON.contains(&keyword.as_str()) {
                        found.insert(keyword);
                    }
                    word.clear();
                    continue;
                }
                _ => {}
            }
            if !quoted {
                word.push(c);
            }
        }
    }
    found
}

fn outcomes(sensor: &Path, corpus: &Path, tuning: &Path, tests: &[Test], jobs: usize) -> anyhow::Result<Vec<Outcome>> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(test) = tests.get(number) else { return Ok(()) };
                        let outcome = outcome(sensor, corpus, tuning, test)?;
                        if let Ok(mut all) = all.lock() {
                            all.insert(number, outcome);
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| anyhow::bail!("a reader panicked")))
    })?;
    Ok(all.into_inner().unwrap_or_default().into_values().collect())
}

fn outcome(sensor: &Path, corpus: &Path, tuning: &Path, test: &Test) -> anyhow::Result<Outcome> {
    let output = Command::new(sensor)
        .args(["read", "--workers", "1", "--rules"])
        .arg(corpus.join(&test.rules))
        .arg("--tuning")
        .arg(tuning)
        .arg(corpus.join(&test.capture))
        .stderr(Stdio::null())
        .output()
        .with_context(|| format!("start {}: build it first", sensor.display()))?;
    let mut outcome = Outcome { crashed: output.status.code().is_none_or(|code| code > 2), ..Outcome::default() };
    for line in output.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let event: Value = serde_json::from_slice(line).with_context(|| format!("read an event of {}", test.test))?;
        let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        if at("/event/kind") == Some("alert")
            && let Some(id) = at("/rule/id")
        {
            *outcome.alerts.entry(id.to_owned()).or_default() += 1;
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_outside_of_quotes() {
        let text = "# no (dsize:1;)\nalert http any any -> any any (msg:\"a; nocase; b\"; http.uri; content:\"x\\\";y\"; \\\n bsize:4; sid:1;)\n";
        let found: Vec<String> = keywords(text).into_iter().collect();
        assert_eq!(found, ["bsize", "http.uri", "http:"]);
    }
}
