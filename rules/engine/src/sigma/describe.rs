//! A rule's metadata, from Sigma's own keys and from the mapping `luytre:` that our rules add:
//!
//! ```yaml
//! luytre:
//!   title_vi: Quét cổng từ Internet
//!   description_vi: ...
//!   advice: What to do first.
//!   advice_vi: ...
//!   false_positives_vi: [...]   # one for each of `falsepositives`
//!   subject: [source.ip]      # matches with equal values belong to one alert
//!   silent: true              # only feeds correlations
//! ```

use rsigma_parser::{CorrelationRule, Level as SigmaLevel, SigmaRule};
use serde::Serialize;
use serde_json::Value;

use super::documents::{Document, line_of};
use crate::rule::{Level, Note, Rule, RuleKind, techniques};

/// Keys of the mapping `luytre:`.
const KEYS: [&str; 7] =
    ["title_vi", "description_vi", "advice", "advice_vi", "false_positives_vi", "subject", "silent"];

/// The two kinds of Sigma documents have the same metadata keys, but no type in common.
macro_rules! described {
    ($rule:expr, $kind:expr, $file:expr, $line:expr) => {{
        let (rule, own) = ($rule, Own::of(&$rule.custom_attributes));
        Rule {
            id: rule.id.clone().unwrap_or_default(),
            title: rule.title.clone(),
            title_vi: own.text("title_vi"),
            kind: $kind,
            level: level(rule.level),
            revision: rule.modified.clone().or_else(|| rule.date.clone()).unwrap_or_default(),
            set: None,
            description: rule.description.as_deref().unwrap_or_default().trim().to_owned(),
            description_vi: own.text("description_vi"),
            advice: own.text("advice"),
            advice_vi: own.text("advice_vi"),
            techniques: techniques(&rule.tags),
            tags: rule.tags.clone(),
            references: rule.references.clone(),
            false_positives: rule.falsepositives.clone(),
            false_positives_vi: own.list("false_positives_vi"),
            subject: own.list("subject"),
            silent: own.0.get("silent").and_then(Value::as_bool).unwrap_or(false),
            asleep: None,
            file: $file.to_owned(),
            line: $line,
            hits: Default::default(),
        }
    }};
}

/// Metadata of a rule on one event.
pub(super) fn detection(rule: &SigmaRule, file: &str, line: u32) -> Rule {
    described!(rule, RuleKind::Sigma, file, line)
}

/// Metadata of a correlation.
pub(super) fn correlation(rule: &CorrelationRule, file: &str, line: u32) -> Rule {
    described!(rule, RuleKind::Correlation, file, line)
}

/// Keys below `luytre:` that nobody reads, and causes that are not said in both languages.
pub(super) fn notes(attributes: &impl Serialize, rule: &Rule, document: &Document<'_>) -> Vec<Note> {
    let Own(Value::Object(own)) = Own::of(attributes) else { return Vec::new() };
    let (english, vietnamese) = (rule.false_positives.len(), rule.false_positives_vi.len());
    let untold = (english != vietnamese).then(|| Note {
        file: rule.file.clone(),
        line: line_of(document.text, document.line, "'falsepositives:'"),
        reason: format!(
            "falsepositives names {english} causes, luytre.false_positives_vi {vietnamese}; say each in both"
        ),
    });
    own.keys()
        .filter(|key| !KEYS.contains(&key.as_str()))
        .map(|key| Note {
            file: rule.file.clone(),
            line: line_of(document.text, document.line, &format!("'{key}:'")),
            reason: format!("unknown key luytre.{key}; known are {}", KEYS.join(", ")),
        })
        .chain(untold)
        .collect()
}

/// The mapping `luytre:` of a rule; null where it has none.
struct Own(Value);

impl Own {
    fn of(attributes: &impl Serialize) -> Own {
        let all = serde_json::to_value(attributes).unwrap_or_default();
        Own(all.get("luytre").cloned().unwrap_or_default())
    }

    fn text(&self, key: &str) -> Option<String> {
        let value = self.0.get(key)?.as_str()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn list(&self, key: &str) -> Vec<String> {
        let items = self.0.get(key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    }
}

fn level(level: Option<SigmaLevel>) -> Level {
    level.and_then(|l| Level::parse(l.as_str())).unwrap_or_default()
}
