//! Coming in by an identity provider, and linking one's account with an account there. The pages send people to the
//! provider and bring back what it answers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};

use super::extract::{Body, Visitor};
use super::problem::{Problem, ProblemBody};
use super::session::{code_needed, open_session};
use crate::app::App;
use crate::auth::openid::claims::{Claims, Given};
use crate::auth::openid::flows::{Flow, LIFE_US, Purpose};
use crate::auth::openid::provider::ProviderError;
use crate::auth::openid::{self, OpenId};
use crate::auth::throttle::{Knock, network};
use crate::auth::{Caller, guard, secrets};
use crate::model::{ChangeUser, IdentityState, NewUser, OpenIdAddress, OpenIdReturn, OpenIdState, SessionInfo, User};
use crate::store::StoreError;
use crate::store::audit::{Actor, detail};
use crate::store::identities::Identity;
use crate::store::sessions::Entry;

/// Whether one can come in by an identity provider.
#[utoipa::path(get, path = "/api/v1/openid", tag = "session",
    responses((status = 200, body = OpenIdState), (status = "default", body = ProblemBody)))]
pub async fn get_openid(State(app): State<Arc<App>>) -> Json<OpenIdState> {
    Json(OpenIdState { provider: app.openid.as_ref().map(|openid| openid.name().to_owned()) })
}

/// Begins a log-in by the identity provider: answers where to go.
#[utoipa::path(post, path = "/api/v1/openid", tag = "session",
    responses((status = 200, body = OpenIdAddress), (status = "default", body = ProblemBody)))]
pub async fn begin_log_in(State(app): State<Arc<App>>, Visitor(actor): Visitor) -> Result<Response, Problem> {
    begin(&app, Purpose::LogIn, &actor).await
}

/// Ends a log-in by the identity provider, with what it sent back.
#[utoipa::path(post, path = "/api/v1/openid/session", tag = "session", request_body = OpenIdReturn,
    responses((status = 200, body = SessionInfo), (status = "default", body = ProblemBody)))]
pub async fn finish_log_in(
    State(app): State<Arc<App>>,
    Visitor(actor): Visitor,
    headers: HeaderMap,
    Body(back): Body<OpenIdReturn>,
) -> Result<Response, Problem> {
    let openid = configured(&app)?;
    let now_us = app.clock.now_us();
    // There is nothing to guess: only a network with many failures is slowed down, whatever they were.
    let knock = Knock::new(&secrets::digest(&back.state), actor.address.as_deref());
    if let Some(wait_s) = app.doors.wait_s(&knock, now_us) {
        return Err(Problem::later("locked", wait_s));
    }
    app.doors.tried(&knock, now_us);
    let flow = taken(openid, &back, &headers, now_us)?;
    let (user, strong) = match &flow.purpose {
        Purpose::LogIn => {
            let claims = said(&app, openid, &flow, &back, &actor).await?;
            let strong = claims.is_strong(&openid.settings.second_factor);
            match user_of(&app, openid, &claims, &actor).await {
                Ok(user) => (user, strong),
                Err(problem) => return Err(refused(&app, problem, claims.subject(), &actor).await),
            }
        }
        Purpose::Code(user_id) => (app.store.user(user_id).await?, false),
        Purpose::Link(_) => return Err(stale()),
    };
    if user.disabled {
        return Err(refused(&app, shut(), &user.name, &actor).await);
    }
    app.doors.forgive(&knock);
    if user.two_factor && !strong {
        check_code(&app, openid, flow, &user, &back, &actor).await?;
    }
    app.metrics.logins.add(1);
    open_session(&app, user, Entry { by_provider: true, strong }, &actor).await
}

/// Whether one's own account is linked with one at the identity provider.
#[utoipa::path(get, path = "/api/v1/session/identity", tag = "session",
    responses((status = 200, body = IdentityState), (status = "default", body = ProblemBody)))]
pub async fn get_identity(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<IdentityState>, Problem> {
    let Some(openid) = &app.openid else { return Ok(Json(IdentityState::default())) };
    let linked = app.store.has_identity(&caller.user.id, &openid.settings.issuer).await?;
    Ok(Json(IdentityState { provider: Some(openid.name().to_owned()), linked }))
}

/// Begins to link one's own account with one at the identity provider: answers where to go.
#[utoipa::path(post, path = "/api/v1/session/identity", tag = "session",
    responses((status = 200, body = OpenIdAddress), (status = "default", body = ProblemBody)))]
pub async fn begin_link(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    begin(&app, Purpose::Link(caller.user.id.clone()), &Actor::from(&caller)).await
}

/// Links one's own account, with what the identity provider sent back.
#[utoipa::path(put, path = "/api/v1/session/identity", tag = "session", request_body = OpenIdReturn,
    responses((status = 200, body = IdentityState), (status = "default", body = ProblemBody)))]
pub async fn finish_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Body(back): Body<OpenIdReturn>,
) -> Result<Json<IdentityState>, Problem> {
    let (openid, actor) = (configured(&app)?, Actor::from(&caller));
    let flow = taken(openid, &back, &headers, app.clock.now_us())?;
    if flow.purpose != Purpose::Link(caller.user.id.clone()) {
        return Err(stale());
    }
    let claims = said(&app, openid, &flow, &back, &actor).await?;
    let identity = Identity { issuer: &openid.settings.issuer, subject: claims.subject() };
    app.store.link_identity(identity, &caller.user.id, &actor).await?;
    get_identity(State(app.clone()), caller).await
}

/// Undoes the link.
#[utoipa::path(delete, path = "/api/v1/session/identity", tag = "session",
    responses((status = 200, body = IdentityState), (status = "default", body = ProblemBody)))]
pub async fn remove_link(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<IdentityState>, Problem> {
    let openid = configured(&app)?;
    if app.store.password_hashes(&caller.user.id, 1).await?.is_empty() {
        let message = "this account has no password of its own; ask an administrator for a link";
        return Err(Problem::new(StatusCode::CONFLICT, "no_password", message));
    }
    app.store.unlink_identity(&caller.user.id, &openid.settings.issuer, &Actor::from(&caller)).await?;
    get_identity(State(app.clone()), caller).await
}

fn configured(app: &App) -> Result<&OpenId, Problem> {
    app.openid.as_ref().ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "openid_off", "no identity provider is configured; log in with a password")
    })
}

async fn begin(app: &App, purpose: Purpose, actor: &Actor) -> Result<Response, Problem> {
    let openid = configured(app)?;
    let network = network(actor.address.as_deref());
    let begun = openid.begin(purpose, network, app.clock.now_us()).await.map_err(|e| Problem::internal(&e))?;
    let (address, begun) = begun.map_err(|error| problem_of(&error))?;
    let cookie = guard::cookie(openid::COOKIE, &begun.cookie, LIFE_US / 1_000_000);
    Ok((AppendHeaders([(header::SET_COOKIE, cookie)]), Json(OpenIdAddress { address })).into_response())
}

/// The log-in under way to which this belongs.
fn taken(openid: &OpenId, back: &OpenIdReturn, headers: &HeaderMap, now_us: i64) -> Result<Flow, Problem> {
    let cookie = guard::cookie_value(headers, openid::COOKIE).unwrap_or_default();
    openid.flows.take(&back.state, cookie, now_us).ok_or_else(|| {
        tracing::info!("refuse a log-in by the identity provider that did not begin here, is too old or was used");
        stale()
    })
}

/// What the provider says of the person.
async fn said(app: &App, openid: &OpenId, flow: &Flow, back: &OpenIdReturn, actor: &Actor) -> Result<Claims, Problem> {
    let said = match (&back.error, &back.code) {
        (None, Some(code)) => openid.finish(flow, code, app.clock.now_us()).await,
        (Some(error), _) => Err(ProviderError::Refused(crate::words::one_line(error, 100))),
        (None, None) => Err(ProviderError::Refused("it sent no code".to_owned())),
    };
    match said {
        Ok(claims) => Ok(claims),
        Err(error) => Err(refused(app, problem_of(&error), "", actor).await),
    }
}

fn problem_of(error: &ProviderError) -> Problem {
    tracing::warn!(%error, "log in by the identity provider");
    let (status, code, message) = match error {
        ProviderError::Unreachable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "openid_unreachable",
            "the identity provider does not answer as it should; log in with a password, or try again later",
        ),
        ProviderError::Refused(_) => {
            (StatusCode::FORBIDDEN, "openid_refused", "the identity provider did not let you in; begin again")
        }
        ProviderError::Token(_) => (
            StatusCode::FORBIDDEN,
            "openid_token",
            "what the identity provider sent was not accepted; begin again, and tell an administrator if it stays so",
        ),
    };
    Problem::new(status, code, message)
}

fn stale() -> Problem {
    let message = "this log-in did not begin in this browser, took too long or was used already; begin again";
    Problem::new(StatusCode::FORBIDDEN, "openid_state", message)
}

fn shut() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "openid_shut", "this account is shut out; ask an administrator")
}

/// Tells of a refusal in the log.
async fn refused(app: &App, problem: Problem, who: &str, actor: &Actor) -> Problem {
    app.metrics.logins_failed.add(1);
    let subject = format!("openid:{}", crate::words::one_line(who, 64));
    let what = detail([("why", &problem.body.code)]);
    match app.store.add_audit(actor, "session.refused", &subject, &what).await {
        Ok(()) => problem,
        Err(error) => error.into(),
    }
}

/// Who that is here, with the role and the agency that they are to have.
async fn user_of(app: &App, openid: &OpenId, claims: &Claims, actor: &Actor) -> Result<User, Problem> {
    let identity = Identity { issuer: &openid.settings.issuer, subject: claims.subject() };
    let given = given(app, openid, claims).await?;
    app.store.shut_unused(app.profile.unused_days).await?;
    let user = match app.store.identified(identity).await? {
        Some(user) => user,
        None => match by_mail(app, openid, claims, identity, actor).await? {
            Some(user) => user,
            None => return made(app, openid, claims, (identity, given), actor).await,
        },
    };
    let Some(given) = given else { return Ok(user) };
    if user.role == given.role && user.agency_id == given.agency || user.disabled {
        return Ok(user);
    }
    let agency_id = Some(given.agency.unwrap_or_default());
    let wish = ChangeUser { role: Some(given.role), agency_id, ..ChangeUser::default() };
    Ok(app.store.change_user(&user.id, &wish, actor).await?)
}

/// What the grants give; nothing where there are none.
async fn given(app: &App, openid: &OpenId, claims: &Claims) -> Result<Option<Given>, Problem> {
    if openid.settings.grant.is_empty() {
        return Ok(None);
    }
    let none = || {
        let message = "the identity provider gives you no role here; ask an administrator";
        Problem::new(StatusCode::FORBIDDEN, "openid_no_role", message)
    };
    let mut given = claims.given(&openid.settings.grant).ok_or_else(none)?;
    if let Some(named) = given.agency.take() {
        let Some(id) = app.store.agency_named(&named).await? else {
            tracing::warn!(agency = %named, "a grant of [openid] names an agency that the register does not know");
            return Err(none());
        };
        given.agency = Some(id);
    }
    Ok(Some(given))
}

/// The user with the mail address that the provider vouches for; linked from now on.
async fn by_mail(
    app: &App,
    openid: &OpenId,
    claims: &Claims,
    identity: Identity<'_>,
    actor: &Actor,
) -> Result<Option<User>, Problem> {
    let Some(mail) = claims.verified_mail().filter(|_| openid.settings.match_mail) else { return Ok(None) };
    let Some(user) = app.store.user_by_mail(&mail).await? else { return Ok(None) };
    if !user.disabled {
        app.store.link_identity(identity, &user.id, actor).await?;
    }
    Ok(Some(user))
}

/// A new account, where the configuration wants that.
async fn made(
    app: &App,
    openid: &OpenId,
    claims: &Claims,
    (identity, given): (Identity<'_>, Option<Given>),
    actor: &Actor,
) -> Result<User, Problem> {
    let Some(given) = given.filter(|_| openid.settings.make_accounts) else {
        let message = "no account here belongs to your account at the identity provider; log in with a password and \
                       link it under your account, or ask an administrator";
        return Err(Problem::new(StatusCode::FORBIDDEN, "openid_unknown", message));
    };
    let name = claims.text(&openid.settings.name_claim).unwrap_or_default().to_lowercase();
    let name = name.split('@').next().unwrap_or_default().to_owned();
    let display_name = claims.text("name").unwrap_or(&name).chars().take(100).collect();
    let new = NewUser { name, display_name, role: given.role, agency_id: given.agency };
    match app.store.add_identified(identity, &new, actor).await {
        Err(StoreError::Invalid { field: "name", .. }) => {
            let message = "an account cannot be made: its name is taken already or does not fit; ask an administrator";
            Err(Problem::new(StatusCode::FORBIDDEN, "openid_name", message))
        }
        outcome => Ok(outcome?),
    }
}

/// Asks for the code of the user's own second factor, where the provider asked for none.
async fn check_code(
    app: &App,
    openid: &OpenId,
    flow: Flow,
    user: &User,
    back: &OpenIdReturn,
    actor: &Actor,
) -> Result<(), Problem> {
    let now_us = app.clock.now_us();
    let again = |flow: Flow| openid.flows.put_back(flow, Purpose::Code(user.id.clone()), now_us);
    let Some(code) = back.second.as_deref().filter(|code| !code.trim().is_empty()) else {
        again(flow);
        return Err(code_needed());
    };
    let knock = Knock::new(&user.name, actor.address.as_deref());
    if let Some(wait_s) = app.doors.wait_s(&knock, now_us) {
        again(flow);
        return Err(Problem::later("locked", wait_s));
    }
    app.doors.tried(&knock, now_us);
    if app.store.use_code(&user.id, code, actor).await? {
        app.doors.succeeded(&knock);
        return Ok(());
    }
    again(flow);
    let message = "the code does not fit, or was used already";
    Err(refused(app, Problem::new(StatusCode::UNAUTHORIZED, "wrong_code", message), &user.name, actor).await)
}
