//! Rosters: who is on call when, and who stands in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::extract::Body;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::clock;
use crate::model::{DutySpan, NewRosterOverride, Person, Roster, RosterList, RosterOverride, SaveRoster};
use crate::notify::duty;
use crate::notify::plan::Plan;
use crate::store::audit::Actor;
use crate::store::rosters::KeptRoster;

/// How far ahead the duty of a roster is laid out.
const AHEAD_US: i64 = 14 * 86_400_000_000;

/// All rosters, with who is on call in the next two weeks.
#[utoipa::path(get, path = "/api/v1/rosters", tag = "rosters",
    responses((status = 200, body = RosterList), (status = "default", body = ProblemBody)))]
pub async fn list_rosters(State(app): State<Arc<App>>) -> Result<Json<RosterList>, Problem> {
    let plan = app.notices.plan();
    let kept = app.store.rosters().await?;
    Ok(Json(RosterList { items: kept.into_iter().map(|roster| shown(&app, &plan, roster)).collect() }))
}

fn shown(app: &App, plan: &Plan, roster: KeptRoster) -> Roster {
    let person = |id: &str| plan.contact(id).map(|contact| contact.user.person());
    let now_us = app.clock.now_us();
    let spans = duty::spans(&roster, now_us, now_us + AHEAD_US, &app.zone);
    let duty = spans.into_iter().map(|span| {
        let contact = span.user_id.as_deref().and_then(|id| plan.contact(id)).filter(|one| !one.user.disabled);
        DutySpan {
            from: clock::to_text(span.from_us),
            to: clock::to_text(span.to_us),
            user: contact.map(|one| one.user.person()),
            reachable: contact.is_some_and(|one| one.mail.is_some()),
            override_id: span.override_id,
        }
    });
    let gone = |id: &str| Person { id: id.to_owned(), name: String::new(), display_name: String::new() };
    let duty = duty.collect();
    let overrides = roster.overrides.into_iter().map(|one| RosterOverride {
        user: person(&one.user_id).unwrap_or_else(|| gone(&one.user_id)),
        id: one.id,
        from: clock::to_text(one.from_us),
        to: clock::to_text(one.to_us),
        reason: one.reason,
        by: one.by,
    });
    Roster {
        overrides: overrides.collect(),
        duty,
        id: roster.id,
        name: roster.name,
        weeks: roster.weeks,
        first_day: roster.first_day,
        handovers: roster.handovers,
        version: roster.version,
    }
}

/// Makes a roster.
#[utoipa::path(post, path = "/api/v1/rosters", tag = "rosters", request_body = SaveRoster,
    responses((status = 200, body = RosterList), (status = "default", body = ProblemBody)))]
pub async fn add_roster(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(wish): Body<SaveRoster>,
) -> Result<Json<RosterList>, Problem> {
    app.store.save_roster(None, &wish, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    list_rosters(State(app)).await
}

/// Changes a roster.
#[utoipa::path(put, path = "/api/v1/rosters/{id}", tag = "rosters", request_body = SaveRoster,
    params(("id" = String, Path, description = "The roster")),
    responses((status = 200, body = RosterList), (status = "default", body = ProblemBody)))]
pub async fn change_roster(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<SaveRoster>,
) -> Result<Json<RosterList>, Problem> {
    app.store.save_roster(Some(&id), &wish, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    list_rosters(State(app)).await
}

/// Deletes a roster; notice rules that name it reach nobody by it.
#[utoipa::path(delete, path = "/api/v1/rosters/{id}", tag = "rosters",
    params(("id" = String, Path, description = "The roster")),
    responses((status = 200, body = RosterList), (status = "default", body = ProblemBody)))]
pub async fn delete_roster(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RosterList>, Problem> {
    app.store.delete_roster(&id, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    list_rosters(State(app)).await
}

/// Has somebody stand in.
#[utoipa::path(post, path = "/api/v1/rosters/{id}/overrides", tag = "rosters", request_body = NewRosterOverride,
    params(("id" = String, Path, description = "The roster")),
    responses((status = 200, body = RosterList), (status = "default", body = ProblemBody)))]
pub async fn add_override(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<NewRosterOverride>,
) -> Result<Json<RosterList>, Problem> {
    app.store.add_override(&id, &wish, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    list_rosters(State(app)).await
}

/// Nobody stands in any more.
#[utoipa::path(delete, path = "/api/v1/rosters/{id}/overrides/{override}", tag = "rosters",
    params(("id" = String, Path, description = "The roster"),
        ("override" = String, Path, description = "Who stands in")),
    responses((status = 200, body = RosterList), (status = "default", body = ProblemBody)))]
pub async fn remove_override(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, one)): Path<(String, String)>,
) -> Result<Json<RosterList>, Problem> {
    app.store.remove_override(&id, &one, &Actor::from(&caller)).await?;
    app.refresh_notices().await?;
    list_rosters(State(app)).await
}
