//! What a rule found: enough to explain an alert without asking the rule again.

use std::sync::Arc;

use luytre_events::EventId;

use crate::rule::Rule;

/// The most event ids a match carries; `event_count` has the true number.
pub const EVENT_IDS_MAX: usize = 100;
/// The longest value shown of a matched field, in characters.
pub const VALUE_MAX_CHARS: usize = 512;

/// A rule fired.
#[derive(Debug, Clone)]
pub struct Match {
    /// The rule, with everything an alert says about it.
    pub rule: Arc<Rule>,
    /// The fields that made it fire, with what the rule asked for.
    pub matched: Vec<MatchedField>,
    /// What it speaks of: matches of one rule with equal subjects belong to one alert.
    pub subject: Subject,
    /// The events it stands on, oldest first; the one that was just processed is the last. At most
    /// [`EVENT_IDS_MAX`]: the newest ones.
    pub event_ids: Vec<EventId>,
    /// How many events it stands on. A correlation starts counting anew after it has fired, so the counts of its later
    /// matches add up.
    pub event_count: u64,
    /// The width of a correlation's window in seconds; nothing for a rule on one event.
    pub window_s: Option<u64>,
}

/// Field names and values, in the order the rule gives them.
pub type Subject = Vec<(String, String)>;

/// A field that a rule matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedField {
    /// The field's catalogue name, or a YARA string's identifier.
    pub field: String,
    /// The value it had, at most [`VALUE_MAX_CHARS`] characters.
    pub value: String,
    /// What the rule asked for (`contains "union select"`), for people.
    pub wanted: String,
}

/// Cuts a text to [`VALUE_MAX_CHARS`] characters, marking the cut.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(VALUE_MAX_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        let long = "ế".repeat(VALUE_MAX_CHARS + 1);
        let short = shorten(&long);
        assert_eq!(short.chars().count(), VALUE_MAX_CHARS + 1);
        assert!(short.ends_with('…'));
        assert_eq!(shorten("as it is"), "as it is");
    }
}
