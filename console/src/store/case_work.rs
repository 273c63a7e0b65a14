//! The work on a case: phases, tasks and checklists, the timeline by hand, affected systems. A task carries a version of
//! its own, so that work on one does not disturb work on another.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::alert_filter::moment;
use super::audit::{Actor, Detail, detail};
use super::case_people;
use super::cases::{MAX_TITLE, checked, tell, visible, work_on};
use super::sql::person;
use super::{Change, Store, StoreError, StoreResult, new_id};
use crate::case_data::{Template, case_data};
use crate::clock;
use crate::model::{
    CaseDetail, CaseEvent, CasePhase, CaseSystem, ChangeTask, EnterPhase, Lang, NewCaseEvent, NewCaseSystem, NewTask,
    Task, TaskList, TaskState, from_wire_name, wire_name,
};

/// How many tasks a case may have, with the lines of its checklists.
pub const MAX_TASKS: i64 = 500;

/// How many events by hand, and how many systems.
pub const MAX_EVENTS: i64 = 1000;
/// How many affected systems.
pub const MAX_SYSTEMS: i64 = 200;

/// How long notes of phases, tasks and events may be, in characters.
const MAX_LINE: usize = 2000;

const TASK: &str = "SELECT t.*, c.number AS case_number, c.title AS case_title, a.name AS assignee_name, \
    a.display_name AS assignee_display, t.done_by AS doer_id, d.name AS doer_name, d.display_name AS doer_display \
    FROM case_tasks t JOIN cases c ON c.id = t.case_id LEFT JOIN users a ON a.id = t.assignee_id \
    LEFT JOIN users d ON d.id = t.done_by";

impl Store {
    /// Begins a phase of a case.
    pub async fn enter_phase(&self, id: &str, wish: &EnterPhase, actor: &Actor) -> StoreResult<CaseDetail> {
        if !case_data().phases.has(&wish.phase) {
            return Err(StoreError::invalid("phase", "choose one of the list"));
        }
        let note = checked("note", wish.note.as_deref().unwrap_or_default(), 0, MAX_LINE)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let done = sqlx::query(
            "UPDATE cases SET phase = $1, phase_us = $2, fields_version = version, \
             status = CASE WHEN status = 'new' THEN 'in_progress' ELSE status END WHERE id = $3 AND fields_version <= $4",
        )
        .bind(wish.phase.clone())
        .bind(now_us)
        .bind(id)
        .bind(wish.version)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            drop(change);
            return Err(self.case_conflict(id, actor).await?);
        }
        sqlx::query("INSERT INTO case_phases (id, case_id, phase, at_us, by_id, note) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(new_id())
            .bind(id)
            .bind(wish.phase.clone())
            .bind(now_us)
            .bind(actor.user_id.clone())
            .bind(note.clone())
            .execute(&mut *change)
            .await?;
        tell(&mut change, id, "phase", &detail([("phase", &wish.phase), ("note", &note)]), actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    pub(super) async fn case_phases(&self, id: &str) -> StoreResult<Vec<CasePhase>> {
        let rows = sqlx::query(
            "SELECT p.*, u.name AS by_name, u.display_name AS by_display FROM case_phases p \
             LEFT JOIN users u ON u.id = p.by_id WHERE p.case_id = $1 ORDER BY p.at_us, p.id LIMIT 200",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        let phase = |row: &SqliteRow| {
            Ok::<_, sqlx::Error>(CasePhase {
                phase: row.try_get("phase")?,
                at: clock::to_text(row.try_get("at_us")?),
                by: person(row, "by")?,
                note: row.try_get("note")?,
            })
        };
        Ok(rows.iter().map(phase).collect::<Result<_, _>>()?)
    }

    pub(super) async fn case_tasks(&self, id: &str) -> StoreResult<Vec<Task>> {
        let sql = format!("{TASK} WHERE t.case_id = $1 ORDER BY t.place LIMIT {MAX_TASKS}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_all(&self.readers).await?;
        let now_us = self.now_us();
        Ok(rows.iter().map(|row| task(row, now_us)).collect::<Result<_, _>>()?)
    }

    /// The open tasks of somebody in all cases that the viewer may see, those that are due first before the others.
    pub async fn tasks_of(&self, assignee: &str, viewer: &str) -> StoreResult<TaskList> {
        let sql = format!(
            "{TASK} WHERE t.assignee_id = $1 AND t.state = 'open' AND {} ORDER BY t.due_us IS NULL, t.due_us, t.id LIMIT 200",
            visible("$2")
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(assignee).bind(viewer).fetch_all(&self.readers).await?;
        let now_us = self.now_us();
        Ok(TaskList { items: rows.iter().map(|row| task(row, now_us)).collect::<Result<_, _>>()? })
    }

    /// Adds a task.
    pub async fn add_task(&self, id: &str, new: &NewTask, actor: &Actor) -> StoreResult<CaseDetail> {
        let line = TaskLine {
            check: new.check,
            title: checked("title", &new.title, 1, MAX_TITLE)?,
            detail: checked("detail", new.detail.as_deref().unwrap_or_default(), 0, MAX_LINE)?,
            phase: known_phase(new.phase.as_deref())?,
            assignee: match new.assignee_id.as_deref().filter(|id| !id.is_empty()) {
                Some(user_id) => Some(self.worker_of(id, "assignee_id", user_id).await?.id),
                None => None,
            },
            due_us: match new.due_at.as_deref().filter(|at| !at.is_empty()) {
                Some(at) => Some(moment("due_at", at)?),
                None => None,
            },
        };
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        insert_task(&mut change, id, &line, actor, now_us).await?;
        if let Some(user_id) = &line.assignee {
            case_people::told_of(&mut change, user_id, "task", id, actor, now_us).await?;
        }
        let due = line.due_us.map(clock::to_text).unwrap_or_default();
        tell(&mut change, id, "task_added", &detail([("task", &line.title), ("due", &due)]), actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    /// Changes a task; a version that is not the newest is a conflict.
    pub async fn change_task(
        &self,
        id: &str,
        task_id: &str,
        wish: &ChangeTask,
        actor: &Actor,
    ) -> StoreResult<CaseDetail> {
        let before = self.case_tasks(id).await?.into_iter().find(|task| task.id == task_id);
        let before = before.ok_or(StoreError::NotFound("task"))?;
        let title = wish.title.as_deref().map(|title| checked("title", title, 1, MAX_TITLE)).transpose()?;
        let more = wish.detail.as_deref().map(|text| checked("detail", text, 0, MAX_LINE)).transpose()?;
        let assignee = match wish.assignee_id.as_deref() {
            None => before.assignee.as_ref().map(|person| person.id.clone()),
            Some("") => None,
            Some(user_id) => Some(self.worker_of(id, "assignee_id", user_id).await?.id),
        };
        let due_us = match wish.due_at.as_deref() {
            None => before.due_at.as_deref().and_then(clock::from_text),
            Some("") => None,
            Some(at) => Some(moment("due_at", at)?),
        };
        let state = wish.state.unwrap_or(before.state);
        let now_us = self.now_us();
        let ended = (state != TaskState::Open).then_some(now_us);
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let done = sqlx::query(
            "UPDATE case_tasks SET title = $1, detail = $2, assignee_id = $3, due_us = $4, \
             done_us = CASE WHEN state = $5 THEN done_us ELSE $6 END, \
             done_by = CASE WHEN state = $5 THEN done_by WHEN $6 IS NULL THEN NULL ELSE $7 END, \
             state = $5, version = version + 1 WHERE id = $8 AND version = $9",
        )
        .bind(title.clone().unwrap_or_else(|| before.title.clone()))
        .bind(more.unwrap_or_else(|| before.detail.clone()))
        .bind(assignee.clone())
        .bind(due_us)
        .bind(wire_name(&state))
        .bind(ended)
        .bind(actor.user_id.clone())
        .bind(task_id)
        .bind(wish.version)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() == 0 {
            drop(change);
            return Err(self.case_conflict(id, actor).await?);
        }
        let given = assignee.as_ref().filter(|id| before.assignee.as_ref().map(|p| &p.id) != Some(id));
        if let Some(user_id) = given {
            case_people::told_of(&mut change, user_id, "task", id, actor, now_us).await?;
        }
        let mut what: Detail = detail([("task", title.as_deref().unwrap_or(&before.title))]);
        if state != before.state {
            what.insert("state".to_owned(), format!("{} → {}", wire_name(&before.state), wire_name(&state)));
        }
        if let Some(user_id) = given {
            what.insert("user".to_owned(), self.user(user_id).await?.display_name);
        }
        if wish.due_at.is_some() {
            what.insert("due".to_owned(), due_us.map(clock::to_text).unwrap_or_else(|| "-".to_owned()));
        }
        tell(&mut change, id, "task_changed", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    /// Adds the tasks of a template that the case does not have yet.
    pub async fn apply_template(&self, id: &str, template: &str, actor: &Actor) -> StoreResult<CaseDetail> {
        let template = case_data().templates.iter().find(|known| known.id == template);
        let template = template.ok_or_else(|| StoreError::invalid("template", "choose one of the list"))?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let added = add_template(&mut change, id, template, actor, now_us).await?.to_string();
        sqlx::query("UPDATE cases SET template = $1 WHERE id = $2")
            .bind(template.id.clone())
            .bind(id)
            .execute(&mut *change)
            .await?;
        let what = detail([("template", &template.id), ("tasks", &added)]);
        tell(&mut change, id, "template_applied", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    /// Puts something into the timeline.
    pub async fn add_case_event(&self, id: &str, new: &NewCaseEvent, actor: &Actor) -> StoreResult<CaseDetail> {
        let at_us = moment("at", &new.at)?;
        let text = checked("text", &new.text, 1, MAX_LINE)?;
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        limit(&mut change, "SELECT COUNT(*) FROM case_events WHERE case_id = $1", id, MAX_EVENTS).await?;
        sqlx::query(
            "INSERT INTO case_events (id, case_id, at_us, text, by_id, made_us) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new_id())
        .bind(id)
        .bind(at_us)
        .bind(text.clone())
        .bind(actor.user_id.clone())
        .bind(now_us)
        .execute(&mut *change)
        .await?;
        let what = detail([("at", &clock::to_text(at_us)), ("text", &text)]);
        tell(&mut change, id, "event_added", &what, actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    pub(super) async fn case_events(&self, id: &str) -> StoreResult<Vec<CaseEvent>> {
        let rows = sqlx::query(
            "SELECT e.*, u.name AS by_name, u.display_name AS by_display FROM case_events e \
             LEFT JOIN users u ON u.id = e.by_id WHERE e.case_id = $1 ORDER BY e.at_us, e.id LIMIT 1000",
        )
        .bind(id)
        .fetch_all(&self.readers)
        .await?;
        let event = |row: &SqliteRow| {
            Ok::<_, sqlx::Error>(CaseEvent {
                id: row.try_get("id")?,
                at: clock::to_text(row.try_get("at_us")?),
                text: row.try_get("text")?,
                by: person(row, "by")?,
                made_at: clock::to_text(row.try_get("made_us")?),
            })
        };
        Ok(rows.iter().map(event).collect::<Result<_, _>>()?)
    }

    /// Adds an affected system.
    pub async fn add_system(&self, id: &str, new: &NewCaseSystem, actor: &Actor) -> StoreResult<CaseDetail> {
        let name = checked("name", &new.name, 1, MAX_TITLE)?;
        let operator = checked("operator", new.operator.as_deref().unwrap_or_default(), 0, MAX_TITLE)?;
        let note = checked("note", new.note.as_deref().unwrap_or_default(), 0, MAX_LINE)?;
        if new.level.is_some_and(|level| !(1..=5).contains(&level)) {
            return Err(StoreError::invalid("level", "use 1 to 5"));
        }
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        limit(&mut change, "SELECT COUNT(*) FROM case_systems WHERE case_id = $1", id, MAX_SYSTEMS).await?;
        sqlx::query(
            "INSERT INTO case_systems (id, case_id, name, level, operator, note) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new_id())
        .bind(id)
        .bind(name.clone())
        .bind(new.level.map(i64::from))
        .bind(operator)
        .bind(note)
        .execute(&mut *change)
        .await?;
        let level = new.level.map(|level| level.to_string()).unwrap_or_default();
        tell(&mut change, id, "system_added", &detail([("system", &name), ("level", &level)]), actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    /// Takes an affected system out of a case.
    pub async fn remove_system(&self, id: &str, system_id: &str, actor: &Actor) -> StoreResult<CaseDetail> {
        let now_us = self.now_us();
        let mut change = self.begin().await?;
        work_on(&mut change, id, now_us).await?;
        let name: Option<String> =
            sqlx::query_scalar("DELETE FROM case_systems WHERE id = $1 AND case_id = $2 RETURNING name")
                .bind(system_id)
                .bind(id)
                .fetch_optional(&mut *change)
                .await?;
        let name = name.ok_or(StoreError::NotFound("system"))?;
        tell(&mut change, id, "system_removed", &detail([("system", &name)]), actor, now_us).await?;
        change.commit().await?;
        self.case(id, actor.viewer()).await
    }

    pub(super) async fn case_systems(&self, id: &str) -> StoreResult<Vec<CaseSystem>> {
        let rows = sqlx::query("SELECT * FROM case_systems WHERE case_id = $1 ORDER BY name, id LIMIT 200")
            .bind(id)
            .fetch_all(&self.readers)
            .await?;
        let system = |row: &SqliteRow| {
            let level: Option<i64> = row.try_get("level")?;
            Ok::<_, sqlx::Error>(CaseSystem {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                level: level.and_then(|level| u8::try_from(level).ok()),
                operator: row.try_get("operator")?,
                note: row.try_get("note")?,
            })
        };
        Ok(rows.iter().map(system).collect::<Result<_, _>>()?)
    }
}

/// A task that is about to be inserted.
struct TaskLine {
    check: bool,
    title: String,
    detail: String,
    phase: Option<String>,
    assignee: Option<String>,
    due_us: Option<i64>,
}

async fn insert_task(
    change: &mut Change,
    case_id: &str,
    line: &TaskLine,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<()> {
    limit(change, "SELECT COUNT(*) FROM case_tasks WHERE case_id = $1", case_id, MAX_TASKS).await?;
    sqlx::query(
        "INSERT INTO case_tasks (id, case_id, place, is_check, title, detail, phase, assignee_id, due_us, state, \
         created_us, created_by, version) VALUES ($1, $2, (SELECT COALESCE(MAX(place), 0) + 1 FROM case_tasks \
         WHERE case_id = $2), $3, $4, $5, $6, $7, $8, 'open', $9, $10, 1)",
    )
    .bind(new_id())
    .bind(case_id.to_owned())
    .bind(line.check)
    .bind(line.title.clone())
    .bind(line.detail.clone())
    .bind(line.phase.clone())
    .bind(line.assignee.clone())
    .bind(line.due_us)
    .bind(now_us)
    .bind(actor.user_id.clone())
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// Adds what the case does not have yet of a template, in the language of whoever does it; answers how many.
pub(super) async fn add_template(
    change: &mut Change,
    case_id: &str,
    template: &Template,
    actor: &Actor,
    now_us: i64,
) -> StoreResult<usize> {
    let locale: Option<String> = sqlx::query_scalar("SELECT locale FROM users WHERE id = $1")
        .bind(actor.user_id.clone())
        .fetch_optional(&mut **change)
        .await?;
    let english = locale.and_then(|name| from_wire_name::<Lang>(&name)) == Some(Lang::En);
    let titles: Vec<String> = sqlx::query_scalar("SELECT title FROM case_tasks WHERE case_id = $1")
        .bind(case_id.to_owned())
        .fetch_all(&mut **change)
        .await?;
    let opened_us: i64 = sqlx::query_scalar("SELECT opened_us FROM cases WHERE id = $1")
        .bind(case_id.to_owned())
        .fetch_one(&mut **change)
        .await?;
    let mut added = 0;
    for task in template.tasks.iter().filter(|task| !titles.contains(&task.vi) && !titles.contains(&task.en)) {
        let line = TaskLine {
            check: task.check,
            title: if english { task.en.clone() } else { task.vi.clone() },
            detail: String::new(),
            phase: Some(task.phase.clone()),
            assignee: None,
            due_us: task.due_hours.map(|hours| opened_us + i64::from(hours) * 3_600_000_000),
        };
        insert_task(change, case_id, &line, actor, now_us).await?;
        added += 1;
    }
    Ok(added)
}

/// Refuses when a case has so many already.
async fn limit(change: &mut Change, count: &'static str, case_id: &str, most: i64) -> StoreResult<()> {
    let there: i64 = sqlx::query_scalar(count).bind(case_id.to_owned()).fetch_one(&mut **change).await?;
    if there < most {
        return Ok(());
    }
    Err(StoreError::refused("case_full", format!("the case has {most} of these, which is the limit")))
}

fn known_phase(phase: Option<&str>) -> StoreResult<Option<String>> {
    match phase.filter(|id| !id.is_empty()) {
        None => Ok(None),
        Some(id) if case_data().phases.has(id) => Ok(Some(id.to_owned())),
        Some(_) => Err(StoreError::invalid("phase", "choose one of the list")),
    }
}

fn task(row: &SqliteRow, now_us: i64) -> Result<Task, sqlx::Error> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let state = from_wire_name(&text("state")?).unwrap_or(TaskState::Open);
    let due_us: Option<i64> = row.try_get("due_us")?;
    let done_us: Option<i64> = row.try_get("done_us")?;
    Ok(Task {
        id: text("id")?,
        case_id: text("case_id")?,
        case_number: row.try_get("case_number")?,
        case_title: text("case_title")?,
        check: row.try_get("is_check")?,
        title: text("title")?,
        detail: text("detail")?,
        phase: row.try_get("phase")?,
        assignee: person(row, "assignee")?,
        due_at: due_us.map(clock::to_text),
        overdue: state == TaskState::Open && due_us.is_some_and(|due_us| due_us < now_us),
        state,
        done_at: done_us.map(clock::to_text),
        done_by: person(row, "doer")?,
        version: row.try_get("version")?,
    })
}
