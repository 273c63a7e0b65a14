//! The uplink: takes batches from the spool to the collector and brings back what it wants.
//!
//! Comes in: batches from the spool, the sensor's counters and carved files. Goes out: frames of
//! [`luytre_events::wire`] over mutual TLS. What comes back: acknowledgements, which free the spool, and wishes for
//! files and packets.
//!
//! At most [`UplinkSettings::window`] batches are on the way without acknowledgement. After a broken connection the
//! collector says what it has, and the spool goes on after that: what is sent twice is recognised there.
//!
//! **On overload** (a slow collector or line) acknowledgements come late and the spool holds the events. **On restart** the
//! spool still has what was not acknowledged. A collector that refuses this sensor (revoked, say) is asked again once a
//! minute; any other failure is tried again after half a second to half a minute.

mod connection;
mod enroll;
mod identity;
mod packets;
mod tls;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use luytre_events::ledger::Snapshot;
use luytre_events::wire::PacketsWish;
use serde::Deserialize;
use tokio::sync::watch;

use crate::packets::Extraction;
use crate::spool::SpoolReader;
use connection::{Ended, Link};
pub use enroll::enroll;
pub use identity::Identity;

/// The first pause after a failure; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// The longest pause after a failure.
const PAUSE_LONGEST: Duration = Duration::from_secs(30);
/// The pause after a refusal: it takes a person to change that.
const PAUSE_REFUSED: Duration = Duration::from_secs(60);

/// How the collector is reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UplinkSettings {
    /// `HOST:PORT` of the collector's intake; empty means the one the sensor was enrolled at.
    pub collector: String,
    /// The most batches that may be on the way without acknowledgement (default 8).
    pub window: usize,
    /// How often the counters are sent, in seconds (default 60).
    pub ledger_s: u64,
    /// The certificate is renewed when it has fewer days left than this (default 30; certificates last 90).
    pub renew_days: u64,
    /// At a planned exit, how long to wait for the collector to take what is left, in seconds (default 5).
    pub drain_s: u64,
}

impl Default for UplinkSettings {
    fn default() -> Self {
        UplinkSettings { collector: String::new(), window: 8, ledger_s: 60, renew_days: 30, drain_s: 5 }
    }
}

/// What the uplink asks the rest of the sensor.
pub trait Source: Send + Sync + 'static {
    /// The counters now.
    fn snapshot(&self) -> Snapshot;
    /// A carved file by its digest, where it is still there.
    fn file(&self, sha256: &[u8; 32]) -> Option<Vec<u8>>;
    /// The packets of a flow; the reason where there can be none.
    fn packets(&self, wish: &PacketsWish) -> Result<Extraction, String>;
}

/// Runs until `stop` turns true (or its sender is gone); then sends what is left, for at most `drain_s`. Connects, and
/// connects again with growing pauses, for ever: an error comes back only when `data/identity` cannot be used.
pub async fn run(
    settings: UplinkSettings,
    data: &Path,
    spool: SpoolReader,
    source: Arc<dyn Source>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let identity = Identity::load(data)?;
    let mut link = Link::new(settings, data, identity, spool, source)?;
    let mut pause = PAUSE_FIRST;
    loop {
        let stopped_before = *stop.borrow();
        match link.talk(&mut stop).await {
            Ok(Ended::Stopped) => return Ok(()),
            Ok(Ended::Refused(reason)) => {
                tracing::error!(reason, "the collector refuses this sensor; asked again in a minute");
                pause = PAUSE_REFUSED;
            }
            Err(error) => {
                if link.greeted() {
                    pause = PAUSE_FIRST;
                }
                tracing::warn!(
                    collector = link.collector(),
                    error = format!("{error:#}"),
                    again_in_ms = pause.as_millis(),
                    "no connection to the collector; events are kept in the spool"
                );
            }
        }
        if stopped_before {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(pause)) => {}
            // One more attempt, to bring what is left.
            _ = stop.wait_for(|stop| *stop) => {}
        }
        pause = (pause * 2).min(PAUSE_LONGEST);
    }
}

/// Half to one and a half of a pause, so that sensors do not all come at once when their collector is back.
fn jittered(pause: Duration) -> Duration {
    let mut random = [0; 1];
    // Without randomness there is no jitter, which only matters to a crowd.
    let _ = getrandom::fill(&mut random);
    pause.mul_f64(0.5 + f64::from(random[0]) / 255.0)
}
