//! `luytre-collector evidence`, `verify` and `replay`.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use hyper::Method;
use hyper::body::Bytes;
use luytre_collector_api::{
    EvidenceAnswer, EvidenceItem, EvidenceLog, HoldAnswer, HoldRequest, PASSWORD_HEADER, ReleaseRequest,
};
use luytre_rules_engine::scanner::ScannerClient;

use super::print_table;
use crate::client::Client;
use crate::evidence::replay::{self, Outcome, Replay, Tools};
use crate::evidence::verify::{self, Bundle};
use crate::settings::Settings;

/// `luytre-collector evidence`.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Seal everything there is about an alert into a bundle, and hold it.
    Hold {
        /// The alert's id.
        #[arg(value_name = "ALERT")]
        alert: String,
        /// Why, such as the number of a case.
        #[arg(long, default_value = "")]
        reason: String,
        /// Also write the bundle here.
        #[arg(long, value_name = "FILE.zip")]
        out: Option<PathBuf>,
        /// Who, and how it is told.
        #[command(flatten)]
        common: Common,
    },
    /// Keep a document, such as a report that was sent.
    Add {
        /// The document.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
        /// Who, and how it is told.
        #[command(flatten)]
        common: Common,
    },
    /// List what is kept and who holds it.
    List {
        /// Who, and how it is told.
        #[command(flatten)]
        common: Common,
    },
    /// Write a piece of evidence to a file: a bundle as it is, all else behind a password, which is told.
    Get {
        /// Its id, or the beginning of it.
        id: String,
        /// Where it goes.
        #[arg(long, value_name = "FILE.zip")]
        out: PathBuf,
        /// Who, and how it is told.
        #[command(flatten)]
        common: Common,
    },
    /// End the holds of a piece of evidence; from then on its age counts.
    Release {
        /// Its id, or the beginning of it.
        id: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
        /// Who, and how it is told.
        #[command(flatten)]
        common: Common,
    },
    /// What was done with evidence, by whom, and whether that log is whole.
    Log {
        /// Who, and how it is told.
        #[command(flatten)]
        common: Common,
    },
}

/// What all of them take.
#[derive(Debug, Args)]
pub struct Common {
    /// Who does it, for the record [default: the user who is logged in].
    #[arg(long)]
    by: Option<String>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
}

impl Common {
    fn by(&self) -> String {
        let user = || ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        self.by.clone().or_else(user).unwrap_or_default()
    }
}

/// `luytre-collector verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The bundle.
    #[arg(value_name = "BUNDLE.zip")]
    bundle: PathBuf,
    /// The authority's certificate (PEM) as the operator has published it [default: of this collector, where one is].
    #[arg(long, value_name = "FILE.pem")]
    authority: Option<PathBuf>,
    /// Print JSON, one check a line.
    #[arg(long)]
    json: bool,
}

/// `luytre-collector replay`.
#[derive(Debug, Args)]
pub struct ReplayArguments {
    /// The bundle.
    #[arg(value_name = "BUNDLE.zip")]
    bundle: PathBuf,
    /// Opens the carved files in it, so that they are scanned too.
    #[arg(long)]
    password: Option<String>,
    /// The program that reads packets [default: luytre-sensor beside this program, else on the PATH].
    #[arg(long, value_name = "FILE")]
    sensor_program: Option<PathBuf>,
    /// Print what came of it as JSON.
    #[arg(long)]
    json: bool,
}

/// Holds, lists, reads and releases evidence through the running collector.
pub async fn evidence(client: &Client, command: &EvidenceCommand) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match command {
        EvidenceCommand::Hold { alert, reason, out: file, common } => {
            let request = HoldRequest { alert: alert.clone(), by: common.by(), reason: reason.clone() };
            let answer: HoldAnswer = client.post("/v1/evidence/holds", &request).await?;
            if let Some(file) = file {
                download(client, &answer.item.id, file, common).await?;
            }
            told(&mut out, &answer, common)?;
        }
        EvidenceCommand::Add { file, reason, common } => {
            let content = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
            let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            let query = [("by", common.by()), ("name", name), ("reason", reason.clone())];
            let path = format!("/v1/evidence/documents?{}", encoded(&query));
            let item: EvidenceItem = client.upload(&path, content).await?;
            item_told(&mut out, &item, common)?;
        }
        EvidenceCommand::List { common } => {
            let answer: EvidenceAnswer = client.get("/v1/evidence").await?;
            if common.json {
                for item in &answer.items {
                    writeln!(out, "{}", serde_json::to_string(item)?)?;
                }
                return Ok(ExitCode::SUCCESS);
            }
            let columns = ["id", "kind", "bytes", "added", "held by", "name"].map(str::to_owned);
            let rows: Vec<Vec<String>> = answer.items.iter().map(row).collect();
            print_table(&columns, &rows, &mut out)?;
            eprintln!(
                "{} of {} bytes, {} of them held; {} items have gone since the start",
                answer.bytes, answer.keep_bytes, answer.held_bytes, answer.removed
            );
        }
        EvidenceCommand::Get { id, out: file, common } => {
            let id = whole_id(client, id).await?;
            let (bytes, password) = download(client, &id, file, common).await?;
            let told = serde_json::json!({ "id": id, "file": file, "bytes": bytes, "password": password });
            match common.json {
                true => writeln!(out, "{told}")?,
                false => writeln!(out, "{}: {bytes} bytes; files in it open with {password}", file.display())?,
            }
        }
        EvidenceCommand::Release { id, reason, common } => {
            let id = whole_id(client, id).await?;
            let request = ReleaseRequest { by: common.by(), reason: reason.clone() };
            let item: EvidenceItem = client.post(&format!("/v1/evidence/{id}/release"), &request).await?;
            item_told(&mut out, &item, common)?;
        }
        EvidenceCommand::Log { common } => {
            let log: EvidenceLog = client.get("/v1/evidence/log").await?;
            if common.json {
                for line in &log.lines {
                    writeln!(out, "{}", serde_json::to_string(line)?)?;
                }
            } else {
                let columns = ["time", "what", "by", "id", "note"].map(str::to_owned);
                let row = |line: &luytre_collector_api::EvidenceLogLine| {
                    let id = line.id.get(..12).unwrap_or(&line.id).to_owned();
                    vec![line.time.clone(), line.what.clone(), line.by.clone(), id, line.note.clone()]
                };
                print_table(&columns, &log.lines.iter().map(row).collect::<Vec<_>>(), &mut out)?;
            }
            if !log.is_whole {
                eprintln!("luytre-collector: the log was changed: a line does not follow from the one before it");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(item: &EvidenceItem) -> Vec<String> {
    let holders: Vec<String> = item.holds.iter().map(|hold| format!("{} ({})", hold.by, hold.reason)).collect();
    let id = item.id.get(..12).unwrap_or(&item.id).to_owned();
    let added = item.added.get(..19).unwrap_or(&item.added).to_owned();
    vec![id, item.kind.name().to_owned(), item.bytes.to_string(), added, holders.join(", "), item.name.clone()]
}

fn told(out: &mut impl std::io::Write, answer: &HoldAnswer, common: &Common) -> anyhow::Result<()> {
    if common.json {
        writeln!(out, "{}", serde_json::to_string(answer)?)?;
        return Ok(());
    }
    let HoldAnswer { item, password, missing, events, flows, files } = answer;
    writeln!(out, "{}", item.id)?;
    eprintln!("sealed {events} events, the packets of {flows} flows and {files} files in {} bytes", item.bytes);
    missing.iter().for_each(|missing| eprintln!("missing: {missing}"));
    if *files > 0 {
        eprintln!("the files in it open with {password}");
    }
    Ok(())
}

fn item_told(out: &mut impl std::io::Write, item: &EvidenceItem, common: &Common) -> anyhow::Result<()> {
    match common.json {
        true => writeln!(out, "{}", serde_json::to_string(item)?)?,
        false => writeln!(out, "{}", row(item).join("  "))?,
    }
    Ok(())
}

/// Ids are long; their beginning is enough where it fits one item only.
async fn whole_id(client: &Client, id: &str) -> anyhow::Result<String> {
    let all: EvidenceAnswer = client.get("/v1/evidence").await?;
    let mut fitting = all.items.iter().map(|item| &item.id).filter(|known| known.starts_with(id));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) if !id.is_empty() => Ok(one.clone()),
        (Some(_), _) => anyhow::bail!("{id:?} fits several pieces of evidence; write more of the id"),
        (None, _) => anyhow::bail!("no evidence is called {id}; `luytre-collector evidence list` names what there is"),
    }
}

/// Writes a piece of evidence beside its place and renames it, so that no half of it stays.
async fn download(client: &Client, id: &str, file: &Path, common: &Common) -> anyhow::Result<(u64, String)> {
    let beside = file.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    let mut content = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .with_context(|| format!("make {}", beside.display()))?;
    let path = format!("/v1/evidence/{id}?{}", encoded(&[("by", common.by())]));
    let came = client.download_with(Method::GET, &path, Bytes::new(), &mut content).await;
    let kept = came.and_then(|came| {
        content
            .sync_all()
            .and_then(|()| std::fs::rename(&beside, file))
            .with_context(|| format!("write {}", file.display()))?;
        Ok(came)
    });
    let (bytes, headers) = kept.inspect_err(|_| drop(std::fs::remove_file(&beside)))?;
    let password = headers.get(PASSWORD_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok((bytes, password.to_owned()))
}

/// Names and values for a request's address.
fn encoded(pairs: &[(&str, String)]) -> String {
    let plain = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    let pair = |(name, value): &(&str, String)| format!("{name}={}", value.bytes().map(plain).collect::<String>());
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Checks a bundle without a collector.
pub fn verify(data: &Path, arguments: &VerifyArguments) -> anyhow::Result<ExitCode> {
    let mut bundle = open(&arguments.bundle)?;
    let own = data.join("fleet/authority/certificate.pem");
    let authority = match &arguments.authority {
        Some(path) => Some(std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?),
        None => std::fs::read_to_string(own).ok(),
    };
    let checks = verify::verify(&mut bundle, authority.as_deref());
    let mut out = std::io::stdout().lock();
    for check in &checks {
        match arguments.json {
            true => writeln!(out, "{}", serde_json::to_string(check)?)?,
            false => writeln!(out, "{} {}: {}", if check.ok { "right" } else { "WRONG" }, check.what, check.found)?,
        }
    }
    Ok(if checks.iter().all(|check| check.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn open(path: &Path) -> anyhow::Result<Bundle<std::io::BufReader<std::fs::File>>> {
    let file = std::fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    Bundle::open(std::io::BufReader::new(file)).with_context(|| format!("read {}", path.display()))
}

/// Replays a bundle that is whole.
pub fn replay(settings: &Settings, data: &Path, arguments: &ReplayArguments) -> anyhow::Result<ExitCode> {
    let mut bundle = open(&arguments.bundle)?;
    for check in verify::verify(&mut bundle, None) {
        anyhow::ensure!(
            check.ok,
            "{} is not to be trusted: {}: {}",
            arguments.bundle.display(),
            check.what,
            check.found
        );
    }
    let scratch = Scratch::new()?;
    let sensor = arguments.sensor_program.clone().unwrap_or_else(super::import::beside);
    let scanner = settings.files.scanner.clone().unwrap_or_else(ScannerClient::program_beside);
    let rules = settings.rules(data);
    let tools = Tools {
        sensor: &sensor,
        scanner: &scanner,
        password: arguments.password.as_deref(),
        rules: &rules,
        scratch: &scratch.0,
    };
    let replay = replay::replay(&mut bundle, &tools)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let mut told = serde_json::to_value(&replay)?;
        if let Some(told) = told.as_object_mut() {
            told.insert("proved".to_owned(), replay.is_proved().into());
        }
        writeln!(out, "{told}")?;
    } else {
        print_replay(&replay, &mut out)?;
    }
    Ok(if replay.is_proved() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_replay(replay: &Replay, out: &mut impl std::io::Write) -> std::io::Result<()> {
    writeln!(out, "alert {}: {}", replay.alert, replay.rule)?;
    let rules = if replay.same_rules { "those that raised it" } else { "NOT those that raised it" };
    writeln!(out, "sealed rules: {rules}")?;
    print_outcome("sealed events", &replay.from_events, out)?;
    match &replay.from_packets {
        Some(outcome) => print_outcome("sealed packets, read anew", outcome, out)?,
        None => writeln!(out, "sealed packets: none")?,
    }
    for difference in &replay.read_differently {
        writeln!(out, "  {} events: {} sealed, {} read anew", difference.what, difference.then, difference.now)?;
    }
    let fires = if replay.fires_today { "this rule and" } else { "NOT this rule, but" };
    writeln!(out, "today's rules: {fires} in all {}", replay.today.len())?;
    for said in &replay.today {
        writeln!(out, "  {} ({}), {} events", said.name, said.rule, said.events)?;
    }
    replay.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))
}

fn print_outcome(what: &str, outcome: &Outcome, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let verdict = match (outcome.fired, outcome.differences.is_empty()) {
        (true, true) => "the same alert",
        (true, false) => "the rule fires, with DIFFERENCES",
        (false, _) => "the rule does NOT fire",
    };
    writeln!(out, "{what} ({} events): {verdict}", outcome.events)?;
    for difference in &outcome.differences {
        writeln!(out, "  {}: {} then, {} now", difference.what, difference.then, difference.now)?;
    }
    Ok(())
}

/// A folder of our own below the one for temporary files.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Scratch> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(|error| anyhow::anyhow!("make a name: {error}"))?;
        let path = std::env::temp_dir().join(format!("luytre-replay-{}", hex::encode(name)));
        crate::fleet::store::make_folder(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is the system's to tidy.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
