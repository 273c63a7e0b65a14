//! Compiled rules and what they find.

use std::time::Duration;

use yara_x::{Compiler, Rules, ScanError, Scanner, SourceCode};

use crate::scan::{BrokenYara, EXCERPT_MAX_BYTES, FileMatch, FoundString, STRINGS_MAX, YaraSource};

/// The most matches counted of one string; a file of nothing but one byte would have millions.
const MATCHES_MAX: usize = 1_000;
/// The most rules named for one file.
const RULES_MAX: usize = 100;
/// Modules that this build leaves out; rules that need them are reported and left out too.
const MODULES_LEFT_OUT: [&str; 6] = ["cuckoo", "macho", "dex", "crx", "vt", "magic"];
/// External variables that public rule collections expect, all of them empty here.
const EXTERNALS: [&str; 5] = ["filename", "filepath", "extension", "filetype", "owner"];

/// Rules that can run.
pub(crate) struct Compiled {
    rules: Option<Rules>,
    timeout: Duration,
}

impl Compiled {
    /// Before any rules came.
    pub(crate) fn none() -> Compiled {
        Compiled { rules: None, timeout: Duration::from_secs(1) }
    }

    /// Compiles every source in a namespace of its own. Rules that cannot be compiled are left out and reported.
    pub(crate) fn new(sources: &[YaraSource], timeout_ms: u32) -> (Compiled, Vec<BrokenYara>) {
        let mut compiler = Compiler::new();
        compiler.relaxed_re_syntax(true);
        for module in MODULES_LEFT_OUT {
            compiler.ignore_module(module);
        }
        for name in EXTERNALS {
            // A valid name and an empty text are always accepted.
            let _ = compiler.define_global(name, "");
        }
        for source in sources {
            compiler.new_namespace(&source.file);
            // The error is also kept in the compiler, together with the further ones of this source.
            let _ = compiler.add_source(SourceCode::from(source.text.as_str()).with_origin(source.file.as_str()));
        }
        let broken = compiler.errors().iter().map(|error| broken(error, sources)).collect();
        let rules = compiler.build();
        (Compiled { rules: Some(rules), timeout: Duration::from_millis(timeout_ms.into()) }, broken)
    }

    /// How many rules can run.
    pub(crate) fn count(&self) -> u32 {
        let count = self.rules.as_ref().map_or(0, |rules| rules.iter().count());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Scans one file.
    pub(crate) fn scan(&self, content: &[u8]) -> Result<Vec<FileMatch>, String> {
        let Some(rules) = &self.rules else { return Err("no rules were given yet".to_owned()) };
        let mut scanner = Scanner::new(rules);
        scanner.set_timeout(self.timeout).max_matches_per_pattern(MATCHES_MAX);
        let results = scanner.scan(content).map_err(|error| match error {
            ScanError::Timeout => "timeout".to_owned(),
            other => other.to_string(),
        })?;
        Ok(results.matching_rules().take(RULES_MAX).map(|rule| found(&rule)).collect())
    }
}

fn broken(error: &yara_x::errors::CompileError, sources: &[YaraSource]) -> BrokenYara {
    let Some(label) = error.labels().next() else {
        return BrokenYara { file: String::new(), line: None, reason: error.title().to_owned() };
    };
    let file = label.origin().unwrap_or_default().to_owned();
    let source = sources.iter().find(|source| source.file == file);
    let before = source.and_then(|source| source.text.get(..label.span().start()));
    let line = before.and_then(|text| u32::try_from(text.matches('\n').count() + 1).ok());
    let reason = match label.text() {
        "" => error.title().to_owned(),
        detail => format!("{}: {detail}", error.title()),
    };
    BrokenYara { file, line, reason }
}

fn found(rule: &yara_x::Rule<'_, '_>) -> FileMatch {
    let strings = rule.patterns().filter_map(|pattern| {
        let first = pattern.matches().next()?;
        let excerpt = first.data().get(..EXCERPT_MAX_BYTES).unwrap_or(first.data()).to_vec();
        Some(FoundString { name: pattern.identifier().to_owned(), offset: first.range().start as u64, excerpt })
    });
    FileMatch {
        rule: rule.identifier().to_owned(),
        file: rule.namespace().to_owned(),
        tags: rule.tags().map(|tag| tag.identifier().to_owned()).collect(),
        strings: strings.take(STRINGS_MAX).collect(),
    }
}
