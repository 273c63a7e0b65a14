//! Matches of the past as the alerts they would have been, counted by rule.
//!
//! Comes in: matches in the order of their events. Goes out: for each rule alerts and matches, by day and agency, who talks
//! most, first examples. Bounded: [`GROUPS_MAX`] groups are remembered, [`TALKERS_MAX`] addresses told apart of each rule.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use luytre_collector_api::{BacktestResult, FacetValue, Severity};
use luytre_events::Event;
use luytre_events::json::time_text;
use luytre_rules_engine::{Match, RuleSet};

use crate::detect::alert::{group_key, severity};
use crate::detect::groups::GroupSettings;

/// Groups of matches that are remembered; further ones begin an alert each time.
const GROUPS_MAX: usize = 200_000;
/// Different addresses that are counted of a rule; further ones are not told apart.
const TALKERS_MAX: usize = 10_000;
/// Rules that are counted: signatures are known only by what they find.
const RULES_MAX: usize = 20_000;
/// Addresses and agencies that are told of a rule.
const TOLD_MAX: usize = 10;
/// Events that are named of a rule.
const EXAMPLES_MAX: usize = 5;

/// What is counted of one rule.
struct Counted {
    name: String,
    severity: Severity,
    alerts: u64,
    matches: u64,
    days: BTreeMap<String, u64>,
    agencies: BTreeMap<String, u64>,
    sources: HashMap<String, u64>,
    destinations: HashMap<String, u64>,
    examples: Vec<String>,
}

impl Counted {
    fn new(name: &str, severity: Severity) -> Counted {
        let (days, agencies) = (BTreeMap::new(), BTreeMap::new());
        let (sources, destinations, examples) = (HashMap::new(), HashMap::new(), Vec::new());
        let name = name.to_owned();
        Counted { name, severity, alerts: 0, matches: 0, days, agencies, sources, destinations, examples }
    }
}

/// All that was found.
pub struct Past<'g> {
    groups: &'g GroupSettings,
    /// First and last moment of the newest alert of each group.
    open: HashMap<Arc<str>, (i64, i64)>,
    rules: BTreeMap<String, Counted>,
}

impl Past<'_> {
    /// Nothing yet.
    pub fn new(groups: &GroupSettings) -> Past<'_> {
        Past { groups, open: HashMap::new(), rules: BTreeMap::new() }
    }

    /// Takes a match on an event.
    pub fn take(&mut self, found: &Match, event: &Event) {
        self.take_one(found, event, &|event| event.id.to_string());
    }

    /// Takes matches of events that were found in any order; `example` is what an event is named by.
    pub fn take_all(&mut self, mut found: Vec<(Match, Event)>, example: impl Fn(&Event) -> String) {
        found.sort_by(|(_, a), (_, b)| a.time_ns.cmp(&b.time_ns));
        found.iter().for_each(|(found, event)| self.take_one(found, event, &example));
    }

    fn take_one(&mut self, found: &Match, event: &Event, example: &dyn Fn(&Event) -> String) {
        let is_new = self.is_new(found, event);
        if self.rules.len() >= RULES_MAX && !self.rules.contains_key(&found.rule.id) {
            return;
        }
        let new = || Counted::new(&found.rule.title, severity(found.rule.level));
        let counted = self.rules.entry(found.rule.id.clone()).or_insert_with(new);
        counted.matches += 1;
        if counted.examples.len() < EXAMPLES_MAX {
            counted.examples.push(example(event));
        }
        if !is_new {
            return;
        }
        counted.alerts += 1;
        let day = time_text(event.time_ns).chars().take(10).collect();
        *counted.days.entry(day).or_default() += 1;
        let agency = event.get_named("organization.id").map(|value| value.borrow().to_text()).unwrap_or_default();
        *counted.agencies.entry(agency).or_default() += 1;
        if let Some(flow) = &event.flow {
            add(&mut counted.sources, flow.source.0.to_string());
            add(&mut counted.destinations, flow.destination.0.to_string());
        }
    }

    /// Each rule with what it would have said, the one with the most alerts first.
    pub fn results(mut self, rules: &RuleSet, most: usize) -> Vec<BacktestResult> {
        let silent = rules.rules().iter().filter(|rule| !self.rules.contains_key(&rule.id)).collect::<Vec<_>>();
        let silent: Vec<_> =
            silent.into_iter().map(|rule| (rule.id.clone(), Counted::new(&rule.title, severity(rule.level)))).collect();
        self.rules.extend(silent);
        let mut results: Vec<BacktestResult> = self.rules.into_iter().map(result).collect();
        results.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.id.cmp(&b.id)));
        results.truncate(most);
        results
    }

    /// Whether a match begins an alert of its own.
    fn is_new(&mut self, found: &Match, event: &Event) -> bool {
        let second_ns = 1_000_000_000;
        let window_s = i64::from(self.groups.window_s).max(i64::try_from(found.window_s.unwrap_or(0)).unwrap_or(0));
        let window_ns = window_s.saturating_mul(second_ns);
        let longest_ns = (i64::from(self.groups.longest_s) * second_ns).max(window_ns);
        let key: Arc<str> = group_key(found, event).into();
        match self.open.get_mut(&key) {
            Some((first, last))
                if event.time_ns <= last.saturating_add(window_ns)
                    && event.time_ns <= first.saturating_add(longest_ns) =>
            {
                *last = event.time_ns.max(*last);
                false
            }
            _ => {
                if self.open.len() >= GROUPS_MAX {
                    self.open.clear();
                }
                self.open.insert(key, (event.time_ns, event.time_ns));
                true
            }
        }
    }
}

fn result((id, counted): (String, Counted)) -> BacktestResult {
    BacktestResult {
        id,
        name: counted.name,
        severity: counted.severity,
        alerts: counted.alerts,
        matches: counted.matches,
        days: counted.days,
        agencies: most(counted.agencies.into_iter()),
        sources: most(counted.sources.into_iter()),
        destinations: most(counted.destinations.into_iter()),
        examples: counted.examples,
    }
}

fn add(talkers: &mut HashMap<String, u64>, address: String) {
    if talkers.len() < TALKERS_MAX || talkers.contains_key(&address) {
        *talkers.entry(address).or_default() += 1;
    }
}

fn most(counts: impl Iterator<Item = (String, u64)>) -> Vec<FacetValue> {
    let mut all: Vec<FacetValue> = counts.map(|(value, count)| FacetValue { value, count }).collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    all.truncate(TOLD_MAX);
    all
}
