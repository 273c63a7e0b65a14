//! The report's figures: every question that it asks of the store and of the collector, and nothing else.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use luytre_collector_api::{LedgerAnswer, SearchRequest, Sensor, SensorState, Severity, StageLine, Visibility};

use crate::app::App;
use crate::clock;
use crate::model::{AlertRow, LedgerQuery, Verdict};
use crate::store::figures::{CaseFigures, Group, GroupBy, MailFigures, Span};

/// How many rows a table has at most.
pub(super) const ROWS: u32 = 10;

/// How many serious alerts are listed at most.
pub(super) const SERIOUS_ROWS: u32 = 15;

/// Everything that the report says, as numbers.
#[derive(Debug)]
pub(super) struct Figures {
    pub span: Span,
    pub by_severity: Vec<(Severity, u64)>,
    pub alerts_before: u64,
    pub by_rule: Vec<Group>,
    pub by_agency: Vec<Group>,
    pub by_source: Vec<Group>,
    pub open: u64,
    pub serious_open: u64,
    pub serious: Vec<AlertRow>,
    pub verdicts: Vec<(Verdict, u64)>,
    pub cases: CaseFigures,
    pub mails: MailFigures,
    pub collector: Result<CollectorFigures, String>,
}

/// What the collector adds.
#[derive(Debug)]
pub(super) struct CollectorFigures {
    pub events: u64,
    pub visibility: Visibility,
    pub sensors: Vec<SensorFigures>,
}

/// One sensor's day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SensorFigures {
    pub name: String,
    pub state: SensorState,
    pub packets: u64,
    pub dropped: u64,
    pub unaccounted: i64,
}

impl Figures {
    pub(super) fn alerts(&self) -> u64 {
        self.by_severity.iter().map(|(_, count)| count).sum()
    }

    pub(super) fn of(&self, severity: Severity) -> u64 {
        self.by_severity.iter().find(|(s, _)| *s == severity).map_or(0, |(_, count)| *count)
    }

    pub(super) fn serious_count(&self) -> u64 {
        self.of(Severity::High) + self.of(Severity::Critical)
    }
}

/// A day of the time zone as a span; a day with a change of clocks is longer or shorter.
pub(super) fn day_span(date: Date, zone: &TimeZone) -> anyhow::Result<Span> {
    let start = |date: Date| -> anyhow::Result<i64> {
        Ok(zone.to_ambiguous_zoned(date.at(0, 0, 0, 0)).compatible()?.timestamp().as_microsecond())
    };
    Ok(Span { from_us: start(date)?, to_us: start(date.tomorrow()?)? })
}

/// Asks everything.
pub(super) async fn collect(app: &App, date: Date) -> anyhow::Result<Figures> {
    let store = &app.store;
    let span = day_span(date, &app.zone)?;
    let before = day_span(date.yesterday()?, &app.zone)?;
    let open = store.count_open(span).await?;
    Ok(Figures {
        span,
        by_severity: store.count_by_severity(span).await?,
        alerts_before: store.count_by_severity(before).await?.iter().map(|(_, count)| count).sum(),
        by_rule: store.count_groups(span, GroupBy::Rule, ROWS).await?,
        by_agency: store.count_groups(span, GroupBy::Agency, ROWS).await?,
        by_source: store.count_groups(span, GroupBy::Source, ROWS).await?,
        open: open.iter().map(|(_, count)| count).sum(),
        serious_open: open.iter().filter(|(s, _)| *s >= Severity::High).map(|(_, count)| count).sum(),
        serious: store.worst_alerts(span, SERIOUS_ROWS).await?,
        verdicts: store.count_verdicts(span).await?,
        cases: store.count_cases(span).await?,
        mails: store.count_mails(span).await?,
        collector: ask_collector(app, span).await,
    })
}

async fn ask_collector(app: &App, span: Span) -> Result<CollectorFigures, String> {
    let (from, to) = (clock::to_text(span.from_us), clock::to_text(span.to_us));
    let search =
        SearchRequest { from: Some(from.clone()), to: Some(to.clone()), limit: Some(1), ..SearchRequest::default() };
    let events = app.collector.search(&search).await.map_err(|e| e.to_string())?.total;
    let sensors = app.collector.sensors().await.map_err(|e| e.to_string())?;
    let wish = LedgerQuery { from: Some(from), to: Some(to), sensor: None };
    let ledger = app.collector.ledger(&wish).await.map_err(|e| e.to_string())?;
    Ok(CollectorFigures { events, visibility: ledger.visibility, sensors: by_sensor(&sensors, &ledger) })
}

/// Adds the minutes up, sensor by sensor. Packets are counted where they come in: at the first stage that counts them.
fn by_sensor(sensors: &[Sensor], ledger: &LedgerAnswer) -> Vec<SensorFigures> {
    let mut sums: BTreeMap<&str, SensorFigures> = sensors
        .iter()
        .map(|s| {
            let name = s.name.clone();
            (s.name.as_str(), SensorFigures { name, state: s.state, packets: 0, dropped: 0, unaccounted: 0 })
        })
        .collect();
    for minute in &ledger.minutes {
        let Some(sum) = sums.get_mut(minute.sensor.as_str()) else { continue };
        // What was filtered out by choice, not looked into, or not kept says nothing of what was seen.
        let seen = |stage: &&StageLine| {
            stage.unit == "packets" && !["filter", "detail", "packets"].contains(&stage.stage.as_str())
        };
        let packet_stages = || minute.stages.iter().filter(seen);
        sum.packets += packet_stages().next().map_or(0, |stage| stage.taken);
        sum.dropped += packet_stages().flat_map(|stage| stage.dropped.values()).sum::<u64>();
        sum.unaccounted += minute.unaccounted;
    }
    sums.into_values().collect()
}

#[cfg(test)]
mod tests {
    use luytre_collector_api::LedgerMinute;

    use super::*;

    #[test]
    fn a_day_begins_at_midnight_of_its_zone() {
        let zone = clock::zone("Asia/Ho_Chi_Minh").unwrap();
        let span = day_span(jiff::civil::date(2026, 11, 22), &zone).unwrap();
        assert_eq!(clock::to_text(span.from_us), "2026-11-21T17:00:00Z");
        assert_eq!(clock::to_text(span.to_us), "2026-11-22T17:00:00Z");
    }

    #[test]
    fn minutes_add_up_by_sensor() {
        let stage = |unit: &str, taken: u64, dropped: u64| StageLine {
            stage: "x".into(),
            unit: unit.into(),
            taken,
            given: taken - dropped,
            held: 0,
            dropped: [("cut".to_owned(), dropped)].into(),
        };
        let minute = || LedgerMinute {
            sensor: "bien".into(),
            minute: "2026-11-22T03:00:00Z".into(),
            stages: vec![stage("packets", 100, 1), stage("packets", 99, 2), stage("events", 7, 0)],
            unaccounted: 1,
        };
        let visibility = Visibility { seen: 1.0, unaccounted: 2, known: true };
        let ledger = LedgerAnswer { minutes: vec![minute(), minute()], visibility };
        let sensor = Sensor {
            name: "bien".into(),
            state: SensorState::Connected,
            program: None,
            enrolled: String::new(),
            last_seen: None,
            clock_skew_ms: None,
            acknowledged: 0,
            stages: Vec::new(),
            unaccounted: 0,
        };
        let sums = by_sensor(&[sensor], &ledger);
        assert_eq!(sums.len(), 1);
        assert_eq!((sums[0].packets, sums[0].dropped, sums[0].unaccounted), (200, 6, 2));
    }
}
