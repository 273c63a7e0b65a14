//! Rules from files, and what their authors should know of them.

use std::path::PathBuf;
use std::sync::Arc;

use luytre_rules_engine::signatures::Signatures;
use luytre_rules_engine::signatures::language::Variables;

/// Reports of one kind that are printed; the others are counted.
const REPORTS_MAX: usize = 20;

/// Loads rule files and folders; nothing where there are none.
pub fn load(paths: &[PathBuf]) -> std::io::Result<Option<Arc<Signatures>>> {
    if paths.is_empty() {
        return Ok(None);
    }
    Signatures::load(paths, Variables::usual()).map(|rules| Some(Arc::new(rules)))
}

/// Says on standard error what was loaded and what was not.
pub fn report(rules: &Signatures) {
    for (kind, reports) in [("cannot be used", &rules.broken), ("cannot match here", &rules.unsupported)] {
        for one in reports.iter().take(REPORTS_MAX) {
            eprintln!("luytre-sensor: {}: {}", one.file, told(&one.what, one.line));
        }
        if reports.len() > REPORTS_MAX {
            eprintln!("luytre-sensor: {} more rules that {kind}", reports.len() - REPORTS_MAX);
        }
    }
    eprintln!(
        "{} rules, {} of them cannot match here, {} cannot be used, {} are not for this engine",
        rules.len(),
        rules.unsupported.len(),
        rules.broken.len(),
        rules.not_for_us
    );
}

/// Reasons of rules that cannot be used name their line already.
fn told(what: &str, line: u32) -> String {
    if what.starts_with("line ") { what.to_owned() } else { format!("line {line}: {what}") }
}
