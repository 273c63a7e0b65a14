//! Signatures: what a sensor's rules find stands in the console's queue like any other alert, explained, and once.

use anyhow::{Context, Result, ensure};
use luytre_demo::check::all_alerts;
use luytre_demo::progress;
use luytre_demo::session::Session;
use luytre_demo::wait;
use luytre_tests::{SENSOR, SOON, Stage, story_at_once};

const PASSWORD: &str = "Mot mat khau dai cho buoi kiem tra 1";

#[test]
fn what_a_sensors_signature_finds_is_an_explained_alert_in_the_queue() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    let line = stage.stack.sensor_line(SENSOR)?;
    assert_eq!(stage.stack.count("*")?, progress::stage(&line, "protocols", "given"), "alerts count in the ledger");
    let events = stage.stack.search("event.dataset:alert AND rule.id:1900002")?;
    let told = events["total"].as_u64().context("a total")?;
    ensure!(told > 0, "the sensor tells of no command in the upload folder");

    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    let before = of_signature(&session)?;
    let [row] = before.as_slice() else { anyhow::bail!("one alert was expected of {told} events: {before:?}") };
    assert_eq!((&row["rule_kind"], &row["severity"]), (&"signature".into(), &"critical".into()));
    let page = session.get(&format!("/alerts/{}", row["id"].as_str().context("an id")?))?;
    let alert = &page["alert"];
    assert_eq!(alert["event_count"].as_u64(), Some(told));
    assert_eq!(alert["rule"]["revision"], "1");
    assert_eq!(alert["rule"]["techniques"][0], "T1505.003");
    assert_eq!(
        alert["rule"]["ruleset"], events["events"][0]["rule"]["ruleset"],
        "the sensor's set, not the collector's"
    );
    assert_eq!(alert["rule"]["ruleset"].as_str().map(str::len), Some(64));
    ensure!(alert["rule"]["name_vi"].as_str().is_some_and(|name| name.contains("thư mục tải lên")), "{alert}");
    ensure!(alert["rule"]["description_vi"].is_string(), "{alert}");
    let text = alert["event"]["signature"]["text"].as_str().context("the rule's text")?;
    ensure!(text.contains("sid:1900002;"), "{text}");
    assert_eq!(alert["source"]["ip"], "192.0.2.66");
    let matched = alert["matched"].as_array().context("what matched")?;
    ensure!(
        matched
            .iter()
            .any(|one| one["field"] == "http.uri" && one["value"].as_str().is_some_and(|v| v.contains(".php?"))),
        "{matched:?}"
    );

    // A collector that ended before it had written everything down reads its journal again, and tells nothing twice.
    let all = stage.stack.count("*")?;
    stage.stack.collector.as_mut().context("the collector runs")?.kill()?;
    stage.stack.start_collector()?;
    wait::until("the events to be found again", SOON, || Ok((stage.stack.count("*")? == all).then_some(())))?;
    let after = of_signature(&session)?;
    assert_eq!(after.len(), 1, "{after:?}");
    assert_eq!((&after[0]["id"], &after[0]["event_count"]), (&row["id"], &row["event_count"]));
    Ok(())
}

/// The rows of one of our own signatures.
fn of_signature(session: &Session) -> Result<Vec<serde_json::Value>> {
    Ok(all_alerts(session)?.into_iter().filter(|row| row["rule_id"] == "1900002").collect())
}
