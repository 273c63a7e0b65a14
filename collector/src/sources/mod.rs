//! Sources: programs and devices that send lines of their own, as events beside those of sensors.
//!
//! Comes in: syslog by UDP, TCP and TLS (RFC 5426, 6587, 5425: octets counted or a line each), with JSON of Suricata and Zeek
//! behind it or alone. Goes out: events in the journal under the name `source:NAME`, enriched, looked at by rules and indexed
//! like sensors' events. On overload TCP and TLS senders wait; UDP drops and counts. What was taken, given on and dropped is
//! told for each source ([`Sources::list`]). After a restart a source goes on behind its last durable number; lines that
//! were not durable are lost, as syslog has no acknowledgement. A source that falls silent is an alert.

mod listen;
pub mod silence;
pub mod syslog;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use luytre_collector_api::SourceLine;
use luytre_events::text::read_event;
use luytre_events::wire::Batch;
use luytre_events::{Catalogue, Event, EventId};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::clock::now_ns;
use crate::fanout::Fanout;
use crate::fleet::Fleet;
use crate::health::Problems;
use crate::journal::{Incoming, Journal};

/// Lines that wait for the journal, of one source.
const QUEUE_LINES: usize = 10_000;
/// Lines that become durable together.
const BATCH_LINES: usize = 1000;
/// A disk that is full is tried again after this.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// What the names of sources begin with in events.
pub const PREFIX: &str = "source:";

/// `[[source]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// Its name: small letters, digits and `-`.
    pub name: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How.
    pub transport: Transport,
    /// It is silent when nothing came for so many seconds; 0 means that nobody minds.
    #[serde(default = "an_hour")]
    pub silent_after_s: u64,
}

fn an_hour() -> u64 {
    3600
}

/// How lines come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A datagram each.
    Udp,
    /// A stream.
    Tcp,
    /// A stream under TLS, with a certificate of the collector's authority.
    Tls,
}

/// What one source counts.
#[derive(Debug, Default)]
pub struct Counts {
    taken: AtomicU64,
    given: AtomicU64,
    heard_ns: AtomicI64,
    dropped: Mutex<BTreeMap<&'static str, u64>>,
}

impl Counts {
    fn take(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
        self.heard_ns.store(now_ns(), Ordering::Relaxed);
    }

    fn lose(&self, reason: &'static str, lines: u64) {
        *self.dropped.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default() += lines;
    }
}

/// A line as it came, and when.
type Line = (Vec<u8>, i64);

/// The running sources; cheap to clone.
#[derive(Clone, Default)]
pub struct Sources(Arc<Vec<(SourceSettings, Arc<Counts>)>>);

/// What sources work with.
#[derive(Clone)]
pub struct SourceParts {
    /// Where events become durable.
    pub journal: Journal,
    /// Certificates.
    pub fleet: Fleet,
    /// Where alerts of silence go.
    pub fanout: Fanout,
    /// Where trouble is told.
    pub problems: Problems,
}

impl Sources {
    /// Listens for every source; the tasks end with the runtime.
    pub async fn start(settings: &[SourceSettings], parts: &SourceParts) -> anyhow::Result<Sources> {
        let digest = Catalogue::current().digest();
        let learned = parts.fleet.catalogues().learn(&digest, &Catalogue::current().to_json());
        anyhow::ensure!(settings.is_empty() || learned.is_ok(), "keep the catalogue of sources: {learned:?}");
        let mut all: Vec<(SourceSettings, Arc<Counts>)> = Vec::new();
        for source in settings {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let name = &source.name;
            anyhow::ensure!(
                (1..=64).contains(&name.len()) && name.chars().all(is_plain),
                "the source {name:?} needs a name of small letters, digits and -"
            );
            anyhow::ensure!(all.iter().all(|(known, _)| known.name != *name), "two sources are called {name}");
            let counts: Arc<Counts> = Arc::default();
            counts.heard_ns.store(now_ns(), Ordering::Relaxed);
            let (lines, waiting) = mpsc::channel(QUEUE_LINES);
            let started = listen::start(source, lines, counts.clone(), &parts.fleet).await;
            started.with_context(|| format!("listen on {} for the source {name}", source.listen))?;
            let writer = Writer::new(name, digest, counts.clone(), parts);
            tokio::spawn(writer.run(waiting));
            tokio::spawn(silence::watch(source.clone(), counts.clone(), parts.fanout.clone(), parts.problems.clone()));
            all.push((source.clone(), counts));
        }
        Ok(Sources(Arc::new(all)))
    }

    /// Every source with its counts.
    pub fn list(&self) -> Vec<SourceLine> {
        let line = |(source, counts): &(SourceSettings, Arc<Counts>)| {
            let dropped = counts.dropped.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (taken, given) = (counts.taken.load(Ordering::Relaxed), counts.given.load(Ordering::Relaxed));
            let heard_ns = counts.heard_ns.load(Ordering::Relaxed);
            let gone: u64 = dropped.values().sum();
            SourceLine {
                name: format!("{PREFIX}{}", source.name),
                heard: (taken > 0).then(|| luytre_events::json::time_text(heard_ns)),
                silent: silence::is_silent(source, heard_ns, now_ns()),
                taken,
                given,
                held: taken.saturating_sub(given).saturating_sub(gone),
                dropped: dropped.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect(),
            }
        };
        self.0.iter().map(line).collect()
    }
}

/// Makes the lines of one source durable, in their order.
struct Writer {
    sensor: Arc<str>,
    digest: [u8; 32],
    journal: Journal,
    counts: Arc<Counts>,
    problems: Problems,
    next: u64,
    run_first: u64,
}

impl Writer {
    fn new(name: &str, digest: [u8; 32], counts: Arc<Counts>, parts: &SourceParts) -> Writer {
        let sensor: Arc<str> = format!("{PREFIX}{name}").into();
        let next = parts.journal.durable(&sensor) + 1;
        let (journal, problems) = (parts.journal.clone(), parts.problems.clone());
        Writer { sensor, digest, journal, counts, problems, next, run_first: next }
    }

    async fn run(mut self, mut waiting: mpsc::Receiver<Line>) {
        let mut lines = Vec::new();
        while waiting.recv_many(&mut lines, BATCH_LINES).await > 0 {
            let mut events = Vec::with_capacity(lines.len());
            for (line, received_ns) in lines.drain(..) {
                match self.event(&line, received_ns) {
                    Some(event) => events.push(event),
                    None => self.counts.lose("no_event", 1),
                }
            }
            self.write(&events).await;
        }
    }

    fn event(&mut self, line: &[u8], received_ns: i64) -> Option<Event> {
        let id = EventId { sensor: self.sensor.clone(), sequence: self.next };
        let event = read_event(&syslog::event(line, received_ns), id, received_ns).ok()?.event;
        self.next += 1;
        Some(event)
    }

    /// Waits until the events are durable: a full disk holds up the source, not the collector.
    async fn write(&self, events: &[Event]) {
        let problem = self.sensor.to_string();
        loop {
            let batch = match Batch::pack(events) {
                Ok(Some(batch)) => batch,
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(source = problem, %error, "lines of a source could not be packed");
                    return self.counts.lose("not_packable", events.len() as u64);
                }
            };
            let (sensor, digest, run_first) = (self.sensor.clone(), self.digest, self.run_first);
            let incoming = Incoming { sensor, digest, received_ns: now_ns(), run_first, batch };
            match self.journal.append(incoming).await {
                Ok(_) => {
                    self.problems.clear(&problem);
                    self.counts.given.fetch_add(events.len() as u64, Ordering::Relaxed);
                    return;
                }
                Err(error) => {
                    self.problems.raise(&problem, format!("its lines cannot be kept: {error}; trying again"));
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        }
    }
}
