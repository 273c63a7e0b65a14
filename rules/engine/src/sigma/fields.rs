//! Do the fields of a rule exist? Rules for our own product name catalogue fields; one that no dataset has can never
//! match, which is worth saying with the nearest name that does exist.

use luytre_events::Catalogue;
use rsigma_parser::{
    ConditionExpr, CorrelationCondition, CorrelationRule, Detection, Modifier, SelectorPattern, SigmaRule, SigmaValue,
};

use super::documents::{Document, line_of};
use crate::rule::Note;

/// Fields of a rule on one event that its dataset (or, where it names none, no dataset) has.
pub(super) fn check(rule: &SigmaRule, file: &str, document: &Document<'_>) -> Vec<Note> {
    let mut names = Vec::new();
    for detection in rule.detection.named.values() {
        collect(detection, &mut names);
    }
    names.sort();
    names.dedup();
    let dataset = rule.logsource.category.as_deref();
    let mut notes: Vec<Note> = names
        .iter()
        .filter_map(|name| Some((name, wrong(name, dataset)?)))
        .map(|(name, reason)| note(file, document, name, reason))
        .collect();
    if let Some(dataset) = dataset.filter(|d| Catalogue::current().dataset_id(d).is_none()) {
        let known: Vec<&str> = Catalogue::current().datasets().iter().map(|d| d.name.as_str()).collect();
        let reason = format!("no sensor makes the dataset {dataset:?}; known are {}", known.join(", "));
        notes.push(note(file, document, "category:", reason));
    }
    notes
}

/// Fields that a correlation groups by or counts.
pub(super) fn check_correlation(rule: &CorrelationRule, file: &str, document: &Document<'_>) -> Vec<Note> {
    let aliases: Vec<&str> = rule.aliases.iter().map(|a| a.alias.as_str()).collect();
    let counted = match &rule.condition {
        CorrelationCondition::Threshold { field: Some(fields), .. } => fields.as_slice(),
        _ => &[],
    };
    let mapped = rule.aliases.iter().flat_map(|a| a.mapping.values());
    let grouped = rule.group_by.iter().filter(|name| !aliases.contains(&name.as_str()));
    grouped
        .chain(counted)
        .chain(mapped)
        .filter_map(|name| Some(note(file, document, name, wrong(name, None)?)))
        .collect()
}

/// The field for whose lack a rule cannot be judged: one that no dataset has and that the rule wants to be absent or
/// different. Such a rule would fire on everything; a field that is merely wanted makes it match nothing, which is true.
pub(super) fn blind(rule: &SigmaRule) -> Option<&str> {
    let mut negated = Vec::new();
    for condition in &rule.detection.conditions {
        below_not(condition, false, rule, &mut negated);
    }
    let lacking = |name: &&str| Catalogue::current().field_id(name).is_none();
    let mut names = Vec::new();
    for (name, detection) in &rule.detection.named {
        if negated.contains(&name.as_str()) {
            collect(detection, &mut names);
        } else {
            wanted_absent(detection, &mut names);
        }
    }
    names.into_iter().find(lacking)
}

/// Names of the detections that stand below an odd number of `not`.
fn below_not<'r>(condition: &'r ConditionExpr, negated: bool, rule: &'r SigmaRule, names: &mut Vec<&'r str>) {
    match condition {
        ConditionExpr::And(parts) | ConditionExpr::Or(parts) => {
            parts.iter().for_each(|part| below_not(part, negated, rule, names));
        }
        ConditionExpr::Not(part) => below_not(part, !negated, rule, names),
        ConditionExpr::Identifier(name) if negated => names.push(name),
        ConditionExpr::Selector { pattern, .. } if negated => {
            let fits = |name: &&str| match pattern {
                SelectorPattern::Them => true,
                SelectorPattern::Pattern(pattern) => match pattern.split_once('*') {
                    Some((begin, end)) => name.starts_with(begin) && name.ends_with(end),
                    None => name == pattern,
                },
            };
            names.extend(rule.detection.named.keys().map(String::as_str).filter(fits));
        }
        ConditionExpr::Identifier(_) | ConditionExpr::Selector { .. } => {}
    }
}

/// Fields that a detection wants to be absent.
fn wanted_absent<'r>(detection: &'r Detection, names: &mut Vec<&'r str>) {
    match detection {
        Detection::AllOf(items) => names.extend(items.iter().filter_map(|item| {
            let null = item.values.contains(&SigmaValue::Null);
            let gone = item.field.has_modifier(Modifier::Exists) && item.values.contains(&SigmaValue::Bool(false));
            let other = item.field.has_modifier(Modifier::Neq);
            (null || gone || other).then_some(item.field.name.as_deref()).flatten()
        })),
        Detection::AnyOf(inner) | Detection::And(inner) => inner.iter().for_each(|d| wanted_absent(d, names)),
        _ => {}
    }
}

fn note(file: &str, document: &Document<'_>, word: &str, reason: String) -> Note {
    let line = line_of(document.text, document.line, &format!("'{word}'"));
    Note { file: file.to_owned(), line, reason }
}

fn collect<'r>(detection: &'r Detection, names: &mut Vec<&'r str>) {
    match detection {
        Detection::AllOf(items) => names.extend(items.iter().filter_map(|item| item.field.name.as_deref())),
        Detection::AnyOf(inner) | Detection::And(inner) => inner.iter().for_each(|d| collect(d, names)),
        Detection::ArrayMatch { field, .. } => names.push(field),
        Detection::Keywords(_) | Detection::Conditional { .. } => {}
    }
}

/// What is wrong with a field name, if anything is.
fn wrong(name: &str, dataset: Option<&str>) -> Option<String> {
    let catalogue = Catalogue::current();
    if catalogue.field_id(name).is_none() {
        let nearest = nearest(name).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
        return Some(format!("no dataset has the field {name}{nearest}"));
    }
    let dataset = catalogue.datasets().iter().find(|d| Some(d.name.as_str()) == dataset)?;
    let everywhere = luytre_events::event::ENVELOPE.fields.iter().any(|f| f.name == name);
    if everywhere || dataset.fields.iter().any(|f| f == name) {
        return None;
    }
    let others: Vec<&str> =
        catalogue.datasets().iter().filter(|d| d.fields.iter().any(|f| f == name)).map(|d| d.name.as_str()).collect();
    Some(format!("the dataset {} does not have the field {name}; {} has", dataset.name, others.join(" and ")))
}

fn nearest(name: &str) -> Option<&'static str> {
    let fields = Catalogue::current().fields().iter().map(|f| f.name.as_str());
    let near = fields.map(|known| (strsim::damerau_levenshtein(name, known), known)).min()?;
    (near.0 <= name.len().max(3) / 3).then_some(near.1)
}
