//! `backtest`: what would the rules have said of these events?
//!
//! Comes in: events as `luytre-sensor read` writes them, one JSON object a line, from files or standard input. Goes out:
//! one line a match. A line that is no event is counted and passed over.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use luytre_rules_engine::load;

use crate::event::from_json;

/// Prints every match, then how often each rule fired.
pub(crate) fn run(rules: &[PathBuf], events: &[PathBuf], quiet: bool) -> Result<bool> {
    let mut engine = load(rules)?;
    let (mut number, mut passed_over) = (0u64, 0u64);
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    for path in events {
        for line in open(path)?.lines() {
            number += 1;
            let line = line.with_context(|| format!("read {}", path.display()))?;
            let json = serde_json::from_str(&line).map_err(anyhow::Error::from);
            let Ok(event) = json.and_then(|json| from_json(&json, number, 0)) else {
                passed_over += 1;
                continue;
            };
            for found in engine.process(&event) {
                *totals.entry(format!("{:?}\t{}", found.rule.level, found.rule.title)).or_default() += 1;
                if !quiet {
                    let subject: Vec<String> = found.subject.iter().map(|(k, v)| format!("{k}={v}")).collect();
                    let matched: Vec<String> =
                        found.matched.iter().map(|m| format!("{} {:?} {}", m.field, m.value, m.wanted)).collect();
                    println!("{number}\t{}\t{}\t{}", found.rule.title, subject.join(" "), matched.join("; "));
                }
            }
        }
    }
    totals.iter().for_each(|(rule, count)| println!("{count}\t{rule}"));
    println!("{number} events, {passed_over} passed over, {} rules", engine.rules().rules().len());
    Ok(true)
}

fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = std::fs::File::open(path).with_context(|| format!("read {}", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}
