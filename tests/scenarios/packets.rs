//! Packets kept: an alert's flow is fetched through the collector, and its packets are those of the capture.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use luytre_demo::check::all_alerts;
use luytre_demo::program::succeeded;
use luytre_demo::session::Session;
use luytre_demo::{capture, progress, wait};
use luytre_tests::{SENSOR, SOON, Stage, story, story_at, story_at_once, story_packets};
use serde_json::Value;

const PASSWORD: &str = "Mot mat khau dai cho buoi kiem tra 1";

#[test]
fn the_packets_of_an_alert_come_through_the_collector_as_they_were_captured() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    let line = wait::until("the last packets to be on disk", SOON, || {
        let line = stage.stack.sensor_line(SENSOR)?;
        let kept = |number| progress::stage(&line, "packets", number);
        Ok((kept("held") == 0 && kept("taken") == progress::stage(&line, "capture", "given")).then_some(line))
    })?;
    assert_eq!(progress::stage(&line, "packets", "given"), progress::stage(&line, "packets", "taken"), "{line}");

    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    let mut flows = BTreeMap::new();
    for row in all_alerts(&session)? {
        let id = row["id"].as_str().context("an alert without an id")?;
        let alert = session.get(&format!("/alerts/{id}"))?;
        flows.extend(alert["alert"]["community_id"].as_str().map(|flow| (flow.to_owned(), id.to_owned())));
    }
    ensure!(!flows.is_empty(), "no alert of the story names a flow");

    let everything = capture::read(&story())?;
    let whole = events(&stage, &story())?;
    for (number, (flow, id)) in flows.iter().take(5).enumerate() {
        let through = stage.folder().join(format!("through-{number}.pcapng"));
        succeeded(&collector(&stage, &["--flow", flow, "--out", &through.display().to_string()])?)?;
        let fetched = capture::read(&through)?;
        ensure!(!fetched.is_empty(), "no packet of {flow}");
        for packet in &fetched {
            ensure!(everything.iter().any(|one| one.bytes == packet.bytes), "a packet of {flow} is not in the capture");
        }
        // The sensor sees in them what it saw in the whole capture: the same flow, whole.
        let again = events(&stage, &through)?;
        ensure!(!again.is_empty() && again.iter().all(|event| event["network"]["community_id"] == flow.as_str()));
        let of_flow: Vec<&Value> =
            whole.iter().filter(|event| event["network"]["community_id"] == flow.as_str()).collect();
        assert_eq!(shapes(again.iter()), shapes(of_flow.into_iter()), "{flow}");

        // The same from the store itself, while the sensor runs.
        let direct = stage.folder().join(format!("direct-{number}.pcapng"));
        let data = stage.stack.data(SENSOR).display().to_string();
        let arguments = ["packets", "--data", &data, "--flow", flow, "--out", &direct.display().to_string()];
        succeeded(&stage.stack.programs.output("luytre-sensor", &arguments)?)?;
        let direct = std::fs::read(&direct)?;
        ensure!(direct == std::fs::read(&through)?, "the two ways differ for {flow}");

        // And the same on the alert's page, where it is remembered who looked.
        let answer = session.send("GET", &format!("/alerts/{id}/packets"), None)?;
        ensure!(answer.status == 200 && answer.body == direct, "the page shows something else for {flow}");
        let audit = session.get("/audit?limit=1")?.to_string();
        ensure!(audit.contains("alert.packets_read") && audit.contains(id.as_str()), "{audit}");
    }

    let (first, _) = flows.first_key_value().context("a flow")?;
    refusals(&mut stage, first)
}

/// What cannot be had is refused with a reason, and leaves no file behind.
fn refusals(stage: &mut Stage, flow: &str) -> Result<()> {
    let out = stage.folder().join("refused.pcapng");
    let refused = |stage: &Stage, arguments: &[&str], reason: &str| -> Result<()> {
        let file = out.display().to_string();
        let arguments = [arguments, &["--out", &file]].concat();
        let output = collector(stage, &arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(!output.status.success() && said.contains(reason), "{reason} is not in: {said}");
        ensure!(!out.exists(), "a file is left of what was refused");
        Ok(())
    };
    refused(stage, &["--flow", "1:abc"], "a Community ID is")?;
    refused(stage, &["--flow", "1:AAAAAAAAAAAAAAAAAAAAAAAAAAA="], "no event of the flow")?;
    refused(stage, &["--flow", "1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "--sensor", SENSOR], "has no packets of this flow")?;
    refused(stage, &["--flow", flow, "--to", "2001-01-01", "--sensor", SENSOR], "has no packets of this flow")?;
    stage.stack.sensor.take().context("the sensor runs")?.terminate()?;
    wait::until("the collector to notice that the sensor is gone", SOON, || {
        let line = stage.stack.sensor_line(SENSOR)?;
        Ok((line["state"] != "connected").then_some(()))
    })?;
    refused(stage, &["--flow", flow], "is not connected")
}

fn collector(stage: &Stage, arguments: &[&str]) -> Result<std::process::Output> {
    let data = stage.stack.data("collector").display().to_string();
    stage.stack.programs.output("luytre-collector", &[&["--data", &data, "packets"], arguments].concat())
}

fn events(stage: &Stage, file: &Path) -> Result<Vec<Value>> {
    let output = stage.stack.programs.output("luytre-sensor", &["read", &file.display().to_string()])?;
    succeeded(&output)?;
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Kind, ends and sizes of events: all but their times, which the sensor has moved to the present.
fn shapes<'e>(events: impl Iterator<Item = &'e Value>) -> Vec<String> {
    let shape = |event: &Value| {
        let parts =
            ["source", "destination", "network", "dns", "http", "url", "tls"].map(|part| event[part].to_string());
        format!("{} {}", event["event"]["dataset"], parts.join(" "))
    };
    let mut shapes: Vec<String> = events.map(shape).collect();
    shapes.sort();
    shapes
}

#[test]
fn a_killed_sensor_keeps_the_packets_it_had_and_goes_on() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let source = story_at(stage.folder(), 8.0)?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &source)?;
    let kept =
        |stage: &Stage| -> Result<u64> { Ok(progress::stage(&stage.stack.sensor_line(SENSOR)?, "packets", "given")) };
    let enough = story_packets()? / 4;
    let before =
        wait::until("some packets to be on disk", SOON, || Ok(Some(kept(&stage)?).filter(|kept| *kept >= enough)))?;
    stage.stack.sensor.as_mut().context("the sensor runs")?.kill()?;
    let after_kill = all_kept(&stage)?;
    ensure!(after_kill >= before, "{after_kill} of {before} packets that were on disk outlived the kill");

    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    let story = story_packets()?;
    wait::until("the story to be on disk", SOON, || Ok((kept(&stage)? == story).then_some(())))?;
    stage.stack.sensor.take().context("the sensor runs")?.terminate()?;
    assert_eq!(all_kept(&stage)?, after_kill + story, "nothing of both runs is missing");
    Ok(())
}

/// How many packets the store of the sensor holds, read back.
fn all_kept(stage: &Stage) -> Result<u64> {
    let (out, data) = (stage.folder().join("all.pcapng"), stage.stack.data(SENSOR));
    let (file, data) = (out.display().to_string(), data.display().to_string());
    let arguments = ["packets", "--data", &data, "--from", "2000-01-01T00:00:00Z", "--out", &file];
    succeeded(&stage.stack.programs.output("luytre-sensor", &arguments)?)?;
    Ok(capture::read(&out)?.len() as u64)
}
