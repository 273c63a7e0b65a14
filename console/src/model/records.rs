//! Records of what the console itself did or knows: the audit log, its health.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::Person;

/// One line of the audit log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its number; rises by one a line.
    pub number: i64,
    /// When.
    pub at: String,
    /// Who; nobody when it was the system or somebody unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// A stable word with a dot: `session.opened`, `alert.closed`.
    pub action: String,
    /// What it was done to: kind and id, `alert:…`.
    pub subject: String,
    /// The particulars.
    pub detail: BTreeMap<String, String>,
    /// The address it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// SHA-256 of its text, which names the digest of the line before.
    pub digest: String,
}

/// Which lines of the audit log are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Actions of this kind: `session`, `case`, `alert`, `user`.
    pub kind: Option<String>,
    /// What was done to this: kind and id.
    pub subject: Option<String>,
    /// What this user did.
    pub user_id: Option<String>,
    /// The next page, as the last answer named it.
    pub cursor: Option<String>,
    /// At most this many (default 50, at most 200).
    pub limit: Option<u32>,
}

/// The last line of the log. Noted elsewhere, it proves later that nothing before it was rewritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainHead {
    /// The number of the last line.
    pub number: i64,
    /// Its digest.
    pub digest: String,
    /// When it was written.
    pub at: String,
}

/// Where the chain of the audit log ends.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChainState {
    /// Its last line; nothing while the log is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<ChainHead>,
    /// How many lines were written before the log was chained: the chain says how they stood then, not that they had
    /// not been changed before.
    pub adopted: u64,
    /// Whether the database itself refuses to change and remove lines.
    pub guarded: bool,
}

/// Where the chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainBreak {
    /// The first line that does not fit.
    pub number: i64,
    /// `changed`, `missing`, `inserted`, `replaced`, `shortened` or `rewritten`.
    pub kind: String,
    /// What is wrong, for people.
    pub message: String,
}

/// What a verification of the chain found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChainReport {
    /// True when every line follows the one before it.
    pub whole: bool,
    /// How many lines fit, from the first.
    pub checked: u64,
    /// How many of them were written before the log was chained.
    pub adopted: u64,
    /// Whether the database itself refuses to change and remove lines.
    pub guarded: bool,
    /// The first line that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<ChainBreak>,
    /// The last line that fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<ChainHead>,
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditList {
    /// The lines.
    pub items: Vec<AuditEntry>,
    /// How many there are in all.
    pub total: u64,
    /// The next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The next page, as the last answer named it.
    pub cursor: Option<String>,
    /// At most this many (default 50, at most 200).
    pub limit: Option<u32>,
}

/// How the console is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ConsoleHealth {
    /// True when everything works.
    pub ok: bool,
    /// The program's version.
    pub version: String,
    /// What does not work, for people.
    pub problems: Vec<String>,
    /// How the collector is, as seen from here.
    pub collector: CollectorHealth,
}

/// How the collector is, as seen from the console.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CollectorHealth {
    /// True when it answers and says that it is well.
    pub ok: bool,
    /// True when it answers.
    pub reachable: bool,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What does not work, for people.
    pub problems: Vec<String>,
    /// True while alerts flow in.
    pub alerts_connected: bool,
    /// Events that can be searched.
    pub indexed_events: u64,
    /// Events that cannot be searched yet.
    pub index_lag_events: u64,
}

/// What the bar at the top shows: how much of the traffic is seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VisibilityNow {
    /// Share of packets that were seen and understood in the last quarter of an hour, 0 to 1.
    pub seen: f64,
    /// Packets and events that the ledger cannot account for.
    pub unaccounted: i64,
    /// Whether there are counters at all.
    pub known: bool,
    /// Whether the collector answers.
    pub collector_ok: bool,
    /// The sensors.
    pub sensors: Vec<SensorNow>,
}

/// A sensor in the bar at the top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SensorNow {
    /// Its name.
    pub name: String,
    /// `connected`, `silent` or `revoked`.
    pub state: String,
}

/// The bar's events on the live stream, besides alerts: a case changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CaseChanged {
    /// The case.
    pub id: String,
    /// Its new version.
    pub version: i64,
}
