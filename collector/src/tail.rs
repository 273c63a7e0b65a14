//! Live tail: events that pass a filter, as they come in, before they can be searched.
//!
//! Comes in: enriched events from the pipeline ([`Tail::tell`]). Goes out: those that a follower's filter lets pass
//! ([`Follower::next`]). Nobody is waited for: a follower that is [`BATCHES`] batches behind misses the oldest and is told how
//! many. Without followers it costs nothing. Nothing is kept; after a restart followers begin anew.

use std::sync::Arc;

use luytre_events::{Catalogue, Event};
use serde_json::Value as Json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast};

use crate::search::query::{Query, Stage};
use crate::search::{SearchError, parser, plain};

/// Batches that wait for a follower.
const BATCHES: usize = 64;
/// The most followers.
const FOLLOWERS_MAX: usize = 32;

/// Events on their way to followers; cheap to clone, all clones are one.
#[derive(Clone)]
pub struct Tail {
    batches: broadcast::Sender<Arc<Vec<Event>>>,
    places: Arc<Semaphore>,
}

impl Default for Tail {
    fn default() -> Tail {
        Tail { batches: broadcast::Sender::new(BATCHES), places: Arc::new(Semaphore::new(FOLLOWERS_MAX)) }
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// Events, or the fields of them that were asked for.
    Lines(Vec<Json>),
    /// So many batches were missed.
    Missed(u64),
    /// The collector stops.
    Over,
}

/// Somebody who follows.
pub struct Follower {
    batches: broadcast::Receiver<Arc<Vec<Event>>>,
    query: Query,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Tail {
    /// Hands events on, where somebody follows.
    pub fn tell(&self, events: &[Event]) {
        if self.batches.receiver_count() > 0 {
            // The last one may have gone meanwhile.
            let _ = self.batches.send(Arc::new(events.to_vec()));
        }
    }

    /// Begins to follow what a query without groups lets pass.
    pub fn follow(&self, query: &str, now_ns: i64) -> Result<Follower, SearchError> {
        let query = parser::parse(query, parser::Context { catalogue: Catalogue::current(), now_ns })?;
        let refused = |what: &str| SearchError::Request(format!("{what} cannot be followed; leave the stage out"));
        if !query.joins.is_empty() {
            return Err(refused("a join"));
        }
        match query.stage {
            None | Some(Stage::Columns(_)) => {}
            Some(Stage::Groups { .. } | Stage::Timeline { .. }) => return Err(refused("counts")),
        }
        let busy = |_| SearchError::Request(format!("{FOLLOWERS_MAX} follow already; end one of them first"));
        let place = self.places.clone().try_acquire_owned().map_err(busy)?;
        Ok(Follower { batches: self.batches.subscribe(), query, _place: place })
    }
}

impl Follower {
    /// The next lines; waits until there are some.
    pub async fn next(&mut self) -> Followed {
        loop {
            match self.batches.recv().await {
                Ok(events) => {
                    let lines: Vec<Json> = events.iter().filter_map(|event| self.line(event)).collect();
                    if !lines.is_empty() {
                        return Followed::Lines(lines);
                    }
                }
                Err(RecvError::Lagged(missed)) => return Followed::Missed(missed),
                Err(RecvError::Closed) => return Followed::Over,
            }
        }
    }

    fn line(&self, event: &Event) -> Option<Json> {
        if !plain::matches(&self.query.filter, event) {
            return None;
        }
        let whole = luytre_events::json::event_value(event);
        let Some(Stage::Columns(fields)) = &self.query.stage else { return Some(whole) };
        let value = |name: &str| name.split('.').try_fold(&whole, |at, part| at.get(part)).cloned().unwrap_or_default();
        Some(Json::Object(fields.iter().map(|field| (field.name.clone(), value(&field.name))).collect()))
    }
}

#[cfg(test)]
mod tests {
    use luytre_events::{EventId, text::read_event};
    use serde_json::json;

    use super::*;

    fn event(sequence: u64, name: &str) -> Event {
        let json = json!({"event.dataset": "dns", "dns.question.name": name, "source.ip": "192.0.2.7"});
        read_event(&json, EventId { sensor: "s".into(), sequence }, 0).unwrap().event
    }

    #[tokio::test]
    async fn followers_see_what_their_query_lets_pass_and_are_told_what_they_miss() {
        let tail = Tail::default();
        let mut whole = tail.follow("dns.question.name:*.example", 0).unwrap();
        let mut columns = tail.follow("* | table dns.question.name", 0).unwrap();
        tail.tell(&[event(1, "a.example"), event(2, "b.test")]);
        let Followed::Lines(lines) = whole.next().await else { panic!("no lines") };
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].pointer("/event/id"), Some(&json!("s:1")));
        let expected = vec![json!({"dns.question.name": "a.example"}), json!({"dns.question.name": "b.test"})];
        assert_eq!(columns.next().await, Followed::Lines(expected));
        for number in 0..=BATCHES as u64 {
            tail.tell(&[event(number, "a.example")]);
        }
        assert_eq!(whole.next().await, Followed::Missed(1));
    }

    #[tokio::test]
    async fn counts_cannot_be_followed_and_places_are_given_back() {
        let tail = Tail::default();
        assert!(tail.follow("* | count by source.ip", 0).is_err_and(|error| error.to_string().contains("counts")));
        assert!(tail.follow("source.ipp:1", 0).is_err());
        let all: Vec<Follower> = (0..FOLLOWERS_MAX).map(|_| tail.follow("*", 0).unwrap()).collect();
        assert!(tail.follow("*", 0).is_err());
        drop(all);
        assert!(tail.follow("*", 0).is_ok());
    }
}
