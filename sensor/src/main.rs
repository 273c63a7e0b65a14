//! `luytre-sensor`: packets in, events out. Arguments, configuration, log, run, exit code.

mod authors;
mod canaries;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use luytre_events::CommunityId;
use luytre_sensor::decode::Checksums;
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::read::{self, Destination, ReadOptions, Summary};
use luytre_sensor::run::settings::Settings;
use luytre_sensor::{capture, packets, run, signatures, uplink};

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
    /// Write the packets that this sensor has kept of a flow, or all of a span of time, into a pcapng file.
    Packets(PacketsArgs),
    /// Capture and send events to the collector until told to stop (SIGTERM or SIGINT).
    Run(RunArgs),
    /// Have a running sensor read its configuration again; what it cannot take up without a restart is named.
    Reload(DataArgs),
    /// Print what a running sensor counts: the ledger's stages, what is given up under load, filters, canaries.
    Status(DataArgs),
    /// Send marked packets to show that a sensor sees what passes, or wait for them.
    #[command(subcommand)]
    Canary(canaries::Command),
    /// Say how far a signature comes in a capture: what held where, and what failed first.
    Explain(authors::ExplainArgs),
    /// Measure what loading signatures takes, and what each of them costs on captures.
    Bench(authors::BenchArgs),
    /// Enrol this sensor at a collector with a one-time token from `luytre-collector token create`.
    Enroll(EnrollArgs),
    /// Check configuration, identity, interfaces and spool, and say what is wrong.
    Check(RunArgs),
    /// List the interfaces of this machine.
    Interfaces,
    /// Print the catalogue of all event fields, as committed in sensor/events/catalogue.json.
    Catalogue(CatalogueArgs),
}

#[derive(Args)]
struct ReadArgs {
    /// Capture files; - is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Signature rules: files, or folders of .rules files. What matches is written as alerts among the events.
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// What is changed about the rules without touching them: a file of ours (.toml), or one like threshold.config.
    #[arg(long, value_name = "FILE", requires = "rules")]
    tuning: Vec<PathBuf>,
    /// Worker threads; the events are the same for any number.
    #[arg(long, default_value_t = 1, value_name = "N")]
    workers: usize,
    /// Write one file per dataset into this directory instead of standard output.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Look only at packets that this filter lets through, in the language of tcpdump.
    #[arg(long, default_value = "", value_name = "FILTER")]
    filter: String,
    /// Refuse packets with a wrong checksum, as their receiver does.
    #[arg(long)]
    verify_checksums: bool,
    /// Also print the counters of every stage.
    #[arg(long)]
    stats: bool,
}

#[derive(Args)]
struct CatalogueArgs {
    /// The manual page for people instead, as committed in docs/manual/events.md.
    #[arg(long)]
    manual: bool,
}

#[derive(Args)]
struct RunArgs {
    /// Configuration file (TOML); without one the defaults hold.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder.
    #[arg(long, default_value = "/var/lib/luytre/sensor", value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
struct DataArgs {
    /// Data folder of the running sensor.
    #[arg(long, default_value = "/var/lib/luytre/sensor", value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
#[group(id = "which", required = true, multiple = true)]
struct Which {
    /// The flow: network.community_id of its events, such as 1:LQU9qZlK+B5F3KDmev6m5PMibrg=.
    #[arg(long, value_name = "COMMUNITY_ID")]
    flow: Option<CommunityId>,
    /// From this time on (RFC 3339, such as 2026-11-22T08:30:00Z).
    #[arg(long, value_name = "TIME")]
    from: Option<jiff::Timestamp>,
    /// Until this time.
    #[arg(long, value_name = "TIME")]
    to: Option<jiff::Timestamp>,
}

#[derive(Args)]
struct PacketsArgs {
    #[command(flatten)]
    which: Which,
    /// At most this many megabytes.
    #[arg(long, default_value_t = 1024, value_name = "MB")]
    limit_mb: u64,
    /// Where they go.
    #[arg(long, value_name = "FILE.pcapng")]
    out: PathBuf,
    /// Data folder of the sensor, which may be running.
    #[arg(long, default_value = "/var/lib/luytre/sensor", value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
struct EnrollArgs {
    /// The collector's intake.
    #[arg(long, value_name = "HOST:PORT")]
    collector: String,
    /// The one-time token.
    #[arg(long)]
    token: String,
    /// Data folder.
    #[arg(long, default_value = "/var/lib/luytre/sensor", value_name = "DIR")]
    data: PathBuf,
}

/// How much of an answer is held in memory at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Exit code for wrong usage or configuration.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    luytre_settings::start_log();
    let result = match cli.command {
        Command::Read(args) => read_files(args),
        Command::Packets(args) => packets(&args),
        Command::Run(args) => run_sensor(&args),
        Command::Reload(args) => reload(&args),
        Command::Status(args) => status(&args),
        Command::Canary(command) => canaries::run(&command),
        Command::Explain(args) => authors::explain(&args),
        Command::Bench(args) => authors::bench(&args),
        Command::Enroll(args) => enroll(&args),
        Command::Check(args) => check(&args),
        Command::Interfaces => interfaces(),
        Command::Catalogue(args) => catalogue(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("luytre-sensor: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn load(args: &RunArgs) -> Result<Settings, ExitCode> {
    let wrong = |message: String| {
        eprintln!("luytre-sensor: {message}");
        ExitCode::from(WRONG_USAGE)
    };
    let settings: Settings = luytre_settings::load(args.config.as_deref()).map_err(|error| wrong(error.to_string()))?;
    settings.check().map_err(wrong)?;
    Ok(settings)
}

fn run_sensor(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let settings = match load(args) {
        Ok(settings) => settings,
        Err(code) => return Ok(code),
    };
    install_cryptography();
    run::run(settings, args.config.as_deref(), &args.data)?;
    Ok(ExitCode::SUCCESS)
}

fn reload(args: &DataArgs) -> anyhow::Result<ExitCode> {
    Ok(match run::control::ask(&args.data, "reload")? {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("luytre-sensor: the settings stay as they are: {reason}");
            ExitCode::from(WRONG_USAGE)
        }
    })
}

fn status(args: &DataArgs) -> anyhow::Result<ExitCode> {
    let told = run::control::ask(&args.data, "status")?.map_err(anyhow::Error::msg)?;
    println!("{told}");
    Ok(ExitCode::SUCCESS)
}

fn packets(args: &PacketsArgs) -> anyhow::Result<ExitCode> {
    let nanoseconds = |time: Option<jiff::Timestamp>, open: i64| {
        time.map_or(open, |time| i64::try_from(time.as_nanosecond()).unwrap_or(open))
    };
    let query = packets::Query {
        flow: args.which.flow,
        from_ns: nanoseconds(args.which.from, i64::MIN),
        to_ns: nanoseconds(args.which.to, i64::MAX),
        limit_bytes: args.limit_mb.saturating_mul(1 << 20),
    };
    let key = packets::StoreKey::load(&args.data)?;
    let root = args.data.join(packets::FOLDER);
    let mut extraction =
        packets::Extraction::start(&root, &key, query).with_context(|| format!("read {}", root.display()))?;
    let first = extraction.next_piece(PIECE_BYTES);
    let out = args.out.display();
    if let Some(first) = &first {
        let mut file = std::fs::File::create(&args.out).with_context(|| format!("write {out}"))?;
        file.write_all(first).with_context(|| format!("write {out}"))?;
        while let Some(piece) = extraction.next_piece(PIECE_BYTES) {
            file.write_all(&piece).with_context(|| format!("write {out}"))?;
        }
    }
    let found = extraction.summary();
    if found.passed_over > 0 {
        eprintln!(
            "luytre-sensor: {} parts of the store were passed over: damaged, sealed with another key, or removed meanwhile",
            found.passed_over
        );
    }
    anyhow::ensure!(
        first.is_some(),
        "there are no such packets in {}; they may have outlived their time",
        root.display()
    );
    let cut = if found.cut { "; there are more: raise --limit-mb" } else { "" };
    eprintln!("{} packets, {} bytes in {out}, from {} blocks{cut}", found.packets, found.bytes, found.blocks);
    Ok(ExitCode::SUCCESS)
}

fn enroll(args: &EnrollArgs) -> anyhow::Result<ExitCode> {
    install_cryptography();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let name = runtime.block_on(uplink::enroll(&args.collector, &args.token, &args.data))?;
    println!("enrolled as {name}; start it with: luytre-sensor run --data {}", args.data.display());
    Ok(ExitCode::SUCCESS)
}

/// Only fails when a provider was installed already, which is as good.
fn install_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn check(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let settings = match load(args) {
        Ok(settings) => settings,
        Err(code) => return Ok(code),
    };
    let problems = problems(&settings, &args.data);
    for problem in &problems {
        println!("problem: {problem}");
    }
    if problems.is_empty() {
        println!("all is well");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(1))
}

fn problems(settings: &Settings, data: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let known: Vec<String> = capture::datalink::interfaces().into_iter().map(|interface| interface.name).collect();
    for source in &settings.source {
        if source.is_file() {
            if let Err(error) = capture::FileSource::open(&source.file) {
                problems.push(error.to_string());
            }
        } else if !known.contains(&source.interface) {
            problems.push(format!("there is no interface {}; there are: {}", source.interface, known.join(", ")));
        }
    }
    if let Err(error) = signatures::load(&settings.rules, &settings.tuning) {
        problems.push(format!("rules: {error:#}"));
    }
    if !data.join("identity/certificate.pem").exists() {
        problems.push(format!(
            "{} holds no identity: make a token with `luytre-collector token create`, then run `luytre-sensor enroll`",
            data.display()
        ));
    }
    problems
}

fn interfaces() -> anyhow::Result<ExitCode> {
    for interface in capture::datalink::interfaces() {
        let state = if interface.is_up() { "up" } else { "down" };
        let addresses: Vec<String> = interface.ips.iter().map(ToString::to_string).collect();
        println!("{}\t{state}\t{}\t{}", interface.name, addresses.join(" "), interface.description);
    }
    Ok(ExitCode::SUCCESS)
}

fn catalogue(args: &CatalogueArgs) -> anyhow::Result<ExitCode> {
    let catalogue = luytre_sensor::catalogue::declared()?;
    print!("{}", if args.manual { luytre_sensor::catalogue::manual(&catalogue) } else { catalogue.to_json() });
    Ok(ExitCode::SUCCESS)
}

fn read_files(args: ReadArgs) -> anyhow::Result<ExitCode> {
    let rules = match signatures::load(&args.rules, &args.tuning) {
        Ok(rules) => rules,
        Err(error) => {
            eprintln!("luytre-sensor: {error:#}");
            return Ok(ExitCode::from(WRONG_USAGE));
        }
    };
    if let Some(rules) = &rules {
        signatures::report(rules);
    }
    let filter = match capture::filter::Filter::parse(&args.filter) {
        Ok(filter) => filter.map(std::sync::Arc::new),
        Err(error) => {
            eprintln!("luytre-sensor: --filter: {error}");
            return Ok(ExitCode::from(WRONG_USAGE));
        }
    };
    let destination = args.out.map_or(Destination::Stdout, Destination::Directory);
    let options = ReadOptions {
        files: args.files,
        workers: args.workers,
        destination,
        limits: FlowLimits::default(),
        checksums: if args.verify_checksums { Checksums::Verify } else { Checksums::Ignore },
        filter,
        rules,
        probe: None,
    };
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
    let signatures = &summary.counts.signatures;
    let kept_back = signatures.named().into_iter().filter(|(_, count)| *count > 0);
    let kept_back: Vec<String> = kept_back.map(|(name, count)| format!("{name} {count}")).collect();
    if !kept_back.is_empty() {
        eprintln!("signatures: {} alerts; {}", signatures.alerts, kept_back.join(", "));
    }
    let packets = summary.stages.first().map_or(0, |stage| stage.counts.taken);
    let events: Vec<String> = summary.counts.events.iter().map(|(name, n)| format!("{name} {n}")).collect();
    let evicted = match summary.counts.evicted {
        0 => String::new(),
        count => format!(" ({count} ended early, because the table was full)"),
    };
    eprintln!(
        "{packets} packets, {} flows{evicted}, {} events ({}), {} unaccounted",
        summary.counts.flows,
        summary.counts.events_total(),
        events.join(", "),
        summary.unaccounted()
    );
}
