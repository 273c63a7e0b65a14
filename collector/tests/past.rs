//! The past of a running collector: what a rule would have said of it, what was seen of whom, and who was not seen at all.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use luytre_collector::client::Client;
use luytre_collector_api::{BacktestAnswer, CoverageAnswer, VisibilityAnswer};

struct Rig {
    folder: tempfile::TempDir,
    port: u16,
    collector: Option<Child>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(mut collector) = self.collector.take() {
            // It may have ended by itself already.
            let _ = collector.kill();
            let _ = collector.wait();
        }
    }
}

const AGENCIES: &str = "[[agency]]\nid = \"so-y-te\"\nname = \"Sở Y tế\"\nnetworks = [\"192.0.2.0/25\", \"198.51.100.0/24\"]\n\
                        [[agency]]\nid = \"so-tu-phap\"\nname = \"Sở Tư pháp\"\nnetworks = [\"203.0.113.0/24\"]\n";

const RULE: &str = "title: Names of a tunnel\nid: 3f1c6a52-6f5e-4c0a-9a52-0c5a5b8f6d11\nstatus: experimental\n\
description: Many names below one.\nlevel: high\nlogsource:\n  product: luytre\n  category: dns\ndetection:\n  selection:\n    \
dns.question.name|endswith: '.tunnel.example'\n  condition: selection\n";

impl Rig {
    fn start() -> Rig {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut rig = Rig { folder: tempfile::tempdir().unwrap(), port, collector: None };
        let at = |name: &str| rig.folder.path().join(name);
        let config = format!(
            "agencies = {:?}\n[intake]\nlisten = \"127.0.0.1:0\"\n[api]\nmetrics = \"127.0.0.1:0\"\n[[source]]\nname = \"ids\"\n\
             transport = \"tcp\"\nlisten = \"127.0.0.1:{port}\"\n",
            at("agencies.toml").display().to_string()
        );
        std::fs::write(at("agencies.toml"), AGENCIES).unwrap();
        std::fs::write(at("rule.yml"), RULE).unwrap();
        std::fs::write(at("broken.yml"), "title: no\ndetection: 5\n").unwrap();
        std::fs::write(at("collector.toml"), config).unwrap();
        rig.collector = Some(rig.command().arg("run").stderr(Stdio::null()).spawn().unwrap());
        rig.until("it answers", |rig| rig.run(&["sensors"]).status.success());
        rig
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_luytre-collector"));
        let folder = self.folder.path();
        command.current_dir(folder).arg("--config").arg(folder.join("collector.toml"));
        command.arg("--data").arg(folder.join("data"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn until(&self, what: &str, mut check: impl FnMut(&Rig) -> bool) {
        let began = Instant::now();
        while !check(self) {
            assert!(began.elapsed() < Duration::from_secs(90), "waited too long until {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A question at some minute of 22 November 2026.
fn question(source: &str, name: &str, minute: u32) -> String {
    format!(
        "{{\"timestamp\":\"2026-11-22T{:02}:{:02}:00+0000\",\"event_type\":\"dns\",\"src_ip\":\"{source}\",\"src_port\":5353,\
         \"dest_ip\":\"203.0.112.53\",\"dest_port\":53,\"proto\":\"UDP\",\"dns\":{{\"type\":\"query\",\"rrname\":\"{name}\",\"rrtype\":\"A\"}}}}\n",
        minute / 60,
        minute % 60
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_tried_on_the_past_and_what_nobody_sees_is_told() {
    let rig = Rig::start();
    let mut stream = TcpStream::connect(("127.0.0.1", rig.port)).unwrap();
    // Two conversations of one host an hour apart, one of another on the next day, and much that is none of it.
    for minute in (0..3).chain(60..63) {
        stream.write_all(question("192.0.2.7", &format!("m{minute}.tunnel.example"), minute).as_bytes()).unwrap();
    }
    let next_day = question("192.0.2.9", "z.tunnel.example", 0).replace("2026-11-22", "2026-11-23");
    stream.write_all(next_day.as_bytes()).unwrap();
    for minute in 0..100 {
        stream.write_all(question("192.0.2.8", "mot-cua.example", minute).as_bytes()).unwrap();
    }
    drop(stream);
    rig.until("all are searchable", |rig| {
        let found = rig.run(&["search", "event.dataset:dns", "--json", "--limit", "1000"]);
        String::from_utf8_lossy(&found.stdout).lines().count() == 107
    });

    let period = ["--from", "2026-11-22", "--to", "2026-11-24"];
    let tried = rig.run(&[&["backtest", "rule.yml", "--json"][..], &period].concat());
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stderr));
    let answer: BacktestAnswer = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!((answer.events, answer.until, answer.partial.len()), (107, None, 0));
    let rule = &answer.rules[0];
    assert_eq!((rule.alerts, rule.matches), (3, 7), "{rule:?}");
    assert_eq!((rule.days["2026-11-22"], rule.days["2026-11-23"]), (2, 1));
    assert_eq!((&*rule.agencies[0].value, rule.agencies[0].count), ("so-y-te", 3));
    assert_eq!((&*rule.sources[0].value, rule.sources[0].count), ("192.0.2.7", 2));
    assert!(rule.examples[0].starts_with("source:ids:"), "{:?}", rule.examples);
    let narrow =
        rig.run(&[&["backtest", "rule.yml", "--json", "--query", "source.ip:192.0.2.9"][..], &period].concat());
    let narrow: BacktestAnswer = serde_json::from_slice(&narrow.stdout).unwrap();
    assert_eq!((narrow.events, narrow.rules[0].alerts), (1, 1));
    let broken = rig.run(&[&["backtest", "broken.yml"][..], &period].concat());
    assert!(String::from_utf8_lossy(&broken.stderr).contains("no rule can be run"), "{broken:?}");
    let alerts = rig.run(&["search", "event.kind:alert", "--json"]);
    assert!(alerts.stdout.is_empty(), "a rule that is tried alerts nobody");

    let client = Client::new(&rig.folder.path().join("data/api.sock"));
    let coverage: CoverageAnswer = client.get("/v1/coverage?from=2026-11-22&to=2026-11-24").await.unwrap();
    let lines: Vec<_> =
        coverage.agencies.iter().map(|line| (&*line.agency.id, line.events, &line.unseen[..])).collect();
    assert_eq!(lines[0], ("so-tu-phap", 0, &["203.0.113.0/24".to_owned()][..]), "{lines:?}");
    assert_eq!(lines[1], ("so-y-te", 107, &["198.51.100.0/24".to_owned()][..]), "{lines:?}");
    assert_eq!((&coverage.agencies[1].sensors[..], coverage.not_looked_at), (&["source:ids".to_owned()][..], 0));
    let seen: VisibilityAnswer =
        client.get("/v1/visibility?agency=so-y-te&from=2026-11-22&to=2026-11-24").await.unwrap();
    assert_eq!((&*seen.sensors[0].sensor, seen.sensors[0].events), ("source:ids", 107));
    assert!(!seen.visibility.known, "lines of another program do not say how much of a link was seen");
    let nobody: VisibilityAnswer = client.get("/v1/visibility?agency=so-tu-phap&from=2026-11-22").await.unwrap();
    assert!(nobody.sensors.is_empty() && !nobody.visibility.known);
}
