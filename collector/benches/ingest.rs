//! Journal to searchable: events a second, bytes on disk an event, with the rules of a folder or none.
//!
//! `cargo bench -p luytre-collector --bench ingest -- [EVENTS] [RULES]` fills a journal with that many events of the
//! datasets dns, http, tls and flow, starts the real collector on it and waits until all can be found.

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
use luytre_events::{Catalogue, CommunityId, Event, EventId, FlowContext, Transport, Value};

const START_NS: i64 = 1_795_305_600_000_000_000;

fn event(number: u64) -> Event {
    let catalogue = Catalogue::current();
    let field = |name: &str| catalogue.field_id(name).expect("a field of the catalogue");
    let text = |text: String| Value::Str(text.into());
    // Spread like traffic: few servers, more clients, random ports (multiplication by the golden ratio).
    let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let ip = |a: u64, b: u64| format!("203.0.{}.{}", 113 + a % 2, b % 250 + 1).parse().expect("an address");
    let source = (ip(0, random), u16::try_from(random % 50_000 + 10_000).unwrap_or(0));
    let (dataset, port) =
        [("dns", 53), ("http", 80), ("tls", 443), ("flow", 443)][usize::try_from(number % 4).unwrap_or(0)];
    let destination = (ip(1, random >> 9), port);
    let host = format!("may-{}.tinh.example", (random >> 5) % 400);
    let fields = match dataset {
        "dns" => vec![
            (field("dns.question.name"), text(host)),
            (field("dns.question.type"), text("A".into())),
            (field("dns.type"), text("answer".into())),
            (field("dns.response_code"), text("NOERROR".into())),
            (field("dns.resolved_ip"), Value::List(vec![Value::Ip(destination.0)])),
        ],
        "http" => vec![
            (field("http.request.method"), text("GET".into())),
            (field("url.domain"), text(host.clone())),
            (field("url.original"), text(format!("/dich-vu/{}/ho-so?id={}", random % 90, random % 9000))),
            (field("url.full"), text(format!("http://{host}/dich-vu/{}/ho-so?id={}", random % 90, random % 9000))),
            (field("user_agent.original"), text("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36".into())),
            (field("http.response.status_code"), Value::U64(200)),
            (field("http.response.mime_type"), text("text/html".into())),
        ],
        "tls" => vec![
            (field("tls.client.server_name"), text(host)),
            (field("tls.version"), text("1.3".into())),
            (field("tls.client.ja3"), text(format!("{:032x}", random % 60))),
            (field("tls.established"), Value::Bool(true)),
        ],
        _ => vec![
            (field("source.bytes"), Value::U64(random % 90_000)),
            (field("destination.bytes"), Value::U64(random % 900_000)),
            (field("network.bytes"), Value::U64(random % 990_000)),
            (field("event.duration"), Value::U64(random % 9_000_000_000)),
        ],
    };
    Event {
        id: EventId { sensor: "dc".into(), sequence: number + 1 },
        time_ns: START_NS + i64::try_from(number).unwrap_or(0) * 1_000_000,
        dataset: catalogue.dataset_id(dataset).expect("a dataset of the catalogue"),
        flow: Some(FlowContext {
            source,
            destination,
            transport: Transport::TCP,
            vlan: None,
            community_id: CommunityId::new(source, destination, Transport::TCP, false),
            protocol: Some(dataset.into()),
        }),
        fields,
    }
}

async fn fill(data: &Path, events: u64) -> anyhow::Result<()> {
    let fleet = Fleet::open(&data.join("fleet"), &FleetSettings::default())?;
    let digest = Catalogue::current().digest();
    fleet.catalogues().learn(&digest, &Catalogue::current().to_json()).map_err(anyhow::Error::msg)?;
    let journal = Journal::open(&data.join("journal"), JournalSettings::default(), Problems::default())?;
    for first in (0..events).step_by(1000) {
        let made: Vec<Event> = (first..(first + 1000).min(events)).map(event).collect();
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
