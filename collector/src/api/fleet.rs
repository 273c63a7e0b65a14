//! `GET /v1/sensors`, `POST /v1/sensors/{name}/revoke`, `POST /v1/tokens`, `POST /v1/api-certificates`,
//! `POST /v1/api-certificates/{name}/revoke`, `GET /v1/ledger`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use luytre_collector_api::{ApiCertificate, ApiCertificateRequest, LedgerAnswer, Sensor, Token, TokenRequest};
use luytre_events::json::time_text;
use serde::Deserialize;

use super::{Api, Failure, blocking};
use crate::fleet::{FleetError, FleetSensor};

/// The ledger of this much time before now is shown when the request does not say.
const LEDGER_DEFAULT_NS: i64 = 3_600_000_000_000;

impl From<FleetError> for Failure {
    fn from(error: FleetError) -> Failure {
        match &error {
            FleetError::Unknown(_) | FleetError::UnknownClient(_) => Failure::not_found(error.to_string()),
            FleetError::Taken(_) => Failure::new(StatusCode::CONFLICT, "bad_request", error.to_string()),
            FleetError::Failed { source, .. } => Failure::internal(&format!("{error}: {source}")),
            _ => Failure::bad_request(error.to_string()),
        }
    }
}

fn sensor(api: &Api, known: FleetSensor) -> Sensor {
    let (stages, unaccounted) = api.ledger.stages(&known.name);
    Sensor {
        acknowledged: api.journal.durable(&known.name),
        state: known.state,
        program: known.program,
        enrolled: time_text(known.enrolled_ns),
        last_seen: known.last_seen_ns.map(time_text),
        clock_skew_ms: known.clock_skew_ms,
        stages,
        unaccounted,
        name: known.name,
    }
}

pub(super) async fn sensors(State(api): State<Api>) -> Result<Json<Vec<Sensor>>, Failure> {
    blocking(move || Json(api.fleet.sensors().into_iter().map(|known| sensor(&api, known)).collect())).await
}

pub(super) async fn revoke(State(api): State<Api>, Path(name): Path<String>) -> Result<Json<Sensor>, Failure> {
    blocking(move || {
        let revoked = api.fleet.revoke(&name)?;
        tracing::info!(sensor = name, "revoked a sensor");
        Ok(Json(sensor(&api, revoked)))
    })
    .await?
}

pub(super) async fn create_token(
    State(api): State<Api>,
    request: Result<Json<TokenRequest>, JsonRejection>,
) -> Result<Json<Token>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    blocking(move || Ok(Json(api.fleet.create_token(&request.name)?))).await?
}

pub(super) async fn create_api_certificate(
    State(api): State<Api>,
    request: Result<Json<ApiCertificateRequest>, JsonRejection>,
) -> Result<Json<ApiCertificate>, Failure> {
    let Json(request) = request.map_err(|rejection| Failure::bad_request(rejection.body_text()))?;
    blocking(move || Ok(Json(api.fleet.issue_api(&request.name)?))).await?
}

pub(super) async fn revoke_api_certificate(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Json<ApiCertificateRequest>, Failure> {
    blocking(move || {
        api.fleet.revoke_api(&name)?;
        Ok(Json(ApiCertificateRequest { name }))
    })
    .await?
}

#[derive(Debug, Deserialize)]
pub(super) struct Period {
    from: Option<String>,
    to: Option<String>,
    sensor: Option<String>,
}

pub(super) async fn ledger(
    State(api): State<Api>,
    Query(period): Query<Period>,
) -> Result<Json<LedgerAnswer>, Failure> {
    let read = |text: Option<&str>, default_ns: i64| match text {
        None => Ok(default_ns),
        Some(text) => match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(i64::try_from(at.as_nanosecond()).unwrap_or(default_ns)),
            Err(_) => Err(Failure::bad_request(format!("expected an RFC 3339 time, not `{text}`"))),
        },
    };
    let to_ns = read(period.to.as_deref(), crate::clock::now_ns())?;
    let from_ns = read(period.from.as_deref(), to_ns.saturating_sub(LEDGER_DEFAULT_NS))?;
    blocking(move || Json(api.ledger.answer(from_ns, to_ns, period.sensor.as_deref()))).await
}
