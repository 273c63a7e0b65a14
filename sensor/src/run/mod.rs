//! `luytre-sensor run`: live capture into the spool, and from there to the collector.
//!
//! One thread for each queue of each source runs capture to events ([`lane`]), locked in ([`confine`]) and watched over by
//! another one that opens the source again; the spool has a thread of its own, and so has the uplink. A source that fails
//! is opened again with a pause in between, and the others go on. A sensor that is not enrolled, or whose collector is
//! away, spools. A thread that cannot keep up gives up detail in a declared order ([`load`]). On SIGHUP, or when another
//! command asks ([`control`]), the configuration is read again and taken up between two packets ([`orders`]). On SIGTERM
//! or SIGINT: flows are ended, the spool is made durable, the uplink gets a few seconds to send what is left, and the
//! program ends with 0.

pub mod confine;
pub mod control;
pub mod lane;
pub mod load;
mod metrics;
pub mod orders;
pub mod privileges;
mod reload;
pub mod settings;
mod tap;
mod teller;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use luytre_events::ledger::Snapshot;
use luytre_events::wire::PacketsWish;
use luytre_rules_engine::signatures::InspectCounts;
use tokio::sync::watch;

use crate::canary::CanaryKey;
use crate::canary::watch::Watch;
use crate::capture::PacketSource;
use crate::capture::datalink::{self, now_ns};
use crate::files::store::Store;
use crate::packets::{self, Extraction, Shelf, StoreKey};
use crate::spool::{Spool, SpoolWriter};
use crate::uplink;
use crate::worker::{Spared, WorkerCounts};
use lane::{Lane, LaneSettings, LaneState};
use load::LoadCounts;
use orders::{Bulletin, Fixed, Orders};
use reload::Reloader;
use settings::{Settings, SourceSettings};
use tap::Tap;
use teller::Teller;

/// Stands in events until the collector puts the name of the certificate in its place.
const NAME: &str = "sensor";
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
    teller: Arc<Teller>,
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

/// What there is to say of the sensor beside its ledger.
struct Condition {
    load: LoadCounts,
    spared: Spared,
    signatures: InspectCounts,
    spared_packet_bytes: u64,
    flows: usize,
    flows_total: u64,
}

impl Sensor {
    /// How many capture threads work by other orders than these.
    fn lanes_behind(&self, number: u64) -> usize {
        let lanes = self.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lanes.iter().filter(|lane| lane.look().orders.is_some_and(|taken_up| taken_up != number)).count()
    }

    fn condition(&self) -> Condition {
        let lanes = self.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (mut load, mut work, mut kept_bytes, mut flows) = (LoadCounts::default(), WorkerCounts::default(), 0, 0);
        for lane in lanes.iter() {
            let lane = lane.look();
            let (step, fullness_percent) = match lane.orders {
                Some(_) => (lane.load.step, lane.load.fullness_percent),
                None => Default::default(),
            };
            load.add(&LoadCounts { step, fullness_percent, ..lane.load });
            work.add(&lane.work);
            flows += lane.flows;
            kept_bytes += lane.kept.as_ref().map_or(0, |kept| kept.spared_bytes);
        }
        Condition {
            load,
            spared: work.spared,
            signatures: work.signatures,
            spared_packet_bytes: kept_bytes,
            flows,
            flows_total: work.flows,
        }
    }
}

/// Runs until told to stop. `config` is where the settings were read from, and will be again.
pub fn run(mut settings: Settings, config: Option<&Path>, data: &Path) -> anyhow::Result<()> {
    let found_sources = settings.source.is_empty();
    if found_sources {
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
    let canaries = open_canaries(data);
    let told = Arc::new(LaneState::default());
    let teller = Arc::new(Teller::new(NAME.into(), spool.clone(), told.clone()));
    let lanes = Mutex::new(vec![told]);
    let sensor = Arc::new(Sensor { since_ns: now_ns(), lanes, spool: spool.clone(), store, packets, teller });
    let stop = Arc::new(AtomicBool::new(false));
    let fixed = Fixed {
        name: NAME.into(),
        store: sensor.store.clone(),
        members: sensor.packets.is_some(),
        canaries: canaries.clone(),
    };
    let orders = Orders::new(1, &settings, &fixed, None).map_err(|error| anyhow::anyhow!(error))?;
    orders.say_rules();
    let opened = open_sources(&settings, &orders)?;
    let bulletin = Arc::new(Bulletin::new(orders));
    let control = control::listen(data)?;
    privileges::drop(&settings.privileges, data)?;
    let taps: Vec<_> = opened.iter().map(|opened| opened.tap.clone()).collect();
    tap::say_filters(&taps);
    let lanes = start_lanes(opened, &sensor, &bulletin, &stop)?;
    let (stop_uplink, uplink) = start_uplink(&settings, data, reader, sensor.clone())?;
    let (metrics, sources) = (settings.metrics, settings.source.len());
    if let Some(canaries) = &canaries {
        canaries.configure(&settings.canary);
    }
    let (config, settings, sensor) = (config.map(Path::to_owned), Mutex::new(settings), sensor.clone());
    let reloader = Reloader { config, settings, found_sources, fixed, bulletin, taps, canaries, sensor };
    let reloader = Arc::new(reloader);
    if metrics.enabled {
        metrics::serve(metrics.listen, reloader.clone(), &runtime);
    }
    control::serve(control, reloader.clone()).context("start the thread that answers other commands")?;
    tracing::info!(sources, data = %data.display(), "the sensor is running");
    runtime.block_on(signals.wait(&reloader));
    tracing::info!("stopping: flows are ended and sent");
    control::close(data);
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

/// Canaries can be followed wherever there is a key, which there is from the first start on.
fn open_canaries(data: &Path) -> Option<Arc<Watch>> {
    let key = StoreKey::load_or_make(data).and_then(|key| Ok(CanaryKey::of(&key)?));
    let key = key.inspect_err(|error| tracing::error!("canaries are not recognised: {error:#}"));
    key.ok().map(|key| Arc::new(Watch::new(key)))
}

/// A queue of a source that is open.
struct Opened {
    tap: Arc<Tap>,
    first: Box<dyn PacketSource>,
    name: String,
}

/// Opens every source once, so that a wrong name or a missing right is an error at the start.
fn open_sources(settings: &Settings, orders: &Orders) -> anyhow::Result<Vec<Opened>> {
    let mut opened = Vec::new();
    for (number, source) in settings.source.iter().enumerate() {
        for queue in 0..source.lanes() {
            let tap = Arc::new(Tap::new(source.clone(), number, orders.filter(number)));
            let first = tap.open()?;
            opened.push(Opened { tap, first, name: format!("capture-{number}-{queue}") });
        }
    }
    Ok(opened)
}

/// Starts a thread for each of them.
fn start_lanes(
    opened: Vec<Opened>,
    sensor: &Arc<Sensor>,
    bulletin: &Arc<Bulletin>,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let lanes = opened.len();
    let start = |Opened { tap, first, name }| {
        let is_file = tap.settings.is_file();
        let lane = LaneSettings {
            bulletin: bulletin.clone(),
            lanes,
            source: tap.source,
            filters_in_kernel: tap.filters_in_kernel(),
            can_wait: is_file,
            is_present: !is_file,
            name: tap.settings.name(),
            packets: sensor.packets.clone(),
            teller: sensor.teller.clone(),
        };
        let watcher = std::thread::Builder::new().name(name.replace("capture", "source"));
        let work = Work { tap, name, lane, sensor: sensor.clone(), stop: stop.clone() };
        watcher.spawn(move || work.run(first)).context("start the thread of a source")
    };
    opened.into_iter().map(start).collect()
}

/// What watches over a source: opens it again when it fails, and gives each opening a capture thread.
struct Work {
    tap: Arc<Tap>,
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
                    tracing::info!(file = %self.tap.settings.file.display(), "the capture file has been played");
                    return;
                }
            }
            if self.tap.settings.is_file() {
                return;
            }
        }
    }

    /// Follows an open source to its end in a thread that is locked in before the first packet is parsed.
    fn capture(&self, source: Box<dyn PacketSource>) -> anyhow::Result<()> {
        // A new lane counts from zero, so each has a state of its own and the old ones stay in the sum.
        let state = Arc::new(LaneState::default());
        let lane = Lane::new(source, self.lane.clone(), self.sensor.spool.clone(), state.clone());
        self.sensor.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(state.clone());
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new().name(self.name.clone());
        let thread = thread.spawn(move || {
            confine::capture_thread();
            lane.run(&stop)
        });
        let ended = thread.context("start a capture thread")?.join();
        state.look().orders = None;
        match ended {
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
            match self.tap.open() {
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

/// The two signals that end the program, and the one that has it read its configuration again.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the end; reads the configuration again when told to, and looks after canaries.
    async fn wait(mut self, reloader: &Arc<Reloader>) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    let reloader = reloader.clone();
                    tokio::task::spawn_blocking(move || match reloader.reload() {
                        Ok(answer) => tracing::info!("{answer}"),
                        Err(reason) => tracing::error!("the settings stay as they are: {reason}"),
                    });
                }
                _ = second.tick() => reloader.look_after_canaries(),
            }
        }
    }
}
