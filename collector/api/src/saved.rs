//! Saved queries: what people keep, what runs by itself, and what it found.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Severity;

/// A query to keep. Its owner is whoever made it (`by`); others see it when it is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedQueryRequest {
    /// Its name, Vietnamese.
    pub name_vi: String,
    /// Its name, English.
    pub name: String,
    /// The query, as in a search.
    pub query: String,
    /// Whether others see it. A query that alerts is always shared: its alerts are seen by all.
    #[serde(default)]
    pub shared: bool,
    /// When it runs by itself; nothing means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The version that is changed; nothing for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// When a query runs and over what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// It runs every so many seconds (60 to 604,800), at multiples of that since 1970.
    pub every_s: u64,
    /// Over the events of so many seconds before (`every_s` when not said; at most 31 days).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<u64>,
    /// What is so much that it is an alert; nothing means that it only runs and remembers how much there was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<QueryAlert>,
}

/// When a scheduled query alerts, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryAlert {
    /// At least so many: events, or of a query with `by` the first measure of a row; each row is an alert of its own.
    pub threshold: u64,
    /// How bad that is.
    pub severity: Severity,
    /// Why that matters, Vietnamese.
    pub reason_vi: String,
    /// Why that matters, English.
    pub reason: String,
    /// What to do first, Vietnamese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice_vi: Option<String>,
    /// What to do first, English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// A query that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedQuery {
    /// Its id; its alerts are of the rule `luytre-query-ID`.
    pub id: String,
    /// Rises with every change.
    pub version: u64,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it was made, RFC 3339.
    pub made: String,
    /// When it was last changed, RFC 3339.
    pub changed: String,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// Its name, Vietnamese.
    pub name_vi: String,
    /// Its name, English.
    pub name: String,
    /// The query.
    pub query: String,
    /// Whether others see it.
    pub shared: bool,
    /// When it runs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What became of its runs.
    #[serde(default)]
    pub runs: QueryRuns,
}

/// What became of a query's runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct QueryRuns {
    /// The end of the newest window that was looked at, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The end of the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many events, or rows, the newest run found.
    pub found: u64,
    /// How long it took.
    pub took_ms: u64,
    /// Runs that were done.
    pub done: u64,
    /// Runs that were not: the collector did not run for too long, or the query failed again and again.
    pub missed: u64,
    /// The end of the newest window that was missed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_missed: Option<String>,
    /// Why the newest run failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Alerts that were raised or grew.
    pub alerts: u64,
    /// Rows above the threshold that made no alert because there were too many at once.
    pub alerts_cut: u64,
}
