//! Users: who may log in and what they may do.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{ChangeUser, NewUser, User, UserInvitation, UserList};
use crate::setup::make_link;
use crate::store::audit::Actor;

/// All users; who does not reach everything sees those of the agencies within reach.
#[utoipa::path(get, path = "/api/v1/users", tag = "users",
    responses((status = 200, body = UserList), (status = "default", body = ProblemBody)))]
pub async fn list_users(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<UserList>, Problem> {
    let mut items = app.store.users().await?;
    if let Some(within) = app.store.within(&caller.reach()).await? {
        items.retain(|user| user.agency_id.as_ref().is_some_and(|id| within.contains(id)));
    }
    Ok(Json(UserList { total: items.len() as u64, items }))
}

/// Adds a user; answers a one-time link with which they set their password.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 200, body = UserInvitation), (status = "default", body = ProblemBody)))]
pub async fn add_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewUser>,
) -> Result<Json<UserInvitation>, Problem> {
    let user = app.store.add_user(&new, &Actor::from(&caller)).await?;
    let link = make_link(&app, Some(&user.id)).await.map_err(|e| Problem::internal(&format!("{e:#}")))?;
    Ok(Json(UserInvitation { user, link: link.url, expires_at: link.expires_at }))
}

/// Changes a user's role, or shuts them out.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", request_body = ChangeUser,
    params(("id" = String, Path, description = "The user")),
    responses((status = 200, body = User), (status = "default", body = ProblemBody)))]
pub async fn change_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<ChangeUser>,
) -> Result<Json<User>, Problem> {
    Ok(Json(app.store.change_user(&id, &wish, &Actor::from(&caller)).await?))
}
