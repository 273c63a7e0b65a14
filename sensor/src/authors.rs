//! `luytre-sensor explain` and `luytre-sensor bench`: for people who write signatures.
//!
//! `explain` reads a capture with one rule in question and says how far it came: what held at which byte of which
//! buffer, and what failed first. `bench` says what loading a set takes, and on captures what each rule costs and how
//! often it matched.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use luytre_rules_engine::signatures::Signatures;
use luytre_rules_engine::signatures::probe::{Attempt, Cost, Probe};
use luytre_sensor::decode::Checksums;
use luytre_sensor::flow::FlowLimits;
use luytre_sensor::read::{self, Destination, ReadOptions, Summary};
use luytre_sensor::signatures;

/// Reasons that are printed.
const REASONS_MAX: usize = 10;

/// Arguments of `explain`.
#[derive(Args)]
pub struct ExplainArgs {
    /// Captures; - is standard input.
    #[arg(required = true)]
    captures: Vec<PathBuf>,
    /// Rule files, or folders of them: also those that the rule in question counts on.
    #[arg(long, required = true, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// What is changed about the rules without touching them.
    #[arg(long, value_name = "FILE")]
    tuning: Vec<PathBuf>,
    /// Signature id of the rule in question; the only one where there is one.
    #[arg(long)]
    sid: Option<u32>,
}

/// Arguments of `bench`.
#[derive(Args)]
pub struct BenchArgs {
    /// Captures; without any only loading is measured.
    captures: Vec<PathBuf>,
    /// Rule files, or folders of them.
    #[arg(long, required = true, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// What is changed about the rules without touching them.
    #[arg(long, value_name = "FILE")]
    tuning: Vec<PathBuf>,
    /// How many of the costliest rules are named.
    #[arg(long, default_value_t = 20)]
    worst: usize,
}

/// How far a rule comes.
pub fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let set = load(&args.rules, &args.tuning)?;
    let target = target(&set, args.sid)?;
    let rule = set.rules().get(target).context("the rule is gone")?;
    println!("sid {} rev {}: {}", rule.sid, rule.rev, rule.message);
    println!("{}:{}", rule.place.0, rule.place.1);
    if !rule.unsupported.is_empty() {
        println!("it can never match here: {}", rule.unsupported.join("; "));
    }
    let probe = Arc::new(Probe::new(set.len(), u32::try_from(target).ok()));
    let summary = run(&args.captures, &set, &probe)?;
    let story = probe.story();
    println!("looked at {} times, everything held {} times", story.looked, story.held);
    let told = probe.costs().get(target).copied().unwrap_or_default();
    println!("its prefilter let it be asked {} times, {} of them matched", told.asked, told.matched);
    story.attempts.iter().for_each(attempt);
    let mut failed: Vec<(&String, &u64)> = story.failed.iter().collect();
    failed.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    for (why, times) in failed.iter().take(REASONS_MAX) {
        println!("failed first, {times} times: {why}");
    }
    Ok(ended(&summary))
}

fn attempt(attempt: &Attempt) {
    let verdict = if attempt.failed.is_none() { "everything held" } else { "it failed" };
    println!(
        "\n{} {}, {}: {verdict}",
        luytre_events::json::time_text(attempt.time_ns),
        attempt.ends,
        attempt.occasion.words()
    );
    attempt.held.iter().for_each(|step| println!("  + {step}"));
    attempt.failed.iter().for_each(|step| println!("  - {step}"));
}

/// What loading takes, and what rules cost.
pub fn bench(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let (memory, began) = (resident_kb(), Instant::now());
    let set = load(&args.rules, &args.tuning)?;
    let loaded = began.elapsed();
    let grown = resident_kb().saturating_sub(memory) >> 10;
    println!("{} rules loaded in {:.2} s, {grown} MB, digest {}", set.len(), loaded.as_secs_f64(), set.digest);
    if args.captures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let probe = Arc::new(Probe::new(set.len(), None));
    let began = Instant::now();
    let summary = run(&args.captures, &set, &probe)?;
    let all = began.elapsed();
    let costs = probe.costs();
    let in_rules: Duration = costs.iter().map(|cost| cost.time).sum();
    let asked: u64 = costs.iter().map(|cost| cost.asked).sum();
    let packets = summary.stages.first().map_or(0, |stage| stage.counts.taken);
    println!(
        "{packets} packets in {:.2} s, {:.2} s of it in {asked} questions to rules (measuring slows both)",
        all.as_secs_f64(),
        in_rules.as_secs_f64()
    );
    let mut worst: Vec<(usize, &Cost)> = costs.iter().enumerate().filter(|(_, cost)| cost.asked > 0).collect();
    worst.sort_by_key(|(at, cost)| (std::cmp::Reverse(cost.time), *at));
    println!("    share      time     asked   matched  sid and name");
    for (at, cost) in worst.iter().take(args.worst) {
        let Some(rule) = set.rules().get(*at) else { continue };
        let share = 100.0 * cost.time.as_secs_f64() / in_rules.as_secs_f64().max(f64::MIN_POSITIVE);
        println!(
            "{share:7.1} % {:7.1} ms {:9} {:9}  {} {}",
            cost.time.as_secs_f64() * 1000.0,
            cost.asked,
            cost.matched,
            rule.sid,
            rule.message
        );
    }
    println!("{} rules were asked, {} matched", worst.len(), costs.iter().filter(|cost| cost.matched > 0).count());
    Ok(ended(&summary))
}

fn load(rules: &[PathBuf], tuning: &[PathBuf]) -> anyhow::Result<Arc<Signatures>> {
    let set = signatures::load(rules, tuning)?.context("no rules are named")?;
    for broken in set.broken.iter().take(REASONS_MAX) {
        eprintln!("luytre-sensor: {}: {}", broken.file, broken.what);
    }
    anyhow::ensure!(!set.is_empty(), "there is no rule that can be used");
    Ok(set)
}

/// The place of the rule in question.
fn target(set: &Signatures, sid: Option<u32>) -> anyhow::Result<usize> {
    match sid {
        Some(sid) => {
            let at = set.rules().iter().position(|rule| rule.sid == sid);
            at.with_context(|| format!("no rule that can be used has the sid {sid}"))
        }
        None if set.len() == 1 => Ok(0),
        None => anyhow::bail!("there are {} rules: say with --sid which one is in question", set.len()),
    }
}

fn run(captures: &[PathBuf], set: &Arc<Signatures>, probe: &Arc<Probe>) -> anyhow::Result<Summary> {
    let options = ReadOptions {
        files: captures.to_vec(),
        workers: 1,
        destination: Destination::Nowhere,
        limits: FlowLimits::default(),
        checksums: Checksums::Ignore,
        filter: None,
        rules: Some(set.clone()),
        probe: Some(probe.clone()),
    };
    Ok(read::read(options)?)
}

fn ended(summary: &Summary) -> ExitCode {
    for error in &summary.errors {
        eprintln!("luytre-sensor: {error}");
    }
    if summary.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Memory of this process now, as the kernel counts it; 0 where it does not say.
fn resident_kb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
