//! `luytre-collector export` and `search --follow`.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use hyper::Method;
use luytre_collector_api::{ExportFormat, ExportRequest, SearchRequest, TOTAL_HEADER};

use crate::client::Client;
use crate::clock::now_ns;
use crate::index::Store;
use crate::search::Search;
use crate::search::export::Exporter;
use crate::settings::Settings;

/// Between two signs of progress.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Forms of an export.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Comma-separated values.
    Csv,
    /// JSON, one object a line.
    Jsonl,
}

/// `luytre-collector export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The query, as in a search; `| table FIELD, ...` names columns, groups are told as rows.
    query: String,
    /// The form.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Where it goes [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// These fields of each event.
    #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
    fields: Vec<String>,
    /// Begin CSV with a byte order mark, by which spreadsheets know Vietnamese letters.
    #[arg(long)]
    bom: bool,
    /// From this time on: RFC 3339, a day, or now-1h.
    #[arg(long)]
    from: Option<String>,
    /// Before this time.
    #[arg(long)]
    to: Option<String>,
    /// A named data set instead of the live one.
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
}

/// Exports through the running collector, or from its files when none runs.
pub async fn export(
    client: &Client,
    settings: &Settings,
    data: &Path,
    arguments: &ExportArguments,
) -> anyhow::Result<()> {
    let request = ExportRequest {
        query: arguments.query.clone(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        set: arguments.set.clone(),
        format: match arguments.format {
            Format::Csv => ExportFormat::Csv,
            Format::Jsonl => ExportFormat::Jsonl,
        },
        fields: arguments.fields.clone(),
        bom: arguments.bom,
    };
    // Written beside its place and renamed, so that what broke off is not taken for the whole.
    let beside = arguments.out.as_ref().map(|out| out.with_extension("part"));
    let out: Box<dyn Write + Send> = match &beside {
        Some(path) => Box::new(std::fs::File::create(path).with_context(|| format!("make {}", path.display()))?),
        None => Box::new(std::io::stdout()),
    };
    let mut out = Counted::new(out);
    let made = match client.is_there().await || !data.join("index").exists() {
        true => from_collector(client, &request, &mut out).await,
        false => from_files(settings, data, &request, &mut out),
    };
    let made = made.and_then(|total| out.flush().map(|()| total).context("write the export"));
    out.clear();
    match (&beside, &arguments.out, &made) {
        (Some(beside), Some(path), Ok(_)) => {
            std::fs::rename(beside, path).with_context(|| format!("write {}", path.display()))?;
        }
        (Some(beside), ..) => drop(std::fs::remove_file(beside)),
        (None, ..) => {}
    }
    made.inspect_err(|error| super::point(error, &arguments.query))
        .map(|total| eprintln!("{total} events match, {} lines", out.lines))
}

async fn from_collector(
    client: &Client,
    request: &ExportRequest,
    out: &mut Counted<Box<dyn Write + Send>>,
) -> anyhow::Result<u64> {
    let body = serde_json::to_vec(request)?.into();
    let (_, headers) = client.download_with(Method::POST, "/v1/export", body, out).await?;
    let total = headers.get(TOTAL_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(total.unwrap_or_default())
}

/// Exports from the index of a collector that does not run.
fn from_files(settings: &Settings, data: &Path, request: &ExportRequest, out: &mut impl Write) -> anyhow::Result<u64> {
    let store = Store::open(&data.join("index")).context("open the index")?;
    let refused = |error| anyhow::Error::from(crate::client::Refused(crate::api::Failure::from(error).into_error()));
    let mut exporter =
        Exporter::begin(Search::new(store, settings.search.clone()), request, now_ns()).map_err(refused)?;
    while let Some(piece) = exporter.next(now_ns()).map_err(refused)? {
        out.write_all(piece.as_bytes()).context("write the export")?;
    }
    Ok(exporter.total)
}

/// Counts lines on their way, and tells of them on a terminal.
struct Counted<W> {
    out: W,
    lines: u64,
    told: Instant,
    wanted: bool,
}

impl<W: Write> Counted<W> {
    fn new(out: W) -> Counted<W> {
        Counted { out, lines: 0, told: Instant::now(), wanted: std::io::stderr().is_terminal() }
    }

    fn clear(&self) {
        if self.wanted {
            eprint!("\r\x1b[K");
        }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        let new = bytes.get(..written).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        self.lines += new as u64;
        if self.wanted && self.told.elapsed() >= PROGRESS_EVERY {
            self.told = Instant::now();
            eprint!("\r\x1b[K{} lines", self.lines);
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Prints events as they come in, a line of JSON each, until it is ended.
pub async fn follow(client: &Client, query: &str) -> anyhow::Result<()> {
    let request = SearchRequest { query: query.to_owned(), ..SearchRequest::default() };
    let body = serde_json::to_vec(&request)?.into();
    let mut out = Lively(std::io::stdout());
    client.download_with(Method::POST, "/v1/search/follow", body, &mut out).await.map(drop)
}

/// Shows lines at once, without those that are only a sign of life.
struct Lively<W>(W);

impl<W: Write> Write for Lively<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes != b"\n" {
            self.0.write_all(bytes)?;
            self.0.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
