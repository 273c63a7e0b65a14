//! A real mail server, a process of its own with STARTTLS and authentication, receives the notice of a high alert.
//!
//! The server is aiosmtpd (Debian package python3-aiosmtpd); it writes what it receives into a folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use luytre_demo::program::Program;
use luytre_demo::session::Session;
use luytre_demo::{stack, wait};
use luytre_tests::{SENSOR, SOON, Stage, story_at_once};

/// The mail server: one account, refuses mail without TLS and log-in, keeps every message as a file.
const SERVER: &str = include_str!("mail_server.py");

#[test]
fn a_high_alert_reaches_a_real_mail_server() -> Result<()> {
    let port = stack::free_port()?;
    let mut stage = Stage::set(|settings| {
        settings.console_lines = format!(
            "[mail]\nhost = \"localhost\"\nport = {port}\ntls = \"starttls\"\nuser = \"luytre\"\n\
             password_file = \"{0}/mail.password\"\nca_file = \"{0}/authority.pem\"\n\
             from = \"luytre@tinh.example\"\nto = [\"truc-ban@tinh.example\"]\nlanguage = \"vi\"\n",
            settings.data.display()
        );
    })?;
    let server = start_server(stage.folder(), port)?;
    stage.stack.start_collector()?;
    stage.stack.start_console()?;
    let token = stage.stack.setup_token()?;
    let session =
        Session::set_up(&stage.stack.console_api(), &token, "truc-ban", "Mot mat khau dai cho buoi kiem tra 1")?;
    stage.stack.enroll(SENSOR)?;
    stage.stack.start_sensor(SENSOR, &story_at_once())?;

    let mail = stage.folder().join("received");
    let first = wait::until("a mail to arrive", SOON, || Ok(fs::read_dir(&mail)?.flatten().next()))
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

fn start_server(folder: &Path, port: u16) -> Result<Program> {
    fs::create_dir_all(folder.join("received"))?;
    fs::write(folder.join("mail.password"), "mot-mat-khau-thu\n")?;
    fs::write(folder.join("mail_server.py"), SERVER)?;
    certificate(folder, "authority", "/CN=Mail authority", &[])?;
    let leaf = ["-CA", "authority.pem", "-CAkey", "authority.key", "-addext", "basicConstraints=CA:FALSE"];
    certificate(
        folder,
        "mail",
        "/CN=localhost",
        &[leaf.as_slice(), &["-addext", "subjectAltName=DNS:localhost"]].concat(),
    )?;
    // Debian's own Python has Debian's aiosmtpd, whatever other Python is first on the path.
    let mut command = Command::new("/usr/bin/python3");
    command.arg("mail_server.py").arg(port.to_string()).current_dir(folder);
    let server = Program::start("the mail server", &mut command, &folder.join("log/mail.log"))?;
    wait::until("the mail server to listen", SOON, || Ok(server.log().contains("listening").then_some(())))?;
    Ok(server)
}

/// A certificate and its key, `NAME.pem` and `NAME.key`; without further arguments that of an authority.
fn certificate(folder: &Path, name: &str, subject: &str, further: &[&str]) -> Result<()> {
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", subject, "-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .args(further)
        .current_dir(folder)
        .output()
        .context("start openssl")?;
    ensure!(output.status.success(), "make the certificate {name}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
