//! `coverage`: which ATT&CK techniques the rules look for, and with how many rules each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use luytre_rules_engine::load;

/// Prints one line a technique.
pub(crate) fn run(paths: &[PathBuf]) -> Result<bool> {
    let engine = load(paths)?;
    let mut by_technique: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut untagged = 0;
    for rule in engine.rules().rules().iter().filter(|r| !r.silent) {
        if rule.techniques.is_empty() {
            untagged += 1;
        }
        for technique in &rule.techniques {
            by_technique.entry(technique).or_default().push(&rule.title);
        }
    }
    for (technique, titles) in &by_technique {
        println!("{technique}\t{}\t{}", titles.len(), titles.join("; "));
    }
    println!("{} techniques; {untagged} rules name none", by_technique.len());
    Ok(true)
}
