//! Logging in and out, the first administrator, one's own settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};

use super::extract::{Body, Visitor};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::throttle::Knock;
use crate::auth::{Caller, guard, password, secrets};
use crate::clock;
use crate::model::{ChangeSession, LogIn, SessionInfo, Setup, SetupState, User};
use crate::store::audit::{Actor, detail};
use crate::store::links::Entrant;

/// Whether the first administrator is still missing.
#[utoipa::path(get, path = "/api/v1/setup", tag = "session",
    responses((status = 200, body = SetupState), (status = "default", body = ProblemBody)))]
pub async fn get_setup(State(app): State<Arc<App>>) -> Result<Json<SetupState>, Problem> {
    Ok(Json(SetupState { needed: app.store.needs_setup().await? }))
}

/// Uses a one-time link: makes the first administrator or sets an invited user's password, and logs in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "session", request_body = Setup,
    responses((status = 200, body = SessionInfo), (status = "default", body = ProblemBody)))]
pub async fn post_setup(
    State(app): State<Arc<App>>,
    Visitor(actor): Visitor,
    Body(setup): Body<Setup>,
) -> Result<Response, Problem> {
    let link = secrets::digest(&setup.token);
    if !app.store.link_works(&link).await? {
        let message = "the link was used already or has lapsed; ask for a new one";
        return Err(Problem::new(StatusCode::FORBIDDEN, "link_lapsed", message));
    }
    let name = setup.name.unwrap_or_default().trim().to_lowercase();
    let guarded = app.store.link_has_code(&link).await?;
    if let Some(complaint) = app.profile.complaint(&setup.password, &name, guarded) {
        return Err(Problem::bad_field("password", complaint));
    }
    let display_name = setup.display_name.unwrap_or_default();
    let password_hash = app.passwords.hash(setup.password).await.map_err(|e| Problem::internal(&e))?;
    let entrant = Entrant { name, display_name, password_hash };
    let user_id = app.store.use_link(&link, &entrant, &actor).await?;
    let user = app.store.user(&user_id).await?;
    if user.two_factor {
        // A link stands for the password alone.
        return Err(code_needed());
    }
    open_session(&app, user, &actor).await
}

fn code_needed() -> Problem {
    let message = "name and password are right; log in with them and a code of your app";
    Problem::new(StatusCode::UNAUTHORIZED, "code_needed", message)
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionInfo), (status = "default", body = ProblemBody)))]
pub async fn get_session(State(app): State<Arc<App>>, caller: Caller) -> Json<SessionInfo> {
    Json(session_info(&app, caller.user, caller.csrf_token, caller.expires_us))
}

/// Logs in.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = LogIn,
    responses((status = 200, body = SessionInfo), (status = "default", body = ProblemBody)))]
pub async fn log_in(
    State(app): State<Arc<App>>,
    Visitor(actor): Visitor,
    Body(login): Body<LogIn>,
) -> Result<Response, Problem> {
    let name: String = login.name.trim().to_lowercase().chars().take(64).collect();
    let knock = Knock::new(&name, actor.address.as_deref());
    let now_us = app.clock.now_us();
    if let Some(wait_s) = app.doors.wait_s(&knock, now_us) {
        return Err(Problem::later("locked", wait_s));
    }
    let wait_s = app.doors.tried(&knock, now_us);
    let (user, hash) = match app.store.user_by_name(&name).await? {
        Some((user, hash)) if !user.disabled => (Some(user), hash),
        _ => (None, None),
    };
    let password: String = login.password.chars().take(password::MAX_LENGTH + 1).collect();
    let fits = app.passwords.check(password, hash).await.map_err(|e| Problem::internal(&e))?;
    match user {
        Some(user) if fits => {
            if user.two_factor {
                let Some(code) = login.code.as_deref().filter(|code| !code.trim().is_empty()) else {
                    return Err(code_needed());
                };
                if !app.store.use_code(&user.id, code, &actor).await? {
                    let mut problem = refused(&app, &name, wait_s, &actor).await?;
                    "wrong_code".clone_into(&mut problem.body.code);
                    "the code does not fit, or was used already".clone_into(&mut problem.body.message);
                    return Err(problem);
                }
            }
            app.doors.succeeded(&knock);
            app.metrics.logins.add(1);
            open_session(&app, user, &actor).await
        }
        _ => Err(refused(&app, &name, wait_s, &actor).await?),
    }
}

/// Wrong password, unknown and disabled user look the same.
async fn refused(app: &App, name: &str, wait_s: Option<u64>, actor: &Actor) -> Result<Problem, Problem> {
    app.metrics.logins_failed.add(1);
    let subject = format!("name:{}", crate::words::one_line(name, 64));
    app.store.add_audit(actor, "session.refused", &subject, &detail([])).await?;
    let mut problem = Problem::new(StatusCode::UNAUTHORIZED, "wrong_password", "name or password is wrong");
    problem.body.retry_after_s = wait_s;
    Ok(problem)
}

/// Changes one's own settings.
#[utoipa::path(patch, path = "/api/v1/session", tag = "session", request_body = ChangeSession,
    responses((status = 200, body = SessionInfo), (status = "default", body = ProblemBody)))]
pub async fn change_session(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(wish): Body<ChangeSession>,
) -> Result<Json<SessionInfo>, Problem> {
    let user = app.store.change_own(&caller.user.id, &wish, &Actor::from(&caller)).await?;
    Ok(Json(session_info(&app, user, caller.csrf_token, caller.expires_us)))
}

/// Logs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "Logged out"), (status = "default", body = ProblemBody)))]
pub async fn log_out(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    app.store.close_session(&caller.session, &Actor::from(&caller)).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, guard::no_cookie())])).into_response())
}

async fn open_session(app: &App, user: User, actor: &Actor) -> Result<Response, Problem> {
    let token = secrets::random_token().map_err(|e| Problem::internal(&e))?;
    let csrf_token = secrets::random_token().map_err(|e| Problem::internal(&e))?;
    let life = app.session_life();
    app.store.open_session(&secrets::digest(&token), &csrf_token, &user.id, life, actor).await?;
    let expires_us = app.clock.now_us() + life.absolute_us;
    let cookie = guard::cookie(&token, life.absolute_us / 1_000_000);
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, cookie.parse().map_err(|e| Problem::internal(&e))?);
    Ok((headers, Json(session_info(app, user, csrf_token, expires_us))).into_response())
}

fn session_info(app: &App, user: User, csrf_token: String, expires_us: i64) -> SessionInfo {
    SessionInfo {
        must_enrol: app.profile.demands_code(user.role) && !user.two_factor,
        profile: app.profile.clone(),
        user,
        csrf_token,
        expires_at: clock::to_text(expires_us),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone: app.settings.report.time_zone.clone(),
    }
}
