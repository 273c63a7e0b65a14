//! Sources: programs and devices that send lines of their own, as events beside those of sensors.
//!
//! Comes in: syslog by UDP, TCP and TLS (RFC 5426, 6587, 5425: octets counted or a line each), with JSON of Suricata and Zeek
//! behind it or alone; JSON by HTTPS ([`https`]). Goes out: events in the journal under the name `source:NAME`, enriched,
//! looked at by rules and indexed like sensors' events. On overload TCP, TLS and HTTPS senders wait; UDP drops and counts.
//! What was taken, given on and dropped is told for each source ([`Sources::list`]) and stands in the ledger. After a
//! restart a source goes on behind its last durable number; lines that were not durable are lost, as syslog has no
//! acknowledgement; senders by HTTPS are told when theirs are. A source that falls silent is an alert.

mod counts;
mod https;
mod listen;
mod pace;
mod repeats;
mod shapes;
pub mod silence;
pub mod syslog;
mod tokens;
mod writer;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use luytre_collector_api::SourceLine;
use luytre_events::Catalogue;
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc};

use self::counts::Counts;
use self::pace::Pace;
use self::repeats::Repeats;
pub use self::tokens::{OLD_HOURS, Tokens};
use self::writer::{Arrival, Writer};
use crate::clock::now_ns;
use crate::fanout::Fanout;
use crate::fleet::Fleet;
use crate::health::Problems;
use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::places::{Limits, Places};
use crate::room::Room;

/// Lines that wait for the journal, of one source.
const QUEUE_LINES: usize = 10_000;
/// Parcels that wait for the journal, of one source.
const QUEUE_PARCELS: usize = 8;
/// Connections of one source.
const CONNECTIONS_MAX: usize = 256;
/// A connection that said something within this time keeps its place when others want one.
const QUIET_MIN: Duration = Duration::from_secs(10);
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
    /// Connections of one address, at most; 256 of all.
    #[serde(default = "some_connections")]
    pub connections_per_address: usize,
    /// Lines a second, at most; 0 means that there is no limit.
    #[serde(default = "many_lines")]
    pub lines_per_s: u32,
}

fn an_hour() -> u64 {
    3600
}

fn some_connections() -> usize {
    32
}

fn many_lines() -> u32 {
    20_000
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
    /// Requests under TLS, each with the source's token.
    Https,
}

/// A line as it came, and when.
type Line = (Vec<u8>, i64);

/// What the door of a source works with; cheap to clone.
#[derive(Clone)]
struct Door {
    arrivals: mpsc::Sender<Arrival>,
    counts: Arc<Counts>,
    places: Places<IpAddr>,
    pace: Arc<Pace>,
    tokens: Arc<Tokens>,
    repeats: Repeats,
    /// A request of this source may always be read, whatever others send.
    own_body: Arc<Semaphore>,
}

/// One running source.
struct Source {
    settings: SourceSettings,
    counts: Arc<Counts>,
    tokens: Arc<Tokens>,
}

/// The running sources; cheap to clone.
#[derive(Clone, Default)]
pub struct Sources(Arc<Vec<Source>>);

/// What sources work with.
#[derive(Clone)]
pub struct SourceParts {
    /// Where events become durable.
    pub journal: Journal,
    /// Certificates.
    pub fleet: Fleet,
    /// Where alerts of silence go.
    pub fanout: Fanout,
    /// Where counts are told.
    pub ledger: Ledger,
    /// Where trouble is told.
    pub problems: Problems,
    /// Where tokens are kept.
    pub dir: PathBuf,
    /// Whether there is room.
    pub room: Room,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No such source.
    #[error(
        "no source {0} takes lines by HTTPS: write [[source]] with name = \"{0}\" and transport = \"https\" into the \
         configuration and restart the collector"
    )]
    Unknown(String),
    /// It could not be kept.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

impl Sources {
    /// Listens for every source; the tasks end with the runtime.
    pub async fn start(settings: &[SourceSettings], parts: &SourceParts) -> anyhow::Result<Sources> {
        let digest = Catalogue::current().digest();
        let learned = parts.fleet.catalogues().learn(&digest, &Catalogue::current().to_json());
        anyhow::ensure!(settings.is_empty() || learned.is_ok(), "keep the catalogue of sources: {learned:?}");
        let mut all: Vec<Source> = Vec::new();
        for source in settings {
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let name = &source.name;
            anyhow::ensure!(
                (1..=64).contains(&name.len()) && name.chars().all(is_plain),
                "the source {name:?} needs a name of small letters, digits and -"
            );
            anyhow::ensure!(all.iter().all(|known| known.settings.name != *name), "two sources are called {name}");
            let counts: Arc<Counts> = Arc::default();
            counts.hear();
            let tokens = Arc::new(Tokens::open(&parts.dir, name).in_room(&parts.room));
            let room = if source.transport == Transport::Https { QUEUE_PARCELS } else { QUEUE_LINES };
            let (arrivals, waiting) = mpsc::channel(room);
            let door = Door {
                arrivals,
                counts: counts.clone(),
                places: Places::new(Limits {
                    per_peer: source.connections_per_address.max(1),
                    most: CONNECTIONS_MAX,
                    quiet_min: QUIET_MIN,
                }),
                pace: Arc::new(Pace::new(source.lines_per_s, Instant::now())),
                tokens: tokens.clone(),
                repeats: Repeats::default(),
                own_body: Arc::new(Semaphore::new(1)),
            };
            let started = listen::start(source, door, &parts.fleet).await;
            started.with_context(|| format!("listen on {} for the source {name}", source.listen))?;
            tokio::spawn(Writer::new(name, digest, counts.clone(), parts).run(waiting));
            tokio::spawn(silence::watch(source.clone(), counts.clone(), parts.fanout.clone(), parts.problems.clone()));
            tokio::spawn(counts::report(name.clone(), counts.clone(), parts.journal.clone(), parts.ledger.clone()));
            all.push(Source { settings: source.clone(), counts, tokens });
        }
        Ok(Sources(Arc::new(all)))
    }

    /// Every source with its counts.
    pub fn list(&self) -> Vec<SourceLine> {
        let line = |source: &Source| {
            let told = source.counts.told();
            let heard_ns = source.counts.heard_ns.load(Ordering::Relaxed);
            SourceLine {
                name: format!("{PREFIX}{}", source.settings.name),
                heard: (told.taken > 0).then(|| luytre_events::json::time_text(heard_ns)),
                silent: silence::is_silent(&source.settings, heard_ns, now_ns()),
                taken: told.taken,
                given: told.given,
                held: told.held,
                dropped: told.dropped,
                connections: source.counts.connections.load(Ordering::Relaxed),
                refused: source.counts.refused(),
            }
        };
        self.0.iter().map(line).collect()
    }

    /// Makes a token for a source that takes lines by HTTPS.
    pub fn create_token(&self, name: &str) -> Result<String, TokenError> {
        let token = self.tokens(name)?.create(now_ns()).map_err(TokenError::Failed)?;
        tracing::info!(source = name, "a token for a source was made");
        Ok(token)
    }

    /// Ends all tokens of a source.
    pub fn revoke_token(&self, name: &str) -> Result<(), TokenError> {
        self.tokens(name)?.revoke().map_err(|error| TokenError::Failed(error.into()))?;
        tracing::info!(source = name, "the tokens of a source were revoked");
        Ok(())
    }

    fn tokens(&self, name: &str) -> Result<&Tokens, TokenError> {
        let source = self.0.iter().find(|source| source.settings.name == name);
        let source = source.filter(|source| source.settings.transport == Transport::Https);
        source.map(|source| &*source.tokens).ok_or_else(|| TokenError::Unknown(name.to_owned()))
    }
}
