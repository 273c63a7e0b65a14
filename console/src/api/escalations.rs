//! Escalations, and the links that acknowledge them. Looking at a link changes nothing, so that programs which open the
//! links of mails acknowledge nothing; a POST from the page that it shows does, once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::extract::{Body, Visitor};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::{Caller, secrets};
use crate::model::{Acknowledge, Acknowledgement, EscalationList};
use crate::store::audit::Actor;

/// The header that carries the token of a link, which so stands in no log of addresses.
const LINK_HEADER: &str = "x-luytre-link";

/// Those that wait, then the newest.
#[utoipa::path(get, path = "/api/v1/escalations", tag = "notices",
    responses((status = 200, body = EscalationList), (status = "default", body = ProblemBody)))]
pub async fn list_escalations(State(app): State<Arc<App>>) -> Result<Json<EscalationList>, Problem> {
    let (waiting, _) = app.store.escalation_counts().await?;
    Ok(Json(EscalationList { items: app.store.escalations().await?, waiting }))
}

/// Acknowledges in the console.
#[utoipa::path(post, path = "/api/v1/escalations/{id}/acknowledge", tag = "notices",
    params(("id" = String, Path, description = "The escalation")),
    responses((status = 200, body = EscalationList), (status = "default", body = ProblemBody)))]
pub async fn acknowledge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<EscalationList>, Problem> {
    app.store.acknowledge(&id, &Actor::from(&caller)).await?;
    app.live.publish("notices_changed", &serde_json::json!({}));
    list_escalations(State(app)).await
}

/// What a link is about. The token stands in the header `x-luytre-link`.
#[utoipa::path(get, path = "/api/v1/acknowledgement", tag = "notices",
    params(("x-luytre-link" = Option<String>, Header, description = "The link's token")),
    responses((status = 200, body = Acknowledgement), (status = "default", body = ProblemBody)))]
pub async fn look_at_link(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Json<Acknowledgement>, Problem> {
    let token = headers.get(LINK_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok(Json(about(&app, token).await?))
}

/// Acknowledges by a link, which works once.
#[utoipa::path(post, path = "/api/v1/acknowledgement", tag = "notices", request_body = Acknowledge,
    responses((status = 200, body = Acknowledgement), (status = "default", body = ProblemBody)))]
pub async fn use_link(
    State(app): State<Arc<App>>,
    Visitor(actor): Visitor,
    Body(wish): Body<Acknowledge>,
) -> Result<Json<Acknowledgement>, Problem> {
    app.store.acknowledge_by_link(&secrets::digest(&wish.token), actor.address).await?;
    app.live.publish("notices_changed", &serde_json::json!({}));
    Ok(Json(about(&app, &wish.token).await?))
}

async fn about(app: &App, token: &str) -> Result<Acknowledgement, Problem> {
    app.store.acknowledgement(&secrets::digest(token)).await?.ok_or_else(|| {
        let message = "the link was used already or has lapsed; log in and look at the alert";
        Problem::new(StatusCode::FORBIDDEN, "link_lapsed", message)
    })
}
