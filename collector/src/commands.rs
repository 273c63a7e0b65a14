//! What the command line prints: each command asks the running collector and writes a table or JSON lines.

mod backtest;
mod backup;
mod evidence;
mod export;
mod import;
mod queries;
mod sources;

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use luytre_collector_api::{
    ApiCertificate, ApiCertificateRequest, EventDocument, Health, RulesAnswer, SearchAnswer, SearchRequest, Sensor,
    Table, Token, TokenRequest,
};

use crate::client::{Client, Refused};
use crate::fleet::Fleet;
use crate::index::Store;
use crate::search::Search;
use crate::settings::Settings;

pub use backtest::{BacktestArguments, backtest};
pub use backup::{BackupArguments, RestoreArguments, StatusArguments, backup, restore, status};
pub use evidence::{EvidenceCommand, ReplayArguments, VerifyArguments, evidence, replay, verify};
pub use export::{ExportArguments, export};
pub use import::{ImportArguments, SetsArguments, import, sets};
pub use queries::{QueriesCommand, queries};
pub use sources::{SourcesCommand, sources};

/// `luytre-collector search`.
#[derive(Debug, Args)]
pub struct SearchArguments {
    /// The query, for example 'source.ip:192.0.2.0/24 AND dns.question.name:*.example | count by source.ip'.
    query: String,
    /// From this time on: RFC 3339, a day, or now-1h.
    #[arg(long)]
    from: Option<String>,
    /// Before this time.
    #[arg(long)]
    to: Option<String>,
    /// At most this many events.
    #[arg(long)]
    limit: Option<u32>,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
    /// Search a named data set instead of the live one.
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    /// Print events as they come in, one JSON object a line, until it is ended.
    #[arg(long, conflicts_with_all = ["from", "to", "limit", "set"])]
    follow: bool,
}

/// `luytre-collector packets`.
#[derive(Debug, Args)]
pub struct PacketsArguments {
    /// The flow: network.community_id of its events, such as 1:LQU9qZlK+B5F3KDmev6m5PMibrg=.
    #[arg(long, value_name = "COMMUNITY_ID")]
    flow: String,
    /// The sensor to ask; without one, the sensor with the most events of the flow.
    #[arg(long, value_name = "NAME")]
    sensor: Option<String>,
    /// From this time on: RFC 3339, a day, or now-1h.
    #[arg(long)]
    from: Option<String>,
    /// Until this time.
    #[arg(long)]
    to: Option<String>,
    /// At most this many megabytes (default 32).
    #[arg(long, value_name = "MB")]
    limit_mb: Option<u32>,
    /// Where the packets go.
    #[arg(long, value_name = "FILE.pcapng")]
    out: PathBuf,
}

/// Fetches the packets of a flow from the sensor that keeps them.
pub async fn packets(client: &Client, arguments: &PacketsArguments) -> anyhow::Result<()> {
    let by = std::env::var("USER").unwrap_or_else(|_| "command line".to_owned());
    let limit_mb = arguments.limit_mb.map(|limit| limit.to_string());
    let pairs = [
        ("flow", Some(&arguments.flow)),
        ("sensor", arguments.sensor.as_ref()),
        ("from", arguments.from.as_ref()),
        ("to", arguments.to.as_ref()),
        ("limit_mb", limit_mb.as_ref()),
        ("by", Some(&by)),
    ];
    let pairs: Vec<String> =
        pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", escaped(value?)))).collect();
    let path = arguments.out.display();
    // Under another name until it is whole.
    let partial = arguments.out.with_extension("partial");
    let mut file = std::fs::File::create(&partial).with_context(|| format!("write {}", partial.display()))?;
    let fetched = client.download(&format!("/v1/packets?{}", pairs.join("&")), &mut file).await;
    let fetched = fetched.inspect_err(|_| drop(std::fs::remove_file(&partial)));
    let fetched = fetched.with_context(|| format!("fetch packets into {path}"))?;
    std::fs::rename(&partial, &arguments.out).with_context(|| format!("write {path}"))?;
    eprintln!("{fetched} bytes in {path}");
    Ok(())
}

/// A value for a query string (RFC 3986 section 2.1).
fn escaped(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(one).collect()
}

/// Searches and prints, through the running collector, or in its files when none runs.
pub async fn search(
    client: &Client,
    settings: &Settings,
    data: &Path,
    arguments: &SearchArguments,
) -> anyhow::Result<()> {
    if arguments.follow {
        return export::follow(client, &arguments.query).await.inspect_err(|error| point(error, &arguments.query));
    }
    let request = SearchRequest {
        query: arguments.query.clone(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        limit: arguments.limit,
        set: arguments.set.clone(),
        ..SearchRequest::default()
    };
    let answer: SearchAnswer = match client.is_there().await || !data.join("index").exists() {
        true => client.post("/v1/search", &request).await,
        false => search_files(settings, data, &request),
    }
    .inspect_err(|error| point(error, &request.query))?;
    let mut out = std::io::stdout().lock();
    print_answer(&answer, arguments.json, &mut out).context("write the answer")?;
    eprintln!("{} events in {} ms", answer.total, answer.took_ms);
    answer.partial.iter().for_each(|partial| eprintln!("incomplete: {partial}"));
    Ok(())
}

/// Shows where in a query a mistake is.
fn point(error: &anyhow::Error, query: &str) {
    if let Some(Refused(refused)) = error.downcast_ref::<Refused>()
        && let Some(position) = refused.position
    {
        eprintln!("{query}\n{}^", " ".repeat(position as usize));
    }
}

/// Searches the index of a collector that does not run.
fn search_files(settings: &Settings, data: &Path, request: &SearchRequest) -> anyhow::Result<SearchAnswer> {
    let store = Store::open(&data.join("index")).context("open the index")?;
    let answer = Search::new(store, settings.search.clone()).run(request, crate::clock::now_ns());
    answer.map_err(|error| Refused(crate::api::Failure::from(error).into_error()).into())
}

fn print_answer(answer: &SearchAnswer, json: bool, out: &mut impl std::io::Write) -> std::io::Result<()> {
    if json {
        for event in &answer.events {
            writeln!(out, "{}", serde_json::to_string(event)?)?;
        }
        if let Some(table) = &answer.table {
            for row in &table.rows {
                let row: serde_json::Map<_, _> = table.columns.iter().cloned().zip(row.iter().cloned()).collect();
                writeln!(out, "{}", serde_json::to_string(&row)?)?;
            }
        }
        for bar in answer.timeline.iter().flat_map(|timeline| &timeline.bars) {
            writeln!(out, "{}", serde_json::to_string(bar)?)?;
        }
        return Ok(());
    }
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    let columns: Vec<String> = match (&answer.table, &answer.timeline) {
        (Some(Table { columns, rows: cells }), _) => {
            rows.extend(cells.iter().map(|row| row.iter().map(text).collect()));
            columns.clone()
        }
        (None, Some(timeline)) => {
            rows.extend(timeline.bars.iter().map(|bar| vec![bar.start.clone(), bar.count.to_string()]));
            vec!["start".to_owned(), "count".to_owned()]
        }
        (None, None) => {
            rows.extend(answer.events.iter().map(event_row));
            ["time", "dataset", "source", "destination", "what"].map(str::to_owned).to_vec()
        }
    };
    print_table(&columns, &rows, out)
}

/// The few fields of an event that fit on a line.
fn event_row(event: &EventDocument) -> Vec<String> {
    let at = |path: &str| {
        let mut parts = path.split('.');
        let first = event.0.get(parts.next()?)?;
        let value = parts.try_fold(first, |value, part| value.get(part))?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let endpoint = |side: &str| {
        let ip = at(&format!("{side}.ip")).unwrap_or_default();
        at(&format!("{side}.port")).map_or(ip.clone(), |port| format!("{ip} {port}"))
    };
    let what =
        ["dns.question.name", "url.full", "url.original", "tls.client.server_name", "file.name", "network.protocol"];
    vec![
        at("@timestamp").unwrap_or_default(),
        at("event.dataset").unwrap_or_default(),
        endpoint("source"),
        endpoint("destination"),
        what.into_iter().find_map(at).unwrap_or_default(),
    ]
}

/// The widest a column is printed.
const COLUMN_MAX: usize = 80;

fn print_table(columns: &[String], rows: &[Vec<String>], out: &mut impl std::io::Write) -> std::io::Result<()> {
    // Control characters of hostile traffic must not reach the terminal.
    let shown = |cell: &str| -> String {
        cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(COLUMN_MAX).collect()
    };
    let mut widths: Vec<usize> = columns.iter().map(|column| column.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(shown(cell).chars().count());
        }
    }
    for row in std::iter::once(columns).chain(rows.iter().map(Vec::as_slice)) {
        let cells: Vec<String> =
            widths.iter().zip(row).map(|(w, cell)| format!("{:w$}", shown(cell), w = *w)).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Makes a token through the running collector, or in its files when none runs.
pub async fn create_token(client: &Client, settings: &Settings, data: &Path, name: &str) -> anyhow::Result<()> {
    let token: Token = if client.is_there().await {
        client.post("/v1/tokens", &TokenRequest { name: name.to_owned() }).await?
    } else {
        let fleet = Fleet::open(&data.join("fleet"), &settings.fleet).context("open the fleet")?;
        fleet.create_token(name)?
    };
    println!("{}", token.token);
    eprintln!("for a sensor called {}; works once, until {}", token.name, token.expires);
    Ok(())
}

/// `luytre-collector api-certificate`.
#[derive(Debug, Args)]
pub struct ApiCertificateArguments {
    /// What the client is called; making one of the same name again replaces the one before.
    #[arg(long)]
    name: String,
    /// The folder for authority.pem, certificate.pem and key.pem.
    #[arg(long, value_name = "DIR", required_unless_present = "revoke")]
    out: Option<PathBuf>,
    /// No longer let this client connect.
    #[arg(long, conflicts_with = "out")]
    revoke: bool,
}

/// Makes or revokes a certificate for the API, through the running collector or in its files when none runs.
pub async fn api_certificate(
    client: &Client,
    settings: &Settings,
    data: &Path,
    arguments: &ApiCertificateArguments,
) -> anyhow::Result<()> {
    let name = &arguments.name;
    let fleet = match client.is_there().await {
        true => None,
        false => Some(Fleet::open(&data.join("fleet"), &settings.fleet).context("open the fleet")?),
    };
    let Some(out) = &arguments.out else {
        match &fleet {
            Some(fleet) => fleet.revoke_api(name)?,
            None => {
                let path = format!("/v1/api-certificates/{name}/revoke");
                client.post::<ApiCertificateRequest>(&path, &()).await.map(drop)?;
            }
        }
        println!("{name} is no longer let in");
        return Ok(());
    };
    let made: ApiCertificate = match &fleet {
        Some(fleet) => fleet.issue_api(name)?,
        None => client.post("/v1/api-certificates", &ApiCertificateRequest { name: name.clone() }).await?,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(out)
        .with_context(|| format!("make the folder {}", out.display()))?;
    for (file, content) in
        [("authority.pem", &made.authority), ("certificate.pem", &made.certificate), ("key.pem", &made.key)]
    {
        let path = out.join(file);
        // Whole or not at all: half a key would only be found out by the console.
        crate::fleet::store::replace(&path, content.as_bytes())
            .with_context(|| format!("write {}; check the room on the disk", path.display()))?;
    }
    println!("{}", out.display());
    eprintln!("for a client called {name}, until {}; name these files in the console's [collector]", made.expires);
    Ok(())
}

/// Prints the sensors.
pub async fn sensors(client: &Client) -> anyhow::Result<()> {
    let sensors: Vec<Sensor> = client.get("/v1/sensors").await?;
    let columns = ["name", "state", "last seen", "events", "unaccounted"].map(str::to_owned);
    let rows: Vec<Vec<String>> = sensors
        .iter()
        .map(|sensor| {
            let events = sensor.stages.iter().rfind(|stage| stage.unit == "events").map_or(0, |stage| stage.given);
            vec![
                sensor.name.clone(),
                format!("{:?}", sensor.state).to_lowercase(),
                sensor.last_seen.clone().unwrap_or_default(),
                events.to_string(),
                sensor.unaccounted.to_string(),
            ]
        })
        .collect();
    print_table(&columns, &rows, &mut std::io::stdout().lock()).context("write the sensors")
}

/// Prints the rules.
pub async fn rules(client: &Client) -> anyhow::Result<()> {
    print_rules(&client.get("/v1/rules").await?)
}

/// Loads the rules anew and prints them.
pub async fn reload_rules(client: &Client) -> anyhow::Result<()> {
    print_rules(&client.post("/v1/rules/reload", &()).await?)
}

fn print_rules(answer: &RulesAnswer) -> anyhow::Result<()> {
    let columns = ["severity", "hits", "file", "name"].map(str::to_owned);
    let rows: Vec<Vec<String>> = answer
        .rules
        .iter()
        .map(|line| {
            let severity = format!("{:?}", line.severity).to_lowercase();
            vec![severity, line.hits.to_string(), line.file.clone(), line.rule.name.clone()]
        })
        .collect();
    let mut out = std::io::stdout().lock();
    print_table(&columns, &rows, &mut out).context("write the rules")?;
    for broken in &answer.broken {
        let line = broken.line.map(|line| format!(":{line}")).unwrap_or_default();
        writeln!(out, "broken: {}{line}: {}", broken.file, broken.reason)?;
    }
    Ok(())
}

/// Says whether the configuration is right and, where a collector runs, whether it is well.
pub async fn check(client: &Client, settings: &Settings, data: &Path) -> anyhow::Result<ExitCode> {
    let engine = luytre_rules_engine::load(&settings.rules(data))?;
    let health: Option<Health> = if client.is_there().await { Some(client.get("/v1/health").await?) } else { None };
    let mut out = std::io::stdout().lock();
    writeln!(out, "configuration: right")?;
    let rules = engine.rules();
    writeln!(out, "rules: {} in force, {} broken", rules.rules().len(), rules.broken().len())?;
    for broken in rules.broken() {
        writeln!(out, "  {broken}")?;
    }
    let Some(health) = health else {
        writeln!(out, "collector: not running on this data directory")?;
        return Ok(ExitCode::SUCCESS);
    };
    let Health { version, indexed_events, index_lag_events, .. } = &health;
    writeln!(out, "collector: {version} with {indexed_events} events, {index_lag_events} waiting")?;
    for problem in &health.problems {
        writeln!(out, "  {problem}")?;
    }
    Ok(if health.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
