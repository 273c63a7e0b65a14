//! The intake: sensors connect here by mutual TLS, enrol, and hand over their batches.
//!
//! (Signatures first; the body follows.)

use std::net::SocketAddr;

use serde::Deserialize;

use crate::fleet::Fleet;
use crate::health::Problems;
use crate::journal::Journal;
use crate::ledger::Ledger;

/// Where and how sensors are received.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeSettings {
    /// Address and port to listen on (default `0.0.0.0:7443`).
    pub listen: SocketAddr,
    /// A sensor that has said nothing for this long is let go of, in seconds (default 60).
    pub silence_s: u64,
    /// The most connections at a time (default 1,024).
    pub connections: usize,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        IntakeSettings { listen: SocketAddr::from(([0, 0, 0, 0], 7443)), silence_s: 60, connections: 1024 }
    }
}

/// The running intake. Dropping it stops listening and ends the connections; what is not acknowledged comes again.
pub struct Intake {}

/// Why a carved file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The sensor is not connected now: ask again later.
    #[error("sensor {0} is not connected")]
    Absent(String),
    /// The sensor no longer has the file.
    #[error("sensor {0} no longer has the file")]
    Gone(String),
    /// No answer in time.
    #[error("sensor {0} did not send the file in time")]
    Late(String),
}

impl Intake {
    /// Starts to listen (on the running tokio runtime).
    pub async fn start(
        _settings: IntakeSettings,
        _journal: Journal,
        _fleet: Fleet,
        _ledger: Ledger,
        _problems: Problems,
    ) -> std::io::Result<Intake> {
        Ok(Intake {})
    }

    /// The address it listens on (for port 0).
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([0, 0, 0, 0], 0))
    }

    /// A handle that asks sensors for carved files; cheap to clone.
    pub fn files(&self) -> Files {
        Files {}
    }
}

/// Asks sensors for carved files.
#[derive(Clone)]
pub struct Files {}

impl Files {
    /// The content of a file that the sensor announced, verified against its digest. At most 10 MiB.
    pub async fn fetch(&self, _sensor: &str, _sha256: [u8; 32]) -> Result<Vec<u8>, FileError> {
        Err(FileError::Absent(String::new()))
    }
}
