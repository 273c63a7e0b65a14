//! The stream of alerts from the collector into the store.
//!
//! Comes in: newline-delimited JSON after the durable cursor. Goes out: rows in the store, queued e-mails, live events.
//! Alerts and cursor are written in one transaction, so a crash at any moment neither loses nor doubles an alert. When
//! the collector or the database fails, it waits (longer each time) and goes on from the durable cursor.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use luytre_collector_api::Alert;

use crate::app::App;

/// The longest line that is taken; a longer one is an error of the collector.
pub const MAX_LINE_BYTES: usize = 8 << 20;

/// How many alerts go into one transaction.
pub const BATCH: usize = 500;

/// Without any sign of life for so long the connection is given up.
pub const SILENCE: Duration = Duration::from_secs(60);

/// Waits between tries: the first and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(15));

/// Follows the collector until the task is dropped.
pub async fn follow(app: Arc<App>) {
    let mut wait = WAITS.0;
    let mut told = false;
    loop {
        let (error, progressed) = follow_once(&app).await;
        app.alerts_connected.store(false, Ordering::Relaxed);
        if progressed {
            wait = WAITS.0;
            told = false;
        }
        if !told {
            tracing::warn!(error = %format!("{error:#}"), "alerts do not flow in; trying again");
            told = true;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAITS.1);
    }
}

/// Follows one connection to its end; answers why it ended and whether anything came.
async fn follow_once(app: &Arc<App>) -> (anyhow::Error, bool) {
    let cursor = match app.store.alert_cursor().await {
        Ok(cursor) => cursor,
        Err(error) => return (error.into(), false),
    };
    let stream = match app.collector.alert_stream(cursor).await {
        Ok(stream) => stream,
        Err(error) => return (error.into(), false),
    };
    if let Some(newest) = stream.newest.filter(|newest| *newest < cursor) {
        // A collector that was set up anew counts from the beginning. What is known already is not taken twice.
        tracing::warn!(cursor, newest, "the collector counts anew; following it from its first alert");
        return match app.store.reset_alert_cursor().await {
            Ok(()) => (anyhow::anyhow!("the collector counts anew"), true),
            Err(error) => (error.into(), false),
        };
    }
    tracing::info!(after = cursor, "alerts flow in");
    app.alerts_connected.store(true, Ordering::Relaxed);
    match read_stream(app, stream.body).await {
        Ok(()) => (anyhow::anyhow!("the collector closed the stream"), true),
        Err(error) => (error, true),
    }
}

async fn read_stream(app: &Arc<App>, mut body: Incoming) -> anyhow::Result<()> {
    let mut lines = Lines::default();
    loop {
        let frame = tokio::time::timeout(SILENCE, body.frame())
            .await
            .map_err(|_| anyhow::anyhow!("the collector gave no sign of life for {} s", SILENCE.as_secs()))?;
        let Some(frame) = frame else { return Ok(()) };
        if let Some(data) = frame?.data_ref() {
            lines.push(data)?;
        }
        let alerts = lines.take_alerts(app);
        for batch in alerts.chunks(BATCH) {
            store(app, batch).await?;
        }
    }
}

async fn store(app: &Arc<App>, batch: &[Alert]) -> anyhow::Result<()> {
    let now_us = app.clock.now_us();
    let taken = app.store.take_alerts(batch, &|alert| app.notices.orders_for(alert, now_us)).await?;
    app.metrics.alerts_taken.add(taken.len() as u64);
    app.metrics.notices_gathered.add(taken.iter().map(|alert| alert.gathered).sum());
    app.metrics.alerts_hidden.add(taken.iter().filter(|alert| alert.is_new && alert.hidden).count() as u64);
    for alert in taken.iter().filter(|alert| !alert.hidden) {
        app.tell_alert(&alert.id, alert.is_new).await;
    }
    if let Some(last) = batch.last() {
        app.alerts_told.store(last.sequence, Ordering::Relaxed);
    }
    Ok(())
}

/// Bytes that become lines.
#[derive(Debug, Default)]
struct Lines {
    buffer: Vec<u8>,
}

impl Lines {
    fn push(&mut self, data: &[u8]) -> anyhow::Result<()> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() > MAX_LINE_BYTES && !self.buffer.contains(&b'\n') {
            anyhow::bail!("the collector sent a line of more than {MAX_LINE_BYTES} bytes");
        }
        Ok(())
    }

    /// All complete lines as alerts. A line that is no alert is logged and counted; those after it are taken.
    fn take_alerts(&mut self, app: &App) -> Vec<Alert> {
        let Some(end) = self.buffer.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.buffer.split_off(end + 1);
        let whole = std::mem::replace(&mut self.buffer, rest);
        let mut alerts = Vec::new();
        for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(alert) => alerts.push(alert),
                Err(cause) => {
                    app.metrics.alerts_not_understood.add(1);
                    tracing::error!(%cause, "understand an alert; is the collector much newer than the console?");
                }
            }
        }
        alerts
    }
}
