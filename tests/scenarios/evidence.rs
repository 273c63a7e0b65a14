//! Evidence: an alert's bundle is sealed, checked with standard tools as the manual says, replayed, and every change shows.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use luytre_demo::check::all_alerts;
use luytre_demo::program::succeeded;
use luytre_demo::session::Session;
use luytre_demo::{progress, wait};
use luytre_tests::{SENSOR, SOON, Stage, checkout, story_at_once};
use serde_json::Value;

const PASSWORD: &str = "Mot mat khau dai cho buoi kiem tra 1";

#[test]
fn a_bundle_is_sealed_checked_with_standard_tools_and_proves_its_alert() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    wait::until("the last packets to be on disk", SOON, || {
        let line = stage.stack.sensor_line(SENSOR)?;
        let kept = |number| progress::stage(&line, "packets", number);
        Ok((kept("held") == 0 && kept("taken") == progress::stage(&line, "capture", "given")).then_some(()))
    })?;
    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    // One that stands on one event, one on many, one on a file's content, one on a list.
    let wanted =
        ["Commands are given to a server page", "SSH password guessing", "EICAR test file", "sink-holed domain"];
    let alerts = wait::until("the alerts", SOON, || {
        let alerts = alerts(&session)?;
        let found =
            wanted.map(|name| alerts.iter().find(|alert| alert["rule"]["name"].to_string().contains(name)).cloned());
        Ok(found.into_iter().collect::<Option<Vec<Value>>>())
    })?;
    let mut bundles = Vec::new();
    for alert in &alerts {
        let id = alert["id"].as_str().context("an alert without an id")?;
        let path = stage.folder().join(format!("{id}.zip"));
        let bundle = path.display().to_string();
        let arguments = ["evidence", "hold", id, "--by", "truc-ban", "--reason", "vu 7", "--json", "--out", &bundle];
        let held = json(&collector(&stage, &arguments)?)?;
        ensure!(held["missing"] == serde_json::json!([]), "{held}");
        let password = held["password"].as_str().context("no password")?.to_owned();
        let output = collector(&stage, &["replay", &bundle, "--password", &password, "--json"])?;
        let replay = json(&output)?;
        ensure!(output.status.success() && replay["proved"] == true && replay["same_rules"] == true, "{replay}");
        ensure!(replay["fires_today"] == true && replay["from_packets"]["events"].as_u64() > Some(0), "{replay}");
        bundles.push((path, held));
    }
    let (bundle, held) = bundles.first().context("a bundle")?;
    procedure(&stage, bundle)?;
    tampered(&stage, bundle)?;
    todays_rules(&stage, bundle)?;

    // Reading is written down; what is released stays only as long as there is room.
    let id = held["item"]["id"].as_str().context("an item without an id")?;
    let log = String::from_utf8(collector(&stage, &["evidence", "log", "--json"])?.stdout)?;
    ensure!(
        log.lines().any(|line| line.contains("\"read\"") && line.contains(id) && line.contains("truc-ban")),
        "{log}"
    );
    let release = ["evidence", "release", id, "--by", "truong-ca", "--reason", "closed", "--json"];
    let released = json(&collector(&stage, &release)?)?;
    ensure!(released["holds"] == serde_json::json!([]), "{released}");
    let unknown = collector(&stage, &["evidence", "hold", "no-such-alert", "--by", "truc-ban"])?;
    ensure!(!unknown.status.success() && text(&unknown).contains("no alert has the id"), "{unknown:?}");

    // When the sensor is gone the rest is sealed all the same, and says what it lacks.
    stage.stack.sensor.take().context("the sensor runs")?.terminate()?;
    wait::until("the collector to notice that the sensor is gone", SOON, || {
        Ok((stage.stack.sensor_line(SENSOR)?["state"] != "connected").then_some(()))
    })?;
    let alert = alerts.first().and_then(|alert| alert["id"].as_str()).context("an alert")?;
    let again = json(&collector(&stage, &["evidence", "hold", alert, "--by", "truc-ban", "--json"])?)?;
    ensure!(again["missing"].to_string().contains("is not connected") && again["events"] == held["events"], "{again}");
    Ok(())
}

/// The commands of the manual, as they stand there.
fn procedure(stage: &Stage, bundle: &Path) -> Result<()> {
    let manual = std::fs::read_to_string(checkout().join("docs/manual/evidence.md"))?;
    let (_, rest) = manual.split_once("In an empty folder:\n\n```sh\n").context("the manual has no procedure")?;
    let (commands, _) = rest.split_once("```").context("the procedure has no end")?;
    let folder = stage.folder().join("checked");
    std::fs::create_dir(&folder)?;
    std::fs::copy(bundle, folder.join("bundle.zip"))?;
    let run = || Command::new("sh").args(["-e", "-c", commands]).current_dir(&folder).output();
    let output = run()?;
    succeeded(&output).context("the procedure of the manual")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(said.contains("signer.pem: OK") && said.contains("Verified OK"), "{said}");
    let fingerprint = said.lines().find(|line| line.to_lowercase().contains("fingerprint")).context("a fingerprint")?;
    let digits = fingerprint.split_once('=').context("a fingerprint")?.1.replace(':', "").to_lowercase();
    let verified = collector(stage, &["verify", &bundle.display().to_string(), "--json"])?;
    succeeded(&verified)?;
    ensure!(text(&verified).contains(&digits), "{} has no {digits}", text(&verified));
    Ok(())
}

/// A changed byte of any contents, another authority: nothing of it passes.
fn tampered(stage: &Stage, bundle: &Path) -> Result<()> {
    let path = stage.folder().join("tampered.zip");
    let whole = std::fs::read(bundle)?;
    let contents = contents(&whole);
    ensure!(contents.len() > 4, "{} contents", contents.len());
    for at in contents {
        let mut bytes = whole.clone();
        *bytes.get_mut(at).context("a byte")? ^= 0x20;
        std::fs::write(&path, bytes)?;
        let name = path.display().to_string();
        let output = collector(stage, &["verify", &name])?;
        ensure!(output.status.code() == Some(1), "a change at {at} passed: {}", text(&output));
        ensure!(!collector(stage, &["replay", &name])?.status.success(), "replayed what was changed at {at}");
    }
    let other = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other"])
        .args(["-keyout", "other.key", "-out", "other.pem", "-days", "2"])
        .current_dir(stage.folder())
        .output()?;
    succeeded(&other)?;
    let authority = stage.folder().join("other.pem").display().to_string();
    let output = collector(stage, &["verify", &bundle.display().to_string(), "--authority", &authority])?;
    ensure!(output.status.code() == Some(1) && text(&output).contains("not the known one"), "{}", text(&output));
    Ok(())
}

/// A place in the middle of each of some contents. Bytes of the archive's own form (times, comments) are no contents.
fn contents(whole: &[u8]) -> Vec<usize> {
    let number = |at: usize, bytes: usize| {
        let field = whole.get(at..at + bytes).unwrap_or(&[]);
        field.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    // The list at the end of the archive says where each begins, and its length (PKWARE APPNOTE section 4.3.12).
    let listed = (0..whole.len()).filter(|at| whole.get(*at..at + 4) == Some(b"PK\x01\x02"));
    let middle = listed.filter_map(|at| {
        let (length, head) = (number(at + 20, 4), number(at + 42, 4));
        let start = head + 30 + number(head + 26, 2) + number(head + 28, 2);
        (length > 0 && start + length < whole.len()).then_some(start + length / 2)
    });
    middle.step_by(7).take(8).collect()
}

/// Without its rule today's rules say nothing, and the sealed ones still prove the alert.
fn todays_rules(stage: &Stage, bundle: &Path) -> Result<()> {
    let (rules, config) = (stage.folder().join("no-rules"), stage.folder().join("today.toml"));
    std::fs::create_dir(&rules)?;
    std::fs::write(&config, format!("rules = [{:?}]\n", rules.display().to_string()))?;
    let bundle = bundle.display().to_string();
    let config = config.display().to_string();
    let output = collector(stage, &["--config", &config, "replay", &bundle, "--json"])?;
    let replay = json(&output)?;
    ensure!(replay["proved"] == true && replay["fires_today"] == false, "{replay}");
    Ok(())
}

/// Every alert in full, as the console shows it.
fn alerts(session: &Session) -> Result<Vec<Value>> {
    let full = |row: &Value| -> Result<Value> {
        let id = row["id"].as_str().context("an alert without an id")?;
        Ok(session.get(&format!("/alerts/{id}"))?["alert"].clone())
    };
    all_alerts(session)?.iter().map(full).collect()
}

fn collector(stage: &Stage, arguments: &[&str]) -> Result<Output> {
    let data = stage.stack.data("collector").display().to_string();
    let config = stage.stack.settings.data.join("etc/collector.toml").display().to_string();
    let own = ["--data", data.as_str(), "--config", config.as_str()];
    let own = if arguments.first() == Some(&"--config") { own.get(..2).unwrap_or_default() } else { &own };
    stage.stack.programs.output("luytre-collector", &[own, arguments].concat())
}

fn json(output: &Output) -> Result<Value> {
    serde_json::from_slice(&output.stdout).with_context(|| text(output))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
