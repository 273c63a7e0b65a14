//! Suppressions: looked at before, made, listed, ended.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{
    EndSuppression, NewSuppression, Scope, Suppression, SuppressionList, SuppressionMade, SuppressionPreview,
};
use crate::store::audit::Actor;

/// All suppressions: those that hide now first.
#[utoipa::path(get, path = "/api/v1/suppressions", tag = "suppressions",
    responses((status = 200, body = SuppressionList), (status = "default", body = ProblemBody)))]
pub async fn list_suppressions(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<SuppressionList>, Problem> {
    Ok(Json(app.store.suppressions(&caller.reach()).await?))
}

/// What a suppression would have hidden in the last 30 days.
#[utoipa::path(get, path = "/api/v1/suppressions/preview", tag = "suppressions", params(Scope),
    responses((status = 200, body = SuppressionPreview), (status = "default", body = ProblemBody)))]
pub async fn preview_suppression(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(scope): Params<Scope>,
) -> Result<Json<SuppressionPreview>, Problem> {
    Ok(Json(app.store.preview_suppression(&scope, &caller.user.id, &caller.reach()).await?))
}

/// Makes a suppression.
#[utoipa::path(post, path = "/api/v1/suppressions", tag = "suppressions", request_body = NewSuppression,
    responses((status = 200, body = SuppressionMade), (status = "default", body = ProblemBody)))]
pub async fn make_suppression(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewSuppression>,
) -> Result<Json<SuppressionMade>, Problem> {
    let made = app.store.suppress(&new, &Actor::from(&caller)).await?;
    app.tell_alerts(&made.hidden).await;
    let suppression = app.store.suppression(&made.id).await?;
    Ok(Json(SuppressionMade { suppression, hidden_now: made.hidden.len() as u64, act_id: made.act_id }))
}

/// Ends a suppression before its time.
#[utoipa::path(post, path = "/api/v1/suppressions/{id}/end", tag = "suppressions", request_body = EndSuppression,
    params(("id" = String, Path, description = "The suppression")),
    responses((status = 200, body = Suppression), (status = "default", body = ProblemBody)))]
pub async fn end_suppression(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<EndSuppression>,
) -> Result<Json<Suppression>, Problem> {
    app.store.end_suppression(&id, &wish.reason, &Actor::from(&caller)).await?;
    Ok(Json(app.store.suppression(&id).await?))
}
