//! Logging in and out, the first administrator, one's own settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};

use super::extract::{Body, Visitor};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::openid::OpenId;
use crate::auth::throttle::Knock;
use crate::auth::{Caller, guard, password, secrets};
use crate::clock;
use crate::model::{ChangePassword, ChangeSession, LogIn, SessionInfo, Setup, SetupState, User};
use crate::store::audit::{Actor, detail};
use crate::store::links::Entrant;
use crate::store::sessions::Entry;

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
    let owner = app.store.link_owner(&link).await?;
    let (whose, guarded) = owner.as_ref().map_or((&name, false), |owner| (&owner.name, owner.two_factor));
    if let Some(complaint) = app.profile.complaint(&setup.password, whose, guarded) {
        return Err(Problem::bad_field("password", complaint));
    }
    if let Some(owner) = &owner {
        refuse_earlier(&app, &owner.id, &setup.password).await?;
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
    open_session(&app, user, Entry::default(), &actor).await
}

/// Refuses a password that somebody had not long ago.
pub(super) async fn refuse_earlier(app: &App, user_id: &str, password: &str) -> Result<(), Problem> {
    let count = app.profile.password_history;
    for hash in app.store.password_hashes(user_id, count).await? {
        let same = app.passwords.check(password.to_owned(), Some(hash)).await.map_err(|e| Problem::internal(&e))?;
        if same {
            let message = format!("choose one that is none of your last {count} passwords");
            return Err(Problem::bad_field("password", message));
        }
    }
    Ok(())
}

pub(super) fn code_needed() -> Problem {
    let message = "name and password are right; log in with them and a code of your app";
    Problem::new(StatusCode::UNAUTHORIZED, "code_needed", message)
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionInfo), (status = "default", body = ProblemBody)))]
pub async fn get_session(State(app): State<Arc<App>>, caller: Caller) -> Json<SessionInfo> {
    Json(session_info(&app, caller))
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
    app.store.shut_unused(app.profile.unused_days).await?;
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
            open_session(&app, user, Entry::default(), &actor).await
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
    Ok(Json(session_info(&app, Caller { user, ..caller })))
}

/// Changes one's own password; every other session of one's own ends.
#[utoipa::path(put, path = "/api/v1/session/password", tag = "session", request_body = ChangePassword,
    responses((status = 200, body = SessionInfo), (status = "default", body = ProblemBody)))]
pub async fn change_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(wish): Body<ChangePassword>,
) -> Result<Json<SessionInfo>, Problem> {
    let (user, actor) = (&caller.user, Actor::from(&caller));
    // A session that somebody left open is no place to guess passwords in.
    let knock = Knock::new(&user.name, actor.address.as_deref());
    let now_us = app.clock.now_us();
    if let Some(wait_s) = app.doors.wait_s(&knock, now_us) {
        return Err(Problem::later("locked", wait_s));
    }
    app.doors.tried(&knock, now_us);
    let Some((_, Some(hash))) = app.store.user_by_name(&user.name).await? else {
        let message = "this account has no password of its own; ask an administrator for a link";
        return Err(Problem::new(StatusCode::CONFLICT, "no_password", message));
    };
    let current: String = wish.current.chars().take(password::MAX_LENGTH + 1).collect();
    if !app.passwords.check(current, Some(hash)).await.map_err(|e| Problem::internal(&e))? {
        app.metrics.logins_failed.add(1);
        app.store.add_audit(&actor, "user.password_refused", &format!("user:{}", user.id), &detail([])).await?;
        return Err(Problem::bad_field("current", "this is not the password until now"));
    }
    app.doors.succeeded(&knock);
    if let Some(complaint) = app.profile.complaint(&wish.password, &user.name, user.two_factor) {
        return Err(Problem::bad_field("password", complaint));
    }
    refuse_earlier(&app, &user.id, &wish.password).await?;
    let hash = app.passwords.hash(wish.password).await.map_err(|e| Problem::internal(&e))?;
    app.store.change_password(&user.id, &hash, &caller.session, &actor).await?;
    let password_set_us = caller.password_set_us.map(|_| app.clock.now_us());
    Ok(Json(session_info(&app, Caller { password_set_us, ..caller })))
}

/// Logs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "Logged out"), (status = "default", body = ProblemBody)))]
pub async fn log_out(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    app.store.close_session(&caller.session, &Actor::from(&caller)).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, guard::no_cookie())])).into_response())
}

/// Opens a session: its cookie, and who is logged in.
pub(super) async fn open_session(app: &App, user: User, entry: Entry, actor: &Actor) -> Result<Response, Problem> {
    let token = secrets::random_token().map_err(|e| Problem::internal(&e))?;
    let csrf_token = secrets::random_token().map_err(|e| Problem::internal(&e))?;
    let life = app.session_life();
    let digest = secrets::digest(&token);
    app.store.open_session(&digest, &csrf_token, &user.id, (life, entry), actor).await?;
    let session = app.store.session(&digest, life, false).await?.ok_or_else(Problem::not_logged_in)?;
    let cookie = guard::cookie(guard::COOKIE, &token, life.absolute_us / 1_000_000);
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, cookie.parse().map_err(|e| Problem::internal(&e))?);
    let caller = Caller {
        user: session.user,
        session: digest,
        csrf_token,
        expires_us: session.expires_us,
        entry,
        password_set_us: session.password_set_us,
        address: actor.address.clone(),
        token: None,
    };
    Ok((headers, Json(session_info(app, caller))).into_response())
}

fn session_info(app: &App, caller: Caller) -> SessionInfo {
    let Caller { user, csrf_token, expires_us, entry, password_set_us, .. } = caller;
    SessionInfo {
        must_enrol: app.profile.must_enrol(&user, entry),
        must_change_password: app.profile.must_change(user.role, password_set_us, app.clock.now_us()),
        password_ends_at: app.profile.password_ends_us(user.role, password_set_us).map(clock::to_text),
        by_provider: entry.by_provider,
        log_out_address: app.openid.as_ref().filter(|_| entry.by_provider).and_then(OpenId::log_out_address),
        profile: app.profile.clone(),
        user,
        csrf_token,
        expires_at: clock::to_text(expires_us),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time_zone: app.settings.report.time_zone.clone(),
    }
}
