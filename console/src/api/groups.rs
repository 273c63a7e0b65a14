//! The queue in groups, decisions on many alerts, and taking them back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::model::{AlertQuery, BulkAction, BulkAnswer, BulkRequest, GroupList, UndoAnswer};
use crate::store::acts::{Targets, Wish};
use crate::store::audit::Actor;
use crate::store::decide::Decision;

/// How many alerts may be named one by one.
pub const MAX_BULK: usize = 500;

/// How many groups may be named.
pub const MAX_GROUPS: usize = 200;

/// A page of groups of alerts, with exact counts.
#[utoipa::path(get, path = "/api/v1/alerts/groups", tag = "alerts", params(AlertQuery),
    responses((status = 200, body = GroupList), (status = "default", body = ProblemBody)))]
pub async fn list_groups(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<AlertQuery>,
) -> Result<Json<GroupList>, Problem> {
    Ok(Json(app.store.alert_groups(&query, &caller.reach()).await?))
}

/// One decision on several alerts or groups. Each alert changes by itself; what failed is counted and named.
#[utoipa::path(post, path = "/api/v1/alerts/bulk", tag = "alerts", request_body = BulkRequest,
    responses((status = 200, body = BulkAnswer), (status = "default", body = ProblemBody)))]
pub async fn bulk_alerts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<BulkRequest>,
) -> Result<Json<BulkAnswer>, Problem> {
    if request.ids.len() > MAX_BULK || (request.ids.is_empty() && request.groups.is_empty()) {
        return Err(Problem::bad_field("ids", format!("name 1 to {MAX_BULK} alerts")));
    }
    if request.groups.len() > MAX_GROUPS {
        return Err(Problem::bad_field("groups", format!("name at most {MAX_GROUPS} groups")));
    }
    let until = request.filter.as_ref().and_then(|filter| filter.until);
    if !request.groups.is_empty() && until.is_none() {
        return Err(Problem::bad_field("filter", "name the list's own filter with its `until`"));
    }
    let wish = wish(&request)?;
    let targets = Targets { ids: &request.ids, groups: &request.groups, filter: request.filter.as_ref() };
    let decided = app.store.decide_many(&targets, &wish, &Actor::from(&caller)).await?;
    app.tell_alerts(&decided.changed).await;
    if let Some(case_id) = &decided.answer.case_id
        && let Ok(case) = app.store.case(case_id, &caller.user.id).await
    {
        app.tell_case(case_id, case.case.version).await;
    }
    Ok(Json(decided.answer))
}

fn wish(request: &BulkRequest) -> Result<Wish, Problem> {
    let missing = |field: &str| Problem::bad_field(field, "is missing");
    let reason = || request.reason.clone().filter(|r| !r.trim().is_empty()).ok_or_else(|| missing("reason"));
    Ok(Wish::Decide(match request.action {
        BulkAction::Close => {
            Decision::Close { verdict: request.verdict.ok_or_else(|| missing("verdict"))?, reason: reason()? }
        }
        BulkAction::Reopen => Decision::Reopen { reason: reason()? },
        BulkAction::Assign => Decision::Assign { user_id: request.user_id.clone() },
        BulkAction::Escalate => match (&request.case_id, &request.title) {
            (Some(case_id), _) => Decision::Escalate { case_id: case_id.clone() },
            (None, Some(title)) => {
                return Ok(Wish::OpenCase { title: title.clone(), severity: request.severity });
            }
            (None, None) => return Err(missing("case_id")),
        },
    }))
}

/// Takes a decision back: every alert stands as before, or nothing changes.
#[utoipa::path(post, path = "/api/v1/acts/{id}/undo", tag = "alerts",
    params(("id" = String, Path, description = "The decision")),
    responses((status = 200, body = UndoAnswer), (status = "default", body = ProblemBody)))]
pub async fn undo_act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<UndoAnswer>, Problem> {
    let restored = app.store.undo(&id, &Actor::from(&caller)).await?;
    app.tell_alerts(&restored).await;
    Ok(Json(UndoAnswer { restored: restored.len() as u64 }))
}
