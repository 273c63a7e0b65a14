//! The overview: what an analyst begins with, and what a manager must know. Every figure belongs to a question that the
//! pages can ask in full.

use std::collections::BTreeMap;

use luytre_collector_api::Severity;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::records::SensorNow;
use super::suppressions::Suppression;
use super::users::Person;

/// A task in the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskNow {
    /// The case.
    pub case_id: String,
    /// Its number.
    pub case_number: i64,
    /// What is to do.
    pub title: String,
    /// Until when.
    pub due: String,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Person>,
}

/// What somebody of the team has done lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkOf {
    /// Who.
    pub user: Person,
    /// Alerts decided.
    pub decided: u64,
    /// Tasks done.
    pub tasks_done: u64,
}

/// What waits for an analyst now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WorkOverview {
    /// The beginning of the last day, which is what "new" means.
    pub since: String,
    /// Open alerts, by severity.
    pub open: BTreeMap<String, u64>,
    /// Those of them that happened in the last day.
    pub new_open: BTreeMap<String, u64>,
    /// Open alerts that are the caller's, by severity.
    pub mine: BTreeMap<String, u64>,
    /// Open tasks of the caller.
    pub my_tasks: u64,
    /// Those of them that are overdue.
    pub my_overdue: u64,
    /// Open cases that the caller leads.
    pub my_cases: u64,
    /// Overdue tasks of everybody, the longest overdue first; at most ten.
    pub overdue: Vec<TaskNow>,
    /// How many are overdue.
    pub overdue_total: u64,
    /// Suppressions that end within a week, the next first; at most ten.
    pub ending: Vec<Suppression>,
    /// Escalations that wait for somebody.
    pub calls_waiting: u64,
    /// Calls of the last day that nobody acknowledged.
    pub calls_unanswered: u64,
    /// Who is on call now: roster and person.
    pub on_call: Vec<OnCallNow>,
    /// Sensors that are not connected.
    pub blind: Vec<SensorNow>,
    /// Whether the collector answers.
    pub collector_ok: bool,
    /// What the team has done in the last day.
    pub team: Vec<WorkOf>,
}

/// Who is on call now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnCallNow {
    /// The roster.
    pub roster: String,
    /// Who; nobody where the roster names nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Person>,
}

/// How long a period is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StateQuery {
    /// How many days, today among them: 1 to 90 (default 7).
    pub days: Option<u32>,
}

/// A figure beside that of the period before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// In this period.
    pub now: u64,
    /// In the one before, as far as this one has come.
    pub before: u64,
}

/// A day of the trend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayTrend {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// Its alerts.
    pub now: u64,
    /// Those of the same day of the period before.
    pub before: u64,
}

/// Why an agency needs help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NeedReason {
    /// `critical_open`, `high_open`, `cases_open`, `tasks_overdue`, `rising`.
    pub kind: String,
    /// How many; for `rising` the alerts of this period.
    pub number: u64,
    /// For `rising`, the alerts of the period before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
}

/// An agency that needs help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Need {
    /// The agency.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The worst severity that is open.
    pub worst: Severity,
    /// Why, the weightiest first.
    pub reasons: Vec<NeedReason>,
}

/// A technique that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TechniqueSeen {
    /// Its id.
    pub id: String,
    /// Its English name; the id where it is not known.
    pub name: String,
    /// Its Vietnamese name.
    pub name_vi: String,
    /// How many alerts.
    pub alerts: u64,
    /// The rules that told of it.
    pub rules: Vec<String>,
}

/// A column of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TacticSeen {
    /// Its id; empty for techniques that no list places.
    pub id: String,
    /// Its English name.
    pub name: String,
    /// Its Vietnamese name.
    pub name_vi: String,
    /// The techniques, most alerts first.
    pub techniques: Vec<TechniqueSeen>,
}

/// How much is seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Coverage {
    /// Whether the collector answers.
    pub collector_ok: bool,
    /// Share of traffic seen in the last quarter of an hour.
    pub seen: f64,
    /// Whether there are counters at all.
    pub known: bool,
    /// What the ledger cannot account for.
    pub unaccounted: i64,
    /// The sensors.
    pub sensors: Vec<SensorNow>,
}

/// The state of the province at a glance.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StateOverview {
    /// How many days the period has.
    pub days: u32,
    /// When it begins.
    pub from: String,
    /// Until when: now.
    pub to: String,
    /// When the period before begins.
    pub before_from: String,
    /// Until when it goes: as far into it as now is into this one.
    pub before_to: String,
    /// Cases that are not closed, by severity.
    pub cases_open: BTreeMap<String, u64>,
    /// Tasks of cases that are due within a week.
    pub due: u64,
    /// Tasks of cases that are overdue.
    pub overdue: u64,
    /// The next tasks that are due, the overdue ones first; at most five that the caller may see.
    pub duties: Vec<TaskNow>,
    /// Alerts that wait, by severity.
    pub alerts_open: BTreeMap<String, u64>,
    /// Alerts of the period, by severity.
    pub alerts: BTreeMap<String, Compared>,
    /// Alerts of the period in all.
    pub alerts_total: Compared,
    /// Alerts by day.
    pub trend: Vec<DayTrend>,
    /// Alerts decided.
    pub decided: Compared,
    /// Of them, true attacks.
    pub attacks: Compared,
    /// Mean time from alert to decision, in seconds.
    pub decision_s: Compared,
    /// Cases opened.
    pub cases_opened: Compared,
    /// Cases closed.
    pub cases_closed: Compared,
    /// Agencies that need help, at most ten.
    pub needs: Vec<Need>,
    /// How much is seen.
    pub coverage: Coverage,
    /// What was seen of ATT&CK.
    pub attack: Vec<TacticSeen>,
}
