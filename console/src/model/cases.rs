//! A case: alerts that belong together, what was found out and what was done.

use luytre_collector_api::{Agency, Severity};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::alerts::{AlertRow, HistoryEntry};
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
    /// Rises with every change.
    pub version: i64,
}

/// A case with everything in it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseDetail {
    /// The case itself.
    #[serde(flatten)]
    pub case: CaseRow,
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
    /// The version that was seen.
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
