//! `luytre-sensor`: packets in, events out. Arguments, configuration, log, run, exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::read::{self, Destination, ReadOptions, Summary};

/// Network sensor of Lũy Tre: reads packets, writes events.
#[derive(Parser)]
#[command(name = "luytre-sensor", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read capture files (pcap or pcapng, also gzipped) and write events as JSON lines.
    Read(ReadArgs),
    /// Print the catalogue of all event fields, as committed in sensor/events/catalogue.json.
    Catalogue,
}

#[derive(Args)]
struct ReadArgs {
    /// Capture files; - is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Signature rules (not in this release: accepted and ignored).
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// Worker threads; the events are the same for any number.
    #[arg(long, default_value_t = 1, value_name = "N")]
    workers: usize,
    /// Write one file per dataset into this directory instead of standard output.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also print the counters of every stage.
    #[arg(long)]
    stats: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    luytre_settings::start_log();
    let result = match cli.command {
        Command::Read(args) => read_files(args),
        Command::Catalogue => catalogue(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("luytre-sensor: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn catalogue() -> anyhow::Result<ExitCode> {
    print!("{}", luytre_sensor::catalogue::declared()?.to_json());
    Ok(ExitCode::SUCCESS)
}

fn read_files(args: ReadArgs) -> anyhow::Result<ExitCode> {
    if !args.rules.is_empty() {
        eprintln!("luytre-sensor: signatures are not in this release: --rules is ignored, events are written all the same");
    }
    let destination = args.out.map_or(Destination::Stdout, Destination::Directory);
    let options =
        ReadOptions { files: args.files, workers: args.workers, destination, limits: FlowLimits::default() };
    let summary = read::read(options)?;
    if summary.cut_short {
        return Ok(ExitCode::SUCCESS);
    }
    report(&summary, args.stats);
    Ok(if summary.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn report(summary: &Summary, stats: bool) {
    for error in &summary.errors {
        eprintln!("luytre-sensor: {error}");
    }
    for stage in summary.stages.iter().filter(|stage| stats || !stage.counts.dropped.is_empty()) {
        let counts = &stage.counts;
        let dropped: Vec<String> = counts.dropped.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        let dropped = if dropped.is_empty() { "nothing".to_owned() } else { dropped.join(", ") };
        eprintln!("{}: {} in, {} out, dropped: {dropped}", stage.name, counts.taken, counts.given);
    }
    if stats {
        for (name, count) in &summary.counts.anomalies {
            eprintln!("odd: {name} {count}");
        }
    }
    let packets = summary.stages.first().map_or(0, |stage| stage.counts.taken);
    let events: Vec<String> = summary.counts.events.iter().map(|(name, n)| format!("{name} {n}")).collect();
    eprintln!(
        "{packets} packets, {} flows, {} events ({}), {} unaccounted",
        summary.counts.flows,
        summary.counts.events_total(),
        events.join(", "),
        summary.unaccounted()
    );
}
