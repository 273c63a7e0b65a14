//! The running collector: opens every part in the order of the data, serves the API, stops on a signal.
//!
//! Comes in: settings and a data directory. Goes out: a program that runs until it is told to stop (SIGINT, SIGTERM) and
//! then ends in the order of the data, so that what is queued is finished. Whatever is killed in between is recovered by
//! the part that owns it at the next start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use luytre_rules_engine::Engine;
use tokio::signal::unix::{SignalKind, signal};

use crate::api::{self, Api, RulesInForce};
use crate::detect::files::{FileParts, FileScans, ScanCounts};
use crate::detect::{Detection, DetectionParts};
use crate::enrich::{Enricher, SharedAgencies};
use crate::fanout::Fanout;
use crate::fleet::Fleet;
use crate::health::Problems;
use crate::index::{Store, Writer};
use crate::intake::{Files, Intake};
use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::pipeline::{MakeDetection, Pipeline, PipelineParts};
use crate::search::Search;
use crate::settings::Settings;

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
    let agencies = SharedAgencies::default();
    let enricher = Enricher::new(settings.agencies(data), agencies.clone(), problems.clone());
    let engine = load_rules(&settings.rules(data), &problems);
    let rules = RulesInForce::new(engine.rules().clone());
    let (detect_counter, index_counter) = (ledger.stage("detect"), ledger.stage("index"));
    // The ledger counts from what the index has now.
    journal.indexed(Writer::live(store.clone(), settings.index.memory_mb).resume_from());
    let checked = store.clone();
    std::thread::Builder::new().name("verify".to_owned()).spawn(move || checked.verify())?;
    let intake =
        Intake::start(settings.intake.clone(), journal.clone(), fleet.clone(), ledger.clone(), problems.clone())
            .await
            .with_context(|| format!("receive sensors on {}", settings.intake.listen))?;
    let made = MakeParts {
        settings: settings.clone(),
        data: data.to_owned(),
        rules: rules.clone(),
        fanout: fanout.clone(),
        ledger: ledger.clone(),
        files: intake.files(),
        problems: problems.clone(),
        runtime: tokio::runtime::Handle::current(),
        counts: Arc::default(),
    };
    let pipeline = Pipeline::start(PipelineParts {
        journal: journal.clone(),
        catalogues: fleet.catalogues(),
        enricher,
        detection: made.detection(engine),
        detection_dir: data.join("detect"),
        store: store.clone(),
        index: settings.index.clone(),
        detect_counter,
        index_counter,
        problems: problems.clone(),
    })?;
    let search = Search::new(store.clone(), settings.search.clone());
    let turns = Arc::new(tokio::sync::Semaphore::new(search.at_a_time()));
    let packets = intake.packets();
    let api = Api { search, turns, store, fanout, ledger, fleet, journal, agencies, rules, packets, problems };
    let mut servers = vec![serve(socket, api::router(api.clone()))];
    if let Some(address) = settings.api.listen {
        let listener = api::serve::TlsListener::bind(address, api.fleet.api_tls()?).await;
        servers.push(serve(listener.with_context(|| format!("listen on {address}"))?, api::router(api.clone())));
    }
    if let Some(address) = settings.api.metrics {
        match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => servers.push(serve(listener, api::metrics_router(api.clone()))),
            Err(error) => api.problems.raise("metrics", format!("listen on {address}: {error}")),
        }
    }
    tracing::info!(socket = %socket_path.display(), intake = %intake.address(), "the collector is ready");
    Ok(Running { api, intake, pipeline, servers, socket: socket_path })
}

/// Runs until a signal says stop.
pub async fn run(settings: Settings, data: &Path) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = start(settings, data).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

impl Running {
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
}

impl MakeParts {
    /// The first call uses the engine that is loaded already; later ones, after a failure, load it again.
    fn detection(self, engine: Engine) -> MakeDetection {
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
        });
        Ok(Some(scans.context("open the carved files")?))
    }
}
