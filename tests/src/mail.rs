//! A real mail server for tests, a process of its own with STARTTLS and a log-in: aiosmtpd (Debian package
//! python3-aiosmtpd). It writes what it receives into the folder `received`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use luytre_demo::program::Program;
use luytre_demo::wait;

use crate::SOON;

/// The mail server: one account, refuses mail without TLS and log-in, keeps every message as a file.
const SERVER: &str = include_str!("mail_server.py");

/// The lines of a console's configuration that has this mail server.
pub fn settings(data: &Path, port: u16) -> String {
    format!(
        "[mail]\nhost = \"localhost\"\nport = {port}\ntls = \"starttls\"\nuser = \"luytre\"\n\
         password_file = \"{0}/mail.password\"\nca_file = \"{0}/authority.pem\"\n\
         from = \"luytre@tinh.example\"\nto = [\"truc-ban@tinh.example\"]\nlanguage = \"vi\"\n",
        data.display()
    )
}

/// Starts it in a folder, with a certificate of its own; it ends when it is dropped.
pub fn start(folder: &Path, port: u16) -> Result<Program> {
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
