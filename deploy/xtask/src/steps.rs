//! Steps with a name: announced, run, timed.
//!
//! Comes in: a command. Goes out: one line when it begins and one when it ends, its own output in between (`show`) or
//! only when it fails (`quiet`).

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Does one named step; its time is printed when it ends.
pub fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let began = Instant::now();
    let outcome = work();
    let verdict = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!("<== {name}: {verdict} in {:.1} s", began.elapsed().as_secs_f64());
    outcome
}

/// Runs a command whose output the reader wants to see.
pub fn show(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("start {}", name(command)))?;
    succeeded(command, status)
}

/// Runs a command whose output matters only when it fails.
pub fn quiet(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("start {}", name(command)))?;
    if !output.status.success() {
        std::io::stderr().write_all(&output.stdout)?;
        std::io::stderr().write_all(&output.stderr)?;
    }
    succeeded(command, output.status)
}

/// Runs a command and gives what it wrote on standard output.
pub fn capture(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("start {}", name(command)))?;
    succeeded(command, output.status)?;
    Ok(output.stdout)
}

/// Runs a command, shows its output line by line and keeps it: for results that are counted afterwards.
pub fn tee(command: &mut Command) -> Result<(bool, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}", name(command)))?;
    let output = child.stdout.take().context("a piped output is there")?;
    let text = echo_lines(output)?;
    let status = child.wait().with_context(|| format!("wait for {}", name(command)))?;
    Ok((status.success(), text))
}

fn echo_lines(output: impl Read) -> Result<String> {
    let mut text = String::new();
    let mut line = Vec::new();
    let mut reader = BufReader::new(output);
    while reader.read_until(b'\n', &mut line).context("read a step's output")? > 0 {
        std::io::stdout().write_all(&line).context("show a step's output")?;
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(text)
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{} ended with {status}", name(command));
    }
    Ok(())
}

fn name(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args().take(6) {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
