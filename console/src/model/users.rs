//! People who may log in, and what they may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::profile::Profile;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Triages, hunts, works cases.
    Analyst,
    /// Sees everything, works cases, reads reports.
    Manager,
    /// A contact of an agency; sees what is addressed to it and nothing else.
    Agency,
    /// Reads everything including the audit log, changes nothing.
    Auditor,
    /// Everything.
    Admin,
}

impl Role {
    /// All roles, for tables and messages.
    pub const ALL: [Role; 5] = [Role::Analyst, Role::Manager, Role::Agency, Role::Auditor, Role::Admin];
}

/// The language of the interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

/// The look of the interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark.
    #[default]
    Dark,
    /// Light.
    Light,
}

/// Somebody, as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The name they log in with.
    pub name: String,
    /// The name people call them by.
    pub display_name: String,
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The name they log in with.
    pub name: String,
    /// The name people call them by.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// The agency beyond which they see nothing; everything where it is missing (agencies' own people: nothing).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency_id: Option<String>,
    /// The language they chose.
    pub locale: Lang,
    /// The look they chose.
    pub theme: Theme,
    /// True when they may not log in.
    pub disabled: bool,
    /// True when a code is asked for beside their password.
    pub two_factor: bool,
    /// True while they have not set a password through their link.
    pub invited: bool,
    /// The mail address by which an identity provider may vouch for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// When they were added.
    pub created_at: String,
    /// When they last logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<String>,
}

impl User {
    /// The user as others see them.
    pub fn person(&self) -> Person {
        Person { id: self.id.clone(), name: self.name.clone(), display_name: self.display_name.clone() }
    }
}

/// All users.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserList {
    /// The users by name.
    pub items: Vec<User>,
    /// How many there are.
    pub total: u64,
}

/// Adds a user.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name to log in with: 1 to 64 small letters, digits, `.`, `-`, `_`.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// The name people call them by.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// The agency beyond which they are to see nothing.
    #[serde(default)]
    pub agency_id: Option<String>,
}

/// A user was added.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UserInvitation {
    /// The user.
    pub user: User,
    /// The one-time link with which they set their password. Shown once.
    pub link: String,
    /// When it lapses.
    pub expires_at: String,
}

/// Changes a user; what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// What they may do.
    pub role: Option<Role>,
    /// The agency beyond which they are to see nothing; an empty text for none.
    pub agency_id: Option<String>,
    /// Whether they are shut out; their sessions end at once.
    pub disabled: Option<bool>,
    /// True takes their second factor away, when app and recovery codes are lost; their sessions end at once.
    pub remove_code: Option<bool>,
    /// The mail address by which an identity provider may vouch for them; an empty text for none.
    pub mail: Option<String>,
}

/// Whether the first administrator is still missing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SetupState {
    /// True until somebody has set a password.
    pub needed: bool,
}

/// Uses a one-time link: makes the first administrator, or sets an invited user's password. Logs in.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The link's token.
    pub token: String,
    /// The name to log in with; ignored for an invited user, who has one.
    pub name: Option<String>,
    /// The name people call them by.
    pub display_name: Option<String>,
    /// The password: 10 to 200 characters.
    #[schema(min_length = 10, max_length = 200)]
    pub password: String,
}

/// Logs in.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// A code of the second factor, or a recovery code, where there is one.
    #[serde(default)]
    pub code: Option<String>,
}

/// Who is logged in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionInfo {
    /// The user.
    pub user: User,
    /// What every change must send as `x-csrf-token`.
    pub csrf_token: String,
    /// When the session ends at the latest.
    pub expires_at: String,
    /// The console's version.
    pub version: String,
    /// The time zone of reports and of the interface, an IANA name.
    pub time_zone: String,
    /// True while a second factor must be set up before anything else.
    pub must_enrol: bool,
    /// True while the password must be changed before anything else.
    pub must_change_password: bool,
    /// When the password must be changed at the latest, where it grows old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_ends_at: Option<String>,
    /// True where an identity provider vouched for them.
    pub by_provider: bool,
    /// Where they log out of the identity provider too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_out_address: Option<String>,
    /// What is demanded of sessions, passwords and second factors.
    pub profile: Profile,
}

/// Changes one's own password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password until now.
    pub current: String,
    /// The new one: 10 to 200 characters.
    #[schema(min_length = 10, max_length = 200)]
    pub password: String,
}

/// Changes one's own settings; what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSession {
    /// The language.
    pub locale: Option<Lang>,
    /// The look.
    pub theme: Option<Theme>,
    /// The name people call them by.
    pub display_name: Option<String>,
}
