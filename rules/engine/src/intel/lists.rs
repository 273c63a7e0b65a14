//! How lists are written. A TOML file describes a list and holds its indicators, or names a CSV file beside it:
//!
//! ```toml
//! id = "9d1c..."                    # rule.id of its matches
//! title = "Sink-holed domains"
//! title_vi = "..."                  # and description, description_vi, advice, advice_vi, level, tags, references
//! csv = "sinkholed.csv"             # optional; header: kind,value,description,source,expires
//!
//! [[indicator]]
//! kind = "domain"                   # domain, ip, cidr, url, hash, ja3, ja3s, ja4
//! value = "c2.sinkhole.example"
//! description = "..."
//! source = "..."
//! expires = "2027-12-31"            # first day on which it no longer counts
//! ```
//!
//! A CSV file that no TOML file names is a list of its own, with the file's name as title.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::table::normal;
use super::{Indicator, IndicatorKind};
use crate::rule::{Broken, Level, Rule, RuleKind, techniques};
use crate::ruleset::Source;

/// A list as it was read.
pub(super) struct List {
    pub rule: Rule,
    /// Indicators with the lines where they stand.
    pub indicators: Vec<(Indicator, u32)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Head {
    id: String,
    title: String,
    title_vi: Option<String>,
    description: String,
    description_vi: Option<String>,
    advice: Option<String>,
    advice_vi: Option<String>,
    level: Option<String>,
    date: String,
    tags: Vec<String>,
    references: Vec<String>,
    falsepositives: Vec<String>,
    false_positives_vi: Vec<String>,
    csv: Option<String>,
    indicator: Vec<toml::Spanned<Row>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kind: IndicatorKind,
    value: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    expires: String,
}

/// Reads all lists; answers each with the name of the file its indicators stand in.
pub(super) fn read(sources: &[&Source], broken: &mut Vec<Broken>) -> Vec<(List, String)> {
    let mut tables: BTreeMap<&str, &Source> =
        sources.iter().filter(|s| s.file.ends_with(".csv")).map(|s| (s.file.as_str(), *s)).collect();
    let mut lists = Vec::new();
    for source in sources.iter().filter(|s| s.file.ends_with(".toml")) {
        match described(source, &mut tables, broken) {
            Ok(found) => lists.extend(found),
            Err(problem) => broken.push(problem),
        }
    }
    for source in tables.into_values() {
        let title = source.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".csv").to_owned();
        let head = Head { id: format!("intel:{}", source.file), title, ..Head::default() };
        let rule = to_rule(head, &source.file, Level::High);
        lists.push((List { rule, indicators: rows(source, broken) }, source.file.clone()));
    }
    lists
}

/// A TOML list, and its CSV file as a list part of its own so that both report their own lines.
fn described(
    source: &Source,
    tables: &mut BTreeMap<&str, &Source>,
    broken: &mut Vec<Broken>,
) -> Result<Vec<(List, String)>, Broken> {
    let fail = |line, reason| Broken { file: source.file.clone(), line, reason };
    let mut head: Head = toml::from_str(&source.text).map_err(|error| {
        let line = error.span().map(|span| line_at(&source.text, span.start));
        fail(line, error.message().to_owned())
    })?;
    if head.id.is_empty() || head.title.is_empty() {
        return Err(fail(Some(1), "a list needs an id and a title".to_owned()));
    }
    let level = match &head.level {
        None => Level::High,
        Some(word) => Level::parse(word).ok_or_else(|| {
            fail(Some(1), format!("level {word:?} is none of informational, low, medium, high, critical"))
        })?,
    };
    let mut indicators = Vec::new();
    for row in std::mem::take(&mut head.indicator) {
        let line = line_at(&source.text, row.span().start);
        match to_indicator(row.into_inner()) {
            Ok(indicator) => indicators.push((indicator, line)),
            Err(reason) => broken.push(fail(Some(line), reason)),
        }
    }
    if let Some(csv) = &head.csv {
        let folder = source.file.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        let table = tables.remove(format!("{folder}{csv}").as_str());
        let table = table.ok_or_else(|| fail(Some(1), format!("the file {csv:?} is not beside the list")))?;
        indicators.extend(rows(table, broken));
    }
    Ok(vec![(List { rule: to_rule(head, &source.file, level), indicators }, source.file.clone())])
}

fn rows(source: &Source, broken: &mut Vec<Broken>) -> Vec<(Indicator, u32)> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .flexible(true)
        .from_reader(source.text.as_bytes());
    let mut indicators = Vec::new();
    let headers = reader.headers().cloned().unwrap_or_default();
    for record in reader.records() {
        let line = |p: Option<&csv::Position>| p.and_then(|p| u32::try_from(p.line()).ok());
        let made = match &record {
            Ok(record) => record
                .deserialize::<Row>(Some(&headers))
                .map_err(|e| e.to_string())
                .and_then(to_indicator)
                .map_err(|reason| (line(record.position()), reason)),
            Err(error) => Err((line(error.position()), error.to_string())),
        };
        match made {
            Ok(indicator) => {
                let at = record.ok().and_then(|r| line(r.position())).unwrap_or(1);
                indicators.push((indicator, at));
            }
            Err((line, reason)) => broken.push(Broken { file: source.file.clone(), line, reason }),
        }
    }
    indicators
}

fn to_indicator(row: Row) -> Result<Indicator, String> {
    let expires_ns = match row.expires.as_str() {
        "" => None,
        text => Some(moment_ns(text).ok_or_else(|| format!("expires {text:?} is not a day like 2027-12-31"))?),
    };
    let value = normal(row.kind, &row.value);
    Ok(Indicator { kind: row.kind, value, description: row.description, source: row.source, expires_ns })
}

/// A day (its begin in UTC) or an RFC 3339 time.
fn moment_ns(text: &str) -> Option<i64> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    i64::try_from(whole.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok()
}

fn to_rule(head: Head, file: &str, level: Level) -> Rule {
    Rule {
        id: head.id,
        title: head.title,
        title_vi: head.title_vi,
        kind: RuleKind::Intel,
        level,
        revision: head.date,
        set: None,
        description: head.description,
        description_vi: head.description_vi,
        advice: head.advice,
        advice_vi: head.advice_vi,
        techniques: techniques(&head.tags),
        tags: head.tags,
        references: head.references,
        false_positives: head.falsepositives,
        false_positives_vi: head.false_positives_vi,
        subject: Vec::new(),
        silent: false,
        asleep: None,
        file: file.to_owned(),
        line: 1,
        hits: Default::default(),
    }
}

fn line_at(text: &str, offset: usize) -> u32 {
    let before = text.get(..offset).unwrap_or(text);
    u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}
