//! `luytre-collector backtest`: what rules would have said of the events that are there.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use luytre_collector_api::{BacktestAnswer, BacktestRequest, BacktestRule, FacetValue};

use super::print_table;
use crate::client::Client;

/// `luytre-collector backtest`.
#[derive(Debug, Args)]
pub struct BacktestArguments {
    /// Files of Sigma rules and indicator lists.
    #[arg(required = true)]
    rules: Vec<PathBuf>,
    /// From this time on: RFC 3339, a day, or now-1h.
    #[arg(long, default_value = "now-7d")]
    from: String,
    /// Before this time.
    #[arg(long)]
    to: Option<String>,
    /// Only these events: a query without stages.
    #[arg(long, default_value = "")]
    query: String,
    /// A named data set instead of the live one.
    #[arg(long)]
    set: Option<String>,
    /// End after so many seconds, at most 900.
    #[arg(long, default_value_t = 60)]
    time_max_s: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs rules over the past and prints what they would have said.
pub async fn backtest(client: &Client, wished: &BacktestArguments) -> anyhow::Result<ExitCode> {
    let mut rules = Vec::new();
    for path in &wished.rules {
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        rules.push(BacktestRule { file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text });
    }
    let request = BacktestRequest {
        rules,
        from: Some(wished.from.clone()),
        to: wished.to.clone(),
        query: wished.query.clone(),
        set: wished.set.clone(),
        time_max_s: Some(wished.time_max_s),
    };
    let answer: BacktestAnswer = client.post("/v1/backtest", &request).await?;
    let mut out = std::io::stdout().lock();
    if wished.json {
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
    } else {
        print(&answer, &mut out).context("write the answer")?;
    }
    Ok(if answer.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(answer: &BacktestAnswer, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let told = |values: &[FacetValue]| {
        let told: Vec<String> = values.iter().take(3).map(|one| format!("{} {}", one.count, one.value)).collect();
        told.join(", ")
    };
    let columns =
        ["alerts", "matches", "severity", "rule", "days", "agencies", "sources", "example"].map(str::to_owned);
    let rows: Vec<Vec<String>> = answer
        .rules
        .iter()
        .map(|rule| {
            let days: Vec<String> = rule.days.iter().map(|(day, count)| format!("{day}: {count}")).collect();
            vec![
                rule.alerts.to_string(),
                rule.matches.to_string(),
                format!("{:?}", rule.severity).to_lowercase(),
                rule.name.clone(),
                days.join(", "),
                told(&rule.agencies),
                told(&rule.sources),
                rule.examples.first().cloned().unwrap_or_default(),
            ]
        })
        .collect();
    print_table(&columns, &rows, out)?;
    writeln!(out, "{} events in {} ms", answer.events, answer.took_ms)?;
    if let Some(until) = &answer.until {
        writeln!(
            out,
            "the time was over: events after {until} were not looked at; choose a shorter period or a query"
        )?;
    }
    let left = answer.partial.iter().map(|what| format!("left out: {what}"));
    let broken = answer.broken.iter().map(|what| format!("broken: {what}"));
    left.chain(broken).try_for_each(|line| writeln!(out, "{line}"))
}
