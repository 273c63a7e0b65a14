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

use crate::uplink::Source;

const PATIENCE: Duration = Duration::from_secs(1);

/// Serves the counters as long as the runtime runs. A port that is taken is a warning: the sensor's work matters more.
pub fn serve(listen: SocketAddr, source: Arc<dyn Source>, runtime: &tokio::runtime::Runtime) {
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
                let _ = tokio::time::timeout(PATIENCE, answer(peer, source.as_ref())).await;
            }
        }
    });
}

async fn answer(mut peer: TcpStream, source: &dyn Source) -> std::io::Result<()> {
    let mut request = [0; 1024];
    let _ = peer.read(&mut request).await?;
    let body = text(&source.snapshot());
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    peer.write_all(head.as_bytes()).await?;
    peer.write_all(body.as_bytes()).await?;
    peer.shutdown().await
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
