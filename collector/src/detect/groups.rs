//! Which matches make one alert, and which were counted already.
//!
//! Comes in: matches with the event that completed them, in the order of each sensor's sequence numbers. Goes out: the
//! alerts that are new or have changed ([`Groups::changed`]), once a batch. A match joins the open alert of its group
//! while matches follow each other within `window`, for `longest` at most; then a new alert begins. What a replay after a
//! crash brings again is recognised by its sequence number and left out, so nothing is alerted or counted twice. At
//! [`GROUPS_MAX`] the groups that were quiet longest are forgotten.

use std::collections::HashMap;

use luytre_collector_api::{Alert, Visibility};
use luytre_events::Event;
use luytre_rules_engine::Match;
use serde::Deserialize;

use super::alert;
use crate::fanout::{Entry, Tracking};

/// Most groups that are remembered.
pub const GROUPS_MAX: usize = 50_000;

/// How matches are grouped.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GroupSettings {
    /// Matches of a group this far apart still make one alert, in seconds.
    pub window_s: u32,
    /// One alert spans at most this long, in seconds.
    pub longest_s: u32,
}

impl Default for GroupSettings {
    fn default() -> Self {
        GroupSettings { window_s: 300, longest_s: 3600 }
    }
}

/// What became of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It began an alert.
    Raised,
    /// It was added to an alert.
    Added,
    /// It had been counted before a restart.
    Repeated,
}

struct Group {
    entry: Entry,
    is_changed: bool,
}

/// All groups that may still grow.
pub struct Groups {
    window_ns: i64,
    longest_ns: i64,
    open: HashMap<String, Group>,
    changed: Vec<String>,
}

/// What a new alert says besides the match.
pub struct Surroundings<'a> {
    /// Digest of the rule set.
    pub ruleset: &'a str,
    /// What the ledger says about the moment.
    pub visibility: Visibility,
    /// The collector's clock, nanoseconds.
    pub now_ns: i64,
}

impl Groups {
    /// Groups as they were when the newest alerts were written.
    pub fn restore(settings: &GroupSettings, newest: Vec<Entry>) -> Groups {
        let second_ns = 1_000_000_000;
        let mut groups = Groups {
            window_ns: i64::from(settings.window_s) * second_ns,
            longest_ns: i64::from(settings.longest_s) * second_ns,
            open: HashMap::new(),
            changed: Vec::new(),
        };
        // Newest first: an older alert of the same group does not replace a newer one.
        for entry in newest {
            let key = entry.tracking.key.clone();
            groups.open.entry(key).or_insert(Group { entry, is_changed: false });
        }
        groups
    }

    /// Takes a match in. `known` finds an alert that was written before, by id.
    pub fn take(
        &mut self,
        found: &Match,
        event: &Event,
        surroundings: &Surroundings<'_>,
        known: impl FnOnce(&str) -> Option<Entry>,
    ) -> Outcome {
        let key = alert::group_key(found, event);
        let window_ns = self.window_ns.max(i64::try_from(found.window_s.unwrap_or(0)).unwrap_or(0) * 1_000_000_000);
        if let Some(group) = self.open.get_mut(&key) {
            let tracking = &mut group.entry.tracking;
            if event.id.sequence <= tracking.sequence {
                return Outcome::Repeated;
            }
            let is_near = event.time_ns <= tracking.last_ns.saturating_add(window_ns)
                && event.time_ns >= tracking.first_ns.saturating_sub(window_ns);
            if is_near && event.time_ns <= tracking.first_ns.saturating_add(self.longest_ns.max(window_ns)) {
                tracking.sequence = event.id.sequence;
                tracking.last_ns = tracking.last_ns.max(event.time_ns);
                alert::add(&mut group.entry.alert, found, event);
                group.entry.alert.visibility = worse(group.entry.alert.visibility, surroundings.visibility);
                if !std::mem::replace(&mut group.is_changed, true) {
                    self.changed.push(key);
                }
                return Outcome::Added;
            }
        }
        self.begin(key, found, event, surroundings, known)
    }

    fn begin(
        &mut self,
        key: String,
        found: &Match,
        event: &Event,
        surroundings: &Surroundings<'_>,
        known: impl FnOnce(&str) -> Option<Entry>,
    ) -> Outcome {
        let first_event = found.event_ids.first().unwrap_or(&event.id).to_string();
        let id = alert::id(&key, &first_event);
        if let Some(entry) = known(&id) {
            self.open.insert(key, Group { entry, is_changed: false });
            return Outcome::Repeated;
        }
        self.make_room();
        let Surroundings { ruleset, visibility, now_ns } = surroundings;
        let made = alert::new(found, event, id, ruleset, *visibility, *now_ns);
        let tracking =
            Tracking { key: key.clone(), first_ns: event.time_ns, last_ns: event.time_ns, sequence: event.id.sequence };
        let replaced =
            self.open.insert(key.clone(), Group { entry: Entry { alert: made, tracking }, is_changed: true });
        // The alert before may have grown in this very batch: it is written too.
        if let Some(before) = replaced.filter(|group| group.is_changed) {
            let old_key = format!("{key}\u{1f}{}", before.entry.alert.id);
            self.changed.retain(|changed| *changed != key);
            self.changed.push(old_key.clone());
            self.open.insert(old_key, before);
        }
        self.changed.push(key);
        Outcome::Raised
    }

    /// The alerts that are new or have changed since the last call, in the order of their first change.
    pub fn changed(&mut self) -> Vec<Entry> {
        let changed = std::mem::take(&mut self.changed);
        let mut entries = Vec::with_capacity(changed.len());
        for key in changed {
            if let Some(group) = self.open.get_mut(&key) {
                group.is_changed = false;
                entries.push(group.entry.clone());
            }
        }
        entries
    }

    fn make_room(&mut self) {
        if self.open.len() < GROUPS_MAX {
            return;
        }
        let mut quiet: Vec<(i64, String)> = self
            .open
            .iter()
            .filter(|(_, group)| !group.is_changed)
            .map(|(key, group)| (group.entry.tracking.last_ns, key.clone()))
            .collect();
        quiet.sort_unstable();
        for (_, key) in quiet.into_iter().take(GROUPS_MAX / 4) {
            self.open.remove(&key);
        }
    }
}

/// The lesser of two stamps: an alert over several moments saw no more than the worst of them.
fn worse(a: Visibility, b: Visibility) -> Visibility {
    match (a.known, b.known) {
        (true, true) => {
            let unaccounted = if a.unaccounted.abs() >= b.unaccounted.abs() { a.unaccounted } else { b.unaccounted };
            Visibility { seen: a.seen.min(b.seen), unaccounted, known: true }
        }
        (true, false) => a,
        (false, _) => b,
    }
}

/// The alert of an entry list by id, for tests and look-ups.
pub fn find<'e>(entries: &'e [Entry], id: &str) -> Option<&'e Alert> {
    entries.iter().map(|entry| &entry.alert).find(|alert| alert.id == id)
}
