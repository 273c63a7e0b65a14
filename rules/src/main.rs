//! For people who write rules: are they well formed, do they find what they should, what do they cover?
//!
//! Comes in: paths of rule files and folders. Goes out: text on standard output, one line a finding, and an exit code
//! (0 all well, 1 something is wrong with the rules, 2 wrong usage). YARA rules are compiled and run by luytre-scanner.

mod backtest;
mod check;
mod coverage;
mod event;
mod sensor;
mod signatures;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use luytre_rules_engine::scanner::ScannerClient;

/// Checks and tests rules.
#[derive(Parser)]
#[command(name = "luytre-rules", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads every rule and says what is wrong with it: file, line, reason.
    Check(CheckArgs),
    /// Runs the tests beside the rules (NAME.test.json).
    Test(Paths),
    /// Lists the ATT&CK techniques that the rules look for.
    Coverage(Paths),
    /// Says what the rules find in events of the past (JSON lines, `-` for standard input).
    Backtest {
        /// Rule files and folders.
        #[arg(long = "rules", required = true)]
        rules: Vec<PathBuf>,
        /// Only how often each rule fired.
        #[arg(long)]
        quiet: bool,
        /// Files of events as `luytre-sensor read` writes them.
        #[arg(required = true)]
        events: Vec<PathBuf>,
    },
    /// Says how far a signature comes in captures: what held at which byte of which buffer, and what failed first.
    Explain {
        #[command(flatten)]
        at_work: sensor::AtWork,
        /// Signature id; not needed where there is one signature only.
        #[arg(long)]
        sid: Option<u32>,
    },
    /// Measures what loading signatures takes and what each costs on captures; names the costliest.
    Bench {
        #[command(flatten)]
        at_work: sensor::AtWork,
        /// How many of the costliest are named.
        #[arg(long, default_value_t = 20)]
        worst: u32,
    },
    /// Prints the version.
    Version,
}

/// What is checked, and how strictly.
#[derive(Args)]
struct CheckArgs {
    #[command(flatten)]
    paths: Paths,
    /// What is changed about signatures without touching them: a file of ours (.toml), or one like threshold.config.
    #[arg(long, value_name = "FILE")]
    tuning: Vec<PathBuf>,
    /// Also fail for signatures that are slow, cannot match, or are tuned for nothing.
    #[arg(long)]
    strict: bool,
}

/// Which rules, and with what.
#[derive(Args)]
struct Paths {
    /// Rule files and folders.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The scanner that compiles and runs YARA rules (default: beside this program).
    #[arg(long)]
    scanner: Option<PathBuf>,
    /// Also print oddities of other people's rules and what went well.
    #[arg(long, short)]
    verbose: bool,
}

impl Paths {
    fn scanner(&self) -> PathBuf {
        self.scanner.clone().unwrap_or_else(ScannerClient::program_beside)
    }
}

/// Both kinds of checks, so that everything that is wrong is told at once.
fn check(args: &CheckArgs) -> anyhow::Result<bool> {
    let paths = &args.paths;
    let signatures = signatures::check(&paths.paths, &args.tuning, args.strict, paths.verbose)?;
    Ok(check::run(&paths.paths, &paths.scanner(), paths.verbose)? && signatures)
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => check(&args),
        Command::Test(paths) => test::run(&paths.paths, &paths.scanner(), paths.verbose),
        Command::Coverage(paths) => coverage::run(&paths.paths),
        Command::Backtest { rules, quiet, events } => backtest::run(&rules, &events, quiet),
        Command::Explain { at_work, sid } => sensor::explain(&at_work, sid),
        Command::Bench { at_work, worst } => sensor::bench(&at_work, worst),
        Command::Version => {
            println!("luytre-rules {}", env!("CARGO_PKG_VERSION"));
            Ok(true)
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("luytre-rules: {error:#}");
            ExitCode::from(1)
        }
    }
}
