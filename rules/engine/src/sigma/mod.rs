//! Sigma 2 with correlations, wrapped around rsigma.
//!
//! Comes in: Sigma files and field pipelines. Goes out: a detector, each rule's metadata, and what is wrong with which
//! line. Rules are compiled one by one, so that a broken one is left out and named. All rules pass through the
//! pipelines first: they put the province's networks in place of `%internal%`, and give other people's rules our field
//! names and log sources. A rule whose log source is still not one of our datasets afterwards is loaded and never asked.

mod describe;
mod detector;
mod documents;
mod explain;
mod fields;
mod view;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rsigma_eval::{
    CorrelationAction, CorrelationConfig, CorrelationEngine, CorrelationEventMode, MatchDetailLevel, Pipeline,
};
use rsigma_parser::{
    ConditionOperator, CorrelationCondition, CorrelationRule, CorrelationType, FilterRule, SigmaCollection, SigmaRule,
};

use crate::matched::EVENT_IDS_MAX;
use crate::rule::{Broken, Rule};
use crate::ruleset::{Ids, Loaded, Source, SourceKind};
use documents::Document;

/// The most correlation groups kept over all rules; past it the stalest tenth is dropped and counted.
pub const GROUPS_MAX: usize = 50_000;
/// The most entries kept in one group; past it the oldest is dropped, so counts saturate.
pub const GROUP_ENTRIES_MAX: usize = 5_000;

/// `product` of rules written for our own names, and of every event.
pub(crate) const PRODUCT: &str = "luytre";

/// Pipelines that stand in where the loaded folders bring none of the same name.
const BUILT_IN_PIPELINES: [&str; 2] =
    [include_str!("../../../pipelines/networks.yml"), include_str!("../../../pipelines/sigmahq.yml")];

/// Parses and compiles every rule.
pub(crate) fn load(sources: &[&Source], ids: &mut Ids) -> Loaded {
    let mut loader = Loader {
        engine: CorrelationEngine::new(limits()),
        loaded: Loaded::default(),
        by_id: HashMap::new(),
        known: HashMap::new(),
        own: HashSet::new(),
        correlations: Vec::new(),
        filters: Vec::new(),
        ids,
    };
    loader.engine.set_match_detail(MatchDetailLevel::Full);
    let pipelines = loader.pipelines(sources);
    for source in sources.iter().filter(|s| s.kind == SourceKind::Sigma) {
        for document in documents::split(&source.text) {
            loader.document(source, &document, &pipelines);
        }
    }
    let fed = loader.correlations(&pipelines);
    loader.filters();
    loader.finish(fed)
}

fn limits() -> CorrelationConfig {
    CorrelationConfig {
        max_state_entries: GROUPS_MAX,
        max_group_entries: Some(GROUP_ENTRIES_MAX),
        // After it fired a window starts anew: the next match brings new events, and a long scan costs no more per
        // event than a short one.
        action_on_match: CorrelationAction::Reset,
        correlation_event_mode: CorrelationEventMode::Refs,
        max_correlation_events: EVENT_IDS_MAX,
        ..CorrelationConfig::default()
    }
}

/// A correlation that waits for the rules it refers to.
struct Waiting {
    rule: CorrelationRule,
    file: String,
    line: u32,
    text: String,
}

struct Loader<'i> {
    engine: CorrelationEngine,
    loaded: Loaded,
    by_id: HashMap<String, Rule>,
    /// Ids and names that correlations may refer to, each with the id it stands for.
    known: HashMap<String, String>,
    /// Ids of rules written for our own names.
    own: HashSet<String>,
    correlations: Vec<Waiting>,
    filters: Vec<(FilterRule, String, u32)>,
    ids: &'i mut Ids,
}

impl Loader<'_> {
    fn broken(&mut self, file: &str, line: Option<u32>, reason: impl Into<String>) {
        self.loaded.broken.push(Broken { file: file.to_owned(), line, reason: reason.into() });
    }

    fn pipelines(&mut self, sources: &[&Source]) -> Vec<Pipeline> {
        let mut pipelines = Vec::new();
        for source in sources.iter().filter(|s| s.kind == SourceKind::Pipeline) {
            match rsigma_eval::parse_pipeline(&source.text) {
                Ok(pipeline) => pipelines.push(pipeline),
                Err(error) => {
                    let reason = error.to_string();
                    self.broken(&source.file, documents::line_of(&source.text, 1, &reason), reason);
                }
            }
        }
        // The committed pipelines parse: a test loads them.
        for built_in in BUILT_IN_PIPELINES.iter().filter_map(|text| rsigma_eval::parse_pipeline(text).ok()) {
            if !pipelines.iter().any(|p: &Pipeline| p.name == built_in.name) {
                pipelines.push(built_in);
            }
        }
        rsigma_eval::merge_pipelines(&mut pipelines);
        pipelines
    }

    fn document(&mut self, source: &Source, document: &Document<'_>, pipelines: &[Pipeline]) {
        let collection = match rsigma_parser::parse_sigma_yaml(document.text) {
            Ok(collection) => collection,
            Err(error) => {
                let reason = error.to_string();
                let line = documents::line_of(document.text, document.line, &reason);
                return self.broken(&source.file, line, reason);
            }
        };
        let usable = !collection.is_empty();
        for reason in collection.errors {
            let line = documents::line_of(document.text, document.line, &reason);
            let broken = Broken { file: source.file.clone(), line, reason };
            if usable { self.loaded.notes.push(broken) } else { self.loaded.broken.push(broken) }
        }
        for rule in collection.rules {
            self.detection(source, document, rule, pipelines);
        }
        for mut rule in collection.correlations {
            repair_temporal(&mut rule);
            self.correlations.push(Waiting {
                rule,
                file: source.file.clone(),
                line: document.line,
                text: document.text.to_owned(),
            });
        }
        let at = |filter| (filter, source.file.clone(), document.line);
        self.filters.extend(collection.filters.into_iter().map(at));
    }

    fn detection(&mut self, source: &Source, document: &Document<'_>, mut rule: SigmaRule, pipelines: &[Pipeline]) {
        let own = rule.logsource.product.as_deref() == Some(PRODUCT);
        let id = rule.id.clone().or_else(|| rule.name.clone()).unwrap_or_else(|| format!("sigma:{}", source.file));
        rule.id = Some(id.clone());
        if let Err(broken) = self.ids.claim(&id, &source.file, document.line) {
            return self.loaded.broken.push(broken);
        }
        rule.name = self.free_name(rule.name.take(), &source.file, document);
        let mut asleep = None;
        let compiled = rsigma_eval::apply_pipelines(pipelines, &mut rule).and_then(|()| {
            let ours = rule.logsource.product.as_deref() == Some(PRODUCT);
            asleep = fields::blind(&rule).filter(|_| ours && !own).map(str::to_owned);
            // Compiled all the same, so that what is wrong with it is found.
            match asleep {
                Some(_) => rsigma_eval::compile_rule(&rule).map(|_| ()),
                None => self.engine.add_rule(&rule),
            }
        });
        if let Err(error) = compiled {
            let reason = error.to_string();
            let line = documents::line_of(document.text, document.line, &reason);
            return self.broken(&source.file, line, reason);
        }
        let mut described = describe::detection(&rule, &source.file, document.line);
        described.asleep = asleep.map(|field| format!("needs the field {field}, which no dataset has"));
        self.loaded.notes.extend(describe::notes(&rule.custom_attributes, &described, document));
        if own {
            self.loaded.notes.extend(fields::check(&rule, &source.file, document));
            self.own.insert(id.clone());
        }
        self.know(&id, rule.name);
        self.by_id.insert(id, described);
    }

    /// Adds correlations whose references are known, until no more can be added. Answers which ids feed which
    /// correlation.
    fn correlations(&mut self, pipelines: &[Pipeline]) -> HashMap<String, Vec<String>> {
        let mut fed = HashMap::new();
        let mut waiting = std::mem::take(&mut self.correlations);
        let defined: HashSet<String> =
            waiting.iter().flat_map(|w| [w.rule.id.clone(), w.rule.name.clone()]).flatten().collect();
        loop {
            let (ready, rest): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|w| w.rule.rules.iter().all(|r| self.known.contains_key(r)));
            waiting = rest;
            if ready.is_empty() {
                break;
            }
            for correlation in ready {
                self.correlation(correlation, pipelines, &mut fed);
            }
        }
        for left in waiting {
            let missing = left.rule.rules.iter().find(|r| !defined.contains(*r) && !self.known.contains_key(*r));
            let reason = match missing {
                Some(name) => format!("refers to the rule {name:?}, which is not loaded; check its id or name"),
                None => "refers to itself through other correlations, or to a broken one".to_owned(),
            };
            let line = documents::line_of(&left.text, left.line, &format!("'{}'", missing.map_or("rules:", |m| m)));
            self.broken(&left.file, line, reason);
        }
        fed
    }

    fn correlation(
        &mut self,
        Waiting { mut rule, file, line, text }: Waiting,
        pipelines: &[Pipeline],
        fed: &mut HashMap<String, Vec<String>>,
    ) {
        let id = rule.id.clone().or_else(|| rule.name.clone()).unwrap_or_else(|| format!("sigma:{file}"));
        rule.id = Some(id.clone());
        if let Err(broken) = self.ids.claim(&id, &file, line) {
            return self.loaded.broken.push(broken);
        }
        let document = Document { text: &text, line };
        rule.name = self.free_name(rule.name.take(), &file, &document);
        let feeds: Vec<String> = rule.rules.iter().filter_map(|r| self.known.get(r).cloned()).collect();
        let own = feeds.iter().any(|id| self.own.contains(id));
        let compiled = rsigma_eval::pipeline::apply_pipelines_to_correlation(pipelines, &mut rule)
            .and_then(|_| self.engine.add_correlation(&rule));
        if let Err(error) = compiled {
            let reason = error.to_string();
            return self.broken(&file, documents::line_of(&text, line, &reason), reason);
        }
        let described = describe::correlation(&rule, &file, line);
        self.loaded.notes.extend(describe::notes(&rule.custom_attributes, &described, &document));
        if own {
            self.loaded.notes.extend(fields::check_correlation(&rule, &file, &document));
            self.own.insert(id.clone());
        }
        if !rule.generate {
            self.silence(&feeds);
        }
        self.know(&id, rule.name);
        fed.insert(id.clone(), feeds);
        self.by_id.insert(id, described);
    }

    /// The name, unless another rule has it: correlations that refer to it would mix the two.
    fn free_name(&mut self, name: Option<String>, file: &str, document: &Document<'_>) -> Option<String> {
        let name = name?;
        let Some(holder) = self.known.get(&name) else { return Some(name) };
        let reason = format!("the name {name} already belongs to rule {holder}; give this rule a name of its own");
        let line = documents::line_of(document.text, document.line, &format!("'name: {name}'"));
        self.loaded.notes.push(Broken { file: file.to_owned(), line, reason });
        None
    }

    fn know(&mut self, id: &str, name: Option<String>) {
        self.known.insert(id.to_owned(), id.to_owned());
        self.known.extend(name.map(|name| (name, id.to_owned())));
    }

    /// Rules that only feed a correlation are not reported themselves (Sigma's `generate: false`).
    fn silence(&mut self, ids: &[String]) {
        for id in ids {
            if let Some(rule) = self.by_id.get_mut(id) {
                rule.silent = true;
            }
        }
    }

    fn filters(&mut self) {
        for (filter, file, line) in std::mem::take(&mut self.filters) {
            let only = SigmaCollection { filters: vec![filter], ..SigmaCollection::new() };
            if let Err(error) = self.engine.add_collection(&only) {
                self.broken(&file, Some(line), error.to_string());
            }
        }
    }

    fn finish(self, fed: HashMap<String, Vec<String>>) -> Loaded {
        let mut loaded = self.loaded;
        let rules: HashMap<String, Arc<Rule>> = self.by_id.into_iter().map(|(id, r)| (id, Arc::new(r))).collect();
        loaded.rules = rules.values().cloned().collect();
        if !rules.is_empty() {
            loaded.detector = Some(Box::new(detector::SigmaDetector::new(self.engine, rules, fed)));
        }
        loaded
    }
}

/// Sigma says that a temporal correlation without a condition wants all of its rules; the engine would take any one.
fn repair_temporal(rule: &mut CorrelationRule) {
    let CorrelationCondition::Threshold { predicates, .. } = &mut rule.condition else { return };
    if rule.correlation_type == CorrelationType::Temporal && *predicates == [(ConditionOperator::Gte, 1)] {
        *predicates = vec![(ConditionOperator::Gte, rule.rules.len() as u64)];
    }
}
