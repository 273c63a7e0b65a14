//! Suppressions: alerts of a rule that are kept out of the queue for a while, with owner, reason and expiry.

use luytre_collector_api::Agency;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::users::Person;

/// Which alerts a suppression hides: those of a rule, narrowed by what else is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The rule.
    pub rule_id: String,
    /// Only from this source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// Only to this destination address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_ip: Option<String>,
    /// Only of this agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency_id: Option<String>,
}

/// What a suppression would have hidden in the last days.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SuppressionPreview {
    /// How many days were looked at.
    pub days: u32,
    /// How many alerts it would have hidden.
    pub alerts: u64,
    /// How many of them wait for a decision now.
    pub open: u64,
    /// How many of them are part of a case.
    pub in_cases: u64,
    /// How many of them turned out to be attacks.
    pub true_positives: u64,
    /// The same by agency, most alerts first; every agency is named.
    pub agencies: Vec<AgencyShare>,
    /// The cases with such alerts, newest first; at most 20.
    pub cases: Vec<CaseShare>,
}

/// An agency's share.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AgencyShare {
    /// The agency; nothing for alerts without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<Agency>,
    /// How many alerts.
    pub alerts: u64,
    /// How many of them are part of a case.
    pub in_cases: u64,
    /// How many of them turned out to be attacks.
    pub true_positives: u64,
}

/// A case with alerts that would have been hidden.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaseShare {
    /// The case.
    pub id: String,
    /// Its number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// How many of its alerts.
    pub alerts: u64,
}

/// Makes a suppression.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppression {
    /// Which alerts.
    pub scope: Scope,
    /// Why; 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
    /// Who answers for it, a user's id.
    pub owner_id: String,
    /// Until when (RFC 3339); at most 90 days from now.
    pub expires_at: String,
    /// Whether alerts that wait now are hidden too.
    pub hide_open: bool,
}

/// Whether a suppression hides anything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionState {
    /// It hides.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Ended,
}

/// A suppression.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Suppression {
    /// Its id.
    pub id: String,
    /// Which alerts.
    pub scope: Scope,
    /// The rule's name, English.
    pub rule_name: String,
    /// Its name in Vietnamese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_name_vi: Option<String>,
    /// The agency of the scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<Agency>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Person>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Person>,
    /// When.
    pub created_at: String,
    /// Until when.
    pub expires_at: String,
    /// Whether it hides now.
    pub state: SuppressionState,
    /// When somebody ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why it was ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
    /// How many alerts it has hidden so far.
    pub hidden: u64,
    /// When it last hid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_hidden_at: Option<String>,
}

/// What making a suppression did.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SuppressionMade {
    /// The suppression.
    pub suppression: Suppression,
    /// How many waiting alerts it has hidden at once.
    pub hidden_now: u64,
    /// The decision that hid them, for taking it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act_id: Option<String>,
}

/// All suppressions: those that hide now first, then the newest; at most 500.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SuppressionList {
    /// The suppressions.
    pub items: Vec<Suppression>,
    /// How many hide now.
    pub active: u64,
    /// How many alerts were hidden in the last 24 hours.
    pub hidden_today: u64,
}

/// Ends a suppression before its time.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndSuppression {
    /// Why; 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}
