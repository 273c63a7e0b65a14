//! Tuning in the manner of our settings: TOML, where an unknown key is an error.
//!
//! ```toml
//! [variables]
//! HOME_NET = "[10.20.0.0/16,2001:db8:20::/48]"
//!
//! [[rule]]
//! sid = [2001219, "2010000-2010099"]
//! reason = "our monitoring asks this way"
//! suppress = { by = "source", addresses = ["10.20.0.5"] }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::super::language::{Action, AddressSet, Variables};
use super::super::rule::{Limit, LimitKind, Track};
use super::select::Select;
use super::{Change, Suppress, SuppressBy, What};

/// What a file says.
#[derive(Debug, Default)]
pub struct Read {
    /// Groups of addresses and ports.
    pub variables: BTreeMap<String, String>,
    /// Changes, in their order.
    pub changes: Vec<Change>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    rule: Vec<toml::Spanned<Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    gid: Option<u32>,
    #[serde(default)]
    sid: Vec<Sid>,
    #[serde(default)]
    group: Vec<String>,
    #[serde(default)]
    class: Vec<String>,
    #[serde(default)]
    action: Vec<Then>,
    /// For people.
    #[serde(default, rename = "reason")]
    _reason: String,
    #[serde(default)]
    disable: bool,
    #[serde(default)]
    enable: bool,
    priority: Option<u8>,
    replace: Option<Replace>,
    suppress: Option<SuppressEntry>,
    limit: Option<LimitEntry>,
    rate: Option<RateEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Sid {
    One(u32),
    Range(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    from: String,
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuppressEntry {
    by: Option<By>,
    #[serde(default)]
    addresses: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Source,
    Destination,
    Either,
    Both,
    Rule,
    Flow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitEntry {
    kind: Kind,
    by: By,
    count: u32,
    seconds: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Limit,
    Threshold,
    Both,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RateEntry {
    by: By,
    count: u32,
    seconds: u32,
    action: Then,
    for_seconds: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Then {
    Alert,
    Pass,
    Drop,
    Reject,
}

impl Then {
    fn action(self) -> Action {
        match self {
            Then::Alert => Action::Alert,
            Then::Pass => Action::Pass,
            Then::Drop => Action::Drop,
            Then::Reject => Action::Reject,
        }
    }
}

/// Reads the text of a file.
pub fn read(text: &str, file: &Arc<str>, variables: &Variables) -> Result<Read, String> {
    let read: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut known = variables.clone();
    read.variables.iter().for_each(|(name, value)| known.set(name, value));
    for (name, value) in &read.variables {
        // Which of the two it is shows where rules use it.
        let group = AddressSet::parse(value, &known).map(drop);
        group
            .or_else(|wrong| super::super::language::PortSet::parse(value, &known).map(drop).map_err(|_| wrong))
            .map_err(|wrong| format!("the variable {name}: {wrong}"))?;
    }
    let mut changes = Vec::new();
    for entry in &read.rule {
        let before = text.get(..entry.span().start).unwrap_or(text);
        let line = u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX);
        let made = whats(entry.get_ref(), &known).and_then(|whats| Ok((select(entry.get_ref())?, whats)));
        let (select, whats) = made.map_err(|wrong| format!("line {line}: {wrong}"))?;
        let place = (file.clone(), line);
        changes.extend(whats.into_iter().map(|what| Change { select: select.clone(), what, place: place.clone() }));
    }
    Ok(Read { variables: read.variables, changes })
}

fn select(entry: &Entry) -> Result<Select, String> {
    let sids = entry.sid.iter().map(|sid| match sid {
        Sid::One(sid) => Ok((*sid, *sid)),
        Sid::Range(text) => {
            let ends = text
                .split_once('-')
                .and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
            ends.filter(|(low, high)| low <= high)
                .ok_or_else(|| format!("{text} is no range of signature ids (\"1-9\")"))
        }
    });
    let select = Select {
        gid: entry.gid.or((!entry.sid.is_empty()).then_some(1)),
        sids: sids.collect::<Result<_, String>>()?,
        groups: entry.group.clone(),
        classes: entry.class.clone(),
        actions: entry.action.iter().map(|action| action.action()).collect(),
    };
    let spares = entry.disable || entry.enable || entry.replace.is_some() || entry.priority.is_some();
    let named = Select { gid: select.gid, ..Select::default() } != select;
    if spares && !named {
        return Err("this would concern every rule: name sid, group, class or action".into());
    }
    Ok(select)
}

fn whats(entry: &Entry, variables: &Variables) -> Result<Vec<What>, String> {
    if entry.disable && entry.enable {
        return Err("disable and enable stand together; leave one of them out".into());
    }
    let mut whats = Vec::new();
    whats.extend(entry.disable.then_some(What::Disable));
    whats.extend(entry.enable.then_some(What::Enable));
    if let Some(priority) = entry.priority {
        whats.push(if priority == 0 {
            return Err("0 is no priority (1 to 255)".into());
        } else {
            What::Priority(priority)
        });
    }
    if let Some(Replace { from, to }) = &entry.replace {
        if from.is_empty() {
            return Err("replace: from is empty; say which text of the rule is to be replaced".into());
        }
        whats.push(What::Replace(from.clone(), to.clone()));
    }
    if let Some(suppress) = &entry.suppress {
        whats.push(What::Suppress(Arc::new(silence(suppress, variables)?)));
    }
    if let Some(LimitEntry { kind, by, count, seconds }) = &entry.limit {
        let kind = match kind {
            Kind::Limit => LimitKind::Limit,
            Kind::Threshold => LimitKind::Threshold,
            Kind::Both => LimitKind::Both,
        };
        whats.push(What::Limit(Limit { kind, track: track(*by)?, count: some(*count)?, seconds: *seconds }));
    }
    if let Some(RateEntry { by, count, seconds, action, for_seconds }) = &entry.rate {
        let kind = LimitKind::Rate { action: action.action(), seconds: *for_seconds };
        whats.push(What::Limit(Limit { kind, track: track(*by)?, count: some(*count)?, seconds: *seconds }));
    }
    if whats.is_empty() {
        return Err("nothing is changed: say disable, enable, priority, replace, suppress, limit or rate".into());
    }
    Ok(whats)
}

fn silence(entry: &SuppressEntry, variables: &Variables) -> Result<Suppress, String> {
    let by = match (entry.by, entry.addresses.is_empty()) {
        (None, true) => return Ok(Suppress { by: SuppressBy::All, addresses: AddressSet::default() }),
        (_, true) => return Err("suppress: addresses are missing".into()),
        (Some(By::Source), _) => SuppressBy::Source,
        (Some(By::Destination), _) => SuppressBy::Destination,
        (Some(By::Either), _) => SuppressBy::Either,
        _ => return Err("suppress: by is source, destination or either".into()),
    };
    let group = format!("[{}]", entry.addresses.join(","));
    Ok(Suppress { by, addresses: AddressSet::parse(&group, variables).map_err(|wrong| format!("suppress: {wrong}"))? })
}

fn track(by: By) -> Result<Track, String> {
    Ok(match by {
        By::Source => Track::Source,
        By::Destination => Track::Destination,
        By::Both => Track::Both,
        By::Rule => Track::Rule,
        By::Flow => Track::Flow,
        By::Either => return Err("what is counted goes by source, destination, both, rule or flow".into()),
    })
}

fn some(count: u32) -> Result<u32, String> {
    if count == 0 { Err("the count is 0".into()) } else { Ok(count) }
}
