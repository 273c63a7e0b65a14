//! `luytre-collector import` and `sets`: through the running collector, or in its files when none runs.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use luytre_collector_api::{DataSet, Import, ImportBegun, ImportProgress, ImportRequest};
use serde_json::Value as Json;

use super::print_table;
use crate::api;
use crate::client::{Client, Refused};
use crate::enrich::{Enricher, SharedAgencies};
use crate::health::Problems;
use crate::import::{ImportError, Opened, Sets, open};
use crate::index::Store;
use crate::settings::Settings;

/// Events that are sent together.
const PIECE_EVENTS: usize = 1000;
/// Bytes of text that are sent together, about.
const PIECE_BYTES: usize = 4 << 20;
/// Between two signs of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// `luytre-collector import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The data set; it is made when there is none of this name.
    #[arg(long, value_name = "NAME")]
    set: String,
    /// Print what came of each file as JSON, one object a line.
    #[arg(long)]
    json: bool,
    /// The program that reads captures [default: luytre-sensor beside this program, else on the PATH].
    #[arg(long, value_name = "FILE")]
    sensor_program: Option<PathBuf>,
    /// Captures (pcap, pcapng), events of luytre-sensor, EVE JSON, JSON logs of Zeek; logs may be packed (gzip, zstd).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Where imports go.
enum Door {
    Running(Client),
    /// No collector runs, and none starts meanwhile.
    Here(Sets, #[expect(dead_code, reason = "held until the end")] Held),
}

/// The socket of the collector, held so that nobody else works in its files. Whoever knocks is turned away.
struct Held {
    path: PathBuf,
    turning_away: tokio::task::JoinHandle<()>,
}

impl Held {
    fn hold(path: PathBuf) -> anyhow::Result<Held> {
        let listener = api::serve::bind(&path).with_context(|| format!("hold {}", path.display()))?;
        let turning_away = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        Ok(Held { path, turning_away })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.turning_away.abort();
        // The next one makes it anew.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Door {
    async fn open(client: &Client, settings: &Settings, data: &Path) -> anyhow::Result<Door> {
        if client.is_there().await {
            return Ok(Door::Running(client.clone()));
        }
        std::fs::create_dir_all(data).with_context(|| format!("make the data directory {}", data.display()))?;
        let held = Held::hold(settings.socket(data))?;
        let store = Store::open(&data.join("index")).context("open the index")?;
        let agencies = SharedAgencies::default();
        // It reads the agencies into what is shared.
        drop(Enricher::new(settings.agencies(data), agencies.clone(), Problems::default()));
        Ok(Door::Here(Sets::new(&data.join("imports"), store, settings.index.clone(), agencies), held))
    }

    async fn begin(&self, set: &str, request: ImportRequest) -> anyhow::Result<u64> {
        match self {
            Door::Running(client) => {
                let begun: ImportBegun = client.post(&format!("/v1/sets/{set}/imports"), &request).await?;
                Ok(begun.number)
            }
            Door::Here(sets, _) => Ok(sets.begin(set, &request.file, &request.sha256)?),
        }
    }

    async fn add(&self, set: &str, number: u64, events: &[Json]) -> anyhow::Result<u64> {
        match self {
            Door::Running(client) => {
                let path = format!("/v1/sets/{set}/imports/{number}/events");
                let progress: ImportProgress = client.post(&path, &events).await?;
                Ok(progress.events)
            }
            Door::Here(sets, _) => Ok(sets.add(set, number, events)?),
        }
    }

    async fn finish(&self, set: &str, number: u64) -> anyhow::Result<Import> {
        match self {
            Door::Running(client) => client.post(&format!("/v1/sets/{set}/imports/{number}/finish"), &()).await,
            Door::Here(sets, _) => Ok(sets.finish(set, number)?),
        }
    }
}

/// Imports the files one after the other; one that cannot be imported does not stop the others.
pub async fn import(
    client: &Client,
    settings: &Settings,
    data: &Path,
    arguments: &ImportArguments,
) -> anyhow::Result<ExitCode> {
    let door = Door::open(client, settings, data).await?;
    let sensor = arguments.sensor_program.clone().unwrap_or_else(beside);
    let mut code = ExitCode::SUCCESS;
    for path in &arguments.files {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        match import_file(&door, arguments, path, &name, &sensor).await {
            Ok(()) => {}
            // What is in the set already is where it should be.
            Err(error) if is_there_already(&error) => eprintln!("{error:#}"),
            Err(error) if is_wrong_name(&error) => {
                eprintln!("luytre-collector: {error:#}");
                return Ok(ExitCode::from(2));
            }
            Err(error) => {
                eprintln!("luytre-collector: {error:#}");
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn is_there_already(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ImportError::Again { .. }))
        || error.downcast_ref::<Refused>().is_some_and(|refused| refused.0.code == "again")
}

fn is_wrong_name(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ImportError::Name(_)))
        || error.downcast_ref::<Refused>().is_some_and(|refused| refused.0.code == "bad_request")
}

/// `luytre-sensor` beside this program, else whatever the PATH says.
pub(super) fn beside() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name("luytre-sensor"));
    beside.filter(|path| path.exists()).unwrap_or_else(|| "luytre-sensor".into())
}

async fn import_file(
    door: &Door,
    arguments: &ImportArguments,
    path: &Path,
    name: &str,
    sensor: &Path,
) -> anyhow::Result<()> {
    let file = open(path)?;
    let request = ImportRequest { file: name.to_owned(), sha256: file.sha256.clone() };
    let number = door.begin(&arguments.set, request).await?;
    let mut lines = file.lines(sensor)?;
    let mut progress = Progress::new(name, &file);
    let (mut piece, mut piece_bytes) = (Vec::new(), 0);
    while let Some(event) = lines.next().with_context(|| format!("read {}", path.display()))? {
        piece_bytes += weight(&event);
        piece.push(event);
        if piece.len() >= PIECE_EVENTS || piece_bytes >= PIECE_BYTES {
            let events = door.add(&arguments.set, number, &piece).await?;
            progress.tell(events, lines.taken_bytes());
            piece.clear();
            piece_bytes = 0;
        }
    }
    if !piece.is_empty() {
        door.add(&arguments.set, number, &piece).await?;
    }
    let imported = door.finish(&arguments.set, number).await?;
    progress.clear();
    let passed_over = lines.passed_over + imported.refused;
    let reasons: Vec<&String> = lines.reasons.iter().chain(&imported.reasons).collect();
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let told = serde_json::json!({
            "file": name, "kind": file.kind.name(), "set": arguments.set, "events": imported.events,
            "passed_over": passed_over, "left_out_fields": imported.left_out, "reasons": reasons,
        });
        writeln!(out, "{told}").context("write the outcome")?;
        return Ok(());
    }
    write!(out, "{name}: {}, {} events", file.kind.name(), imported.events).context("write the outcome")?;
    if passed_over > 0 {
        write!(out, ", {passed_over} lines passed over").context("write the outcome")?;
    }
    if imported.left_out > 0 {
        write!(out, ", {} values left out that no field can hold", imported.left_out).context("write the outcome")?;
    }
    writeln!(out).context("write the outcome")?;
    reasons.iter().for_each(|reason| eprintln!("  {reason}"));
    Ok(())
}

/// About how many bytes a value takes as text.
fn weight(json: &Json) -> usize {
    match json {
        Json::String(text) => text.len() + 3,
        Json::Array(items) => items.iter().map(weight).sum::<usize>() + 2,
        Json::Object(map) => map.iter().map(|(name, value)| name.len() + 4 + weight(value)).sum::<usize>() + 2,
        _ => 8,
    }
}

/// A line on the terminal that says how far it has come.
struct Progress<'n> {
    name: &'n str,
    bytes: u64,
    told: Option<Instant>,
    wanted: bool,
}

impl<'n> Progress<'n> {
    fn new(name: &'n str, file: &Opened) -> Progress<'n> {
        Progress { name, bytes: file.bytes, told: None, wanted: std::io::stderr().is_terminal() }
    }

    fn tell(&mut self, events: u64, taken_bytes: Option<u64>) {
        if !self.wanted || self.told.is_some_and(|told| told.elapsed() < PROGRESS_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let share = taken_bytes.and_then(|taken| taken.saturating_mul(100).checked_div(self.bytes));
        let share = share.map(|share| format!(", {share} %")).unwrap_or_default();
        eprint!("\r\x1b[K{}: {events} events{share}", self.name);
    }

    fn clear(&self) {
        if self.told.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

/// `luytre-collector sets`.
#[derive(Debug, Args)]
pub struct SetsArguments {
    /// Remove this set with all its events.
    #[arg(long, value_name = "NAME")]
    remove: Option<String>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// Lists the data sets, or removes one.
pub async fn sets(client: &Client, settings: &Settings, data: &Path, arguments: &SetsArguments) -> anyhow::Result<()> {
    let door = Door::open(client, settings, data).await?;
    let mut out = std::io::stdout().lock();
    if let Some(set) = &arguments.remove {
        match &door {
            Door::Running(client) => client.post::<()>(&format!("/v1/sets/{set}/remove"), &()).await?,
            Door::Here(sets, _) => sets.remove(set)?,
        }
        writeln!(out, "{set} is removed").context("write the outcome")?;
        return Ok(());
    }
    let sets: Vec<DataSet> = match &door {
        Door::Running(client) => client.get("/v1/sets").await?,
        Door::Here(sets, _) => sets.all()?,
    };
    if arguments.json {
        for set in &sets {
            writeln!(out, "{}", serde_json::to_string(set)?).context("write the sets")?;
        }
        return Ok(());
    }
    let row = |set: &DataSet| {
        vec![set.name.clone(), set.events.to_string(), set.bytes.to_string(), set.files.len().to_string()]
    };
    let rows: Vec<Vec<String>> = sets.iter().map(row).collect();
    print_table(&["set", "events", "bytes", "files"].map(str::to_owned), &rows, &mut out).context("write the sets")
}
