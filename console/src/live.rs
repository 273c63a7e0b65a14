//! Live updates: what changed, told to everybody who follows.
//!
//! The last [`KEPT`] events are kept, so that a page that was away for a moment resumes where it was (`Last-Event-ID`);
//! one that was away longer, or followed another run of the program, is told to load everything again (`resync`). A
//! follower that cannot keep up is cut off and resumes by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::{Semaphore, broadcast};

/// How many events are kept for resuming.
pub const KEPT: usize = 1024;

/// How far a follower may fall behind.
pub const BEHIND: usize = 256;

/// How many may follow at once.
pub const MAX_FOLLOWERS: usize = 1000;

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveEvent {
    /// Its place; rises by one.
    pub number: u64,
    /// What kind of change.
    pub name: &'static str,
    /// What changed, JSON.
    pub data: String,
    /// Who may hear of it, by user id; everybody where it is missing.
    pub audience: Option<Vec<String>>,
    /// Whose it is. Who does not reach everything hears of nothing that is nobody's.
    pub agency: Option<String>,
}

impl LiveEvent {
    /// Whether somebody who reaches these agencies (everything where they are missing) may hear of it.
    pub fn is_for(&self, user_id: &str, within: Option<&[String]>) -> bool {
        let reached = within.is_none_or(|within| self.agency.as_ref().is_some_and(|id| within.contains(id)));
        reached && self.audience.as_ref().is_none_or(|audience| audience.iter().any(|id| id == user_id))
    }
}

#[derive(Debug, Default)]
struct Recent {
    last: u64,
    events: VecDeque<Arc<LiveEvent>>,
}

/// Tells what changed.
#[derive(Debug)]
pub struct Live {
    run: i64,
    recent: Mutex<Recent>,
    sender: broadcast::Sender<Arc<LiveEvent>>,
    /// A place for each follower.
    pub places: Arc<Semaphore>,
}

/// A follower's beginning.
#[derive(Debug)]
pub struct Following {
    /// What was missed, oldest first.
    pub missed: Vec<Arc<LiveEvent>>,
    /// True when more was missed than is kept.
    pub resync: bool,
    /// What comes next.
    pub receiver: broadcast::Receiver<Arc<LiveEvent>>,
}

impl Live {
    /// Nobody follows yet; `run` tells this run of the program from others.
    pub fn new(run: i64) -> Self {
        Live {
            run,
            recent: Mutex::new(Recent::default()),
            sender: broadcast::Sender::new(BEHIND),
            places: Arc::new(Semaphore::new(MAX_FOLLOWERS)),
        }
    }

    /// Tells everybody who reaches everything.
    pub fn publish(&self, name: &'static str, what: &impl Serialize) {
        self.publish_to(None, None, name, what);
    }

    /// Tells these users, or everybody, as far as they reach the agency.
    pub fn publish_to(
        &self,
        audience: Option<Vec<String>>,
        agency: Option<String>,
        name: &'static str,
        what: &impl Serialize,
    ) {
        let data = match serde_json::to_string(what) {
            Ok(data) => data,
            Err(cause) => {
                tracing::error!(%cause, name, "write a live event");
                return;
            }
        };
        // Numbered, kept and sent under one lock, so that all see the same order.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.last += 1;
        let event = Arc::new(LiveEvent { number: recent.last, name, data, audience, agency });
        if recent.events.len() >= KEPT {
            recent.events.pop_front();
        }
        recent.events.push_back(event.clone());
        // Fails only when nobody follows.
        let _ = self.sender.send(event);
    }

    /// Follows from now, or from after the event with this id.
    pub fn follow(&self, last_id: Option<&str>) -> Following {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.sender.subscribe();
        let Some(last_id) = last_id else {
            return Following { missed: Vec::new(), resync: false, receiver };
        };
        let seen = self.number_of(last_id).filter(|seen| *seen <= recent.last);
        let oldest = recent.events.front().map_or(recent.last + 1, |event| event.number);
        match seen {
            Some(seen) if seen + 1 >= oldest => {
                let missed = recent.events.iter().filter(|event| event.number > seen).cloned().collect();
                Following { missed, resync: false, receiver }
            }
            _ => Following { missed: Vec::new(), resync: true, receiver },
        }
    }

    /// An event's id: the run and the number.
    pub fn id_of(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    /// The place of the newest event.
    pub fn newest(&self) -> u64 {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).last
    }

    fn number_of(&self, id: &str) -> Option<u64> {
        let (run, number) = id.split_once('-')?;
        (run.parse() == Ok(self.run)).then(|| number.parse().ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(following: &Following) -> Vec<u64> {
        following.missed.iter().map(|event| event.number).collect()
    }

    #[test]
    fn a_follower_resumes_where_it_was() {
        let live = Live::new(7);
        for n in 0..5 {
            live.publish("alert", &n);
        }
        assert_eq!(numbers(&live.follow(Some("7-3"))), [4, 5]);
        assert!(numbers(&live.follow(Some("7-5"))).is_empty());
        assert!(!live.follow(Some("7-5")).resync);
        assert!(numbers(&live.follow(None)).is_empty());
    }

    #[test]
    fn what_is_gone_means_loading_again() {
        let live = Live::new(7);
        for n in 0..(KEPT + 10) {
            live.publish("alert", &n);
        }
        assert!(live.follow(Some("7-5")).resync);
        assert_eq!(live.follow(Some("7-10")).missed.len(), KEPT);
        for stranger in ["6-1030", "7-99999", "nonsense", ""] {
            assert!(live.follow(Some(stranger)).resync, "{stranger}");
        }
    }
}
