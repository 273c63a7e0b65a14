//! `luytre-collector backup`, `restore` and `status`.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use luytre_collector_api::{DataSet, DoorLine, EvidenceAnswer, Health, RoomLine, Sensor, SensorState};

use super::print_table;
use crate::backup::{self, About};
use crate::client::Client;

/// Between two signs of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// `luytre-collector backup`.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// The folder to make. Keep it as safe as the collector: the authority's key is in it.
    #[arg(value_name = "FOLDER")]
    to: PathBuf,
    /// Print what was made as JSON.
    #[arg(long)]
    json: bool,
}

/// `luytre-collector restore`.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The folder that `backup` made.
    #[arg(value_name = "FOLDER")]
    from: PathBuf,
    /// Print what was restored as JSON.
    #[arg(long)]
    json: bool,
}

/// `luytre-collector status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Copies the data, with or without a running collector.
pub fn backup(data: &Path, arguments: &BackupArguments) -> anyhow::Result<()> {
    let about = shown(|progress| backup::backup(data, &arguments.to, progress))?;
    told(&about, &arguments.to, arguments.json)
}

/// Makes the data directory of a copy.
pub fn restore(data: &Path, arguments: &RestoreArguments) -> anyhow::Result<()> {
    let about = shown(|progress| backup::restore(&arguments.from, data, progress))?;
    told(&about, data, arguments.json)
}

fn told(about: &About, place: &Path, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match json {
        true => writeln!(out, "{}", serde_json::to_string(about)?)?,
        false => {
            writeln!(out, "{}: {} files, {} bytes, as of {}", place.display(), about.files, about.bytes, about.begun)?
        }
    }
    Ok(())
}

/// Tells of progress on a terminal.
fn shown<T>(work: impl FnOnce(backup::Progress<'_>) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let (wanted, mut last) = (std::io::stderr().is_terminal(), Instant::now());
    let done = work(&mut |name, bytes| {
        if wanted && last.elapsed() >= PROGRESS_EVERY {
            last = Instant::now();
            eprint!("\r\x1b[K{} MB, {name}", bytes >> 20);
        }
    });
    if wanted {
        eprint!("\r\x1b[K");
    }
    done
}

/// Says how the running collector is; ends with 1 when something does not work.
pub async fn status(client: &Client, arguments: &StatusArguments) -> anyhow::Result<ExitCode> {
    let health: Health = client.get("/v1/health").await?;
    let sensors: Vec<Sensor> = client.get("/v1/sensors").await?;
    let sets: Vec<DataSet> = client.get("/v1/sets").await?;
    let evidence: EvidenceAnswer = client.get("/v1/evidence").await?;
    let doors: Vec<DoorLine> = client.get("/v1/doors").await?;
    let rooms: Vec<RoomLine> = client.get("/v1/rooms").await?;
    let connected = sensors.iter().filter(|sensor| sensor.state == SensorState::Connected).count();
    let unaccounted: i64 = sensors.iter().map(|sensor| sensor.unaccounted).sum();
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let told = serde_json::json!({
            "ok": health.ok,
            "version": health.version,
            "problems": health.problems,
            "indexed_events": health.indexed_events,
            "index_lag_events": health.index_lag_events,
            "sensors": { "enrolled": sensors.len(), "connected": connected, "unaccounted": unaccounted },
            "sets": sets.len(),
            "doors": doors,
            "rooms": rooms,
            "evidence": {
                "items": evidence.items.len(), "bytes": evidence.bytes, "held_bytes": evidence.held_bytes,
                "keep_bytes": evidence.keep_bytes,
            },
        });
        writeln!(out, "{told}")?;
    } else {
        let rows = [
            ("version", health.version.clone()),
            ("events", format!("{}, {} waiting for the index", health.indexed_events, health.index_lag_events)),
            ("sensors", format!("{connected} of {} connected, {unaccounted} unaccounted", sensors.len())),
            ("data sets", sets.len().to_string()),
            ("evidence", format!("{} of {} bytes, {} held", evidence.bytes, evidence.keep_bytes, evidence.held_bytes)),
            ("connections", refused(&doors)),
            ("problems", health.problems.len().to_string()),
        ];
        let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, how)| vec![what.to_owned(), how]).collect();
        print_table(&["what", "how"].map(str::to_owned), &rows, &mut out)?;
        health.problems.iter().try_for_each(|problem| writeln!(out, "  {problem}"))?;
    }
    Ok(if health.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How many were let in, and of what most were refused.
fn refused(doors: &[DoorLine]) -> String {
    let admitted: u64 = doors.iter().map(|door| door.admitted).sum();
    let reasons = doors.iter().flat_map(|door| door.refused.iter().map(|(reason, count)| (count, reason, &door.name)));
    let all: u64 = reasons.clone().map(|(count, ..)| count).sum();
    let most = reasons.max().map(|(count, reason, door)| format!(", most of them {reason} at {door} ({count})"));
    format!("{admitted} let in, {all} refused or ended{}", most.unwrap_or_default())
}
