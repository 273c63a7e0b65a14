//! Rules of every kind tried on the past: what they say of what was kept is what they would have said when it came.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use luytre_demo::check::all_alerts;
use luytre_demo::program::succeeded;
use luytre_demo::session::Session;
use luytre_demo::{progress, wait};
use luytre_tests::{SENSOR, SOON, Stage, checkout, story, story_at_once};
use serde_json::Value;

const PASSWORD: &str = "Mot mat khau dai cho buoi kiem tra 1";

#[test]
fn yara_rules_and_signatures_find_in_what_was_kept_what_they_find_in_the_capture() -> Result<()> {
    // The sensor has no signatures: nobody has alerted of what they would find.
    let mut stage = Stage::set(|settings| settings.signatures.clear())?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    wait::until("the last packets to be on disk", SOON, || {
        let line = stage.stack.sensor_line(SENSOR)?;
        let kept = |number| progress::stage(&line, "packets", number);
        Ok((kept("held") == 0 && kept("taken") == progress::stage(&line, "capture", "given")).then_some(()))
    })?;
    // YARA rules are in force: what they have found is what they should find again.
    let live = wait::until("the files to be scanned", SOON, || {
        let rules = stage.stack.collector_get("/v1/rules")?;
        let hits = rules["rules"].as_array().context("rules")?.iter().filter(|line| line["rule"]["kind"] == "yara");
        let hits: BTreeSet<String> = hits
            .filter(|line| line["hits"].as_u64() > Some(0))
            .filter_map(|line| line["rule"]["id"].as_str()?.rsplit(':').next().map(str::to_owned))
            .collect();
        Ok((!hits.is_empty()).then_some(hits))
    })?;
    let again = backtest(&stage, &rules("yara", "yar")?, &[])?;
    assert_eq!(found(&again), live, "{again}");
    let files = &again["files"];
    ensure!(files["looked"].as_u64() > Some(0) && files["missing"] == 0, "{again}");

    let signatures = rules("signatures", "rules")?;
    let wanted = alerts_of_the_capture(&stage, &signatures)?;
    ensure!(!wanted.is_empty(), "the story has something for signatures");
    let again = backtest(&stage, &signatures, &[])?;
    assert_eq!(found(&again), wanted, "{again}");
    let flows = &again["flows"];
    ensure!(flows["looked"].as_u64() > Some(0), "{again}");
    let first = again["rules"].as_array().and_then(|rules| rules.first()).context("a rule")?;
    let days: u64 = first["days"].as_object().context("days")?.values().filter_map(Value::as_u64).sum();
    assert_eq!(Some(days), first["alerts"].as_u64(), "{first}");
    let example = first["examples"][0].as_str().context("an example")?;
    ensure!(stage.stack.count(&format!("network.community_id:\"{example}\""))? > 0, "{example} is a flow of the past");
    // Another time, and nothing of the alerts of now.
    let before = backtest(&stage, &signatures, &["--from", "2001-01-01", "--to", "2001-02-01"])?;
    ensure!(found(&before).is_empty() && before["events"] == 0, "{before}");
    // Nothing that was tried has alerted anybody.
    assert_eq!(stage.stack.count("event.dataset:alert")?, 0);
    from_evidence(&mut stage, &signatures)
}

/// When the sensor is away, what was sealed of an alert is still there.
fn from_evidence(stage: &mut Stage, signatures: &[PathBuf]) -> Result<()> {
    stage.stack.start_console()?;
    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    let id = wait::until("an alert on a flow", SOON, || {
        for row in all_alerts(&session)? {
            let id = row["id"].as_str().context("an alert's id")?;
            if session.get(&format!("/alerts/{id}"))?["alert"]["community_id"].is_string() {
                return Ok(Some(id.to_owned()));
            }
        }
        Ok(None)
    })?;
    let data = stage.stack.data("collector").display().to_string();
    let hold = ["--data", &data, "evidence", "hold", &id, "--by", "truc-ban", "--reason", "case 7"];
    succeeded(&stage.stack.programs.output("luytre-collector", &hold)?)?;
    stage.stack.sensor.take().context("the sensor runs")?.terminate()?;
    wait::until("the collector to notice that the sensor is gone", SOON, || {
        Ok((stage.stack.sensor_line(SENSOR)?["state"] != "connected").then_some(()))
    })?;
    let sealed = backtest(stage, signatures, &[])?;
    let flows = &sealed["flows"];
    ensure!(flows["looked"].as_u64() > Some(0) && flows["missing"].as_u64() > Some(0), "{sealed}");
    let told = sealed["partial"].to_string();
    ensure!(told.contains("is not connected") && told.contains("nobody has packets"), "{told}");
    Ok(())
}

fn rules(folder: &str, ending: &str) -> Result<Vec<PathBuf>> {
    let folder = checkout().join("rules").join(folder);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("look into {}", folder.display()))?.flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|have| have == ending));
    files.sort();
    ensure!(!files.is_empty(), "no rules in {}", folder.display());
    Ok(files)
}

fn backtest(stage: &Stage, rules: &[PathBuf], more: &[&str]) -> Result<Value> {
    let data = stage.stack.data("collector").display().to_string();
    let rules: Vec<String> = rules.iter().map(|path| path.display().to_string()).collect();
    let mut arguments = vec!["--data", &data, "backtest", "--json", "--time-max-s", "600"];
    arguments.extend(rules.iter().map(String::as_str));
    arguments.extend(if more.is_empty() { &["--from", "now-1d"] } else { more });
    let output = stage.stack.programs.output("luytre-collector", &arguments)?;
    succeeded(&output)?;
    serde_json::from_slice(&output.stdout).context("an answer as JSON")
}

/// Rules that would have alerted; of signatures the number.
fn found(answer: &Value) -> BTreeSet<String> {
    let rules = answer["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let alerting = rules.iter().filter(|rule| rule["alerts"].as_u64() > Some(0));
    alerting.filter_map(|rule| Some(rule["id"].as_str()?.rsplit(':').next()?.to_owned())).collect()
}

/// The signatures that alert when a sensor reads the story itself.
fn alerts_of_the_capture(stage: &Stage, signatures: &[PathBuf]) -> Result<BTreeSet<String>> {
    let story = story().display().to_string();
    let mut arguments = vec!["read".to_owned()];
    let shown = |path: &Path| ["--rules".to_owned(), path.display().to_string()];
    arguments.extend(signatures.iter().flat_map(|path| shown(path)));
    arguments.push(story);
    let output = stage.stack.programs.output("luytre-sensor", &arguments)?;
    succeeded(&output)?;
    let text = String::from_utf8(output.stdout)?;
    let events = text.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    let alerts = events.iter().filter(|event| event["event"]["dataset"] == "alert");
    Ok(alerts.filter_map(|event| event["rule"]["id"].as_str().map(str::to_owned)).collect())
}
