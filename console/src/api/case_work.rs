//! The work on a case: phases, tasks, timeline, observables, systems, who may see it, links, and what people are told.
//! Whether the caller may see the case at all is looked at by the guard, for every route under a case.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use luytre_collector_api::SearchRequest;

use super::cases::told;
use super::extract::{Body, Params};
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::auth::Caller;
use crate::case_data::{CaseData, case_data};
use crate::model::{
    ApplyTemplate, CaseDetail, ChangeTask, EnterPhase, Inbox, LinkCase, MergeCase, NewCaseEvent, NewCaseSystem,
    NewObservables, NewTask, ObservablesAdded, RestrictCase, Sightings, SimilarCases, TaskList, TaskQuery,
};
use crate::store::audit::Actor;

/// What cases are made of: phases, classifications and templates, with their citations.
#[utoipa::path(get, path = "/api/v1/case-data", tag = "cases",
    responses((status = 200, body = CaseData), (status = "default", body = ProblemBody)))]
pub async fn get_case_data() -> Json<&'static CaseData> {
    Json(case_data())
}

/// Begins a phase of a case.
#[utoipa::path(post, path = "/api/v1/cases/{id}/phase", tag = "cases", request_body = EnterPhase,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn enter_phase(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<EnterPhase>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.enter_phase(&id, &wish, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Adds a task, or a line of a checklist.
#[utoipa::path(post, path = "/api/v1/cases/{id}/tasks", tag = "cases", request_body = NewTask,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn add_task(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(new): Body<NewTask>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.add_task(&id, &new, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Changes a task.
#[utoipa::path(patch, path = "/api/v1/cases/{id}/tasks/{task}", tag = "cases", request_body = ChangeTask,
    params(("id" = String, Path, description = "The case"), ("task" = String, Path, description = "The task")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn change_task(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, task)): Path<(String, String)>,
    Body(wish): Body<ChangeTask>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.change_task(&id, &task, &wish, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Adds the tasks of a template that the case does not have yet.
#[utoipa::path(post, path = "/api/v1/cases/{id}/template", tag = "cases", request_body = ApplyTemplate,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn apply_template(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<ApplyTemplate>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.apply_template(&id, &wish.template, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Puts something into the timeline.
#[utoipa::path(post, path = "/api/v1/cases/{id}/events", tag = "cases", request_body = NewCaseEvent,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn add_case_event(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(new): Body<NewCaseEvent>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.add_case_event(&id, &new, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Adds observables from a text, from the case's alerts, or both.
#[utoipa::path(post, path = "/api/v1/cases/{id}/observables", tag = "cases", request_body = NewObservables,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = ObservablesAdded), (status = "default", body = ProblemBody)))]
pub async fn add_observables(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(new): Body<NewObservables>,
) -> Result<Json<ObservablesAdded>, Problem> {
    let actor = Actor::from(&caller);
    let added = app.store.add_observables(&id, &new, &actor).await?;
    let case = app.store.case(&id, actor.viewer()).await?;
    app.tell_case(&id, case.case.version).await;
    Ok(Json(added))
}

/// Takes an observable out of a case.
#[utoipa::path(delete, path = "/api/v1/cases/{id}/observables/{observable}", tag = "cases",
    params(("id" = String, Path, description = "The case"), ("observable" = String, Path, description = "The observable")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn remove_observable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, observable)): Path<(String, String)>,
) -> Result<Json<CaseDetail>, Problem> {
    let actor = Actor::from(&caller);
    app.store.remove_observable(&id, &observable, &actor).await?;
    let case = app.store.case(&id, actor.viewer()).await?;
    Ok(told(&app, case, &[]).await)
}

/// Where else an observable was seen: alerts, other cases, history.
#[utoipa::path(get, path = "/api/v1/cases/{id}/observables/{observable}/sightings", tag = "cases",
    params(("id" = String, Path, description = "The case"), ("observable" = String, Path, description = "The observable")),
    responses((status = 200, body = Sightings), (status = "default", body = ProblemBody)))]
pub async fn get_sightings(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, observable)): Path<(String, String)>,
) -> Result<Json<Sightings>, Problem> {
    let mut seen = app.store.sightings(&id, &observable, &caller.user.id).await?;
    let agencies = app.store.within(&caller.reach()).await?;
    let request = SearchRequest { query: seen.query.clone(), limit: Some(1), agencies, ..SearchRequest::default() };
    match app.collector.search(&request).await {
        Ok(answer) => {
            seen.events = Some(answer.total);
            seen.partial = answer.partial;
        }
        // What is known here is told without it.
        Err(error) => seen.partial.push(error.to_string()),
    }
    Ok(Json(seen))
}

/// Adds an affected system.
#[utoipa::path(post, path = "/api/v1/cases/{id}/systems", tag = "cases", request_body = NewCaseSystem,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn add_system(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(new): Body<NewCaseSystem>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.add_system(&id, &new, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Takes an affected system out of a case.
#[utoipa::path(delete, path = "/api/v1/cases/{id}/systems/{system}", tag = "cases",
    params(("id" = String, Path, description = "The case"), ("system" = String, Path, description = "The system")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn remove_system(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, system)): Path<(String, String)>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.remove_system(&id, &system, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Says who may see a case.
#[utoipa::path(put, path = "/api/v1/cases/{id}/access", tag = "cases", request_body = RestrictCase,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn restrict_case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<RestrictCase>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.restrict_case(&id, &wish, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Links a case with another.
#[utoipa::path(post, path = "/api/v1/cases/{id}/links", tag = "cases", request_body = LinkCase,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn link_case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<LinkCase>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.link_case(&id, &wish.case_id, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Takes a link away.
#[utoipa::path(delete, path = "/api/v1/cases/{id}/links/{other}", tag = "cases",
    params(("id" = String, Path, description = "The case"), ("other" = String, Path, description = "The other case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn unlink_case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, other)): Path<(String, String)>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.unlink_case(&id, &other, &Actor::from(&caller)).await?;
    Ok(told(&app, case, &[]).await)
}

/// Makes a case part of another, which is answered. Its alerts and observables go there; it is closed and stays readable.
#[utoipa::path(post, path = "/api/v1/cases/{id}/merge", tag = "cases", request_body = MergeCase,
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = CaseDetail), (status = "default", body = ProblemBody)))]
pub async fn merge_case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(wish): Body<MergeCase>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.store.merge_case(&id, &wish.into, wish.version, &Actor::from(&caller)).await?;
    app.tell_case(&id, wish.version + 1).await;
    Ok(told(&app, case, &[]).await)
}

/// Cases that share observables or rules with this one.
#[utoipa::path(get, path = "/api/v1/cases/{id}/similar", tag = "cases",
    params(("id" = String, Path, description = "The case")),
    responses((status = 200, body = SimilarCases), (status = "default", body = ProblemBody)))]
pub async fn similar_cases(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SimilarCases>, Problem> {
    Ok(Json(app.store.similar_cases(&id, &caller.user.id).await?))
}

/// Somebody's open tasks in all cases.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "cases", params(TaskQuery),
    responses((status = 200, body = TaskList), (status = "default", body = ProblemBody)))]
pub async fn list_tasks(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<TaskQuery>,
) -> Result<Json<TaskList>, Problem> {
    let assignee = query.assignee.filter(|id| !id.is_empty()).unwrap_or_else(|| caller.user.id.clone());
    Ok(Json(app.store.tasks_of(&assignee, &caller.user.id).await?))
}

/// What one is told of.
#[utoipa::path(get, path = "/api/v1/inbox", tag = "cases",
    responses((status = 200, body = Inbox), (status = "default", body = ProblemBody)))]
pub async fn get_inbox(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Inbox>, Problem> {
    Ok(Json(app.store.inbox(&caller.user.id).await?))
}

/// Says that all of it was looked at.
#[utoipa::path(post, path = "/api/v1/inbox/seen", tag = "cases",
    responses((status = 200, body = Inbox), (status = "default", body = ProblemBody)))]
pub async fn see_inbox(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Inbox>, Problem> {
    app.store.see_inbox(&caller.user.id).await?;
    Ok(Json(app.store.inbox(&caller.user.id).await?))
}
