//! Signatures when captures are read: alerts stand beside the events they are about, whatever the number of workers.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// Our own recording of a story with scans, web, DNS, TLS, files and a tunnel.
const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/demo/story.pcapng");

const RULES: &str = r#"
alert http any any -> any any (msg:"Log-in"; flow:established,to_server; http.method; content:"POST"; http.uri; content:"/dang-nhap"; bsize:10; sid:1; rev:3;)
alert http any any -> any any (msg:"Log-in refused"; flow:established,to_client; http.stat_code; content:"401"; sid:2;)
alert http any any -> any any (msg:"Many refused"; flow:established,to_client; http.stat_code; content:"401"; threshold:type limit, track by_rule, count 1, seconds 86400; sid:3;)
alert dns any any -> any any (msg:"Tunnel"; dns.query; content:".t.updates-cdn.example"; endswith; sid:4;)
alert tls any any -> any any (msg:"Portal"; tls.sni; content:"cong.tinh.example"; bsize:17; sid:5;)
alert tcp any any -> any any (msg:"Nothing of the kind"; content:"no such bytes anywhere"; sid:6;)
"#;

fn rules(folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("story.rules");
    std::fs::write(&path, RULES).unwrap();
    path
}

fn read(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_luytre-sensor")).arg("read").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn events(output: &Output) -> Vec<Value> {
    output.stdout.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).unwrap()).collect()
}

fn alerts<'e>(events: &'e [Value], sid: &str) -> Vec<&'e Value> {
    events.iter().filter(|e| e["event"]["kind"] == "alert" && e["rule"]["id"] == sid).collect()
}

#[test]
fn alerts_are_as_many_as_the_events_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    let output = read(&[STORY, "--rules", &rules(&folder).display().to_string()]);
    let events = events(&output);
    let count = |dataset: &str, is_it: &dyn Fn(&Value) -> bool| {
        events.iter().filter(|e| e["event"]["dataset"] == dataset && is_it(e)).count()
    };
    let logins = count("http", &|e| e["http"]["request"]["method"] == "POST" && e["url"]["original"] == "/dang-nhap");
    let refused = count("http", &|e| e["http"]["response"]["status_code"] == 401);
    let tunnelled = count("dns", &|e| {
        let name = e["dns"]["question"]["name"].as_str().unwrap_or("");
        e["dns"]["type"] == "query" && name.ends_with(".t.updates-cdn.example")
    });
    let portal = count("tls", &|e| e["tls"]["client"]["server_name"] == "cong.tinh.example");
    assert!(logins > 10 && tunnelled > 10 && portal > 10, "the story has changed");
    let found = |sid: &str| alerts(&events, sid).len();
    assert_eq!((found("1"), found("2"), found("4"), found("5")), (logins, refused, tunnelled, portal));
    assert_eq!((found("3"), found("6")), (1, 0));
}

#[test]
fn an_alert_names_its_rule_its_flow_and_what_matched() {
    let folder = tempfile::tempdir().unwrap();
    let events = events(&read(&[STORY, "--rules", &rules(&folder).display().to_string()]));
    let alert = alerts(&events, "1")[0];
    assert_eq!((&alert["rule"]["name"], &alert["rule"]["version"]), (&"Log-in".into(), &"3".into()));
    assert_eq!(alert["rule"]["ruleset"].as_str().unwrap().len(), 64);
    let flow = &alert["network"]["community_id"];
    let same_flow = |e: &&Value| e["event"]["dataset"] == "http" && e["network"]["community_id"] == *flow;
    assert!(events.iter().any(|e| same_flow(&e)), "its flow has an event of the request");
    let matched = &alert["signature"]["matched"];
    assert_eq!(matched["buffer"], serde_json::json!(["http.method", "http.uri"]));
    assert_eq!(matched["offset"], serde_json::json!([0, 0]));
    assert_eq!(matched["bytes"], serde_json::json!([hex::encode("POST"), hex::encode("/dang-nhap")]));
    assert_eq!(alert["signature"]["sender"], "client");
}

#[test]
fn alerts_are_the_same_for_any_number_of_workers_and_change_what_is_told_of_no_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(&folder).display().to_string();
    let one = read(&[STORY, "--rules", &rules, "--workers", "1"]).stdout;
    for workers in ["2", "4", "16"] {
        assert!(read(&[STORY, "--rules", &rules, "--workers", workers]).stdout == one, "{workers} workers");
    }
    let lines = |bytes: &[u8]| bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    // Rules follow streams to their end, so that a flow may tell of a segment more that was sent again.
    let others = |lines: Vec<Vec<u8>>| -> Vec<Vec<u8>> {
        let skipped = |line: &Vec<u8>| {
            let text = String::from_utf8_lossy(line).into_owned();
            ["\"dataset\":\"alert\"", "\"dataset\":\"flow\""].iter().any(|dataset| text.contains(dataset))
        };
        lines.into_iter().filter(|line| !skipped(line)).collect()
    };
    let without = others(lines(&read(&[STORY]).stdout));
    assert!(without.len() > 1000 && others(lines(&one)) == without, "rules only add");
}

#[test]
fn rules_that_cannot_be_used_are_reported_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.rules");
    let broken =
        "alert tcp any any -> any any (contnt:\"x\"; sid:7;)\nalert tcp any any -> any any (lua:x.lua; sid:8;)\n";
    std::fs::write(&path, format!("{broken}{RULES}")).unwrap();
    let output = read(&[STORY, "--rules", &path.display().to_string()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("mixed.rules: line 1, column 31: contnt: this keyword is unknown"), "{told}");
    assert!(told.contains("mixed.rules: line 2: sid 8: lua: scripts are not supported"), "{told}");
    assert!(told.contains("7 rules, 1 of them cannot match here, 1 cannot be used"), "{told}");
    assert!(!alerts(&events(&output), "1").is_empty());
}

#[test]
fn what_people_tune_holds_and_what_makes_no_sense_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(&folder).display().to_string();
    let tuning = folder.path().join("tuning.toml");
    let threshold = folder.path().join("threshold.config");
    std::fs::write(&tuning, "[[rule]]\nsid = [1]\ndisable = true\n[[rule]]\nsid = [2]\npriority = 1\n").unwrap();
    std::fs::write(&threshold, "suppress gen_id 1, sig_id 4, track by_either, ip 0.0.0.0/0\n").unwrap();
    let files = [&tuning, &threshold].map(|path| path.display().to_string());
    let plain = events(&read(&[STORY, "--rules", &rules]));
    let output = read(&[STORY, "--rules", &rules, "--tuning", &files[0], "--tuning", &files[1]]);
    let tuned = events(&output);
    let count = |events: &[Value], sid: &str| alerts(events, sid).len();
    assert_eq!((count(&tuned, "1"), count(&tuned, "4")), (0, 0));
    assert_eq!(count(&tuned, "5"), count(&plain, "5"));
    let alert = alerts(&tuned, "2")[0];
    assert_eq!(alert["signature"]["priority"], 1);
    assert!(alert["signature"]["text"].as_str().unwrap().contains("priority:1;"), "the rule as it was in force");
    assert_ne!(alert["rule"]["ruleset"], alerts(&plain, "2")[0]["rule"]["ruleset"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("1 are put out of force"), "{told}");

    std::fs::write(&tuning, "[[rule]]\nsid = [1]\ndisabel = true\n").unwrap();
    let program = env!("CARGO_BIN_EXE_luytre-sensor");
    let refused =
        Command::new(program).args(["read", STORY, "--rules", &rules, "--tuning", &files[0]]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && told.contains("disabel"), "{told}");
}

#[test]
fn how_far_a_rule_comes_is_explained_and_what_rules_cost_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(&folder).display().to_string();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_luytre-sensor")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = run(&["explain", "--rules", &rules, "--sid", "1", STORY]);
    assert!(told.contains("+ http.uri: content \"/dang-nhap\" at byte 0: \"/dang-nhap\""), "{told}");
    assert!(told.contains("everything held") && !told.contains("everything held 0 times"), "{told}");
    let told = run(&["explain", "--rules", &rules, "--sid", "6", STORY]);
    assert!(told.contains("everything held 0 times"), "{told}");
    assert!(told.contains("- pkt_data: content \"no such bytes anywhere\""), "what failed first is named: {told}");
    let told = run(&["bench", "--rules", &rules, STORY]);
    assert!(told.contains("6 rules loaded") && told.contains("rules were asked, 5 matched"), "{told}");
    let output = Command::new(env!("CARGO_BIN_EXE_luytre-sensor"))
        .args(["explain", "--rules", &rules, "--sid", "99", STORY])
        .output()
        .unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("has the sid 99"));
}
