//! The console in a real browser: headless Chromium, driven by playwright-core, against the three programs.
//!
//! The walks themselves are `walk.mjs`, `triage.mjs`, `cases.mjs`, `pages.mjs`, `agencies.mjs`, `roles.mjs`, `access.mjs`,
//! `oncall.mjs` and `answers.mjs`; they find everything by role and label. Screenshots go
//! to the folder that `LUYTRE_SCREENSHOTS` names, or else with the stage.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use luytre_demo::stack;
use luytre_tests::{SENSOR, Stage, checkout, mail, story_at, story_at_once};

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
    walk(&stage, "walk.mjs", &link)
}

#[test]
fn two_analysts_triage_in_groups_and_take_back_what_they_may() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    let link = stage.stack.setup_link()?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    walk(&stage, "triage.mjs", &link)
}

#[test]
fn a_case_is_worked_by_two_and_verified_by_a_third() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    let link = stage.stack.setup_link()?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    walk(&stage, "cases.mjs", &link)
}

#[test]
fn every_page_can_be_used_by_everybody_and_each_role_sees_its_own() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    let link = stage.stack.setup_link()?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    walk(&stage, "pages.mjs", &link)?;
    let origin = format!("https://localhost:{}", stage.stack.settings.console_port);
    walk(&stage, "roles.mjs", &origin)
}

#[test]
fn the_next_one_on_call_is_mailed_and_acknowledges_by_the_link_and_a_manager_sees_the_state() -> Result<()> {
    let port = stack::free_port()?;
    let mut stage = Stage::set(|settings| settings.console_lines = mail::settings(&settings.data, port))?;
    let _server = mail::start(stage.folder(), port)?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    let link = stage.stack.setup_link()?;
    let received = stage.folder().join("received").display().to_string();
    walk_with(&stage, "oncall.mjs", &link, &["prepare", &received])?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    walk_with(&stage, "oncall.mjs", &link, &["call", &received])
}

#[test]
fn an_agency_contact_answers_and_the_team_sees_it_and_hands_the_shift_over() -> Result<()> {
    let port = stack::free_port()?;
    let mut stage = Stage::set(|settings| settings.console_lines = mail::settings(&settings.data, port))?;
    let _server = mail::start(stage.folder(), port)?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    let link = stage.stack.setup_link()?;
    let received = stage.folder().join("received").display().to_string();
    walk_with(&stage, "answers.mjs", &link, &[&received])
}

#[test]
fn agencies_are_brought_in_and_kept_apart() -> Result<()> {
    let mut stage = Stage::set(|_| {})?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    let link = stage.stack.setup_link()?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    walk(&stage, "agencies.mjs", &link)
}

#[test]
fn an_account_gets_a_new_password_and_is_linked_with_a_provider() -> Result<()> {
    let port = stack::free_port()?;
    let mut stage = Stage::set(|settings| {
        settings.console_lines = format!(
            "[openid]\nissuer = \"http://127.0.0.1:{port}\"\nclient_id = \"luytre\"\nname = \"tài khoản công vụ\"\n"
        );
    })?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    let link = stage.stack.setup_link()?;
    walk_with(&stage, "access.mjs", &link, &[&port.to_string()])
}

fn walk(stage: &Stage, script: &str, address: &str) -> Result<()> {
    walk_with(stage, script, address, &[])
}

fn walk_with(stage: &Stage, script: &str, address: &str, more: &[&str]) -> Result<()> {
    let screenshots = std::env::var_os("LUYTRE_SCREENSHOTS").map(PathBuf::from);
    let output = Command::new("node")
        .arg(checkout().join("tests/browser").join(script))
        .arg(address)
        .arg(screenshots.unwrap_or_else(|| stage.folder().join("screenshots")))
        .args(more)
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
        .output()
        .context("start node")?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{script} ended with {}:\n{said}", output.status);
    println!("{said}");
    Ok(())
}
