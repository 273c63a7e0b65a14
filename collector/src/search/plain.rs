//! The plain path: decides a filter on one event by looking at it, without any index. The live tail works by it, and tests
//! compare the index with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Bound;

use luytre_events::{Catalogue, Event, IndexHint, Kind, ValueRef};

use super::query::{FieldRef, Node, Pattern, Test, group_text};
use crate::index::mapping::{each_value, ip_term, is_envelope};
use crate::index::words;

/// Whether the event passes.
pub fn matches(node: &Node, event: &Event) -> bool {
    match node {
        Node::All => true,
        Node::And(nodes) => nodes.iter().all(|inner| matches(inner, event)),
        Node::Or(nodes) => nodes.iter().any(|inner| matches(inner, event)),
        Node::Not(inner) => !matches(inner, event),
        Node::Field(field, test) => field_passes(field, test, event),
        Node::In(field, values) => event.get_named(&field.name).is_some_and(|value| {
            let mut found = false;
            each_value(&value, &mut |value| {
                let text = words::keyword(&group_text(value));
                found |= values.iter().any(|wanted| words::keyword(&wanted.to_text()) == text);
            });
            found
        }),
        Node::Words(wanted) => any_text(event, &|text| has_phrase(text, wanted)),
        Node::WordPattern(pattern) => {
            any_text(event, &|text| words::words(text).iter().any(|word| pattern_passes(pattern, word)))
        }
        Node::Address(network) => {
            let mut found = false;
            event.visit(&mut |id, value| {
                if Catalogue::current().field(id).is_some_and(|f| f.index != IndexHint::Stored) {
                    each_ref(value, &mut |v| found |= matches!(v, ValueRef::Ip(ip) if network.contains(&ip)));
                }
            });
            found
        }
    }
}

fn each_ref(value: ValueRef<'_>, visit: &mut dyn FnMut(ValueRef<'_>)) {
    match value {
        ValueRef::List(items) => items.iter().for_each(|item| each_value(item, &mut |v| visit(v))),
        single => visit(single),
    }
}

fn any_text(event: &Event, passes: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    event.visit(&mut |id, value| {
        let Some(field) = Catalogue::current().field(id) else { return };
        if matches!(field.kind, Kind::Keyword | Kind::Text)
            && field.index != IndexHint::Stored
            && !is_envelope(&field.name)
        {
            each_ref(value, &mut |v| found |= matches!(v, ValueRef::Str(text) if passes(words::cut(text))));
        }
    });
    found
}

fn has_phrase(text: &str, wanted: &[String]) -> bool {
    words::words(text).windows(wanted.len().max(1)).any(|window| window == wanted)
}

fn pattern_passes(pattern: &Pattern, term: &str) -> bool {
    expression_passes(&pattern.to_regex(), term)
}

/// Compiled expressions of a thread; beyond this many they are made anew.
const COMPILED_MAX: usize = 64;

fn expression_passes(expression: &str, term: &str) -> bool {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Option<regex::Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= COMPILED_MAX && !compiled.contains_key(expression) {
            compiled.clear();
        }
        let make = || regex::Regex::new(&format!("^(?:{expression})$")).ok();
        let regex = compiled.entry(expression.to_owned()).or_insert_with(make);
        regex.as_ref().is_some_and(|regex| regex.is_match(term))
    })
}

fn field_passes(field: &FieldRef, test: &Test, event: &Event) -> bool {
    if let Test::Id(id) = test {
        return event.id == *id;
    }
    let Some(value) = event.get_named(&field.name) else { return false };
    let mut passes = *test == Test::Exists;
    each_value(&value, &mut |value| passes |= value_passes(field.kind, test, value));
    passes
}

fn value_passes(kind: Kind, test: &Test, value: ValueRef<'_>) -> bool {
    match (test, value) {
        (Test::Keyword(wanted), ValueRef::Str(text)) => words::keyword(text) == *wanted,
        (Test::Pattern(pattern), ValueRef::Str(text)) if kind == Kind::Text => {
            words::words(text).iter().any(|word| pattern_passes(pattern, word))
        }
        (Test::Pattern(pattern), ValueRef::Str(text)) => pattern_passes(pattern, &words::keyword(text)),
        (Test::Regex(expression), ValueRef::Str(text)) if kind == Kind::Text => {
            words::words(text).iter().any(|word| expression_passes(expression, word))
        }
        (Test::Regex(expression), ValueRef::Str(text)) => expression_passes(expression, &words::keyword(text)),
        (Test::Words(wanted), ValueRef::Str(text)) => has_phrase(text, wanted),
        (Test::Network(network), ValueRef::Ip(ip)) => network.contains(&ip),
        (Test::Addresses(from, to), ValueRef::Ip(ip)) => within(&ip_term(ip), from.map(ip_term), to.map(ip_term)),
        (Test::Long(from, to), ValueRef::U64(number)) => within(&number, *from, *to),
        (Test::Float(from, to), ValueRef::F64(number)) => within(&number, *from, *to),
        (Test::Time(from, to), ValueRef::Time(at)) => within(&at, *from, *to),
        (Test::Boolean(wanted), ValueRef::Bool(yes)) => yes == *wanted,
        _ => false,
    }
}

fn within<T: PartialOrd>(value: &T, from: Bound<T>, to: Bound<T>) -> bool {
    let above = match from {
        Bound::Included(from) => *value >= from,
        Bound::Excluded(from) => *value > from,
        Bound::Unbounded => true,
    };
    let below = match to {
        Bound::Included(to) => *value <= to,
        Bound::Excluded(to) => *value < to,
        Bound::Unbounded => true,
    };
    above && below
}
