//! The packets of an alert: what was on the wire, from the sensor that kept it. They may hold anything that people sent,
//! so only those who decide on alerts may see them, and the audit log says who did.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use luytre_collector_api::PacketsRequest;

use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::store::audit::{Actor, detail};

/// How long before an alert its flow may have begun, and how long after it the flow is still of interest, in hours.
const HOURS: (i64, i64) = (24, 1);
/// The most that is fetched, in megabytes.
const LIMIT_MB: u32 = 16;

/// The packets of an alert's flow, as a pcapng file.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/packets", tag = "alerts",
    params(("id" = String, Path, description = "The alert")),
    responses((status = 200, body = Vec<u8>, content_type = "application/x-pcapng"),
        (status = "default", body = ProblemBody)))]
pub async fn get_packets(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let alert = app.store.alert_body(&id).await?;
    let flow = alert.community_id.ok_or_else(|| Problem::not_found("flow"))?;
    let time: Option<jiff::Timestamp> = alert.time.parse().ok();
    let around = |hours: i64| Some(time?.checked_add(jiff::SignedDuration::from_hours(hours)).ok()?.to_string());
    let what = detail([("flow", &flow), ("sensor", &alert.sensor)]);
    app.store.add_audit(&Actor::from(&caller), "alert.packets_read", &format!("alert:{id}"), &what).await?;
    let request = PacketsRequest {
        flow,
        sensor: Some(alert.sensor),
        from: around(-HOURS.0),
        to: around(HOURS.1),
        limit_mb: Some(LIMIT_MB),
        by: Some(caller.user.name.clone()),
    };
    let body = app.collector.packets(&request).await?;
    let name: String = id.chars().filter(|letter| letter.is_ascii_alphanumeric()).take(16).collect();
    let headers = [
        (header::CONTENT_TYPE, "application/x-pcapng".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"alert-{name}.pcapng\"")),
    ];
    Ok((headers, Body::new(body)).into_response())
}
