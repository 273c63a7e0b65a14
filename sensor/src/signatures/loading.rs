//! Rules from files, and what their authors should know of them.

use std::path::PathBuf;
use std::sync::Arc;

use luytre_rules_engine::signatures::Signatures;
use luytre_rules_engine::signatures::tuning::Tuning;

/// Reports of one kind that are printed; the others are counted.
const REPORTS_MAX: usize = 20;

/// Loads rule files and folders, with what people have changed about them; nothing where there are none.
pub fn load(paths: &[PathBuf], tuning: &[PathBuf]) -> anyhow::Result<Option<Arc<Signatures>>> {
    load_after(paths, tuning, None)
}

/// The same in place of another set, of which everything is kept that stays as it is.
pub fn load_after(
    paths: &[PathBuf],
    tuning: &[PathBuf],
    before: Option<&Signatures>,
) -> anyhow::Result<Option<Arc<Signatures>>> {
    let tuning = Tuning::load(tuning)?;
    if paths.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Signatures::load_after(paths, &tuning, before)?)))
}

/// Says on standard error what was loaded and what was not.
pub fn report(rules: &Signatures) {
    let kinds = [
        ("rules that cannot be used", &rules.broken),
        ("rules that cannot match here", &rules.unsupported),
        ("changes that concern no rule", &rules.idle),
    ];
    for (kind, reports) in kinds {
        for one in reports.iter().take(REPORTS_MAX) {
            eprintln!("luytre-sensor: {}: {}", one.file, told(&one.what, one.line));
        }
        if reports.len() > REPORTS_MAX {
            eprintln!("luytre-sensor: {} more {kind}", reports.len() - REPORTS_MAX);
        }
    }
    eprintln!(
        "{} rules, {} of them cannot match here, {} cannot be used, {} are put out of force, {} are not for this engine",
        rules.len(),
        rules.unsupported.len(),
        rules.broken.len(),
        rules.disabled,
        rules.not_for_us
    );
}

/// Reasons of rules that cannot be used name their line already.
fn told(what: &str, line: u32) -> String {
    if what.starts_with("line ") { what.to_owned() } else { format!("line {line}: {what}") }
}
