//! What the collector answers: the types of its API (`/v1`, JSON over mutual TLS or a Unix socket), shared with the
//! console and the command line. No behaviour lives here.
//!
//! | method and path | request | answer |
//! | --- | --- | --- |
//! | `GET /v1/health` | | [`Health`] |
//! | `POST /v1/search` | [`SearchRequest`] | [`SearchAnswer`] or [`ApiError`] with the place in the query |
//! | `POST /v1/search/follow` | [`SearchRequest`] (its query) | newline-delimited [`EventDocument`]s as they come in; an empty line is a sign of life |
//! | `POST /v1/search/complete` | [`CompletionRequest`] | list of [`Proposal`] |
//! | `POST /v1/export` | [`ExportRequest`] | CSV or JSON lines, as they come; [`TOTAL_HEADER`] |
//! | `GET /v1/events/{id}` | | [`EventDocument`] |
//! | `GET /v1/alerts/stream?after=SEQ` | | newline-delimited [`Alert`]s in rising `sequence`, then it stays open; an empty line is a sign of life |
//! | `GET /v1/alerts/{id}` | | [`Alert`] |
//! | `GET /v1/sensors` | | list of [`Sensor`] |
//! | `POST /v1/sensors/{name}/revoke` | | [`Sensor`] |
//! | `POST /v1/tokens` | [`TokenRequest`] | [`Token`] |
//! | `POST /v1/api-certificates` (Unix socket only) | [`ApiCertificateRequest`] | [`ApiCertificate`] |
//! | `POST /v1/api-certificates/{name}/revoke` (Unix socket only) | | [`ApiCertificateRequest`] |
//! | `GET /v1/ledger?from&to&sensor` | RFC 3339 times | [`LedgerAnswer`] |
//! | `GET /v1/packets?flow&sensor&from&to&limit_mb&by` | [`PacketsRequest`] | a pcapng file, as it comes |
//! | `POST /v1/evidence/holds` | [`HoldRequest`] | [`HoldAnswer`] once the alert's evidence is sealed |
//! | `GET /v1/evidence` | | [`EvidenceAnswer`] |
//! | `GET /v1/evidence/{id}?by` | [`EvidenceBy`] | a ZIP archive; [`PASSWORD_HEADER`] opens the files in it |
//! | `POST /v1/evidence/{id}/release` | [`ReleaseRequest`] | [`EvidenceItem`] |
//! | `POST /v1/evidence/documents?by&name&reason` | a document as it is | [`EvidenceItem`] |
//! | `GET /v1/evidence/log` | | [`EvidenceLog`] |
//! | `GET /v1/rules` | | [`RulesAnswer`] |
//! | `GET /v1/rules/{id}` | | [`RuleDetail`] |
//! | `POST /v1/rules/reload` | | [`RulesAnswer`] once the rules are in force |
//! | `GET /v1/catalogue` | | `catalogue.json` |
//! | `GET /v1/sources` | | list of [`SourceLine`] |
//! | `GET /v1/doors` | | list of [`DoorLine`] |
//! | `GET /v1/rooms` | | list of [`RoomLine`] |
//! | `POST /v1/sources/{name}/token` (Unix socket only) | | [`SourceToken`] |
//! | `POST /v1/sources/{name}/revoke` (Unix socket only) | | |
//! | `POST /v1/backtest` | [`BacktestRequest`] | [`BacktestAnswer`] |
//! | `POST /v1/backtest/follow` | [`BacktestRequest`] | newline-delimited [`BacktestLine`]s; hanging up ends it |
//! | `GET /v1/visibility?agency&sensor&from&to` | | [`VisibilityAnswer`] |
//! | `GET /v1/coverage?from&to` | | [`CoverageAnswer`] |
//! | `GET /v1/queries?by` | | list of [`SavedQuery`]: one's own and shared ones |
//! | `POST /v1/queries` | [`SavedQueryRequest`] | [`SavedQuery`] |
//! | `GET /v1/queries/{id}?by` | | [`SavedQuery`] |
//! | `PUT /v1/queries/{id}` | [`SavedQueryRequest`] with the version that is changed | [`SavedQuery`] |
//! | `DELETE /v1/queries/{id}?by` | | the [`SavedQuery`] that was |
//! | `GET /v1/agencies` | | list of [`Agency`] |

mod backtest;
mod doors;
mod evidence;
mod query;
mod saved;

use std::collections::BTreeMap;

pub use backtest::{
    AgencyCoverage, BacktestAnswer, BacktestLine, BacktestProgress, BacktestRequest, BacktestResult, BacktestRule,
    CoverageAnswer, Looked, SensorVisibility, VisibilityAnswer,
};
pub use doors::{DoorLine, RoomLine};
pub use evidence::{
    EvidenceAnswer, EvidenceBy, EvidenceItem, EvidenceKind, EvidenceLog, EvidenceLogLine, Hold, HoldAnswer,
    HoldRequest, PASSWORD_HEADER, ReleaseRequest,
};
pub use query::{CompletionKind, CompletionRequest, ExportFormat, ExportRequest, Proposal, TOTAL_HEADER};
pub use saved::{QueryAlert, QueryRuns, SavedQuery, SavedQueryRequest, Schedule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Header of the alert stream's answer: the newest sequence in the collector's log. One below the cursor of whoever asks
/// means that the log was made anew.
pub const NEWEST_HEADER: &str = "x-luytre-newest";

/// Which packets are wanted from a sensor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PacketsRequest {
    /// The flow: `network.community_id`.
    pub flow: String,
    /// The sensor that saw it (`observer.name`); without one, the sensor with the most events of the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<String>,
    /// From this moment on (RFC 3339, or as in a search).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The answer may not be larger, in megabytes (default 32, at most 1,024).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_mb: Option<u32>,
    /// Who asks, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How bad an alert is. The order is the severity's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, no action.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High: e-mail goes out.
    High,
    /// Critical.
    Critical,
}

/// A search: text in the query language, a time range, a page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The query (architecture: terms, ranges, CIDR, wildcards, phrases; `| count by FIELD`, `| timeline 5m`). Empty
    /// means everything.
    #[serde(default)]
    pub query: String,
    /// From this moment on (RFC 3339), inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until this moment (RFC 3339), exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// At most this many events (default 100, at most 10,000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Events after the one this opaque text stands for: the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// A named data set instead of the live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// Fields whose most frequent values are wanted beside the events (facets).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<String>,
    /// Also answer a timeline over the range, in about this many bars (at most 1,000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline_bars: Option<u32>,
    /// Only events of these agencies (`organization.id`), whatever the query says; none of them means no event at all. The
    /// console sets it for people who reach no further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agencies: Option<Vec<String>>,
}

/// What a search found.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct SearchAnswer {
    /// How many events match in all.
    pub total: u64,
    /// The newest matching events, newest first; empty when a stage made a table or a timeline.
    pub events: Vec<EventDocument>,
    /// The next page's cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The result of `| count by ...`, of other measures, or of `| table ...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// The result of `| timeline ...` or of `timeline_bars`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
    /// One table a wanted facet: value and count, most frequent first.
    pub facets: Vec<Facet>,
    /// What could not be searched (a damaged partition, say), for people; empty when the answer is whole.
    pub partial: Vec<String>,
    /// How long it took.
    pub took_ms: u64,
}

/// The most frequent values of a field.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Facet {
    /// The field's name.
    pub field: String,
    /// Value and count, most frequent first.
    pub values: Vec<FacetValue>,
}

/// One value of a facet.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FacetValue {
    /// The value as text, as it would be written in a query.
    pub value: String,
    /// How many events have it.
    pub count: u64,
}

/// Rows under named columns.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Table {
    /// Column names: the fields grouped by, then the measures (`count`, `sum(FIELD)`); or the fields asked for.
    pub columns: Vec<String>,
    /// One row a group, or an event; values as JSON.
    pub rows: Vec<Vec<serde_json::Value>>,
}

/// Counts over time.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// Width of a bar, in milliseconds.
    pub step_ms: u64,
    /// Bars in time order, empty ones included.
    pub bars: Vec<TimelineBar>,
}

/// One bar of a timeline.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TimelineBar {
    /// Where it begins, RFC 3339.
    pub start: String,
    /// How many events fall into it.
    pub count: u64,
}

/// One event: nested Elastic Common Schema JSON, exactly as `luytre-sensor read` writes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct EventDocument(pub serde_json::Map<String, serde_json::Value>);

/// Something a rule found, with everything needed to explain it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Stable: made from rule, subject and the events it stands on, so that a replay makes the same id.
    pub id: String,
    /// Position in the fan-out; rises by one an alert, for durable cursors.
    pub sequence: u64,
    /// When what it speaks of happened (packet time), RFC 3339.
    pub time: String,
    /// When the collector raised it, RFC 3339.
    pub raised: String,
    /// The rule that fired.
    pub rule: AlertRule,
    /// How bad it is.
    pub severity: Severity,
    /// Why it is that bad, for people: one key of the interface's dictionary or plain text each.
    pub severity_reasons: Vec<String>,
    /// The fields that made the rule fire, with the part of the rule they satisfied.
    pub matched: Vec<MatchedField>,
    /// Ids of the events it stands on (at most 100; `event_count` has the true number).
    pub event_ids: Vec<String>,
    /// How many events it stands on.
    pub event_count: u64,
    /// The newest of those events, whole.
    pub event: EventDocument,
    /// The sensor that saw it.
    pub sensor: String,
    /// The flow's Community ID, where there is a flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub community_id: Option<String>,
    /// Source address and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Endpoint>,
    /// Destination address and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Endpoint>,
    /// The agency concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<Agency>,
    /// How much of the traffic was seen when it happened.
    pub visibility: Visibility,
}

/// An address and port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Endpoint {
    /// The address.
    pub ip: String,
    /// The port, or nothing where the transport has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// The rule of an alert, as it was when it fired.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertRule {
    /// `rule.id`.
    pub id: String,
    /// `rule.name`, English.
    pub name: String,
    /// The name in Vietnamese, where the rule has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_vi: Option<String>,
    /// The kind of rule.
    pub kind: RuleKind,
    /// Revision (date or number) of the rule.
    pub revision: String,
    /// Digest of the rule set in force.
    pub ruleset: String,
    /// What it looks for and why that matters, English.
    pub description: String,
    /// The same in Vietnamese, where the rule has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description_vi: Option<String>,
    /// What to do first, Vietnamese, where the rule says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice_vi: Option<String>,
    /// What to do first, English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// ATT&CK technique ids (`T1046`).
    pub techniques: Vec<String>,
    /// Links.
    pub references: Vec<String>,
    /// Known harmless causes, English.
    pub false_positives: Vec<String>,
    /// The same in the same order in Vietnamese, where the rule has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub false_positives_vi: Vec<String>,
}

/// The kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A Sigma rule on one event.
    Sigma,
    /// A Sigma correlation over several.
    Correlation,
    /// A YARA rule on a carved file.
    Yara,
    /// An entry of an intelligence list.
    Intel,
    /// A signature in Suricata's language.
    Signature,
}

/// A field that a rule matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MatchedField {
    /// The field's catalogue name (or a YARA string's identifier).
    pub field: String,
    /// The value it had.
    pub value: String,
    /// What the rule asked for (`contains "union select"`), for people.
    pub wanted: String,
}

/// How much of the traffic was seen in the window around something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Visibility {
    /// Share of packets that were seen and understood, 0 to 1.
    pub seen: f64,
    /// Packets that the ledger cannot account for.
    pub unaccounted: i64,
    /// Whether counters existed for the window at all; without them nothing is known.
    pub known: bool,
}

/// An agency of the province.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agency {
    /// `organization.id`.
    pub id: String,
    /// `organization.name`.
    pub name: String,
}

/// An agency with the networks that the collector knows it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgencyNetworks {
    /// `organization.id`.
    pub id: String,
    /// `organization.name`.
    pub name: String,
    /// Its networks, as in `203.0.113.0/27`.
    #[serde(default)]
    pub networks: Vec<String>,
}

/// A sensor as the collector knows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Sensor {
    /// Its name (`observer.name`).
    pub name: String,
    /// How it is.
    pub state: SensorState,
    /// The program's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// When it was enrolled, RFC 3339.
    pub enrolled: String,
    /// When it was last heard, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<String>,
    /// Its clock minus ours, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_skew_ms: Option<i64>,
    /// Highest sequence number that is durable here.
    pub acknowledged: u64,
    /// The newest counters, stage by stage, sensor and collector joined.
    pub stages: Vec<StageLine>,
    /// What the ledger cannot account for; must be zero.
    pub unaccounted: i64,
}

/// Another program that sends lines, and what became of them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SourceLine {
    /// Its name in events (`observer.name`).
    pub name: String,
    /// When something last came, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    /// Whether it is silent for longer than it may be.
    pub silent: bool,
    /// Lines that came.
    pub taken: u64,
    /// Events that are durable.
    pub given: u64,
    /// Lines that wait.
    pub held: u64,
    /// What was dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Connections that were let in.
    #[serde(default)]
    pub connections: u64,
    /// Connections and requests that were refused, by reason; their lines never came.
    #[serde(default)]
    pub refused: BTreeMap<String, u64>,
}

/// A token that senders of a source show; it is told this once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SourceToken {
    /// The source, without `source:`.
    pub source: String,
    /// The token.
    pub token: String,
}

/// How a sensor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SensorState {
    /// Connected.
    Connected,
    /// Enrolled, not connected now.
    Silent,
    /// Its certificate is no longer accepted.
    Revoked,
}

/// One stage of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StageLine {
    /// The stage.
    pub stage: String,
    /// `packets` or `events`.
    pub unit: String,
    /// What came in.
    pub taken: u64,
    /// What went on.
    pub given: u64,
    /// What waits inside.
    pub held: u64,
    /// What was dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
}

/// The ledger of a period.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LedgerAnswer {
    /// One entry a sensor and minute, oldest first.
    pub minutes: Vec<LedgerMinute>,
    /// Share of packets that were seen and understood over the period.
    pub visibility: Visibility,
}

/// What one sensor's stages counted in one minute.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LedgerMinute {
    /// The sensor.
    pub sensor: String,
    /// When the minute began, RFC 3339.
    pub minute: String,
    /// Differences within the minute.
    pub stages: Vec<StageLine>,
    /// The remainder.
    pub unaccounted: i64,
}

/// All rules in force, and those that are broken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RulesAnswer {
    /// Digest of the rule set.
    pub ruleset: String,
    /// The rules, by id.
    pub rules: Vec<RuleLine>,
    /// What could not be loaded; the others are in force.
    pub broken: Vec<BrokenRule>,
}

/// One rule.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RuleLine {
    /// The rule.
    pub rule: AlertRule,
    /// Its severity.
    pub severity: Severity,
    /// The file it stands in, below the rule folder.
    pub file: String,
    /// How often it fired since the collector started.
    pub hits: u64,
}

/// A rule with its source.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RuleDetail {
    /// The rule.
    pub line: RuleLine,
    /// Its text.
    pub text: String,
}

/// A rule that could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BrokenRule {
    /// The file.
    pub file: String,
    /// The line, from 1, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong.
    pub reason: String,
}

/// A wish for an enrolment token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenRequest {
    /// The sensor's name to be: letters, digits, `-`, `_`, `.`; at most 64.
    pub name: String,
}

/// A one-time enrolment token.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The sensor's name to be.
    pub name: String,
    /// What `luytre-sensor enroll --token` wants. Shown once.
    pub token: String,
    /// When it lapses, RFC 3339.
    pub expires: String,
}

/// A wish for a certificate with which the API can be used over the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiCertificateRequest {
    /// What the client is called: letters, digits, `-`, `_`, `.`; at most 64.
    pub name: String,
}

/// Key and certificate of a client of the API. Shown once: the collector keeps neither.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiCertificate {
    /// What the client is called.
    pub name: String,
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its private key, PEM.
    pub key: String,
    /// The certificate of the authority that the collector is known by, PEM.
    pub authority: String,
    /// When the certificate lapses, RFC 3339.
    pub expires: String,
}

/// A data set apart from the live one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataSet {
    /// Its name.
    pub name: String,
    /// Events in it.
    pub events: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// What was imported, in this order.
    pub files: Vec<ImportedFile>,
}

/// A file that was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedFile {
    /// What it was called.
    pub name: String,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// Events that came of it.
    pub events: u64,
    /// When it was in, RFC 3339.
    pub imported: String,
}

/// A wish to import a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportRequest {
    /// What it is called.
    pub file: String,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
}

/// An import under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportBegun {
    /// What its events must be sent to.
    pub number: u64,
}

/// How many events an import has taken in so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportProgress {
    /// Events.
    pub events: u64,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Events taken in.
    pub events: u64,
    /// Events that could not be taken in.
    pub refused: u64,
    /// The first reasons for that.
    pub reasons: Vec<String>,
    /// Fields left out because no event of this release has them, or not of this kind.
    pub left_out: u64,
}

/// How the collector is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// True when everything works.
    pub ok: bool,
    /// The program's version.
    pub version: String,
    /// What does not work, for people.
    pub problems: Vec<String>,
    /// Events in the journal that the index does not have yet.
    pub index_lag_events: u64,
    /// Events that can be searched.
    pub indexed_events: u64,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiError {
    /// A stable word: `bad_query`, `not_found`, `bad_request`, `overloaded`, `internal`.
    pub code: String,
    /// What happened and what to do, for people.
    pub message: String,
    /// Where in the query, in characters from 0, for `bad_query`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}
