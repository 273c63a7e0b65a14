//! What the person in front of the demo sees while it plays: packets, events and alerts, on one line that is rewritten
//! in a terminal and written anew, less often, elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use crate::stack::Stack;

/// How far the story has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Packets the sensor took.
    pub packets: u64,
    /// Events that can be searched.
    pub events: u64,
    /// Events that are durable but cannot be searched yet.
    pub waiting: u64,
    /// What the ledger cannot account for.
    pub unaccounted: i64,
}

impl Progress {
    /// Asks the collector.
    pub fn now(stack: &Stack, sensor: &str) -> Result<Self> {
        let health = stack.collector_get("/v1/health")?;
        let line = stack.sensor_line(sensor)?;
        Ok(Progress {
            packets: stage(&line, "capture", "taken"),
            events: health["indexed_events"].as_u64().unwrap_or(0),
            waiting: health["index_lag_events"].as_u64().unwrap_or(0),
            unaccounted: line["unaccounted"].as_i64().unwrap_or(0),
        })
    }
}

/// A number of a stage of a sensor's line; 0 where there is none yet.
pub fn stage(line: &Value, stage: &str, number: &str) -> u64 {
    let stages = line["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
    stages.iter().find(|one| one["stage"] == stage).and_then(|one| one[number].as_u64()).unwrap_or(0)
}

/// The line on the screen.
#[derive(Debug)]
pub struct Line {
    terminal: bool,
    shown: Option<Instant>,
}

impl Default for Line {
    fn default() -> Self {
        Line { terminal: std::io::stderr().is_terminal(), shown: None }
    }
}

impl Line {
    /// Shows a state; elsewhere than in a terminal at most every five seconds.
    pub fn show(&mut self, text: &str) {
        let quiet = if self.terminal { Duration::from_millis(200) } else { Duration::from_secs(5) };
        if self.shown.is_some_and(|shown| shown.elapsed() < quiet) {
            return;
        }
        self.shown = Some(Instant::now());
        if self.terminal {
            eprint!("\r\x1b[K{text}");
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{text}");
        }
    }

    /// Leaves the line as it is and goes on below it.
    pub fn end(&mut self) {
        if self.terminal && self.shown.is_some() {
            eprintln!();
        }
    }
}
