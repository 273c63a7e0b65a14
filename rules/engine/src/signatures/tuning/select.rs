//! Of which rules a change speaks.

use std::fmt;
use std::path::Path;

use super::super::language::{Action, Statement};

/// What is asked of a rule: all of it must hold; what is empty is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Select {
    /// Generator id.
    pub gid: Option<u32>,
    /// Signature ids, as ranges with both ends.
    pub sids: Vec<(u32, u32)>,
    /// Names of rule files without `.rules`; one with a star at its end stands for all that begin so.
    pub groups: Vec<String>,
    /// Classes.
    pub classes: Vec<String>,
    /// Actions.
    pub actions: Vec<Action>,
}

/// By what a rule is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'s> {
    gid: u32,
    sid: u32,
    group: String,
    class: &'s str,
    action: Action,
}

impl<'s> Named<'s> {
    /// What a rule of a file says of itself.
    pub fn of(statement: &'s Statement, file: &Path) -> Named<'s> {
        let value = |keyword: &str| {
            let mut all = statement.options.iter().filter(|option| option.keyword.eq_ignore_ascii_case(keyword));
            all.next_back().and_then(|option| option.value.as_deref())
        };
        let number = |keyword: &str| value(keyword).and_then(|text| text.trim().parse().ok());
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        Named {
            gid: number("gid").unwrap_or(1),
            sid: number("sid").unwrap_or(0),
            group: name.strip_suffix(".rules").unwrap_or(name).to_owned(),
            class: value("classtype").unwrap_or(""),
            action: statement.action,
        }
    }
}

impl Select {
    /// Whether a rule is among them.
    pub fn takes(&self, rule: &Named<'_>) -> bool {
        let gid = self.gid.is_none_or(|gid| gid == rule.gid);
        let sid = self.sids.is_empty() || self.sids.iter().any(|(low, high)| (*low..=*high).contains(&rule.sid));
        let class = self.classes.is_empty() || self.classes.iter().any(|class| class == rule.class);
        let action = self.actions.is_empty() || self.actions.contains(&rule.action);
        gid && sid
            && class
            && action
            && (self.groups.is_empty() || self.groups.iter().any(|group| fits(group, &rule.group)))
    }

    /// Whether it speaks of no rule in particular.
    pub fn is_general(&self) -> bool {
        self.sids.is_empty()
    }
}

/// Whether a name is the one wanted, or begins so.
fn fits(wanted: &str, name: &str) -> bool {
    let wanted = wanted.strip_suffix(".rules").unwrap_or(wanted);
    match wanted.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == wanted,
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |(low, high): &(u32, u32)| if low == high { low.to_string() } else { format!("{low}-{high}") };
        let mut parts = Vec::new();
        if let Some(gid) = self.gid.filter(|gid| *gid != 1) {
            parts.push(format!("of generator {gid}"));
        }
        if !self.sids.is_empty() {
            let sids: Vec<String> = self.sids.iter().take(8).map(range).collect();
            let more = if self.sids.len() > 8 { " ..." } else { "" };
            parts.push(format!("sid {}{more}", sids.join(", ")));
        }
        if !self.groups.is_empty() {
            parts.push(format!("in {}", self.groups.join(", ")));
        }
        if !self.classes.is_empty() {
            parts.push(format!("of class {}", self.classes.join(", ")));
        }
        if !self.actions.is_empty() {
            let actions: Vec<String> = self.actions.iter().map(|action| format!("{action:?}").to_lowercase()).collect();
            parts.push(format!("that {}", actions.join(", ")));
        }
        f.write_str(if parts.is_empty() { "there" } else { "" })?;
        f.write_str(&parts.join(" "))
    }
}
