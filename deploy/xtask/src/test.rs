//! `cargo xtask test`: everything that continuous integration runs, in an order that shows cheap failures early.
//!
//! Each step counts what passed and failed; a step that fails does not stop the others. The very last line is exactly
//! `N passed, N failed`, summed over all of them. Nothing is skipped silently: what cannot run here is a failure, unless
//! it is left out by name on the command line.

use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::tally::Tally;
use crate::{builds, demo, steps, tools, web, workspace};

/// What `cargo xtask test` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only the steps whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// One step: its name and what it does.
type Step = (&'static str, fn() -> Result<Tally>);

/// All steps in order.
const STEPS: &[Step] = &[
    ("set-up", set_up),
    ("pages: build", || passes(web::build())),
    ("pages: tests", || web::test().map(|(ok, output)| Tally::of(ok, &output))),
    ("programs: build", || passes(builds::programs_and_tests())),
    ("crates: tests", crates),
    ("workers: build", || passes(builds::workers())),
    ("workers: tests", workers),
    ("rules: check", || rules("check")),
    ("rules: test", || rules("test")),
    ("tidy", || ours("tidy")),
    ("demo --check", || counted(&mut demo::command(&demo::check(false))?)),
    ("scenarios", || ours("scenarios")),
    ("live interface", || ours("live")),
    ("browser", || ours("browser")),
];

/// Runs all steps and prints the sum; says whether nothing failed.
pub fn run(options: &Options) -> Result<bool> {
    let began = Instant::now();
    let mut rows = Vec::new();
    let mut sum = Tally::default();
    for (name, work) in STEPS {
        if options.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let start = Instant::now();
        let tally = steps::step(name, work).unwrap_or_else(|error| {
            eprintln!("{name}: {error:#}");
            Tally::one(false)
        });
        sum += tally;
        rows.push((*name, tally, start.elapsed().as_secs_f64()));
    }
    println!("\n{:<20} {:>7} {:>7} {:>9}", "step", "passed", "failed", "seconds");
    for (name, tally, seconds) in rows {
        println!("{name:<20} {:>7} {:>7} {seconds:>9.1}", tally.passed, tally.failed);
    }
    println!("{:<20} {:>7} {:>7} {:>9.1}", "all", "", "", began.elapsed().as_secs_f64());
    println!("{} passed, {} failed", sum.passed, sum.failed);
    Ok(sum.failed == 0)
}

fn set_up() -> Result<Tally> {
    tools::require(tools::BUILD)?;
    tools::require_node()?;
    tools::require(tools::TEST)?;
    Ok(Tally::default())
}

fn passes(outcome: Result<()>) -> Result<Tally> {
    outcome.map(|()| Tally::default())
}

/// A command whose output says what passed and failed.
fn counted(command: &mut Command) -> Result<Tally> {
    steps::tee(command).map(|(succeeded, output)| Tally::of(succeeded, &output))
}

/// The tests inside the crates: unit, model, golden. Those of tests/ have `test = false` and run by name below.
fn crates() -> Result<Tally> {
    let mut command = builds::light("test");
    if let Some(corpus) = workspace::corpus() {
        command.env("LUYTRE_CORPUS", corpus);
    }
    counted(command.arg("--no-fail-fast"))
}

fn workers() -> Result<Tally> {
    builds::WORKERS.iter().try_fold(Tally::default(), |mut sum, name| {
        sum += counted(builds::worker("test", name)?.arg("--no-fail-fast"))?;
        Ok(sum)
    })
}

fn rules(command: &str) -> Result<Tally> {
    let mut program = Command::new(workspace::programs()?.join("luytre-rules"));
    counted(program.current_dir(workspace::root()).args([command, "rules"]))
}

/// One of the targets of tests/, which start the built programs as real processes.
fn ours(target: &str) -> Result<Tally> {
    counted(builds::light("test").args(["--no-fail-fast", "--test", target, "--", "--test-threads", "2"]))
}
