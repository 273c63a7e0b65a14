//! The uplink: takes batches from the spool to the collector and brings back what it wants.
//!
//! (Signatures first; the body follows.)

use std::path::Path;
use std::sync::Arc;

use luytre_events::ledger::Snapshot;
use serde::Deserialize;
use tokio::sync::watch;

use crate::spool::SpoolReader;

/// How the collector is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UplinkSettings {
    /// `HOST:PORT` of the collector's intake; empty means the one the sensor was enrolled at.
    pub collector: String,
    /// The most batches that may be on the way without acknowledgement (default 8).
    pub window: usize,
    /// How often the counters are sent, in seconds (default 60).
    pub ledger_s: u64,
    /// At a planned exit, how long to wait for the collector to take what is left, in seconds (default 5).
    pub drain_s: u64,
}

impl Default for UplinkSettings {
    fn default() -> Self {
        UplinkSettings { collector: String::new(), window: 8, ledger_s: 60, drain_s: 5 }
    }
}

/// What the uplink asks the rest of the sensor.
pub trait Source: Send + Sync + 'static {
    /// The counters now.
    fn snapshot(&self) -> Snapshot;
    /// A carved file by its digest, where it is still there.
    fn file(&self, sha256: &[u8; 32]) -> Option<Vec<u8>>;
}

/// Runs until `stop` turns true (or its sender is gone); then sends what is left, for at most `drain_s`. Connects, and
/// connects again with growing pauses, for ever: an error comes back only when `data/identity` cannot be used.
pub async fn run(
    _settings: UplinkSettings,
    _data: &Path,
    _spool: SpoolReader,
    _source: Arc<dyn Source>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let _ = stop.wait_for(|stop| *stop).await;
    Ok(())
}

/// Enrols this sensor: proves that the collector is the one that made the token, makes a key, and stores the identity in
/// `data/identity`. Returns the name that the token was made for.
pub async fn enroll(_collector: &str, _token: &str, _data: &Path) -> anyhow::Result<String> {
    anyhow::bail!("not yet")
}
