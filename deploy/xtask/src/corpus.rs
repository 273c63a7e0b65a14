//! Agreement with a reference: runs the comparison of tests/corpus over a folder of captures and reference results.

use std::path::PathBuf;

use anyhow::Result;

use crate::{steps, workspace};

/// What `cargo xtask corpus` takes; everything is handed to the comparison.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder with captures/ and reference/.
    corpus: Option<PathBuf>,
    /// Further arguments of the comparison.
    #[arg(last = true)]
    further: Vec<String>,
}

/// Builds the sensor for speed and runs the comparison.
pub fn run(options: &Options) -> Result<()> {
    steps::step("build the sensor (release)", || {
        steps::show(workspace::cargo().args(["build", "--release", "-p", "luytre-sensor"]))
    })?;
    let mut command = workspace::cargo();
    command.args(["run", "--quiet", "-p", "luytre-corpus-check", "--"]);
    command.args(&options.corpus).args(&options.further);
    steps::step("compare", || steps::show(&mut command))
}
