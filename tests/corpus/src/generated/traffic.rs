//! From a rule, bytes that it should find: what each of its lists looks into, built condition by condition.
//!
//! What cannot be built is said in words, so that it can be counted. What was built is only used where the plain
//! evaluator says that it is what the list asks for.

use luytre_rules_engine::signatures::buffer::Holds;
use luytre_rules_engine::signatures::language::NumberTest;
use luytre_rules_engine::signatures::matcher::View;
use luytre_rules_engine::signatures::rule::{
    ByteTest, Condition, Content, MatchList, Notation, NumberAt, Operand, Regex,
};
use luytre_rules_engine::signatures::{numbers, plain};

use super::sample::sample;

/// Stands where nothing is asked for.
const FILLER: u8 = b'.';
/// The largest buffer that is built.
const BUFFER_MAX_BYTES: usize = 64 << 10;

/// What is built for one list: the bytes, and the places of the contents that must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Built {
    /// The buffer as the rule sees it.
    pub bytes: Vec<u8>,
    /// Where each content that must be there stands.
    pub contents: Vec<(usize, usize)>,
    /// Which bytes are asked for.
    fixed: Vec<bool>,
    cursor: usize,
    variables: Vec<i64>,
    /// Nothing may be added behind.
    closed: bool,
}

/// Builds what a list asks for; `variables` are those of the rule.
pub fn build(list: &MatchList, variables: &mut Vec<i64>) -> Result<Built, &'static str> {
    if let ([Condition::Number(tests)], Holds::Number) = (list.conditions.as_slice(), list.buffer.buffer().holds) {
        let number = tests.iter().find_map(accepted).ok_or("numbers")?;
        return Ok(Built { bytes: number.to_be_bytes().to_vec(), ..Built::default() });
    }
    let mut built = Built { variables: variables.clone(), ..Built::default() };
    for condition in &list.conditions {
        built.add(condition)?;
    }
    built.fill_for_sizes(list)?;
    variables.clone_from(&built.variables);
    let shown = shown(list, &built.bytes)?;
    let view = View::whole(&shown);
    if !plain::holds(&list.conditions, view, built.variables.len()) {
        return Err("the conditions could not be brought together");
    }
    Ok(built)
}

/// Whether the plain evaluator finds in bytes what a list asks for.
pub fn holds(list: &MatchList, bytes: &[u8], variables: usize) -> bool {
    match list.conditions.as_slice() {
        [Condition::Number(tests)] => numbers::whole(bytes).is_some_and(|n| tests.iter().any(|test| test.accepts(n))),
        conditions => shown(list, bytes).is_ok_and(|shown| plain::holds(conditions, View::whole(&shown), variables)),
    }
}

/// Bytes as the transforms of a list show them.
fn shown(list: &MatchList, bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let shown = list.transforms.iter().fold(std::borrow::Cow::Borrowed(bytes), |bytes, one| one.apply(bytes));
    Ok(shown.into_owned())
}

fn accepted(test: &NumberTest) -> Option<u64> {
    (0..=70_000).find(|number| test.accepts(*number))
}

impl Built {
    fn add(&mut self, condition: &Condition) -> Result<(), &'static str> {
        match condition {
            Condition::Content(content) if content.negated => Ok(()),
            Condition::Content(content) => self.content(content),
            Condition::Regex(regex) if regex.negated => Ok(()),
            Condition::Regex(regex) => self.regex(regex),
            Condition::IsDataAt { at, relative, negated } => self.is_data_at(*at, *relative, *negated),
            Condition::Size(_) => Ok(()),
            Condition::ByteTest(test) => self.byte_test(test),
            Condition::ByteJump(jump) => {
                self.number(&jump.number, 0)?;
                self.cursor = numbers::jump(jump, &self.bytes, self.cursor, &self.variables).ok_or("byte_jump")?;
                Ok(())
            }
            Condition::ByteExtract(extract) => {
                self.number(&extract.number, 4)?;
                let found = numbers::extract(extract, &self.bytes, self.cursor, &self.variables);
                self.remember(found, extract.variable)
            }
            Condition::ByteMath(math) => {
                self.number(&math.number, 4)?;
                let found = numbers::math(math, &self.bytes, self.cursor, &self.variables);
                self.remember(found, math.variable)
            }
            Condition::Number(_) | Condition::Numbers(_) => Err("numbers"),
            Condition::Base64(_) => Err("base64_data"),
            Condition::Entropy(_) => Err("entropy"),
            Condition::OneOf(_) => Err("words of a list"),
            Condition::Modbus(_) => Err("modbus"),
            Condition::Set(_) => Err("dataset"),
            Condition::Absent { .. } => Err("absent"),
        }
    }

    fn value(&self, operand: Operand) -> i64 {
        numbers::value(operand, &self.variables)
    }

    fn remember(&mut self, found: Option<(i64, usize)>, variable: usize) -> Result<(), &'static str> {
        let (value, cursor) = found.ok_or("a number to be extracted")?;
        *self.variables.get_mut(variable).ok_or("a number to be extracted")? = value;
        self.cursor = cursor;
        Ok(())
    }

    /// Puts bytes at a place, if nothing else stands there.
    fn put(&mut self, at: usize, bytes: &[u8]) -> bool {
        let end = at + bytes.len();
        if end > BUFFER_MAX_BYTES || (self.closed && end > self.bytes.len()) {
            return false;
        }
        let free = |(place, byte): (usize, &u8)| {
            !self.fixed.get(place).copied().unwrap_or(false) || self.bytes.get(place) == Some(byte)
        };
        if !(at..).zip(bytes).all(free) {
            return false;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, FILLER);
            self.fixed.resize(end, false);
        }
        self.bytes[at..end].copy_from_slice(bytes);
        self.fixed[at..end].fill(true);
        true
    }

    fn content(&mut self, content: &Content) -> Result<(), &'static str> {
        let number = |value: Option<Operand>| value.map(|value| self.value(value));
        let (offset, depth) = (number(content.offset), number(content.depth));
        let (distance, within) = (number(content.distance), number(content.within));
        let size = i64::try_from(content.bytes.len()).unwrap_or(i64::MAX);
        let cursor = i64::try_from(self.cursor).unwrap_or(0);
        let (low, high) = if content.is_relative() {
            let from = (cursor + distance.unwrap_or(0)).max(0);
            (from.max(offset.unwrap_or(0)), within.map(|within| cursor + distance.unwrap_or(0) + within - size))
        } else {
            let from = offset.unwrap_or(0).max(0);
            (from, depth.map(|depth| from + depth - size))
        };
        let end = i64::try_from(self.bytes.len()).unwrap_or(0);
        // Behind everything, where that may be, so that contents do not stand inside each other by chance.
        let free =
            if content.is_relative() && distance.is_none_or(|distance| distance >= 0) { low } else { low.max(end) };
        let first = if high.is_some_and(|high| free > high) { low } else { free };
        let last = high.unwrap_or(i64::MAX).min(first + 512);
        let mut places = (first..=last).chain(low..first);
        let at = places.find(|at| usize::try_from(*at).is_ok_and(|at| self.put(at, &content.bytes)));
        let at = at.and_then(|at| usize::try_from(at).ok()).ok_or("contents that want the same place")?;
        self.cursor = at + content.bytes.len();
        self.contents.push((at, self.cursor));
        if content.at_end {
            if self.cursor != self.bytes.len() {
                return Err("contents that want the same place");
            }
            self.closed = true;
        }
        Ok(())
    }

    fn regex(&mut self, regex: &Regex) -> Result<(), &'static str> {
        let base = if regex.relative { self.cursor } else { 0 };
        if let Some((_, end)) = regex.pattern.find(self.bytes.get(base..).unwrap_or(&[]), 0) {
            self.cursor = base + end;
            return Ok(());
        }
        if regex.pattern.backtracks() {
            return Err("pcre that looks around or refers back");
        }
        let flags = regex.pattern.flags();
        let sample =
            sample(regex.pattern.text(), flags.nocase, flags.dot_all, flags.blanks).ok_or("pcre without a sample")?;
        let end = self.bytes.len();
        let first = if sample.at_start || flags.anchored { base } else { base.max(end) };
        for at in (first..first + 64).chain(base..first) {
            let (before, fixed) = (self.bytes.clone(), self.fixed.clone());
            if self.put(at, &sample.bytes) {
                let part = self.bytes.get(base..).unwrap_or(&[]);
                if let Some((_, end)) = regex.pattern.find(part, 0) {
                    self.cursor = base + end;
                    self.closed |= sample.at_end;
                    return Ok(());
                }
                (self.bytes, self.fixed) = (before, fixed);
            }
            if sample.at_start || flags.anchored {
                break;
            }
        }
        Err("pcre beside contents")
    }

    fn is_data_at(&mut self, at: Operand, relative: bool, negated: bool) -> Result<(), &'static str> {
        let at = self.value(at) + if relative { i64::try_from(self.cursor).unwrap_or(0) } else { 1 };
        let wanted = usize::try_from(at).unwrap_or(0);
        if negated {
            self.closed = true;
            return if self.bytes.len() < wanted { Ok(()) } else { Err("an end that comes too late") };
        }
        if self.bytes.len() < wanted && (self.closed || wanted > BUFFER_MAX_BYTES) {
            return Err("an end that comes too soon");
        }
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, FILLER);
            self.fixed.resize(wanted, false);
        }
        Ok(())
    }

    fn byte_test(&mut self, test: &ByteTest) -> Result<(), &'static str> {
        let wanted = self.value(test.value);
        let wanted = u64::try_from(wanted).map_err(|_| "byte_test")?;
        let near = [wanted, wanted.saturating_add(1), wanted.saturating_sub(1), 0, 1, u64::MAX];
        let (before, fixed) = (self.bytes.clone(), self.fixed.clone());
        for number in near {
            if self.number(&test.number, number).is_ok()
                && numbers::test(test, &self.bytes, self.cursor, &self.variables)
            {
                return Ok(());
            }
            (self.bytes, self.fixed) = (before.clone(), fixed.clone());
        }
        Err("byte_test")
    }

    /// Writes a number as a rule wants to read it.
    fn number(&mut self, number: &NumberAt, value: u64) -> Result<(), &'static str> {
        let size = usize::try_from(self.value(number.bytes)).map_err(|_| "a number of no size")?;
        let base = if number.relative { i64::try_from(self.cursor).unwrap_or(0) } else { 0 };
        let at = usize::try_from(base + self.value(number.offset)).map_err(|_| "a number before the beginning")?;
        let bytes = value.to_be_bytes();
        let mut written = match number.notation {
            Notation::Digits(base @ (0 | 10)) => {
                format!("{value:0size$}", size = size * usize::from(base <= 10)).into_bytes()
            }
            Notation::Digits(16) => format!("{value:0size$x}").into_bytes(),
            Notation::Digits(_) => return Err("digits to an odd base"),
            _ => bytes.get(bytes.len().saturating_sub(size)..).unwrap_or(&[]).to_vec(),
        };
        if number.notation == Notation::LittleEndian {
            written.reverse();
        }
        // Digits of no given length go as far as there are some.
        if written.len() > size && (size > 0 || !matches!(number.notation, Notation::Digits(_))) {
            return Err("a number that is too large for its place");
        }
        if self.put(at, &written) { Ok(()) } else { Err("a number where something else stands") }
    }

    /// Adds filler until the sizes that are asked for are there.
    fn fill_for_sizes(&mut self, list: &MatchList) -> Result<(), &'static str> {
        let tests: Vec<&NumberTest> = list
            .conditions
            .iter()
            .filter_map(|condition| match condition {
                Condition::Size(test) => Some(test),
                _ => None,
            })
            .collect();
        let fits = |size: usize| tests.iter().all(|test| test.accepts(size as u64));
        let size = self.bytes.len();
        if fits(size) {
            return Ok(());
        }
        let more = (size..BUFFER_MAX_BYTES).find(|size| fits(*size)).ok_or("a size that is too small")?;
        if self.closed {
            return Err("a size that is too large");
        }
        self.bytes.resize(more, FILLER);
        Ok(())
    }
}

/// The same with one byte of a content changed; nothing where there is no content.
pub fn near_misses(built: &Built) -> Vec<Vec<u8>> {
    let mut misses = Vec::new();
    for (start, end) in &built.contents {
        let mut bytes = built.bytes.clone();
        if let Some(byte) = bytes.get_mut(start + (end - start) / 2) {
            *byte = if *byte == b'~' { b'^' } else { b'~' };
            misses.push(bytes);
        }
        // Something between it and what stands before.
        let mut bytes = built.bytes.clone();
        bytes.splice(*start..*start, std::iter::repeat_n(FILLER, 300));
        misses.push(bytes);
    }
    misses
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use luytre_rules_engine::signatures::Signatures;
    use luytre_rules_engine::signatures::language::Variables;

    use super::*;

    #[test]
    fn what_is_built_is_what_the_list_asks_for() {
        for (options, wanted) in [
            (r#"content:"GET"; startswith; content:"x="; distance:2; within:4; pcre:"/^\d{2}/R";"#, &b"GET..x=00"[..]),
            (r#"content:"ab"; endswith; bsize:2;"#, b"ab"),
            (r#"content:"L"; byte_test:1,>,5,0,relative; isdataat:3,relative;"#, b"L\x06.."),
        ] {
            let text = format!("alert tcp-pkt any any -> any any ({options} sid:1;)");
            let set = Signatures::compile(vec![(PathBuf::from("x.rules"), text)], Variables::usual());
            let mut variables = vec![0; set.rules()[0].variables];
            assert_eq!(build(&set.rules()[0].lists[0], &mut variables).unwrap().bytes, wanted, "{options}");
        }
    }
}
