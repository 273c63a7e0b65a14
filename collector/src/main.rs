//! `luytre-collector`: arguments, configuration, log, run, exit code.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use luytre_collector::client::{Client, Refused};
use luytre_collector::settings::Settings;
use luytre_collector::{commands, run};

/// Events in, alerts and answers out.
#[derive(Debug, Parser)]
#[command(name = "luytre-collector", version)]
struct Arguments {
    /// The configuration file; without one the defaults hold.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept.
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/luytre/collector")]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive sensors and answer, until stopped.
    Run,
    /// One-time tokens for new sensors.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Let a console on another machine use the API: write its key and certificate into a folder.
    ApiCertificate(commands::ApiCertificateArguments),
    /// Search events.
    Search(commands::SearchArguments),
    /// Write everything a query finds as CSV or JSON lines.
    Export(commands::ExportArguments),
    /// Take captures, or logs of Suricata and Zeek, into a data set of its own.
    Import(commands::ImportArguments),
    /// List the data sets apart from the live one, or remove one.
    Sets(commands::SetsArguments),
    /// Fetch the packets of a flow from the sensor that keeps them.
    Packets(commands::PacketsArguments),
    /// Seal, hold, list, read and release evidence.
    #[command(subcommand)]
    Evidence(commands::EvidenceCommand),
    /// Check a bundle of evidence: is it whole, and whose is it? Needs no collector.
    Verify(commands::VerifyArguments),
    /// Run a bundle's events and packets through detection again: is it the same alert? Needs no collector.
    Replay(commands::ReplayArguments),
    /// List the sensors.
    Sensors,
    /// List the rules in force and the broken ones.
    Rules {
        #[command(subcommand)]
        command: Option<RulesCommand>,
    },
    /// What would rules have said of the events that are there? Nothing is alerted.
    Backtest(commands::BacktestArguments),
    /// List the other programs that send lines, and what became of them; make or revoke their tokens.
    Sources {
        #[command(subcommand)]
        command: Option<commands::SourcesCommand>,
        /// Print JSON, one object a line.
        #[arg(long)]
        json: bool,
    },
    /// List the saved queries and what became of their runs; keep, change or remove one.
    Queries {
        #[command(subcommand)]
        command: Option<commands::QueriesCommand>,
        /// Print JSON, one object a line.
        #[arg(long)]
        json: bool,
    },
    /// How the running collector is: events, sensors, evidence, what does not work.
    Status(commands::StatusArguments),
    /// Copy everything into a new folder, while the collector runs.
    Backup(commands::BackupArguments),
    /// Make the data directory of such a copy.
    Restore(commands::RestoreArguments),
    /// Check the configuration, and whether a running collector is well.
    Check,
    /// Print the version.
    Version,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token; it works once, within 24 hours.
    Create {
        /// What the sensor will be called.
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Load the rules anew without a restart, and list them. When nothing loads, those before stay in force.
    Reload,
}

fn main() -> ExitCode {
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are no failure.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    luytre_settings::start_log();
    let settings: Settings = match luytre_settings::load(arguments.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("luytre-collector: {error}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("luytre-collector: start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(execute(arguments.command, settings, &arguments.data)) {
        Ok(code) => code,
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("luytre-collector: {error:#}");
            let is_usage = error.downcast_ref::<Refused>().is_some_and(|refused| refused.0.code == "bad_query");
            if is_usage { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

async fn execute(command: Command, settings: Settings, data: &Path) -> anyhow::Result<ExitCode> {
    let client = Client::new(&settings.socket(data));
    match command {
        Command::Run => run::run(settings, data).await?,
        Command::Token(TokenCommand::Create { name }) => {
            commands::create_token(&client, &settings, data, &name).await?
        }
        Command::ApiCertificate(wished) => commands::api_certificate(&client, &settings, data, &wished).await?,
        Command::Search(search) => commands::search(&client, &settings, data, &search).await?,
        Command::Export(wished) => commands::export(&client, &settings, data, &wished).await?,
        Command::Import(files) => return commands::import(&client, &settings, data, &files).await,
        Command::Sets(wished) => commands::sets(&client, &settings, data, &wished).await?,
        Command::Packets(packets) => commands::packets(&client, &packets).await?,
        Command::Evidence(command) => return commands::evidence(&client, &command).await,
        Command::Verify(wished) => return commands::verify(data, &wished),
        Command::Replay(wished) => return commands::replay(&settings, data, &wished),
        Command::Sensors => commands::sensors(&client).await?,
        Command::Rules { command: None } => commands::rules(&client).await?,
        Command::Rules { command: Some(RulesCommand::Reload) } => commands::reload_rules(&client).await?,
        Command::Status(wished) => return commands::status(&client, &wished).await,
        Command::Sources { json, command } => {
            commands::sources(&client, &settings, data, json, command.as_ref()).await?;
        }
        Command::Backtest(wished) => return commands::backtest(&client, &wished).await,
        Command::Queries { command, json } => commands::queries(&client, json, command.as_ref()).await?,
        Command::Backup(wished) => commands::backup(data, &wished)?,
        Command::Restore(wished) => commands::restore(data, &wished)?,
        Command::Check => return commands::check(&client, &settings, data).await,
        Command::Version => println!("luytre-collector {}", env!("CARGO_PKG_VERSION")),
    }
    Ok(ExitCode::SUCCESS)
}
