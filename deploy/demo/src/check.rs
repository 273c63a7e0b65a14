//! `--check`: logs in as the first administrator and verifies, through the console's API, that the demo shows what it
//! promises: the alerts of `expected.toml`, events that search finds, a ledger without a remainder, a report as PDF.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::session::Session;

/// What the story must lead to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Rules that must have fired.
    pub alert: Vec<ExpectedAlert>,
    /// Queries that must find events.
    pub query: Vec<ExpectedQuery>,
}

/// A rule that must have fired.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedAlert {
    /// `rule.id`.
    pub rule: String,
    /// What it is about, for the summary.
    pub name: String,
    /// The source address of one of its alerts, where it matters.
    #[serde(default)]
    pub source: Option<String>,
}

/// A query that must find events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedQuery {
    /// The query.
    pub query: String,
    /// At least this many events.
    pub at_least: u64,
}

/// One line of the summary.
#[derive(Debug)]
pub struct Verdict {
    /// What was looked at.
    pub name: String,
    /// What was found, or why it is not as promised.
    pub found: Result<String>,
}

impl Expected {
    /// Reads the list.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a list of expectations", path.display()))
    }
}

/// Verifies everything; one line each.
pub fn verify(session: &Session, expected: &Expected) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut say = |name: &str, found: Result<String>| verdicts.push(Verdict { name: name.to_owned(), found });
    let alerts = all_alerts(session);
    for wanted in &expected.alert {
        let found =
            alerts.as_ref().map_err(|error| anyhow::anyhow!("{error:#}")).and_then(|alerts| fired(alerts, wanted));
        say(&format!("alert: {}", wanted.name), found);
    }
    for wanted in &expected.query {
        say(&format!("search: {}", wanted.query), finds(session, wanted));
    }
    say("every alert explains itself", alerts.and_then(|alerts| explained(session, &alerts)));
    say("ledger", balanced(session));
    say("report as PDF", report(session));
    verdicts
}

/// All alerts of all states.
pub fn all_alerts(session: &Session) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = session.get(&format!("/alerts?status=all&limit=200{cursor}"))?;
        rows.extend(answer["items"].as_array().context("an alert list without items")?.iter().cloned());
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(rows),
        }
    }
}

fn fired(alerts: &[Value], wanted: &ExpectedAlert) -> Result<String> {
    let rows: Vec<&Value> = alerts.iter().filter(|row| row["rule_id"] == wanted.rule.as_str()).collect();
    ensure!(!rows.is_empty(), "the rule {} raised no alert", wanted.rule);
    if let Some(source) = &wanted.source {
        let from = |row: &&&Value| {
            let address = row["source"]["ip"].as_str().or(row["source"].as_str()).unwrap_or_default();
            address == source || address.starts_with(&format!("{source}:"))
        };
        ensure!(rows.iter().any(|row| from(&row)), "no alert of the rule {} is about {source}", wanted.rule);
    }
    Ok(format!("{} ({})", rows.len(), rows.first().and_then(|row| row["severity"].as_str()).unwrap_or("?")))
}

fn finds(session: &Session, wanted: &ExpectedQuery) -> Result<String> {
    let total = session.search(&wanted.query)?["total"].as_u64().context("a search answer without a total")?;
    ensure!(total >= wanted.at_least, "{total} events, at least {} expected", wanted.at_least);
    Ok(format!("{total} events"))
}

/// An alert page has to say which rule, why, and what to do, in Vietnamese.
fn explained(session: &Session, alerts: &[Value]) -> Result<String> {
    for row in alerts {
        let id = row["id"].as_str().context("an alert without an id")?;
        let alert = &session.get(&format!("/alerts/{id}"))?["alert"];
        let name = alert["rule"]["name"].as_str().unwrap_or_default().to_owned();
        ensure!(alert["rule"]["name_vi"].is_string(), "the rule \"{name}\" has no Vietnamese name");
        ensure!(alert["rule"]["description_vi"].is_string(), "the rule \"{name}\" has no Vietnamese description");
        ensure!(alert["matched"].as_array().is_some_and(|all| !all.is_empty()), "\"{name}\" names no matched field");
    }
    Ok(format!("{} alerts", alerts.len()))
}

fn balanced(session: &Session) -> Result<String> {
    let sensors = session.get("/sensors")?;
    let sensors = sensors.as_array().or(sensors["items"].as_array()).context("no list of sensors")?.clone();
    ensure!(!sensors.is_empty(), "no sensor");
    for sensor in &sensors {
        let remainder = sensor["unaccounted"].as_i64().context("a sensor without a remainder")?;
        ensure!(remainder == 0, "{} unaccounted of {}", remainder, sensor["name"]);
        ensure!(
            sensor["stages"].as_array().is_some_and(|stages| !stages.is_empty()),
            "no counters of {}",
            sensor["name"]
        );
    }
    Ok("0 unaccounted".to_owned())
}

fn report(session: &Session) -> Result<String> {
    // Without a date the console takes today's.
    let answer = session.send("GET", "/reports/daily_summary.pdf?lang=vi", None)?;
    ensure!(answer.status == 200, "status {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    ensure!(answer.body.starts_with(b"%PDF"), "what came is no PDF");
    Ok(format!("{} bytes", answer.body.len()))
}

/// Prints the summary; says whether everything is as promised.
pub fn print(verdicts: &[Verdict]) -> bool {
    for verdict in verdicts {
        match &verdict.found {
            Ok(found) => println!("  ok    {:<58} {found}", verdict.name),
            Err(error) => println!("  FAIL  {:<58} {error:#}", verdict.name),
        }
    }
    let failed = verdicts.iter().filter(|verdict| verdict.found.is_err()).count();
    println!("{} passed, {failed} failed", verdicts.len() - failed);
    failed == 0
}
