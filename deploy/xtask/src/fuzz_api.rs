//! `cargo xtask fuzz-api`: made-up requests to every route of the console's API, as every role, by Schemathesis.
//!
//! Sets the tool up in the target directory (one release of it, from the Python package index), starts the demo with a
//! store that is thrown away, and runs `tests/api/fuzz.py` against its console. It ends with 1 where an answer was a
//! server's error or not what `console/openapi.json` promises. The tests of the console make requests up too
//! (`console/tests/it/fuzz`), without any of this.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{builds, steps, tools, web, workspace};

/// The tool, in the release that is used.
const TOOL: &str = "schemathesis==4.32.5";

/// What `cargo xtask fuzz-api` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How long each role has.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// The seed: the same one makes the same requests up.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// How many requests are made up for a route at most.
    #[arg(long, default_value_t = 20)]
    examples: u32,
    /// Only these roles.
    #[arg(long)]
    role: Vec<String>,
    /// Uses what is already built.
    #[arg(long)]
    no_build: bool,
}

/// Fuzzes.
pub fn run(options: &Options) -> Result<()> {
    let python = steps::step("set the fuzzer up", set_up)?;
    if !options.no_build {
        tools::require(tools::BUILD)?;
        web::build()?;
        builds::programs()?;
    }
    let root = workspace::root();
    let mut command = Command::new(workspace::programs()?.join("luytre-demo"));
    command.current_dir(&root).arg("--then").arg(python).arg(root.join("tests/api/fuzz.py"));
    command.arg("--description").arg(root.join("console/openapi.json"));
    command.args(["--seconds", &options.seconds.to_string(), "--seed", &options.seed.to_string()]);
    command.args(["--examples", &options.examples.to_string()]);
    command.args(options.role.iter().flat_map(|role| ["--role", role]));
    steps::show(&mut command)
}

/// Python with the tool, in a folder of its own.
fn set_up() -> Result<PathBuf> {
    tools::require(&[("python3", "python3-venv")])?;
    let folder = workspace::target()?.join("fuzz-api");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == TOOL) {
        return Ok(python);
    }
    steps::quiet(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .context("make a Python environment; on Debian it needs the package python3-venv")?;
    steps::quiet(Command::new(&python).args(["-m", "pip", "install", "--quiet", TOOL]))?;
    std::fs::write(&stamp, TOOL).with_context(|| format!("write {}", stamp.display()))?;
    Ok(python)
}
