//! The report's texts: data files beside this one, read into types so that a missing or unknown key is found by a test.

use anyhow::Context as _;
use minijinja::{Environment, Value};
use serde::Deserialize;

use crate::model::Lang;

/// All texts of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    pub title: String,
    pub subtitle: String,
    pub covers: String,
    pub unfinished: String,
    pub footer: String,
    pub calm: String,
    pub calm_gaps: String,
    pub calm_blind: String,
    pub serious: String,
    pub collector_silent: String,
    pub overview: Overview,
    pub serious_list: SeriousList,
    pub rules: Rules,
    pub agencies: Agencies,
    pub sources: Sources,
    pub decisions: Decisions,
    pub watch: Watch,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Overview {
    pub heading: String,
    pub alerts: String,
    pub before: String,
    pub open: String,
    pub closed: String,
    pub cases_opened: String,
    pub cases_closed: String,
    pub cases_active: String,
    pub events: String,
    pub mails: String,
    pub severity_title: String,
    pub severity_unit: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriousList {
    pub heading: String,
    pub none: String,
    pub time: String,
    pub severity: String,
    pub what: String,
    pub way: String,
    pub status: String,
    pub more: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    pub heading: String,
    pub rule: String,
    pub severity: String,
    pub alerts: String,
    pub open: String,
    pub none: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Agencies {
    pub heading: String,
    pub agency: String,
    pub none: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sources {
    pub heading: String,
    pub source: String,
    pub none: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decisions {
    pub heading: String,
    pub verdict: String,
    pub alerts: String,
    pub none: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watch {
    pub heading: String,
    pub seen: String,
    pub unknown: String,
    pub unaccounted: String,
    pub sensors: String,
    pub sensor: String,
    pub state: String,
    pub packets: String,
    pub dropped: String,
    pub lost: String,
    pub none: String,
}

/// The texts of a language.
pub(super) fn texts(lang: Lang) -> anyhow::Result<Texts> {
    let text = match lang {
        Lang::Vi => include_str!("texts.vi.toml"),
        Lang::En => include_str!("texts.en.toml"),
    };
    toml::from_str(text).context("read the texts of the daily summary")
}

/// Fills the names of a text in. A name that the text uses and `values` lacks is an error, found by the tests.
pub(super) fn fill(text: &str, values: Value) -> anyhow::Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.render_str(text, values).with_context(|| format!("fill in `{text}`"))
}
