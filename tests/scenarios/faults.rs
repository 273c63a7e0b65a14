//! What breaks: each program killed in the middle of the story, a sensor revoked, disks that are full. Nothing that was
//! acknowledged may be lost, nothing may be found or alerted twice, and everything recovers by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use luytre_demo::check::all_alerts;
use luytre_demo::progress::{self, Progress};
use luytre_demo::session::Session;
use luytre_demo::wait;
use luytre_tests::disk::SmallDisk;
use luytre_tests::{SENSOR, SOON, Stage, story_at, story_at_once, story_packets};
use serde_json::Value;

const PASSWORD: &str = "Mot mat khau dai cho buoi kiem tra 1";

#[test]
fn a_collector_killed_in_the_middle_loses_nothing_and_doubles_nothing() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let source = story_at(stage.folder(), 8.0)?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &source)?;
    for share in [4, 2] {
        let enough = story_packets()? / share;
        // The killed collector forgets its counters, the sensor does not: they come again with the next snapshot.
        wait::until("a part of the story", SOON, || {
            Ok((Progress::now(&stage.stack, SENSOR)?.packets >= enough).then_some(()))
        })?;
        stage.stack.collector.as_mut().context("the collector runs")?.kill()?;
        stage.stack.start_collector()?;
    }
    settle(&stage)?;
    every_event_once(&stage)?;
    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    alerts_once(&all_alerts(&session)?)
}

#[test]
fn a_killed_sensor_resumes_from_its_spool() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let source = story_at(stage.folder(), 8.0)?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &source)?;
    let enough = story_packets()? / 2;
    wait::until("half the story", SOON, || Ok((Progress::now(&stage.stack, SENSOR)?.packets >= enough).then_some(())))?;
    stage.stack.sensor.as_mut().context("the sensor runs")?.kill()?;
    let acknowledged = stage.stack.sensor_line(SENSOR)?["acknowledged"].as_u64().context("an acknowledged number")?;
    ensure!(acknowledged > 0, "nothing was acknowledged before the kill");
    let before = found_ids(&stage)?.len();

    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    settle(&stage)?;
    let ids = every_event_once(&stage)?;
    ensure!(ids.len() > before, "events go on after the restart");
    Ok(())
}

#[test]
fn a_killed_console_keeps_its_decisions_and_every_alert_once() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let source = story_at(stage.folder(), 8.0)?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    stage.stack.start_sensor(SENSOR, &source)?;
    let first = wait::until("a first alert", SOON, || Ok(all_alerts(&session)?.into_iter().next()))?;
    let path = format!("/alerts/{}", first["id"].as_str().context("an alert's id")?);
    // The row's version may rise while its alert grows: the newest one counts.
    wait::until("the decision to be taken", SOON, || {
        let version = session.get(&path)?["triage"]["version"].clone();
        let body =
            serde_json::json!({"verdict": "false_positive", "reason": "Máy quét của chúng ta", "version": version});
        session.post(&format!("{path}/close"), &body).map(Some)
    })?;
    stage.stack.console.as_mut().context("the console runs")?.kill()?;
    stage.stack.start_console()?;
    settle(&stage)?;

    let session = Session::log_in(&stage.stack.console_api(), "truc-ban", PASSWORD)?;
    let triage = session.get(&path)?["triage"].clone();
    assert_eq!(triage["verdict"], "false_positive", "the decision outlived the kill: {triage}");
    alerts_once(&all_alerts(&session)?)
}

#[test]
fn a_revoked_sensor_is_refused_and_says_so() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    let revoked = stage.stack.collector_post(&format!("/v1/sensors/{SENSOR}/revoke"), &Value::Null)?;
    assert_eq!(revoked["state"], "revoked");
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    wait::until("the sensor to say that it is revoked", SOON, || {
        let sensor = stage.stack.sensor.as_mut().context("the sensor runs")?;
        sensor.still_runs()?;
        Ok(sensor.log().contains("revoked").then_some(()))
    })?;
    assert_eq!(stage.stack.count("*")?, 0, "nothing of a revoked sensor is taken");
    Ok(())
}

#[test]
fn a_full_disk_under_the_journal_stops_acknowledgements_until_there_is_room() -> Result<()> {
    full_disk_of_the_collector("journal")
}

#[test]
fn a_full_disk_under_the_index_delays_searches_until_there_is_room() -> Result<()> {
    full_disk_of_the_collector("index")
}

#[test]
fn a_full_disk_under_the_alerts_delays_them_and_their_events_until_there_is_room() -> Result<()> {
    full_while_the_story_is_played("fanout")
}

#[test]
fn a_full_disk_under_detection_loses_no_event_and_no_alert() -> Result<()> {
    full_while_the_story_is_played("detect")
}

#[test]
fn a_full_disk_under_the_carved_files_costs_no_alert_on_a_file() -> Result<()> {
    full_while_the_story_is_played("files")
}

/// The disk of a part is full when the story begins, and has room some time later.
fn full_while_the_story_is_played(part: &str) -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let disk = SmallDisk::mount(&stage.stack.data("collector").join(part), "64m")?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    disk.fill()?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    let place = stage.stack.data("collector").join(part).display().to_string();
    wait::until("the collector to name the full disk", SOON, || {
        stage.stack.collector.as_mut().context("the collector runs")?.still_runs()?;
        let health = stage.stack.collector_get("/v1/health")?;
        ensure!(health["ok"] == false && health["problems"].to_string().contains(&place), "it says {health}");
        Ok(Some(()))
    })?;
    disk.empty()?;
    stage.rest()?;
    wait::until("the collector to be well again", SOON, || {
        let health = stage.stack.collector_get("/v1/health")?;
        Ok((health["ok"] == true).then_some(()))
    })?;
    every_event_once(&stage)?;
    let rules = stage.stack.collector_get("/v1/rules")?;
    let files = |line: &&Value| line["rule"]["kind"] == "yara" && line["hits"].as_u64() > Some(0);
    let found = rules["rules"].as_array().map(|lines| lines.iter().filter(files).count()).unwrap_or(0);
    ensure!(found > 0, "what stands in files was found all the same");
    stage.stack.start_console()?;
    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    wait::until("the alerts", SOON, || Ok((!all_alerts(&session)?.is_empty()).then_some(())))?;
    alerts_once(&all_alerts(&session)?)
}

fn full_disk_of_the_collector(part: &str) -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let disk = SmallDisk::mount(&stage.stack.data("collector").join(part), "64k")?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    wait::until("the collector to name the full disk", SOON, || {
        stage.stack.collector.as_mut().context("the collector runs")?.still_runs()?;
        let health = stage.stack.collector_get("/v1/health")?;
        ensure!(health["ok"] == false, "it says {health}");
        Ok(Some(()))
    })?;
    disk.grow("256m")?;
    stage.rest()?;
    every_event_once(&stage).map(drop)
}

#[test]
fn a_full_disk_under_the_spool_is_counted_and_recovers() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    let disk = SmallDisk::mount(&stage.stack.data(SENSOR).join("spool"), "64k")?;
    // Without a collector nothing frees the spool.
    stage.stack.collector.as_mut().context("the collector runs")?.kill()?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    wait::until("the story to be played", SOON, || {
        let sensor = stage.stack.sensor.as_mut().context("the sensor runs")?;
        sensor.still_runs()?;
        Ok(sensor.log().contains("has been played").then_some(()))
    })?;
    stage.stack.start_collector()?;
    let line = wait::until("what was dropped to be told", SOON, || {
        let line = stage.stack.sensor_line(SENSOR)?;
        let (taken, indexed) = (progress::stage(&line, "spool", "taken"), progress::stage(&line, "index", "given"));
        let told = taken > 0 && dropped(&line, "spool") > 0 && indexed + dropped(&line, "spool") >= taken;
        ensure!(told && line["unaccounted"] == 0, "it says {line}");
        Ok(Some(line))
    })?;
    disk.grow("64m")?;
    let events = stage.stack.count("*")?;
    assert_eq!(
        events + dropped(&line, "spool"),
        progress::stage(&line, "spool", "taken"),
        "each event is found or counted: {line}"
    );
    every_event_once(&stage).map(drop)
}

#[test]
fn a_scanner_killed_again_and_again_costs_no_alert_on_a_file() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let source = story_at(stage.folder(), 8.0)?;
    stage.stack.start_collector()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &source)?;
    // Whenever it is idle: a file that is being scanned when it dies would be given up, as one that killed it.
    let collector = stage.stack.collector.as_ref().context("the collector runs")?.id();
    let enough = story_packets()?;
    wait::until("the story with a scanner that dies", SOON, || {
        for scanner in children(collector)? {
            if is_idle(scanner) {
                luytre_demo::program::signal("KILL", scanner);
            }
        }
        std::thread::sleep(Duration::from_millis(300));
        Ok((Progress::now(&stage.stack, SENSOR)?.packets >= enough).then_some(()))
    })?;
    stage.rest()?;
    stage.stack.collector.as_mut().context("the collector runs")?.still_runs()?;
    let rules = stage.stack.collector_get("/v1/rules")?;
    let files = |line: &&Value| line["rule"]["kind"] == "yara" && line["hits"].as_u64() > Some(0);
    let found = rules["rules"].as_array().map(|lines| lines.iter().filter(files).count()).unwrap_or(0);
    ensure!(found > 0, "what stands in files was found all the same");
    every_event_once(&stage).map(drop)
}

/// The processes that another one has started.
fn children(parent: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{parent}/task")).context("read a process's threads")?.flatten() {
        // A thread may have ended since.
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.extend(text.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    }
    Ok(children)
}

/// Whether a process waits for something.
fn is_idle(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
}

/// Waits until the sensor has nothing left to send and everything that is durable can be searched.
fn settle(stage: &Stage) -> Result<()> {
    let mut last = (0, std::time::Instant::now());
    wait::until("everything to come to rest", SOON, || {
        let line = stage.stack.sensor_line(SENSOR)?;
        let now = Progress::now(&stage.stack, SENSOR)?;
        let acknowledged = line["acknowledged"].as_u64().unwrap_or(0);
        if acknowledged != last.0 {
            last = (acknowledged, std::time::Instant::now());
        }
        let played = stage.stack.sensor.as_ref().is_some_and(|sensor| sensor.log().contains("has been played"));
        let quiet = last.1.elapsed() > Duration::from_secs(4);
        Ok((played && quiet && now.waiting == 0 && acknowledged > 0).then_some(()))
    })
}

/// The ids of all events that can be found.
fn found_ids(stage: &Stage) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    let mut request = serde_json::json!({"query": "*", "limit": 5000});
    loop {
        let answer = stage.stack.collector_post("/v1/search", &request)?;
        let events = answer["events"].as_array().context("a search answer without events")?;
        ids.extend(events.iter().filter_map(|event| event["event"]["id"].as_str().map(str::to_owned)));
        match answer["cursor"].as_str() {
            Some(cursor) if !events.is_empty() => request["cursor"] = cursor.into(),
            _ => return Ok(ids),
        }
    }
}

/// No event twice, no gap in the sequence numbers that were acknowledged.
fn every_event_once(stage: &Stage) -> Result<BTreeSet<String>> {
    let ids = found_ids(stage)?;
    let total = stage.stack.count("*")?;
    assert_eq!(ids.len() as u64, total, "all pages together are the whole");
    let unique: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(unique.len(), ids.len(), "an event is found twice");
    Ok(unique)
}

/// No alert twice: not by id, and not by rule, source and first moment.
fn alerts_once(rows: &[Value]) -> Result<()> {
    ensure!(!rows.is_empty(), "the story raises alerts");
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "an alert is listed twice");
    let subjects: BTreeSet<String> = rows
        .iter()
        .map(|row| format!("{} {} {} {}", row["rule_id"], row["source"], row["destination"], row["time"]))
        .collect();
    assert_eq!(subjects.len(), rows.len(), "the same thing was alerted twice");
    Ok(())
}

fn dropped(line: &Value, name: &str) -> u64 {
    let stages = line["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let reasons = stages.iter().find(|one| one["stage"] == name).and_then(|one| one["dropped"].as_object());
    reasons.map(|reasons| reasons.values().filter_map(Value::as_u64).sum()).unwrap_or(0)
}
