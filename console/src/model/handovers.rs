//! Handovers of shifts: what is open when one goes and the next comes, signed by both.

use std::collections::BTreeMap;

use luytre_collector_api::Severity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agency_notices::UnansweredNotice;
use super::overview::TaskNow;
use super::records::SensorNow;
use super::users::Person;

/// An alert without a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenAlert {
    /// Its id.
    pub id: String,
    /// When it was raised.
    pub time: String,
    /// How bad it is.
    pub severity: Severity,
    /// The rule's name.
    pub rule_name: String,
    /// The rule's name in Vietnamese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_name_vi: Option<String>,
    /// The agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// Who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Person>,
}

/// A suppression that ends soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndingSilence {
    /// Its id.
    pub id: String,
    /// The rule's name.
    pub rule_name: String,
    /// The rule's name in Vietnamese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_name_vi: Option<String>,
    /// Why it was made.
    pub reason: String,
    /// When it ends.
    pub expires_at: String,
    /// What it has hidden.
    pub hidden: u64,
}

/// Who is on call in a roster, and who comes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutyNext {
    /// The roster.
    pub roster: String,
    /// Who is on call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Person>,
    /// Until when; missing where nobody takes over within two weeks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Who comes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Person>,
}

/// The state at a moment. Restricted cases are counted and not named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftState {
    /// The moment.
    pub at: String,
    /// Open tasks with a time: overdue, or due within the next day; the longest overdue first, at most 50.
    pub clocks: Vec<TaskNow>,
    /// How many those are, restricted cases among them.
    pub clocks_total: u64,
    /// How many of them are overdue.
    pub clocks_overdue: u64,
    /// Alerts without a verdict, by severity.
    pub alerts: BTreeMap<String, u64>,
    /// The worst and oldest of them; at most 20.
    pub worst: Vec<OpenAlert>,
    /// Suppressions that end within the next day; at most 50.
    pub silences: Vec<EndingSilence>,
    /// Sensors that are not connected.
    pub blind: Vec<SensorNow>,
    /// Whether the collector answers.
    pub collector_ok: bool,
    /// Notices to agencies that wait for an answer, those that are due first before the others; at most 50.
    pub unanswered: Vec<UnansweredNotice>,
    /// How many those are, restricted cases among them.
    pub unanswered_total: u64,
    /// Calls of ladders that nobody has acknowledged yet.
    pub calls_waiting: u64,
    /// Calls of the last day that nobody acknowledged.
    pub calls_unanswered: u64,
    /// Who is on call, and who comes next.
    pub on_call: Vec<DutyNext>,
}

/// Where a handover stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandoverState {
    /// Signed by the one who goes; the one who comes has not signed.
    Waiting,
    /// Signed by both.
    Taken,
    /// The one who comes did not take it.
    Refused,
    /// The one who goes took it back.
    Withdrawn,
}

/// A handover in a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShiftHandoverRow {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: i64,
    /// Who goes.
    pub from: Person,
    /// Who comes.
    pub to: Person,
    /// Where it stands.
    pub state: HandoverState,
    /// When the one who goes signed.
    pub handed_at: String,
    /// When the one who comes signed, or it ended otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// The words of the one who goes.
    pub remarks: String,
    /// The words of the one who comes.
    pub answer: String,
    /// SHA-256 of the state as it was shown; stands in the log.
    pub digest: String,
}

/// A handover with the state as it was shown.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShiftHandover {
    /// The handover.
    #[serde(flatten)]
    pub row: ShiftHandoverRow,
    /// The state when the one who goes signed.
    pub shown: ShiftState,
    /// True when the state is byte for byte what was signed.
    pub is_whole: bool,
}

/// Handovers, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShiftHandoverList {
    /// The handovers.
    pub items: Vec<ShiftHandoverRow>,
    /// How many there are.
    pub total: u64,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Those that wait for the caller's signature.
    pub waiting: Vec<ShiftHandoverRow>,
}

/// Hands a shift over, signed by whoever asks.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHandover {
    /// Who comes.
    pub to_id: String,
    /// What the one who comes must know; at most 5,000 characters.
    #[serde(default)]
    pub remarks: String,
}

/// What the one who comes says.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerHandover {
    /// True to sign, false to refuse.
    pub take: bool,
    /// Words; needed for a refusal, at most 5,000 characters.
    #[serde(default)]
    pub answer: String,
    /// The digest of the state that was shown: what was not seen cannot be signed.
    pub digest: String,
}
