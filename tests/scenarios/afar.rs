//! A console on another machine than the collector: it asks by mutual TLS, with a certificate that can be revoked.

use anyhow::{Context, Result, ensure};
use luytre_demo::check::all_alerts;
use luytre_demo::program::succeeded;
use luytre_demo::session::Session;
use luytre_demo::stack::free_port;
use luytre_demo::wait;
use luytre_tests::{SENSOR, SOON, Stage, story_at_once};

const PASSWORD: &str = "Mot mat khau dai cho buoi kiem tra 1";

#[test]
fn a_console_afar_asks_by_mutual_tls_until_its_certificate_is_revoked() -> Result<()> {
    let port = free_port()?;
    let mut stage = Stage::set(|settings| settings.collector_api_lines = format!("listen = \"127.0.0.1:{port}\"\n"))?;
    stage.stack.start_collector()?;
    let out = stage.folder().join("identity");
    let identity = out.display().to_string();
    certificate(&stage, &["--name", "console", "--out", &identity])?;
    // These lines continue the section [collector].
    stage.stack.settings.console_lines = format!(
        "address = \"127.0.0.1:{port}\"\nauthority = \"{identity}/authority.pem\"\n\
         certificate = \"{identity}/certificate.pem\"\nkey = \"{identity}/key.pem\"\n"
    );
    stage.stack.start_console()?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;
    stage.rest()?;
    let token = stage.stack.setup_token()?;
    let session = Session::set_up(&stage.stack.console_api(), &token, "truc-ban", PASSWORD)?;
    wait::until("alerts to come over the network", SOON, || Ok((!all_alerts(&session)?.is_empty()).then_some(())))?;
    let found = session.search("*")?["total"].as_u64().context("a total")?;
    assert_eq!(found, stage.stack.count("*")?, "searches go the same way");

    // The way is this one and no other: without its certificate the console hears nothing more.
    certificate(&stage, &["--name", "console", "--revoke"])?;
    wait::until("the console to be refused", SOON, || {
        let health = session.get("/health")?;
        let problems = health["collector"]["problems"].to_string();
        ensure!(health["collector"]["reachable"] == false, "it says {health}");
        Ok(problems.contains(&format!("127.0.0.1:{port}")).then_some(()))
    })
}

/// `luytre-collector api-certificate`, as the operator calls it.
fn certificate(stage: &Stage, arguments: &[&str]) -> Result<()> {
    let data = stage.stack.data("collector").display().to_string();
    let all: Vec<&str> = ["--data", &data, "api-certificate"].into_iter().chain(arguments.iter().copied()).collect();
    succeeded(&stage.stack.programs.output("luytre-collector", &all)?)
}
