//! The guard before every route of the API: finds the session, the route's rule, and for changes the CSRF token. A
//! request that passes carries a [`Caller`]; one that does not never reaches its handler.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::RequestExt as _;
use axum::extract::{ConnectInfo, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::caller::Caller;
use super::roles::{Access, Within, access};
use super::secrets;
use crate::api::problem::Problem;
use crate::app::App;
use crate::model::TokenScope;
use crate::store::sessions::Entry;

/// The session cookie's name.
pub const COOKIE: &str = "luytre_session";

/// The header that every change must carry.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Requests that the page makes by itself carry this header (any value); they do not keep an idle session alive.
pub const BACKGROUND_HEADER: &str = "x-luytre-background";

/// Lets a request through to its handler, or answers why not.
pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match examine(&app, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn examine(app: &App, request: &mut Request) -> Result<(), Problem> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if let Some(address) = address {
        app.requests.take(address, app.clock.now_us()).map_err(|wait_s| Problem::later("too_many_requests", wait_s))?;
    }
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let method = match request.method() {
        &Method::HEAD => Method::GET,
        other => other.clone(),
    };
    let Some((access, within)) = access(&method, &route) else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "nobody may do this"));
    };
    if access == Access::Public {
        return Ok(());
    }
    let headers = request.headers().clone();
    let address = address.map(|a| a.to_string());
    let caller = match bearer(&headers) {
        Some(secret) => program(app, secret, &method, &route, address).await?,
        None => caller(app, &headers, &route, address).await?,
    };
    if method != Method::GET && caller.token.is_none() {
        check_csrf(&headers, &caller)?;
    }
    check_policy(app, &route, &caller)?;
    if !access.allows(caller.user.role) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "your role may not do this; ask an administrator",
        ));
    }
    let named = request.extract_parts::<RawPathParams>().await.ok();
    let id = named.as_ref().and_then(|named| named.iter().find(|(name, _)| *name == "id")).map(|(_, id)| id);
    check_reach(app, within, id.unwrap_or_default(), &caller).await?;
    request.extensions_mut().insert(caller);
    Ok(())
}

/// What the policy wants of somebody before they do anything but see to it.
fn check_policy(app: &App, route: &str, caller: &Caller) -> Result<(), Problem> {
    if route.starts_with("/api/v1/session") {
        return Ok(());
    }
    if app.profile.must_enrol(&caller.user, caller.entry) {
        let message = "set up a second factor first, under your account";
        return Err(Problem::new(StatusCode::FORBIDDEN, "enrol_first", message));
    }
    if app.profile.must_change(caller.user.role, caller.password_set_us, app.clock.now_us()) {
        let message = "the password is too old; set a new one first, under your account";
        return Err(Problem::new(StatusCode::FORBIDDEN, "change_password_first", message));
    }
    Ok(())
}

async fn caller(app: &App, headers: &HeaderMap, route: &str, address: Option<String>) -> Result<Caller, Problem> {
    let token = session_token(headers).ok_or_else(Problem::not_logged_in)?;
    let digest = secrets::digest(token);
    // The live stream and what the page asks by itself run without anybody at the desk.
    let touch = route != "/api/v1/live" && !headers.contains_key(BACKGROUND_HEADER);
    let session = app.store.session(&digest, app.session_life(), touch).await?.ok_or_else(Problem::not_logged_in)?;
    Ok(Caller {
        user: session.user,
        session: digest,
        csrf_token: session.csrf_token,
        expires_us: session.expires_us,
        entry: session.entry,
        password_set_us: session.password_set_us,
        address,
        token: None,
    })
}

/// The secret of a token, where one was sent.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// Routes that no token reaches: whoever has one must not make itself at home with it, nor hold a stream open.
const PEOPLE_ONLY: [&str; 4] = ["/api/v1/session", "/api/v1/tokens", "/api/v1/users", "/api/v1/live"];

/// A program with a token: it acts as its owner within the token's scope. It carries no cookie, so nothing forges it.
async fn program(
    app: &App,
    secret: &str,
    method: &Method,
    route: &str,
    address: Option<String>,
) -> Result<Caller, Problem> {
    let found = app.store.token_owner(&secrets::digest(secret)).await?;
    let (user, scope) = found.ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "bad_token", "the token does not work: revoked, lapsed or mistyped")
    })?;
    let reads = *method == Method::GET || route == "/api/v1/search";
    let people_only = PEOPLE_ONLY.iter().any(|start| route.starts_with(start));
    if people_only || (scope == TokenScope::Read && !reads) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "token_scope",
            "this token may not do this; its scope is too small",
        ));
    }
    let (session, csrf_token) = (String::new(), String::new());
    let entry = Entry::default();
    Ok(Caller { user, session, csrf_token, expires_us: 0, entry, password_set_us: None, address, token: Some(scope) })
}

/// Who may not see something finds nothing, whatever is asked of it.
async fn check_reach(app: &App, within: Within, id: &str, caller: &Caller) -> Result<(), Problem> {
    let reach = caller.reach();
    match within {
        Within::Case if !app.store.may_see_case(id, &caller.user.id).await? => Err(Problem::not_found("case")),
        Within::Named(named) if reach.is_narrow() => {
            if app.store.names_reached(named, id, &reach).await? {
                Ok(())
            } else {
                Err(Problem::not_found(named.word()))
            }
        }
        Within::Whole if reach.is_narrow() => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "this is about everybody, and you look after one agency; ask an administrator",
        )),
        _ => Ok(()),
    }
}

fn check_csrf(headers: &HeaderMap, caller: &Caller) -> Result<(), Problem> {
    let sent = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if secrets::same(sent, &caller.csrf_token) {
        return Ok(());
    }
    let message = "the x-csrf-token header is missing or not this session's; load the page again";
    Err(Problem::new(StatusCode::FORBIDDEN, "csrf", message))
}

/// The session's secret from the cookies.
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    cookie_value(headers, COOKIE)
}

/// What a cookie holds.
pub fn cookie_value<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// A cookie that carries a secret: for our own pages alone, and for no script.
pub fn cookie(name: &str, secret: &str, life_s: i64) -> String {
    format!("{name}={secret}; Path=/; Max-Age={life_s}; HttpOnly; Secure; SameSite=Strict")
}

/// The cookie that takes it away.
pub fn no_cookie() -> String {
    format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict")
}
