//! What the register of agencies is made of and is no code: kinds of agencies and assets, states of approval, and how long
//! a contact counts as verified, headings of tables, from `console/data/agencies/`. Read once; a file that cannot be read leaves empty lists,
//! and a test reads it.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::case_data::CitedList;

/// How long a contact counts as verified.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Where the period comes from.
    pub citation: String,
    /// How the citation was checked: `verified`, `secondary` or `memory`.
    pub status: String,
    /// So many days.
    pub every_days: u32,
    /// So many days before, it is shown as coming due.
    pub soon_days: u32,
}

/// A column of a table.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TableColumn {
    /// Its id.
    pub id: String,
    /// Its heading in Vietnamese.
    pub vi: String,
    /// Its heading in English.
    pub en: String,
    /// Whether no row may be without it.
    #[serde(default)]
    pub needed: bool,
}

/// A table that is brought in and taken out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TableData {
    /// Its id.
    pub id: String,
    /// Its name in Vietnamese.
    pub vi: String,
    /// Its name in English.
    pub en: String,
    /// Its columns, in the order in which they are written.
    pub column: Vec<TableColumn>,
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterData {
    /// How long a contact counts as verified.
    pub verification: Verification,
    /// Kinds of agencies.
    pub kinds: CitedList,
    /// Kinds of assets.
    pub asset_kinds: CitedList,
    /// States of the approval of a system's level.
    pub approval_states: CitedList,
    /// The tables.
    pub table: Vec<TableData>,
}

/// What the register is made of.
pub fn register_data() -> &'static RegisterData {
    static DATA: OnceLock<RegisterData> = OnceLock::new();
    DATA.get_or_init(|| read().unwrap_or_default())
}

fn read() -> Result<RegisterData, toml::de::Error> {
    toml::from_str(include_str!("../data/agencies/register.toml"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lists_are_there_and_no_id_stands_twice() {
        let data = super::read().unwrap();
        for list in [&data.kinds, &data.asset_kinds, &data.approval_states] {
            let ids: std::collections::BTreeSet<&str> = list.entry.iter().map(|entry| entry.id.as_str()).collect();
            assert!(!ids.is_empty());
            assert_eq!(ids.len(), list.entry.len());
        }
        assert!(data.verification.every_days > data.verification.soon_days);
    }
}
