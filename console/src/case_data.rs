//! What cases are made of and is no code: phases, classifications and templates, each with its citation, from
//! `console/data/cases/`. Read once; a file that cannot be read leaves an empty list, and a test reads them all.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One entry of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its id, which cases keep.
    pub id: String,
    /// Its name in Vietnamese.
    pub vi: String,
    /// Its name in English.
    pub en: String,
    /// Ids in other lists that usually go with it; only shown, never chosen by themselves.
    #[serde(default)]
    pub proposes: Vec<String>,
}

/// A list and where it comes from.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CitedList {
    /// The article it is taken from.
    pub citation: String,
    /// How the citation was checked: `verified`, `secondary` or `memory`.
    pub status: String,
    /// The entries, in their order.
    pub entry: Vec<Entry>,
}

/// What is to be done, in a template.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateTask {
    /// The phase it belongs to.
    pub phase: String,
    /// True for a line of a checklist.
    #[serde(default)]
    pub check: bool,
    /// Hours from the opening of the case until it is due.
    #[serde(default)]
    pub due_hours: Option<u32>,
    /// What, in Vietnamese.
    pub vi: String,
    /// What, in English.
    pub en: String,
}

/// What is to be done in a case of one kind.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its id.
    pub id: String,
    /// The internal group of its cases.
    pub group: String,
    /// Its name in Vietnamese.
    pub vi: String,
    /// Its name in English.
    pub en: String,
    /// What is to be done.
    pub tasks: Vec<TemplateTask>,
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct CaseData {
    /// The phases, in their order.
    pub phases: CitedList,
    /// The rows of the national report.
    pub national: CitedList,
    /// The classes of the Reference Security Incident Taxonomy.
    pub rsit: CitedList,
    /// The team's own groups.
    pub internal: CitedList,
    /// Who handled an incident.
    pub handled: CitedList,
    /// The templates.
    pub templates: Vec<Template>,
    /// Where the templates come from.
    pub templates_citation: String,
    /// How that citation was checked.
    pub templates_status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Classes {
    national: CitedList,
    rsit: CitedList,
    internal: CitedList,
    handled: CitedList,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Templates {
    citation: String,
    status: String,
    template: Vec<Template>,
}

/// What cases are made of.
pub fn case_data() -> &'static CaseData {
    static DATA: OnceLock<CaseData> = OnceLock::new();
    DATA.get_or_init(|| read().unwrap_or_default())
}

fn read() -> Result<CaseData, toml::de::Error> {
    let phases: CitedList = toml::from_str(include_str!("../data/cases/phases.toml"))?;
    let classes: Classes = toml::from_str(include_str!("../data/cases/classes.toml"))?;
    let templates: Templates = toml::from_str(include_str!("../data/cases/templates.toml"))?;
    Ok(CaseData {
        phases,
        national: classes.national,
        rsit: classes.rsit,
        internal: classes.internal,
        handled: classes.handled,
        templates: templates.template,
        templates_citation: templates.citation,
        templates_status: templates.status,
    })
}

impl CitedList {
    /// Whether there is such an entry.
    pub fn has(&self, id: &str) -> bool {
        self.entry.iter().any(|entry| entry.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_there_cited_and_refers_to_what_exists() {
        let data = read().unwrap();
        let lists = [&data.phases, &data.national, &data.rsit, &data.internal, &data.handled];
        for list in lists {
            assert!(!list.entry.is_empty() && !list.citation.is_empty());
            assert!(["verified", "secondary", "memory"].contains(&list.status.as_str()), "{}", list.status);
            let mut ids: Vec<&str> = list.entry.iter().map(|entry| entry.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), list.entry.len(), "an id stands twice");
        }
        for entry in &data.national.entry {
            for id in &entry.proposes {
                assert!(data.rsit.has(id) || data.internal.has(id), "{} proposes {id}", entry.id);
            }
        }
        assert_eq!(data.phases.entry.len(), 8);
        assert_eq!(data.rsit.entry.len(), 36);
        for template in &data.templates {
            assert!(data.internal.has(&template.group), "{}", template.id);
            for task in &template.tasks {
                assert!(data.phases.has(&task.phase), "{}: {}", template.id, task.vi);
                assert!(task.check != task.due_hours.is_some(), "{}: {}", template.id, task.vi);
            }
        }
    }
}
