//! `check`: what is wrong with which line.

use std::path::{Path, PathBuf};

use anyhow::Result;
use luytre_rules_engine::scanner::ScannerClient;
use luytre_rules_engine::{Broken, RuleKind, load};

/// How long one scan may take in checks and tests, in milliseconds.
pub(crate) const SCAN_TIMEOUT_MS: u32 = 10_000;

/// Answers whether every rule is well formed.
pub(crate) fn run(paths: &[PathBuf], scanner: &Path, verbose: bool) -> Result<bool> {
    let engine = load(paths)?;
    let rules = engine.rules();
    let mut broken: Vec<Broken> = rules.broken().to_vec();
    let sources = rules.yara_sources();
    if !sources.is_empty() {
        let mut client = ScannerClient::new(scanner, sources, SCAN_TIMEOUT_MS);
        client.start()?;
        broken.extend(client.broken().iter().map(|b| Broken {
            file: b.file.clone(),
            line: b.line,
            reason: b.reason.clone(),
        }));
    }
    broken.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    broken.iter().for_each(|b| println!("{b}"));
    let notes = rules.notes();
    notes.iter().for_each(|note| println!("{note}"));
    let count = |kind| rules.rules().iter().filter(|r| r.kind == kind).count();
    println!(
        "{} rules: {} sigma, {} correlations, {} yara, {} lists; {} broken, {} to correct, {} asleep; digest {}",
        rules.rules().len(),
        count(RuleKind::Sigma),
        count(RuleKind::Correlation),
        count(RuleKind::Yara),
        count(RuleKind::Intel),
        broken.len(),
        notes.len(),
        rules.rules().iter().filter(|r| r.asleep.is_some()).count(),
        rules.digest(),
    );
    if verbose {
        for rule in rules.rules() {
            let asleep = rule.asleep.as_ref().map(|why| format!(" (asleep: {why})")).unwrap_or_default();
            println!("{}:{}: {} {:?} {}{asleep}", rule.file, rule.line, rule.id, rule.level, rule.title);
        }
    }
    Ok(broken.is_empty() && notes.is_empty())
}
