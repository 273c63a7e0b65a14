//! The demo killed without a chance to clean up: nothing that it started goes on.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use luytre_demo::program::Programs;
use luytre_demo::wait;
use luytre_tests::SOON;

#[test]
fn a_killed_demo_leaves_no_process_behind() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("luytre-test-").tempdir().context("make a data folder")?;
    let mut demo = Command::new(Programs::beside_this()?.path("luytre-demo"))
        .arg("--keep")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("start luytre-demo")?;
    let started = wait::until("the demo to start all programs", SOON, || {
        let below = descendants(demo.id());
        Ok((below.len() >= 3 && folder.path().join("log/sensor-demo.log").is_file()).then_some(below))
    });
    demo.kill().context("kill the demo")?;
    demo.wait().context("wait for the demo")?;
    let started = started?;
    wait::until("its programs to end", SOON, || Ok(started.iter().all(|id| !runs(*id)).then_some(())))
}

/// All processes below one, by id.
fn descendants(id: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|process| Some((process, parent(process)?)))
        .collect();
    let mut found = vec![id];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        found.extend(parents.iter().filter(|(_, above)| *above == parent).map(|(process, _)| *process));
        at += 1;
    }
    found.split_off(1)
}

/// The part of `/proc/ID/stat` after the name: state, parent and more (proc(5)).
fn stat(id: u32) -> Option<String> {
    let text = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).ok()?;
    text.rsplit_once(") ").map(|(_, rest)| rest.to_owned())
}

fn parent(id: u32) -> Option<u32> {
    stat(id)?.split(' ').nth(1)?.parse().ok()
}

/// Whether a process is there and no zombie.
fn runs(id: u32) -> bool {
    stat(id).is_some_and(|rest| !rest.starts_with('Z'))
}
