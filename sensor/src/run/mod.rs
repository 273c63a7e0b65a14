//! `luytre-sensor run`: live capture into the spool, and from there to the collector.
//!
//! One thread for each queue of each source runs capture to events ([`lane`]), locked in ([`confine`]) and watched over by
//! another one that opens the source again; the spool has a thread of its own, and so has the uplink. A source that fails is opened again with a pause in between, and the others go on. A sensor that is
//! not enrolled, or whose collector is away, spools. On SIGTERM or SIGINT: flows are ended, the spool is made durable,
//! the uplink gets a few seconds to send what is left, and the program ends with 0.

pub mod confine;
pub mod lane;
mod metrics;
pub mod privileges;
pub mod settings;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use luytre_events::ledger::Snapshot;
use luytre_events::wire::PacketsWish;
use tokio::sync::watch;

use crate::capture::datalink::{self, Datalink, now_ns};
use crate::capture::replay::Replay;
use crate::capture::ring::{Ring, RingSettings};
use crate::capture::{CaptureError, PacketSource};
use crate::files::FileLimits;
use crate::files::store::Store;
use crate::packets::{self, Extraction, Shelf, StoreKey};
use crate::spool::{Spool, SpoolWriter};
use crate::uplink;
use crate::worker::WorkerSettings;
use lane::{Lane, LaneSettings, LaneState};
use settings::{Method, Settings, SourceSettings};

/// Pause before a source that failed is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(5);
/// The longest that a stop may go unnoticed while waiting.
const NAP: Duration = Duration::from_millis(100);

/// Everything that threads share.
struct Sensor {
    since_ns: i64,
    lanes: Mutex<Vec<Arc<LaneState>>>,
    spool: SpoolWriter,
    store: Option<Arc<Store>>,
    packets: Option<Arc<Shelf>>,
}

impl uplink::Source for Sensor {
    fn snapshot(&self) -> Snapshot {
        let lanes = self.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // All lanes are held while the spool is asked, so that no push falls in between.
        let looks: Vec<_> = lanes.iter().map(|lane| lane.look()).collect();
        let spool = self.spool.stages();
        let mut stages = vec![spool.backlog];
        stages.extend(lane::stages(looks.iter().map(|look| &**look)));
        stages.push(spool.spool);
        // Behind the events: what is kept of packets is a branch of the chain, not a link of it.
        stages.extend(lane::kept(looks.iter().map(|look| &**look)));
        Snapshot { time_ns: now_ns(), since_ns: self.since_ns, stages }
    }

    fn file(&self, sha256: &[u8; 32]) -> Option<Vec<u8>> {
        // What was carved a moment ago may still be on its way to the disk; the collector asks again.
        std::fs::read(self.store.as_ref()?.path(sha256)).ok()
    }

    fn packets(&self, wish: &PacketsWish) -> Result<Extraction, String> {
        let Some(shelf) = &self.packets else {
            return Err(
                "this sensor keeps no packets: set enabled = true under [packets] of its configuration".to_owned()
            );
        };
        let PacketsWish { flow, from_ns, to_ns, limit_bytes } = *wish;
        let query = packets::Query { flow: Some(flow), from_ns, to_ns, limit_bytes };
        Extraction::start(shelf.root(), shelf.key(), query)
            .map_err(|error| format!("the packets cannot be read: {error}"))
    }
}

/// Runs until told to stop.
pub fn run(mut settings: Settings, data: &Path) -> anyhow::Result<()> {
    if settings.source.is_empty() {
        let all = datalink::default_interfaces().into_iter();
        settings.source = all.map(|interface| SourceSettings { interface, ..SourceSettings::default() }).collect();
        anyhow::ensure!(
            !settings.source.is_empty(),
            "no interface is up; name one under [[source]] in the configuration"
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    // From here on a signal is noticed, however early it comes.
    let signals = runtime.block_on(async { Signals::new() }).context("listen for signals")?;
    std::fs::create_dir_all(data).with_context(|| format!("make the data folder {}", data.display()))?;
    let (spool, reader) = Spool::open(&data.join("spool"), settings.spool.clone())?;
    let store = open_store(data, settings.files.quota_mb << 20);
    let packets = open_packets(data, &settings);
    let sensor = Arc::new(Sensor { since_ns: now_ns(), lanes: Mutex::default(), spool: spool.clone(), store, packets });
    let stop = Arc::new(AtomicBool::new(false));
    let opened = open_sources(&settings)?;
    privileges::drop(&settings.privileges, data)?;
    let lanes = start_lanes(opened, &settings, &sensor, &stop)?;
    let (stop_uplink, uplink) = start_uplink(&settings, data, reader, sensor.clone())?;
    if settings.metrics.enabled {
        metrics::serve(settings.metrics.listen, sensor.clone(), &runtime);
    }
    tracing::info!(sources = settings.source.len(), data = %data.display(), "the sensor is running");
    runtime.block_on(signals.wait());
    tracing::info!("stopping: flows are ended and sent");
    stop.store(true, Ordering::Relaxed);
    for lane in lanes {
        if lane.join().is_err() {
            tracing::error!("a capture thread failed");
        }
    }
    spool.flush();
    // The uplink drains what is left, for a limited time.
    let _ = stop_uplink.send(true);
    if uplink.join().is_err() {
        tracing::error!("the uplink thread failed");
    }
    Ok(())
}

fn open_store(data: &Path, quota_bytes: u64) -> Option<Arc<Store>> {
    match Store::open(&data.join("files"), quota_bytes) {
        Ok(store) => Some(Arc::new(store)),
        Err(error) => {
            tracing::error!(%error, "carved files are not kept: their folder cannot be used");
            None
        }
    }
}

/// A store that cannot be used costs the packets, not the sensor.
fn open_packets(data: &Path, settings: &Settings) -> Option<Arc<Shelf>> {
    if !settings.packets.enabled {
        return None;
    }
    let lanes = settings.source.iter().map(SourceSettings::lanes).sum();
    let limits = packets::shelf::Limits::new(&settings.packets, lanes);
    match StoreKey::load_or_make(data).and_then(|key| Shelf::open(data, key, limits)) {
        Ok(shelf) => Some(Arc::new(shelf)),
        Err(error) => {
            tracing::error!("packets are not kept: {error:#}");
            None
        }
    }
}

/// A source that is open, and how to open it again.
struct Opened {
    opener: Opener,
    first: Box<dyn PacketSource>,
    name: String,
}

/// Opens every source once, so that a wrong name or a missing right is an error at the start.
fn open_sources(settings: &Settings) -> anyhow::Result<Vec<Opened>> {
    let mut opened = Vec::new();
    for (number, source) in settings.source.iter().enumerate() {
        for queue in 0..source.lanes() {
            let opener = Opener { settings: source.clone(), group: group(number) };
            let first = opener.open()?;
            opened.push(Opened { opener, first, name: format!("capture-{number}-{queue}") });
        }
    }
    Ok(opened)
}

/// Starts a thread for each of them.
fn start_lanes(
    opened: Vec<Opened>,
    settings: &Settings,
    sensor: &Arc<Sensor>,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let lanes = opened.len();
    let start = |Opened { opener, first, name }| {
        let worker = WorkerSettings {
            sensor: "sensor".into(),
            flow: settings.flow,
            overlap: Arc::new(settings.overlap.clone()),
            files: FileLimits::default(),
            store: sensor.store.clone(),
            members: sensor.packets.is_some(),
            rules: None,
        };
        let is_file = opener.settings.is_file();
        let lane = LaneSettings {
            worker,
            checksums: settings.decode.checksums,
            lanes,
            can_wait: is_file,
            is_present: !is_file,
            name: opener.settings.name(),
            packets: sensor.packets.clone().map(|shelf| (shelf, settings.packets.cutoffs())),
        };
        let watcher = std::thread::Builder::new().name(name.replace("capture", "source"));
        let work = Work { opener, name, lane, sensor: sensor.clone(), stop: stop.clone() };
        watcher.spawn(move || work.run(first)).context("start the thread of a source")
    };
    opened.into_iter().map(start).collect()
}

/// Rings that share an interface have a group number of their own on this machine.
fn group(source: usize) -> u16 {
    let number = std::process::id().wrapping_mul(31).wrapping_add(u32::try_from(source).unwrap_or(0));
    (number & u32::from(u16::MAX)) as u16
}

struct Opener {
    settings: SourceSettings,
    group: u16,
}

impl Opener {
    fn open(&self) -> Result<Box<dyn PacketSource>, CaptureError> {
        let source = &self.settings;
        if source.is_file() {
            return Ok(Box::new(Replay::open(&source.file, source.speed, source.shift_to_now)?));
        }
        Ok(match source.method {
            Method::Datalink => Box::new(Datalink::open(&source.interface, source.promiscuous)?),
            Method::Ring => Box::new(Ring::open(
                &source.interface,
                RingSettings {
                    blocks: source.ring_mb,
                    promiscuous: source.promiscuous,
                    fanout_group: (source.queues > 1).then_some(self.group),
                },
            )?),
        })
    }
}

/// What watches over a source: opens it again when it fails, and gives each opening a capture thread.
struct Work {
    opener: Opener,
    name: String,
    lane: LaneSettings,
    sensor: Arc<Sensor>,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn run(self, first: Box<dyn PacketSource>) {
        let mut source = Some(first);
        while let Some(open) = source.take().or_else(|| self.reopen()) {
            match self.capture(open) {
                Err(error) => tracing::error!("a source failed: {error:#}"),
                Ok(()) if self.stop.load(Ordering::Relaxed) => return,
                Ok(()) => {
                    tracing::info!(file = %self.opener.settings.file.display(), "the capture file has been played");
                    return;
                }
            }
            if self.opener.settings.is_file() {
                return;
            }
        }
    }

    /// Follows an open source to its end in a thread that is locked in before the first packet is parsed.
    fn capture(&self, source: Box<dyn PacketSource>) -> anyhow::Result<()> {
        // A new lane counts from zero, so each has a state of its own and the old ones stay in the sum.
        let state = Arc::new(LaneState::default());
        let lane = Lane::new(source, self.lane.clone(), self.sensor.spool.clone(), state.clone());
        self.sensor.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(state);
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new().name(self.name.clone());
        let thread = thread.spawn(move || {
            confine::capture_thread();
            lane.run(&stop)
        });
        match thread.context("start a capture thread")?.join() {
            Ok(ended) => Ok(ended?),
            Err(_) => anyhow::bail!("the capture thread broke off"),
        }
    }

    /// Tries until the source can be opened again; nothing when the sensor stops before.
    fn reopen(&self) -> Option<Box<dyn PacketSource>> {
        loop {
            let naps = REOPEN_AFTER.as_millis() / NAP.as_millis();
            for _ in 0..naps {
                if self.stop.load(Ordering::Relaxed) {
                    return None;
                }
                std::thread::sleep(NAP);
            }
            match self.opener.open() {
                Ok(source) => return Some(source),
                Err(error) => tracing::warn!(%error, "the source cannot be opened again yet"),
            }
        }
    }
}

type Uplink = (watch::Sender<bool>, JoinHandle<()>);

fn start_uplink(
    settings: &Settings,
    data: &Path,
    reader: crate::spool::SpoolReader,
    sensor: Arc<Sensor>,
) -> anyhow::Result<Uplink> {
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let (settings, data) = (settings.uplink.clone(), data.to_owned());
    let thread = std::thread::Builder::new().name("uplink".into()).spawn(move || {
        if let Err(error) = runtime.block_on(uplink::run(settings, &data, reader, sensor, stopped)) {
            tracing::error!("nothing is sent, events stay in the spool: {error:#}");
        }
    });
    Ok((stop, thread.context("start the uplink thread")?))
}

/// The two signals that end the program.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
