//! YARA rules as far as the collector needs to know them: names, tags and metadata, read without compiling anything.
//!
//! Comes in: YARA sources. Goes out: a [`Rule`] each (so that alerts explain themselves and broken ones can be found
//! by the scanner), and matches made from what the scanner found. The rules run in luytre-scanner only.

mod reader;

use std::sync::Arc;

use luytre_events::Event;
use luytre_events::scan::FileMatch;

use crate::matched::{Match, MatchedField, shorten};
use crate::rule::{Level, Rule, RuleKind, techniques};
use crate::ruleset::{Ids, Loaded, RuleSet, Source};
use reader::Header;

/// Reads the names and metadata of every rule.
pub(crate) fn load(sources: &[&Source], ids: &mut Ids) -> Loaded {
    let mut loaded = Loaded::default();
    for source in sources {
        for header in reader::headers(&source.text) {
            let rule = to_rule(&source.file, header);
            match ids.claim(&rule.id, &rule.file, rule.line) {
                Ok(()) => loaded.rules.push(Arc::new(rule)),
                Err(broken) => loaded.broken.push(broken),
            }
        }
    }
    loaded
}

/// The id of a YARA rule: unique because names are unique within a file.
fn rule_id(file: &str, name: &str) -> String {
    format!("yara:{file}:{name}")
}

fn to_rule(file: &str, header: Header) -> Rule {
    let meta = |key: &str| header.meta.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let mut tags = header.tags.clone();
    tags.extend(meta("attack").iter().flat_map(|a| a.split([',', ' ']).filter(|t| !t.is_empty())).map(|t| {
        let t = t.to_ascii_lowercase();
        if t.starts_with("attack.") { t } else { format!("attack.{t}") }
    }));
    Rule {
        id: rule_id(file, &header.name),
        title: meta("title").unwrap_or_else(|| header.name.replace('_', " ")),
        title_vi: meta("title_vi"),
        kind: RuleKind::Yara,
        level: meta("level").and_then(|l| Level::parse(&l)).unwrap_or_else(|| from_score(meta("score"))),
        revision: meta("modified").or_else(|| meta("date")).unwrap_or_default(),
        set: None,
        description: meta("description").unwrap_or_default(),
        description_vi: meta("description_vi"),
        advice: meta("advice"),
        advice_vi: meta("advice_vi"),
        techniques: techniques(&tags),
        references: meta("reference").into_iter().collect(),
        false_positives: meta("falsepositives").into_iter().collect(),
        false_positives_vi: meta("false_positives_vi").into_iter().collect(),
        subject: Vec::new(),
        silent: header.private,
        asleep: None,
        file: file.to_owned(),
        line: header.line,
        tags,
        hits: Default::default(),
    }
}

/// Public collections score their rules from 0 to 100 instead of naming a level.
fn from_score(score: Option<String>) -> Level {
    match score.and_then(|s| s.parse::<u32>().ok()) {
        Some(0..40) => Level::Low,
        Some(40..70) => Level::Medium,
        Some(_) | None => Level::High,
    }
}

/// A match from what the scanner found in the file of `event`.
pub(crate) fn to_match(set: &RuleSet, event: &Event, found: &FileMatch) -> Option<Match> {
    let rule = set.rule(&rule_id(&found.file, &found.rule)).filter(|r| !r.silent)?;
    let field = |name: &str| event.get_named(name).map(|v| v.borrow().to_text());
    let mut matched: Vec<MatchedField> = found
        .strings
        .iter()
        .map(|s| MatchedField {
            field: s.name.clone(),
            value: shorten(&String::from_utf8_lossy(&s.excerpt)),
            wanted: format!("string {} at offset {}", s.name, s.offset),
        })
        .collect();
    for name in ["file.name", "file.mime_type", "file.hash.sha256"] {
        let wanted = format!("file matches {}", found.rule);
        matched.extend(field(name).map(|value| MatchedField { field: name.into(), value, wanted }));
    }
    let subject = ["file.hash.sha256", "source.ip", "destination.ip"];
    Some(Match {
        rule: rule.clone(),
        matched,
        subject: subject.iter().filter_map(|n| Some(((*n).to_owned(), field(n)?))).collect(),
        event_ids: vec![event.id.clone()],
        event_count: 1,
        window_s: None,
    })
}
