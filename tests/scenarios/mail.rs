//! A real mail server, a process of its own with STARTTLS and authentication, receives the notice of a high alert.

use std::fs;

use anyhow::{Context, Result};
use luytre_demo::session::Session;
use luytre_demo::{stack, wait};
use luytre_tests::{SENSOR, SOON, Stage, mail, story_at_once};

#[test]
fn a_high_alert_reaches_a_real_mail_server() -> Result<()> {
    let port = stack::free_port()?;
    let mut stage = Stage::set(|settings| {
        settings.console_lines = mail::settings(&settings.data, port);
    })?;
    let server = mail::start(stage.folder(), port)?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    let token = stage.stack.setup_token()?;
    let session =
        Session::set_up(&stage.stack.console_api(), &token, "truc-ban", "Mot mat khau dai cho buoi kiem tra 1")?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;

    let received = stage.folder().join("received");
    let first = wait::until("a mail to arrive", SOON, || Ok(fs::read_dir(&received)?.flatten().next()))
        .with_context(|| format!("the mail server says: {}", server.log()))?;
    let text = fs::read_to_string(first.path())?;
    for wanted in ["From: ", "To: truc-ban@tinh.example", "Subject: "] {
        assert!(text.contains(wanted), "{wanted} is missing in:\n{text}");
    }
    let sent = wait::until("the receipt to be recorded", SOON, || {
        let notices = session.get("/notices")?;
        let items = notices["items"].as_array().cloned().unwrap_or_default();
        Ok(items.into_iter().find(|notice| notice["state"] == "sent"))
    })?;
    assert!(
        sent["receipt"].as_str().is_some_and(|receipt| receipt.contains("250")),
        "the server's answer is kept: {sent}"
    );
    Ok(())
}
