//! What capture threads work by, and how a running one gets it anew.
//!
//! Comes in: settings that were read and checked elsewhere, because a capture thread may not open a file. Goes out: the
//! newest [`Orders`], which each capture thread takes up between two packets. Looking costs one load; nothing waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::settings::Settings;
use crate::canary::watch::Watch;
use crate::capture::filter::Filter;
use crate::decode::Checksums;
use crate::files::FileLimits;
use crate::files::store::Store;
use crate::networks::Networks;
use crate::packets::settings::Cutoffs;
use crate::signatures;
use crate::worker::WorkerSettings;

/// What does not change while the sensor runs.
#[derive(Clone)]
pub struct Fixed {
    /// The name that events carry.
    pub name: Arc<str>,
    /// Where carved files are kept.
    pub store: Option<Arc<Store>>,
    /// Whether packets are kept.
    pub members: bool,
    /// What follows canaries.
    pub canaries: Option<Arc<Watch>>,
}

/// What capture threads work by.
#[derive(Clone)]
pub struct Orders {
    /// Rises with each change.
    pub number: u64,
    /// For the shards.
    pub worker: WorkerSettings,
    /// What is done about wrong checksums.
    pub checksums: Checksums,
    /// How much of each flow is kept.
    pub cutoffs: Cutoffs,
    /// What is looked at, by source.
    pub filters: Vec<Option<Arc<Filter>>>,
}

impl Orders {
    /// From settings and the rule files that they name, in place of those before; the error names the setting and the place
    /// in it.
    pub fn new(number: u64, settings: &Settings, fixed: &Fixed, before: Option<&Orders>) -> Result<Orders, String> {
        settings.check()?;
        let filters = settings.source.iter().map(|source| source.parsed_filter().map(|filter| filter.map(Arc::new)));
        let rules_before = before.and_then(|orders| orders.worker.rules.as_deref());
        let rules = signatures::load_after(&settings.rules, &settings.tuning, rules_before);
        let worker = WorkerSettings {
            sensor: fixed.name.clone(),
            flow: settings.flow,
            overlap: Arc::new(settings.overlap.clone()),
            files: FileLimits::default(),
            store: fixed.store.clone(),
            members: fixed.members,
            muted: Arc::new(settings.muted()),
            networks: Arc::new(Networks::new(&settings.networks)),
            canaries: fixed.canaries.clone(),
            rules: rules.map_err(|error| format!("rules: {error:#}"))?,
            probe: None,
        };
        Ok(Orders {
            number,
            worker,
            checksums: settings.decode.checksums,
            cutoffs: settings.packets.cutoffs(),
            filters: filters.collect::<Result<_, _>>().map_err(|error| error.to_string())?,
        })
    }

    /// Logs what was loaded of rules; each that cannot be used is named by `luytre-sensor read --rules`.
    pub fn say_rules(&self) {
        let Some(rules) = &self.worker.rules else { return };
        let (broken, unsupported) = (rules.broken.len(), rules.unsupported.len());
        tracing::info!(
            rules = rules.len(),
            broken,
            unsupported,
            disabled = rules.disabled,
            digest = rules.digest,
            "signatures are loaded"
        );
        if let Some(first) = rules.idle.first() {
            let idle = rules.idle.len();
            tracing::warn!(idle, file = %first.file, line = first.line, reason = first.what, "tuning that concerns no rule");
        }
        if let Some(first) = rules.broken.first() {
            tracing::warn!(broken, file = %first.file, reason = first.what, "rules that cannot be used are passed over");
        }
    }

    /// What of a source is looked at.
    pub fn filter(&self, source: usize) -> Option<Arc<Filter>> {
        self.filters.get(source).cloned().flatten()
    }
}

/// Where the newest orders hang.
pub struct Bulletin {
    number: AtomicU64,
    newest: Mutex<Arc<Orders>>,
}

impl Bulletin {
    /// With the first ones.
    pub fn new(orders: Orders) -> Bulletin {
        Bulletin { number: AtomicU64::new(orders.number), newest: Mutex::new(Arc::new(orders)) }
    }

    /// The newest.
    pub fn newest(&self) -> Arc<Orders> {
        self.lock().clone()
    }

    /// The newest, if they are others than those of a number.
    pub fn newer_than(&self, number: u64) -> Option<Arc<Orders>> {
        (self.number.load(Ordering::Acquire) != number).then(|| self.newest())
    }

    /// Puts new ones up.
    pub fn post(&self, orders: Orders) {
        let number = orders.number;
        *self.lock() = Arc::new(orders);
        self.number.store(number, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Orders>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
