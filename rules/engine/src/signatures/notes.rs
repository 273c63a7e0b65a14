//! What a rule's text says to people: technique, severity, references, names in other languages.
//!
//! Read from the text only when an alert is made, so that a set does not carry it for each rule.

use super::compile::unquoted;
use super::language::{OptionText, statements};

/// The most values of one kind.
const VALUES_MAX: usize = 16;
/// The longest value, in characters.
const VALUE_MAX_CHARS: usize = 512;

/// What a text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// ATT&CK techniques (`mitre_technique_id` in the metadata).
    pub techniques: Vec<String>,
    /// The author's severity (`signature_severity`), in lower case.
    pub severity: Option<String>,
    /// Links.
    pub references: Vec<String>,
    /// Name in Vietnamese (`name_vi`).
    pub name_vi: Option<String>,
    /// What it is about (`description`).
    pub description: Option<String>,
    /// The same in Vietnamese (`description_vi`).
    pub description_vi: Option<String>,
}

impl Notes {
    /// Reads the text of one rule.
    pub fn of(text: &str) -> Notes {
        let mut notes = Notes::default();
        let (rules, _) = statements(text);
        for option in rules.iter().flat_map(|rule| &rule.options) {
            notes.take(option);
        }
        notes
    }

    fn take(&mut self, option: &OptionText) {
        let value = option.value.as_deref().unwrap_or("");
        match option.keyword.to_ascii_lowercase().as_str() {
            "metadata" => metadata(value).for_each(|(name, value)| self.metadata(name, value)),
            "reference" if self.references.len() < VALUES_MAX => self.references.extend(link(value)),
            _ => {}
        }
    }

    fn metadata(&mut self, name: &str, value: &str) {
        let value: String = unquoted(value).chars().take(VALUE_MAX_CHARS).collect();
        match name {
            "mitre_technique_id" if self.techniques.len() < VALUES_MAX => {
                let id = value.to_ascii_uppercase();
                if is_technique(&id) && !self.techniques.contains(&id) {
                    self.techniques.push(id);
                }
            }
            "signature_severity" => self.severity = Some(value.to_ascii_lowercase()),
            "name_vi" => self.name_vi = Some(value),
            "description" => self.description = Some(value),
            "description_vi" => self.description_vi = Some(value),
            _ => {}
        }
    }
}

/// Names and values of `metadata`.
pub fn metadata(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.split(',').map(str::trim).filter_map(|part| part.split_once(char::is_whitespace)).map(|(n, v)| (n, v.trim()))
}

/// `T1071` or `T1071.001`.
fn is_technique(id: &str) -> bool {
    let mut parts = id.strip_prefix('T').unwrap_or("").split('.');
    let digits =
        |part: Option<&str>, count| part.is_some_and(|p| p.len() == count && p.bytes().all(|b| b.is_ascii_digit()));
    let main = digits(parts.next(), 4);
    let rest = parts.next();
    main && (rest.is_none() || digits(rest, 3)) && parts.next().is_none()
}

/// A reference as a link, where it is one.
fn link(value: &str) -> Option<String> {
    let (kind, id) = value.split_once(',')?;
    let id: String = id.trim().chars().take(VALUE_MAX_CHARS).collect();
    Some(match kind.trim().to_ascii_lowercase().as_str() {
        "url" if id.contains("://") => id,
        "url" => format!("https://{id}"),
        "cve" => {
            format!("https://www.cve.org/CVERecord?id=CVE-{}", id.trim_start_matches("CVE-").trim_start_matches("cve-"))
        }
        other => format!("{other}: {id}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_says_to_people_is_found() {
        let notes = Notes::of(
            r#"alert tcp any any -> any any (msg:"x; y"; reference:url,example.net/a; reference:cve,2021-44228; reference:md5,abc; metadata:signature_severity Major, mitre_technique_id T1071, mitre_technique_id t1071.001, mitre_technique_id T1, name_vi Công cụ; sid:1;)"#,
        );
        assert_eq!(notes.techniques, ["T1071", "T1071.001"]);
        assert_eq!((notes.severity.as_deref(), notes.name_vi.as_deref()), (Some("major"), Some("Công cụ")));
        assert_eq!(
            notes.references,
            ["https://example.net/a", "https://www.cve.org/CVERecord?id=CVE-2021-44228", "md5: abc"]
        );
        assert_eq!(Notes::of("no rule at all"), Notes::default());
    }
}
