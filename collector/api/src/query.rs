//! What is asked around a query besides its answer: exports, completion.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Header of an export: how many events match.
pub const TOTAL_HEADER: &str = "x-luytre-total";

/// Forms of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Comma-separated values, RFC 4180.
    #[default]
    Csv,
    /// JSON, one object a line.
    Jsonl,
}

/// Everything a query finds.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// The query, as in a search.
    #[serde(default)]
    pub query: String,
    /// From this moment on, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until this moment, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// A named data set instead of the live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The form.
    #[serde(default)]
    pub format: ExportFormat,
    /// These fields of events; without any, a few in CSV and all in JSON lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// CSV begins with a byte order mark, by which spreadsheets know Vietnamese letters.
    #[serde(default)]
    pub bom: bool,
}

/// A query that somebody is writing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompletionRequest {
    /// The text so far.
    pub query: String,
    /// Where the cursor is, in characters.
    pub position: u32,
    /// Values of events since this moment (default: a day).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// A named data set instead of the live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
}

/// What a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CompletionKind {
    /// A field of the catalogue.
    Field,
    /// A value that events have.
    Value,
    /// What is made of the events.
    Stage,
    /// `AND`, `OR`, `NOT`.
    Operator,
}

/// What may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// What to write.
    pub text: String,
    /// What it is.
    pub kind: CompletionKind,
    /// More about it: a field's meaning, how many events have a value.
    pub note: String,
    /// It takes the place of the characters from here...
    pub from: u32,
    /// ...to here.
    pub to: u32,
}
