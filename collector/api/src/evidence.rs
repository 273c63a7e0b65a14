//! Evidence: what is kept, who holds it, what was done with it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Header of an answer that gives evidence out: the password of the files in it.
pub const PASSWORD_HEADER: &str = "x-luytre-password";

/// An alert whose evidence is to be sealed and held.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// The alert's id.
    pub alert: String,
    /// Who holds it.
    pub by: String,
    /// Why, such as a case's number.
    #[serde(default)]
    pub reason: String,
}

/// What was sealed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HoldAnswer {
    /// The bundle.
    pub item: EvidenceItem,
    /// Opens the carved files in it.
    pub password: String,
    /// What should be in it and could not be had, for people.
    pub missing: Vec<String>,
    /// How many events, packet files and carved files are in it.
    pub events: u64,
    /// Packet files, one a flow.
    pub flows: u64,
    /// Carved files.
    pub files: u64,
}

/// Ends the holds of an item.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// Who releases it.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Who reads, or adds, a piece of evidence.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceBy {
    /// Who.
    #[serde(default)]
    pub by: String,
    /// What a document that is added is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The kinds of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceKind {
    /// Everything about an alert, sealed.
    Bundle,
    /// A carved file.
    File,
    /// A document that people made.
    Document,
}

impl EvidenceKind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            EvidenceKind::Bundle => "bundle",
            EvidenceKind::File => "file",
            EvidenceKind::Document => "document",
        }
    }
}

/// A piece of evidence.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceItem {
    /// SHA-256 of its content.
    pub id: String,
    /// What it is.
    pub kind: EvidenceKind,
    /// What it is called.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Since when, RFC 3339.
    pub added: String,
    /// The alert it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// Who holds it; nobody means that its age counts.
    pub holds: Vec<Hold>,
}

/// A reason to keep something.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339.
    pub since: String,
}

/// All evidence.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceAnswer {
    /// The newest first.
    pub items: Vec<EvidenceItem>,
    /// What all of it takes.
    pub bytes: u64,
    /// What of it is held.
    pub held_bytes: u64,
    /// The most it may take.
    pub keep_bytes: u64,
    /// How many items have gone since the start, by age or for want of room.
    pub removed: u64,
}

/// One thing that was done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceLogLine {
    /// When, RFC 3339.
    pub time: String,
    /// `held`, `released`, `read`, `removed`.
    pub what: String,
    /// On which item.
    pub id: String,
    /// By whom.
    pub by: String,
    /// More about it.
    pub note: String,
    /// SHA-256 of the line before.
    pub before: String,
}

/// The newest lines of the evidence log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceLog {
    /// Oldest first.
    pub lines: Vec<EvidenceLogLine>,
    /// Whether no line was changed, taken out or put in since the log began.
    pub is_whole: bool,
}
