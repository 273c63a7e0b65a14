//! What an author should know about a rule that loads: that it is hopelessly slow, or that its searches will be cut.
//!
//! Nothing here changes what a rule does.

use super::buffer::PAYLOAD;
use super::language::Arrow;
use super::prefilter::chosen;
use super::rule::{Condition, MatchList, Rule, Scope};
use super::ruleset::{Reported, Signatures};

/// Contents that may each stand anywhere behind the one before: more of them make a search grow beyond its limit.
const LOOSE_CONTENTS_MAX: usize = 8;
/// Shorter contents stand nearly everywhere.
const COMMON_MAX_BYTES: usize = 2;
/// More networks are a matter for an intelligence list.
const NETWORKS_MAX: usize = 5_000;

/// What is to be said about the rules of a set, in the order of their files.
pub fn review(set: &Signatures) -> Vec<Reported> {
    let usable = set.rules().iter().filter(|rule| rule.unsupported.is_empty());
    let mut all: Vec<Reported> = usable
        .flat_map(|rule| {
            of_rule(rule).into_iter().map(|what| Reported {
                file: rule.place.0.clone(),
                line: rule.place.1,
                what: format!("sid {}: {what}", rule.sid),
            })
        })
        .collect();
    all.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    all
}

fn of_rule(rule: &Rule) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(prefilter(rule));
    for list in &rule.lists {
        said.extend(expressions(list));
        let loose = list.conditions.iter().filter(|condition| is_loose(condition)).count();
        if loose > LOOSE_CONTENTS_MAX {
            said.push(format!(
                "{loose} contents may each stand anywhere behind the one before; a search is cut after {} steps and then \
                 counts as not found: say with `within` how far they may be apart",
                Signatures::steps_max()
            ));
        }
    }
    let networks = rule.header.source.len() + rule.header.destination.len();
    if networks > NETWORKS_MAX {
        said.push(format!("it names {networks} networks; an intelligence list finds addresses faster"));
    }
    said
}

/// How a rule is found, where that costs much.
fn prefilter(rule: &Rule) -> Option<String> {
    let asked = match rule.scope {
        Scope::Packet | Scope::PacketAndStream => "every packet",
        Scope::Stream => "every piece of every stream",
        Scope::Transaction => "every transaction",
        Scope::Addresses | Scope::Recognised | Scope::Event => return None,
    };
    if let Some((list, pattern)) = chosen(rule) {
        let common = list.buffer == PAYLOAD && pattern.len() <= COMMON_MAX_BYTES && is_wide(rule);
        let short =
            format!("it is found by {} bytes only, which stand nearly everywhere; add a longer content", pattern.len());
        return common.then_some(short);
    }
    let costly = rule.lists.iter().flat_map(|list| &list.conditions).any(is_costly);
    let wide = is_wide(rule) && !rule.lists.is_empty() && rule.scope != Scope::Transaction;
    if costly {
        Some(format!(
            "no content finds it, so that {asked} it may concern is searched; add a content that must be there"
        ))
    } else if wide && rule.packet.is_empty() {
        Some(format!("no content finds it, so that it is asked of {asked}; add a content, ports or addresses"))
    } else {
        None
    }
}

/// Whether its header lets nearly everything through.
fn is_wide(rule: &Rule) -> bool {
    let header = &rule.header;
    let ports = header.destination_ports.is_any() && (header.source_ports.is_any() || header.arrow != Arrow::Forward);
    ports && rule.protocol.is_none()
}

fn is_costly(condition: &Condition) -> bool {
    matches!(condition, Condition::Regex(_) | Condition::Base64(_) | Condition::Entropy(_))
}

/// A content that may stand anywhere behind the one before.
fn is_loose(condition: &Condition) -> bool {
    let Condition::Content(content) = condition else { return false };
    content.distance.is_some()
        && content.within.is_none()
        && content.depth.is_none()
        && !content.at_end
        && !content.negated
}

fn expressions(list: &MatchList) -> Vec<String> {
    let mut said = Vec::new();
    for condition in &list.conditions {
        let Condition::Regex(regex) = condition else { continue };
        // Those of the other kind were measured when they were read.
        if regex.pattern.backtracks()
            && let Err(why) = regex.pattern.build()
        {
            said.push(format!("pcre: it cannot be built, so that the rule never matches: {why}"));
        }
        if regex.pattern.may_explode() {
            said.push(format!(
                "pcre: a repetition stands inside a repetition, and look-around or references back need a search that tries \
                 all ways; it is cut after {} steps and then counts as not found",
                super::regex::BACKTRACK_MAX_STEPS
            ));
        }
    }
    said
}
