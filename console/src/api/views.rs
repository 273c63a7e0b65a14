//! Saved views of the queue.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{NewView, Role, ViewList};
use crate::store::audit::Actor;

/// The caller's views and those that others share.
#[utoipa::path(get, path = "/api/v1/views", tag = "views",
    responses((status = 200, body = ViewList), (status = "default", body = ProblemBody)))]
pub async fn list_views(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<ViewList>, Problem> {
    Ok(Json(app.store.views(&caller.user.id, &caller.reach()).await?))
}

/// Saves a view; one of the same name is replaced.
#[utoipa::path(post, path = "/api/v1/views", tag = "views", request_body = NewView,
    responses((status = 200, body = ViewList), (status = "default", body = ProblemBody)))]
pub async fn save_view(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewView>,
) -> Result<Json<ViewList>, Problem> {
    app.store.save_view(&new, &caller.user.id, &Actor::from(&caller)).await?;
    Ok(Json(app.store.views(&caller.user.id, &caller.reach()).await?))
}

/// Deletes a view of one's own; administrators also those of others.
#[utoipa::path(delete, path = "/api/v1/views/{id}", tag = "views",
    params(("id" = String, Path, description = "The view")),
    responses((status = 200, body = ViewList), (status = "default", body = ProblemBody)))]
pub async fn delete_view(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ViewList>, Problem> {
    let any = caller.user.role == Role::Admin;
    app.store.delete_view(&id, &caller.user.id, any, &Actor::from(&caller)).await?;
    Ok(Json(app.store.views(&caller.user.id, &caller.reach()).await?))
}
