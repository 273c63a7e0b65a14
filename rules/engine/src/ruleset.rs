//! The rule set: which files there are, what rules they hold, what is wrong with them, and one digest over all.
//!
//! Comes in: paths of files and folders. Goes out: an [`Engine`] that shares a [`RuleSet`]. What kind a file is, its
//! name and its folder say:
//!
//! | file | kind |
//! | --- | --- |
//! | `*.yml`, `*.yaml` in a folder `pipelines` | field pipeline: maps other people's names to ours |
//! | other `*.yml`, `*.yaml` | Sigma rules, correlations and filters |
//! | `*.toml`, `*.csv` in a folder `intel` | indicator list |
//! | `*.yar`, `*.yara` | YARA rules |
//! | `*.test.json`, `*.test.jsonl` and anything else | not a rule, passed over |

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use luytre_events::scan::YaraSource;
use sha2::{Digest, Sha256};

use crate::detector::Detector;
use crate::engine::Engine;
use crate::rule::{Broken, Note, Rule};

/// The largest rule file, in bytes; a larger one is reported and left out.
pub const FILE_MAX_BYTES: u64 = 16 << 20;
/// The most rule files; the rest is reported and left out.
pub const FILES_MAX: usize = 50_000;
/// The most bytes of rules together; the rest is reported and left out.
pub const TOTAL_MAX_BYTES: u64 = 512 << 20;

/// Why there is no rule set at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A path that was named is not there or may not be read.
    #[error("read the rules at {path}: {source}; check that the path exists and may be read")]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// Sigma rules.
    Sigma,
    /// A pipeline for Sigma rules.
    Pipeline,
    /// An indicator list.
    Intel,
    /// YARA rules.
    Yara,
}

/// A file as it was read.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Its name below the folder that was loaded, with `/`.
    pub file: String,
    /// Where it was read from.
    pub path: PathBuf,
    /// Its content.
    pub text: Arc<str>,
}

/// All rules that are in force, and what is known about them.
#[derive(Debug, Default)]
pub struct RuleSet {
    digest: String,
    rules: Vec<Arc<Rule>>,
    by_id: HashMap<String, usize>,
    broken: Vec<Broken>,
    notes: Vec<Note>,
    sources: BTreeMap<String, Source>,
}

/// What one kind's loader made of its files.
#[derive(Default)]
pub(crate) struct Loaded {
    pub rules: Vec<Arc<Rule>>,
    pub broken: Vec<Broken>,
    pub notes: Vec<Note>,
    pub detector: Option<Box<dyn Detector>>,
}

/// Loads rules from files and folders and makes an engine of them. Broken rules are in [`RuleSet::broken`]; only a path
/// that cannot be read at all is an error.
pub fn load(paths: &[PathBuf]) -> Result<Engine, LoadError> {
    let mut broken = Vec::new();
    let sources = read_sources(paths, &mut broken)?;
    let mut ids = Ids::default();
    let mut set = RuleSet { digest: digest(&sources), broken, ..RuleSet::default() };
    let mut detectors: Vec<Box<dyn Detector>> = Vec::new();
    let mut take = |set: &mut RuleSet, loaded: Loaded| {
        set.rules.extend(loaded.rules);
        set.broken.extend(loaded.broken);
        set.notes.extend(loaded.notes);
        detectors.extend(loaded.detector);
    };
    #[cfg(feature = "sigma")]
    take(&mut set, crate::sigma::load(&of_kinds(&sources, &[SourceKind::Sigma, SourceKind::Pipeline]), &mut ids));
    #[cfg(feature = "intel")]
    take(&mut set, crate::intel::load(&of_kinds(&sources, &[SourceKind::Intel]), &mut ids));
    take(&mut set, crate::yara::load(&of_kinds(&sources, &[SourceKind::Yara]), &mut ids));
    detectors.push(Box::new(crate::heard::Heard::new()));
    set.rules.sort_by(|a, b| a.id.cmp(&b.id));
    set.by_id = set.rules.iter().enumerate().map(|(i, rule)| (rule.id.clone(), i)).collect();
    set.broken.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    set.sources = sources.into_iter().map(|s| (s.file.clone(), s)).collect();
    Ok(Engine::new(Arc::new(set), detectors))
}

impl RuleSet {
    /// A set without rules.
    pub fn empty() -> RuleSet {
        RuleSet { digest: digest(&[]), ..RuleSet::default() }
    }

    /// SHA-256 in hexadecimal over names and contents of all files, in name order.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The rules in force, by id.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// One rule.
    pub fn rule(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules.get(*self.by_id.get(id)?)
    }

    /// What could not be loaded, by file.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Oddities of rules that are in force.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The text of a file, by the name that rules give ([`Rule::file`]).
    pub fn text(&self, file: &str) -> Option<&str> {
        self.sources.get(file).map(|s| &*s.text)
    }

    /// The files, by name.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    /// What the scanner should compile.
    pub fn yara_sources(&self) -> Vec<YaraSource> {
        let yara = self.sources.values().filter(|s| s.kind == SourceKind::Yara);
        yara.map(|s| YaraSource { file: s.file.clone(), text: s.text.to_string() }).collect()
    }
}

/// Rule ids seen so far: each may stand for one rule only.
#[derive(Default)]
pub(crate) struct Ids(HashMap<String, (String, u32)>);

impl Ids {
    /// Takes an id, or says who has it already.
    pub fn claim(&mut self, id: &str, file: &str, line: u32) -> Result<(), Broken> {
        if let Some((other, at)) = self.0.get(id) {
            let reason = format!("rule id {id} is already used at {other}:{at}; give this rule an id of its own");
            return Err(Broken { file: file.to_owned(), line: Some(line), reason });
        }
        self.0.insert(id.to_owned(), (file.to_owned(), line));
        Ok(())
    }
}

fn of_kinds<'s>(sources: &'s [Source], kinds: &[SourceKind]) -> Vec<&'s Source> {
    sources.iter().filter(|s| kinds.contains(&s.kind)).collect()
}

fn read_sources(paths: &[PathBuf], broken: &mut Vec<Broken>) -> Result<Vec<Source>, LoadError> {
    let mut sources: Vec<Source> = Vec::new();
    let mut budget_bytes = TOTAL_MAX_BYTES;
    for root in paths {
        let unreadable = |source| LoadError::Read { path: root.clone(), source };
        let is_folder = std::fs::metadata(root).map_err(unreadable)?.is_dir();
        for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 => return Err(unreadable(error.into())),
                Err(error) => {
                    broken.push(Broken { file: root.display().to_string(), line: None, reason: error.to_string() });
                    continue;
                }
            };
            let Some(kind) = entry.file_type().is_file().then(|| kind_of(entry.path())).flatten() else { continue };
            let file = name_of(root, entry.path(), is_folder, paths.len() > 1);
            match read_file(entry.path(), kind, sources.len(), &mut budget_bytes) {
                Ok(text) => sources.push(Source { kind, file, path: entry.path().to_owned(), text }),
                Err(reason) => broken.push(Broken { file, line: None, reason }),
            }
        }
    }
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    sources.dedup_by(|later, first| later.path == first.path);
    Ok(sources)
}

fn read_file(path: &Path, kind: SourceKind, files: usize, budget_bytes: &mut u64) -> Result<Arc<str>, String> {
    if files >= FILES_MAX {
        return Err(format!("more than {FILES_MAX} rule files; load fewer"));
    }
    let size_bytes = std::fs::metadata(path).map_err(|e| format!("read the file: {e}"))?.len();
    if size_bytes > FILE_MAX_BYTES {
        return Err(format!("{size_bytes} bytes; a rule file has at most {FILE_MAX_BYTES}: split it"));
    }
    *budget_bytes = budget_bytes
        .checked_sub(size_bytes)
        .ok_or_else(|| format!("more than {TOTAL_MAX_BYTES} bytes of rules; load fewer"))?;
    let bytes = std::fs::read(path).map_err(|e| format!("read the file: {e}"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        // Old YARA collections have comments in other encodings; their strings are ASCII.
        Err(error) if kind == SourceKind::Yara => Ok(String::from_utf8_lossy(error.as_bytes()).into()),
        Err(error) => Err(format!("not UTF-8 text after byte {}", error.utf8_error().valid_up_to())),
    }
}

fn kind_of(path: &Path) -> Option<SourceKind> {
    let folder = path.parent().and_then(Path::file_name).and_then(|n| n.to_str()).unwrap_or_default();
    let name = path.file_name()?.to_str()?;
    if name.starts_with('.') || name.contains(".test.") {
        return None;
    }
    match path.extension()?.to_str()? {
        "yml" | "yaml" if folder == "pipelines" => Some(SourceKind::Pipeline),
        "yml" | "yaml" => Some(SourceKind::Sigma),
        "toml" | "csv" if folder == "intel" => Some(SourceKind::Intel),
        "yar" | "yara" => Some(SourceKind::Yara),
        _ => None,
    }
}

/// The name below the root; with several roots the root's own name stands in front.
fn name_of(root: &Path, path: &Path, is_folder: bool, several: bool) -> String {
    let below = if is_folder { path.strip_prefix(root).unwrap_or(path) } else { path };
    let below = if is_folder { below.to_owned() } else { below.file_name().map(PathBuf::from).unwrap_or_default() };
    let named = match root.file_name() {
        Some(name) if several && is_folder => Path::new(name).join(below),
        _ => below,
    };
    named.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn digest(sources: &[Source]) -> String {
    let mut hash = Sha256::new();
    for source in sources {
        for part in [source.file.as_bytes(), source.text.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_endings_say_what_a_file_is() {
        let kind = |path: &str| kind_of(Path::new(path));
        assert_eq!(kind("rules/sigma/scan.yml"), Some(SourceKind::Sigma));
        assert_eq!(kind("rules/pipelines/sigmahq.yml"), Some(SourceKind::Pipeline));
        assert_eq!(kind("rules/intel/list.csv"), Some(SourceKind::Intel));
        assert_eq!(kind("rules/Cargo.toml"), None);
        assert_eq!(kind("rules/yara/shells.yar"), Some(SourceKind::Yara));
        assert_eq!(kind("rules/sigma/scan.test.json"), None);
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error_that_names_it() {
        let error = load(&[PathBuf::from("/nonexistent/rules")]).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains("/nonexistent/rules"), "{error}");
    }

    #[test]
    fn the_digest_changes_with_names_and_contents() {
        let source = |file: &str, text: &str| Source {
            kind: SourceKind::Sigma,
            file: file.into(),
            path: PathBuf::from(file),
            text: text.into(),
        };
        let digests =
            [digest(&[]), digest(&[source("a", "bc")]), digest(&[source("ab", "c")]), digest(&[source("a", "bd")])];
        let distinct: std::collections::HashSet<&String> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }
}
