//! `luytre-collector queries`: saved queries, which may run by themselves and alert.

use std::io::Write as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use luytre_collector_api::{QueryAlert, SavedQuery, SavedQueryRequest, Schedule, Severity};

use super::print_table;
use crate::client::Client;

/// `luytre-collector queries ...`.
#[derive(Debug, Subcommand)]
pub enum QueriesCommand {
    /// Keep a query, or change one.
    Save(SaveArguments),
    /// Remove a query.
    Remove {
        /// Its id.
        id: String,
    },
}

/// `luytre-collector queries save`.
#[derive(Debug, Args)]
pub struct SaveArguments {
    /// The query.
    query: String,
    /// Its name, English.
    #[arg(long)]
    name: String,
    /// Its name, Vietnamese.
    #[arg(long)]
    name_vi: String,
    /// Change the query of this id.
    #[arg(long)]
    id: Option<String>,
    /// Run it this often: 5m, 1h, 1d.
    #[arg(long, value_parser = seconds)]
    every: Option<u64>,
    /// Over this much time before (default: as often as it runs).
    #[arg(long, value_parser = seconds, requires = "every")]
    window: Option<u64>,
    /// Alert when there are at least so many events, or when a row of `by` has so many.
    #[arg(long, requires = "every", requires = "reason", requires = "reason_vi")]
    threshold: Option<u64>,
    /// How bad that is: info, low, medium, high, critical.
    #[arg(long, default_value = "medium", value_parser = severity)]
    severity: Severity,
    /// Why that matters, English.
    #[arg(long)]
    reason: Option<String>,
    /// Why that matters, Vietnamese.
    #[arg(long)]
    reason_vi: Option<String>,
}

fn seconds(text: &str) -> Result<u64, String> {
    let bad = || format!("expected a time such as 5m, 1h or 1d, not `{text}`");
    let unit = match text.chars().next_back().ok_or_else(bad)? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(bad()),
    };
    let number = text.get(..text.len() - 1).and_then(|number| number.parse::<u64>().ok()).ok_or_else(bad)?;
    number.checked_mul(unit).ok_or_else(bad)
}

fn severity(text: &str) -> Result<Severity, String> {
    serde_json::from_value(text.into()).map_err(|_| "expected info, low, medium, high or critical".to_owned())
}

/// Lists the saved queries, or does what is asked about one.
pub async fn queries(client: &Client, json: bool, command: Option<&QueriesCommand>) -> anyhow::Result<()> {
    match command {
        None => list(client, json).await,
        Some(QueriesCommand::Remove { id }) => {
            let gone: SavedQuery = client.delete(&format!("/v1/queries/{id}")).await?;
            println!("removed {}: {}", gone.id, gone.name);
            Ok(())
        }
        Some(QueriesCommand::Save(wished)) => save(client, wished).await,
    }
}

async fn save(client: &Client, wished: &SaveArguments) -> anyhow::Result<()> {
    let SaveArguments { reason, reason_vi, severity, .. } = wished;
    let alert = wished.threshold.map(|threshold| QueryAlert {
        threshold,
        severity: *severity,
        reason_vi: reason_vi.clone().unwrap_or_default(),
        reason: reason.clone().unwrap_or_default(),
        advice_vi: None,
        advice: None,
    });
    let mut request = SavedQueryRequest {
        name_vi: wished.name_vi.clone(),
        name: wished.name.clone(),
        query: wished.query.clone(),
        shared: true,
        schedule: wished.every.map(|every_s| Schedule { every_s, window_s: wished.window, alert }),
        version: None,
        by: None,
    };
    let kept: SavedQuery = match &wished.id {
        None => client.post("/v1/queries", &request).await?,
        Some(id) => {
            let known: SavedQuery = client.get(&format!("/v1/queries/{id}")).await?;
            request.version = Some(known.version);
            client.put(&format!("/v1/queries/{id}"), &request).await?
        }
    };
    println!("{}", kept.id);
    Ok(())
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let queries: Vec<SavedQuery> = client.get("/v1/queries").await?;
    let mut out = std::io::stdout().lock();
    if json {
        for query in &queries {
            writeln!(out, "{}", serde_json::to_string(query)?)?;
        }
        return Ok(());
    }
    let columns = ["id", "name", "every", "last", "found", "alerts", "missed", "query"].map(str::to_owned);
    let row = |query: &SavedQuery| {
        let runs = &query.runs;
        let every = query.schedule.as_ref().map_or_else(String::new, |schedule| format!("{} s", schedule.every_s));
        let last = runs.error.clone().or_else(|| runs.last.clone()).unwrap_or_default();
        let counts = [runs.found, runs.alerts, runs.missed].map(|count| count.to_string());
        let about = vec![query.id.clone(), query.name.clone(), every, last];
        [about, counts.to_vec(), vec![query.query.clone()]].concat()
    };
    print_table(&columns, &queries.iter().map(row).collect::<Vec<_>>(), &mut out).context("write the saved queries")
}
