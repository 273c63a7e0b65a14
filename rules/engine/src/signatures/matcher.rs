//! Whether the conditions of a list hold in a buffer.
//!
//! Conditions are tried in order; each may begin where the one before has ended. Where one that depends on the place
//! fails, the place is sought again further on: this is a backtracking search, bounded by [`STEPS_MAX`] for a buffer.
//! A search that is cut short counts as not found, and is counted.

use super::buffer::BufferId;
use super::language::NumberTest;
use super::numbers;
use super::rule::{Base64, Condition, Content, EntropyHow, EntropyTest, MatchList, Operand, Regex};
use super::sets::SetChanges;

/// The most places that are tried for one list in one buffer.
pub const STEPS_MAX: u32 = 10_000;
/// The most places that are tried of an expression that backtracks, because each search costs much.
const BACKTRACKING_MAX: u32 = 64;
/// The most places that are told of one rule.
const FOUND_MAX: usize = 16;
/// How deep decoded parts may stand inside each other.
const DEPTH_MAX: u8 = 4;

/// What is looked into.
#[derive(Debug, Clone, Copy)]
pub struct View<'b> {
    /// The bytes.
    pub bytes: &'b [u8],
    /// How many bytes of a stream came before them.
    pub before: u64,
}

impl<'b> View<'b> {
    /// A whole buffer.
    pub fn whole(bytes: &'b [u8]) -> View<'b> {
        View { bytes, before: 0 }
    }
}

/// A place that made a rule match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// In which buffer.
    pub buffer: BufferId,
    /// From where.
    pub start: usize,
    /// Up to where.
    pub end: usize,
}

/// What matching one rule needs to remember; kept and used again.
#[derive(Debug, Default)]
pub struct Scratch {
    /// What `byte_extract` and `byte_math` have left.
    pub variables: Vec<i64>,
    /// Places, in the order of the conditions.
    pub found: Vec<Found>,
    /// What rules have changed in sets.
    pub sets: SetChanges,
    /// Searches that were cut short.
    pub cut: u64,
    steps: u32,
}

impl Scratch {
    /// Begins with a rule that has so many variables.
    pub fn begin(&mut self, variables: usize) {
        self.variables.clear();
        self.variables.resize(variables, 0);
        self.found.clear();
    }

    /// Whether a list holds in a view of its buffer, already transformed.
    pub fn holds(&mut self, list: &MatchList, view: View<'_>) -> bool {
        self.steps = STEPS_MAX;
        let kept = self.found.len();
        let mut run = Run { scratch: self, buffer: list.buffer, view, depth: 0 };
        let held = run.all(&list.conditions, 0);
        if held {
            self.found.get_mut(kept..).unwrap_or(&mut []).reverse();
        } else {
            self.found.truncate(kept);
            self.cut += u64::from(self.steps == 0);
        }
        held
    }
}

impl Scratch {
    /// How many conditions of a list hold together, from the first on, and the places of those.
    pub fn furthest(&mut self, list: &MatchList, view: View<'_>) -> (usize, Vec<Found>) {
        let (mut best, variables) = ((0, Vec::new()), self.variables.clone());
        for count in 1..=list.conditions.len() {
            self.steps = STEPS_MAX;
            self.found.clear();
            self.variables.clone_from(&variables);
            let mut run = Run { scratch: self, buffer: list.buffer, view, depth: 0 };
            if !run.all(list.conditions.get(..count).unwrap_or(&[]), 0) {
                break;
            }
            self.found.reverse();
            best = (count, self.found.clone());
        }
        best
    }
}

struct Run<'r> {
    scratch: &'r mut Scratch,
    buffer: BufferId,
    view: View<'r>,
    depth: u8,
}

impl Run<'_> {
    /// Whether all conditions hold, the first of them from `cursor` on.
    fn all(&mut self, conditions: &[Condition], cursor: usize) -> bool {
        let Some((first, rest)) = conditions.split_first() else { return true };
        if self.scratch.steps == 0 {
            return false;
        }
        self.scratch.steps -= 1;
        let bytes = self.view.bytes;
        match first {
            Condition::Content(content) => self.content(content, rest, cursor),
            Condition::Regex(regex) => self.regex(regex, rest, cursor),
            Condition::IsDataAt { at, relative, negated } => {
                let at = self.value(*at);
                let there = match (relative, i64::try_from(cursor), i64::try_from(bytes.len())) {
                    (true, Ok(cursor), Ok(length)) => cursor.saturating_add(at) <= length,
                    (false, _, Ok(length)) => at < length,
                    _ => false,
                };
                there != *negated && self.all(rest, cursor)
            }
            Condition::Size(test) => test.accepts(bytes.len() as u64) && self.all(rest, cursor),
            Condition::Number(tests) => {
                numbers::whole(bytes).is_some_and(|n| one_of(tests, n)) && self.all(rest, cursor)
            }
            // Asked of all numbers together.
            Condition::Numbers(_) => false,
            Condition::ByteTest(test) => {
                numbers::test(test, bytes, cursor, &self.scratch.variables) && self.all(rest, cursor)
            }
            Condition::ByteJump(jump) => match numbers::jump(jump, bytes, cursor, &self.scratch.variables) {
                Some(cursor) => self.all(rest, cursor),
                None => false,
            },
            Condition::ByteExtract(extract) => {
                let found = numbers::extract(extract, bytes, cursor, &self.scratch.variables);
                self.remember(found, extract.variable) && self.after(found, rest)
            }
            Condition::ByteMath(math) => {
                let found = numbers::math(math, bytes, cursor, &self.scratch.variables);
                self.remember(found, math.variable) && self.after(found, rest)
            }
            Condition::Base64(base64) => self.base64(base64, cursor) && self.all(rest, cursor),
            Condition::Entropy(test) => entropy_holds(test, bytes) && self.all(rest, cursor),
            Condition::OneOf(words) => words.iter().any(|word| word.as_bytes() == bytes) && self.all(rest, cursor),
            Condition::Modbus(test) => test.accepts(bytes) && self.all(rest, cursor),
            Condition::Set(test) => self.scratch.sets.ask(&test.set, &test.ask, bytes) && self.all(rest, cursor),
            // Asked before the buffer was looked into.
            Condition::Absent { or_else } => *or_else && self.all(rest, cursor),
        }
    }

    fn value(&self, operand: Operand) -> i64 {
        numbers::value(operand, &self.scratch.variables)
    }

    fn remember(&mut self, found: Option<(i64, usize)>, variable: usize) -> bool {
        match (found, self.scratch.variables.get_mut(variable)) {
            (Some((value, _)), Some(place)) => {
                *place = value;
                true
            }
            _ => false,
        }
    }

    fn after(&mut self, found: Option<(i64, usize)>, rest: &[Condition]) -> bool {
        found.is_some_and(|(_, cursor)| self.all(rest, cursor))
    }

    fn content(&mut self, content: &Content, rest: &[Condition], cursor: usize) -> bool {
        let window = window(content, self.view, cursor, &self.scratch.variables);
        if content.negated {
            let there = window.is_some_and(|(from, to)| next(content, self.view.bytes, from, to).is_some());
            return !there && self.all(rest, cursor);
        }
        let Some((mut from, to)) = window else { return false };
        let again = depends_on_place(rest);
        while let Some(start) = next(content, self.view.bytes, from, to) {
            let end = start + content.bytes.len();
            if self.all(rest, end) {
                self.tell(start, end);
                return true;
            }
            if !again || self.scratch.steps == 0 {
                return false;
            }
            from = start + 1;
        }
        false
    }

    fn regex(&mut self, regex: &Regex, rest: &[Condition], cursor: usize) -> bool {
        let base = if regex.relative { cursor } else { 0 };
        let bytes = self.view.bytes;
        if regex.negated {
            return regex.pattern.find_behind(bytes, base, 0).is_none() && self.all(rest, cursor);
        }
        let again = depends_on_place(rest);
        let mut from = 0;
        let mut left = if regex.pattern.backtracks() { BACKTRACKING_MAX } else { u32::MAX };
        while let Some((start, end)) = regex.pattern.find_behind(bytes, base, from) {
            left -= 1;
            if left == 0 {
                self.scratch.steps = 0;
                return false;
            }
            if self.all(rest, base + end) {
                self.tell(base + start, base + end);
                return true;
            }
            if !again || self.scratch.steps == 0 || base + start >= bytes.len() {
                return false;
            }
            from = start + 1;
        }
        false
    }

    fn base64(&mut self, base64: &Base64, cursor: usize) -> bool {
        let begin = base64.offset + if base64.relative { cursor } else { 0 };
        let bytes = self.view.bytes.get(begin..).unwrap_or(&[]);
        let bytes = base64.bytes.and_then(|most| bytes.get(..most)).unwrap_or(bytes);
        let decoded = super::base64::decode(bytes, true);
        if decoded.is_empty() || self.depth >= DEPTH_MAX {
            return false;
        }
        let kept = self.scratch.found.len();
        let view = View::whole(&decoded);
        let mut inside = Run { scratch: self.scratch, buffer: self.buffer, view, depth: self.depth + 1 };
        let held = inside.all(&base64.inside, 0);
        // Places in what was decoded are no places in the buffer.
        self.scratch.found.truncate(kept);
        held
    }

    fn tell(&mut self, start: usize, end: usize) {
        if self.scratch.found.len() < FOUND_MAX {
            self.scratch.found.push(Found { buffer: self.buffer, start, end });
        }
    }
}

/// Whether a number is as one of the tests says: a list is a choice, also between what it must not be.
fn one_of(tests: &[NumberTest], number: u64) -> bool {
    tests.iter().any(|test| test.accepts(number))
}

/// Whether any condition depends on where the one before it was found.
fn depends_on_place(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::Content(content) => content.is_relative() || uses_variable(content),
        Condition::Regex(regex) => regex.relative,
        Condition::IsDataAt { relative, .. } => *relative,
        Condition::ByteTest(test) => test.number.relative,
        Condition::ByteJump(jump) => jump.number.relative,
        Condition::ByteExtract(extract) => extract.number.relative,
        Condition::ByteMath(math) => math.number.relative,
        Condition::Base64(base64) => base64.relative,
        _ => false,
    })
}

fn uses_variable(content: &Content) -> bool {
    [content.offset, content.depth].into_iter().flatten().any(|operand| matches!(operand, Operand::Variable(_)))
}

/// Where a content may begin at the earliest and must end at the latest; nothing where there is no such place.
pub fn window(content: &Content, view: View<'_>, cursor: usize, variables: &[i64]) -> Option<(usize, usize)> {
    let length = i64::try_from(view.bytes.len()).ok()?;
    let value = |operand: Option<Operand>| operand.map(|operand| numbers::value(operand, variables));
    let mut from;
    let mut to = length;
    if content.is_relative() {
        let cursor = i64::try_from(cursor).ok()?;
        let distance = value(content.distance).unwrap_or(0);
        from = cursor.saturating_add(distance).max(0);
        if let Some(within) = value(content.within) {
            to = to.min(cursor.saturating_add(distance).saturating_add(within));
        }
        if let Some(offset) = value(content.offset) {
            from = from.max(offset);
        }
        if let Some(depth) = value(content.depth) {
            to = to.min(cursor.saturating_add(depth));
        }
    } else {
        let before = i64::try_from(view.before).ok()?;
        let offset = value(content.offset).unwrap_or(0);
        from = offset;
        if let Some(depth) = value(content.depth) {
            let end = offset.saturating_add(depth);
            if before > 0 && end <= before {
                return None;
            }
            to = to.min(end - before);
        }
    }
    if content.at_end && to < length {
        return None;
    }
    let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
    let size = content.bytes.len();
    if content.at_end {
        let last = view.bytes.len().checked_sub(size)?;
        return (last >= from).then_some((last, to));
    }
    (from.checked_add(size)? <= to).then_some((from, to))
}

/// The next place of a content that begins at `from` or later and ends at `to` or earlier.
fn next(content: &Content, bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let part = bytes.get(from..to)?;
    let at =
        if content.nocase { find_nocase(part, &content.bytes) } else { memchr::memmem::find(part, &content.bytes) };
    at.map(|at| from + at)
}

/// Finds bytes whatever their case; `wanted` is in lower case.
fn find_nocase(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let last = bytes.len().checked_sub(wanted.len())?;
    let mut from = 0;
    loop {
        let candidates = bytes.get(from..=last)?;
        let at = from + memchr::memchr2(first, first.to_ascii_uppercase(), candidates)?;
        if bytes.get(at..at + wanted.len())?.eq_ignore_ascii_case(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn entropy_holds(test: &EntropyTest, bytes: &[u8]) -> bool {
    let part = bytes.get(test.offset..).unwrap_or(&[]);
    let part = test.bytes.filter(|most| *most > 0).and_then(|most| part.get(..most)).unwrap_or(part);
    let entropy = entropy(part);
    match test.how {
        EntropyHow::Equal => (entropy - test.value).abs() < 1e-6,
        EntropyHow::Not => (entropy - test.value).abs() >= 1e-6,
        EntropyHow::Between(high) => test.value < entropy && entropy < high,
        EntropyHow::Outside(high) => !(test.value < entropy && entropy < high),
        EntropyHow::Below => entropy < test.value,
        EntropyHow::AtMost => entropy <= test.value,
        EntropyHow::Above => entropy > test.value,
        EntropyHow::AtLeast => entropy >= test.value,
    }
}

/// Shannon entropy, in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}
