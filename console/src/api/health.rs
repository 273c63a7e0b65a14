//! How the console is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;

use super::problem::ProblemBody;
use crate::app::App;
use crate::auth::{guard, secrets};
use crate::model::ConsoleHealth;

/// How the console and the collector are.
#[utoipa::path(get, path = "/api/v1/health", tag = "health",
    responses((status = 200, body = ConsoleHealth), (status = "default", body = ProblemBody)))]
pub async fn get_health(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<ConsoleHealth> {
    let mut collector = app.watched.borrow().health.clone();
    let session = match guard::session_token(&headers) {
        Some(token) => app.store.session(&secrets::digest(token), app.session_life(), false).await.ok().flatten(),
        None => None,
    };
    if session.is_none() {
        // Which sensor is silent and which disk is full is not for strangers.
        collector.problems.clear();
    }
    collector.alerts_connected = app.alerts_connected.load(Ordering::Relaxed);
    let mut problems = Vec::new();
    if !collector.reachable {
        problems.push("the collector does not answer; no new alerts come in and searching does not work".to_owned());
    } else if !collector.alerts_connected {
        problems.push("alerts do not flow in from the collector".to_owned());
    }
    match app.store.notice_trouble().await {
        Ok((0, 0)) => {}
        Ok((waiting, failed)) => {
            problems.push(format!("e-mail notices: {waiting} wait after failed tries, {failed} were given up today"));
        }
        Err(error) => {
            // Anybody may ask this: the cause goes to the log.
            tracing::error!(%error, "ask the database how it is");
            problems.push("the database does not answer; the console's log has the cause".to_owned());
        }
    }
    let ok = problems.is_empty() && collector.ok;
    Json(ConsoleHealth { ok, version: env!("CARGO_PKG_VERSION").to_owned(), problems, collector })
}
