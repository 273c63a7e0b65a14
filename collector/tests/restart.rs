//! The real collector killed at any moment: nothing that was durable is lost, nothing is indexed or alerted twice.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use luytre_collector::client::Client;
use luytre_collector::fleet::{Fleet, FleetSettings};
use luytre_collector::health::Problems;
use luytre_collector::journal::{Incoming, Journal, JournalSettings};
use luytre_collector_api::{Alert, Health, SearchAnswer, SearchRequest};
use luytre_events::wire::Batch;
use luytre_events::{Catalogue, CommunityId, Event, EventId, FlowContext, Transport, Value};

const START_NS: i64 = 1_795_305_600_000_000_000;
const BATCHES: u64 = 120;
const BATCH_EVENTS: u64 = 250;

const RULE: &str = r"
title: Path traversal in a URL
id: 5f9d1c1e-2a77-4d53-9f6e-0d1f2a3b4c5d
status: stable
description: A request climbs out of the web root.
date: 2026-11-22
logsource:
    category: webserver
detection:
    selection:
        url.original|contains: '../'
    condition: selection
level: high
";

fn event(sequence: u64) -> Event {
    let catalogue = Catalogue::current();
    let field = |name: &str| catalogue.field_id(name).unwrap();
    let client = format!("192.0.2.{}", sequence % 5 + 1).parse().unwrap();
    let source = (client, 40_000);
    let destination = ("198.51.100.10".parse().unwrap(), 80);
    let url = if sequence.is_multiple_of(50) { "/../../etc/passwd".to_owned() } else { format!("/trang-{sequence}") };
    Event {
        id: EventId { sensor: "dc".into(), sequence },
        // A tenth of a second apart, so that the day changes on the way.
        time_ns: START_NS + 86_398_000_000_000 + i64::try_from(sequence).unwrap() * 100_000_000,
        dataset: catalogue.dataset_id("http").unwrap(),
        flow: Some(FlowContext {
            source,
            destination,
            transport: Transport::TCP,
            vlan: None,
            community_id: CommunityId::new(source, destination, Transport::TCP, false),
            protocol: Some("http".into()),
        }),
        fields: vec![
            (field("http.request.method"), Value::Str("GET".into())),
            (field("url.original"), Value::Str(url.into())),
        ],
    }
}

/// Fills a journal as intake would have.
async fn fill(data: &Path) {
    let fleet = Fleet::open(&data.join("fleet"), &FleetSettings::default()).unwrap();
    let digest = Catalogue::current().digest();
    fleet.catalogues().learn(&digest, &Catalogue::current().to_json()).unwrap();
    let settings = JournalSettings { segment_bytes: 200_000, ..JournalSettings::default() };
    let journal = Journal::open(&data.join("journal"), settings, Problems::default()).unwrap();
    for number in 0..BATCHES {
        let first = number * BATCH_EVENTS + 1;
        let events: Vec<Event> = (first..first + BATCH_EVENTS).map(event).collect();
        let batch = Batch::pack(&events).unwrap().unwrap();
        let sensor: Arc<str> = "dc".into();
        journal
            .append(Incoming { sensor, digest, received_ns: START_NS + 90_000_000_000_000, run_first: 1, batch })
            .await
            .unwrap();
    }
}

fn start(data: &Path) -> Child {
    let config = data.join("collector.toml");
    std::fs::write(
        &config,
        "[intake]\nlisten = \"127.0.0.1:0\"\n[index]\ncommit_ms = 20\ncommit_events = 700\nmemory_mb = 15\n",
    )
    .unwrap();
    Command::new(env!("CARGO_BIN_EXE_luytre-collector"))
        .arg("run")
        .arg("--config")
        .arg(config)
        .arg("--data")
        .arg(data)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn wait_until<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let began = Instant::now();
    while !check().await {
        assert!(began.elapsed() < Duration::from_secs(120), "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    std::fs::create_dir_all(data.join("rules/sigma")).unwrap();
    std::fs::write(data.join("rules/sigma/traversal.yml"), RULE).unwrap();
    fill(data).await;
    let client = Client::new(&data.join("api.sock"));
    // Killed once it has indexed a little more each time.
    for round in 1..=4u64 {
        let mut child = start(data);
        let enough = round * BATCHES * BATCH_EVENTS / 6;
        wait_until("something is indexed", || async {
            client.get::<Health>("/v1/health").await.is_ok_and(|h| h.indexed_events >= enough)
        })
        .await;
        // On Unix this is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut child = start(data);
    let all = BATCHES * BATCH_EVENTS;
    wait_until("everything is indexed", || async {
        client.get::<Health>("/v1/health").await.is_ok_and(|h| h.indexed_events >= all && h.index_lag_events == 0)
    })
    .await;
    let search =
        |query: &str| SearchRequest { query: query.to_owned(), limit: Some(10_000), ..SearchRequest::default() };
    let answer: SearchAnswer = client.post("/v1/search", &search("* | count by event.id | top 10000")).await.unwrap();
    assert_eq!(answer.total, all, "every event once");
    let hits: SearchAnswer = client.post("/v1/search", &search("url.original:*..*")).await.unwrap();
    assert_eq!(hits.total, all / 50);
    child.kill().unwrap();
    child.wait().unwrap();

    // The alert log, read as the console would read it.
    let fanout =
        luytre_collector::fanout::Fanout::open(&data.join("fanout"), Default::default(), &Problems::default()).unwrap();
    let mut newest: HashMap<String, Alert> = HashMap::new();
    for (_, line) in fanout.after(0, usize::MAX).unwrap() {
        let alert: Alert = serde_json::from_slice(&line).unwrap();
        if let Some(before) = newest.get(&alert.id) {
            assert!(alert.event_count > before.event_count, "a line is only written for news");
        }
        newest.insert(alert.id.clone(), alert);
    }
    // 50 is a multiple of 5, so one client alone climbs: 3,000 s in one subject make one alert an hour.
    let counted: u64 = newest.values().map(|alert| alert.event_count).sum();
    assert_eq!(counted, all / 50, "every match counted once: {:?}", newest.len());
    assert_eq!(newest.len(), 1, "one subject within an hour is one alert");
    let alert = newest.values().next().unwrap();
    assert_eq!(alert.event_ids.first().map(String::as_str), Some("dc:50"));
    assert_eq!(alert.sensor, "dc");
}
