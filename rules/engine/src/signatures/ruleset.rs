//! The rules of some files, in the order in which they are asked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::compile::Compiler;
use super::language::{Action, Arrow, Statement, Variables, statements};
use super::matcher;
use super::prefilter::Prefilters;
use super::rule::{PacketTest, Rule, Scope, StateChange, StateTest};
use super::texts::Texts;
use super::tuning::{Applied, Fate, Tuning};

/// The most rules of a set.
const RULES_MAX: usize = 200_000;
/// The largest rule file.
const FILE_MAX_BYTES: u64 = 256 << 20;
/// The most files that are found below a folder.
const FILES_MAX: usize = 10_000;

/// Something about a rule that its author should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The file.
    pub file: Arc<str>,
    /// The line on which the rule begins.
    pub line: u32,
    /// What, with keyword and column where it is about one.
    pub what: String,
}

/// A rule of a set.
#[derive(Debug, Clone)]
pub struct InForce {
    /// What it says; sets that follow each other share those that stay the same.
    rule: Arc<Rule>,
    /// File it stands in, and the line.
    pub place: (Arc<str>, u32),
    /// Number of its text in the set.
    text: u32,
    /// Digest of its text; nothing where what it says is in files beside it, too.
    key: Option<Key>,
}

type Key = [u8; 16];

impl std::ops::Deref for InForce {
    type Target = Rule;

    fn deref(&self) -> &Rule {
        &self.rule
    }
}

/// A set of rules, compiled.
#[derive(Debug)]
pub struct Signatures {
    /// Those that are asked first stand first.
    pub(super) rules: Vec<InForce>,
    pub(super) prefilters: Prefilters,
    wanted: Vec<bool>,
    /// Rules that cannot be used, and lines of the files they name.
    pub broken: Vec<Reported>,
    /// Rules that load and can never match here.
    pub unsupported: Vec<Reported>,
    /// Rules that say themselves that they are not for this engine.
    pub not_for_us: u32,
    /// Rules that people have put out of force.
    pub disabled: u32,
    /// Tuning that concerns no rule, or cannot be used.
    pub idle: Vec<Reported>,
    texts: Texts,
    /// Names of bits and numbers.
    names: HashMap<String, u32>,
    /// What rules mean beside their own text: groups of addresses, tuning.
    basis: Key,
    /// Digest of the text of all files.
    pub digest: String,
    /// Some rule looks into a transaction and into the stream that carries it.
    pub mixes: bool,
    /// Some rule looks into both directions of a transaction.
    pub pairs: bool,
    /// Some rule asks what is odd about packets.
    pub asks_odd: bool,
}

impl Signatures {
    /// Loads files, and all `.rules` files below folders, as people have tuned them.
    pub fn load_tuned(paths: &[PathBuf], tuning: &Tuning) -> Result<Signatures, std::io::Error> {
        Signatures::load_after(paths, tuning, None)
    }

    /// The same, in place of another set: rules that stay as they are are shared with it, not made and kept twice.
    pub fn load_after(
        paths: &[PathBuf],
        tuning: &Tuning,
        before: Option<&Signatures>,
    ) -> Result<Signatures, std::io::Error> {
        texts_of(paths).map(|texts| Signatures::compile_with(texts, tuning.variables(), tuning, before))
    }

    /// Loads files, and all `.rules` files below folders. The error is about what cannot be read at all.
    pub fn load(paths: &[PathBuf], variables: Variables) -> Result<Signatures, std::io::Error> {
        texts_of(paths).map(|texts| Signatures::compile(texts, variables))
    }

    /// Compiles the texts of files.
    pub fn compile(texts: Vec<(PathBuf, String)>, variables: Variables) -> Signatures {
        Signatures::compile_with(texts, variables, &Tuning::default(), None)
    }

    /// Compiles the texts of files as people have tuned them.
    pub fn compile_tuned(texts: Vec<(PathBuf, String)>, tuning: &Tuning) -> Signatures {
        Signatures::compile_with(texts, tuning.variables(), tuning, None)
    }

    fn compile_with(
        texts: Vec<(PathBuf, String)>,
        variables: Variables,
        tuning: &Tuning,
        before: Option<&Signatures>,
    ) -> Signatures {
        let basis = key(variables
            .values()
            .flat_map(|(name, value)| [name, value])
            .chain(tuning.texts().iter().map(String::as_str)));
        let before = before.filter(|set| set.basis == basis);
        let known: HashMap<Key, &Arc<Rule>> =
            before.iter().flat_map(|set| &set.rules).filter_map(|rule| Some((rule.key?, &rule.rule))).collect();
        let mut applied = Applied::new(tuning);
        let mut disabled = 0;
        let mut compiler = Compiler::new(variables, before.map(|set| set.names.clone()).unwrap_or_default());
        let (mut rules, mut broken, mut not_for_us) = (Vec::<InForce>::new(), Vec::new(), 0);
        let mut seen = HashMap::<(u32, u32), usize>::new();
        let mut digest = Sha256::new();
        let mut made = Texts::default();
        for (path, text) in texts {
            digest.update(text.as_bytes());
            let file: Arc<str> = path.display().to_string().into();
            compiler.folder = path.parent().map(Path::to_owned).unwrap_or_default();
            let (mut good, bad) = statements(&text);
            let own = good.len();
            if tuning.enables() {
                good.extend(commented(&text));
            }
            let told = |line: u32, what: String| Reported { file: file.clone(), line, what };
            broken.extend(bad.into_iter().map(|fault| told(fault.line, fault.to_string())));
            for (number, statement) in good.into_iter().enumerate() {
                let statement = match applied.before(&statement, &path, number >= own) {
                    Fate::Same => statement,
                    Fate::Disabled => {
                        disabled += u32::from(number < own);
                        continue;
                    }
                    Fate::Changed(text) => match changed(&text, statement.line) {
                        Ok(statement) => statement,
                        Err(what) => {
                            broken.push(told(statement.line, what));
                            continue;
                        }
                    },
                };
                let own_key = stands_alone(&statement).then(|| key([statement.text.as_str()]));
                let rule = match own_key.and_then(|key| known.get(&key)) {
                    Some(same) => Arc::clone(same),
                    None => match compiler.rule(&statement) {
                        Ok(Some(mut rule)) => {
                            applied.after(&mut rule, &statement, &path);
                            Arc::new(rule)
                        }
                        Ok(None) => {
                            not_for_us += 1;
                            continue;
                        }
                        Err(fault) => {
                            broken.push(told(fault.line, fault.to_string()));
                            continue;
                        }
                    },
                };
                if rules.len() >= RULES_MAX {
                    broken.push(told(statement.line, format!("more than {RULES_MAX} rules")));
                    continue;
                }
                let place = (file.clone(), statement.line);
                let rule = InForce { rule, place, text: made.add(&statement.text), key: own_key };
                let next = rules.len();
                let at = *seen.entry((rule.gid, rule.sid)).or_insert(next);
                match rules.get_mut(at) {
                    None => rules.push(rule),
                    Some(older) if rule.rev > older.rev => *older = rule,
                    Some(older) => broken.push(told(
                        statement.line,
                        format!("sid {} stands already in {}, line {}", rule.sid, older.place.0, older.place.1),
                    )),
                }
            }
        }
        broken.extend(compiler.left_out());
        tuning.texts().iter().for_each(|text| digest.update(text.as_bytes()));
        let idle = applied.idle().chain(tuning.faults.iter().cloned()).collect();
        rules.sort_by_key(|rule| order(rule));
        let unsupported = rules.iter().filter(|rule| !rule.unsupported.is_empty()).map(|rule| Reported {
            file: rule.place.0.clone(),
            line: rule.place.1,
            what: format!("sid {}: {}", rule.sid, rule.unsupported.join("; ")),
        });
        let unsupported = unsupported.collect();
        let prefilters = Prefilters::new(&rules);
        let mut wanted = vec![false; super::buffer::BUFFERS.len()];
        for list in rules.iter().filter(|rule| rule.unsupported.is_empty()).flat_map(|rule| &rule.lists) {
            if let Some(place) = wanted.get_mut(usize::from(list.buffer.0)) {
                *place = true;
            }
        }
        let digest = hex::encode(digest.finalize());
        let of_transactions = || rules.iter().filter(|rule| rule.scope == Scope::Transaction);
        let payload = |rule: &InForce| rule.lists.iter().any(|list| list.buffer == super::buffer::PAYLOAD);
        let mixes = of_transactions().any(payload);
        let pairs = of_transactions().any(|rule| rule.header.arrow == Arrow::Transaction);
        let odd = |test: &PacketTest| matches!(test, PacketTest::Event(_));
        let asks_odd = rules.iter().any(|rule| rule.packet.iter().any(odd));
        Signatures {
            rules,
            prefilters,
            wanted,
            broken,
            unsupported,
            not_for_us,
            disabled,
            idle,
            texts: made,
            names: compiler.into_names(),
            basis,
            digest,
            mixes,
            pairs,
            asks_odd,
        }
    }

    /// Whether any rule looks into a buffer.
    pub fn wants(&self, buffer: super::buffer::BufferId) -> bool {
        self.wanted.get(usize::from(buffer.0)).copied().unwrap_or(false)
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules, in the order in which they are asked.
    pub fn rules(&self) -> &[InForce] {
        &self.rules
    }

    /// The text of a rule as it is in force.
    pub fn text(&self, rule: &InForce) -> String {
        self.texts.get(rule.text)
    }

    /// How many rules are the same in memory as those of another set.
    pub fn shared_with(&self, other: &Signatures) -> usize {
        let theirs: std::collections::HashSet<*const Rule> =
            other.rules.iter().map(|rule| Arc::as_ptr(&rule.rule)).collect();
        self.rules.iter().filter(|rule| theirs.contains(&Arc::as_ptr(&rule.rule))).count()
    }

    /// The most steps of one search.
    pub fn steps_max() -> u32 {
        matcher::STEPS_MAX
    }
}

/// What silences comes first, then what would interfere; among equals those that remember before those that ask, then
/// the gravest, then the order in which they were read.
fn order(rule: &Rule) -> (u8, u8, u8, u8) {
    let action = match rule.action {
        Action::Pass => 0,
        Action::Drop => 1,
        Action::Reject => 2,
        Action::Alert | Action::Config => 3,
    };
    let bit = |change: &StateChange| !matches!(change, StateChange::Number { .. });
    let sets = |change: &StateChange| matches!(change, StateChange::Set { .. } | StateChange::Toggle { .. });
    let bits = (rule.sets.iter().any(sets), rule.asks.iter().any(|ask| matches!(ask, StateTest::Bits { .. })));
    let numbers = (
        rule.sets.iter().any(|change| !bit(change)),
        rule.asks.iter().any(|ask| !matches!(ask, StateTest::Bits { .. })),
    );
    let rank = |(sets, asks): (bool, bool)| match (sets, asks) {
        (true, false) => 0,
        (true, true) => 1,
        (false, true) => 2,
        (false, false) => 3,
    };
    (action, rank(bits), rank(numbers), rule.priority)
}

/// Whether all that a rule says is in its text: lists of values and digests are in files, which may have changed.
fn stands_alone(statement: &Statement) -> bool {
    const FILES: [&str; 6] = ["dataset", "datarep", "iprep", "filemd5", "filesha1", "filesha256"];
    !statement.options.iter().any(|option| FILES.iter().any(|name| option.keyword.eq_ignore_ascii_case(name)))
}

/// A digest of texts, each with its length.
fn key<'t>(texts: impl IntoIterator<Item = &'t str>) -> Key {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    }
    let digest: [u8; 32] = digest.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

/// The rule files below paths with their texts.
pub fn texts_of(paths: &[PathBuf]) -> std::io::Result<Vec<(PathBuf, String)>> {
    let mut texts = Vec::new();
    for path in paths {
        for file in files(path)? {
            texts.push((file.clone(), text_of(&file)?));
        }
    }
    Ok(texts)
}

/// Rules that stand commented out, one a line.
fn commented(text: &str) -> Vec<Statement> {
    let rules = (1u32..).zip(text.lines()).filter_map(|(number, line)| {
        let rule = line.trim().strip_prefix('#')?.trim_start_matches('#').trim();
        if !rule.contains("sid:") {
            return None;
        }
        let (mut good, _) = statements(rule);
        let mut statement = good.pop()?;
        statement.line = number;
        Some(statement)
    });
    rules.collect()
}

/// A rule whose text was changed, or why it is none any more.
fn changed(text: &str, line: u32) -> Result<Statement, String> {
    let (mut good, bad) = statements(text);
    match (good.pop(), bad.first()) {
        (Some(mut statement), None) => {
            statement.line = line;
            Ok(statement)
        }
        (_, Some(fault)) => Err(format!("line {line}, as it was tuned: {}", fault.reason)),
        (None, None) => Err(format!("line {line}: tuning left nothing of it")),
    }
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter();
    let found = entries.filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.file_type().is_file() && (name.ends_with(".rules") || name.ends_with(".rules.gz"))
    });
    Ok(found.take(FILES_MAX).map(walkdir::DirEntry::into_path).collect())
}

fn text_of(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let named = |error: std::io::Error| std::io::Error::new(error.kind(), format!("read {}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(named)?;
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::MultiGzDecoder::new(file).take(FILE_MAX_BYTES).read_to_end(&mut bytes).map_err(named)?;
    } else {
        file.take(FILE_MAX_BYTES).read_to_end(&mut bytes).map_err(named)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
