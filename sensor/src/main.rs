//! `luytre-sensor`: packets in, events out. Arguments, configuration, log, run, exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Network sensor of Lũy Tre: reads packets, writes events.
#[derive(Parser)]
#[command(name = "luytre-sensor", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the catalogue of all event fields, as committed in sensor/events/catalogue.json.
    Catalogue,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    luytre_settings::start_log();
    let result = match cli.command {
        Command::Catalogue => catalogue(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("luytre-sensor: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn catalogue() -> anyhow::Result<()> {
    print!("{}", luytre_sensor::catalogue::declared()?.to_json());
    Ok(())
}
