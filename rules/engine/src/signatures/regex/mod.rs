//! Regular expressions of rules, in Perl's dialect.
//!
//! What a finite automaton can do runs in time linear in the bytes. Expressions that look around or refer back are given
//! to a backtracking engine with a limit of steps; it works on text, so bytes are shown to it as the characters of the
//! same number (Latin-1). Expressions are checked when rules are loaded and built when they are first needed.

mod latin;
mod size;
mod translate;

use std::sync::OnceLock;

use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

use super::language::Reason;
use translate::{Dialect, translate};

/// The most memory that one automaton may take.
const AUTOMATON_MAX_BYTES: usize = 4 << 20;
/// The most memory that its cache of states may take.
const CACHE_MAX_BYTES: usize = 1 << 20;
/// The most steps of the backtracking engine for one search.
pub const BACKTRACK_MAX_STEPS: usize = 100_000;
/// The most bytes that the backtracking engine looks at.
const BACKTRACK_MAX_BYTES: usize = 64 << 10;
/// The most states of an automaton, about; with more it would not fit into [`AUTOMATON_MAX_BYTES`].
const STATES_MAX: u64 = 40_000;
/// The longest expression.
const PATTERN_MAX_BYTES: usize = 16 << 10;

/// How an expression is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Case does not matter.
    pub nocase: bool,
    /// `^` and `$` hold at lines.
    pub lines: bool,
    /// A dot is any byte, line ends too.
    pub dot_all: bool,
    /// Blanks do not count.
    pub blanks: bool,
    /// It holds only where the search begins.
    pub anchored: bool,
    /// `$` holds at the very end only.
    pub dollar_end: bool,
    /// Greedy and lazy change places.
    pub swapped: bool,
}

/// An expression.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    flags: Flags,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Linear(OnceLock<Option<Regex>>),
    Backtracking(OnceLock<Option<fancy_regex::Regex>>),
}

impl Pattern {
    /// Reads an expression.
    pub fn new(source: &str, flags: Flags) -> Result<Pattern, Reason> {
        if source.len() > PATTERN_MAX_BYTES {
            return Err(format!("the expression is longer than {PATTERN_MAX_BYTES} bytes"));
        }
        let translated = translate(source, flags, Dialect::Linear)?;
        if !translated.looks_around {
            let hir = syntax::parse_with(&translated.text, &linear_syntax(flags))
                .map_err(|error| first_line(&error.to_string()))?;
            let states = size::states(&hir);
            if states > STATES_MAX {
                return Err(format!(
                    "its repetitions written out make {states} states, more than {STATES_MAX}; use smaller numbers"
                ));
            }
            return Ok(Pattern { text: translated.text, flags, engine: Engine::Linear(OnceLock::new()) });
        }
        let text = translate(source, flags, Dialect::Backtracking)?.text;
        let text = with_flags(&text, flags);
        // Building takes milliseconds; whether it can be read is seen at once.
        fancy_regex::Expr::parse_tree(&text).map_err(|error| first_line(&error.to_string()))?;
        Ok(Pattern { text, flags, engine: Engine::Backtracking(OnceLock::new()) })
    }

    /// How it is read.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// The expression as our engines read it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it needs the backtracking engine.
    pub fn backtracks(&self) -> bool {
        matches!(self.engine, Engine::Backtracking(_))
    }

    /// Builds its engine, as the first search would; the error says why that cannot be.
    pub fn build(&self) -> Result<(), Reason> {
        match &self.engine {
            Engine::Linear(_) => linear(&self.text, self.flags).map(drop).map_err(|error| error.to_string()),
            Engine::Backtracking(_) => backtracking(&self.text).map(drop).map_err(|error| error.to_string()),
        }
    }

    /// Whether a search may try exponentially many ways, until it is cut.
    pub fn may_explode(&self) -> bool {
        self.backtracks() && size::repeats_inside_itself(&self.text)
    }

    /// The first place at or after `from` where it holds: beginning and end.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        self.find_behind(bytes, 0, from)
    }

    /// The same behind `base`, as if the bytes began there; places count from there, too.
    pub fn find_behind(&self, whole: &[u8], base: usize, from: usize) -> Option<(usize, usize)> {
        let bytes = whole.get(base..).unwrap_or(&[]);
        match &self.engine {
            Engine::Linear(regex) => {
                let regex = regex.get_or_init(|| linear(&self.text, self.flags).ok()).as_ref()?;
                let anchored =
                    if self.flags.anchored { regex_automata::Anchored::Yes } else { regex_automata::Anchored::No };
                let found = regex.find(Input::new(bytes).range(from.min(bytes.len())..).anchored(anchored))?;
                Some((found.start(), found.end()))
            }
            Engine::Backtracking(regex) => {
                let regex = regex.get_or_init(|| backtracking(&self.text).ok()).as_ref()?;
                let bytes = bytes.get(..BACKTRACK_MAX_BYTES).unwrap_or(bytes);
                let (start, end) = latin::with_text(whole, base..base + bytes.len(), |shown| {
                    let found = regex.find_from_pos(shown.text, shown.in_text(from)?).ok()??;
                    Some((shown.in_bytes(found.start())?, shown.in_bytes(found.end())?))
                })?;
                (!self.flags.anchored || start == from).then_some((start, end))
            }
        }
    }

    /// The first part in parentheses of the first place where it holds.
    pub fn first_group<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let Engine::Linear(regex) = &self.engine else { return None };
        let regex = regex.get_or_init(|| linear(&self.text, self.flags).ok()).as_ref()?;
        let mut captures = regex.create_captures();
        regex.captures(Input::new(bytes), &mut captures);
        captures.get_group(1).and_then(|span| bytes.get(span.start..span.end))
    }
}

fn linear_syntax(flags: Flags) -> syntax::Config {
    syntax::Config::new()
        .unicode(false)
        .utf8(false)
        .case_insensitive(flags.nocase)
        .multi_line(flags.lines)
        .dot_matches_new_line(flags.dot_all)
        .ignore_whitespace(flags.blanks)
        .swap_greed(flags.swapped)
        .nest_limit(100)
}

fn linear(text: &str, flags: Flags) -> Result<Regex, Box<meta::BuildError>> {
    let config = meta::Config::new()
        .match_kind(MatchKind::LeftmostFirst)
        .utf8_empty(false)
        .nfa_size_limit(Some(AUTOMATON_MAX_BYTES))
        .onepass_size_limit(Some(AUTOMATON_MAX_BYTES))
        .dfa(false)
        .hybrid_cache_capacity(CACHE_MAX_BYTES);
    meta::Builder::new().configure(config).syntax(linear_syntax(flags)).build(text).map_err(Box::new)
}

fn with_flags(text: &str, flags: Flags) -> String {
    let letters: String =
        [(flags.nocase, 'i'), (flags.lines, 'm'), (flags.dot_all, 's'), (flags.blanks, 'x'), (flags.swapped, 'U')]
            .into_iter()
            .filter_map(|(set, letter)| set.then_some(letter))
            .collect();
    if letters.is_empty() { text.to_owned() } else { format!("(?{letters}){text}") }
}

fn backtracking(text: &str) -> Result<fancy_regex::Regex, Box<fancy_regex::Error>> {
    fancy_regex::RegexBuilder::new(text)
        .backtrack_limit(BACKTRACK_MAX_STEPS)
        .delegate_size_limit(AUTOMATON_MAX_BYTES)
        .delegate_dfa_size_limit(CACHE_MAX_BYTES)
        .build()
        .map_err(Box::new)
}

/// The last line of a parser's message says what is wrong, the others draw it.
fn first_line(message: &str) -> String {
    message.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, text: &[u8]) -> Option<(usize, usize)> {
        Pattern::new(pattern, Flags::default()).unwrap().find(text, 0)
    }

    #[test]
    fn perls_dialect_is_understood() {
        for (pattern, text, found) in [
            (r"a\/b", &b"xa/b"[..], Some((1, 4))),
            (r"[^\]]{2}", b"]]ab", Some((2, 4))),
            (r"[]x]+", b"a]x]", Some((1, 4))),
            (r"\x0a\xff", b"a\x0a\xff", Some((1, 3))),
            (r"a{x}", b"a{x}", Some((0, 4))),
            (r"[a&&b]+", b"&a", Some((0, 2))),
            (r"[\w-.]+$", b"!a-b.c\n", Some((1, 7))),
            (r"[[]x", b"[x", Some((0, 2))),
            (r"\Qa.b\E", b"acb a.b", Some((4, 7))),
            (r"^b", b"ab", None),
            (r"(?=ab)a", b"xab", Some((1, 2))),
            (r"(?P<q>[ab])c(?P=q)", b"acb bcb", Some((4, 7))),
            (r"(?<q>[ab])c", b"xbc", Some((1, 3))),
            (r"(a|b)c\1", b"acb bcb", Some((4, 7))),
            (r"(?<!x)\xe9(?!y)", b"x\xe9\xe9y\xe9z", Some((4, 5))),
            (r"a++b", b"aaab", Some((0, 4))),
        ] {
            assert_eq!(find(pattern, text), found, "{pattern}");
        }
    }

    #[test]
    fn flags_change_what_is_meant() {
        let flags = Flags { nocase: true, lines: true, ..Flags::default() };
        assert_eq!(Pattern::new("^b$", flags).unwrap().find(b"a\nB\nc", 0), Some((2, 3)));
        let anchored = Flags { anchored: true, ..Flags::default() };
        assert_eq!(Pattern::new("b", anchored).unwrap().find(b"ab", 0), None);
    }

    #[test]
    fn what_would_never_end_ends() {
        let evil = Pattern::new(r"(?=(a+)+c)(a+)+b\2", Flags::default()).unwrap();
        assert_eq!(evil.find(&[b'a'; 5000], 0), None);
        assert!(Pattern::new(&"(".repeat(1000), Flags::default()).is_err());
        assert!(Pattern::new("(a", Flags::default()).is_err());
    }
}
