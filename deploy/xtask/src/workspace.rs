//! Where things are: the checkout and the target directory, as cargo itself sees them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The checkout's root folder.
pub fn root() -> PathBuf {
    // This crate stands in deploy/xtask.
    // Cargo says it to what it runs. What was compiled in may be another checkout with the same target directory.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Cargo, as the one that runs this command.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The target directory, wherever configuration or environment put it.
pub fn target() -> Result<PathBuf> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(target) = TARGET.get() {
        return Ok(target.clone());
    }
    let output =
        cargo().args(["metadata", "--no-deps", "--format-version", "1"]).output().context("run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("read what cargo metadata says")?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(TARGET.get_or_init(|| PathBuf::from(target)).clone())
}

/// The folder of the built programs (dev profile: the only one for tests and demo).
pub fn programs() -> Result<PathBuf> {
    Ok(target()?.join("debug"))
}

/// The collection of captures, rules and reference results for measuring: where `LUYTRE_CORPUS` points, else
/// `../shared/corpus` beside the checkout. It is no part of the project.
pub fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("LUYTRE_CORPUS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| root().join("../shared/corpus"));
    folder.canonicalize().ok().filter(|folder| folder.is_dir())
}

/// The same, or what to do where it is not there.
pub fn require_corpus() -> Result<PathBuf> {
    corpus().context("no corpus at ../shared/corpus: put one there, or name its folder in LUYTRE_CORPUS")
}
