//! `GET /metrics` on loopback: counters for Prometheus, text format 0.0.4.

use std::fmt::Write as _;

use axum::extract::State;
use axum::routing::get;

use super::{Api, Failure, blocking};

/// The route.
pub fn router(api: Api) -> axum::Router {
    axum::Router::new().route("/metrics", get(metrics)).with_state(api)
}

async fn metrics(State(api): State<Api>) -> Result<String, Failure> {
    blocking(move || text(&api)).await
}

fn text(api: &Api) -> String {
    let health = api.health();
    let gauges = [
        ("collector_index_events", "Events that can be searched.", health.indexed_events),
        (
            "collector_index_lag_events",
            "Events of the journal that the index does not have yet.",
            health.index_lag_events,
        ),
        ("collector_problems_count", "Things that do not work.", health.problems.len() as u64),
        (
            "collector_detect_poisoned_events",
            "Events that no rule looked at, because the rules failed on them.",
            api.poisoned.load(std::sync::atomic::Ordering::Relaxed),
        ),
        ("collector_alerts_sequence", "Sequence number of the newest alert.", api.fanout.newest()),
    ];
    let mut text = String::new();
    for (name, help, value) in gauges {
        // Writing to a String cannot fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    counters(
        &mut text,
        "collector_index_refiled_events_total",
        "Events filed under the day received.",
        &api.store.filed.all(),
    );
    let rooms = api.rooms.list();
    let full: Vec<(&str, u64)> = rooms.iter().map(|room| (&*room.name, room.refused)).collect();
    named(&mut text, ("collector_disk_full_total", "directory"), "Writes that found no room on the disk.", &full);
    for door in api.doors() {
        let name = door.name;
        let _ = writeln!(text, "collector_door_admitted_total{{door=\"{name}\"}} {}", door.admitted);
        for (reason, count) in &door.refused {
            let _ = writeln!(text, "collector_door_refused_total{{door=\"{name}\",reason=\"{reason}\"}} {count}");
        }
    }
    for sensor in api.fleet.sensors() {
        for stage in api.ledger.stages(&sensor.name).0 {
            let labels = format!("sensor=\"{}\",stage=\"{}\",unit=\"{}\"", sensor.name, stage.stage, stage.unit);
            let _ = writeln!(text, "collector_stage_taken_total{{{labels}}} {}", stage.taken);
            let _ = writeln!(text, "collector_stage_given_total{{{labels}}} {}", stage.given);
            for (reason, count) in &stage.dropped {
                let _ = writeln!(text, "collector_stage_dropped_total{{{labels},reason=\"{reason}\"}} {count}");
            }
        }
    }
    text
}

/// One counter with a value for each reason.
fn counters(text: &mut String, name: &str, help: &str, values: &[(&str, u64)]) {
    named(text, (name, "reason"), help, values);
}

/// One counter with a value for each value of a label.
fn named(text: &mut String, (name, label): (&str, &str), help: &str, values: &[(&str, u64)]) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
    for (value, count) in values {
        let _ = writeln!(text, "{name}{{{label}=\"{value}\"}} {count}");
    }
}
