//! `luytre-sensor canary`: sends marked packets, and asks a running sensor what became of them.
//!
//! `send` makes and sends a run; with `--expect` it also waits for what the sensor of the same data folder saw. `expect`
//! waits for a run that is sent from elsewhere, and `key` prints the key that takes. Exit code 0 says that all were seen.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use luytre_sensor::canary::send::{Sending, new_run, send};
use luytre_sensor::canary::{COUNT_MAX, CanaryKey, Run};
use luytre_sensor::packets::StoreKey;
use luytre_sensor::run::control;

/// What to do.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Send a run of canaries: UDP packets that nobody has to receive.
    Send(SendArgs),
    /// Wait until the running sensor has seen a run, and say how many and how late.
    Expect(ExpectArgs),
    /// Print the key for sending canaries from another machine.
    Key(KeyArgs),
}

/// Arguments of `send`.
#[derive(Args)]
pub struct SendArgs {
    /// Where to; by default an address set aside for documentation, so that they go the way of everything else and reach
    /// nobody.
    #[arg(long, default_value = "203.0.113.9:9", value_name = "ADDRESS:PORT")]
    to: SocketAddr,
    /// How many.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=i64::from(COUNT_MAX)))]
    count: u32,
    /// Milliseconds between two.
    #[arg(long, default_value_t = 100, value_name = "MS")]
    interval_ms: u64,
    /// The name of the run, 32 hexadecimal digits; by default a new one.
    #[arg(long, value_parser = run_name)]
    run: Option<Run>,
    /// The key of the sensor that is to see them, as `canary key` printed it; by default that of the data folder.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Wait for what the sensor of the data folder saw.
    #[arg(long)]
    expect: bool,
    /// How long to wait for the last ones, in seconds.
    #[arg(long, default_value_t = 10, value_name = "S")]
    within_s: u64,
    /// Data folder of the sensor.
    #[arg(long, default_value = "/var/lib/luytre/sensor", value_name = "DIR")]
    data: PathBuf,
}

/// Arguments of `expect`.
#[derive(Args)]
pub struct ExpectArgs {
    /// The run, as `canary send` names it.
    #[arg(long, value_parser = run_name)]
    run: Run,
    /// How many are sent.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=i64::from(COUNT_MAX)))]
    count: u32,
    /// How long to wait for them, in seconds.
    #[arg(long, default_value_t = 60, value_name = "S")]
    within_s: u64,
    /// Data folder of the running sensor.
    #[arg(long, default_value = "/var/lib/luytre/sensor", value_name = "DIR")]
    data: PathBuf,
}

/// Arguments of `key`.
#[derive(Args)]
pub struct KeyArgs {
    /// Data folder of the sensor that is to see the canaries.
    #[arg(long, default_value = "/var/lib/luytre/sensor", value_name = "DIR")]
    data: PathBuf,
}

fn run_name(text: &str) -> Result<Run, &'static str> {
    control::run_of(text).ok_or("a run is named by 32 hexadecimal digits")
}

/// Does it.
pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Send(args) => send_run(args),
        Command::Expect(args) => {
            wait(&args.data, args.run, args.count, args.within_s).map(|seen| exit_code(seen.is_ok(), seen))
        }
        Command::Key(args) => {
            println!("{}", CanaryKey::of(&StoreKey::load(&args.data)?)?.text());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn send_run(args: &SendArgs) -> anyhow::Result<ExitCode> {
    let key = match &args.key_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
            CanaryKey::parse(&text).with_context(|| format!("{} holds no key for canaries", path.display()))?
        }
        None => CanaryKey::of(&StoreKey::load(&args.data)?)?,
    };
    let run = args.run.map_or_else(new_run, Ok)?;
    let interval = Duration::from_millis(args.interval_ms);
    let sending = Sending { to: args.to, count: args.count, interval };
    eprintln!("run {}", hex::encode(run));
    // Announced before the first one leaves: a sensor that sees none of them must still say so.
    let waiting = args.expect.then(|| {
        let takes_s = (interval * args.count).as_secs() + args.within_s;
        let (data, count) = (args.data.clone(), args.count);
        std::thread::spawn(move || wait(&data, run, count, takes_s))
    });
    let sent = send(&key, run, &sending)?;
    eprintln!("{sent} of {} canaries were sent to {}", args.count, args.to);
    match waiting.map(std::thread::JoinHandle::join) {
        None => Ok(if sent == args.count { ExitCode::SUCCESS } else { ExitCode::from(1) }),
        Some(Ok(seen)) => seen.map(|seen| exit_code(seen.is_ok(), seen)),
        Some(Err(_)) => anyhow::bail!("waiting for the sensor broke off"),
    }
}

fn wait(data: &std::path::Path, run: Run, count: u32, within_s: u64) -> anyhow::Result<Result<String, String>> {
    control::ask(data, &format!("canary {} {count} {within_s}", hex::encode(run)))
}

fn exit_code(all: bool, told: Result<String, String>) -> ExitCode {
    println!("{}", told.unwrap_or_else(|told| told));
    if all { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
