//! Every protocol's golden captures: `testdata/<case>.pcap` beside the parser must give the events of
//! `testdata/<case>.json`, flows left out. After a deliberate change run with `LUYTRE_GOLDEN=write` and read the diff.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The captures of all protocol folders, in name order.
fn cases() -> Vec<PathBuf> {
    let protocols = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocols");
    let folders = std::fs::read_dir(protocols).unwrap().map(|entry| entry.unwrap().path().join("testdata"));
    let mut cases: Vec<PathBuf> = folders
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .collect();
    cases.sort();
    cases
}

/// What the sensor says of a capture: all events but the flows, without what the way of reading adds.
fn events(capture: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_luytre-sensor")).arg("read").arg(capture).output().unwrap();
    assert!(output.status.success(), "{}: {}", capture.display(), String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.retain(|event| event["event"]["dataset"] != "flow");
    for event in &mut events {
        event["event"].as_object_mut().unwrap().remove("id");
        event.as_object_mut().unwrap().remove("observer");
    }
    events
}

#[test]
fn captures_give_the_events_beside_them() {
    let cases = cases();
    assert!(cases.len() >= 5, "the captures beside the parsers are not found");
    for capture in cases {
        let expected_path = capture.with_extension("json");
        let seen = events(&capture);
        if std::env::var_os("LUYTRE_GOLDEN").is_some_and(|mode| mode == "write") {
            std::fs::write(&expected_path, serde_json::to_string_pretty(&seen).unwrap() + "\n").unwrap();
        }
        let text = std::fs::read_to_string(&expected_path)
            .unwrap_or_else(|error| panic!("{}: {error}; run with LUYTRE_GOLDEN=write", expected_path.display()));
        let expected: Vec<Value> = serde_json::from_str(&text).unwrap();
        for (number, (seen, expected)) in seen.iter().zip(&expected).enumerate() {
            assert_eq!(seen, expected, "{}: event {}", capture.display(), number + 1);
        }
        assert_eq!(seen.len(), expected.len(), "{}: number of events", capture.display());
    }
}
