//! The development commands, `cargo xtask COMMAND`: build, demo, test, check, bench, corpus, fuzz, fuzz-api, generate, web, record.
//!
//! Comes in: a command line. Goes out: what the command makes, with its progress and how long each step took on standard
//! error, and exit code 0 done, 1 failed, 2 wrong usage. Every command may be run again at any time.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod builds;
mod check;
mod corpus;
mod demo;
mod fuzz;
mod fuzz_api;
mod generate;
mod steps;
mod tally;
mod test;
mod tools;
mod web;
mod workspace;

/// Development commands of Lũy Tre.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Builds the programs and the console's pages.
    Build,
    /// Builds everything, starts the three programs, plays the demo's story and prints the console's address.
    Demo(demo::Options),
    /// Everything that continuous integration runs; the last line is `N passed, N failed`.
    Test(test::Options),
    /// The fast checks: formatting, lints, tidy.
    Check,
    /// Measures speed and size; writes rows of docs/BENCHMARKS.md.
    Bench(bench::Options),
    /// Compares the sensor's events with a reference: recall, precision, differences.
    Corpus(corpus::Options),
    /// Feeds made-up bytes to everything in the sensor that reads some, and reports what breaks.
    Fuzz(fuzz::Options),
    /// Makes requests up for every route of the console's API, as every role, and reports what breaks.
    FuzzApi(fuzz_api::Options),
    /// Writes the generated contracts: catalogue.json, openapi.json and the pages' API client.
    Generate,
    /// Builds the console's pages where their sources changed.
    Web,
    /// Records the demo's story anew (root; needs the programs it uses).
    Record {
        /// Where the capture goes; without it, deploy/demo/story.pcapng.
        output: Option<std::path::PathBuf>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Build => builds::everything(),
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => return verdict(test::run(&options)),
        Command::Check => check::run(),
        Command::Bench(options) => bench::run(&options),
        Command::Corpus(options) => corpus::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::FuzzApi(options) => fuzz_api::run(&options),
        Command::Generate => generate::run(),
        Command::Web => web::build(),
        Command::Record { output } => demo::record(output.as_deref()),
    };
    verdict(outcome.map(|()| true))
}

/// The exit code of a command; nothing may be printed after the tests' last line.
fn verdict(outcome: anyhow::Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
