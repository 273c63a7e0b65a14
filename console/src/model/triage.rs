//! Triage in groups: what a queue is grouped by, decisions on many alerts, and taking them back.

use luytre_collector_api::Severity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alerts::{AlertCounts, AlertQuery, AlertRow, Verdict};

/// What alerts are grouped by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// The rule and the host it speaks of.
    #[default]
    RuleHost,
    /// The rule.
    Rule,
    /// The source address.
    Source,
    /// The agency.
    Agency,
}

/// Alerts that share what they are grouped by; every number is exact.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertGroup {
    /// Names the group in other questions; opaque.
    pub key: String,
    /// How many alerts.
    pub alerts: u64,
    /// How many different rules fired.
    pub rules: u64,
    /// How many different agencies are concerned.
    pub agencies: u64,
    /// How many different source addresses.
    pub sources: u64,
    /// How many different destination addresses.
    pub destinations: u64,
    /// How many of those had not been named by any earlier alert of their rule.
    pub new_destinations: u64,
    /// The earliest of them.
    pub first: String,
    /// The latest of them.
    pub last: String,
    /// The worst severity among them.
    pub severity: Severity,
    /// The host they are about, when grouped by it: the private one of source and destination, the source where both
    /// are, else the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The newest of the worst of them: what is looked at first.
    pub lead: AlertRow,
}

/// A page of groups.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GroupList {
    /// The groups.
    pub items: Vec<AlertGroup>,
    /// How many groups there are in all.
    pub total: u64,
    /// How many alerts all groups have together.
    pub alerts: u64,
    /// The number of the newest alert that had come in: what was seen is everything up to here. A decision on a group
    /// names it, so that what arrives meanwhile is not decided unseen.
    pub until: i64,
    /// When only so many of the newest alerts were looked at; everything that waits is always looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_only: Option<u64>,
    /// The next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// All open alerts, whatever the filter.
    pub counts: AlertCounts,
}

/// What to do with several alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Close with `verdict` and `reason`.
    Close,
    /// Reopen with `reason`.
    Reopen,
    /// Give to `user_id` (nobody where missing).
    Assign,
    /// Put into the case `case_id`, or into a new one with `title`.
    Escalate,
}

/// One decision on several alerts: those named by `ids` and all members of `groups`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// The alerts; at most 500.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub ids: Vec<String>,
    /// Groups, by their keys; at most 200.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub groups: Vec<String>,
    /// The question that listed the groups: its filters, `by`, and `until` as the list answered it.
    pub filter: Option<AlertQuery>,
    /// What to do.
    pub action: BulkAction,
    /// For `close`.
    pub verdict: Option<Verdict>,
    /// For `close` and `reopen`.
    pub reason: Option<String>,
    /// For `escalate`.
    pub case_id: Option<String>,
    /// For `escalate`: the title of a new case.
    pub title: Option<String>,
    /// For `escalate`: the severity of a new case.
    pub severity: Option<Severity>,
    /// For `assign`.
    pub user_id: Option<String>,
}

/// What became of a decision on several alerts; the three numbers add up to the alerts asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct BulkAnswer {
    /// The decision, for taking it back; missing when nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act_id: Option<String>,
    /// How many changed.
    pub changed: u64,
    /// How many were like that already.
    pub unchanged: u64,
    /// How many could not be changed.
    pub failed: u64,
    /// The first of those, and why; at most 20.
    pub failures: Vec<BulkFailure>,
    /// The case they were put into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// Its number, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_number: Option<i64>,
}

/// An alert that could not be changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BulkFailure {
    /// The alert.
    pub id: String,
    /// A stable word.
    pub code: String,
    /// What happened, for people.
    pub message: String,
}

/// What taking back did.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UndoAnswer {
    /// How many alerts stand as before.
    pub restored: u64,
}

/// Adds a note to an alert.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAlertNote {
    /// What; 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub text: String,
}

/// Begins or stops watching an alert.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchAlert {
    /// Whether the caller watches from now on.
    pub on: bool,
}

/// Many alerts changed at once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertsChanged {
    /// Which; the first 1000 of them.
    pub ids: Vec<String>,
    /// How many.
    pub changed: u64,
}

/// A saved view of the queue.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct View {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The question part of the page's address.
    pub query: String,
    /// Whether others see it.
    pub shared: bool,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<super::Person>,
}

/// All views that somebody sees: their own and those that others share.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ViewList {
    /// The views, by name.
    pub items: Vec<View>,
}

/// Saves a view; one of the same name and owner is replaced.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    /// Its name; 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// The question part of the page's address; at most 2000 characters.
    #[schema(max_length = 2000)]
    pub query: String,
    /// Whether others see it.
    pub shared: bool,
}
