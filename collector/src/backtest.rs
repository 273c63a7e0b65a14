//! Backtest: what rules would have said of the events that are there, before they are put in force.
//!
//! Comes in: the text of rules and a period. Goes out: alerts per rule, day and agency, who talks most in them, first
//! examples. The rules run in an engine of their own, over the events in their order, so that correlations see what they
//! would have seen; pipelines of the rules in force apply. Matches become alerts by the same key and window as in
//! [`crate::detect::groups`], but nothing is written anywhere. It ends after its time and says how far it came. Rules on
//! files (YARA) and packets (signatures) are not run.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use luytre_collector_api::{BacktestAnswer, BacktestRequest, BacktestResult, FacetValue};
use luytre_events::Event;
use luytre_events::json::time_text;
use luytre_rules_engine::ruleset::SourceKind;
use luytre_rules_engine::{Engine, Match, RuleSet};

use crate::detect::alert::{group_key, severity};
use crate::detect::groups::GroupSettings;
use crate::search::walk::Walk;
use crate::search::{Search, SearchError};

/// The most files of rules.
const FILES_MAX: usize = 1000;
/// The most rules that are told of.
const RULES_MAX: usize = 1000;
/// Groups of matches that are remembered; further ones begin an alert each time.
const GROUPS_MAX: usize = 200_000;
/// Different addresses that are counted of a rule; further ones are not told apart.
const TALKERS_MAX: usize = 10_000;
/// Addresses and agencies that are told of a rule.
const TOLD_MAX: usize = 10;
/// Events that are named of a rule.
const EXAMPLES_MAX: usize = 5;
/// It ends after this time when nothing is said.
const TIME_S: u32 = 60;
/// It ends after this time at the latest.
const TIME_MAX_S: u32 = 900;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// Something is wrong with what was asked.
    #[error("{0}")]
    Bad(String),
    /// The events cannot be found.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The rules could not be laid out.
    #[error("lay out the rules: {0:#}")]
    Failed(#[from] anyhow::Error),
}

/// What is counted of one rule.
#[derive(Default)]
struct Counted {
    alerts: u64,
    matches: u64,
    days: BTreeMap<String, u64>,
    agencies: BTreeMap<String, u64>,
    sources: HashMap<String, u64>,
    destinations: HashMap<String, u64>,
    examples: Vec<String>,
}

/// Runs the rules of a request; blocks the thread.
pub fn run(
    search: &Search,
    in_force: &RuleSet,
    groups: &GroupSettings,
    request: &BacktestRequest,
    now_ns: i64,
) -> Result<BacktestAnswer, BacktestError> {
    let started = Instant::now();
    let mut engine = engine(in_force, request)?;
    if engine.rules().rules().is_empty() {
        let broken = engine.rules().broken().first().map_or_else(|| "there is none".to_owned(), ToString::to_string);
        return Err(BacktestError::Bad(format!("no rule can be run: {broken}")));
    }
    let time_max_s = request.time_max_s.unwrap_or(TIME_S).clamp(1, TIME_MAX_S);
    let walk = Walk {
        query: request.query.clone(),
        from: Some(request.from.clone().unwrap_or_else(|| "now-7d".to_owned())),
        to: request.to.clone(),
        set: request.set.clone(),
        time_max: Duration::from_secs(time_max_s.into()),
    };
    let mut past = Past { groups, open: HashMap::new(), rules: BTreeMap::new() };
    let mut is_over = true;
    let walked = search.walk(&walk, now_ns, &mut |event| {
        for found in engine.process(&event) {
            past.take(&found, &event);
        }
        is_over = started.elapsed() < walk.time_max;
        is_over
    })?;
    let rules = engine.rules().clone();
    let mut results: Vec<BacktestResult> = rules
        .rules()
        .iter()
        .take(RULES_MAX)
        .map(|rule| {
            let counted = past.rules.remove(&rule.id).unwrap_or_default();
            BacktestResult {
                id: rule.id.clone(),
                name: rule.title.clone(),
                severity: severity(rule.level),
                alerts: counted.alerts,
                matches: counted.matches,
                days: counted.days,
                agencies: most(counted.agencies.into_iter()),
                sources: most(counted.sources.into_iter()),
                destinations: most(counted.destinations.into_iter()),
                examples: counted.examples,
            }
        })
        .collect();
    results.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.id.cmp(&b.id)));
    let is_late = started.elapsed() >= walk.time_max;
    Ok(BacktestAnswer {
        events: walked.events,
        until: walked.reached_ns.filter(|_| is_late).map(time_text),
        partial: walked.partial,
        broken: rules.broken().iter().take(RULES_MAX).map(ToString::to_string).collect(),
        rules: results,
        took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// An engine of the request's rules alone, with the pipelines of those in force.
fn engine(in_force: &RuleSet, request: &BacktestRequest) -> Result<Engine, BacktestError> {
    if request.rules.len() > FILES_MAX {
        return Err(BacktestError::Bad(format!("at most {FILES_MAX} files of rules at once")));
    }
    let folder = std::env::temp_dir().join(format!("luytre-backtest-{}", uuid::Uuid::now_v7()));
    crate::fleet::store::make_folder(&folder).context("make a folder")?;
    let _gone = Gone(folder.clone());
    for (number, rule) in request.rules.iter().enumerate() {
        // Names come from outside: only what they end in matters to the loader.
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(c);
        let name: String = rule.file.rsplit('/').next().unwrap_or_default().chars().filter(is_plain).collect();
        let below = folder.join(format!("{number:04}"));
        crate::fleet::store::make_folder(&below).context("make a folder")?;
        std::fs::write(below.join(name.trim_start_matches('.')), &rule.text)
            .with_context(|| format!("write a rule into {}; check the room on the disk", folder.display()))?;
    }
    let pipelines = in_force.sources().filter(|source| source.kind == SourceKind::Pipeline);
    let paths: Vec<PathBuf> = std::iter::once(folder)
        .chain(pipelines.map(|source| source.path.clone()).filter(|path| path.exists()))
        .collect();
    luytre_rules_engine::load(&paths).map_err(|error| BacktestError::Bad(error.to_string()))
}

/// A folder that goes when this goes.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "remove the rules of a backtest");
        }
    }
}

struct Past<'g> {
    groups: &'g GroupSettings,
    /// First and last moment of the newest alert of each group.
    open: HashMap<Arc<str>, (i64, i64)>,
    rules: BTreeMap<String, Counted>,
}

impl Past<'_> {
    fn take(&mut self, found: &Match, event: &Event) {
        let second_ns = 1_000_000_000;
        let window_s = i64::from(self.groups.window_s).max(i64::try_from(found.window_s.unwrap_or(0)).unwrap_or(0));
        let window_ns = window_s.saturating_mul(second_ns);
        let longest_ns = (i64::from(self.groups.longest_s) * second_ns).max(window_ns);
        let key: Arc<str> = group_key(found, event).into();
        let is_new = match self.open.get_mut(&key) {
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
        };
        let counted = self.rules.entry(found.rule.id.clone()).or_default();
        counted.matches += 1;
        if counted.examples.len() < EXAMPLES_MAX {
            counted.examples.push(event.id.to_string());
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
