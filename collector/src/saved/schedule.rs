//! Runs saved queries at their times.
//!
//! A run looks at a window that ends at a multiple of the query's period, so that the same windows are looked at whenever
//! it happens. It begins when the window is over, [`LATE_NS`] have passed for what comes late, and the index has all that
//! the journal had at that moment. What one run found is written down after its alerts are durable: a collector that dies
//! in between looks at the window once more, which alerts nothing twice ([`super::alert`]).
//!
//! While the collector did not run, windows passed. The newest [`CATCH_UP_MAX`] of them are looked at afterwards, the
//! oldest first; those before are counted as missed and told. A query that fails is tried [`TRIES_MAX`] times, then its
//! window is missed, too, and a problem is shown until a run succeeds. Runs take turns with people's searches, one at a
//! time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use luytre_collector_api::{SavedQuery, Schedule, SearchAnswer, SearchRequest};
use luytre_events::Catalogue;
use luytre_events::json::time_text;
use tokio::sync::Semaphore;

use super::alert::{SUBJECTS_MAX, Sample, Told, Window, entry, subjects};
use super::{Open, SavedQueries};
use crate::fanout::{Entry, Fanout};
use crate::health::Problems;
use crate::journal::{Journal, Position};
use crate::ledger::Ledger;
use crate::search::{Search, parser};

/// Events may come so much later than they happened.
const LATE_NS: i64 = 30_000_000_000;
/// Between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Windows that are looked at afterwards.
const CATCH_UP_MAX: i64 = 24;
/// A window is tried so often.
const TRIES_MAX: u32 = 3;
/// Events that an alert shows.
const SAMPLE_MAX: u32 = 100;
const SECOND_NS: i64 = 1_000_000_000;

/// What the scheduler works with.
#[derive(Clone)]
pub struct SchedulerParts {
    /// The queries.
    pub saved: SavedQueries,
    /// Answers them.
    pub search: Search,
    /// Searches that may begin.
    pub turns: Arc<Semaphore>,
    /// Where alerts go.
    pub fanout: Fanout,
    /// What was seen.
    pub ledger: Ledger,
    /// How far the index has come.
    pub journal: Journal,
    /// Where trouble is told.
    pub problems: Problems,
    /// The clock, nanoseconds since 1970-01-01 UTC.
    pub now_ns: fn() -> i64,
}

/// What waits for the index, and what failed.
#[derive(Default)]
struct Waiting {
    /// The place up to which the index must have come, by query and the end of the window.
    places: HashMap<(String, i64), Position>,
    tries: HashMap<(String, i64), u32>,
    /// Problems that are shown, by query and its version.
    shown: HashMap<(String, u64), String>,
}

/// A run that is done.
struct Ran {
    query: SavedQuery,
    /// The alerts that may still grow, where there are others now.
    open: Option<Open>,
}

/// Runs for as long as the collector does.
pub async fn run(parts: SchedulerParts) {
    let mut waiting = Waiting::default();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let parts = parts.clone();
        let round = tokio::task::spawn_blocking(move || {
            waiting.round(&parts);
            waiting
        });
        waiting = round.await.unwrap_or_else(|error| {
            tracing::error!(%error, "run saved queries");
            Waiting::default()
        });
    }
}

impl Waiting {
    /// One window of every query that is due, where there is a turn for it.
    fn round(&mut self, parts: &SchedulerParts) {
        let all = parts.saved.list(None);
        self.forget(parts, &all);
        for query in all {
            let Some(schedule) = query.schedule.clone() else { continue };
            let Some(window) = next(parts, &query, &schedule) else { continue };
            if !self.is_ready(&parts.journal, &query, window) {
                continue;
            }
            let Ok(_turn) = parts.turns.try_acquire() else { continue };
            let done = look(parts, query.clone(), &schedule, window);
            self.settle(parts, query, window, done);
        }
    }

    /// Lets go of what is about queries that were changed, stopped or removed.
    fn forget(&mut self, parts: &SchedulerParts, all: &[SavedQuery]) {
        let is_there = |id: &String| all.iter().any(|query| query.id == *id && query.schedule.is_some());
        self.places.retain(|(id, _), _| is_there(id));
        self.tries.retain(|(id, _), _| is_there(id));
        self.shown.retain(|(id, version), problem| {
            let stays = is_there(id) && all.iter().any(|query| query.id == *id && query.version == *version);
            if !stays {
                parts.problems.clear(problem);
            }
            stays
        });
    }

    fn is_ready(&mut self, journal: &Journal, query: &SavedQuery, window: Window) -> bool {
        let place = *self.places.entry((query.id.clone(), window.to_ns)).or_insert_with(|| journal.end());
        journal.has_indexed(place)
    }

    fn settle(&mut self, parts: &SchedulerParts, mut query: SavedQuery, window: Window, done: Result<Ran, String>) {
        let (key, problem) = ((query.id.clone(), window.to_ns), format!("saved query {}", query.name_vi));
        let ran = match done {
            Ok(ran) => {
                parts.problems.clear(&problem);
                self.shown.remove(&(query.id.clone(), query.version));
                ran
            }
            Err(error) => {
                let tries = self.tries.entry(key.clone()).or_default();
                *tries += 1;
                if *tries < TRIES_MAX {
                    return;
                }
                parts.problems.raise(&problem, format!("{error}; change it, or stop its schedule"));
                self.shown.insert((query.id.clone(), query.version), problem);
                query.runs.missed = query.runs.missed.saturating_add(1);
                query.runs.last_missed = Some(time_text(window.to_ns));
                query.runs.error = Some(error);
                Ran { query, open: None }
            }
        };
        self.tries.remove(&key);
        self.places.remove(&key);
        let Ran { query: mut ran, open } = ran;
        ran.runs.last = Some(time_text(window.to_ns));
        let every_ns = ran.schedule.as_ref().and_then(|schedule| i64::try_from(schedule.every_s).ok()).unwrap_or(0);
        ran.runs.next = Some(time_text(window.to_ns.saturating_add(every_ns.saturating_mul(SECOND_NS))));
        keep(parts, &ran, open);
    }
}

/// The next window that is over, if there is one; those that were missed are written down first.
fn next(parts: &SchedulerParts, query: &SavedQuery, schedule: &Schedule) -> Option<Window> {
    let every_ns = i64::try_from(schedule.every_s).ok()?.saturating_mul(SECOND_NS).max(SECOND_NS);
    let due = (parts.now_ns)().saturating_sub(LATE_NS).div_euclid(every_ns);
    let last = query.runs.last.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let last =
        last.and_then(|last| i64::try_from(last.as_nanosecond()).ok()).map(|last_ns| last_ns.div_euclid(every_ns));
    let Some(last) = last else {
        // It begins with the window that is under way.
        let mut begun = query.clone();
        begun.runs.last = Some(time_text(due * every_ns));
        begun.runs.next = Some(time_text((due + 1) * every_ns));
        keep(parts, &begun, None);
        return None;
    };
    // A clock that was put back looks at nothing twice.
    if due <= last {
        return None;
    }
    let first = (last + 1).max(due - CATCH_UP_MAX + 1);
    if first > last + 1 {
        let (missed, from, to) =
            (first - last - 1, time_text((last + 1) * every_ns), time_text((first - 1) * every_ns));
        tracing::warn!(
            query = query.name,
            missed,
            from,
            to,
            "a saved query missed its runs: the collector did not run"
        );
        let mut told = query.clone();
        told.runs.missed = told.runs.missed.saturating_add(missed.unsigned_abs());
        told.runs.last_missed = Some(to.clone());
        told.runs.last = Some(to);
        keep(parts, &told, None);
        // The query as it is now is looked at in the next round.
        return None;
    }
    let to_ns = first * every_ns;
    let window_ns = i64::try_from(schedule.window_s.unwrap_or(schedule.every_s)).ok()?.saturating_mul(SECOND_NS);
    Some(Window { from_ns: to_ns.saturating_sub(window_ns), to_ns })
}

fn keep(parts: &SchedulerParts, query: &SavedQuery, open: Option<Open>) {
    match parts.saved.ran(query, open) {
        Ok(_) => parts.problems.clear("saved queries"),
        Err(error) => parts.problems.raise("saved queries", error.to_string()),
    }
}

/// Looks at one window; alerts are durable when it returns.
fn look(parts: &SchedulerParts, mut query: SavedQuery, schedule: &Schedule, window: Window) -> Result<Ran, String> {
    let answer = ask(parts, &query.query, window, 1)?;
    if let Some(partial) = answer.partial.first() {
        return Err(format!("what it found would not be whole: {partial}"));
    }
    query.runs.found = answer.table.as_ref().map_or(answer.total, |table| table.rows.len() as u64);
    query.runs.took_ms = answer.took_ms;
    query.runs.done = query.runs.done.saturating_add(1);
    query.runs.error = None;
    let Some(wanted) = &schedule.alert else { return Ok(Ran { query, open: None }) };
    let context = parser::Context { catalogue: Catalogue::current(), now_ns: (parts.now_ns)() };
    let parsed = parser::parse(&query.query, context).map_err(|error| error.to_string())?;
    let mut found = subjects(&parsed, wanted, &answer);
    query.runs.alerts_cut = query.runs.alerts_cut.saturating_add(found.len().saturating_sub(SUBJECTS_MAX) as u64);
    found.truncate(SUBJECTS_MAX);
    let mut open = parts.saved.open_alerts(&query.id);
    let mut entries = Vec::new();
    for subject in &found {
        let text = subject.query(&query.query).ok_or("its filter cannot be told from its stages")?;
        let sampled = ask(parts, &text, window, SAMPLE_MAX)?;
        let sample = Sample {
            total: sampled.total,
            events: sampled.events,
            visibility: parts.ledger.visibility_between(None, window.from_ns, window.to_ns),
            now_ns: (parts.now_ns)(),
        };
        let known = |id: &str| parts.fanout.get(id).ok().flatten();
        let before = open.get(&subject.key(&query)).and_then(|(id, _)| known(id));
        match entry(&query, wanted, window, subject, &sample, before, known) {
            Told::New(entry) => entries.push(*entry),
            Told::Known(entry) => {
                open.insert(entry.tracking.key, (entry.alert.id, entry.tracking.last_ns));
            }
        }
    }
    parts
        .fanout
        .append(&mut entries)
        .map_err(|error| format!("write its alerts: {error}; check the room on the disk"))?;
    query.runs.alerts = query.runs.alerts.saturating_add(entries.len() as u64);
    for Entry { alert, tracking } in entries {
        open.insert(tracking.key, (alert.id, tracking.last_ns));
    }
    // Those that no later window can join are over.
    open.retain(|_, (_, last_ns)| *last_ns >= window.from_ns);
    Ok(Ran { query, open: Some(open) })
}

fn ask(parts: &SchedulerParts, query: &str, window: Window, limit: u32) -> Result<SearchAnswer, String> {
    let request = SearchRequest {
        query: query.to_owned(),
        from: Some(time_text(window.from_ns)),
        to: Some(time_text(window.to_ns)),
        limit: Some(limit),
        ..SearchRequest::default()
    };
    // Relative times in the query are meant as of the window's end.
    parts.search.run(&request, window.to_ns).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
