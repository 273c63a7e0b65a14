//! Notices to agencies: what the team asks of an agency in a case, and what its people answer.

use luytre_collector_api::Agency;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cases::Tlp;
use super::users::Person;

/// What an agency is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// To confirm that it has the notice.
    Confirm,
    /// To answer in words.
    Answer,
    /// To upload logs.
    Logs,
    /// To report what was done.
    Remediation,
}

impl Ask {
    /// All of them, in the order in which they are usually met.
    pub const ALL: [Ask; 4] = [Ask::Confirm, Ask::Answer, Ask::Logs, Ask::Remediation];
}

/// Where a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgencyNoticeState {
    /// Not sent yet; the agency does not see it.
    Draft,
    /// Sent; something that is asked is missing.
    Open,
    /// Everything that is asked is there.
    Met,
    /// The team ended it.
    Ended,
}

/// What was said of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// The agency confirmed that it has the notice.
    Confirmed,
    /// The agency answered.
    Answer,
    /// The agency reported what was done.
    Remediation,
    /// The team added something.
    Message,
    /// The team reminded.
    Reminder,
    /// The time has passed with something missing.
    Late,
}

/// Something that was said of a notice.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyEntry {
    /// Its id.
    pub id: String,
    /// When.
    pub at: String,
    /// Who; nobody where the console did it by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// True when the agency said it, false when the team did.
    pub from_agency: bool,
    /// What kind of saying.
    pub kind: EntryKind,
    /// The words.
    pub text: String,
    /// When it was done, of a report of what was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done_at: Option<String>,
    /// Who did it, of a report of what was done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub done_by: String,
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgencyFileState {
    /// Pieces of it are missing.
    Receiving,
    /// It is whole; the collector has not got it yet.
    Waiting,
    /// It is kept.
    Kept,
}

/// Whether a file was looked at for what is malicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileScan {
    /// Nothing has looked at it.
    NotScanned,
    /// No rule matched.
    Clean,
    /// Rules matched.
    Matched,
}

/// A file of a notice.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyFile {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// True when the agency uploaded it, false when the team sent it along.
    pub from_agency: bool,
    /// Its length.
    pub bytes: u64,
    /// How much of it is here.
    pub received: u64,
    /// Its SHA-256, once it is whole.
    pub digest: String,
    /// What it is by its content, as a media type, once it is whole.
    pub kind: String,
    /// How far it has come.
    pub state: AgencyFileState,
    /// When it was begun, and once it is whole, since when it is.
    pub at: String,
    /// Who uploaded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
    /// Whether it was looked at; the agency is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<FileScan>,
    /// The rules that matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<String>,
    /// Why the collector has not got it yet; the agency is not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
}

/// A notice to an agency, as both sides see it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyNotice {
    /// Its id.
    pub id: String,
    /// What people call it: the numbers of its case and of the notice in it, `12-1`.
    pub reference: String,
    /// To whom.
    pub agency: Agency,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// With whom it may be shared.
    pub tlp: Tlp,
    /// What is asked.
    pub asks: Vec<Ask>,
    /// What of it is missing.
    pub missing: Vec<Ask>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// True when that has passed and something is missing.
    pub overdue: bool,
    /// Where it stands.
    pub state: AgencyNoticeState,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// Who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<Person>,
    /// When the agency confirmed that it has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<String>,
    /// Who confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_by: Option<Person>,
    /// When the team ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why the team ended it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ended_reason: String,
    /// What was said, oldest first.
    pub entries: Vec<AgencyEntry>,
    /// Files, oldest first: documents of the team and what the agency uploaded.
    pub files: Vec<AgencyFile>,
}

/// A notice to an agency as the team sees it in a case.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseAgencyNotice {
    /// The notice.
    #[serde(flatten)]
    pub notice: AgencyNotice,
    /// When its people were last told by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<String>,
    /// The addresses that mail went to; nobody where it is empty.
    pub told_to: Vec<String>,
}

/// Prepares a notice to an agency; it is sent by a step of its own, once its documents are there.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgencyNotice {
    /// To whom, an agency of the register.
    pub agency_id: String,
    /// What it is about; 1 to 200 characters.
    pub subject: String,
    /// What it says; 1 to 10,000 characters.
    pub text: String,
    /// With whom it may be shared.
    pub tlp: Tlp,
    /// What is asked.
    #[serde(default)]
    pub asks: Vec<Ask>,
    /// Until when (RFC 3339).
    #[serde(default)]
    pub due_at: Option<String>,
}

/// Words: an answer, or something that the team adds.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgencyWords {
    /// The words; 1 to 10,000 characters.
    pub text: String,
}

/// Reports what was done.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRemediation {
    /// What was done; 1 to 10,000 characters.
    pub text: String,
    /// When (RFC 3339), not in the future.
    pub done_at: String,
    /// Who did it; 1 to 200 characters.
    pub done_by: String,
}

/// Ends a notice.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndAgencyNotice {
    /// Why; 1 to 500 characters. The agency sees it.
    pub reason: String,
}

/// Begins a file; its pieces follow.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgencyFile {
    /// What it is called; 1 to 200 characters.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Where a piece of a file belongs.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PieceQuery {
    /// The place of its first byte in the file: as much as is here already.
    pub at: u64,
}

/// A notice in the list of what an agency has to do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyWorkRow {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub reference: String,
    /// To whom.
    pub agency: Agency,
    /// What it is about.
    pub subject: String,
    /// What of it is missing.
    pub missing: Vec<Ask>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// True when that has passed and something is missing.
    pub overdue: bool,
    /// Where it stands.
    pub state: AgencyNoticeState,
    /// When it was sent.
    pub sent_at: String,
}

/// What an agency has to do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyWork {
    /// Whose work it is; nobody's where the caller belongs to no agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<Agency>,
    /// The team that asks, as the configuration names it.
    pub team: String,
    /// What is missing something first, those that are due first before the others; at most 200.
    pub items: Vec<AgencyWorkRow>,
    /// How many there are.
    pub total: u64,
    /// The largest file that can be uploaded, in bytes.
    pub file_max_bytes: u64,
    /// The largest piece of a file, in bytes.
    pub piece_max_bytes: u64,
}

/// A notice that waits for an agency, as lists about everything name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnansweredNotice {
    /// The case.
    pub case_id: String,
    /// What people call it.
    pub reference: String,
    /// To whom.
    pub agency: String,
    /// What of it is missing.
    pub missing: Vec<Ask>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// True when that has passed.
    pub overdue: bool,
}
