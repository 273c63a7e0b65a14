//! What a rule asked for, in words.

use rsigma_eval::{FieldMatch, MatcherKind};
use serde_json::Value;

use crate::matched::{MatchedField, shorten};

/// The most alternatives that are named where a rule offers several.
const ALTERNATIVES_MAX: usize = 5;

/// A matched field as people read it.
pub(super) fn field(matched: &FieldMatch) -> MatchedField {
    let value = text(&matched.value);
    let wanted = wanted(matched, &value);
    MatchedField { field: matched.field.clone(), wanted, value: shorten(&value) }
}

fn wanted(matched: &FieldMatch, value: &str) -> String {
    let pattern = matched.pattern.as_deref().unwrap_or_default();
    let words = match matched.matcher {
        Some(MatcherKind::Exact) => format!("is {pattern:?}"),
        Some(MatcherKind::Contains) => format!("contains {pattern:?}"),
        Some(MatcherKind::StartsWith) => format!("begins with {pattern:?}"),
        Some(MatcherKind::EndsWith) => format!("ends with {pattern:?}"),
        Some(MatcherKind::Regex) => format!("matches /{pattern}/"),
        Some(MatcherKind::OneOf) => one_of(pattern, value),
        Some(MatcherKind::Cidr) => format!("is in {pattern}"),
        Some(MatcherKind::Numeric) => format!("is {pattern}"),
        Some(MatcherKind::Exists) if pattern == "false" => "is absent".to_owned(),
        Some(MatcherKind::Exists) => "is present".to_owned(),
        Some(MatcherKind::FieldRef) => format!("is the same as {pattern}"),
        Some(MatcherKind::Null) => "is absent".to_owned(),
        Some(MatcherKind::Bool | MatcherKind::Expand) | None => format!("is {pattern}"),
        Some(_) => format!("satisfies {pattern}"),
    };
    if matched.negated { format!("not: {words}") } else { words }
}

/// Of several alternatives, those that stand in the value; all where that cannot be told.
fn one_of(pattern: &str, value: &str) -> String {
    let value = value.to_lowercase();
    let alternatives: Vec<&str> = pattern.split(", ").collect();
    let inside = |a: &&str| !a.is_empty() && value.contains(&a.to_lowercase());
    let found: Vec<&str> = alternatives.iter().copied().filter(inside).take(ALTERNATIVES_MAX).collect();
    let quoted = |texts: &[&str]| texts.iter().map(|t| format!("{t:?}")).collect::<Vec<_>>().join(", ");
    match found.as_slice() {
        [] if alternatives.len() > ALTERNATIVES_MAX => {
            format!("is one of {}, …", quoted(alternatives.get(..ALTERNATIVES_MAX).unwrap_or_default()))
        }
        [] => format!("is one of {}", quoted(&alternatives)),
        found if value == found.join("").to_lowercase() => format!("is {}", quoted(found)),
        found => format!("contains {}", quoted(found)),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_that_matched_are_named() {
        assert_eq!(one_of("union select, sleep(, benchmark(", "id=1 UNION SELECT 1"), r#"contains "union select""#);
        assert_eq!(one_of("get, post", "POST"), r#"is "post""#);
        assert_eq!(one_of("a.*b, c", "xyz"), r#"is one of "a.*b", "c""#);
    }
}
