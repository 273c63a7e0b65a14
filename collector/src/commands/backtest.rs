//! `luytre-collector backtest`: what rules would have said of the events, files and packets that are there.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use hyper::Method;
use luytre_collector_api::{BacktestAnswer, BacktestLine, BacktestRequest, BacktestRule, FacetValue, Looked};

use super::print_table;
use crate::client::{Client, Refused};

/// `luytre-collector backtest`.
#[derive(Debug, Args)]
pub struct BacktestArguments {
    /// Files of Sigma rules (.yml), indicator lists (.csv, .toml), YARA rules (.yar) and signatures (.rules).
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
    /// Signatures look at so many megabytes of packets, at most 4096.
    #[arg(long, default_value_t = 256)]
    packets_mb: u32,
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
        packets_mb: Some(wished.packets_mb),
    };
    let answer = followed(client, &request).await?;
    let mut out = std::io::stdout().lock();
    if wished.json {
        writeln!(out, "{}", serde_json::to_string(&answer)?)?;
    } else {
        print(&answer, &mut out).context("write the answer")?;
    }
    Ok(if answer.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs it, and tells on a terminal how far it is. Ctrl-C ends it there, too, because it ends the connection.
async fn followed(client: &Client, request: &BacktestRequest) -> anyhow::Result<BacktestAnswer> {
    let mut lines = Lines { line: Vec::new(), last: None, wanted: std::io::stderr().is_terminal() };
    let body = serde_json::to_vec(request)?.into();
    client.download_with(Method::POST, "/v1/backtest/follow", body, &mut lines).await?;
    if lines.wanted {
        eprint!("\r\x1b[K");
    }
    match lines.last {
        Some(BacktestLine::Answer(answer)) => Ok(*answer),
        Some(BacktestLine::Error(error)) => Err(Refused(error).into()),
        _ => anyhow::bail!("the collector broke the backtest off; its log says why"),
    }
}

/// The longest line.
const LINE_MAX_BYTES: usize = 64 << 20;

/// Takes the lines of a backtest as they come.
struct Lines {
    line: Vec<u8>,
    last: Option<BacktestLine>,
    wanted: bool,
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.len() > LINE_MAX_BYTES {
                return Err(std::io::Error::other("the collector's answer is longer than it can be"));
            }
            if piece.last() != Some(&b'\n') {
                continue;
            }
            let line: BacktestLine = serde_json::from_slice(&std::mem::take(&mut self.line))?;
            if let (BacktestLine::Progress(progress), true) = (&line, self.wanted) {
                let all = progress.all.map(|all| format!(" of {all}")).unwrap_or_default();
                let reached = progress.reached.as_deref().unwrap_or_default();
                eprint!("\r\x1b[K{} {}{all} {reached}", progress.done, progress.phase);
            }
            self.last = Some(line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
    write!(out, "{} events", answer.events)?;
    for (what, Looked { looked, missing }) in [("files", answer.files), ("flows", answer.flows)] {
        if looked + missing > 0 {
            write!(out, ", {looked} {what} ({missing} could not be looked at)")?;
        }
    }
    writeln!(out, " in {} ms", answer.took_ms)?;
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
