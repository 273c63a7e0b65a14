//! `demo` and `record`: build what is needed, then hand over to the demo's own program, or to the recording script.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::{builds, steps, tools, workspace};

/// What `cargo xtask demo` takes.
#[derive(Debug, Default, clap::Args)]
pub struct Options {
    /// Plays on a live interface between network namespaces of its own (root).
    #[arg(long)]
    live: bool,
    /// Runs to the end without a screen, verifies through the API, prints a summary and exits.
    #[arg(long)]
    check: bool,
    /// Keeps all data in this folder instead of a temporary one.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Uses what is already built.
    #[arg(long)]
    no_build: bool,
}

/// Builds everything and plays the demo.
pub fn run(options: &Options) -> Result<()> {
    if options.live {
        tools::require(tools::LIVE)?;
    }
    if !options.no_build {
        builds::everything()?;
    }
    steps::show(&mut command(options)?)
}

/// The demo's program with its arguments.
pub fn command(options: &Options) -> Result<Command> {
    let mut command = Command::new(workspace::programs()?.join("luytre-demo"));
    command.current_dir(workspace::root());
    command.args(options.live.then_some("--live")).args(options.check.then_some("--check"));
    if let Some(folder) = &options.keep {
        command.arg("--keep").arg(std::path::absolute(folder)?);
    }
    Ok(command)
}

/// The demo with `--check`, optionally live.
pub fn check(live: bool) -> Options {
    Options { live, check: true, ..Options::default() }
}

/// Records the story anew.
pub fn record(output: Option<&Path>) -> Result<()> {
    tools::require(tools::RECORD)?;
    let mut command = Command::new("bash");
    command.arg(workspace::root().join("deploy/demo/record/record.sh"));
    if let Some(file) = output {
        command.arg(std::path::absolute(file)?);
    }
    steps::step("record the story", || steps::show(&mut command))
}
