//! A case: alerts that belong together, what was found out and what was done.

use luytre_collector_api::{Agency, Severity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::agency_notices::CaseAgencyNotice;
use super::alerts::{AlertRow, HistoryEntry};
use super::case_work::{CaseEvent, CaseEvidence, CasePhase, CaseRef, CaseSystem, Observable, Task};
use super::users::Person;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// Nobody has begun.
    New,
    /// Work goes on.
    InProgress,
    /// Waits for somebody else.
    Waiting,
    /// Work is done, not yet confirmed.
    Resolved,
    /// Finished.
    Closed,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Catastrophic.
    P1,
    /// Major.
    P2,
    /// Moderate.
    P3,
    /// Minor.
    P4,
}

/// With whom it may be shared (TLP 2.0).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tlp {
    /// Only those it was told to.
    Red,
    /// Their organisation alone.
    AmberStrict,
    /// Their organisation and those it serves.
    #[default]
    Amber,
    /// The community.
    Green,
    /// Everybody.
    Clear,
}

/// What may be done with it where the attacker could see that (PAP).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pap {
    /// Nothing outside.
    Red,
    /// Passive checks.
    #[default]
    Amber,
    /// Active checks.
    Green,
    /// Anything.
    Clear,
}

/// What was learned, written down at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Review {
    /// The root cause.
    pub cause: String,
    /// What happened and how it was solved.
    pub result: String,
    /// What was learned.
    pub lessons: String,
    /// What is proposed.
    pub proposals: String,
}

/// The facts of a case that forms and reports need.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct CaseFacts {
    /// What may be done with it.
    pub pap: Pap,
    /// The template it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The row of the national report, an id of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub national: Option<String>,
    /// The class of the Reference Security Incident Taxonomy, an id of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rsit: Option<String>,
    /// The team's own group, an id of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<String>,
    /// When it was detected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<String>,
    /// When it happened, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    /// Who handled it, an id of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled_by: Option<String>,
    /// The organisations that helped.
    pub helpers: String,
    /// The estimated damage, in Vietnamese dong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage_vnd: Option<i64>,
    /// What the damage is.
    pub damage_note: String,
    /// What was learned.
    pub review: Review,
    /// The case that it became part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<CaseRef>,
}

/// A case in a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseRow {
    /// Its id.
    pub id: String,
    /// Its number, for people; rises by one a case.
    pub number: i64,
    /// What it is about.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands.
    pub status: CaseStatus,
    /// The agency concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<Agency>,
    /// What is known.
    pub summary: String,
    /// Who opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<Person>,
    /// When it was opened.
    pub opened_at: String,
    /// When it was last changed.
    pub updated_at: String,
    /// How many alerts belong to it.
    pub alert_count: u64,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<Person>,
    /// The phase it is in, an id of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Since when it is in that phase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase_since: Option<String>,
    /// With whom it may be shared.
    pub tlp: Tlp,
    /// True when only named people see it.
    pub restricted: bool,
    /// Tasks that are open; lines of checklists are not counted.
    pub open_tasks: u64,
    /// Open tasks whose time has passed.
    pub overdue_tasks: u64,
    /// When the next open task is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due: Option<String>,
    /// Rises with every change.
    pub version: i64,
}

/// A case with everything in it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseDetail {
    /// The case itself.
    #[serde(flatten)]
    pub case: CaseRow,
    /// What forms and reports need.
    pub facts: CaseFacts,
    /// When its phases began, oldest first.
    pub phases: Vec<CasePhase>,
    /// What is to be done, and lines of checklists.
    pub tasks: Vec<Task>,
    /// What was put into the timeline by hand, oldest first.
    pub events: Vec<CaseEvent>,
    /// Its values that may occur elsewhere.
    pub observables: Vec<Observable>,
    /// The systems that are affected.
    pub systems: Vec<CaseSystem>,
    /// Who may see it, when it is restricted.
    pub members: Vec<Person>,
    /// Other cases that it is linked with.
    pub links: Vec<CaseRef>,
    /// Its evidence.
    pub evidence: Vec<CaseEvidence>,
    /// What agencies were asked, drafts among them, oldest first.
    pub agency_notices: Vec<CaseAgencyNotice>,
    /// Its alerts, newest first; at most 500.
    pub alerts: Vec<AlertRow>,
    /// Its notes, oldest first.
    pub notes: Vec<CaseNote>,
    /// Who did what, oldest first.
    pub history: Vec<HistoryEntry>,
}

/// A note.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseNote {
    /// Its id.
    pub id: String,
    /// When.
    pub at: String,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// What.
    pub text: String,
}

/// A page of cases.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseList {
    /// The cases, newest first.
    pub items: Vec<CaseRow>,
    /// How many match in all.
    pub total: u64,
    /// The next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which cases are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CaseQuery {
    /// A status, `active` for all but closed ones, or `all` (default).
    pub status: Option<String>,
    /// Words that must all occur in number, title, summary or agency; case and Vietnamese diacritics are ignored.
    pub text: Option<String>,
    /// Who answers for it: a user's id.
    pub lead: Option<String>,
    /// True for those with a task whose time has passed.
    pub overdue: Option<bool>,
    /// An agency's id.
    pub agency: Option<String>,
    /// An internal group, an id of the data.
    pub group: Option<String>,
    /// Opened from this moment on (RFC 3339), inclusive.
    pub from: Option<String>,
    /// Opened until this moment (RFC 3339), exclusive.
    pub to: Option<String>,
    /// The next page, as the last answer named it.
    pub cursor: Option<String>,
    /// At most this many (default 50, at most 200).
    pub limit: Option<u32>,
}

/// Opens a case.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// What it is about; 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// The agency concerned.
    pub agency_id: Option<String>,
    /// What is known; at most 20,000 characters.
    pub summary: Option<String>,
    /// Alerts that belong to it; at most 500.
    #[serde(default)]
    pub alert_ids: Vec<String>,
    /// The template whose tasks it gets, an id of the data.
    #[serde(default)]
    pub template: Option<String>,
    /// True when only the people named later see it; at first whoever opens it.
    #[serde(default)]
    pub restricted: bool,
}

/// Changes a case; what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeCase {
    /// A new title.
    pub title: Option<String>,
    /// A new severity.
    pub severity: Option<Severity>,
    /// A new status.
    pub status: Option<CaseStatus>,
    /// A new agency; an empty text takes it away.
    pub agency_id: Option<String>,
    /// A new summary.
    pub summary: Option<String>,
    /// A new priority; an empty text takes it away.
    pub priority: Option<String>,
    /// Who answers for it: a user's id; an empty text for nobody.
    pub lead_id: Option<String>,
    /// With whom it may be shared.
    pub tlp: Option<Tlp>,
    /// What may be done with it.
    pub pap: Option<Pap>,
    /// The row of the national report; an empty text takes it away.
    pub national: Option<String>,
    /// The class of the Reference Security Incident Taxonomy; an empty text takes it away.
    pub rsit: Option<String>,
    /// The team's own group; an empty text takes it away.
    pub internal: Option<String>,
    /// When it was detected (RFC 3339).
    pub detected_at: Option<String>,
    /// When it happened (RFC 3339); an empty text takes it away.
    pub occurred_at: Option<String>,
    /// Who handled it; an empty text takes it away.
    pub handled_by: Option<String>,
    /// The organisations that helped.
    pub helpers: Option<String>,
    /// The estimated damage in Vietnamese dong; less than 0 takes it away.
    pub damage_vnd: Option<i64>,
    /// What the damage is.
    pub damage_note: Option<String>,
    /// What was learned.
    pub review: Option<Review>,
    /// The version that was seen. A note, a task or an alert that came in between is no conflict.
    pub version: i64,
}

/// Adds a note.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// What; 1 to 20,000 characters.
    #[schema(min_length = 1, max_length = 20000)]
    pub text: String,
}

/// Links alerts to a case.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkAlerts {
    /// The alerts; at most 500.
    #[schema(max_items = 500)]
    pub alert_ids: Vec<String>,
}
