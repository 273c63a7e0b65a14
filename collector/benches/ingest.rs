//! Journal to searchable: events a second, bytes on disk an event, with the rules of a folder or none.
//!
//! `cargo bench -p luytre-collector --bench ingest -- [EVENTS] [RULES]` fills a journal with that many events of the
//! datasets dns, http, tls and flow, starts the real collector on it and waits until all can be found.

mod made;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use luytre_collector::client::Client;
use luytre_collector::fleet::{Fleet, FleetSettings};
use luytre_collector::health::Problems;
use luytre_collector::journal::{Incoming, Journal, JournalSettings};
use luytre_collector_api::{Health, SearchAnswer, SearchRequest};
use luytre_events::wire::Batch;
use luytre_events::{Catalogue, Event};

use made::{START_NS, event};

/// Between two events.
const APART_NS: i64 = 1_000_000;

async fn fill(data: &Path, events: u64) -> anyhow::Result<()> {
    let fleet = Fleet::open(&data.join("fleet"), &FleetSettings::default())?;
    let digest = Catalogue::current().digest();
    fleet.catalogues().learn(&digest, &Catalogue::current().to_json()).map_err(anyhow::Error::msg)?;
    let journal = Journal::open(&data.join("journal"), JournalSettings::default(), Problems::default())?;
    for first in (0..events).step_by(1000) {
        let made: Vec<Event> = (first..(first + 1000).min(events)).map(|number| event(number, APART_NS)).collect();
        let Some(batch) = Batch::pack(&made)? else { continue };
        let sensor: Arc<str> = "dc".into();
        journal.append(Incoming { sensor, digest, received_ns: START_NS, run_first: 1, batch }).await?;
    }
    Ok(())
}

fn bytes_below(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// CPU seconds and peak memory of a process, from /proc.
fn usage(process: u32) -> (f64, String) {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let ticks = |n: usize| stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(n)?.parse::<f64>().ok());
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("").trim().to_owned();
    ((ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0, peak)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let events: u64 = arguments.first().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let rules = arguments.get(1).map(PathBuf::from);
    let dir = tempfile::tempdir()?;
    let data = dir.path();
    fill(data, events).await?;
    let config = data.join("collector.toml");
    let rules = rules.map(|path| format!("{:?}", path.display().to_string())).unwrap_or_default();
    std::fs::write(
        &config,
        format!("rules = [{rules}]\n[intake]\nlisten = \"127.0.0.1:0\"\n[api]\nmetrics = \"127.0.0.1:0\"\n"),
    )?;
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_luytre-collector"))
        .args(["run", "--config"])
        .arg(&config)
        .arg("--data")
        .arg(data)
        .spawn()?;
    let client = Client::new(&data.join("api.sock"));
    let mut ready = None;
    let wall = loop {
        if let Ok(health) = client.get::<Health>("/v1/health").await {
            ready.get_or_insert_with(|| started.elapsed());
            if health.indexed_events >= events {
                break started.elapsed();
            }
        }
        anyhow::ensure!(started.elapsed() < Duration::from_secs(600), "not everything was indexed in ten minutes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let (cpu_s, peak) = usage(child.id());
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (count, bytes) = (events as f64, bytes_below(&data.join("index")) as f64);
    println!("events                   {events}");
    println!("start to ready           {:.2} s", ready.unwrap_or_default().as_secs_f64());
    println!(
        "journal to searchable    {:.0} events/s (wall), {:.0} events/s of CPU",
        count / wall.as_secs_f64(),
        count / cpu_s
    );
    println!("index                    {:.0} bytes/event", bytes / count);
    println!("peak memory              {peak}");
    for query in ["", "source.ip:203.0.113.7", "url.original:*ho-so*", "tinh | count by url.domain", "* | timeline 10s"]
    {
        let request = SearchRequest { query: query.to_owned(), limit: Some(50), ..SearchRequest::default() };
        let answer: SearchAnswer = client.post("/v1/search", &request).await?;
        println!("search {query:30} {} hits in {} ms", answer.total, answer.took_ms);
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}
