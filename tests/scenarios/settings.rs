//! Mistakes of people: a misspelt setting, a broken rule, a wrong token, a broken capture.

use std::fs;
use std::path::Path;

use anyhow::Result;
use luytre_tests::{Stage, checkout};
use serde_json::Value;

#[test]
fn a_misspelt_setting_is_named_with_the_nearest_key() -> Result<()> {
    let stage = Stage::set(|_| {})?;
    let cases = [
        ("luytre-collector", "[intake]\nlisen = \"127.0.0.1:0\"\n", "listen"),
        ("luytre-console", "[collector]\nsoket = \"/nowhere\"\n", "socket"),
        ("luytre-sensor", "[uplink]\nwindw = 8\n", "window"),
    ];
    for (program, text, nearest) in cases {
        let config = stage.folder().join("misspelt.toml");
        fs::write(&config, text)?;
        let data = stage.folder().join("data").display().to_string();
        let output = stage
            .stack
            .programs
            .output(program, &["run", "--config", &config.display().to_string(), "--data", &data])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{program} takes it for wrong usage: {said}");
        assert!(said.contains("misspelt.toml") && said.contains("line 2"), "{program} says where: {said}");
        assert!(said.contains(&format!("did you mean `{nearest}`")), "{program} names the nearest key: {said}");
    }
    Ok(())
}

#[test]
fn the_example_configurations_name_only_keys_that_exist() -> Result<()> {
    let stage = Stage::set(|_| {})?;
    for part in ["sensor", "collector", "console"] {
        let example = fs::read_to_string(checkout().join(format!("deploy/etc/{part}.toml")))?;
        // The keys that are commented out are examples too.
        let all: Vec<&str> =
            example.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_toml(rest)).unwrap_or(line)).collect();
        let config = stage.folder().join(format!("{part}.toml"));
        fs::write(&config, all.join("\n"))?;
        let (config, data) = (config.display().to_string(), stage.folder().join(part).display().to_string());
        let output =
            stage.stack.programs.output(&format!("luytre-{part}"), &["check", "--config", &config, "--data", &data])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(2), "{part}: {said}");
    }
    Ok(())
}

#[test]
fn every_unit_is_confined() -> Result<()> {
    let wanted = [
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "SystemCallFilter=@system-service ",
        "SystemCallErrorNumber=EPERM",
        "MemoryMax=",
        "TasksMax=",
        "LimitCORE=0",
        "RestrictAddressFamilies=",
        "CapabilityBoundingSet=",
    ];
    for part in ["sensor", "collector", "console"] {
        let unit = fs::read_to_string(checkout().join(format!("deploy/systemd/luytre-{part}.service")))?;
        for line in wanted {
            assert!(unit.lines().any(|have| have.starts_with(line)), "luytre-{part}.service has no {line}");
        }
    }
    Ok(())
}

/// Whether a line of a comment is an example: `key = value` or a section's head.
fn is_toml(text: &str) -> bool {
    let key = text.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    key || text.starts_with("[[")
}

#[test]
fn a_broken_rule_is_reported_and_the_others_are_in_force() -> Result<()> {
    let mut stage = Stage::set(|settings| settings.rules = settings.data.join("rules"))?;
    let rules = stage.stack.settings.rules.clone();
    for kind in ["sigma", "intel", "yara", "pipelines"] {
        copy(&checkout().join("rules").join(kind), &rules.join(kind))?;
    }
    fs::write(rules.join("sigma/broken.yml"), "title: No detection\nid: not-a-uuid\nlogsource:\n  category: dns\n")?;
    stage.stack.start_collector()?;
    let answer = stage.stack.collector_get("/v1/rules")?;
    let broken = answer["broken"].as_array().cloned().unwrap_or_default();
    let named = |one: &&Value| one["file"].as_str().is_some_and(|file| file.ends_with("sigma/broken.yml"));
    let one = broken.iter().find(named).unwrap_or_else(|| panic!("the broken rule is reported: {broken:?}"));
    assert!(one["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{one}");
    assert!(answer["rules"].as_array().is_some_and(|rules| rules.len() >= 25), "the others are in force");

    let output = stage.stack.programs.output("luytre-rules", &["check", &rules.display().to_string()])?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("broken.yml"), "{said}");
    Ok(())
}

#[test]
fn a_token_works_once_and_a_wrong_one_says_what_to_do() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    let token = stage.stack.collector_post("/v1/tokens", &serde_json::json!({"name": "mot"}))?;
    let token = token["token"].as_str().unwrap_or_default().to_owned();
    assert!(token.starts_with("lt1."), "{token}");
    let collector = format!("127.0.0.1:{}", stage.stack.settings.intake_port);
    let enroll = |token: &str, data: &str| {
        let data = stage.folder().join(data).display().to_string();
        let arguments = ["enroll", "--collector", &collector, "--token", token, "--data", &data];
        stage.stack.programs.output("luytre-sensor", &arguments)
    };
    assert!(enroll(&token, "first")?.status.success());
    for (token, data) in [(token.as_str(), "second"), ("lt1.AAAA", "third")] {
        let output = enroll(token, data)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("token"), "{said}");
    }
    Ok(())
}

#[test]
fn a_broken_capture_is_read_as_far_as_it_goes_and_named() -> Result<()> {
    let stage = Stage::set(|_| {})?;
    let whole = fs::read(luytre_tests::story())?;
    let cut = whole.get(..whole.len() / 2 + 7).unwrap_or_default();
    let cases: [(&str, &[u8]); 4] =
        [("cut.pcapng", cut), ("empty.pcap", b""), ("noise.pcap", &[0x5a; 4096]), ("huge.pcap", HUGE)];
    for (name, bytes) in cases {
        let file = stage.folder().join(name);
        fs::write(&file, bytes)?;
        let output = stage.stack.programs.output("luytre-sensor", &["read", &file.display().to_string()])?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(name), "{name} is named: {said}");
        assert!(name != "cut.pcapng" || !output.stdout.is_empty(), "what could be read is read");
    }
    Ok(())
}

/// A classic pcap whose first packet claims four gigabytes.
const HUGE: &[u8] = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xffabcd";

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?
        } else {
            fs::copy(entry.path(), target).map(drop)?
        }
    }
    Ok(())
}
