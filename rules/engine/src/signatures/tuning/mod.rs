//! What people change about rules without touching them: which are in force, how grave they are, when they are silent,
//! how often they tell; and the groups of addresses and ports that rules speak of.
//!
//! Comes in: files of ours (`.toml`, [`settings`]) and in the format of `threshold.config` (any other ending,
//! [`threshold_config`]), read in their order. Goes out: [`Tuning`], which a set of rules is compiled with. A file of ours
//! that is wrong is an error as a whole, like any settings; a line of the other format that is wrong is reported, and the
//! others hold. What speaks of rules that are not there is reported with the set. Bounds: [`FILE_MAX_BYTES`],
//! [`CHANGES_MAX`].

mod select;
pub mod settings;
pub mod threshold_config;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::language::{AddressSet, Statement, Variables};
use super::rule::{Limit, LimitKind, Rule};
use super::ruleset::Reported;
pub use select::{Named, Select};

/// The largest file.
pub const FILE_MAX_BYTES: u64 = 16 << 20;
/// The most changes of all files together.
pub const CHANGES_MAX: usize = 100_000;

/// All changes, in their order: of two that contradict each other the later one holds.
#[derive(Debug, Clone, Default)]
pub struct Tuning {
    changes: Vec<Change>,
    /// Groups of addresses and ports, by name, as rules write them.
    variables: BTreeMap<String, String>,
    /// Lines that cannot be used.
    pub faults: Vec<Reported>,
    /// Everything as it was read, for the digest.
    texts: Vec<String>,
}

/// One change.
#[derive(Debug, Clone)]
pub struct Change {
    /// Of which rules.
    pub select: Select,
    /// What.
    pub what: What,
    /// File and line.
    pub place: (Arc<str>, u32),
}

/// What is changed.
#[derive(Debug, Clone)]
pub enum What {
    /// The rule is not in force.
    Disable,
    /// It is, though it was not, or stands commented out.
    Enable,
    /// Its text, wherever the first stands.
    Replace(String, String),
    /// How grave it is: 1 is the gravest.
    Priority(u8),
    /// It is silent about some hosts.
    Suppress(Arc<Suppress>),
    /// It tells so often.
    Limit(Limit),
}

/// When a rule is silent.
#[derive(Debug, Clone, PartialEq)]
pub struct Suppress {
    /// Whose address decides.
    pub by: SuppressBy,
    /// Which addresses.
    pub addresses: AddressSet,
}

/// Whose address decides whether a rule is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressBy {
    /// Nobody's: it is always silent.
    All,
    /// The sender's.
    Source,
    /// The receiver's.
    Destination,
    /// One of both.
    Either,
}

impl Suppress {
    /// Whether it holds for a sender and a receiver.
    pub fn holds(&self, source: std::net::IpAddr, destination: std::net::IpAddr) -> bool {
        match self.by {
            SuppressBy::All => true,
            SuppressBy::Source => self.addresses.contains(source),
            SuppressBy::Destination => self.addresses.contains(destination),
            SuppressBy::Either => self.addresses.contains(source) || self.addresses.contains(destination),
        }
    }
}

/// Why tuning cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum TuningError {
    /// A file cannot be read.
    #[error("read the tuning {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of ours says something that makes no sense.
    #[error("{path}: {reason}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What, and where.
        reason: String,
    },
}

impl Tuning {
    /// Reads files in their order.
    pub fn load(paths: &[PathBuf]) -> Result<Tuning, TuningError> {
        let mut tuning = Tuning::default();
        for path in paths {
            let read = |source| TuningError::Read { path: path.clone(), source };
            let size = std::fs::metadata(path).map_err(read)?.len();
            if size > FILE_MAX_BYTES {
                let reason = format!("it is larger than {FILE_MAX_BYTES} bytes; split it");
                return Err(TuningError::Wrong { path: path.clone(), reason });
            }
            tuning.add(path, &std::fs::read_to_string(path).map_err(read)?)?;
        }
        Ok(tuning)
    }

    /// Adds the text of one more file.
    pub fn add(&mut self, path: &Path, text: &str) -> Result<(), TuningError> {
        let wrong = |reason| TuningError::Wrong { path: path.to_owned(), reason };
        let file: Arc<str> = path.display().to_string().into();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let read = settings::read(text, &file, &self.variables()).map_err(wrong)?;
            self.variables.extend(read.variables);
            self.changes.extend(read.changes);
        } else {
            let (changes, faults) = threshold_config::read(text, &file, &self.variables());
            self.changes.extend(changes);
            self.faults.extend(faults);
        }
        if self.changes.len() > CHANGES_MAX {
            return Err(wrong(format!(
                "there are more than {CHANGES_MAX} changes; name groups instead of single rules"
            )));
        }
        self.texts.push(text.to_owned());
        Ok(())
    }

    /// The usual groups of addresses and ports, with those that were set here.
    pub fn variables(&self) -> Variables {
        let mut variables = Variables::usual();
        self.variables.iter().for_each(|(name, value)| variables.set(name, value));
        variables
    }

    /// The texts of the files, for a digest.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Whether rules that stand commented out may be put in force.
    pub fn enables(&self) -> bool {
        self.changes.iter().any(|change| matches!(change.what, What::Enable))
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Tuning at work: which of its changes concerned any rule.
pub struct Applied<'t> {
    tuning: &'t Tuning,
    used: Vec<bool>,
}

/// What becomes of a rule before it is compiled.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays as it is.
    Same,
    /// It is not in force.
    Disabled,
    /// It has this text.
    Changed(String),
}

impl<'t> Applied<'t> {
    /// Nothing was changed yet.
    pub fn new(tuning: &'t Tuning) -> Applied<'t> {
        Applied { tuning, used: vec![false; tuning.changes.len()] }
    }

    /// What becomes of a rule; `commented` says that it stands commented out.
    pub fn before(&mut self, statement: &Statement, file: &Path, commented: bool) -> Fate {
        if self.tuning.is_empty() {
            return if commented { Fate::Disabled } else { Fate::Same };
        }
        let named = Named::of(statement, file);
        let mut disabled = commented;
        let mut text = None::<String>;
        for (change, used) in self.tuning.changes.iter().zip(&mut self.used) {
            if !change.select.takes(&named) {
                continue;
            }
            match &change.what {
                What::Disable => (disabled, *used) = (true, true),
                What::Enable => (disabled, *used) = (false, true),
                What::Replace(from, to) => {
                    let now = text.as_deref().unwrap_or(&statement.text);
                    if now.contains(from.as_str()) {
                        text = Some(now.replace(from.as_str(), to));
                        *used = true;
                    }
                }
                What::Priority(priority) => {
                    let now = text.as_deref().unwrap_or(&statement.text);
                    text = Some(with_priority(now, *priority));
                    *used = true;
                }
                What::Suppress(_) | What::Limit(_) => *used = true,
            }
        }
        match (disabled, text) {
            (true, _) => Fate::Disabled,
            (false, None) => Fate::Same,
            (false, Some(text)) => Fate::Changed(text),
        }
    }

    /// Gives a compiled rule its silences and limits.
    pub fn after(&self, rule: &mut Rule, statement: &Statement, file: &Path) {
        if self.tuning.is_empty() {
            return;
        }
        let named = Named::of(statement, file);
        let mut silences = Vec::new();
        for change in self.tuning.changes.iter().filter(|change| change.select.takes(&named)) {
            match &change.what {
                What::Suppress(suppress) => silences.push(suppress.clone()),
                What::Limit(limit) => add_limit(rule, *limit, change.select.is_general()),
                _ => {}
            }
        }
        rule.silences = silences.into();
    }

    /// Changes that concern no rule of the set.
    pub fn idle(&self) -> impl Iterator<Item = Reported> {
        let idle = self.tuning.changes.iter().zip(&self.used).filter(|(_, used)| !**used);
        idle.map(|(change, _)| {
            let why = match &change.what {
                What::Replace(from, _) => format!("no rule of {} has the text {from:?}", change.select),
                _ => format!("no rule is {}", change.select),
            };
            Reported { file: change.place.0.clone(), line: change.place.1, what: why }
        })
    }
}

/// A limit for this rule takes the place of the rule's own; one for all holds where the rule has none.
fn add_limit(rule: &mut Rule, limit: Limit, general: bool) {
    let of_rule = |limit: &Limit| !matches!(limit.kind, LimitKind::Filter | LimitKind::Rate { .. });
    match (of_rule(&limit), general) {
        (true, true) if rule.limits.iter().any(of_rule) => {}
        (true, false) => {
            rule.limits.retain(|own| !of_rule(own));
            rule.limits.push(limit);
        }
        _ => rule.limits.push(limit),
    }
}

/// The last priority that a text names holds, and the author's word for the severity no longer does.
fn with_priority(text: &str, priority: u8) -> String {
    let text = text.trim_end();
    let body = text.strip_suffix(')').unwrap_or(text);
    format!("{body} priority:{priority}; metadata:signature_severity tuned;)")
}
