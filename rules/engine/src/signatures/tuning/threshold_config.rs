//! Tuning in the format of `threshold.config`: `suppress`, `threshold` and `event_filter`, `rate_filter`, a line each.
//!
//! A zero stands for any: `gen_id 0, sig_id 0` are all rules. A line may be continued with a backslash.

use std::sync::Arc;

use super::super::language::{Action, AddressSet, Variables};
use super::super::rule::{Limit, LimitKind, Track};
use super::super::ruleset::Reported;
use super::select::Select;
use super::{Change, Suppress, SuppressBy, What};

/// Changes, and lines that cannot be used.
pub fn read(text: &str, file: &Arc<str>, variables: &Variables) -> (Vec<Change>, Vec<Reported>) {
    let (mut changes, mut faults) = (Vec::new(), Vec::new());
    let mut open = String::new();
    let mut begin = 1;
    for (number, line) in (1u32..).zip(text.lines()) {
        let line = line.trim();
        if open.is_empty() {
            begin = number;
        }
        if open.is_empty() && (line.is_empty() || line.starts_with('#')) {
            continue;
        }
        if let Some(part) = line.strip_suffix('\\') {
            open.push_str(part);
            continue;
        }
        open.push_str(line);
        let whole = std::mem::take(&mut open);
        match change(&whole, variables) {
            Ok((select, what)) => changes.push(Change { select, what, place: (file.clone(), begin) }),
            Err(what) => faults.push(Reported { file: file.clone(), line: begin, what }),
        }
    }
    if !open.is_empty() {
        let what = "the last line is continued, and nothing follows".to_owned();
        faults.push(Reported { file: file.clone(), line: begin, what });
    }
    (changes, faults)
}

/// One line: a word, then names with their values.
fn change(line: &str, variables: &Variables) -> Result<(Select, What), String> {
    let (word, rest) = line.split_once(char::is_whitespace).ok_or("there is nothing behind the first word")?;
    let parts: Vec<(&str, &str)> = parts(rest)
        .into_iter()
        .map(|part| part.split_once(char::is_whitespace).map(|(name, value)| (name, value.trim())))
        .collect::<Option<_>>()
        .ok_or("each part is a name and a value, with commas between them")?;
    let known: &[&str] = match word {
        "suppress" => &["gen_id", "sig_id", "track", "ip"],
        "threshold" | "event_filter" => &["gen_id", "sig_id", "type", "track", "count", "seconds"],
        "rate_filter" => &["gen_id", "sig_id", "track", "count", "seconds", "new_action", "timeout"],
        other => return Err(format!("{other} is unknown (suppress, threshold, event_filter, rate_filter)")),
    };
    if let Some((name, _)) = parts.iter().find(|(name, _)| !known.contains(name)) {
        return Err(format!("{word} has no {name}; it has {}", known.join(", ")));
    }
    let value = |name: &str| parts.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    let must = |name: &str| value(name).ok_or_else(|| format!("{name} is missing"));
    let number = |name: &str| must(name)?.parse::<u32>().map_err(|_| format!("{name} is no number"));
    let (gid, sid) = (number("gen_id")?, number("sig_id")?);
    let select = Select {
        gid: Some(gid).filter(|gid| *gid != 0),
        sids: Some((sid, sid)).filter(|_| sid != 0).into_iter().collect(),
        ..Select::default()
    };
    let what = match word {
        "suppress" => What::Suppress(Arc::new(suppress(value("track"), value("ip"), variables)?)),
        "rate_filter" => {
            let action = action(must("new_action")?)?;
            let kind = LimitKind::Rate { action, seconds: number("timeout")? };
            What::Limit(Limit {
                kind,
                track: track(must("track")?)?,
                count: number("count")?,
                seconds: number("seconds")?,
            })
        }
        _ => {
            let kind = match must("type")? {
                "limit" => LimitKind::Limit,
                "threshold" => LimitKind::Threshold,
                "both" => LimitKind::Both,
                other => return Err(format!("{other} is no type (limit, threshold, both)")),
            };
            What::Limit(Limit {
                kind,
                track: track(must("track")?)?,
                count: number("count")?,
                seconds: number("seconds")?,
            })
        }
    };
    match what {
        What::Limit(Limit { count: 0, .. }) => Err("the count is 0".into()),
        what => Ok((select, what)),
    }
}

fn suppress(by: Option<&str>, addresses: Option<&str>, variables: &Variables) -> Result<Suppress, String> {
    let by = match (by, addresses) {
        (None, None) => return Ok(Suppress { by: SuppressBy::All, addresses: AddressSet::default() }),
        (None, Some(_)) => return Err("track is missing (by_src, by_dst, by_either)".into()),
        (Some(_), None) => return Err("ip is missing".into()),
        (Some("by_src"), _) => SuppressBy::Source,
        (Some("by_dst"), _) => SuppressBy::Destination,
        (Some("by_either"), _) => SuppressBy::Either,
        (Some(other), _) => return Err(format!("{other} cannot be tracked (by_src, by_dst, by_either)")),
    };
    Ok(Suppress { by, addresses: AddressSet::parse(addresses.unwrap_or("any"), variables)? })
}

fn track(text: &str) -> Result<Track, String> {
    Ok(match text {
        "by_src" => Track::Source,
        "by_dst" => Track::Destination,
        "by_both" => Track::Both,
        "by_rule" => Track::Rule,
        "by_flow" => Track::Flow,
        other => return Err(format!("{other} cannot be tracked (by_src, by_dst, by_both, by_rule, by_flow)")),
    })
}

fn action(text: &str) -> Result<Action, String> {
    Ok(match text {
        "alert" => Action::Alert,
        "pass" => Action::Pass,
        "drop" => Action::Drop,
        "reject" => Action::Reject,
        other => return Err(format!("{other} is no action that takes effect here (alert, pass, drop, reject)")),
    })
}

/// Splits at commas outside of brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(begin..at).unwrap_or("").trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(begin..).unwrap_or("").trim());
    parts
}
