//! `luytre-collector import`: logs of other programs in a data set apart, with a collector and without one.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const EVE: &str = r#"{"timestamp":"2019-03-04T05:06:07.000001+0000","event_type":"dns","src_ip":"192.0.2.1","src_port":5353,"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","dns":{"type":"query","id":1,"rrname":"mot-cua.example","rrtype":"A"}}
{"timestamp":"2019-03-05T05:06:07.000001+0000","event_type":"http","src_ip":"192.0.2.1","src_port":40000,"dest_ip":"203.0.113.7","dest_port":80,"proto":"TCP","http":{"hostname":"mot-cua.example","url":"/ho-so?id=7","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":12}}
this line is damaged
{"timestamp":"2019-03-06T05:06:07.000001+0000","event_type":"weather","src_ip":"192.0.2.1","weather":{"sky":"cloudless"}}
"#;
const ZEEK: &str = r#"{"_path":"ssl","ts":1551675967.5,"uid":"C1","id.orig_h":"192.0.2.9","id.orig_p":50000,"id.resp_h":"203.0.113.7","id.resp_p":443,"version":"TLSv12","server_name":"mot-cua.example"}
"#;

struct Rig {
    data: tempfile::TempDir,
    collector: Option<Child>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Rig {
    fn new() -> Rig {
        let data = tempfile::tempdir().unwrap();
        let config = "[intake]\nlisten = \"127.0.0.1:0\"\n[api]\nmetrics = \"127.0.0.1:0\"\n";
        std::fs::write(data.path().join("collector.toml"), config).unwrap();
        std::fs::write(data.path().join("eve.json"), EVE).unwrap();
        std::fs::write(data.path().join("ssl.log.zst"), zstd::encode_all(ZEEK.as_bytes(), 3).unwrap()).unwrap();
        Rig { data, collector: None }
    }

    fn start(&mut self) {
        self.collector = Some(self.command().arg("run").stderr(Stdio::null()).spawn().unwrap());
        let began = Instant::now();
        while !self.run(&["sensors"]).status.success() {
            assert!(began.elapsed() < Duration::from_secs(60), "the collector does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        if let Some(mut collector) = self.collector.take() {
            // It may have ended by itself already.
            let _ = collector.kill();
            let _ = collector.wait();
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_luytre-collector"));
        command.arg("--config").arg(self.path("collector.toml")).arg("--data").arg(self.path("data"));
        command
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.data.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    fn import(&self, set: &str, file: &Path) -> Output {
        self.command().args(["import", "--json", "--set", set]).arg(file).output().unwrap()
    }

    /// What a search in a set finds, a line each.
    fn found(&self, set: &str, query: &str) -> Vec<Value> {
        let output = self.run(&["search", query, "--set", set, "--json"]);
        assert!(output.status.success(), "{output:?}");
        lines(&output)
    }
}

fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Imports both files and looks for what is in them.
fn import_and_find(rig: &Rig) {
    let output = rig.import("vu-2019", &rig.path("eve.json"));
    assert!(output.status.success(), "{output:?}");
    let told = lines(&output).remove(0);
    assert_eq!((told["kind"].as_str(), told["events"].as_u64()), (Some("suricata"), Some(3)), "{told}");
    assert_eq!(told["passed_over"], 1, "{told}");
    assert!(told["reasons"][0].as_str().unwrap().starts_with("line 3: "), "{told}");
    let output = rig.import("vu-2019", &rig.path("ssl.log.zst"));
    assert_eq!(lines(&output)[0]["events"], 1, "{output:?}");

    assert_eq!(rig.found("vu-2019", "source.ip:192.0.2.0/24").len(), 4);
    let queries = rig.found("vu-2019", "dns.question.name:mot-cua.example");
    assert_eq!(queries.len(), 1);
    assert_eq!(queries[0]["@timestamp"], "2019-03-04T05:06:07.000001000Z");
    assert_eq!(queries[0]["log"]["file"]["path"], "eve.json");
    assert_eq!(rig.found("vu-2019", "cloudless").len(), 1, "words of lines that no table names");
    assert_eq!(rig.found("vu-2019", "event.module:zeek AND tls.version:1.2").len(), 1);
    // Not among the live events.
    let live = rig.run(&["search", "source.ip:192.0.2.0/24", "--json"]);
    assert!(live.status.success() && live.stdout.is_empty(), "{live:?}");
}

#[test]
fn logs_go_into_a_set_through_a_running_collector() {
    let mut rig = Rig::new();
    rig.start();
    import_and_find(&rig);
    let again = rig.import("vu-2019", &rig.path("eve.json"));
    assert!(again.status.success() && again.stdout.is_empty(), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("is in vu-2019 already"), "{again:?}");
    assert_eq!(rig.found("vu-2019", "*").len(), 4, "nothing comes twice");

    // An event is found by its id, which says what set it is in.
    let id = rig.found("vu-2019", "cloudless")[0]["event"]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("import:vu-2019:"), "{id}");

    // Everything is there after the collector was killed.
    rig.stop();
    rig.start();
    assert_eq!(rig.found("vu-2019", "*").len(), 4);
    let sets = lines(&rig.run(&["sets", "--json"]));
    assert_eq!((sets[0]["name"].as_str(), sets[0]["events"].as_u64()), (Some("vu-2019"), Some(4)));
    assert_eq!(sets[0]["files"].as_array().unwrap().len(), 2);
    assert!(rig.run(&["sets", "--remove", "vu-2019"]).status.success());
    let gone = rig.run(&["search", "*", "--set", "vu-2019"]);
    assert!(String::from_utf8_lossy(&gone.stderr).contains("no data set called `vu-2019`"), "{gone:?}");
}

#[test]
fn logs_go_into_a_set_without_a_collector() {
    let rig = Rig::new();
    import_and_find(&rig);
    assert!(!rig.path("data/api.sock").exists(), "nothing is left in the way of a collector");
}

#[test]
fn what_cannot_be_imported_says_why() {
    let rig = Rig::new();
    let refused = |set: &str, file: &str| {
        let output = rig.import(set, &rig.path(file));
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    std::fs::write(rig.path("notes.txt"), "nothing that anybody understands\n").unwrap();
    std::fs::write(rig.path("empty.json"), "").unwrap();
    let (code, said) = refused("vu-2019", "notes.txt");
    assert!(code == Some(1) && said.contains("neither a capture") && said.contains("notes.txt"), "{code:?} {said}");
    let (code, said) = refused("vu-2019", "empty.json");
    assert!(code == Some(1) && said.contains("is empty"), "{code:?} {said}");
    let (code, said) = refused("vu-2019", "missing.json");
    assert!(code == Some(1) && said.contains("missing.json"), "{code:?} {said}");
    for name in ["live", "damaged", "../oops", "Vu", ""] {
        let (code, said) = refused(name, "eve.json");
        assert!(code == Some(2) && said.contains("a data set's name is"), "{name}: {code:?} {said}");
    }
}
