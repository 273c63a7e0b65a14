//! What the console counts, read at `/metrics` on the loopback interface in the Prometheus text form.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::App;
use crate::store::reach::Reach;

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The console's counters since its start.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Alerts and newer states of alerts taken in from the collector.
    pub alerts_taken: Counter,
    /// New alerts that a suppression keeps out of the queue.
    pub alerts_hidden: Counter,
    /// Lines of the stream that were no alert.
    pub alerts_not_understood: Counter,
    /// Successful log-ins.
    pub logins: Counter,
    /// Failed log-ins.
    pub logins_failed: Counter,
    /// Mails that the server took.
    pub mails_sent: Counter,
    /// Tries to send that failed.
    pub mail_failures: Counter,
    /// Messages that webhooks took.
    pub hooks_sent: Counter,
    /// Tries to reach a webhook that failed.
    pub hook_failures: Counter,
    /// Notices that became part of a digest because their recipient had enough.
    pub notices_gathered: Counter,
    /// Steps of ladders that were taken.
    pub escalation_steps: Counter,
    /// Ladders at whose end nobody had acknowledged.
    pub escalations_exhausted: Counter,
    /// Channels that became dead.
    pub channels_died: Counter,
    /// Followers of the live stream that were cut off because they were slow.
    pub live_cut_off: Counter,
    /// Files of agencies that the collector took.
    pub uploads_kept: Counter,
    /// Files of agencies that were refused: too large, too many, or no room.
    pub uploads_refused: Counter,
    /// Files of agencies that were begun and never finished.
    pub uploads_abandoned: Counter,
    /// Documents typeset.
    pub documents_pressed: Counter,
}

/// The page itself, for a listener of its own.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/metrics", get(page)).with_state(app)
}

async fn page(State(app): State<Arc<App>>) -> impl IntoResponse {
    let m = &app.metrics;
    let counters = [
        ("console_alerts_taken_total", "alerts and newer states of alerts taken in", m.alerts_taken.get()),
        (
            "console_openid_dropped_total",
            "log-ins by the identity provider under way that made room for others",
            app.openid.as_ref().map_or(0, |openid| openid.flows.dropped.get()),
        ),
        ("console_alerts_hidden_total", "new alerts kept out of the queue by a suppression", m.alerts_hidden.get()),
        (
            "console_alerts_not_understood_total",
            "lines of the alert stream that were no alert",
            m.alerts_not_understood.get(),
        ),
        ("console_logins_total", "successful log-ins", m.logins.get()),
        ("console_logins_failed_total", "failed log-ins", m.logins_failed.get()),
        ("console_mails_sent_total", "mails that the server took", m.mails_sent.get()),
        ("console_mail_failures_total", "tries to send a mail that failed", m.mail_failures.get()),
        ("console_hooks_sent_total", "messages that webhooks took", m.hooks_sent.get()),
        ("console_hook_failures_total", "tries to reach a webhook that failed", m.hook_failures.get()),
        (
            "console_notices_gathered_total",
            "notices put into a digest because of their number",
            m.notices_gathered.get(),
        ),
        ("console_escalation_steps_total", "steps of ladders that were taken", m.escalation_steps.get()),
        ("console_escalations_exhausted_total", "ladders that nobody answered", m.escalations_exhausted.get()),
        ("console_channels_died_total", "notice channels that became dead", m.channels_died.get()),
        ("console_live_cut_off_total", "followers of the live stream cut off for slowness", m.live_cut_off.get()),
        ("console_uploads_kept_total", "files of agencies that the collector took", m.uploads_kept.get()),
        ("console_uploads_refused_total", "files of agencies that were refused", m.uploads_refused.get()),
        ("console_uploads_abandoned_total", "files of agencies that were never finished", m.uploads_abandoned.get()),
        ("console_documents_pressed_total", "documents typeset", m.documents_pressed.get()),
    ];
    let mut text = String::new();
    for (name, help, value) in counters {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n"));
    }
    let watched = app.watched.borrow().clone();
    let open = app.store.alert_counts(&Reach::Everything).await.map(|c| c.open).unwrap_or_default();
    let gauges = [
        ("console_alerts_open", "alerts that wait for a decision", open as f64),
        ("console_collector_up", "whether the collector answers", f64::from(u8::from(watched.health.reachable))),
        ("console_visibility_ratio", "share of traffic seen", watched.visibility.seen),
        ("console_unaccounted", "what the ledger cannot account for", watched.visibility.unaccounted as f64),
    ];
    for (name, help, value) in gauges {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
