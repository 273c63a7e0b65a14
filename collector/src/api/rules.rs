//! `GET /v1/rules`, `GET /v1/rules/{id}`, `POST /v1/rules/reload`.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use luytre_collector_api::{BrokenRule, RuleDetail, RuleLine, RulesAnswer};
use luytre_rules_engine::{Rule, RuleSet};

use super::{Api, Failure, WAIT_MAX, blocking};
use crate::detect::alert;
use crate::detect::files::BrokenSources;

/// The rule set that detection runs; cheap to clone.
#[derive(Clone)]
pub struct RulesInForce {
    rules: Arc<RwLock<Arc<RuleSet>>>,
    /// YARA sources that the scanner could not use.
    pub broken_sources: BrokenSources,
}

impl RulesInForce {
    /// Begins with a rule set.
    pub fn new(rules: Arc<RuleSet>) -> RulesInForce {
        RulesInForce { rules: Arc::new(RwLock::new(rules)), broken_sources: BrokenSources::default() }
    }

    /// The rule set in force.
    pub fn get(&self) -> Arc<RuleSet> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another rule set in force.
    pub fn set(&self, rules: Arc<RuleSet>) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Everything the rules page shows.
    pub fn answer(&self) -> RulesAnswer {
        let rules = self.get();
        let broken =
            rules.broken().iter().map(|b| BrokenRule { file: b.file.clone(), line: b.line, reason: b.reason.clone() });
        let sources = self.broken_sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        RulesAnswer {
            ruleset: rules.digest().to_owned(),
            rules: rules.rules().iter().map(|rule| line(rule, rules.digest())).collect(),
            broken: broken.chain(sources).collect(),
        }
    }
}

fn line(rule: &Rule, digest: &str) -> RuleLine {
    RuleLine {
        rule: alert::rule(rule, digest),
        severity: alert::severity(rule.level),
        file: rule.file.clone(),
        hits: rule.hits(),
    }
}

pub(super) async fn rules(State(api): State<Api>) -> Json<RulesAnswer> {
    Json(api.rules.answer())
}

/// Answers once the rules are in force.
pub(super) async fn reload(State(api): State<Api>) -> Result<Json<RulesAnswer>, Failure> {
    let reloader = api.reloader.clone();
    let loaded = blocking(move || reloader.reload()).await?;
    let taken = loaded.map_err(|error| {
        Failure::new(StatusCode::CONFLICT, "bad_request", format!("{error:#}; the rules before stay in force"))
    })?;
    // Where a newer set took their place, that one is in force.
    let waited = tokio::time::timeout(WAIT_MAX, taken).await;
    waited.map(|_| Json(api.rules.answer())).map_err(|_| {
        Failure::overloaded("the rules are loaded and come into force as soon as the pipeline goes on; see the health")
    })
}

pub(super) async fn rule(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<RuleDetail>, Failure> {
    let rules = api.rules.get();
    let rule = rules.rule(&id).ok_or_else(|| Failure::not_found(format!("no rule has the id {id}")))?;
    let text = rules.text(&rule.file).unwrap_or_default().to_owned();
    Ok(Json(RuleDetail { line: line(rule, rules.digest()), text }))
}
