//! New settings for a sensor that runs: read, checked, then taken up between two packets.
//!
//! Comes in: SIGHUP, or `luytre-sensor reload` through [`control`](super::control). Goes out: what was taken up, or why nothing
//! was. A file that is wrong changes nothing. Filters of rings are changed in the kernel first, which is the only step
//! that can fail; then the orders are posted, and every capture thread takes them up by itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Sensor;
use super::orders::{Bulletin, Fixed, Orders};
use super::settings::Settings;
use super::tap::{self, Tap};
use crate::canary::watch::{CanaryRun, Watch};
use crate::capture::datalink::now_ns;

/// How long capture threads are waited for; they go on by the old settings until they come to it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it takes to change settings.
pub struct Reloader {
    /// Where they are read from; none for a sensor that runs on defaults.
    pub config: Option<PathBuf>,
    /// Those in force, with the sources that were found where none is named.
    pub settings: Mutex<Settings>,
    /// Whether the sources were found and not named.
    pub found_sources: bool,
    /// What never changes.
    pub fixed: Fixed,
    /// Where capture threads look.
    pub bulletin: Arc<Bulletin>,
    /// The queues of all sources.
    pub taps: Vec<Arc<Tap>>,
    /// What follows canaries.
    pub canaries: Option<Arc<Watch>>,
    /// For the capture threads' counters.
    pub(super) sensor: Arc<Sensor>,
}

impl Reloader {
    /// Reads the configuration again and takes up what can be. Says what happened, in a sentence for the operator.
    pub fn reload(&self) -> Result<String, String> {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new: Settings = luytre_settings::load(self.config.as_deref()).map_err(|error| error.to_string())?;
        if new.source.is_empty() && self.found_sources {
            new.source.clone_from(&settings.source);
        }
        new.check()?;
        let (next, restart) = settings.taken_up(&new);
        let before = self.bulletin.newest();
        let number = before.number + 1;
        let orders = Orders::new(number, &next, &self.fixed, Some(&before))?;
        drop(before);
        self.change_filters(&orders)?;
        orders.say_rules();
        if let Some(canaries) = &self.canaries {
            canaries.configure(&next.canary);
        }
        self.bulletin.post(orders);
        tap::say_filters(&self.taps);
        *settings = next;
        let late = self.wait_for(number);
        let mut answer = "the new settings are in force".to_owned();
        if late > 0 {
            answer = format!("the new settings are known to all capture threads but {late}, which will take them up");
        }
        if !restart.is_empty() {
            answer += &format!("; only a restart changes: {}", restart.join(", "));
        }
        Ok(answer)
    }

    /// Tells of runs of canaries that have ended, and of canaries that do not come.
    pub fn look_after_canaries(&self) {
        let Some(canaries) = &self.canaries else { return };
        for report in canaries.tick(now_ns()) {
            match report.outcome() {
                "arrived" => tracing::info!("{report}"),
                _ => tracing::warn!("{report}"),
            }
            self.sensor.teller.tell(CanaryRun::from(&report).into_body(), report.flow.clone());
        }
    }

    /// Changes all filters or none.
    fn change_filters(&self, orders: &Orders) -> Result<(), String> {
        let mut changed = Vec::new();
        for tap in &self.taps {
            match tap.set_filter(orders.filter(tap.source)) {
                Ok(before) => changed.push((tap, before)),
                Err(error) => {
                    for (tap, before) in changed {
                        if let Err(error) = tap.set_filter(before) {
                            tracing::error!(%error, "a filter could not be put back");
                        }
                    }
                    return Err(format!("{error}; nothing was changed"));
                }
            }
        }
        Ok(())
    }

    /// Waits until the capture threads work by orders; says how many do not yet.
    fn wait_for(&self, number: u64) -> usize {
        const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);
        let began = Instant::now();
        loop {
            let late = self.sensor.lanes_behind(number);
            if late == 0 || began.elapsed() > PATIENCE {
                return late;
            }
            std::thread::sleep(LOOK_AGAIN_AFTER);
        }
    }
}
