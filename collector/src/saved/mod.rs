//! Saved queries: kept with their owner, run at their times, and, where they say so, alerting.
//!
//! Comes in: queries to keep ([`SavedQueries::save`]) and the clock. Goes out: the list of them with what became of their
//! runs, and alerts in the fan-out ([`alert`]). A file each, `queries/ID.json`, replaced whole. Whose query it is the
//! caller says (`by`); a query belongs to who made it, others see it when it is shared and nobody else changes it. Nobody
//! at all (the command line of the collector's own user) may change every one.
//!
//! Limits: [`SAVED_MAX`] queries, [`SCHEDULED_MAX`] of them with a schedule. On restart the runs go on where they were;
//! [`schedule`] says what is made up for and what is told as missed.

mod alert;
mod schedule;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use luytre_collector_api::{SavedQuery, SavedQueryRequest, Schedule};
use luytre_events::Catalogue;
use luytre_events::json::time_text;
use serde::{Deserialize, Serialize};

pub use self::schedule::{SchedulerParts, run};
use crate::clock::now_ns;
use crate::fleet::store;
use crate::room::Room;
use crate::search::parser;

/// Most queries that are kept.
pub const SAVED_MAX: usize = 2000;
/// Most queries that run by themselves.
pub const SCHEDULED_MAX: usize = 200;
/// The longest name or reason, in bytes.
const TEXT_MAX_BYTES: usize = 2000;
/// The longest query, in bytes.
const QUERY_MAX_BYTES: usize = 16_000;
/// Between two runs, in seconds.
const EVERY_S: std::ops::RangeInclusive<u64> = 60..=604_800;
/// The longest window, in seconds.
const WINDOW_MAX_S: u64 = 31 * 86_400;

/// Why a query was not kept, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// There is none of this id, or it is another's.
    #[error("there is no saved query {0}")]
    Unknown(String),
    /// It is another's.
    #[error("only its owner changes a saved query; save a copy under another name")]
    NotYours,
    /// Somebody changed it meanwhile.
    #[error("the query was changed meanwhile (version {0}); load it again")]
    Changed(u64),
    /// Something is wrong with it.
    #[error("{0}")]
    Bad(String),
    /// The query itself cannot be understood.
    #[error(transparent)]
    Query(#[from] crate::search::lexer::QueryError),
    /// It could not be written.
    #[error("keep a query in {}: {reason}; check the room on the disk", folder.display())]
    Disk {
        /// Where they are kept.
        folder: PathBuf,
        /// What the disk said.
        reason: String,
    },
}

/// A query as it is kept: with the alerts that may still grow.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    query: SavedQuery,
    /// The newest alert of each subject, by its key.
    #[serde(default)]
    open: Open,
}

/// Alerts that may still grow: id, and the end of the window that was last in them.
type Open = BTreeMap<String, (String, i64)>;

/// The saved queries; cheap to clone, all clones are one.
#[derive(Debug, Clone)]
pub struct SavedQueries(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    all: Mutex<BTreeMap<String, Kept>>,
    room: Room,
}

impl SavedQueries {
    /// Those in a folder. A file that cannot be read is logged and left where it is.
    pub fn open(folder: &Path) -> std::io::Result<SavedQueries> {
        store::make_folder(folder)?;
        let mut all = BTreeMap::new();
        for name in store::names(folder) {
            let Some(id) = name.strip_suffix(".json") else { continue };
            let read = std::fs::read(folder.join(&name)).map_err(|error| error.to_string());
            match read.and_then(|text| serde_json::from_slice(&text).map_err(|error| error.to_string())) {
                Ok(query) => {
                    all.insert(id.to_owned(), query);
                }
                Err(error) => tracing::error!(file = name, error, "a saved query cannot be read"),
            }
        }
        let (folder, room) = (folder.to_owned(), Room::default());
        Ok(SavedQueries(Arc::new(Inner { folder, all: Mutex::new(all), room })))
    }

    /// The room of their folder.
    pub fn room(&self) -> &Room {
        &self.0.room
    }

    /// Those that somebody may see: shared ones and their own; for nobody in particular all.
    pub fn list(&self, by: Option<&str>) -> Vec<SavedQuery> {
        self.lock().values().map(|kept| &kept.query).filter(|query| may_see(query, by)).cloned().collect()
    }

    /// One of them.
    pub fn get(&self, id: &str, by: Option<&str>) -> Result<SavedQuery, SavedError> {
        let known = self.lock().get(id).map(|kept| kept.query.clone());
        known.filter(|query| may_see(query, by)).ok_or_else(|| SavedError::Unknown(id.to_owned()))
    }

    /// Keeps a new query.
    pub fn create(&self, wished: SavedQueryRequest) -> Result<SavedQuery, SavedError> {
        check(&wished)?;
        let mut secret = [0; 8];
        getrandom::fill(&mut secret).map_err(|error| self.disk(error))?;
        let mut all = self.lock();
        if all.len() >= SAVED_MAX {
            return Err(SavedError::Bad(format!("{SAVED_MAX} queries are kept already; remove some first")));
        }
        self.may_schedule(&all, &wished, None)?;
        let now = time_text(now_ns());
        let query = SavedQuery {
            id: hex::encode(secret),
            version: 0,
            owner: wished.by.clone(),
            made: now.clone(),
            changed: now,
            changed_by: None,
            name_vi: String::new(),
            name: String::new(),
            query: String::new(),
            shared: false,
            schedule: None,
            runs: Default::default(),
        };
        self.put(&mut all, Kept { query: changed(query, wished), open: Open::new() })
    }

    /// Changes one.
    pub fn save(&self, id: &str, wished: SavedQueryRequest) -> Result<SavedQuery, SavedError> {
        check(&wished)?;
        let mut all = self.lock();
        let known = self.of(&all, id, wished.by.as_deref())?;
        if wished.version != Some(known.query.version) {
            return Err(SavedError::Changed(known.query.version));
        }
        self.may_schedule(&all, &wished, Some(id))?;
        self.put(&mut all, Kept { query: changed(known.query, wished), open: known.open })
    }

    /// Removes one.
    pub fn remove(&self, id: &str, by: Option<&str>) -> Result<SavedQuery, SavedError> {
        let mut all = self.lock();
        let known = self.of(&all, id, by)?;
        match std::fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.disk(error)),
            _ => {
                all.remove(id);
                Ok(known.query)
            }
        }
    }

    /// Writes down what became of a run, if the query is still the one that ran. Answers whether it is.
    fn ran(&self, query: &SavedQuery, open: Option<Open>) -> Result<bool, SavedError> {
        let mut all = self.lock();
        let known = all.get(&query.id).filter(|known| known.query.version == query.version).cloned();
        let Some(mut known) = known else { return Ok(false) };
        known.query.runs = query.runs.clone();
        known.open = open.unwrap_or(known.open);
        self.put(&mut all, known).map(|_| true)
    }

    /// The alerts of a query that may still grow.
    fn open_alerts(&self, id: &str) -> Open {
        self.lock().get(id).map(|kept| kept.open.clone()).unwrap_or_default()
    }

    fn of(&self, all: &BTreeMap<String, Kept>, id: &str, by: Option<&str>) -> Result<Kept, SavedError> {
        let known = all.get(id).filter(|kept| may_see(&kept.query, by));
        let known = known.ok_or_else(|| SavedError::Unknown(id.to_owned()))?;
        if by.is_some() && known.query.owner.as_deref() != by {
            return Err(SavedError::NotYours);
        }
        Ok(known.clone())
    }

    fn may_schedule(
        &self,
        all: &BTreeMap<String, Kept>,
        wished: &SavedQueryRequest,
        id: Option<&str>,
    ) -> Result<(), SavedError> {
        let others = all.values().map(|kept| &kept.query);
        let others = others.filter(|query| query.schedule.is_some() && id != Some(&query.id)).count();
        if wished.schedule.is_some() && others >= SCHEDULED_MAX {
            return Err(SavedError::Bad(format!("{SCHEDULED_MAX} queries run by themselves already; stop some first")));
        }
        Ok(())
    }

    fn put(&self, all: &mut BTreeMap<String, Kept>, kept: Kept) -> Result<SavedQuery, SavedError> {
        let text = serde_json::to_vec_pretty(&kept).map_err(|error| self.disk(error))?;
        let query = kept.query.clone();
        let written = self.0.room.note(store::replace(&self.path(&query.id), &text));
        written.map_err(|error| self.disk(error))?;
        all.insert(query.id.clone(), kept);
        Ok(query)
    }

    fn disk(&self, error: impl std::fmt::Display) -> SavedError {
        SavedError::Disk { folder: self.0.folder.clone(), reason: error.to_string() }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.0.folder.join(format!("{id}.json"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn may_see(query: &SavedQuery, by: Option<&str>) -> bool {
    by.is_none() || query.shared || query.owner.as_deref() == by
}

fn changed(query: SavedQuery, wished: SavedQueryRequest) -> SavedQuery {
    let alerts = wished.schedule.as_ref().is_some_and(|schedule| schedule.alert.is_some());
    let mut runs = query.runs;
    if wished.schedule.as_ref().map(times) != query.schedule.as_ref().map(times) {
        // Other times: what was missed of the old ones is nobody's concern any more.
        (runs.last, runs.next, runs.error) = (None, None, None);
    }
    SavedQuery {
        version: query.version + 1,
        changed: time_text(now_ns()),
        changed_by: wished.by,
        name_vi: wished.name_vi,
        name: wished.name,
        query: wished.query,
        shared: wished.shared || alerts,
        schedule: wished.schedule,
        runs,
        ..query
    }
}

fn times(schedule: &Schedule) -> (u64, Option<u64>) {
    (schedule.every_s, schedule.window_s)
}

fn check(wished: &SavedQueryRequest) -> Result<(), SavedError> {
    let bad = |reason: String| Err(SavedError::Bad(reason));
    let alert = wished.schedule.as_ref().and_then(|schedule| schedule.alert.as_ref());
    let texts = [Some(&wished.name_vi), Some(&wished.name), alert.map(|a| &a.reason_vi), alert.map(|a| &a.reason)];
    if texts.into_iter().flatten().any(|text| text.trim().is_empty()) {
        return bad("a saved query needs a name in both languages, and an alert a reason in both".to_owned());
    }
    let advice = alert.into_iter().flat_map(|alert| [&alert.advice_vi, &alert.advice]).flatten();
    if texts.into_iter().flatten().chain(advice).any(|text| text.len() > TEXT_MAX_BYTES) {
        return bad(format!("names, reasons and advice have at most {TEXT_MAX_BYTES} bytes"));
    }
    if wished.query.len() > QUERY_MAX_BYTES {
        return bad(format!("a saved query has at most {QUERY_MAX_BYTES} bytes"));
    }
    let context = parser::Context { catalogue: Catalogue::current(), now_ns: now_ns() };
    let query = parser::parse(&wished.query, context)?;
    if let Some(schedule) = &wished.schedule {
        if !EVERY_S.contains(&schedule.every_s) {
            return bad(format!("a query runs every {} to {} seconds", EVERY_S.start(), EVERY_S.end()));
        }
        if !(60..=WINDOW_MAX_S).contains(&schedule.window_s.unwrap_or(schedule.every_s)) {
            return bad(format!("a query looks at 60 to {WINDOW_MAX_S} seconds"));
        }
    }
    if let Some(alert) = alert {
        if alert.threshold == 0 {
            return bad("a threshold is at least 1".to_owned());
        }
        if alert::measure(&query).is_none() {
            return bad(
                "what alerts is a number of events, or `| count by` and other measures; no timeline and no table"
                    .to_owned(),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
