//! The fast checks: formatting, lints, tidy. What to run before every commit.

use anyhow::{Result, bail};

use crate::{steps, workspace};

/// Runs all of them, also when one fails, and says which did.
pub fn run() -> Result<()> {
    let checks: [(&str, &[&str]); 3] = [
        ("formatting", &["fmt", "--all", "--check"]),
        ("lints", &["clippy", "--all-targets", "--quiet", "--", "-D", "warnings"]),
        ("tidy", &["test", "--quiet", "-p", "luytre-tests", "--test", "tidy"]),
    ];
    let failed: Vec<&str> = checks
        .iter()
        .filter(|(name, arguments)| steps::step(name, || steps::show(workspace::cargo().args(*arguments))).is_err())
        .map(|(name, _)| *name)
        .collect();
    if !failed.is_empty() {
        bail!("not in order: {}", failed.join(", "));
    }
    Ok(())
}
