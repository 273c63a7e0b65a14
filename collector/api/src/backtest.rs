//! What rules would have said of the past, before they are put in force; and how much of the past was seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Agency, ApiError, FacetValue, Severity, Visibility};

/// Rules to run over what is kept: events, carved files, packets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BacktestRequest {
    /// Sigma rules, indicator lists, YARA rules and signatures, each with the name of its file.
    pub rules: Vec<BacktestRule>,
    /// From this moment on (default: a week before now).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Only these events, as a query without stages: fewer are looked at faster.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// A named data set instead of the live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// It ends after so many seconds (default 60, at most 900) and says how far it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_max_s: Option<u32>,
    /// Signatures look at so many megabytes of packets (default 256, at most 4,096).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets_mb: Option<u32>,
}

/// A file of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BacktestRule {
    /// Its name; `.yml` is Sigma, `.csv` and `.toml` a list, `.yar` YARA, `.rules` are signatures.
    pub file: String,
    /// Its content.
    pub text: String,
}

/// What rules would have said.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct BacktestAnswer {
    /// Events that were looked at.
    pub events: u64,
    /// Up to this moment, where it did not come to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What was left out, for people.
    pub partial: Vec<String>,
    /// What could not be loaded, for people.
    pub broken: Vec<String>,
    /// Each rule, the one with the most alerts first.
    pub rules: Vec<BacktestResult>,
    /// Carved files that YARA rules looked at, where there are some.
    #[serde(default)]
    pub files: Looked,
    /// Flows whose packets signatures looked at, where there are some.
    #[serde(default)]
    pub flows: Looked,
    /// How long it took.
    pub took_ms: u64,
}

/// How many things were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Looked {
    /// Looked at.
    pub looked: u64,
    /// Not: nobody has them any more, or it failed, or the time was over.
    pub missing: u64,
}

/// How far a backtest is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestProgress {
    /// `events`, `files` or `packets`.
    pub phase: String,
    /// How many of them are done.
    pub done: u64,
    /// Of how many, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<u64>,
    /// The time of what is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<String>,
}

/// One line of a backtest that is followed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BacktestLine {
    /// It goes on.
    Progress(BacktestProgress),
    /// The last line.
    Answer(Box<BacktestAnswer>),
    /// The last line, where there is no answer.
    Error(ApiError),
}

/// What one rule would have said.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BacktestResult {
    /// `rule.id`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How bad it finds what it finds.
    pub severity: Severity,
    /// Alerts, grouped as those of rules in force are.
    pub alerts: u64,
    /// Matches that they are made of.
    pub matches: u64,
    /// Alerts by day (UTC).
    pub days: BTreeMap<String, u64>,
    /// Alerts by agency (`organization.id`; empty for none), the most first.
    pub agencies: Vec<FacetValue>,
    /// Alerts by source address, the most first.
    pub sources: Vec<FacetValue>,
    /// Alerts by destination address, the most first.
    pub destinations: Vec<FacetValue>,
    /// Ids of the first events that it matched; of signatures, the Community IDs of their flows.
    pub examples: Vec<String>,
}

/// How much was seen of an agency, or by a sensor, in a period.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VisibilityAnswer {
    /// The least of all sensors that saw it.
    pub visibility: Visibility,
    /// Each sensor that saw something of it.
    pub sensors: Vec<SensorVisibility>,
    /// What could not be said, for people.
    pub partial: Vec<String>,
}

/// How much one sensor saw.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SensorVisibility {
    /// The sensor or source.
    pub sensor: String,
    /// Its events, of the agency where one was asked for.
    pub events: u64,
    /// How much of the traffic it saw.
    pub visibility: Visibility,
}

/// Which agencies and networks are seen, and which are not.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CoverageAnswer {
    /// Every agency, those that nobody sees first.
    pub agencies: Vec<AgencyCoverage>,
    /// Networks that were not looked at because the time was over.
    pub not_looked_at: u64,
    /// What could not be searched, for people.
    pub partial: Vec<String>,
}

/// What is seen of one agency.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyCoverage {
    /// The agency.
    pub agency: Agency,
    /// Events in the period.
    pub events: u64,
    /// Sensors and sources that saw them.
    pub sensors: Vec<String>,
    /// Its networks of which nothing was seen.
    pub unseen: Vec<String>,
    /// How many networks it has.
    pub networks: u64,
}
