//! The running collector: opens every part in the order of the data, serves the API, stops on a signal.
//!
//! Comes in: settings and a data directory. Goes out: a program that runs until it is told to stop (SIGINT, SIGTERM),
//! loads its rules anew when it is told to (SIGHUP), and
//! then ends in the order of the data, so that what is queued is finished. Whatever is killed in between is recovered by
//! the part that owns it at the next start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context as _;
use luytre_rules_engine::Engine;
use tokio::signal::unix::{SignalKind, signal};

use crate::api::{self, Api, RulesInForce};
use crate::detect::change::{RuleChange, RuleChanges};
use crate::detect::files::{FileParts, FileScans, ScanCounts};
use crate::detect::{Detection, DetectionParts};
use crate::enrich::{Enricher, SharedAgencies};
use crate::evidence::Sealer;
use crate::fanout::Fanout;
use crate::fleet::Fleet;
use crate::health::Problems;
use crate::import::Sets;
use crate::index::{Store, Writer};
use crate::intake::{Files, Intake};
use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::pipeline::{MakeDetection, Pipeline, PipelineParts};
use crate::room::{Room, Rooms};
use crate::saved::{self, SavedQueries, SchedulerParts};
use crate::search::Search;
use crate::settings::Settings;
use crate::sources::{SourceParts, Sources};
use crate::tail::Tail;

/// How often evidence that has outlived its time is looked for.
const TIDY_EVERY: Duration = Duration::from_secs(3600);

/// A collector that runs in this process.
pub struct Running {
    /// The API's parts, for programs that hold the collector in their own process.
    pub api: Api,
    /// The intake.
    pub intake: Intake,
    pipeline: Pipeline,
    servers: Vec<tokio::task::JoinHandle<()>>,
    socket: PathBuf,
}

/// Opens everything and starts.
pub async fn start(settings: Settings, data: &Path) -> anyhow::Result<Running> {
    std::fs::create_dir_all(data).with_context(|| format!("make the data directory {}", data.display()))?;
    let problems = Problems::default();
    let socket_path = settings.socket(data);
    // First of all, because it also keeps a second collector out of the same data.
    let socket = api::serve::bind(&socket_path).with_context(|| format!("listen on {}", socket_path.display()))?;
    let fleet = Fleet::open(&data.join("fleet"), &settings.fleet).context("open the fleet")?;
    let ledger = Ledger::open(&data.join("ledger"), settings.ledger.clone()).context("open the ledger")?;
    let journal =
        Journal::open(&data.join("journal"), settings.journal.clone(), problems.clone()).context("open the journal")?;
    let store = Store::open(&data.join("index")).context("open the index")?;
    let fanout = Fanout::open(&data.join("fanout"), settings.fanout.clone(), &problems).context("open the alerts")?;
    let rooms = Rooms::new(data, problems.clone());
    rooms.watch(fleet.room(), "fleet", "no sensor can be enrolled and no certificate renewed");
    rooms.watch(ledger.room(), "ledger", "the ledger goes on in memory and is written when there is room");
    rooms.watch(&store.room, "index", "new events cannot be found yet, the journal keeps them");
    rooms.watch(fanout.room(), "fanout", "alerts wait, and their events with them; the journal keeps them");
    let agencies = SharedAgencies::default();
    let enricher = Enricher::new(settings.agencies(data), agencies.clone(), problems.clone());
    let engine = load_rules(&settings.rules(data), &problems);
    let rules = RulesInForce::new(engine.rules().clone());
    let (detect_counter, index_counter) = (ledger.stage("detect"), ledger.stage("index"));
    // The ledger counts from what the index has now.
    journal.indexed(Writer::live(store.clone(), &settings.index).resume_from());
    let checked = store.clone();
    std::thread::Builder::new().name("verify".to_owned()).spawn(move || checked.verify())?;
    let intake =
        Intake::start(settings.intake.clone(), journal.clone(), fleet.clone(), ledger.clone(), problems.clone())
            .await
            .with_context(|| format!("receive sensors on {}", settings.intake.listen))?;
    let scans: Arc<ScanCounts> = Arc::default();
    let changes = RuleChanges::default();
    let made = Arc::new(MakeParts {
        settings: settings.clone(),
        data: data.to_owned(),
        rules: rules.clone(),
        fanout: fanout.clone(),
        ledger: ledger.clone(),
        files: intake.files(),
        problems: problems.clone(),
        runtime: tokio::runtime::Handle::current(),
        counts: scans.clone(),
        room: rooms.named("files", "carved files are scanned and not kept"),
    });
    let reloader = Reloader { made: made.clone(), changes: changes.clone() };
    let poisoned: Arc<AtomicU64> = Arc::default();
    let tail = Tail::default();
    let pipeline = Pipeline::start(PipelineParts {
        tail: tail.clone(),
        journal: journal.clone(),
        catalogues: fleet.catalogues(),
        enricher,
        detection: MakeParts::detection(made, engine),
        changes,
        poisoned: poisoned.clone(),
        detection_dir: data.join("detect"),
        store: store.clone(),
        index: settings.index.clone(),
        detect_counter,
        index_counter,
        problems: problems.clone(),
        detection_room: rooms.named("detect", "windows of correlations are kept as they were"),
    })?;
    let search = Search::new(store.clone(), settings.search.clone());
    let turns = Arc::new(tokio::sync::Semaphore::new(search.at_a_time()));
    let packets = intake.packets();
    let evidence = crate::evidence::Store::open(&data.join("evidence"), settings.evidence.clone());
    let evidence = evidence.context("open the evidence")?;
    rooms.watch(evidence.room(), "evidence", "nothing more is sealed and nothing given out");
    let tidying = tokio::spawn(tidy(evidence.clone()));
    let evidence = Sealer::new(
        evidence,
        fanout.clone(),
        search.clone(),
        (packets.clone(), intake.files()),
        rules.clone(),
        fleet.clone(),
        settings.clone(),
        data,
    );
    let parts = SourceParts {
        journal: journal.clone(),
        fleet: fleet.clone(),
        fanout: fanout.clone(),
        ledger: ledger.clone(),
        problems: problems.clone(),
        dir: data.join("sources"),
        room: rooms.named("sources", "no token can be made"),
    };
    let sources = Sources::start(&settings.source, &parts).await?;
    let saved = SavedQueries::open(&data.join("queries")).context("open the saved queries")?;
    rooms.watch(saved.room(), "queries", "no query can be saved, and runs are not written down");
    let scheduling = tokio::spawn(saved::run(SchedulerParts {
        saved: saved.clone(),
        search: search.clone(),
        turns: turns.clone(),
        fanout: fanout.clone(),
        ledger: ledger.clone(),
        journal: journal.clone(),
        problems: problems.clone(),
        now_ns: crate::clock::now_ns,
    }));
    let sets = Sets::new(&data.join("imports"), store.clone(), settings.index.clone(), agencies.clone());
    rooms.watch(sets.room(), "imports", "nothing can be imported");
    let mut doors = vec![("intake", intake.doors())];
    let mut remote = None;
    if let Some(address) = settings.api.listen {
        let listener = api::serve::TlsListener::bind(address, fleet.clone()).await;
        let listener = remote.insert(listener.with_context(|| format!("listen on {address}"))?);
        doors.push(("api", listener.doors()));
    }
    let api = Api {
        search,
        turns,
        store,
        fanout,
        ledger,
        fleet,
        journal,
        agencies,
        rules,
        groups: settings.alerts.clone(),
        packets,
        problems,
        scans,
        poisoned,
        reloader,
        sets,
        evidence,
        sources,
        saved,
        tail,
        rooms: rooms.clone(),
        doors,
    };
    let mut servers = vec![serve(socket, api::local_router(api.clone()))];
    servers.extend(remote.map(|listener| serve(listener, api::router(api.clone()))));
    if let Some(address) = settings.api.metrics {
        match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => servers.push(serve(listener, api::metrics_router(api.clone()))),
            Err(error) => api.problems.raise("metrics", format!("listen on {address}: {error}")),
        }
    }
    tracing::info!(socket = %socket_path.display(), intake = %intake.address(), "the collector is ready");
    servers.extend([tidying, scheduling, tokio::spawn(rooms.run())]);
    Ok(Running { api, intake, pipeline, servers, socket: socket_path })
}

/// Removes evidence that has outlived its time, also when nobody asks for any.
async fn tidy(evidence: crate::evidence::Store) {
    loop {
        tokio::time::sleep(TIDY_EVERY).await;
        let evidence = evidence.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || evidence.tidy()).await {
            tracing::error!(%error, "tidy the evidence");
        }
    }
}

/// Runs until a signal says stop.
pub async fn run(settings: Settings, data: &Path) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let running = start(settings, data).await?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => running.reload_rules(),
        }
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

impl Running {
    /// Loads the rules anew, aside. What comes of it is in the log and in the health.
    fn reload_rules(&self) {
        let reloader = self.api.reloader.clone();
        tokio::task::spawn_blocking(move || match reloader.reload() {
            Ok(_) => {}
            Err(error) => tracing::error!(error = format!("{error:#}"), "the rules were not changed"),
        });
    }

    /// Ends in the order of the data: no new batches, then what is queued is finished, then the API goes.
    pub async fn stop(self) {
        let Running { intake, pipeline, servers, socket, .. } = self;
        drop(intake);
        // Ending the pipeline waits for its threads.
        let _ = tokio::task::spawn_blocking(move || drop(pipeline)).await;
        servers.iter().for_each(tokio::task::JoinHandle::abort);
        let _ = std::fs::remove_file(socket);
    }
}

fn serve<L>(listener: L, router: axum::Router) -> tokio::task::JoinHandle<()>
where
    L: axum::serve::Listener,
    L::Addr: std::fmt::Debug,
{
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "serve the API");
        }
    })
}

/// Loads the rules, or none when their folder cannot be read: events are indexed all the same, and the problem is shown.
fn load_rules(paths: &[PathBuf], problems: &Problems) -> Engine {
    if paths.is_empty() {
        tracing::warn!("no rules are configured and none stand in the usual places; nothing will be detected");
    }
    match luytre_rules_engine::load(paths) {
        Ok(engine) => {
            let rules = engine.rules();
            tracing::info!(rules = rules.rules().len(), broken = rules.broken().len(), "loaded the rules");
            rules.broken().iter().take(20).for_each(|broken| tracing::warn!(%broken, "left a broken rule out"));
            problems.clear("rules");
            engine
        }
        Err(error) => {
            problems.raise(
                "rules",
                format!("{error}; nothing is detected until this is mended and the collector restarted"),
            );
            Engine::empty()
        }
    }
}

/// What is needed to make the stage of detection anew.
struct MakeParts {
    settings: Settings,
    data: PathBuf,
    rules: RulesInForce,
    fanout: Fanout,
    ledger: Ledger,
    files: Files,
    problems: Problems,
    runtime: tokio::runtime::Handle,
    counts: Arc<ScanCounts>,
    room: Room,
}

/// Loads the rules anew and hands them to the running pipeline; cheap to clone.
#[derive(Clone)]
pub struct Reloader {
    made: Arc<MakeParts>,
    changes: RuleChanges,
}

impl Reloader {
    /// Loads the rules; blocks the thread. The receiver hears when they are in force. When nothing loads, the rules before
    /// stay in force, and the error says why.
    pub fn reload(&self) -> anyhow::Result<tokio::sync::oneshot::Receiver<()>> {
        let changed = self.load();
        match &changed {
            Ok(_) => self.made.problems.clear("rules"),
            Err(error) => self.made.problems.raise("rules", format!("{error:#}; the rules before stay in force")),
        }
        changed
    }

    fn load(&self) -> anyhow::Result<tokio::sync::oneshot::Receiver<()>> {
        let engine = luytre_rules_engine::load(&self.made.settings.rules(&self.made.data))?;
        let rules = engine.rules().clone();
        let broken = rules.broken().len();
        if rules.rules().is_empty() && !self.made.rules.get().rules().is_empty() {
            match rules.broken().first() {
                Some(first) => anyhow::bail!("none of the rules can be loaded, {broken} are broken: {first}"),
                None => anyhow::bail!("there are no rules any more in the configured places"),
            }
        }
        let scans = self.made.scans(&engine)?;
        let (tell, taken) = tokio::sync::oneshot::channel();
        let in_force = self.made.rules.clone();
        tracing::info!(rules = rules.rules().len(), broken, "loaded the rules anew");
        rules.broken().iter().take(20).for_each(|broken| tracing::warn!(%broken, "left a broken rule out"));
        let taken_up = Box::new(move || {
            in_force.set(rules);
            // Whoever asked may have gone.
            let _ = tell.send(());
        });
        self.changes.put(RuleChange { engine, scans, taken: taken_up });
        Ok(taken)
    }
}

impl MakeParts {
    /// The first call uses the engine that is loaded already; later ones, after a failure, load it again.
    fn detection(self: Arc<Self>, engine: Engine) -> MakeDetection {
        let mut loaded = Some(engine);
        Box::new(move || {
            let paths = self.settings.rules(&self.data);
            let engine = loaded.take().unwrap_or_else(|| load_rules(&paths, &self.problems));
            self.rules.set(engine.rules().clone());
            let parts = DetectionParts {
                scans: self.scans(&engine)?,
                engine,
                fanout: self.fanout.clone(),
                ledger: self.ledger.clone(),
                groups: self.settings.alerts.clone(),
                dir: self.data.join("detect"),
            };
            Detection::open(parts).context("open detection")
        })
    }

    fn scans(&self, engine: &Engine) -> anyhow::Result<Option<FileScans>> {
        let sources = engine.rules().yara_sources();
        if sources.is_empty() {
            return Ok(None);
        }
        let scans = FileScans::start(FileParts {
            dir: self.data.join("files"),
            settings: self.settings.files.clone(),
            files: self.files.clone(),
            runtime: self.runtime.clone(),
            sources,
            rules: engine.rules().digest().to_owned(),
            broken: self.rules.broken_sources.clone(),
            counts: self.counts.clone(),
            problems: self.problems.clone(),
            room: self.room.clone(),
        });
        Ok(Some(scans.context("open the carved files")?))
    }
}
