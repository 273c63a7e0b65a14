//! The fleet: the authority that sensors and collector trust, one-time tokens, and who is enrolled.
//!
//! (Signatures first; the body follows.)

use std::path::Path;
use std::sync::Arc;

use luytre_collector_api::{SensorState, Token};
use luytre_events::wire::Translation;
use serde::Deserialize;

/// What the collector is called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FleetSettings {
    /// Further host names and addresses for the collector's certificate; loopback is always in it. Sensors do not need
    /// them: they know the collector by its authority.
    pub names: Vec<String>,
}

/// Why something about the fleet could not be done. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No such sensor.
    #[error("no sensor is called {0}; `luytre-collector sensors` lists them")]
    Unknown(String),
    /// A name that cannot be used.
    #[error("{0:?} is not a sensor's name: use 1 to 64 letters, digits, `-`, `_` and `.`")]
    BadName(String),
    /// The name is in use.
    #[error("a sensor called {0} is enrolled already; revoke it first, or choose another name")]
    Taken(String),
    /// The disk or the authority failed.
    #[error("{what}")]
    Failed {
        /// What was attempted.
        what: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A sensor as the fleet knows it.
#[derive(Debug, Clone)]
pub struct FleetSensor {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: SensorState,
    /// The program's version, once it has connected.
    pub program: Option<String>,
    /// When it was enrolled, nanoseconds since 1970-01-01 UTC.
    pub enrolled_ns: i64,
    /// When it was last heard.
    pub last_seen_ns: Option<i64>,
    /// Its clock minus ours.
    pub clock_skew_ms: Option<i64>,
}

/// The fleet; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Fleet {}

/// Catalogues of all sensors ever heard, by digest; cheap to clone.
#[derive(Clone)]
pub struct Catalogues {}

impl Fleet {
    /// Opens or creates the fleet in `dir` (authority, certificate, tokens, sensors, catalogues). Programs may have the
    /// same folder open at the same time: `luytre-collector token create` works with and without a running collector.
    pub fn open(_dir: &Path, _settings: &FleetSettings) -> Result<Fleet, FleetError> {
        Ok(Fleet {})
    }

    /// A new one-time token for a sensor to be called `name`; it lapses after 24 hours.
    pub fn create_token(&self, _name: &str) -> Result<Token, FleetError> {
        Err(FleetError::BadName(String::new()))
    }

    /// All sensors, by name.
    pub fn sensors(&self) -> Vec<FleetSensor> {
        Vec::new()
    }

    /// No longer accepts the sensor's certificate and ends its connection.
    pub fn revoke(&self, _name: &str) -> Result<FleetSensor, FleetError> {
        Err(FleetError::BadName(String::new()))
    }

    /// The catalogues, for readers of the journal.
    pub fn catalogues(&self) -> Catalogues {
        Catalogues {}
    }
}

impl Catalogues {
    /// How to read batches of the catalogue with this digest, if it was ever heard.
    pub fn translation(&self, _digest: &[u8; 32]) -> Option<Arc<Translation>> {
        None
    }
}
