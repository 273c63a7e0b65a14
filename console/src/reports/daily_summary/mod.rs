//! The summary of a day: what was alerted, what was decided, how much was seen. The exemplar for reports.
//!
//! A report is a folder: `figures.rs` asks the store and the collector, `texts.*.toml` hold every word in each language,
//! this file puts them together as blocks. Nothing is counted here and no word stands here. Every number carries the page
//! of the console that shows what it was counted from.

mod figures;
mod texts;

use futures_util::future::BoxFuture;
use luytre_collector_api::{SensorState, Severity, Visibility};
use minijinja::context;
use sha2::{Digest as _, Sha256};

use self::figures::{CollectorFigures, Figures, SensorFigures};
use self::texts::{Texts, fill};
use super::document::{Align, Bar, Block, Column, Document, Fact, ReportInfo, Row, Tone};
use super::{Question, Report};
use crate::app::App;
use crate::clock;
use crate::model::{AlertRow, Lang};
use crate::notify::endpoint;
use crate::store::figures::Group;
use crate::words::{self, Kind, capital, number};

/// Above this share of traffic seen, a quiet day may be called quiet.
const SEEN_ENOUGH: f64 = 0.99;

/// What happened in a day.
#[derive(Debug)]
pub struct DailySummary;

impl Report for DailySummary {
    fn info(&self) -> ReportInfo {
        let title = |lang| texts::texts(lang).map(|texts| texts.title).unwrap_or_default();
        ReportInfo { name: "daily_summary".to_owned(), title: title(Lang::En), title_vi: title(Lang::Vi) }
    }

    fn make<'a>(&'a self, app: &'a App, question: Question) -> BoxFuture<'a, anyhow::Result<Document>> {
        Box::pin(async move {
            let figures = figures::collect(app, question.date).await?;
            let texts = texts::texts(question.lang)?;
            Writer { app, question, texts: &texts, figures: &figures }.document()
        })
    }
}

/// Puts figures and texts together.
struct Writer<'a> {
    app: &'a App,
    question: Question,
    texts: &'a Texts,
    figures: &'a Figures,
}

impl Writer<'_> {
    fn document(&self) -> anyhow::Result<Document> {
        let now_us = self.app.clock.now_us();
        let mut blocks = self.opening(now_us)?;
        blocks.extend(self.overview());
        blocks.extend(self.serious()?);
        blocks.extend(self.groups());
        blocks.extend(self.decisions());
        blocks.extend(self.watch());
        // Whoever has the PDF and the machine-readable form can tell that they say the same.
        let digest = Sha256::digest(serde_json::to_vec(&blocks)?);
        let now = words::moment(now_us, &self.app.zone);
        Ok(Document {
            title: self.texts.title.clone(),
            subtitle: fill(&self.texts.subtitle, context! { day => words::day(self.question.date) })?,
            generated_at: clock::to_text(now_us),
            lang: self.question.lang,
            letterhead: self.app.settings.report.letterhead.clone(),
            footer: fill(&self.texts.footer, context! { now, digest => hex::encode(&digest[..8]) })?,
            blocks,
        })
    }

    /// What the report covers and the one sentence that matters.
    fn opening(&self, now_us: i64) -> anyhow::Result<Vec<Block>> {
        let span = self.figures.span;
        let zone = &self.app.zone;
        let report = &self.app.settings.report;
        let text = fill(
            &self.texts.covers,
            context! {
                from => words::moment(span.from_us, zone), to => words::moment(span.to_us, zone),
                zone => report.time_zone, organisation => report.organisation,
            },
        )?;
        let mut blocks = vec![Block::Paragraph { text }, self.verdict()?];
        if now_us < span.to_us {
            let text = fill(&self.texts.unfinished, context! { now => words::moment(now_us, zone) })?;
            blocks.push(Block::Note { tone: Tone::Info, text });
        }
        if let Err(what) = &self.figures.collector {
            let text = fill(&self.texts.collector_silent, context! { what })?;
            blocks.push(Block::Note { tone: Tone::Warning, text });
        }
        Ok(blocks)
    }

    /// Safe, not safe, or not known. Silence is only called silence when enough was seen.
    fn verdict(&self) -> anyhow::Result<Block> {
        let lang = self.question.lang;
        let count = self.figures.serious_count();
        if count > 0 {
            let text = fill(
                &self.texts.serious,
                context! {
                    count => number(lang, count), critical => number(lang, self.figures.of(Severity::Critical)),
                    open => number(lang, self.figures.serious_open),
                },
            )?;
            return Ok(Block::Note { tone: Tone::Warning, text });
        }
        let visibility = self.figures.collector.as_ref().ok().map(|c| c.visibility).filter(|v| v.known);
        let (tone, text, seen) = match visibility {
            Some(Visibility { seen, unaccounted: 0, .. }) if seen >= SEEN_ENOUGH => {
                (Tone::Good, &self.texts.calm, seen)
            }
            Some(Visibility { seen, .. }) => (Tone::Warning, &self.texts.calm_gaps, seen),
            None => (Tone::Warning, &self.texts.calm_blind, 0.0),
        };
        Ok(Block::Note { tone, text: fill(text, context! { seen => words::percent(lang, seen) })? })
    }

    fn overview(&self) -> Vec<Block> {
        let texts = &self.texts.overview;
        let figures = self.figures;
        let count =
            |label: &str, value: u64, href: Option<String>| fact(label, number(self.question.lang, value), href);
        let closed = figures.verdicts.iter().map(|(_, count)| count).sum();
        let mut items = vec![
            count(&texts.alerts, figures.alerts(), Some(self.alerts_page("status=all"))),
            count(&texts.before, figures.alerts_before, None),
            count(&texts.open, figures.open, Some(self.alerts_page("status=open"))),
            count(&texts.closed, closed, None),
            count(&texts.cases_opened, figures.cases.opened, Some(self.cases_page())),
            count(&texts.cases_closed, figures.cases.closed, None),
            count(&texts.cases_active, figures.cases.active, Some("/cases?status=active".to_owned())),
        ];
        if let Ok(collector) = &figures.collector {
            items.push(count(&texts.events, collector.events, Some(self.hunt_page())));
        }
        let mails = [figures.mails.sent, figures.mails.queued, figures.mails.failed];
        let mails = mails.map(|n| number(self.question.lang, n)).join(" / ");
        items.push(fact(&texts.mails, mails, Some("/notices".to_owned())));
        let bars = crate::store::sql::SEVERITIES.iter().rev().map(|severity| self.severity_bar(*severity)).collect();
        vec![
            heading(&texts.heading),
            Block::Facts { items },
            Block::Bars { title: texts.severity_title.clone(), items: bars, unit: texts.severity_unit.clone() },
        ]
    }

    fn severity_bar(&self, severity: Severity) -> Bar {
        let count = self.figures.of(severity);
        let wire = crate::model::wire_name(&severity);
        Bar {
            label: capital(&self.severity(severity)),
            // Counts of a day are far below 2^53.
            value: count as f64,
            text: number(self.question.lang, count),
            href: Some(self.alerts_page(&format!("status=all&severity={wire}"))),
        }
    }

    fn serious(&self) -> anyhow::Result<Vec<Block>> {
        let texts = &self.texts.serious_list;
        if self.figures.serious.is_empty() {
            return Ok(vec![heading(&texts.heading), paragraph(&texts.none)]);
        }
        let columns =
            [&texts.time, &texts.severity, &texts.what, &texts.way, &texts.status].map(|title| left(title)).into();
        let rows: Vec<Row> = self.figures.serious.iter().map(|alert| self.serious_row(alert)).collect();
        let all = self.figures.serious_count();
        let caption = match rows.len() as u64 {
            shown if shown < all => {
                let lang = self.question.lang;
                Some(fill(&texts.more, context! { shown => number(lang, shown), count => number(lang, all) })?)
            }
            _ => None,
        };
        Ok(vec![heading(&texts.heading), Block::Table { columns, rows, caption }])
    }

    fn serious_row(&self, alert: &AlertRow) -> Row {
        let time_us = clock::from_text(&alert.time).unwrap_or_default();
        let what = match &alert.agency {
            Some(agency) => {
                format!("{} – {}", self.rule_name(&alert.rule_name, alert.rule_name_vi.as_deref()), agency.name)
            }
            None => self.rule_name(&alert.rule_name, alert.rule_name_vi.as_deref()),
        };
        let way: Vec<String> = alert.source.iter().chain(alert.destination.iter()).map(endpoint).collect();
        let status = match alert.verdict {
            Some(verdict) => words::name(self.question.lang, Kind::Verdict, &verdict),
            None => words::name(self.question.lang, Kind::AlertStatus, &alert.status),
        };
        Row {
            cells: vec![
                words::time_of_day(time_us, &self.app.zone),
                capital(&self.severity(alert.severity)),
                what,
                way.join(" → "),
                status,
            ],
            href: Some(format!("/alerts/{}", crate::collector::path_part(&alert.id))),
        }
    }

    fn groups(&self) -> Vec<Block> {
        let Texts { rules, agencies, sources, .. } = self.texts;
        let rule = |group: &Group| self.rule_name(&group.name, Some(&group.name_vi));
        let named = |group: &Group| if group.name.is_empty() { group.key.clone() } else { group.name.clone() };
        let parts = [
            (
                &rules.heading,
                &rules.rule,
                &rules.none,
                "rule",
                &self.figures.by_rule,
                &rule as &dyn Fn(&Group) -> String,
            ),
            (&agencies.heading, &agencies.agency, &agencies.none, "agency", &self.figures.by_agency, &named),
            (&sources.heading, &sources.source, &sources.none, "ip", &self.figures.by_source, &named),
        ];
        let mut blocks = Vec::new();
        for (title, first, none, filter, groups, name) in parts {
            blocks.push(heading(title));
            if groups.is_empty() {
                blocks.push(paragraph(none));
                continue;
            }
            let columns = vec![left(first), left(&rules.severity), right(&rules.alerts), right(&rules.open)];
            let rows = groups.iter().map(|group| self.group_row(group, name(group), filter)).collect();
            blocks.push(Block::Table { columns, rows, caption: None });
        }
        blocks
    }

    fn group_row(&self, group: &Group, name: String, filter: &str) -> Row {
        let lang = self.question.lang;
        let key = crate::collector::path_part(&group.key);
        Row {
            cells: vec![
                name,
                capital(&self.severity(group.worst)),
                number(lang, group.alerts),
                number(lang, group.open),
            ],
            href: Some(self.alerts_page(&format!("status=all&{filter}={key}"))),
        }
    }

    fn decisions(&self) -> Vec<Block> {
        let texts = &self.texts.decisions;
        if self.figures.verdicts.is_empty() {
            return vec![heading(&texts.heading), paragraph(&texts.none)];
        }
        let lang = self.question.lang;
        let rows = self.figures.verdicts.iter().map(|(verdict, count)| Row {
            cells: vec![capital(&words::name(lang, Kind::Verdict, verdict)), number(lang, *count)],
            href: Some(format!("/alerts?status=closed&verdict={}", crate::model::wire_name(verdict))),
        });
        let table = Block::Table {
            columns: vec![left(&texts.verdict), right(&texts.alerts)],
            rows: rows.collect(),
            caption: None,
        };
        vec![heading(&texts.heading), table]
    }

    fn watch(&self) -> Vec<Block> {
        let texts = &self.texts.watch;
        let Ok(collector) = &self.figures.collector else { return Vec::new() };
        let mut blocks = vec![heading(&texts.heading), Block::Facts { items: self.watch_facts(collector) }];
        if collector.sensors.is_empty() {
            blocks.push(paragraph(&texts.none));
            return blocks;
        }
        let columns = vec![
            left(&texts.sensor),
            left(&texts.state),
            right(&texts.packets),
            right(&texts.dropped),
            right(&texts.lost),
        ];
        let rows = collector.sensors.iter().map(|sensor| self.sensor_row(sensor)).collect();
        blocks.push(Block::Table { columns, rows, caption: None });
        blocks
    }

    fn watch_facts(&self, collector: &CollectorFigures) -> Vec<Fact> {
        let texts = &self.texts.watch;
        let lang = self.question.lang;
        let Visibility { seen, unaccounted, known } = collector.visibility;
        let unless_unknown = |text: String| if known { text } else { texts.unknown.clone() };
        let connected = collector.sensors.iter().filter(|s| s.state == SensorState::Connected).count() as u64;
        let sensors = format!("{} / {}", number(lang, connected), number(lang, collector.sensors.len() as u64));
        let page = || Some("/sensors".to_owned());
        vec![
            fact(&texts.seen, unless_unknown(words::percent(lang, seen)), page()),
            fact(&texts.unaccounted, unless_unknown(words::signed(lang, unaccounted)), page()),
            fact(&texts.sensors, sensors, page()),
        ]
    }

    fn sensor_row(&self, sensor: &SensorFigures) -> Row {
        let lang = self.question.lang;
        Row {
            cells: vec![
                sensor.name.clone(),
                words::name(lang, Kind::SensorState, &sensor.state),
                number(lang, sensor.packets),
                number(lang, sensor.dropped),
                words::signed(lang, sensor.unaccounted),
            ],
            href: Some("/sensors".to_owned()),
        }
    }

    fn severity(&self, severity: Severity) -> String {
        words::name(self.question.lang, Kind::Severity, &severity)
    }

    fn rule_name(&self, name: &str, name_vi: Option<&str>) -> String {
        let name_vi = name_vi.filter(|name| !name.is_empty() && self.question.lang == Lang::Vi);
        words::one_line(name_vi.unwrap_or(name), 120)
    }

    /// The queue with this filter, over the report's day.
    fn alerts_page(&self, filter: &str) -> String {
        format!("/alerts?{filter}&{}", self.times())
    }

    fn cases_page(&self) -> String {
        format!("/cases?status=all&{}", self.times())
    }

    fn hunt_page(&self) -> String {
        format!("/hunt?{}", self.times())
    }

    fn times(&self) -> String {
        let span = self.figures.span;
        format!("from={}&to={}", clock::to_text(span.from_us), clock::to_text(span.to_us))
    }
}

fn heading(text: &str) -> Block {
    Block::Heading { level: 1, text: text.to_owned() }
}

fn paragraph(text: &str) -> Block {
    Block::Paragraph { text: text.to_owned() }
}

fn fact(label: &str, value: String, href: Option<String>) -> Fact {
    Fact { label: label.to_owned(), value, href }
}

fn left(title: &str) -> Column {
    Column { title: title.to_owned(), align: Align::Left }
}

fn right(title: &str) -> Column {
    Column { title: title.to_owned(), align: Align::Right }
}
