//! Looks at the collector every few seconds: is it well, how much of the traffic is seen. The answer feeds the health
//! page and the bar at the top; a collector that does not answer is a fact to be shown, not an error.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use luytre_collector_api::{SensorState, Visibility};

use crate::app::{App, Watched};
use crate::clock;
use crate::model::{CollectorHealth, LedgerQuery, SensorNow, VisibilityNow, wire_name};

/// How often it looks.
pub const EVERY: Duration = Duration::from_secs(5);

/// Every how many looks it asks whether the rules have changed.
const RULES_EVERY: u32 = 6;

/// The window of the share of traffic seen.
pub const WINDOW_US: i64 = 15 * 60 * 1_000_000;

/// Looks until the task is dropped.
pub async fn watch(app: Arc<App>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looks = 0u32;
    loop {
        ticks.tick().await;
        if looks.is_multiple_of(RULES_EVERY) {
            look_at_rules(&app).await;
            look_at_agencies(&app).await;
        }
        looks = looks.wrapping_add(1);
        let now = look(&app).await;
        let changed = app.watched.send_if_modified(|known| {
            let changed = *known != now;
            *known = now.clone();
            changed
        });
        if changed {
            app.live.publish("visibility", &now.visibility);
        }
    }
}

/// Writes into the audit log that other rules are in force than before.
pub async fn look_at_rules(app: &App) {
    // A collector that does not answer is shown by `look`.
    let Ok(answer) = app.collector.rules().await else { return };
    match app.store.note_rule_set(&answer.ruleset, answer.rules.len(), answer.broken.len()).await {
        Ok(true) => tracing::info!(ruleset = %answer.ruleset, rules = answer.rules.len(), "other rules are in force"),
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "note the rules in force"),
    }
}

/// Takes over agencies that the collector names and the register does not know yet.
pub async fn look_at_agencies(app: &App) {
    let Ok(named) = app.collector.agencies().await else { return };
    match app.store.adopt_agencies(&named).await {
        Ok(0) => {}
        Ok(agencies) => tracing::info!(agencies, "took over agencies that the collector names"),
        Err(error) => tracing::warn!(%error, "take over the collector's agencies"),
    }
}

/// Looks once.
pub async fn look(app: &App) -> Watched {
    let alerts_connected = app.alerts_connected.load(Ordering::Relaxed);
    match app.collector.health().await {
        Ok(health) => {
            let mut problems = health.problems;
            let visibility = visibility(app, &mut problems).await;
            let health = CollectorHealth {
                ok: health.ok && problems.is_empty(),
                reachable: true,
                version: Some(health.version),
                problems,
                alerts_connected,
                indexed_events: health.indexed_events,
                index_lag_events: health.index_lag_events,
            };
            Watched { health, visibility }
        }
        Err(error) => {
            let problems = vec![error.to_string()];
            let health = CollectorHealth { problems, alerts_connected: false, ..CollectorHealth::default() };
            Watched { health, visibility: VisibilityNow::default() }
        }
    }
}

async fn visibility(app: &App, problems: &mut Vec<String>) -> VisibilityNow {
    let mut now = VisibilityNow { collector_ok: true, ..VisibilityNow::default() };
    match app.collector.sensors().await {
        Ok(sensors) => {
            now.sensors =
                sensors.iter().map(|s| SensorNow { name: s.name.clone(), state: wire_name(&s.state) }).collect();
            now.sensors.sort_by(|a, b| a.name.cmp(&b.name));
            let silent = sensors.iter().filter(|s| s.state == SensorState::Silent);
            problems.extend(silent.map(|s| format!("the sensor {} is silent", s.name)));
        }
        Err(error) => problems.push(format!("list the sensors: {error}")),
    }
    let from = clock::to_text(app.clock.now_us() - WINDOW_US);
    match app.collector.ledger(&LedgerQuery { from: Some(from), ..LedgerQuery::default() }).await {
        Ok(answer) => {
            let Visibility { seen, unaccounted, known } = answer.visibility;
            now = VisibilityNow { seen, unaccounted, known, ..now };
            if unaccounted != 0 {
                problems.push(format!("the ledger cannot account for {unaccounted} packets or events"));
            }
        }
        Err(error) => problems.push(format!("read the ledger: {error}")),
    }
    now
}
