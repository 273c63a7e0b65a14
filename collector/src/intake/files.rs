//! Asking a connected sensor for a carved file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// How long a sensor may take to send a file.
const FILE_PATIENCE: Duration = Duration::from_secs(30);
/// The most wishes that wait for one sensor.
const WISHES: usize = 64;

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

/// A wish for a file; the answer is its content, or nothing where the sensor no longer has it.
pub(crate) struct Wish {
    /// The file.
    pub sha256: [u8; 32],
    /// Where it goes.
    pub answer: oneshot::Sender<Option<Vec<u8>>>,
}

/// Asks sensors for carved files; cheap to clone.
#[derive(Clone, Default)]
pub struct Files(Arc<Mutex<HashMap<Arc<str>, mpsc::Sender<Wish>>>>);

impl Files {
    fn sensors(&self) -> MutexGuard<'_, HashMap<Arc<str>, mpsc::Sender<Wish>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a connection hears wishes; replaces that of an older connection.
    pub(crate) fn listen(&self, sensor: &Arc<str>) -> mpsc::Receiver<Wish> {
        let (sender, receiver) = mpsc::channel(WISHES);
        self.sensors().insert(sensor.clone(), sender);
        receiver
    }

    /// Forgets connections that are gone.
    pub(super) fn tidy(&self) {
        self.sensors().retain(|_, sender| !sender.is_closed());
    }

    /// The content of a file that the sensor announced, verified against its digest. At most 10 MiB.
    pub async fn fetch(&self, sensor: &str, sha256: [u8; 32]) -> Result<Vec<u8>, FileError> {
        let absent = || FileError::Absent(sensor.to_owned());
        let wishes = self.sensors().get(sensor).cloned().ok_or_else(absent)?;
        let (answer, content) = oneshot::channel();
        let asked = async {
            wishes.send(Wish { sha256, answer }).await.map_err(|_| absent())?;
            content.await.map_err(|_| absent())?.ok_or_else(|| FileError::Gone(sensor.to_owned()))
        };
        match tokio::time::timeout(FILE_PATIENCE, asked).await {
            Ok(result) => result,
            Err(_) => Err(FileError::Late(sensor.to_owned())),
        }
    }
}
