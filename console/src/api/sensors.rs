//! Sensors, the loss ledger and rules: what the collector knows, passed on.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use luytre_collector_api::{LedgerAnswer, RuleDetail, RulesAnswer, Sensor, Token, TokenRequest};

use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{LedgerQuery, SensorList};
use crate::store::audit::{Actor, detail};

/// All sensors.
#[utoipa::path(get, path = "/api/v1/sensors", tag = "sensors",
    responses((status = 200, body = SensorList), (status = "default", body = ProblemBody)))]
pub async fn list_sensors(State(app): State<Arc<App>>) -> Result<Json<SensorList>, Problem> {
    let mut items = app.collector.sensors().await?;
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(SensorList { total: items.len() as u64, items }))
}

/// Makes a one-time token with which a sensor enrols.
#[utoipa::path(post, path = "/api/v1/sensors/tokens", tag = "sensors", request_body = TokenRequest,
    responses((status = 200, body = Token), (status = "default", body = ProblemBody)))]
pub async fn create_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<TokenRequest>,
) -> Result<Json<Token>, Problem> {
    let token = app.collector.token(&request).await?;
    let subject = format!("sensor:{}", token.name);
    let what = detail([("expires", &token.expires)]);
    app.store.add_audit(&Actor::from(&caller), "sensor.token_made", &subject, &what).await?;
    Ok(Json(token))
}

/// Stops accepting a sensor's certificate.
#[utoipa::path(post, path = "/api/v1/sensors/{name}/revoke", tag = "sensors",
    params(("name" = String, Path, description = "The sensor")),
    responses((status = 200, body = Sensor), (status = "default", body = ProblemBody)))]
pub async fn revoke_sensor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Sensor>, Problem> {
    let sensor = app.collector.revoke(&name).await?;
    let subject = format!("sensor:{}", sensor.name);
    app.store.add_audit(&Actor::from(&caller), "sensor.revoked", &subject, &detail([])).await?;
    Ok(Json(sensor))
}

/// What every stage counted, minute by minute.
#[utoipa::path(get, path = "/api/v1/ledger", tag = "sensors", params(LedgerQuery),
    responses((status = 200, body = LedgerAnswer), (status = "default", body = ProblemBody)))]
pub async fn get_ledger(
    State(app): State<Arc<App>>,
    Params(query): Params<LedgerQuery>,
) -> Result<Json<LedgerAnswer>, Problem> {
    Ok(Json(app.collector.ledger(&query).await?))
}

/// All rules in force, and those that are broken.
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules",
    responses((status = 200, body = RulesAnswer), (status = "default", body = ProblemBody)))]
pub async fn list_rules(State(app): State<Arc<App>>) -> Result<Json<RulesAnswer>, Problem> {
    Ok(Json(app.collector.rules().await?))
}

/// A rule with its text.
#[utoipa::path(get, path = "/api/v1/rules/{id}", tag = "rules",
    params(("id" = String, Path, description = "The rule")),
    responses((status = 200, body = RuleDetail), (status = "default", body = ProblemBody)))]
pub async fn get_rule(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<RuleDetail>, Problem> {
    Ok(Json(app.collector.rule(&id).await?))
}
