//! An alert as people work with it: the collector's finding plus what was decided about it.

use std::collections::BTreeMap;

use luytre_collector_api::{Agency, Alert, Endpoint, EventDocument, RuleKind, Severity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::Person;

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// Waits for a decision.
    Open,
    /// Decided, with a verdict.
    Closed,
    /// Part of a case.
    Escalated,
    /// Hidden from the queue by a suppression; kept and counted.
    Suppressed,
}

/// What an alert turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An attack or another breach of security.
    TruePositive,
    /// The rule was wrong.
    FalsePositive,
    /// The rule was right, the activity is allowed.
    Benign,
    /// A test or an exercise.
    Test,
}

/// An alert in a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertRow {
    /// The collector's id.
    pub id: String,
    /// Position in the collector's fan-out; a higher one is a newer state of the finding.
    pub sequence: u64,
    /// When what it speaks of happened.
    pub time: String,
    /// How bad it is.
    pub severity: Severity,
    /// The rule that fired.
    pub rule_id: String,
    /// Its name, English.
    pub rule_name: String,
    /// Its name in Vietnamese, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_name_vi: Option<String>,
    /// The kind of rule.
    pub rule_kind: RuleKind,
    /// Source address and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Endpoint>,
    /// Destination address and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Endpoint>,
    /// The host it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The agency concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<Agency>,
    /// The sensor that saw it.
    pub sensor: String,
    /// How many events it stands on.
    pub event_count: u64,
    /// Where it stands.
    pub status: AlertStatus,
    /// The verdict, once closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Person>,
    /// The case it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// Rises with every decision; a change must name the version it saw.
    pub version: i64,
}

/// How a list of alerts is ordered; newest or worst first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertSort {
    /// Newest first.
    #[default]
    Time,
    /// Worst first, then newest.
    Severity,
}

/// Which alerts are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AlertQuery {
    /// `open` (default), `closed`, `escalated`, `suppressed` or `all`.
    pub status: Option<String>,
    /// Severities, separated by commas.
    pub severity: Option<String>,
    /// A rule's id.
    pub rule: Option<String>,
    /// An agency's id.
    pub agency: Option<String>,
    /// A sensor's name.
    pub sensor: Option<String>,
    /// A verdict.
    pub verdict: Option<String>,
    /// The user it is assigned to, by id; `none` for nobody.
    pub assignee: Option<String>,
    /// A source or destination address.
    pub ip: Option<String>,
    /// The host it is about (see [`super::AlertGroup::host`]).
    pub host: Option<String>,
    /// What is left out: `rule:ID`, `ip:ADDRESS`, `agency:ID` or `sensor:NAME`, separated by commas; at most 20.
    pub not: Option<String>,
    /// A user who watches it, by id.
    pub watcher: Option<String>,
    /// A suppression that hid it, by id.
    pub suppression: Option<String>,
    /// Only the members of this group, as [`super::AlertGroup::key`] names it; together with `by`.
    pub group: Option<String>,
    /// What groups are made by.
    #[param(inline)]
    pub by: Option<super::Grouping>,
    /// Only what had come in when a list answered this number.
    pub until: Option<i64>,
    /// Words that must all occur in rule name, addresses, agency or sensor; case and Vietnamese diacritics are ignored.
    pub text: Option<String>,
    /// From this moment on (RFC 3339), inclusive.
    pub from: Option<String>,
    /// Until this moment (RFC 3339), exclusive.
    pub to: Option<String>,
    /// The order.
    #[param(inline)]
    pub sort: Option<AlertSort>,
    /// The next page, as the last answer named it.
    pub cursor: Option<String>,
    /// At most this many (default 50, at most 200).
    pub limit: Option<u32>,
}

/// A page of alerts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertList {
    /// The alerts.
    pub items: Vec<AlertRow>,
    /// How many match in all.
    pub total: u64,
    /// The number of the newest alert that had come in: what was seen is everything up to here.
    pub until: i64,
    /// The next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// All open alerts, whatever the filter.
    pub counts: AlertCounts,
}

/// How many alerts are open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertCounts {
    /// All.
    pub open: u64,
    /// By severity; every severity is named.
    pub by_severity: BTreeMap<String, u64>,
}

/// An alert with everything that was decided about it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertDetail {
    /// What the collector found.
    pub alert: Alert,
    /// What was decided.
    pub triage: Triage,
    /// Who did what, oldest first.
    pub history: Vec<HistoryEntry>,
    /// Closed alerts of the same rule, those of the same host first, then newest first: what was decided before.
    pub similar: Vec<SimilarAlert>,
    /// How often each verdict was given to alerts of this rule.
    pub verdicts: BTreeMap<String, u64>,
}

/// What was decided about an alert.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Triage {
    /// Where it stands.
    pub status: AlertStatus,
    /// The verdict, once closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Person>,
    /// The case it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// Its number, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_number: Option<i64>,
    /// The suppression that hid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppression_id: Option<String>,
    /// The last decision, while it can be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act_id: Option<String>,
    /// Who is told when it changes.
    pub watchers: Vec<Person>,
    /// Rises with every decision.
    pub version: i64,
}

/// One line of a history: who, when, what, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// When.
    pub at: String,
    /// Who; nobody when the system did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// A stable word: `raised`, `closed`, `reopened`, `assigned`, `escalated`, `opened`, `changed`, `noted`, `linked`,
    /// `undone`, `suppressed`.
    pub action: String,
    /// The particulars: verdict and reason, the new assignee, the changed fields.
    pub detail: BTreeMap<String, String>,
}

/// An earlier alert of the same rule and what was decided about it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SimilarAlert {
    /// The alert.
    pub id: String,
    /// When it happened.
    pub time: String,
    /// Whether it is about the same host.
    pub same_host: bool,
    /// Source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Endpoint>,
    /// Destination address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Endpoint>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
}

/// Events that belong to an alert: those of its flow and those it stands on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RelatedEvents {
    /// The events, oldest first; at most 200.
    pub events: Vec<EventDocument>,
    /// How many there are in all.
    pub total: u64,
    /// What could not be searched, for people.
    pub partial: Vec<String>,
}

/// Closes an alert.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseAlert {
    /// What it turned out to be.
    pub verdict: Verdict,
    /// Why; 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
    /// The version that was seen.
    pub version: i64,
}

/// Opens a closed alert again.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenAlert {
    /// Why; 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
    /// The version that was seen.
    pub version: i64,
}

/// Gives an alert to somebody, or to nobody.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignAlert {
    /// The user, or nothing.
    #[schema(required = true)]
    pub user_id: Option<String>,
    /// The version that was seen.
    pub version: i64,
}

/// Makes an alert part of a case: an existing one (`case_id`) or a new one (`title` and `severity`).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalateAlert {
    /// An existing case.
    pub case_id: Option<String>,
    /// Title of the new case.
    pub title: Option<String>,
    /// Severity of the new case; the alert's where it is missing.
    pub severity: Option<Severity>,
    /// Agency of the new case; the alert's where it is missing.
    pub agency_id: Option<String>,
    /// Template of the new case, an id of the data.
    #[serde(default)]
    pub template: Option<String>,
    /// The version that was seen.
    pub version: i64,
}
