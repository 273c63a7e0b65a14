//! What is known about a rule: everything an alert says about it, whichever engine runs it.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// How bad it is when a rule fires. The order is the severity's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing, no action (`informational` in Sigma).
    Info,
    /// Low.
    Low,
    /// Medium; also what a rule without a level gets.
    #[default]
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Level {
    /// The word a rule uses for it; `informational` and `info` are the same.
    pub fn parse(word: &str) -> Option<Level> {
        match word {
            "informational" | "info" => Some(Level::Info),
            "low" => Some(Level::Low),
            "medium" => Some(Level::Medium),
            "high" => Some(Level::High),
            "critical" => Some(Level::Critical),
            _ => None,
        }
    }
}

/// The kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A Sigma rule on one event.
    Sigma,
    /// A Sigma correlation over several events.
    Correlation,
    /// A YARA rule on a carved file.
    Yara,
    /// A list of indicators.
    Intel,
    /// A signature that a sensor runs.
    Signature,
}

/// One rule that is in force.
#[derive(Debug)]
pub struct Rule {
    /// `rule.id`: a UUID for Sigma and our own rules, else the rule's own name.
    pub id: String,
    /// English title.
    pub title: String,
    /// Vietnamese title, where the rule has one.
    pub title_vi: Option<String>,
    /// The kind of rule.
    pub kind: RuleKind,
    /// How bad it is.
    pub level: Level,
    /// `modified`, else `date`, else empty.
    pub revision: String,
    /// Digest of the set of rules that it belongs to, where that is not the one that was loaded here.
    pub set: Option<String>,
    /// What it looks for and why that matters, English.
    pub description: String,
    /// The same in Vietnamese.
    pub description_vi: Option<String>,
    /// What to do first, English.
    pub advice: Option<String>,
    /// What to do first, Vietnamese.
    pub advice_vi: Option<String>,
    /// ATT&CK technique ids (`T1046`, `T1071.001`).
    pub techniques: Vec<String>,
    /// All tags as written.
    pub tags: Vec<String>,
    /// Links.
    pub references: Vec<String>,
    /// Known harmless causes, English.
    pub false_positives: Vec<String>,
    /// The same in the same order in Vietnamese, where the rule has them.
    pub false_positives_vi: Vec<String>,
    /// Fields that say what the rule speaks of; matches with equal values belong to one alert. Empty means source and
    /// destination address.
    pub subject: Vec<String>,
    /// Matches only feed correlations and are not reported themselves.
    pub silent: bool,
    /// Why it cannot run on what sensors tell of today, where that is so.
    pub asleep: Option<String>,
    /// The file it stands in, below the folder that was loaded.
    pub file: String,
    /// The line where it begins, from 1.
    pub line: u32,
    pub(crate) hits: AtomicU64,
}

impl Rule {
    /// How often it was reported since it was loaded.
    pub fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    pub(crate) fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }
}

/// ATT&CK technique ids out of Sigma tags (`attack.t1071.001` is `T1071.001`); other tags are left out.
pub fn techniques(tags: &[String]) -> Vec<String> {
    let technique = |tag: &String| {
        let id = tag.to_ascii_lowercase();
        let digits = id.strip_prefix("attack.t")?.to_owned();
        digits.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("T{digits}"))
    };
    tags.iter().filter_map(technique).collect()
}

/// A rule that could not be loaded. The others are in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// The line, from 1, where known.
    pub line: Option<u32>,
    /// What is wrong, and what to do where that is known.
    pub reason: String,
}

/// Something odd about a rule that is in force nevertheless: a field that no dataset has, say.
pub type Note = Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_come_from_attack_tags_only() {
        let tags = ["attack.t1046", "attack.discovery", "attack.T1071.001", "cve.2021-44228", "attack.tool"];
        let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
        assert_eq!(techniques(&tags), ["T1046", "T1071.001"]);
    }

    #[test]
    fn levels_are_ordered_and_read() {
        assert!(Level::Critical > Level::High && Level::Low > Level::Info);
        assert_eq!(Level::parse("informational"), Some(Level::Info));
        assert_eq!(Level::parse("hgih"), None);
    }
}
