//! A capture is imported into a data set of its own: as many events as the sensor reads from it, apart from the live ones.

use anyhow::{Context, Result, ensure};
use luytre_demo::program::succeeded;
use luytre_tests::{Stage, story};
use serde_json::Value;

#[test]
fn a_capture_goes_into_a_set_of_its_own() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    let story = story().display().to_string();
    let read = stage.stack.programs.output("luytre-sensor", &["read", &story])?;
    succeeded(&read)?;
    let expected = String::from_utf8_lossy(&read.stdout).lines().count() as u64;

    let told = collector(&stage, &["import", "--json", "--set", "chuyen-ke", &story])?;
    let told = told.first().context("nothing was told")?;
    ensure!(told["kind"] == "capture" && told["events"] == expected, "{expected} events were read: {told}");
    ensure!(told["passed_over"] == 0 && told["left_out_fields"] == 0, "{told}");

    let count = |more: &[&str]| -> Result<u64> {
        let rows = collector(&stage, &[&["search", "* | count by event.dataset", "--json"], more].concat())?;
        Ok(rows.iter().filter_map(|row| row["count"].as_u64()).sum())
    };
    ensure!(count(&["--set", "chuyen-ke"])? == expected);
    ensure!(count(&[])? == 0, "live events");
    let health = stage.stack.collector_get("/v1/health")?;
    ensure!(health["indexed_events"] == 0 && health["ok"] == true, "{health}");
    Ok(())
}

/// The lines that a command of the collector prints.
fn collector(stage: &Stage, arguments: &[&str]) -> Result<Vec<Value>> {
    let data = stage.stack.data("collector").display().to_string();
    let output = stage.stack.programs.output("luytre-collector", &[&["--data", &data], arguments].concat())?;
    succeeded(&output)?;
    String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
