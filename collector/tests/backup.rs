//! `luytre-collector backup` while events are indexed, `restore`, and the same answers from both; `status`.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use luytre_collector::fleet::{Fleet, FleetSettings};
use luytre_collector::health::Problems;
use luytre_collector::journal::{Incoming, Journal, JournalSettings};
use luytre_events::wire::Batch;
use luytre_events::{Catalogue, Event, EventId, text::read_event};
use serde_json::Value;

const BATCHES: u64 = 150;
const BATCH_EVENTS: u64 = 200;
const START_S: i64 = 1_795_305_600;

const RULE: &str = r"
title: Name from a list
id: 7a9d1c1e-2a77-4d53-9f6e-0d1f2a3b4c5d
status: stable
description: A name that should not be asked for.
date: 2026-11-22
logsource:
    category: dns
detection:
    selection:
        dns.question.name|endswith: '.bad.example'
    condition: selection
level: high
";

fn event(sequence: u64) -> Event {
    let name =
        if sequence.is_multiple_of(40) { format!("n{sequence}.bad.example") } else { format!("n{sequence}.example") };
    let json = serde_json::json!({
        "event.dataset": "dns", "dns.question.name": name, "source.ip": format!("192.0.2.{}", sequence % 7 + 1),
        "destination.ip": "198.51.100.53", "network.transport": "udp",
    });
    let time_ns = (START_S + i64::try_from(sequence).unwrap() * 7) * 1_000_000_000;
    read_event(&json, EventId { sensor: "dc".into(), sequence }, time_ns).unwrap().event
}

/// Fills a journal as intake would have.
async fn fill(data: &Path) {
    let fleet = Fleet::open(&data.join("fleet"), &FleetSettings::default()).unwrap();
    let digest = Catalogue::current().digest();
    fleet.catalogues().learn(&digest, &Catalogue::current().to_json()).unwrap();
    let settings = JournalSettings { segment_bytes: 100_000, ..JournalSettings::default() };
    let journal = Journal::open(&data.join("journal"), settings, Problems::default()).unwrap();
    for number in 0..BATCHES {
        let first = number * BATCH_EVENTS + 1;
        let batch = Batch::pack(&(first..first + BATCH_EVENTS).map(event).collect::<Vec<_>>()).unwrap().unwrap();
        let received_ns = (START_S + 400_000) * 1_000_000_000;
        let sensor: Arc<str> = "dc".into();
        journal.append(Incoming { sensor, digest, received_ns, run_first: 1, batch }).await.unwrap();
    }
}

struct Collector<'d> {
    data: &'d Path,
    config: &'d Path,
    child: Option<Child>,
}

impl Drop for Collector<'_> {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl<'d> Collector<'d> {
    fn start(data: &'d Path, config: &'d Path) -> Collector<'d> {
        let mut collector = Collector { data, config, child: None };
        collector.child = Some(collector.command().arg("run").stderr(Stdio::null()).spawn().unwrap());
        collector.until("it answers", |_| true);
        collector
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_luytre-collector"));
        command.arg("--config").arg(self.config).arg("--data").arg(self.data);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn until(&self, what: &str, mut check: impl FnMut(&Value) -> bool) {
        let began = Instant::now();
        loop {
            let output = self.run(&["status", "--json"]);
            if serde_json::from_slice::<Value>(&output.stdout).is_ok_and(|status| check(&status)) {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(120), "waited too long until {what}: {output:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the same questions are answered here, when everything is indexed.
    fn answers(&self) -> Vec<String> {
        let all = BATCHES * BATCH_EVENTS;
        self.until("all is indexed", |s| s["indexed_events"] == all && s["index_lag_events"] == 0 && s["ok"] == true);
        let queries = [
            "* | count by source.ip | top 20",
            "dns.question.name:*.bad.example | count",
            "* | timeline 1h",
            "dns.question.name:n777.example",
            "* | table event.id, dns.question.name",
        ];
        queries.map(|query| String::from_utf8(self.run(&["search", query, "--json"]).stdout).unwrap()).to_vec()
    }

    /// The newest form of each alert: id and number of events.
    fn alerts(&self) -> Vec<(String, u64)> {
        let fanout = luytre_collector::fanout::Fanout::open(
            &self.data.join("fanout"),
            luytre_collector::fanout::FanoutSettings::default(),
            &Problems::default(),
        );
        let mut newest = std::collections::BTreeMap::new();
        for (_, line) in fanout.unwrap().after(0, usize::MAX).unwrap() {
            let alert: luytre_collector_api::Alert = serde_json::from_slice(&line).unwrap();
            newest.insert(alert.id, alert.event_count);
        }
        newest.into_iter().collect()
    }

    fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_events_are_indexed_answers_like_the_original() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let rules = at("rules");
    std::fs::create_dir_all(rules.join("sigma")).unwrap();
    std::fs::write(rules.join("sigma/name.yml"), RULE).unwrap();
    let config = at("collector.toml");
    let lines = format!(
        "rules = [{:?}]\n[api]\nmetrics = \"127.0.0.1:0\"\n[intake]\nlisten = \"127.0.0.1:0\"\n\
         [index]\ncommit_ms = 20\ncommit_events = 700\nmemory_mb = 15\n",
        rules.display().to_string()
    );
    std::fs::write(&config, lines).unwrap();
    let (data, copy, restored) = (at("data"), at("copy"), at("restored"));
    fill(&data).await;

    let mut original = Collector::start(&data, &config);
    original.until("something is indexed", |status| status["indexed_events"].as_u64() > Some(2000));
    let document = at("bien-ban.txt");
    std::fs::write(&document, "biên bản").unwrap();
    let kept = original.run(&["evidence", "add", document.to_str().unwrap(), "--by", "truc-ban", "--json"]);
    assert!(kept.status.success(), "{kept:?}");
    let made = original.run(&["backup", copy.to_str().unwrap(), "--json"]);
    assert!(made.status.success(), "{made:?}");
    let expected = original.answers();
    assert_eq!(expected[1].trim(), format!("{{\"count\":{}}}", BATCHES * BATCH_EVENTS / 40));
    original.stop();

    let mut second = Collector { data: &restored, config: &config, child: None };
    let done = second.run(&["restore", copy.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    second = Collector::start(&restored, &config);
    assert_eq!(second.answers(), expected);
    let evidence = String::from_utf8(second.run(&["evidence", "list", "--json"]).stdout).unwrap();
    assert!(evidence.contains("bien-ban.txt"), "{evidence}");
    second.stop();
    assert_eq!(second.alerts(), original.alerts());
    assert!(!original.alerts().is_empty());

    // Nothing is overwritten, and no changed byte is restored.
    let again = second.run(&["restore", copy.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"), "{again:?}");
    let again = original.run(&["backup", copy.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"), "{again:?}");
    let journal = std::fs::read_dir(copy.join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    let third = Collector { data: &at("third"), config: &config, child: None };
    let refused = third.run(&["restore", copy.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has changed since the backup"), "{refused:?}");
    assert!(!at("third").exists() && !at("third.part").exists());
}
