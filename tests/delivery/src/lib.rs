//! A collector's receiving side, a sensor's sending side and a bad line between them, all in one process over real TLS.
//!
//! Each side has a runtime of its own, so that dropping it ends everything that the side was doing at that moment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use luytre_collector::fleet::{Fleet, FleetSettings};
use luytre_collector::health::Problems;
use luytre_collector::intake::{Answer, Files, Intake, IntakeSettings, Next, Packets, PacketsError};
use luytre_collector::journal::{Journal, JournalSettings, Position};
use luytre_collector::ledger::{Ledger, LedgerSettings};
use luytre_events::ledger::{Snapshot, Stage, StageCounts, Unit};
use luytre_events::wire::PacketsWish;
use luytre_events::{DatasetId, Event, EventId};
use luytre_sensor::packets::{Extraction, FOLDER, Query, StoreKey};
use luytre_sensor::spool::{Spool, SpoolLimits, SpoolWriter};
use luytre_sensor::uplink::{self, Source, UplinkSettings};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(120);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// Waits until `done`; a test that waits in vain fails here.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The receiving side of a collector.
pub struct Collector {
    /// Who may speak.
    pub fleet: Fleet,
    /// What was received.
    pub journal: Journal,
    /// What was counted.
    pub ledger: Ledger,
    /// Asks for files.
    pub files: Files,
    /// Asks for packets.
    pub packets: Packets,
    /// Where it listens.
    pub address: SocketAddr,
    runtime: Runtime,
    _intake: Intake,
}

impl Collector {
    /// Starts on a data folder.
    pub fn start(data: &Path) -> Collector {
        let runtime = runtime();
        let problems = Problems::default();
        // Small segments, so that some begin while the test runs.
        let settings = JournalSettings { segment_bytes: 100_000, ..JournalSettings::default() };
        let journal = Journal::open(&data.join("journal"), settings, problems.clone()).expect("the journal opens");
        let fleet = Fleet::open(&data.join("fleet"), &FleetSettings::default()).expect("the fleet opens");
        let ledger = Ledger::open(&data.join("ledger"), LedgerSettings::default()).expect("the ledger opens");
        let settings =
            IntakeSettings { listen: ([127, 0, 0, 1], 0).into(), silence_s: 20, ..IntakeSettings::default() };
        let started = Intake::start(settings, journal.clone(), fleet.clone(), ledger.clone(), problems);
        let intake = runtime.block_on(started).expect("the intake starts");
        let (files, packets, address) = (intake.files(), intake.packets(), intake.address());
        Collector { fleet, journal, ledger, files, packets, address, runtime, _intake: intake }
    }

    /// Ends at once, whatever it is doing.
    pub fn kill(self) {
        drop(self);
    }

    /// A token for a new sensor.
    pub fn token(&self, name: &str) -> String {
        self.fleet.create_token(name).expect("a token").token
    }

    /// Asks a sensor for a file.
    pub fn fetch(&self, sensor: &str, sha256: [u8; 32]) -> Result<Vec<u8>, String> {
        self.runtime.block_on(self.files.fetch(sensor, sha256)).map_err(|error| error.to_string())
    }

    /// Asks a sensor for packets.
    pub fn ask(&self, sensor: &str, wish: PacketsWish) -> Result<Answer, PacketsError> {
        self.runtime.block_on(self.packets.ask(sensor, wish))
    }

    /// The next part of an answer.
    pub fn next(&self, answer: &mut Answer) -> Result<Next, PacketsError> {
        self.runtime.block_on(answer.next())
    }

    /// Sequence number and mark of every event in the journal, by sensor; each number once.
    pub fn events(&self) -> BTreeMap<(String, u64), i64> {
        let mut reader = self.journal.reader(Position::default(), self.fleet.catalogues());
        let mut found = BTreeMap::new();
        while let Some(read) = reader.next().expect("the journal can be read") {
            for event in read.events {
                let before = found.insert((event.id.sensor.to_string(), event.id.sequence), event.time_ns);
                assert_eq!(before, None, "event {} is in the journal twice", event.id);
            }
        }
        found
    }
}

/// The sending side of a sensor.
pub struct Sensor {
    /// The way into the spool.
    pub spool: SpoolWriter,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

/// What the sensor counts and keeps.
struct Counts {
    spool: SpoolWriter,
    since_ns: i64,
    files: PathBuf,
    data: PathBuf,
}

fn now_ns() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}

impl Source for Counts {
    fn snapshot(&self) -> Snapshot {
        let spool = self.spool.stages();
        // Here the parsers give exactly what the spool takes.
        let given = spool.spool.counts.taken;
        let counts = StageCounts { taken: given, given, ..StageCounts::default() };
        let protocols = Stage { name: "protocols".into(), unit: Unit::Events, counts };
        Snapshot {
            time_ns: now_ns(),
            since_ns: self.since_ns,
            stages: vec![spool.backlog, packets(), protocols, spool.spool],
        }
    }

    fn file(&self, sha256: &[u8; 32]) -> Option<Vec<u8>> {
        let name: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::read(self.files.join(name)).ok()
    }

    fn packets(&self, wish: &PacketsWish) -> Result<Extraction, String> {
        let PacketsWish { flow, from_ns, to_ns, limit_bytes } = *wish;
        let query = Query { flow: Some(flow), from_ns, to_ns, limit_bytes };
        let key = StoreKey::load(&self.data).map_err(|error| format!("{error:#}"))?;
        Extraction::start(&self.data.join(FOLDER), &key, query).map_err(|error| error.to_string())
    }
}

/// Stands between the two chains of events, as it does in a real sensor.
fn packets() -> Stage {
    Stage { name: "flow".into(), unit: Unit::Packets, counts: StageCounts::default() }
}

impl Sensor {
    /// Enrols a data folder.
    pub fn enroll(collector: SocketAddr, token: &str, data: &Path) -> anyhow::Result<String> {
        runtime().block_on(uplink::enroll(&collector.to_string(), token, data))
    }

    /// Starts on a data folder; `collector` is where it connects.
    pub fn start(data: &Path, collector: SocketAddr) -> Sensor {
        Sensor::start_with(data, collector, UplinkSettings::default())
    }

    /// The same with settings of its own.
    pub fn start_with(data: &Path, collector: SocketAddr, settings: UplinkSettings) -> Sensor {
        let runtime = runtime();
        let (spool, reader) = Spool::open(&data.join("spool"), SpoolLimits::default()).expect("the spool opens");
        let source =
            Arc::new(Counts { spool: spool.clone(), since_ns: now_ns(), files: data.join("files"), data: data.into() });
        let settings = UplinkSettings { collector: collector.to_string(), window: 4, ledger_s: 1, ..settings };
        let (stop, stopped) = watch::channel(false);
        let data = data.to_owned();
        let task = runtime.spawn(async move { uplink::run(settings, &data, reader, source, stopped).await });
        Sensor { spool, runtime, stop, task }
    }

    /// Pushes events with these marks.
    pub fn push(&self, marks: std::ops::Range<i64>) {
        let event = |mark| Event {
            id: EventId { sensor: "".into(), sequence: 0 },
            time_ns: mark,
            dataset: DatasetId(0),
            flow: None,
            fields: Vec::new(),
        };
        self.spool.push_waiting(marks.map(event).collect());
    }

    /// Ends the connection and everything else at once; what was pushed is durable.
    pub fn kill(self) {
        self.spool.flush();
        drop(self);
    }

    /// A planned exit.
    pub fn stop(self) -> anyhow::Result<()> {
        self.spool.flush();
        self.stop.send_replace(true);
        self.runtime.block_on(self.task)?
    }
}

/// A bad line: passes bytes on, but breaks each of the first connections after so many.
pub struct Line {
    /// Where to connect.
    pub address: SocketAddr,
    /// How many connections there were.
    pub connections: Arc<AtomicU64>,
    target: watch::Sender<SocketAddr>,
    _runtime: Runtime,
}

impl Line {
    /// A line to `target` that breaks the n-th connection after `breaks[n]` bytes from the sensor.
    pub fn to(target: SocketAddr, breaks: &'static [u64]) -> Line {
        let runtime = runtime();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (target, targets) = watch::channel(target);
        let connections = Arc::new(AtomicU64::new(0));
        let count = connections.clone();
        runtime.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::Relaxed);
                let limit = usize::try_from(number).ok().and_then(|n| breaks.get(n)).copied().unwrap_or(u64::MAX);
                let target = *targets.borrow();
                tokio::spawn(async move {
                    if let Ok(far) = TcpStream::connect(target).await {
                        pass_on(near, far, limit).await;
                    }
                });
            }
        });
        Line { address, connections, target, _runtime: runtime }
    }

    /// From now on leads elsewhere.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }
}

async fn pass_on(mut near: TcpStream, mut far: TcpStream, limit: u64) {
    let (mut near_read, mut near_write) = near.split();
    let (mut far_read, mut far_write) = far.split();
    let mut upward = tokio::io::AsyncReadExt::take(&mut near_read, limit);
    tokio::select! {
        _ = tokio::io::copy(&mut upward, &mut far_write) => {}
        _ = tokio::io::copy(&mut far_read, &mut near_write) => {}
    }
    // Whoever is left finds out by itself.
    let _ = far_write.shutdown().await;
}
