//! The collector's configuration: `collector.toml`. Every key has a default; an unknown one is an error.
//!
//! ```toml
//! agencies = "/etc/luytre/agencies.toml"   # default: agencies.toml in the data directory
//! rules = ["/usr/share/luytre/rules"]      # default: rules in the data directory, /etc/luytre/rules, /usr/share/luytre/rules
//!
//! [api]
//! socket = "/var/lib/luytre/collector/api.sock"   # default: api.sock in the data directory
//! listen = "127.0.0.1:7444"                # mutual TLS; default: not at all
//! metrics = "127.0.0.1:9744"               # default
//!
//! [intake]   # listen = "0.0.0.0:7443", ...
//! [fleet]    # names = [...]
//! [journal]  # segment_bytes, size_bytes, age_days
//! [index]    # keep_days, keep_bytes, memory_mb, commit_ms, commit_events
//! [search]   # timeout_ms, at_a_time, terms
//! [fanout]   # segment_bytes, keep_bytes
//! [alerts]   # window_s, longest_s
//! [files]    # scanner, timeout_ms, keep_bytes
//! [evidence] # keep_days, keep_bytes, packets_mb
//! [ledger]   # age_days
//!
//! [[source]] # name, listen, transport ("udp", "tcp", "tls", "https"), silent_after_s, connections_per_address, lines_per_s
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::detect::files::FileSettings;
use crate::detect::groups::GroupSettings;
use crate::evidence::EvidenceSettings;
use crate::fanout::FanoutSettings;
use crate::fleet::FleetSettings;
use crate::index::IndexSettings;
use crate::intake::IntakeSettings;
use crate::journal::JournalSettings;
use crate::ledger::LedgerSettings;
use crate::search::SearchSettings;
use crate::sources::SourceSettings;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Networks of the agencies.
    pub agencies: Option<PathBuf>,
    /// Files and folders of rules.
    pub rules: Option<Vec<PathBuf>>,
    /// The API.
    pub api: ApiSettings,
    /// The intake.
    pub intake: IntakeSettings,
    /// The fleet.
    pub fleet: FleetSettings,
    /// The journal.
    pub journal: JournalSettings,
    /// The index.
    pub index: IndexSettings,
    /// Searches.
    pub search: SearchSettings,
    /// The fan-out.
    pub fanout: FanoutSettings,
    /// How matches become alerts.
    pub alerts: GroupSettings,
    /// Carved files.
    pub files: FileSettings,
    /// Evidence.
    pub evidence: EvidenceSettings,
    /// The ledger.
    pub ledger: LedgerSettings,
    /// Other programs that send lines.
    pub source: Vec<SourceSettings>,
}

/// Where the API can be reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSettings {
    /// The Unix socket, mode 0600; nothing means `api.sock` in the data directory.
    pub socket: Option<PathBuf>,
    /// Also by mutual TLS on this address.
    pub listen: Option<SocketAddr>,
    /// Metrics for Prometheus, on loopback; nothing turns them off.
    pub metrics: Option<SocketAddr>,
}

impl Default for ApiSettings {
    fn default() -> Self {
        ApiSettings { socket: None, listen: None, metrics: Some(SocketAddr::from(([127, 0, 0, 1], 9744))) }
    }
}

impl Settings {
    /// The socket of the API.
    pub fn socket(&self, data: &Path) -> PathBuf {
        self.api.socket.clone().unwrap_or_else(|| data.join("api.sock"))
    }

    /// The agencies file.
    pub fn agencies(&self, data: &Path) -> PathBuf {
        self.agencies.clone().unwrap_or_else(|| data.join("agencies.toml"))
    }

    /// The rule paths: as configured, or those of the usual places that exist.
    pub fn rules(&self, data: &Path) -> Vec<PathBuf> {
        self.rules.clone().unwrap_or_else(|| {
            let usual = [data.join("rules"), "/etc/luytre/rules".into(), "/usr/share/luytre/rules".into()];
            usual.into_iter().filter(|path| path.exists()).collect()
        })
    }
}
