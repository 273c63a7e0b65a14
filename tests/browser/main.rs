//! The console in a real browser: headless Chromium, driven by playwright-core, against the three programs.
//!
//! The walk itself is `walk.mjs`; it finds everything by role and label, in both languages.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use luytre_tests::{SENSOR, Stage, checkout, story_at};

#[test]
fn an_analyst_triages_an_alert_in_the_browser_in_both_languages() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    let source = story_at(stage.folder(), 3.0)?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    let link = stage.stack.setup_link()?;
    // Slowly enough that alerts arrive while the browser looks.
    stage.stack.start_sensor(SENSOR, &source)?;
    let output = Command::new("node")
        .arg(checkout().join("tests/browser/walk.mjs"))
        .args([&link, &stage.folder().join("screenshots").display().to_string()])
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
        .output()
        .context("start node")?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the walk ended with {}:\n{said}", output.status);
    println!("{said}");
    Ok(())
}
