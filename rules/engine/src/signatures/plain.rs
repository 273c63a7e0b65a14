//! The conditions of a list, asked slowly and obviously: the measure of the matcher in tests.
//!
//! Every place where a content could be is tried by comparing bytes; nothing is skipped because it could not matter.

use super::matcher::View;
use super::numbers;
use super::rule::{Condition, Content, Operand};

/// Whether conditions hold, with variables that all begin at nothing.
pub fn holds(conditions: &[Condition], view: View<'_>, variables: usize) -> bool {
    let mut variables = vec![0; variables];
    all(conditions, view, 0, &mut variables)
}

fn all(conditions: &[Condition], view: View<'_>, cursor: usize, variables: &mut Vec<i64>) -> bool {
    let Some((first, rest)) = conditions.split_first() else { return true };
    let bytes = view.bytes;
    match first {
        Condition::Content(content) => {
            let places: Vec<usize> =
                (0..=bytes.len()).filter(|at| is_at(content, view, cursor, *at, variables)).collect();
            if content.negated {
                return places.is_empty() && all(rest, view, cursor, variables);
            }
            places.into_iter().any(|at| all(rest, view, at + content.bytes.len(), variables))
        }
        Condition::IsDataAt { at, relative, negated } => {
            let at = i128::from(value(*at, variables));
            let there = if *relative { cursor as i128 + at <= bytes.len() as i128 } else { at < bytes.len() as i128 };
            there != *negated && all(rest, view, cursor, variables)
        }
        Condition::Size(test) => test.accepts(bytes.len() as u64) && all(rest, view, cursor, variables),
        Condition::ByteTest(test) => {
            numbers::test(test, bytes, cursor, variables) && all(rest, view, cursor, variables)
        }
        Condition::ByteJump(jump) => {
            numbers::jump(jump, bytes, cursor, variables).is_some_and(|cursor| all(rest, view, cursor, variables))
        }
        Condition::ByteExtract(extract) => match numbers::extract(extract, bytes, cursor, variables) {
            Some((value, cursor)) => {
                variables[extract.variable] = value;
                all(rest, view, cursor, variables)
            }
            None => false,
        },
        Condition::ByteMath(math) => match numbers::math(math, bytes, cursor, variables) {
            Some((value, cursor)) => {
                variables[math.variable] = value;
                all(rest, view, cursor, variables)
            }
            None => false,
        },
        Condition::Regex(regex) => {
            let base = if regex.relative { cursor } else { 0 };
            let part = bytes.get(base..).unwrap_or(&[]);
            if regex.negated {
                return regex.pattern.find(part, 0).is_none() && all(rest, view, cursor, variables);
            }
            let places: Vec<usize> =
                (0..=part.len()).filter_map(|from| regex.pattern.find(part, from)).map(|(_, end)| end).collect();
            places.into_iter().any(|end| all(rest, view, base + end, variables))
        }
        // Sets, digests, decoded parts and the like have no place that depends on another.
        _ => false,
    }
}

fn value(operand: Operand, variables: &[i64]) -> i64 {
    numbers::value(operand, variables)
}

/// Whether a content stands at a place, and may.
fn is_at(content: &Content, view: View<'_>, cursor: usize, at: usize, variables: &[i64]) -> bool {
    let Some(part) = view.bytes.get(at..at + content.bytes.len()) else { return false };
    let same = if content.nocase { part.eq_ignore_ascii_case(&content.bytes) } else { part == content.bytes };
    let (begin, end) = (at as i128, (at + content.bytes.len()) as i128);
    let number = |operand: Option<Operand>| operand.map(|operand| i128::from(value(operand, variables)));
    let relative = content.distance.is_some() || content.within.is_some();
    let place = if relative {
        let from = cursor as i128 + number(content.distance).unwrap_or(0);
        begin >= from.max(0)
            && number(content.within).is_none_or(|within| end <= from + within)
            && number(content.offset).is_none_or(|offset| begin >= offset)
            && number(content.depth).is_none_or(|depth| end <= cursor as i128 + depth)
    } else {
        let offset = number(content.offset).unwrap_or(0);
        begin >= offset && number(content.depth).is_none_or(|depth| end <= offset + depth - i128::from(view.before))
    };
    // What must end with the buffer must be allowed to reach its end.
    let limit = if relative {
        let from = cursor as i128 + number(content.distance).unwrap_or(0);
        [number(content.within).map(|within| from + within), number(content.depth).map(|depth| cursor as i128 + depth)]
    } else {
        let offset = number(content.offset).unwrap_or(0);
        [number(content.depth).map(|depth| offset + depth - i128::from(view.before)), None]
    };
    let length = view.bytes.len() as i128;
    let ends = !content.at_end || (end == length && limit.into_iter().flatten().all(|limit| limit >= length));
    same && place && ends
}
