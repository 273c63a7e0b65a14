//! The counters as plain text for a monitoring system: `GET /metrics` (OpenMetrics without its types), on loopback.
//!
//! One connection at a time, one answer each, whatever was asked; a peer that does not ask within a second is let go.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use luytre_events::ledger::{Snapshot, Unit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::Condition;
use super::load::Step;
use super::reload::Reloader;
use super::tap::filters;
use crate::uplink::Source as _;

const PATIENCE: Duration = Duration::from_secs(1);

/// Serves the counters as long as the runtime runs. A port that is taken is a warning: the sensor's work matters more.
pub fn serve(listen: SocketAddr, running: Arc<Reloader>, runtime: &tokio::runtime::Runtime) {
    runtime.spawn(async move {
        let listener = match TcpListener::bind(listen).await {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(%listen, %error, "no metrics: listen somewhere else by [metrics] listen");
                return;
            }
        };
        loop {
            if let Ok((peer, _)) = listener.accept().await {
                // Peers come and go; there is nothing to do about one that is gone.
                let _ = tokio::time::timeout(PATIENCE, answer(peer, &running)).await;
            }
        }
    });
}

async fn answer(mut peer: TcpStream, running: &Reloader) -> std::io::Result<()> {
    let mut request = [0; 1024];
    let _ = peer.read(&mut request).await?;
    let body = everything(running);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    peer.write_all(head.as_bytes()).await?;
    peer.write_all(body.as_bytes()).await?;
    peer.shutdown().await
}

/// All there is to say of a running sensor.
pub(super) fn everything(running: &Reloader) -> String {
    let mut body = text(&running.sensor.snapshot());
    condition(&running.sensor.condition(), &mut body);
    settings(running, &mut body);
    body
}

/// One line for each counter of each stage.
fn text(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for stage in &snapshot.stages {
        let unit = match stage.unit {
            Unit::Packets => "packets",
            Unit::Events => "events",
        };
        let (name, counts) = (&stage.name, &stage.counts);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "sensor_{name}_taken_{unit}_total {}", counts.taken);
        let _ = writeln!(out, "sensor_{name}_given_{unit}_total {}", counts.given);
        let _ = writeln!(out, "sensor_{name}_held_{unit} {}", counts.held);
        for (reason, count) in &counts.dropped {
            let _ = writeln!(out, "sensor_{name}_dropped_{unit}_total{{reason=\"{reason}\"}} {count}");
        }
    }
    let _ = writeln!(out, "sensor_unaccounted {}", snapshot.unaccounted());
    out
}

/// What stands beside the ledger: flows, and what was given up under load.
fn condition(condition: &Condition, out: &mut String) {
    let Condition { load, spared, signatures, spared_packet_bytes, flows, flows_total } = condition;
    let _ = writeln!(out, "sensor_flows {flows}");
    let _ = writeln!(out, "sensor_flows_total {flows_total}");
    let _ = writeln!(out, "sensor_load_step {}", load.step as usize);
    let _ = writeln!(out, "sensor_load_fullness_percent {}", load.fullness_percent);
    for ((step, spent_ns), entered) in Step::ALL.iter().zip(load.spent_ns).zip(load.entered) {
        let (name, spent_s) = (step.name(), std::time::Duration::from_nanos(spent_ns).as_secs_f64());
        let _ = writeln!(out, "sensor_load_seconds_total{{step=\"{name}\"}} {spent_s:.3}");
        let _ = writeln!(out, "sensor_load_entered_total{{step=\"{name}\"}} {entered}");
    }
    let _ = writeln!(out, "sensor_load_packets_not_kept_bytes_total {spared_packet_bytes}");
    let _ = writeln!(out, "sensor_load_flows_without_detail_total {}", spared.flows);
    let _ = writeln!(out, "sensor_load_without_detail_bytes_total {}", spared.bytes);
    let _ = writeln!(out, "sensor_signatures_alerts_total {}", signatures.alerts);
    for (reason, count) in signatures.named() {
        let _ = writeln!(out, "sensor_signatures_kept_back_total{{reason=\"{reason}\"}} {count}");
    }
}

/// The settings in force: their number, filters, and what canaries tell.
fn settings(running: &Reloader, out: &mut String) {
    let _ = writeln!(out, "sensor_settings_number {}", running.bulletin.newest().number);
    for (source, filter, in_kernel) in filters(&running.taps) {
        // The kernel does not count what its filter leaves out: there is no number to be had for it.
        let by = if in_kernel { "kernel" } else { "sensor" };
        let (source, filter) = (label(&source), label(&filter));
        let _ = writeln!(out, "sensor_filter{{source=\"{source}\",by=\"{by}\",filter=\"{filter}\"}} 1");
    }
    let Some(canaries) = &running.canaries else { return };
    let counts = canaries.counts();
    for (name, count) in
        [("seen", counts.seen), ("lost", counts.lost), ("forged", counts.forged), ("missing", counts.missing)]
    {
        let _ = writeln!(out, "sensor_canaries_{name}_total {count}");
    }
}

/// A text as the value of a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
