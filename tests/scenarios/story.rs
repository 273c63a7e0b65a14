//! The story from the wire to the screen.

use anyhow::Result;
use luytre_demo::check::{self, Expected};
use luytre_demo::progress;
use luytre_demo::session::Session;
use luytre_tests::{SENSOR, Stage, checkout, story_at_once};

const PASSWORD: &str = "Mot mat khau dai cho buoi kiem tra 1";

#[test]
fn the_story_becomes_explained_alerts_and_nothing_is_lost() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;

    let line = stage.stack.sensor_line(SENSOR)?;
    let events = stage.stack.count("*")?;
    assert_eq!(events, progress::stage(&line, "protocols", "given"), "every event of the sensor can be found: {line}");
    assert_eq!(line["unaccounted"], 0);

    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    let expected = Expected::load(&checkout().join("deploy/demo/expected.toml"))?;
    assert!(check::print(&check::verify(&session, &expected)), "the demo's expectations hold");
    Ok(())
}

#[test]
fn an_alert_is_closed_and_reopened_and_its_history_says_by_whom_and_why() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;

    let row = check::all_alerts(&session)?.into_iter().next().expect("the story raises alerts");
    let path = format!("/alerts/{}", row["id"].as_str().unwrap_or_default());
    let reason = "Diễn tập, đã báo trước";
    let close = serde_json::json!({"verdict": "test", "reason": reason, "version": row["version"]});
    session.post(&format!("{path}/close"), &close)?;
    let stale = session.send("POST", &format!("{path}/close"), Some(&close))?;
    assert_eq!(stale.status, 409, "a second decision on the same version is refused");

    let closed = session.get(&path)?;
    assert_eq!(closed["triage"]["verdict"], "test");
    let history = closed["history"].to_string();
    assert!(history.contains("truc-ban") && history.contains(reason), "{history}");
    let reopen = serde_json::json!({"reason": "Chưa rõ", "version": closed["triage"]["version"]});
    session.post(&format!("{path}/reopen"), &reopen)?;
    assert_eq!(session.get(&path)?["triage"]["status"], "open");
    Ok(())
}
