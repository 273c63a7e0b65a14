//! `luytre-collector export` and completion: everything comes once, in the form that was asked for, and stays text.

use std::process::{Command, Output};

use serde_json::Value;

const EVENTS: usize = 5003;

struct Rig {
    data: tempfile::TempDir,
}

impl Rig {
    fn run(&self, arguments: &[&str]) -> Output {
        let data = self.data.path().join("data");
        Command::new(env!("CARGO_BIN_EXE_luytre-collector")).arg("--data").arg(data).args(arguments).output().unwrap()
    }

    /// Events over three days in a set of their own.
    fn filled() -> Rig {
        let rig = Rig { data: tempfile::tempdir().unwrap() };
        let mut lines = String::new();
        for number in 0..EVENTS {
            let name = match number {
                7 => "=cmd|calc".to_owned(),
                8 => "Sở Y tế, \"mới\"".to_owned(),
                _ => format!("n{number}.example"),
            };
            let time = format!("2019-01-0{}T00:{:02}:{:02}Z", number % 3 + 1, number / 60 % 60, number % 60);
            let event = serde_json::json!({"@timestamp": time, "event": {"dataset": "dns"}, "dns": {"question": {"name": name}}});
            lines.push_str(&format!("{event}\n"));
        }
        let file = rig.data.path().join("events.jsonl");
        std::fs::write(&file, lines).unwrap();
        let output = rig.run(&["import", "--set", "cu", file.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        rig
    }
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn every_event_comes_once_over_many_pages() {
    let rig = Rig::filled();
    let told = text(&rig.run(&["export", "*", "--set", "cu", "--format", "jsonl"]));
    let mut ids: Vec<String> = Vec::new();
    let mut times: Vec<String> = Vec::new();
    for line in told.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        ids.push(event["event"]["id"].as_str().unwrap().to_owned());
        times.push(event["@timestamp"].as_str().unwrap().to_owned());
    }
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), EVENTS);
    assert_eq!(told.lines().count(), EVENTS);
}

#[test]
fn csv_keeps_vietnamese_text_and_makes_no_formula() {
    let rig = Rig::filled();
    let out = rig.data.path().join("out.csv");
    let name = out.to_str().unwrap();
    let query = "* | table @timestamp, dns.question.name";
    text(&rig.run(&["export", query, "--set", "cu", "--bom", "--out", name]));
    let told = std::fs::read_to_string(&out).unwrap();
    assert!(told.starts_with("\u{feff}@timestamp,dns.question.name\r\n"), "{}", &told[..60]);
    assert_eq!(told.matches("\r\n").count(), EVENTS + 1);
    assert!(told.contains(",\"'=cmd|calc\"\r\n"));
    assert!(told.contains(",\"Sở Y tế, \"\"mới\"\"\"\r\n"));
    // Groups are rows; a set that is not there, or a mistake, leaves no file.
    let groups = text(&rig.run(&["export", "* | count by event.dataset", "--set", "cu"]));
    assert_eq!(groups, format!("event.dataset,count\r\ndns,{EVENTS}\r\n"));
    for (query, set, reason) in [("*", "moi", "no data set"), ("source.ipp:1", "cu", "source.ip")] {
        std::fs::remove_file(&out).ok();
        let refused = rig.run(&["export", query, "--set", set, "--out", name]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(reason), "{said}");
        assert!(!out.exists() && !out.with_extension("part").exists());
    }
}
