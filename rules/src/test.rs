//! `test`: runs the tests beside the rules.
//!
//! A test file `NAME.test.json` stands beside `NAME.yml`, `NAME.yar` or an indicator list and holds cases:
//!
//! ```json
//! {
//!   "fires":  [ { "name": "...", "rule": "ID (optional)", "events": [ { ... }, { "repeat": 30, "step_ms": 200, "event": { ... } } ] } ],
//!   "silent": [ { "name": "...", "events": [ ... ] } ]
//! }
//! ```
//!
//! For signatures a case has `traffic` instead: what one side sends at one moment, as `payload` of a packet or as `buffers`
//! of a transaction under the names that rules use, `protocol` as rules name it, and `from_server` where the server sends.
//!
//! Events are those of `luytre-sensor read`, shortened. In a repeated one `{n}` stands for its number from 1 (`{n+1000}`
//! for that plus 1000), and the time goes on by `step_ms` each. For YARA a case has `content` instead: texts (or
//! `hex:...`) that are joined, so that no test file holds what scanners look for. A file that says `"rules": "all"` is run
//! against every rule that was named on the command line, for traffic that nothing may object to.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use luytre_events::Event;
use luytre_rules_engine::scanner::ScannerClient;
use luytre_rules_engine::{Engine, load};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::check::SCAN_TIMEOUT_MS;
use crate::event::from_json;
use crate::signatures::{Traffic, set_off};

/// When the first event of a case happens, where it does not say: 2026-01-05 01:00 UTC, a Monday morning in Việt Nam.
const START_NS: i64 = 1_767_574_800_000_000_000;
/// The most events that one case may have.
const EVENTS_MAX: u64 = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rules: Scope,
    #[serde(default)]
    fires: Vec<Case>,
    #[serde(default)]
    silent: Vec<Case>,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Scope {
    #[default]
    Beside,
    All,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    rule: Option<String>,
    #[serde(default)]
    events: Vec<Json>,
    #[serde(default)]
    content: Vec<String>,
    traffic: Option<Traffic>,
}

/// Where a test file stands, and what it is about.
struct Suite {
    file: PathBuf,
    rules: Vec<PathBuf>,
}

/// Answers whether all tests pass.
pub(crate) fn run(paths: &[PathBuf], scanner: &Path, verbose: bool) -> Result<bool> {
    let (mut passed, mut failed) = (0u32, 0u32);
    for suite in suites(paths)? {
        let text = std::fs::read_to_string(&suite.file).with_context(|| format!("read {}", suite.file.display()))?;
        let file: File = serde_json::from_str(&text).with_context(|| format!("read {}", suite.file.display()))?;
        let rules = if file.rules == Scope::All { paths } else { suite.rules.as_slice() };
        for (case, wanted) in file.fires.iter().map(|c| (c, true)).chain(file.silent.iter().map(|c| (c, false))) {
            let place = format!("{}: {}", suite.file.display(), case.name);
            let problem = match fired(case, rules, scanner) {
                Ok(fired) => verdict(case, wanted, &fired),
                Err(error) => Some(format!("{error:#}")),
            };
            match problem {
                Some(why) => {
                    println!("FAILED {place}: {why}");
                    failed += 1;
                }
                None => {
                    if verbose {
                        println!("ok     {place}");
                    }
                    passed += 1;
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// What is wrong with the rules that fired, if anything is.
fn verdict(case: &Case, wanted: bool, fired: &[String]) -> Option<String> {
    let hit = match &case.rule {
        Some(rule) => fired.iter().any(|id| id == rule || id.ends_with(&format!(":{rule}"))),
        None => !fired.is_empty(),
    };
    match (wanted, hit) {
        (true, false) => Some(format!("did not fire; fired: {fired:?}")),
        (false, true) => Some(format!("fired: {fired:?}")),
        _ => None,
    }
}

/// Ids of the rules that fired in a case, each once.
fn fired(case: &Case, rules: &[PathBuf], scanner: &Path) -> Result<Vec<String>> {
    let mut engine = load(rules)?;
    let mut ids = match &case.traffic {
        Some(traffic) => set_off(traffic, rules)?,
        None => Vec::new(),
    };
    for event in events(case)? {
        ids.extend(engine.process(&event).into_iter().map(|m| m.rule.id.clone()));
    }
    if !case.content.is_empty() {
        ids.extend(scan(&mut engine, case, scanner)?);
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

fn scan(engine: &mut Engine, case: &Case, scanner: &Path) -> Result<Vec<String>> {
    let content = bytes(&case.content)?;
    let file = serde_json::json!({"event": {"dataset": "file"}, "file": {"name": "test", "size": content.len()}});
    let event = from_json(&file, 1, START_NS)?;
    let mut client = ScannerClient::new(scanner, engine.rules().yara_sources(), SCAN_TIMEOUT_MS);
    let found = client.scan(&content)?;
    Ok(found.iter().filter_map(|f| engine.file_match(&event, f)).map(|m| m.rule.id.clone()).collect())
}

/// Texts and `hex:` digits, joined.
pub(crate) fn bytes(pieces: &[String]) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for piece in pieces {
        match piece.strip_prefix("hex:") {
            Some(digits) => all.extend(from_hex(digits).with_context(|| format!("{piece:?} is not hexadecimal"))?),
            None => all.extend_from_slice(piece.as_bytes()),
        }
    }
    Ok(all)
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The events of a case, repeated ones written out.
fn events(case: &Case) -> Result<Vec<Event>> {
    let mut made = Vec::new();
    let mut time_ns = START_NS;
    for item in &case.events {
        let repeat = item.get("repeat").and_then(Json::as_u64).unwrap_or(1).min(EVENTS_MAX);
        let step_ms = item.get("step_ms").and_then(Json::as_i64).unwrap_or(1000);
        let template = item.get("event").filter(|e| e.get("dataset").is_none()).unwrap_or(item);
        for n in 1..=repeat {
            let json = numbered(template, n);
            made.push(from_json(&json, made.len() as u64 + 1, time_ns)?);
            time_ns = time_ns.saturating_add(step_ms.saturating_mul(1_000_000));
        }
    }
    Ok(made)
}

/// The template with `{n}` and `{n+K}` replaced.
fn numbered(json: &Json, n: u64) -> Json {
    match json {
        Json::String(text) => Json::String(number_in(text, n)),
        Json::Array(items) => Json::Array(items.iter().map(|item| numbered(item, n)).collect()),
        Json::Object(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), numbered(v, n))).collect()),
        other => other.clone(),
    }
}

fn number_in(text: &str, n: u64) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{n") {
        done.push_str(before);
        let (inside, behind) = after.split_once('}').unwrap_or((after, ""));
        let plus: u64 = inside.trim_start_matches('+').parse().unwrap_or(0);
        done.push_str(&(n + plus).to_string());
        rest = behind;
    }
    done.push_str(rest);
    done
}

/// The test files below the paths, in order. A test is about the rule files that share its name; one that names none
/// is about the whole folder.
fn suites(paths: &[PathBuf]) -> Result<Vec<Suite>> {
    let mut suites = Vec::new();
    for entry in paths.iter().flat_map(|path| walkdir::WalkDir::new(path).sort_by_file_name()) {
        let entry = entry.context("walk the rules")?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".test.json") else { continue };
        let folder = entry.path().parent().unwrap_or(Path::new("."));
        let beside: Vec<PathBuf> = ["yml", "yaml", "yar", "yara", "toml", "csv", "rules"]
            .iter()
            .map(|ending| folder.join(format!("{stem}.{ending}")))
            .filter(|path| path.is_file())
            .collect();
        let rules = if beside.is_empty() { vec![folder.to_owned()] } else { beside };
        suites.push(Suite { file: entry.into_path(), rules });
    }
    Ok(suites)
}
