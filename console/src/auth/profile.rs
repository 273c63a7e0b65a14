//! What is demanded of sessions, passwords and second factors: profiles as data (`console/data/access/profiles.toml`), one
//! of which the configuration chooses. Single numbers of the configuration (`[session]`) go before the profile's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::password;
use crate::model::Role;

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

    /// Whether somebody of this role must have a second factor.
    pub fn demands_code(&self, role: Role) -> bool {
        self.code_for.contains(&role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_level_3_are_demanded() {
        let level3 = Profile::named("level-3").unwrap();
        assert_eq!((level3.idle_minutes, level3.idle_minutes_admin), (15, 5));
        assert!(level3.demands_code(Role::Admin) && !level3.demands_code(Role::Analyst));
        assert_eq!(level3.complaint("Tre gia mang moc 2", "lan", false), None);
        assert!(level3.complaint("tre gia mang moc", "lan", false).is_some(), "one class is missing");
        assert!(level3.complaint("Tre gia mang2", "lan", false).is_some(), "thirteen characters");
        assert_eq!(level3.complaint("tre gia mang", "lan", true), None, "a code makes up for it");
    }

    #[test]
    fn a_profile_that_does_not_exist_is_told_with_those_that_do() {
        let error = Profile::named("level-9").unwrap_err().to_string();
        assert!(error.contains("basic, level-3"), "{error}");
    }
}
