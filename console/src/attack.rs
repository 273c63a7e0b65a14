//! Names and places of ATT&CK techniques, read from `data/attack/techniques.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A column of the matrix.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tactic {
    /// Its id, as rules write it.
    pub id: String,
    /// Its English name.
    pub en: String,
    /// Its Vietnamese name.
    pub vi: String,
}

/// A technique.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technique {
    /// The tactic under which it is shown.
    pub tactic: String,
    /// Its English name.
    pub en: String,
    /// Its Vietnamese name.
    pub vi: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tactic: Vec<Tactic>,
    techniques: BTreeMap<String, Technique>,
}

fn file() -> &'static File {
    // The file is part of the program and a test reads it; without it techniques keep their ids.
    static FILE: LazyLock<File> =
        LazyLock::new(|| toml::from_str(include_str!("../data/attack/techniques.toml")).unwrap_or_default());
    &FILE
}

/// The tactics in their order.
pub fn tactics() -> &'static [Tactic] {
    &file().tactic
}

/// A technique and the id under which it is shown: its parent's where only that is known.
pub fn technique(id: &str) -> Option<(&'static str, &'static Technique)> {
    let parent = id.split('.').next().unwrap_or(id);
    let known = file().techniques.get_key_value(id).or_else(|| file().techniques.get_key_value(parent));
    known.map(|(id, technique)| (id.as_str(), technique))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_technique_stands_under_a_tactic_and_sub_techniques_find_their_parent() {
        assert_eq!(tactics().len(), 14);
        for (id, technique) in &file().techniques {
            assert!(tactics().iter().any(|tactic| tactic.id == technique.tactic), "{id}");
        }
        assert_eq!(technique("T1110.001").map(|(id, one)| (id, one.en.as_str())), Some(("T1110", "Brute Force")));
        assert_eq!(technique("T1505.003").map(|(id, _)| id), Some("T1505.003"));
        assert!(technique("T9999").is_none());
    }
}
