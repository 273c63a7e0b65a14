//! Agreement with a reference: runs the comparison of tests/corpus over a folder of captures and reference results.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{builds, steps, workspace};

/// What `cargo xtask corpus` takes; everything is handed to the comparison.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder with captures/ and reference/; without it, `LUYTRE_CORPUS` or ../shared/corpus.
    corpus: Option<PathBuf>,
    /// Compare alerts of signatures instead of events.
    #[arg(long)]
    rules: bool,
    /// Further arguments of the comparison.
    #[arg(last = true)]
    further: Vec<String>,
}

/// Builds the sensor for speed and runs the comparison.
pub fn run(options: &Options) -> Result<()> {
    let corpus = options.corpus.clone().map_or_else(workspace::require_corpus, Ok)?;
    steps::step("build the sensor (release)", || {
        steps::show(workspace::cargo().args(["build", "--release", "-p", "luytre-sensor"]))
    })?;
    steps::step("build the comparison", || steps::show(builds::light("build").args(["--bin", "luytre-corpus-check"])))?;
    let mut command = Command::new(workspace::programs()?.join("luytre-corpus-check"));
    command.arg(corpus).args(options.rules.then_some("--rules")).args(&options.further);
    steps::step("compare", || steps::show(&mut command))
}
