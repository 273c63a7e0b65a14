//! What the tests with several parts share: a stage of our own programs as real processes, and waiting for what follows.
//!
//! Each test has a data folder and free ports of its own, so that tests may run beside each other.

pub mod disk;
pub mod mail;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use luytre_demo::program::Programs;
use luytre_demo::progress::{Progress, stage};
use luytre_demo::stack::{PacketSource, Settings, Stack};
use luytre_demo::{capture, wait};
use tempfile::TempDir;

/// The sensor's name on the stage.
pub const SENSOR: &str = "sensor-test";
/// How long something that happens by itself may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(90);

/// The checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The demo's capture.
pub fn story() -> PathBuf {
    checkout().join("deploy/demo/story.pcapng")
}

/// The story as fast as the sensor can.
pub fn story_at_once() -> PacketSource {
    PacketSource::File { path: story(), speed: "max".to_owned() }
}

/// The story `factor` times faster than it happened, from a copy in `folder`.
pub fn story_at(folder: &Path, factor: f64) -> Result<PacketSource> {
    let path = folder.join("story.pcapng");
    capture::hasten(&story(), &path, factor)?;
    Ok(PacketSource::File { path, speed: "realtime".to_owned() })
}

/// How many packets the story has.
pub fn story_packets() -> Result<u64> {
    Ok(capture::read(&story())?.len() as u64)
}

/// A stage and the folder it lives in; both go when it is dropped.
#[derive(Debug)]
pub struct Stage {
    /// The programs.
    pub stack: Stack,
    // Dropped after the stack: its processes write into it.
    folder: TempDir,
}

impl Stage {
    /// A stage on which nothing runs yet; `change` may alter its settings.
    pub fn set(change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("luytre-test-").tempdir().context("make a data folder")?;
        let mut settings = Settings::new(folder.path(), &checkout())?;
        change(&mut settings);
        Ok(Stage { stack: Stack::new(Programs::beside_this()?, settings)?, folder })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until the whole story is searchable and the ledger has nothing left to explain.
    pub fn rest(&self) -> Result<Progress> {
        let packets = story_packets()?;
        self.rest_after(packets)
    }

    /// Waits until `packets` packets were taken, every event that came of them is searchable, and the remainder is zero.
    pub fn rest_after(&self, packets: u64) -> Result<Progress> {
        wait::until("everything to come to rest", SOON, || {
            let now = Progress::now(&self.stack, SENSOR)?;
            let line = self.stack.sensor_line(SENSOR)?;
            let (given, indexed) = (stage(&line, "protocols", "given"), stage(&line, "index", "given"));
            ensure!(now.packets >= packets, "{} of {packets} packets", now.packets);
            ensure!(now.waiting == 0 && indexed >= given, "{indexed} of {given} events, {} waiting", now.waiting);
            ensure!(now.unaccounted == 0, "{} unaccounted", now.unaccounted);
            Ok(Some(now))
        })
    }
}
