//! Backtest: what rules would have said of the past, before they are put in force.
//!
//! Comes in: the text of rules and a period. Goes out: alerts per rule, day and agency, who talks most in them, first
//! examples. Three kinds of rules look at three things that are kept:
//!
//! | rules | look at |
//! | --- | --- |
//! | Sigma, lists of indicators | the events in the index, in their order, so that correlations see what they would have seen |
//! | YARA ([`files`]) | the carved files that events of the period name and that are still here |
//! | signatures ([`packets`]) | the packets of the period's flows, from the sensors that keep them and from sealed evidence |
//!
//! The rules run in an engine of their own; pipelines of the rules in force apply. Matches become alerts by the same key and
//! window as in [`crate::detect::groups`] ([`past`]), but nothing is written anywhere. [`Control`] ends it after its time, or
//! when nobody waits for it any more, and tells how far it is; the answer says how far it came.

mod files;
mod packets;
mod past;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use luytre_collector_api::{BacktestAnswer, BacktestProgress, BacktestRequest, Looked};
use luytre_events::json::time_text;
use luytre_rules_engine::rule::RuleKind;
use luytre_rules_engine::ruleset::SourceKind;
use luytre_rules_engine::{Engine, RuleSet};

use self::past::Past;
use crate::detect::groups::GroupSettings;
use crate::enrich::SharedAgencies;
use crate::evidence::Sealer;
use crate::search::walk::Walk;
use crate::search::{Search, SearchError};

/// The most files of rules.
const RULE_FILES_MAX: usize = 1000;
/// The most rules that are told of.
const RULES_MAX: usize = 1000;
/// What is said of things that could not be looked at, so often.
const TOLD_MAX: usize = 20;
/// It ends after this time when nothing is said.
const TIME_S: u32 = 60;
/// It ends after this time at the latest.
const TIME_MAX_S: u32 = 900;
/// Between two signs of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

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
    #[error("try the rules: {0:#}")]
    Failed(#[from] anyhow::Error),
}

/// What a backtest works with.
pub struct Parts<'p> {
    /// The events.
    pub search: &'p Search,
    /// Whose pipelines apply.
    pub in_force: &'p RuleSet,
    /// How matches become alerts.
    pub groups: &'p GroupSettings,
    /// Files, packets and sealed evidence.
    pub evidence: &'p Sealer,
    /// Whose packets are whose.
    pub agencies: &'p SharedAgencies,
    /// The runtime on which sensors are asked.
    pub runtime: tokio::runtime::Handle,
}

/// When a backtest ends, and where it tells how far it is.
pub struct Control {
    is_over: AtomicBool,
    tell: Box<dyn Fn(BacktestProgress) -> bool + Send + Sync>,
    told: Mutex<Option<Instant>>,
}

impl Control {
    /// `tell` hears of progress and answers whether anybody still waits.
    pub fn new(tell: impl Fn(BacktestProgress) -> bool + Send + Sync + 'static) -> Control {
        Control { is_over: AtomicBool::new(false), tell: Box::new(tell), told: Mutex::new(None) }
    }

    /// Nobody waits any more.
    pub fn cancel(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn tell(&self, phase: &str, done: u64, all: Option<u64>, reached_ns: Option<i64>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
            return;
        }
        *told = Some(Instant::now());
        let progress = BacktestProgress { phase: phase.to_owned(), done, all, reached: reached_ns.map(time_text) };
        if !(self.tell)(progress) {
            self.cancel();
        }
    }
}

/// How long it may go on.
#[derive(Clone, Copy)]
struct Time<'c> {
    ends: Instant,
    control: &'c Control,
}

impl Time<'_> {
    fn is_over(&self) -> bool {
        self.control.is_over.load(Ordering::Relaxed) || Instant::now() >= self.ends
    }
}

/// Runs the rules of a request; blocks the thread, which must not be one of the runtime's own.
pub fn run(
    parts: &Parts<'_>,
    request: &BacktestRequest,
    now_ns: i64,
    control: &Control,
) -> Result<BacktestAnswer, BacktestError> {
    let started = Instant::now();
    let mut laid_out = LaidOut::new(parts.in_force, request)?;
    let rules = laid_out.engine.rules().clone();
    let has_files = !rules.yara_sources().is_empty();
    let looks_at_events = rules.rules().iter().any(|rule| rule.kind != RuleKind::Yara);
    if !looks_at_events && !has_files && laid_out.signatures.is_none() {
        let broken = rules.broken().first().map_or_else(|| "there is none".to_owned(), ToString::to_string);
        return Err(BacktestError::Bad(format!("no rule can be run: {broken}")));
    }
    let time_max = Duration::from_secs(request.time_max_s.unwrap_or(TIME_S).clamp(1, TIME_MAX_S).into());
    let time = Time { ends: started + time_max, control };
    let only = match (looks_at_events, has_files, laid_out.signatures.is_some()) {
        (false, true, false) => Some("file.hash.sha256:*"),
        (false, false, true) => Some("network.community_id:*"),
        _ => None,
    };
    let walk = Walk {
        query: narrowed(&request.query, only),
        from: Some(request.from.clone().unwrap_or_else(|| "now-7d".to_owned())),
        to: request.to.clone(),
        set: request.set.clone(),
        time_max,
    };
    let mut past = Past::new(parts.groups);
    let mut files = files::Wanted::default();
    let mut flows = packets::Wanted::default();
    let (engine, mut events, mut is_cut) = (&mut laid_out.engine, 0, false);
    let walked = parts.search.walk(&walk, now_ns, &mut |event| {
        events += 1;
        for found in engine.process(&event) {
            // What sensors have alerted of is an event here, and not what these rules say.
            if looks_at_events && rules.rule(&found.rule.id).is_some() {
                past.take(&found, &event);
            }
        }
        if laid_out.signatures.is_some() {
            flows.add(&event);
        }
        control.tell("events", events, None, Some(event.time_ns));
        if has_files {
            files.add(event);
        }
        is_cut = time.is_over();
        !is_cut
    })?;
    let mut answer = BacktestAnswer {
        events: walked.events,
        until: walked.reached_ns.filter(|_| is_cut || time.is_over()).map(time_text),
        partial: walked.partial,
        broken: rules.broken().iter().take(RULES_MAX).map(ToString::to_string).collect(),
        ..BacktestAnswer::default()
    };
    if has_files {
        answer.files = files.scan(parts, &mut laid_out.engine, &mut past, time, &mut answer);
    }
    if let Some(signatures) = &laid_out.signatures {
        let asked = packets::Asked { signatures, scratch: &laid_out.folder.0, walk: &walk, now_ns };
        answer.flows = flows.read(parts, request, &asked, &mut past, time, &mut answer)?;
    }
    answer.rules = past.results(&rules, RULES_MAX);
    answer.partial.truncate(2 * TOLD_MAX);
    answer.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(answer)
}

/// A query of which only some events matter.
fn narrowed(query: &str, only: Option<&str>) -> String {
    match (query.trim(), only) {
        (query, None) => query.to_owned(),
        ("" | "*", Some(only)) => only.to_owned(),
        (query, Some(only)) => format!("({query}) AND {only}"),
    }
}

/// Says of something why it was not looked at, unless that was said of many already.
fn leave_out(answer: &mut BacktestAnswer, what: String) {
    if answer.partial.len() < TOLD_MAX {
        answer.partial.push(what);
    }
}

/// What was looked at, and what could not be.
fn looked(looked: usize, missing: usize) -> Looked {
    Looked { looked: looked as u64, missing: missing as u64 }
}

/// The rules of a request as files, and the engine that runs those that look at events and files.
struct LaidOut {
    engine: Engine,
    /// A folder with signatures, where there are some.
    signatures: Option<PathBuf>,
    folder: Scratch,
}

impl LaidOut {
    fn new(in_force: &RuleSet, request: &BacktestRequest) -> Result<LaidOut, BacktestError> {
        if request.rules.len() > RULE_FILES_MAX {
            return Err(BacktestError::Bad(format!("at most {RULE_FILES_MAX} files of rules at once")));
        }
        let folder = std::env::temp_dir().join(format!("luytre-backtest-{}", uuid::Uuid::now_v7()));
        crate::fleet::store::make_folder(&folder).context("make a folder")?;
        let folder = Scratch(folder);
        let (mut signatures, mut others) = (None, false);
        for (number, rule) in request.rules.iter().enumerate() {
            // Names come from outside: only what they end in matters to the loader.
            let is_plain = |c: &char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(c);
            let name: String = rule.file.rsplit('/').next().unwrap_or_default().chars().filter(is_plain).collect();
            let name = name.trim_start_matches('.');
            let below = match name.rsplit('.').next() {
                Some("rules") => {
                    let below = folder.0.join("signatures");
                    signatures = Some(below.clone());
                    below.join(format!("{number:04}"))
                }
                // The loader knows lists by their folder.
                Some("csv" | "toml") => folder.0.join("rules").join(format!("{number:04}")).join("intel"),
                _ => folder.0.join("rules").join(format!("{number:04}")),
            };
            others |= !below.starts_with(folder.0.join("signatures"));
            crate::fleet::store::make_folder(&below).context("make a folder")?;
            std::fs::write(below.join(name), &rule.text)
                .with_context(|| format!("write a rule into {}; check the room on the disk", folder.0.display()))?;
        }
        let engine = match others {
            false => Engine::empty(),
            true => {
                let pipelines = in_force.sources().filter(|source| source.kind == SourceKind::Pipeline);
                let paths: Vec<PathBuf> = std::iter::once(folder.0.join("rules"))
                    .chain(pipelines.map(|source| source.path.clone()).filter(|path| path.exists()))
                    .collect();
                luytre_rules_engine::load(&paths).map_err(|error| BacktestError::Bad(error.to_string()))?
            }
        };
        Ok(LaidOut { engine, signatures, folder })
    }
}

/// A folder that goes when this goes.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "remove the rules of a backtest");
        }
    }
}
