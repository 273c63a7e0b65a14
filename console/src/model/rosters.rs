//! Rosters: who is on call when. A roster is a cycle of weeks with handovers; at each somebody takes over until the next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::users::Person;

/// Somebody takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// Which week of the cycle, from 1.
    pub week: u8,
    /// The day, 1 (Monday) to 7.
    pub day: u8,
    /// The time of day, `HH:MM` in the console's time zone.
    pub time: String,
    /// Who takes over.
    pub user_id: String,
}

/// What a roster says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveRoster {
    /// Its name.
    pub name: String,
    /// How many weeks the cycle has, 1 to 8.
    #[schema(minimum = 1, maximum = 8)]
    pub weeks: u8,
    /// A day of the week with which the cycle begins, `YYYY-MM-DD`.
    pub first_day: String,
    /// The handovers.
    pub handovers: Vec<Handover>,
    /// The version that was seen; ignored for a new one.
    #[serde(default)]
    pub version: i64,
}

/// Somebody stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterOverride {
    /// Its id.
    pub id: String,
    /// Who stands in.
    pub user: Person,
    /// From when (RFC 3339), inclusive.
    pub from: String,
    /// Until when, exclusive.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Who arranged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Person>,
}

/// Has somebody stand in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRosterOverride {
    /// Who stands in.
    pub user_id: String,
    /// From when (RFC 3339), inclusive.
    pub from: String,
    /// Until when, exclusive.
    pub to: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Who is on call from when until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DutySpan {
    /// From when, inclusive.
    pub from: String,
    /// Until when, exclusive.
    pub to: String,
    /// Who; nobody where the roster names nobody, or somebody who may no longer log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Person>,
    /// Whether notices reach them.
    pub reachable: bool,
    /// The override that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_id: Option<String>,
}

/// A roster, and who is on call in the next two weeks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Roster {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many weeks the cycle has.
    pub weeks: u8,
    /// The Monday with which the cycle begins.
    pub first_day: String,
    /// The handovers.
    pub handovers: Vec<Handover>,
    /// Those who stand in, from today on.
    pub overrides: Vec<RosterOverride>,
    /// Who is on call from now on, two weeks ahead.
    pub duty: Vec<DutySpan>,
    /// Rises with each change.
    pub version: i64,
}

/// All rosters.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RosterList {
    /// By name.
    pub items: Vec<Roster>,
}
