//! What is demanded of sessions, passwords and second factors: profiles as data (`console/data/access/profiles.toml`), one
//! of which the configuration chooses. Single numbers of the configuration (`[session]`) go before the profile's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::password;
use crate::model::{Role, User};
use crate::store::sessions::Entry;

/// A day, in microseconds.
pub const DAY_US: i64 = 86_400_000_000;

/// The profile where none is named.
pub const DEFAULT: &str = "basic";

/// What is demanded.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id.
    pub id: String,
    /// The clauses it is taken from.
    pub citation: String,
    /// How they were checked: `verified`, `secondary` or `memory`.
    pub status: String,
    /// Minutes without a request until a session ends.
    pub idle_minutes: u32,
    /// The same for administrators.
    pub idle_minutes_admin: u32,
    /// Hours until any session ends.
    pub absolute_hours: u32,
    /// The shortest password.
    pub password_length: usize,
    /// The shortest password of somebody with a second factor.
    pub password_length_with_code: usize,
    /// How many of small letters, capitals, digits and others a password without a second factor must have.
    pub password_classes: usize,
    /// How many passwords, the one in force among them, do not come back.
    pub password_history: u32,
    /// After how many days a password must be changed; 0 for never.
    pub password_days: u32,
    /// The same for administrators.
    pub password_days_admin: u32,
    /// How many days before that people are warned.
    pub password_warn_days: u32,
    /// After how many days without a log-in an account is shut; 0 for never.
    pub unused_days: u32,
    /// The roles that must have a second factor.
    pub code_for: Vec<Role>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profiles {
    profile: Vec<Profile>,
}

impl Profile {
    /// The profile of this id; fails with the names there are.
    pub fn named(id: &str) -> anyhow::Result<Profile> {
        let all: Profiles = toml::from_str(include_str!("../../data/access/profiles.toml"))?;
        let names: Vec<&str> = all.profile.iter().map(|profile| profile.id.as_str()).collect();
        let names = names.join(", ");
        let found = all.profile.into_iter().find(|profile| profile.id == id);
        found.ok_or_else(|| anyhow::anyhow!("access.profile: there is no profile `{id}`; use one of {names}"))
    }

    /// Why a new password is not taken, or nothing.
    pub fn complaint(&self, password: &str, name: &str, with_code: bool) -> Option<String> {
        if let Some(complaint) = password::complaint(password, name) {
            return Some(complaint.to_owned());
        }
        let shortest = if with_code { self.password_length_with_code } else { self.password_length };
        if password.chars().count() < shortest {
            return Some(format!("use at least {shortest} characters"));
        }
        let classes: [fn(char) -> bool; 4] =
            [char::is_lowercase, char::is_uppercase, char::is_numeric, |c| !c.is_alphanumeric()];
        let has = classes.iter().filter(|class| password.chars().any(**class)).count();
        let missing = !with_code && has < self.password_classes;
        missing.then(|| "use small letters, capitals, digits and other signs, or a second factor".to_owned())
    }

    /// Whether somebody must set a second factor up before anything else; one that a provider asked for will do.
    pub fn must_enrol(&self, user: &User, entry: Entry) -> bool {
        self.code_for.contains(&user.role) && !user.two_factor && !entry.strong
    }

    /// When a password that was set then must be changed, microseconds; nothing where it does not grow old.
    pub fn password_ends_us(&self, role: Role, set_us: Option<i64>) -> Option<i64> {
        let days = if role == Role::Admin { self.password_days_admin } else { self.password_days };
        set_us.filter(|_| days > 0).map(|set_us| set_us.saturating_add(i64::from(days) * DAY_US))
    }

    /// Whether a password that was set then must be changed now.
    pub fn must_change(&self, role: Role, set_us: Option<i64>, now_us: i64) -> bool {
        self.password_ends_us(role, set_us).is_some_and(|ends_us| ends_us <= now_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_level_3_are_demanded() {
        let level3 = Profile::named("level-3").unwrap();
        assert_eq!((level3.idle_minutes, level3.idle_minutes_admin), (15, 5));
        assert_eq!(level3.code_for, [Role::Admin]);
        assert_eq!((level3.password_history, level3.password_days_admin, level3.unused_days), (10, 60, 45));
        assert_eq!(level3.complaint("Tre gia mang moc 2", "lan", false), None);
        assert!(level3.complaint("tre gia mang moc", "lan", false).is_some(), "one class is missing");
        assert!(level3.complaint("Tre gia mang2", "lan", false).is_some(), "thirteen characters");
        assert_eq!(level3.complaint("tre gia mang", "lan", true), None, "a code makes up for it");
    }

    #[test]
    fn a_password_ends_after_its_days_and_only_where_it_grows_old() {
        let level3 = Profile::named("level-3").unwrap();
        assert!(!level3.must_change(Role::Admin, Some(0), 60 * DAY_US - 1));
        assert!(level3.must_change(Role::Admin, Some(0), 60 * DAY_US));
        assert_eq!(level3.password_ends_us(Role::Analyst, Some(0)), None);
        assert_eq!(level3.password_ends_us(Role::Admin, None), None, "no password, no age");
    }

    #[test]
    fn a_profile_that_does_not_exist_is_told_with_those_that_do() {
        let error = Profile::named("level-9").unwrap_err().to_string();
        assert!(error.contains("basic, level-3"), "{error}");
    }
}
