//! One's own second factor and tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::throttle::Knock;
use crate::auth::{Caller, secrets, totp};
use crate::model::{ApiTokenList, ApiTokenMade, CodeProposal, GivenCode, NewApiToken, RecoveryCodes};
use crate::store::audit::Actor;

/// What secrets of tokens begin with, so that they are recognised where they should not be.
pub const TOKEN_PREFIX: &str = "luytre_";

/// Proposes a second factor; it is in force once a code confirms it.
#[utoipa::path(post, path = "/api/v1/session/code", tag = "session",
    responses((status = 200, body = CodeProposal), (status = "default", body = ProblemBody)))]
pub async fn propose_code(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<CodeProposal>, Problem> {
    if caller.user.two_factor {
        let message = "there is a second factor already; remove it with a code first";
        return Err(Problem::new(StatusCode::CONFLICT, "code_set", message));
    }
    let secret = totp::random_secret().map_err(|e| Problem::internal(&e))?;
    app.store.propose_code(&caller.user.id, &secret).await?;
    let address = totp::address(&secret, &caller.user.name);
    let (path, size) = totp::picture(&address).map_err(|e| Problem::internal(&e))?;
    Ok(Json(CodeProposal { secret, address, path, size }))
}

/// Puts the proposed second factor in force; answers recovery codes, once.
#[utoipa::path(put, path = "/api/v1/session/code", tag = "session", request_body = GivenCode,
    responses((status = 200, body = RecoveryCodes), (status = "default", body = ProblemBody)))]
pub async fn confirm_code(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(given): Body<GivenCode>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let codes = totp::recovery_codes().map_err(|e| Problem::internal(&e))?;
    app.store.confirm_code(&caller.user.id, &given.code, &codes, &Actor::from(&caller)).await?;
    Ok(Json(RecoveryCodes { codes }))
}

/// Takes one's own second factor away; needs a code of it.
#[utoipa::path(delete, path = "/api/v1/session/code", tag = "session", request_body = GivenCode,
    responses((status = 204, description = "Removed"), (status = "default", body = ProblemBody)))]
pub async fn remove_code(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(given): Body<GivenCode>,
) -> Result<StatusCode, Problem> {
    let actor = Actor::from(&caller);
    // A session that somebody left open is no place to guess codes in.
    let knock = Knock::new(&caller.user.name, actor.address.as_deref());
    let now_us = app.clock.now_us();
    if let Some(wait_s) = app.doors.wait_s(&knock, now_us) {
        return Err(Problem::later("locked", wait_s));
    }
    app.doors.tried(&knock, now_us);
    if !app.store.use_code(&caller.user.id, &given.code, &actor).await? {
        return Err(Problem::bad_field("code", "the code does not fit; check the app and the clock"));
    }
    app.doors.succeeded(&knock);
    app.store.remove_code(&caller.user.id, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One's own tokens.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "session",
    responses((status = 200, body = ApiTokenList), (status = "default", body = ProblemBody)))]
pub async fn list_tokens(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<ApiTokenList>, Problem> {
    Ok(Json(app.store.tokens(&caller.user.id).await?))
}

/// Makes a token that acts as oneself; its secret is answered once.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "session", request_body = NewApiToken,
    responses((status = 200, body = ApiTokenMade), (status = "default", body = ProblemBody)))]
pub async fn make_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(new): Body<NewApiToken>,
) -> Result<Json<ApiTokenMade>, Problem> {
    let secret = secrets::random_token().map_err(|e| Problem::internal(&e))?;
    let secret = format!("{TOKEN_PREFIX}{secret}");
    let digest = secrets::digest(&secret);
    let token = app.store.make_token(&new, &digest, &caller.user.id, &Actor::from(&caller)).await?;
    Ok(Json(ApiTokenMade { secret, token }))
}

/// Revokes a token of one's own.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "session",
    params(("id" = String, Path, description = "The token")),
    responses((status = 200, body = ApiTokenList), (status = "default", body = ProblemBody)))]
pub async fn revoke_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<ApiTokenList>, Problem> {
    app.store.revoke_token(&id, &caller.user.id, &Actor::from(&caller)).await?;
    Ok(Json(app.store.tokens(&caller.user.id).await?))
}
