//! The register of agencies: the tree, and what belongs to each agency. Days are `YYYY-MM-DD`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An agency in the tree, with what it has in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgencyRow {
    /// What events carry as `organization.id`.
    pub id: String,
    /// Its official code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its kind, of the register's list.
    pub kind: String,
    /// Under whom it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The first day on which it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// The last day on which it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// Whether it exists today.
    pub valid: bool,
    /// Whom it became, or became part of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successors: Vec<String>,
    /// What people note of it.
    pub note: String,
    /// Rises with every change of these fields.
    pub version: i64,
    /// How many contacts.
    pub contacts: u64,
    /// Contacts whose verification is due.
    pub contacts_due: u64,
    /// How many networks.
    pub networks: u64,
    /// How many systems.
    pub systems: u64,
    /// The highest level among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub highest_level: Option<u8>,
    /// How many assets.
    pub assets: u64,
    /// Alerts that wait.
    pub open_alerts: u64,
    /// Cases that are not closed.
    pub open_cases: u64,
}

/// All agencies.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyList {
    /// The agencies, by name.
    pub items: Vec<AgencyRow>,
    /// How many there are.
    pub total: u64,
}

/// An agency with the agencies around it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyDetail {
    /// The agency.
    pub agency: AgencyRow,
    /// Agencies that became it, or part of it.
    pub predecessors: Vec<String>,
    /// What happened to it, oldest first.
    pub history: Vec<super::HistoryEntry>,
}

/// Adds an agency, or says how one is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgencyFields {
    /// Its official code.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
    /// Its kind, of the register's list.
    pub kind: String,
    /// Under whom it stands.
    pub parent_id: Option<String>,
    /// The first day on which it exists.
    pub valid_from: Option<String>,
    /// The last day on which it exists.
    pub valid_to: Option<String>,
    /// Whom it became, or became part of.
    pub successors: Vec<String>,
    /// What people note of it.
    pub note: String,
}

/// Adds an agency.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgency {
    /// What events carry as `organization.id`: small letters, digits, `.`, `-`, `_`.
    pub id: String,
    /// How it is.
    pub fields: AgencyFields,
}

/// Changes an agency.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAgency {
    /// The version that was seen.
    pub version: i64,
    /// How it is to be.
    pub fields: AgencyFields,
}

/// What belongs to an agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Somebody to be asked.
    Contact,
    /// Addresses.
    Network,
    /// An information system with its level.
    System,
    /// A device or service.
    Asset,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [RecordKind; 4] = [RecordKind::Contact, RecordKind::Network, RecordKind::System, RecordKind::Asset];
}

/// Somebody at an agency to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Contact {
    /// Their name.
    pub name: String,
    /// What they do there.
    pub role: String,
    /// Their address for mail.
    pub email: String,
    /// Their telephone.
    pub telephone: String,
    /// The day on which it was last checked that all of this is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<String>,
}

/// Addresses of an agency for a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The network, as in `203.0.113.0/27`.
    pub network: String,
    /// The first day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
    /// What people note of it.
    pub note: String,
}

/// An information system of an agency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct System {
    /// Its name.
    pub name: String,
    /// Its level, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// How far the approval of the level has come, of the register's list.
    pub approval: String,
    /// Number of the decision.
    pub decision_number: String,
    /// Day of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_date: Option<String>,
    /// Who decided.
    pub decision_authority: String,
    /// Who runs it.
    pub operator: String,
    /// What people note of it.
    pub note: String,
}

/// A device or service of an agency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Asset {
    /// Its name.
    pub name: String,
    /// What it is, of the register's list.
    pub asset_kind: String,
    /// Its address.
    pub address: String,
    /// The system it belongs to, by name.
    pub system: String,
    /// Where it stands.
    pub place: String,
    /// What people note of it.
    pub note: String,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RecordContent {
    /// Somebody to be asked.
    Contact(Contact),
    /// Addresses.
    Network(Network),
    /// An information system.
    System(System),
    /// A device or service.
    Asset(Asset),
}

/// Something that belongs to an agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgencyRecord {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub agency_id: String,
    /// The agency's name.
    pub agency_name: String,
    /// What it says.
    pub content: RecordContent,
    /// The day on which a contact must be verified again; nothing where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_on: Option<String>,
    /// Whether the verification of a contact is due.
    pub due: bool,
    /// Rises with every change.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: String,
}

/// A page of records.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecordList {
    /// The records, by name.
    pub items: Vec<AgencyRecord>,
    /// How many there are in all.
    pub total: u64,
    /// The next page's cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Which records are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// Of this kind.
    #[param(inline)]
    pub kind: Option<RecordKind>,
    /// Of this agency.
    pub agency: Option<String>,
    /// Also of the agencies under it.
    pub below: Option<bool>,
    /// With all of these words.
    pub text: Option<String>,
    /// Networks that are in force on this day.
    pub on: Option<String>,
    /// Contacts whose verification is due.
    pub due: Option<bool>,
    /// At most this many (default 50, at most 200).
    pub limit: Option<u32>,
    /// The page after this place.
    pub cursor: Option<String>,
}

/// Changes a record.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeRecord {
    /// The version that was seen.
    pub version: i64,
    /// How it is to be.
    pub content: RecordContent,
}

/// The version of a record that was seen.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SeenVersion {
    /// The version that was seen.
    pub version: i64,
}
