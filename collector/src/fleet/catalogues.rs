//! Catalogues of all sensors ever heard, by digest: how batches in the journal are read, whatever release wrote them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use luytre_events::Catalogue;
use luytre_events::wire::Translation;

use super::store;
use crate::room::Room;

/// The most catalogues that are kept. One a release is enough; more means that somebody plays.
const CATALOGUES_MAX: usize = 1_000;

/// Catalogues by digest; cheap to clone.
#[derive(Clone)]
pub struct Catalogues {
    folder: Arc<PathBuf>,
    room: Room,
    known: Arc<Mutex<HashMap<[u8; 32], Arc<Translation>>>>,
}

impl Catalogues {
    pub(super) fn new(folder: PathBuf, room: Room) -> Catalogues {
        Catalogues { folder: Arc::new(folder), room, known: Arc::default() }
    }

    /// How to read batches of the catalogue with this digest, if it was ever heard. Our own is always known.
    pub fn translation(&self, digest: &[u8; 32]) -> Option<Arc<Translation>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(translation) = known.get(digest) {
            return Some(translation.clone());
        }
        let stored = std::fs::read_to_string(self.path(digest)).ok().and_then(|text| Catalogue::parse(&text).ok());
        let translation = match stored.filter(|catalogue| catalogue.digest() == *digest) {
            Some(catalogue) => Translation::from(&catalogue),
            None if Catalogue::current().digest() == *digest => Translation::from(Catalogue::current()),
            None => return None,
        };
        let translation = Arc::new(translation);
        known.insert(*digest, translation.clone());
        Some(translation)
    }

    /// Whether batches of this catalogue could still be read by a later release, which knows its own catalogue only.
    pub fn stored(&self, digest: &[u8; 32]) -> bool {
        self.path(digest).exists()
    }

    /// Keeps a catalogue that a sensor sent. The reason of a refusal is for the sensor's operator.
    pub fn learn(&self, digest: &[u8; 32], json: &str) -> Result<(), String> {
        let catalogue = Catalogue::parse(json).map_err(|error| error.to_string())?;
        if catalogue.digest() != *digest {
            return Err("the catalogue is not the one that was announced".into());
        }
        if store::names(&self.folder).len() >= CATALOGUES_MAX {
            return Err(format!("the collector keeps no more than {CATALOGUES_MAX} catalogues"));
        }
        let written = self.room.note(store::replace(&self.path(digest), json.as_bytes()));
        written.map_err(|error| format!("the collector cannot store the catalogue: {error}; its health says more"))
    }

    fn path(&self, digest: &[u8; 32]) -> PathBuf {
        self.folder.join(format!("{}.json", hex::encode(digest)))
    }
}
