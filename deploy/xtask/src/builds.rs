//! Building: the programs in the dev profile, and the two heavy workers in a target directory of their own.
//!
//! The workers (scanner, press) link large engines that no other crate may wait for or be rebuilt with; their programs
//! are linked beside the others, where collector and console look for them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{steps, tools, web, workspace};

/// The heavy ones, built apart: `<target>/workers`.
pub const WORKERS: &[&str] = &["luytre-scanner", "luytre-press"];

/// Programs, workers and pages.
pub fn everything() -> Result<()> {
    tools::require(tools::BUILD)?;
    web::build()?;
    programs()?;
    workers()
}

/// Builds the programs.
pub fn programs() -> Result<()> {
    steps::step("build the programs", || steps::show(light("build").arg("--bins")))
}

/// Builds the programs and all tests, with the features that the tests ask of shared libraries: what a later
/// [`light`]`("test")` needs is then there, and nothing is built twice.
pub fn programs_and_tests() -> Result<()> {
    steps::step("build the programs and their tests", || steps::show(light("build").args(["--bins", "--tests"])))
}

/// A cargo command on all packages but the workers. Always the same selection: cargo unites the features of what is
/// selected, and another selection would build the large libraries again.
pub fn light(subcommand: &str) -> Command {
    let mut command = workspace::cargo();
    command.args([subcommand, "--workspace"]);
    command.args(WORKERS.iter().flat_map(|name| ["--exclude", name]));
    command
}

/// Builds the workers and puts them beside the programs.
pub fn workers() -> Result<()> {
    let apart = workspace::target()?.join("workers");
    steps::step("build the workers (long the first time: YARA-X and Typst)", || {
        WORKERS.iter().try_for_each(|name| steps::show(&mut worker("build", name)?))
    })?;
    let programs = workspace::programs()?;
    WORKERS.iter().try_for_each(|name| place(&apart.join("debug").join(name), &programs.join(name)))
}

/// A cargo command on one worker, in the workers' target directory. Always one at a time: together, cargo would unite
/// the features of both and build their engines again.
pub fn worker(subcommand: &str, name: &str) -> Result<Command> {
    let mut command = workspace::cargo();
    command.args([subcommand, "-p", name, "--target-dir"]).arg(workspace::target()?.join("workers"));
    Ok(command)
}

/// Links a file into another folder, or copies it where links cannot be made.
fn place(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        std::fs::remove_file(to).with_context(|| format!("replace {}", to.display()))?;
    }
    std::fs::hard_link(from, to)
        .or_else(|_| std::fs::copy(from, to).map(drop))
        .with_context(|| format!("put {} beside the programs", from.display()))
}
