//! The work on a case: phases, tasks, the timeline by hand, observables, systems, links, evidence, what people are told.

use luytre_collector_api::Severity;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cases::CaseStatus;
use super::users::Person;

/// When a phase began.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CasePhase {
    /// Which, an id of the data.
    pub phase: String,
    /// Since when.
    pub at: String,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// What was said of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// Begins a phase.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterPhase {
    /// Which, an id of the data.
    pub phase: String,
    /// What is said of it; at most 2,000 characters.
    pub note: Option<String>,
    /// The version of the case that was seen.
    pub version: i64,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// To be done.
    Open,
    /// Done.
    Done,
    /// Not needed after all.
    Dropped,
}

/// Something to be done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The case.
    pub case_id: String,
    /// The case's number.
    pub case_number: i64,
    /// The case's title.
    pub case_title: String,
    /// True for a line of a checklist.
    pub check: bool,
    /// What.
    pub title: String,
    /// More about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The phase it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Who does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Person>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// True when it is open and its time has passed.
    pub overdue: bool,
    /// Where it stands.
    pub state: TaskState,
    /// When it was done or dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
    /// Who did or dropped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_by: Option<Person>,
    /// Rises with every change.
    pub version: i64,
}

/// Tasks of several cases.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaskList {
    /// The open tasks, those that are due first before the others; at most 200.
    pub items: Vec<Task>,
}

/// Adds a task.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// What; 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// More about it.
    pub detail: Option<String>,
    /// True for a line of a checklist.
    #[serde(default)]
    pub check: bool,
    /// The phase it belongs to.
    pub phase: Option<String>,
    /// Who does it.
    pub assignee_id: Option<String>,
    /// Until when (RFC 3339).
    pub due_at: Option<String>,
}

/// Changes a task; what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTask {
    /// Where it stands.
    pub state: Option<TaskState>,
    /// What.
    pub title: Option<String>,
    /// More about it.
    pub detail: Option<String>,
    /// Who does it; an empty text for nobody.
    pub assignee_id: Option<String>,
    /// Until when (RFC 3339); an empty text for no time.
    pub due_at: Option<String>,
    /// The version of the task that was seen.
    pub version: i64,
}

/// Adds the tasks of a template.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyTemplate {
    /// Which, an id of the data.
    pub template: String,
}

/// Something that happened, put into the timeline by hand.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseEvent {
    /// Its id.
    pub id: String,
    /// When it happened.
    pub at: String,
    /// What.
    pub text: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// When it was written.
    pub made_at: String,
}

/// Puts something into the timeline.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCaseEvent {
    /// When it happened (RFC 3339).
    pub at: String,
    /// What; 1 to 2,000 characters.
    pub text: String,
}

/// A value of a case that may occur elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Observable {
    /// Its id.
    pub id: String,
    /// `ip`, `domain`, `url`, `email`, `sha256`, `sha1`, `md5`.
    pub kind: String,
    /// The value, as it is searched.
    pub value: String,
    /// What is said of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// `alert` or `manual`.
    pub origin: String,
    /// Since when it is in the case.
    pub at: String,
    /// Who put it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// In how many other cases it is; those that the reader may not see are not counted.
    pub other_cases: u64,
}

/// Adds observables.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewObservables {
    /// Text with values in it, also defanged (`hxxp://evil[.]example`); at most 20,000 characters and 500 values.
    #[serde(default)]
    pub text: String,
    /// What is said of them.
    pub note: Option<String>,
    /// Takes those of the case's alerts.
    #[serde(default)]
    pub from_alerts: bool,
}

/// What came of adding observables.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ObservablesAdded {
    /// How many are new.
    pub added: u64,
    /// How many were in the case already.
    pub known: u64,
    /// Words in which nothing was recognised; at most 20.
    pub not_understood: Vec<String>,
}

/// Where else a value was seen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Sightings {
    /// Alerts with it.
    pub alerts: u64,
    /// By agency, those with the most first; at most 20. Without an agency the name is empty.
    pub agencies: Vec<AgencySightings>,
    /// Other cases with it that the reader may see; at most 20.
    pub cases: Vec<CaseRef>,
    /// Events with it in history; nothing when the collector did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// The query that counted them.
    pub query: String,
    /// Why the count of events is not complete.
    pub partial: Vec<String>,
}

/// How often a value was seen at an agency.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencySightings {
    /// Its name.
    pub name: String,
    /// Alerts there.
    pub alerts: u64,
    /// The first.
    pub first_at: String,
    /// The last.
    pub last_at: String,
}

/// Another case, in short.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseRef {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// Where it stands.
    pub status: CaseStatus,
    /// How many observables it shares, where that was asked.
    #[serde(default)]
    pub shared_observables: u64,
    /// How many rules it shares, where that was asked.
    #[serde(default)]
    pub shared_rules: u64,
}

/// Cases that are like another.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SimilarCases {
    /// The most alike first; at most 10.
    pub items: Vec<CaseRef>,
}

/// Links a case with another.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkCase {
    /// The other one.
    pub case_id: String,
}

/// Makes a case part of another.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeCase {
    /// The one that goes on.
    pub into: String,
    /// The version of this case that was seen.
    pub version: i64,
}

/// A system that is affected.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseSystem {
    /// Its id.
    pub id: String,
    /// Its name, with domain names and public addresses.
    pub name: String,
    /// Its level, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Who operates it.
    pub operator: String,
    /// What happened to it.
    pub note: String,
}

/// Adds an affected system.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCaseSystem {
    /// Its name; 1 to 200 characters.
    pub name: String,
    /// Its level, 1 to 5.
    pub level: Option<u8>,
    /// Who operates it.
    pub operator: Option<String>,
    /// What happened to it.
    pub note: Option<String>,
}

/// Says who may see a case.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestrictCase {
    /// Whether only named people see it.
    pub restricted: bool,
    /// Who; whoever asks is always among them.
    #[serde(default)]
    pub user_ids: Vec<String>,
    /// The version of the case that was seen.
    pub version: i64,
}

/// Evidence that the collector sealed and holds for a case.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseEvidence {
    /// Its id in the case.
    pub id: String,
    /// The alert that it proves.
    pub alert_id: String,
    /// SHA-256 of the bundle.
    pub digest: String,
    /// What it is called.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// What is in it, in numbers.
    pub contents: String,
    /// What could not be had.
    pub missing: Vec<String>,
    /// When it was sealed.
    pub at: String,
    /// True when the case no longer holds it.
    pub released: bool,
    /// Who had it in hand, when and why, oldest first.
    pub custody: Vec<Custody>,
}

/// Somebody had evidence in hand.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Custody {
    /// When.
    pub at: String,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// `sealed`, `read` or `released`.
    pub action: String,
    /// Why.
    pub reason: String,
}

/// Seals the evidence of an alert of the case.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealEvidence {
    /// The alert.
    pub alert_id: String,
    /// Why; 1 to 500 characters.
    pub reason: String,
}

/// Says why evidence is read or released.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceReason {
    /// Why; 1 to 500 characters.
    pub reason: String,
}

/// Something that somebody is told of inside the console.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InboxItem {
    /// Its id.
    pub id: String,
    /// When.
    pub at: String,
    /// `mentioned`, `task`, `lead`, `member` or `agency`.
    pub kind: String,
    /// The case.
    pub case_id: String,
    /// The case's number.
    pub case_number: i64,
    /// The case's title.
    pub case_title: String,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// True once it was looked at.
    pub seen: bool,
}

/// What somebody is told of.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Inbox {
    /// The newest first; at most 50.
    pub items: Vec<InboxItem>,
    /// How many were not looked at.
    pub unseen: u64,
}

/// Which tasks are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TaskQuery {
    /// A user's id; one's own where it is missing.
    pub assignee: Option<String>,
}
